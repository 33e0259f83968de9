"""Phrases by which sites point to other texts, in several languages.

Owns the words alone; where they count is decided by who uses them (`match/boilerplate.py`,
`watch/parsers/`). Collected by hand from sites in the languages that they are in.
"""

import re

# Phrases that announce other articles, in the middle of an article or below it.
POINTERS = (
    r"recommended (?:reading|for you|stories|articles)|"
    r"related(?: (?:articles?|stor(?:y|ies)|news|posts?|reading|content|coverage|links|topics|"
    r"videos?))?|similar (?:articles|posts|stories|news)|other news|"
    r"(?:earlier|previous|past) coverage|what to read next|"
    r"read (?:more|also|next)|also read|further reading|see also|"
    r"more (?:from|on|in|news|stories|like this)(?: [\w’' -]{1,40})?|"
    r"more [\w’'-]{1,20} (?:news|stories|articles|posts|headlines)|"
    r"you (?:may|might) also (?:like|be interested in)|"
    r"don[’']t miss|(?:currently )?trending(?: now)?|most (?:read|popular)|"
    r"latest (?:news|stories|posts|articles)|"
    r"recent (?:news|posts|articles|stories)|in other news|also in the news|"
    r"(?:previous|next) (?:article|post|story)|up next|popular posts?|"
    r"editor[’']?s (?:picks?|choice)|top stories|"
    r"mehr zum thema|lesen sie (?:dazu )?auch|auch interessant|passend dazu|"
    r"das könnte (?:sie|dich) (?:auch|ebenfalls) interessieren|"
    r"weitere (?:artikel|meldungen|nachrichten)|ähnliche (?:artikel|beiträge)|"
    r"(?:à )?lire (?:aussi|également)|sur le même (?:sujet|thème)|"
    r"articles? (?:liés|similaires|associés|recommandés)|"
    r"lea también|lee también|le puede interesar|"
    r"(?:también )?te puede interesar|artículos? relacionados?|noticias relacionadas|"
    r"leggi anche|articoli correlati|"
    r"potrebbe interessar(?:ti|vi)(?: anche)?|leia também|関連記事|おすすめ記事|あわせて読みたい|"
    r"in case you missed it|icymi|siehe auch|ver también|voir aussi|vedi anche|veja também|"
    r"(?:lees|bekijk) ook|zie ook|läs (?:också|även)|se også|læs også|les også|lue myös|"
    r"(?:czytaj|zobacz|przeczytaj) (?:także|też|również)|"
    r"čtěte (?:také|též|i)|přečtěte si (?:také|i)|"
    r"citește și|olvassa el ezt is|(?:читайте|смотрите) также|читайте також|"
    r"bunlar da ilginizi çekebilir|相关阅读|相关文章|延伸阅读|관련 ?기사|اقرأ أيضا|קראו גם"
)
# Phrases that announce, at the very beginning of a text, what stands behind them.
ANNOUNCEMENTS = (
    r"don[’']t miss|in case you missed it|icymi|editor[’']?s (?:picks?|choice)|must[- ]read"
)
# Words before an advertisement on the same line.
ADVERTISEMENTS = (
    r"advertisement|sponsored(?: content)?|anzeige|werbung|publicité|publicidad|pubblicità|"
    r"advertentie|реклама|reklama|annons"
)
# Phrases of a site about itself.
ABOUT_THE_SITE = (
    r"about the author|author bio(?:graphy)?|über (?:den autor|die autorin)|"
    r"à propos de l[’']auteur|sobre el autor|"
    r"subscribe to our newsletter|sign up for our newsletter|"
    r"this (?:web)?site uses cookies|we use cookies|"
    r"cookie (?:policy|settings)|all rights reserved|"
    r"tags|tagged(?: with)?|filed under|categories|share this(?: article| post)?"
)
# Names of lists of news. At the beginning of a text they name its own news.
NEWS_LISTS = (
    r"latest (?:news|stories)|recent news|(?:in )?other news|also in the news|top stories|"
    r"more (?:[\w’'-]{1,20} )?news|trending(?: now)?"
)
# Links at the end of a beginning, to the rest of it.
CONTINUE = (
    r"continue reading|keep reading|read (?:more|on|the (?:full|whole|rest of the) "
    r"(?:article|story|post|entry|news|report|text))|read full (?:article|story)|"
    r"(?:view|see|show|learn|find out) more|full (?:story|article)|"
    r"weiterlesen|weiter lesen|mehr lesen|lesen sie (?:mehr|weiter)|mehr erfahren|mehr dazu|"
    r"(?:zum|den) (?:ganzen |vollständigen )?artikel(?: lesen)?|"
    r"lire (?:la suite|plus|l[’']article(?: complet)?)|continuer (?:la|de) lecture|en savoir plus|"
    r"(?:seguir|continuar|continúa|sigue) leyendo|leer (?:más|la noticia completa|todo)|"
    r"leggi (?:tutto|di più|l[’']articolo)|continua a leggere|"
    r"(?:continue|continuar) (?:a ler|lendo)|ler mais|leia mais|"
    r"lees (?:meer|verder)|verder lezen|czytaj (?:więcej|dalej)|číst (?:dál|více)|"
    r"läs (?:mer|vidare)|les mer|læs (?:mere|videre)|lue lisää|tovább|"
    r"citește (?:mai mult|mai departe)|devamını oku|"
    r"читать (?:далее|дальше|полностью)|διαβάστε περισσότερα|続きを読む|もっと読む|"
    r"阅读全文|阅读更多|继续阅读|繼續閱讀|더 보기|계속 읽기|اقرأ المزيد|להמשך קריאה"
)
_POINTER = re.compile(
    rf"(?:(?<=^)|(?<=[.!?…»”\"')\]。！？\n])|(?<=[.!?…»”\"')\]。！？\n] ))"
    rf"[→▶»›>\[(]?\s?(?P<words>{CONTINUE})\b"
    r"(?P<title>[^\n]{0,300})$",
    re.IGNORECASE,
)
_END = re.compile(r"[\s→▶»›>.…:\])\"”“„«‹]*")
_OF_THE_ARTICLE = re.compile(
    r"(?i) (?:the|this|full|of the|den|des|de l[’']|l[’']|cet|del|el|dell[’']|do|o|het|hela)"
    r"(?: full| whole| ganzen)? ?"
    r"(?:articles?|artikels?|beitrag|artículo|articolo|artigo|story|post)"
)
# Characters at the end of a text in which the pointer is searched. Chosen by hand.
_LONGEST_END = 400


def without_end_pointer(text: str, title: str = "") -> str:
    """Return a text without the pointer to its rest at its end; an ellipsis stands for it.

    Args:
        text: plain text, in lines.
        title: of the text; a pointer may name it (“Continue reading A trial ends”).
    """
    begin = max(len(text) - _LONGEST_END, 0)
    pointer = _POINTER.search(text, begin) if text else None
    if pointer is None:
        return text
    rest = pointer["title"]
    if title and title in rest:
        rest = rest.replace(title, "", 1)
    rest = _OF_THE_ARTICLE.sub("", rest)
    if not _END.fullmatch(rest):
        return text
    own = text[: pointer.start()].rstrip()
    if not own or own.endswith(("…", "...", "[…]")):
        return own
    return f"{own} …"
