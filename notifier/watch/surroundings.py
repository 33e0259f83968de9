"""Lines that a site puts into or around its texts, and that say nothing of the text itself.

Pure. Owns what such lines look like: advertisements, lists of other articles, tables of contents,
reading times, dates of updates, bylines, credits, counters, calls to share or subscribe, volume and
page numbers. English, German, French, Spanish, Italian, Dutch and Portuguese. It knows nothing of
changes. The lists were chosen by hand; not measured.
"""

import re

from notifier.watch.numerals import DATE

# Characters of a line that is looked at; longer ones are text.
_LONGEST = 240
# Characters of a heading. A line with a full stop is text again if it is longer than so many
# characters, or has so many words.
_LONGEST_HEADING, _SHORTEST_PARAGRAPH, _FEWEST_WORDS = 60, 60, 4
# Words of the name of a journal.
_LONGEST_JOURNAL = 8


def _any(*patterns: str) -> str:
    return "|".join(patterns)


_ADS = _any(
    r"advertisement(?:s)?", r"advert", r"ads?", r"ad by \w+", r"sponsored(?: content| post| links?)?",
    r"promoted(?: content)?", r"paid (?:content|post)", r"anzeigen?", r"werbung", r"werbeanzeige",
    r"publicités?", r"publicidad(?:e)?", r"anuncios?", r"pubblicità", r"annuncio", r"advertentie",
    r"reclame", r"reklama", r"広告", r"广告", r"реклама",
    r"(?:article|story|text) continues (?:below|after)(?: (?:th(?:e|is) )?ad\w*)?",
    r"continue reading below", r"scroll to continue(?: with \w+)?",
)  # fmt: skip
_OTHERS = _any(
    r"(?:you (?:may|might|could) (?:also )?(?:like|be interested in|enjoy)|we also recommend|"
    r"recommended|related|trending|popular|most (?:read|popular|viewed)|read (?:also|next)|also read|"
    r"see also|up next|don.t miss|editor.?s picks?|keep reading|what to read next)"
    r"(?: (?:articles?|posts?|stories|story|reading|news|content|links?|topics?|coverage|for you|"
    r"now|this|on this topic|from us|resources))*",
    r"(?:similar|further|more|other|latest|recent|top)"
    r"(?: (?:related|recent|top|great|articles?|posts?|stories|story|reading|news|content|links?|"
    r"coverage|headlines|like this|from our \w+|from us|on this topic|for you)){1,4}",
    r"(?:lesen sie (?:auch|dazu|mehr)|mehr zum thema|das könnte sie auch interessieren|"
    r"ähnliche (?:artikel|beiträge)|weitere (?:artikel|beiträge|meldungen|nachrichten)|"
    r"verwandte (?:artikel|themen|beiträge)|auch interessant|meistgelesen|mehr dazu)",
    r"(?:à lire (?:aussi|également)|lire aussi|voir aussi|articles? (?:similaires?|liés?|connexes?)|"
    r"sur le même sujet|vous aimerez aussi|à découvrir)",
    r"(?:lee también|lea también|ver también|véase también|te puede interesar|"
    r"(?:artículos|noticias|entradas) relacionad[oa]s|más noticias|también te puede interesar)",
    r"(?:leggi anche|vedi anche|articoli correlati|ti potrebbe interessare|potrebbe interessarti)",
    r"(?:lees ook|lees verder|gerelateerde (?:artikelen|berichten)|meer over dit onderwerp)",
    r"(?:leia também|veja também|artigos relacionados|notícias relacionadas)",
    r"(?:関連記事|関連リンク|相关文章|相关阅读|관련 기사|читайте также)",
)
_CONTENTS = _any(
    r"(?:table of )?contents", r"(?:in|on) this (?:article|page|story|post)", r"jump to(?: section)?",
    r"quick links", r"page contents", r"inhalt(?:sverzeichnis)?", r"auf dieser seite",
    r"sommaire", r"table des matières", r"dans cet article", r"contenidos?", r"índice",
    r"tabla de contenidos?", r"en este artículo", r"indice(?: dei contenuti)?", r"in questo articolo",
    r"inhoud(?:sopgave)?", r"neste artigo", r"目次", r"目录", r"목차",
)  # fmt: skip
_LABEL_TAIL = r"\s?(?:[:»›>–—-]|\.{3}|…)?"
_AD_LINE = re.compile(rf"(?i)[\s\[(*–—-]*(?:{_ADS})[\s\])*–—:.-]*")
_AD_START = re.compile(rf"(?i)(?:{_ADS})\s?[:|–—]\s")
_OTHERS_LINE = re.compile(rf"(?i)(?:{_OTHERS}){_LABEL_TAIL}")
_OTHERS_START = re.compile(rf"(?i)(?:{_OTHERS})\s?[:|»›]\s?")
_CONTENTS_LINE = re.compile(rf"(?i)(?:{_CONTENTS}){_LABEL_TAIL}(?:\s?\[?(?:hide|show|toggle)\]?)?")

# A date in the patterns below.
_WHEN = "\x00"
_DATES = re.compile(rf"(?i){DATE}")
_CLOCK = r"(?:\d{1,2}[:.h]\d\d(?: ?[ap]\.?m\.?)?(?: uhr)?(?: \(?[A-Z]{2,5}\)?)?)"
_AGO = r"(?:\d+ (?:minutes?|hours?|days?|weeks?|months?|years?) ago|vor \d+ \w+|il y a \d+ \w+|hace \d+ \w+)"
_MOMENT = rf"(?:{_WHEN}|{_CLOCK}|{_AGO})(?:[ ,|·•–—-]*(?:at |um |à |alle )?(?:{_WHEN}|{_CLOCK}))*"
_PERSON = r"(?:[A-ZÀ-ÖØ-Þ][\w.'’-]*|van|von|de|der|den|la|di|du|del|y|e)"
_PEOPLE = (
    rf"(?:(?:Dr|Prof)\.? )*{_PERSON}(?:,? {_PERSON}){{0,12}}"
    rf"(?:,? (?:and|und|et|en|&) {_PERSON}(?:,? {_PERSON}){{0,8}}){{0,3}}"
)
_ROLE = r"(?:, (?:\w+ ){0,3}(?:writer|reporter|editor|correspondent|contributor|redakteur\w*|journalist\w*))?"
_COUNTED = (
    r"(?:comments?|replies|responses?|views?|reads|likes?|shares?|downloads?|votes?|claps|"
    r"kommentare?|antworten|aufrufe|klicks|commentaires?|vues?|partages?|comentarios?|visitas|"
    r"vistas|commenti|commento|visualizzazioni|reacties?|comentários?|visualizações|コメント|评论|댓글)"
)
_COUNT = r"\d[\d.,]{0,8} ?[km]?"
_COUNTER = (
    rf"(?:{_COUNT}|no|keine|aucun|sin|nessun|geen) {_COUNTED}(?: (?:so far|on this \w+))?"
    rf"|{_COUNTED} ?(?:: ?{_COUNT}|\( ?{_COUNT} ?\)|(?:off|closed|disabled)|{_COUNT})"
)
_SOCIAL = (
    r"(?:share|tweet|print|e-?mail|pin|save|bookmark|teilen|drucken|merken|partager|imprimer|"
    r"compartir|imprimir|condividi|stampa|delen|compartilhar|facebook|twitter|linkedin|whatsapp|"
    r"reddit|telegram|bluesky|threads|pocket|copy link|link kopieren|this|article|post|story|on|auf|sur|en|su|"
    r"via|x|with|friends|a friend)"
)
_NAMED = rf"(?:{_PEOPLE}{_ROLE}(?:[ ,|·•–—-]+(?:on |am |le |el )?{_MOMENT})?)"

# Whole lines or sentences, without brackets around and punctuation behind.
_LINES = tuple(
    re.compile(pattern)
    for pattern in (
        # reading times
        r"(?i)(?:(?:estimated |average |approximate )?read(?:ing)? time|time to read|lesezeit|lesedauer|"
        r"temps de lecture|tiempo (?:estimado )?de lectura|tempo di lettura|leestijd|"
        r"tempo de leitura|czas czytania|lästid) ?(?:[:–—-] ?)?(?:ca\.? ?|about |env\.? ?|~ ?|< ?)?"
        r"(?:\d{1,3}|one|a|eine?|une?)(?:[–-]\d{1,3})?(?: ?min\w*)?",
        r"(?i)(?:about )?\d{1,3}(?:[–-]\d{1,3})?[ -]?min(?:ute)?n?s?\.?[ -]"
        r"(?:read|reading(?: time)?|to read|lesezeit|lesedauer|de lecture|de lectura|di lettura|lezen|leestijd|"
        r"de leitura)",
        r"(?:この記事は約?|読了時間:? ?約?|预计阅读时间:? ?约?|阅读时间:? ?)\d{1,3} ?分钟?(?:で読めます)?",
        # updates and reviews
        r"(?i:(?:(?:last|zuletzt|dernière|última|ultimo|laatst|first|originally|page|content|article|medically|"
        r"clinically|fact[- ]|this (?:page|article|story) (?:was|has been)|reviewed and|written and) ?)*"
        r"(?:updated?|reviewed|modified|published|posted|edited|checked|revised|aktualisiert|"
        r"aktualisierung|geändert|änderung|veröffentlicht|bearbeitet|geprüft|überprüft|stand|mise? à jour|publié(?:e)?|"
        r"modifié(?:e)?|révisée?|actualizado|actualización|publicado|revisado|modificado|aggiornato|"
        r"aggiornamento|pubblicato|revisionato|bijgewerkt|gepubliceerd|gecontroleerd|atualizado|"
        r"更新日|最終更新日?|公開日)"
        rf"(?: (?:on|at|am|vom|le|el|il|op|em|date|last))* ?[:–—-]? ?(?:{_MOMENT}))"
        rf"(?:[ ,|·•–—-]*(?i:by|von|par|por|da|door) {_PEOPLE})?",
        r"(?i:(?:(?:last|medically|clinically|scientifically|fact[- ]?|page|content) ?)*"
        r"(?:updated|reviewed|edited|checked|fact[- ]checked|written|authored|geprüft|überprüft|"
        r"geschrieben|bearbeitet|relu|révisé|écrit|rédigé|revisado|escrito|scritto|revisionato|"
        r"geschreven|gecontroleerd) (?:by|von|par|por|da|door) ?:?) "
        rf"{_NAMED}",
        # bylines
        r"(?i:by|von|par|por|di|door|words|text|author|autorin|autor|autore|auteur|reporting by|"
        r"story by|editing by|redaktion|reviewer|medical reviewer|media contact|contact) ?:? "
        rf"{_NAMED}",
        # credits
        r"(?i:(?:header |cover |featured |lead |stock |hero )?(?:photos?|images?|pictures?|illustrations?|graphics?|fotos?|"
        r"bild(?:er)?|grafik|imagen|immagine|photograph|videos?|crédits?|credits?|bildnachweis|bildquelle|"
        r"fotonachweis|copyright|source|quelle|fuente|fonte|bron|titelbild|symbolbild)"
        r"(?: (?:credits?|courtesy|source|by|of|photos?|from|von|de|via)| ?[:/©–—|-] ?| ?\(c\))+) ?\D{1,120}",
        r"\D{1,80} ?(?:/|via|\||–|-) ?(?i:getty images|getty|shutterstock|istock|afp|reuters|dpa|"
        r"unsplash|pexels|adobe stock|alamy|picture alliance|pixabay)\D{0,40}",
        r"(?i)(?:©|\(c\)|copyright)\W.{1,150}|.{0,80}all rights reserved.{0,40}|"
        r"alle rechte vorbehalten|tous droits réservés|todos los derechos reservados",
        # counters
        rf"(?i){_COUNTER}",
        r"(?i)(?:leave|post|add|write|schreib\w*|laisser|deja|lascia|plaats) (?:a|an|einen|un) "
        r"(?:comment|reply|kommentar|commentaire|comentario|commento|reactie)|"
        r"be the first to (?:comment|like this)\w*|(?:join|see) the (?:conversation|discussion)",
        # calls
        rf"(?i){_SOCIAL}(?:[ |·•/,&+]+{_SOCIAL}){{0,15}}",
        r"(?i)(?:subscribe|sign up|join|register|get|receive|follow us|like us|abonnieren|abonnez|"
        r"suscr[ií]b|iscriv|schrijf|inscreva|melden sie|newsletter|download our|support our|"
        r"donate|spenden sie)\b\w*.{0,160}(?:newsletter|updates|mails?\b|inbox|mailing list|facebook|"
        r"twitter|instagram|linkedin|channel|podcast|rss|kanal|postfach|boîte|correo|app\b|work|"
        r"arbeit).{0,60}",
        r"(?i)subscribe(?: now| today| here)?|sign up(?: now| today| here)?|abonnieren|s’abonner",
        # pointers and labels
        r"(?i)(?:read|see|view|continue reading|continue|weiterlesen|mehr lesen|lire la suite|"
        r"lire plus|leer más|seguir leyendo|continua a leggere|leggi tutto|lees meer|leia mais|"
        r"続きを読む)(?: (?:more|the (?:full|original|whole) (?:article|story|post|text)|here|hier|"
        r"original|article|on \S{1,60}))*(?:\W{0,5})",
        r"(?i)(?:the post|der beitrag|l.article|cet article|la entrada|el artículo|l.articolo|"
        r"het bericht|o post) .{1,200} (?:appeared first|first appeared|erschien zuerst|"
        r"est apparu|apareció primero|se publicó primero|aparece primero|proviene da|"
        r"verscheen eerst|apareceu primeiro) .{1,120}",
        r"(?i)(?:tags?|tagged|filed under|posted in|categor(?:y|ies)|topics?|key ?words?|"
        r"schlagw(?:ort|örter)|kategorien?|stichw(?:ort|orte|örter)|mots[- ]clés|étiquettes|"
        r"catégories?|etiquetas|categorías?|archivado en|trefwoorden) ?: ?.{1,200}",
        r"(?i)(?:filed under|posted in|tagged|archivado en) .{1,160}",
    )
)

# Parts of a line: credits in brackets, and where a journal prints a paper.
_PARTS = re.compile(
    r"(?i)\((?:photos?|images?|pictures?|fotos?|bild|credits?|illustration|graphic|crédits?|source|"
    r"quelle|fuente|©)\b ?[^()\d]{1,120}\)|\[(?:photos?|images?|credits?)\b[^\[\]\d]{1,120}\]"
    r"|\b(?:19|20)\d\d(?: [a-z]{3,9}\.?(?: \d{1,2})?)?; ?\d+(?: ?\([\w –-]{1,15}\))?"
    r"(?: ?: ?e?\d+(?:[-–]e?\d+)?)?"
    r"|\b(?:19|20)\d\d [a-z]{3} \d{1,2}: ?[\w.-]{2,40}"
    r"|\bvol(?:ume|\.)? ?\d+,? ?(?:(?:issue|no\.?|nr\.?|number|iss\.?|heft) ?\d+|\(\d+\))"
    r"(?:[,:]? ?(?:pp?\.?|pages?|seiten?|s\.)? ?e?\d+[-–]e?\d+)?"
    r"|\bband \d+, heft \d+(?:, s(?:eiten?|\.) ?\d+[-–]\d+)?"
    r"|\b(?:pp\.?|pages|seiten) ?e?\d+[-–]e?\d+"
    r"|\b\d{1,4} ?\(\d{1,3}\) ?: ?e?\d+(?:[-–]e?\d+)?"
    r"|\[?\b(?:epub|online|published online|in print) ahead of print\b\]?"
    r"|\bepub (?:19|20)\d\d [a-z]{3} \d{1,2}"
    r"|\b(?:doi:? ?)?10\.\d{4,9}/\S{1,200}|\bpmc?id:? ?\w{1,12}"
    r"|\bpublication date: ?[^:]{1,60}(?=\bsource:|\bauthor\(s\):|$)"
)


def without_credits(line: str) -> str:
    """Return a line without credits in brackets, and without volume and page numbers."""
    return _PARTS.sub(" ", line)


def is_around(line: str) -> bool:
    """Return whether a line or sentence says nothing of the text that it stands in."""
    line = _unwrapped(line)
    if len(line) > _LONGEST:
        return False
    if not line or _AD_LINE.fullmatch(line) or _AD_START.match(line) or _OTHERS_START.match(line):
        return True
    dated = _DATES.sub(_WHEN, line)
    return any(pattern.fullmatch(dated) for pattern in _LINES) or _is_citation(line)


def _is_citation(line: str) -> bool:
    """Return whether a line is where a journal prints a paper: its name, volume and pages."""
    rest = _PARTS.sub(" ", line)
    words = re.findall(r"[^\W\d_]+", rest)
    return (
        rest != line
        and len(words) <= _LONGEST_JOURNAL
        and all(word[0].isupper() or word in ("of", "the", "and", "in") for word in words)
    )


def _unwrapped(line: str) -> str:
    """Return a line without brackets around it, bullets before it and punctuation behind it."""
    line = line.strip("*|·•–—- ").rstrip(".:! ")
    wrapped = len(line) > 1 and line[0] + line[-1] in ("()", "[]")
    return line[1:-1].strip().rstrip(".:! ") if wrapped else line


def is_advertisement(line: str) -> bool:
    """Return whether a line is a label after which an advertisement stands."""
    return len(line) <= _LONGEST_HEADING and bool(_AD_LINE.fullmatch(line.strip()))


def is_list_heading(line: str) -> bool:
    """Return whether a line is a heading of other articles, or of a table of contents."""
    line = line.strip()
    return len(line) <= _LONGEST_HEADING and bool(
        _OTHERS_LINE.fullmatch(line) or _CONTENTS_LINE.fullmatch(line)
    )


def ends_a_list(line: str) -> bool:
    """Return whether a line below such a heading is text again: a sentence, not a title."""
    end = line.rstrip("”\"'»)] ")
    return end.endswith(("。", ".")) and (
        len(line) > _SHORTEST_PARAGRAPH or len(line.split()) >= _FEWEST_WORDS or end[-1] == "。"
    )


def is_correction(line: str) -> bool:
    """Return whether a line begins like a publisher's note that the text was corrected."""
    return bool(_NOTE.match(line))


_NOTE = re.compile(
    r"(?i)[\W_]{0,5}(?:correct(?:ion|ed)|corrigend|errat|clarification|editor.?s note|update\b|retract|"
    r"berichtig|korrektur|richtigstellung|anm(?:erkung|\.) d|correctif|rectificati|errata|correcci|"
    r"nota de|fe de errat|rectifica|correzione|errata corrige|rectificatie|correção|訂正|更正|정정)"
)
# A headline may end in a counter of comments or views.
_HEADLINE_COUNTER = re.compile(
    rf"(?i) ?(?:[\[(] ?(?:{_COUNTER}|\d{{1,3}}|\+\d{{1,4}}) ?[\])]|[–—|·•-] ?(?:{_COUNTER}))$"
)
_HEADLINE_LABEL = re.compile(
    r"(?i)^(?:protected|private|geschützt|privat|protégé|privé|protegido|privado|protetto|beveiligd|"
    r"保護中|updated?|watch|listen|video|premium|plus|members only|exclusive|free|new) ?[:|] ?"
    r"|^\[(?:video|podcast|update[d]?|premium|members only|audio)\] ?"
    r"|[ ]\[(?:video|podcast|update[d]?|premium|audio|photos)\]$"
)


def bare_headline(title: str) -> str:
    """Return a headline without a counter at its end, and without a label for the whole post."""
    return _HEADLINE_LABEL.sub("", _HEADLINE_COUNTER.sub("", title.strip())) or title
