"""Boilerplate: remove the parts of an article's text that do not belong to the article.

Such parts announce other articles, a newsletter, or the author's biography. A name that occurs only
there does not make the article concern a therapy. Pure functions.

The thresholds were chosen by hand and checked on the labelled and the made-up set: within the
ranges given below no item of them gets another tier (docs/matching.md, section 1).
"""

import re

from notifier.text.sentences import first_sentence_end

# Phrases that announce other articles, in the middle of an article or below it. Collected by hand
# from sites in seven languages.
_POINTERS = (
    r"recommended (?:reading|for you|stories|articles)|"
    r"related(?: (?:articles?|stor(?:y|ies)|news|posts?|reading|content|coverage|links|topics))?|"
    r"read (?:more|also|next)|also read|further reading|see also|"
    r"more (?:from|on|in|news|stories)(?: [\w’' -]{1,40})?|"
    r"you (?:may|might) also (?:like|be interested in)|"
    r"don[’']t miss|trending(?: now)?|most (?:read|popular)|"
    r"latest (?:news|stories|posts|articles)|"
    r"recent (?:news|posts|articles|stories)|in other news|also in the news|"
    r"(?:previous|next) (?:article|post|story)|up next|popular posts?|"
    r"editor[’']?s picks?|top stories|"
    r"mehr zum thema|lesen sie auch|auch interessant|weitere (?:artikel|meldungen|nachrichten)|"
    r"ähnliche (?:artikel|beiträge)|à lire aussi|lire aussi|sur le même (?:sujet|thème)|"
    r"articles? (?:liés|similaires|associés|recommandés)|"
    r"lea también|lee también|le puede interesar|"
    r"te puede interesar|artículos? relacionados?|noticias relacionadas|"
    r"leggi anche|articoli correlati|"
    r"potrebbe interessarti|leia também|関連記事|おすすめ記事"
)
_ABOUT_THE_SITE = (
    r"about the author|author bio(?:graphy)?|über (?:den autor|die autorin)|"
    r"à propos de l[’']auteur|sobre el autor|"
    r"subscribe to our newsletter|sign up for our newsletter|"
    r"this (?:web)?site uses cookies|we use cookies|"
    r"cookie (?:policy|settings)|all rights reserved|"
    r"tags|filed under|categories|share this(?: article| post)?"
)
_HEADING = re.compile(rf"(?i)(?:{_POINTERS}|{_ABOUT_THE_SITE})\s?[:：]?")
# In running text a pointer counts only with a colon, bar, angle mark or dash behind it: "related"
# and "tags" alone are ordinary words. The number of spaces is limited, because otherwise a text of
# line ends would be searched from each of them to its end.
_INLINE = re.compile(
    rf"(?i)(?:(?<=^)|(?<=[.!?…»”\"')\]|•·>\n]))\s{{0,40}}+"
    rf"(?:{_POINTERS}|{_ABOUT_THE_SITE})\s{{0,40}}[:：|»›–—]\s{{0,40}}"
)
# Stops that end a sentence (group `ends`), or occur inside a word, as in 2.0 or example.org.
_STOPS = re.compile(r"[.!?…]+(?P<ends>(?=\s|$))?")
# Behind this part of a text a pointer opens a list, and all that follows is removed. Same result
# from 0 to 1 on both sets.
_TAIL = 0.6
# In characters. Same result from 100 to 1,000 on both sets.
_LONGEST_LEAD = 400
# In characters; a longer line may be prose. Same result from 20 to 200 on both sets.
_LONGEST_TITLE = 60
# In characters. Chosen by hand, against texts that are made to cost time.
_LONGEST_ARTICLE = 100_000


def without_boilerplate(text: str) -> str:
    """Return the text without pointers to other articles and without words about the site.

    A line that is a pointer heading is removed with the lines below it, up to a line of prose.
    Inside a line the pointer is removed with the sentence behind it. In the last part of the text
    everything behind a pointer is removed. A text of more than 100,000 characters is returned
    as it is.
    """
    if len(text) > _LONGEST_ARTICLE:
        return text
    if "\n" in text:
        text = _without_blocks(text)
    pointer = _INLINE.search(text)
    while pointer:
        rest = "" if pointer.start() > len(text) * _TAIL else text[pointer.end() :]
        text = f"{text[: pointer.start()]} {_without_first_sentence(rest)}"
        pointer = _INLINE.search(text, pointer.start())
    return text


def split_lead(text: str) -> tuple[str, str]:
    """Split a text into its first sentence, of at most 400 characters, and the rest."""
    text = text.lstrip()
    end = first_sentence_end(text[: _LONGEST_LEAD + 1])
    end = min(end, _LONGEST_LEAD)
    return text[:end], text[end:]


def _without_first_sentence(text: str) -> str:
    """Return the text without the first sentence; the part before a stop inside a word is kept."""
    begin = 0
    for stops in _STOPS.finditer(text):
        if stops["ends"] is not None:
            return text[:begin] + text[stops.end() :]
        begin = stops.end()
    return text[:begin]


def _without_blocks(text: str) -> str:
    """Return the text without pointer headings and the lines below them, up to a line of prose."""
    lines = text.split("\n")
    kept: list[str] = []
    dropping = False
    for index, line in enumerate(lines):
        if _HEADING.fullmatch(line.strip()):
            dropping = True
        elif dropping and _is_prose(line) and index < len(lines) * _TAIL:
            dropping = False
        if not dropping:
            kept.append(line)
    return "\n".join(kept)


def _is_prose(line: str) -> bool:
    """Return True for a long line that ends a sentence; titles of articles have no full stop."""
    return len(line) > _LONGEST_TITLE and line.rstrip(" \"'”»)").endswith((".", "!", "?", "…"))
