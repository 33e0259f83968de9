"""Boilerplate: what stands in a text and is not of it.

Pure. Owns the words by which sites announce other articles, their newsletter or the author's life
inside an article's own text. A name that stands only there does not make the article concern a
therapy.
"""

import re

# How sites announce other articles, in the middle of one or below it.
_POINTERS = (
    r"recommended (?:reading|for you|stories|articles)|"
    r"related(?: (?:articles?|stor(?:y|ies)|news|posts?|reading|content|coverage|links|topics))?|"
    r"read (?:more|also|next)|also read|further reading|see also|"
    r"more (?:from|on|in|news|stories)(?: [\w’' -]{1,40})?|you (?:may|might) also (?:like|be interested in)|"
    r"don[’']t miss|trending(?: now)?|most (?:read|popular)|latest (?:news|stories|posts|articles)|"
    r"recent (?:news|posts|articles|stories)|in other news|also in the news|"
    r"(?:previous|next) (?:article|post|story)|up next|popular posts?|editor[’']?s picks?|top stories|"
    r"mehr zum thema|lesen sie auch|auch interessant|weitere (?:artikel|meldungen|nachrichten)|"
    r"ähnliche (?:artikel|beiträge)|à lire aussi|lire aussi|sur le même (?:sujet|thème)|"
    r"articles? (?:liés|similaires|associés|recommandés)|lea también|lee también|le puede interesar|"
    r"te puede interesar|artículos? relacionados?|noticias relacionadas|leggi anche|articoli correlati|"
    r"potrebbe interessarti|leia também|関連記事|おすすめ記事"
)
_ABOUT_US = (
    r"about the author|author bio(?:graphy)?|über (?:den autor|die autorin)|à propos de l[’']auteur|sobre el autor|"
    r"subscribe to our newsletter|sign up for our newsletter|this (?:web)?site uses cookies|we use cookies|"
    r"cookie (?:policy|settings)|all rights reserved|tags|filed under|categories|share this(?: article| post)?"
)
_HEADING = re.compile(rf"(?i)(?:{_POINTERS}|{_ABOUT_US})\s?[:：]?")
# In running text a pointer counts only with its colon (or its dash): "related" and "tags" are words
# like others. The spaces before it are bounded: else a text of nothing but line ends would be read
# from each of them to the end.
_INLINE = re.compile(
    rf"(?i)(?:(?<=^)|(?<=[.!?…»”\"')\]|•·>\n]))\s{{0,40}}+(?:{_POINTERS}|{_ABOUT_US})\s{{0,40}}[:：|»›–—]\s{{0,40}}"
)
# The stops after which a sentence ends, or (without the group) goes on, as in 2.0 or example.org.
_STOPS = re.compile(r"[.!?…]+(?P<ends>(?=\s|$))?")
_TAIL = 0.6
_LONGEST_LEAD = 400
_LONGEST_TITLE = 60
_LONGEST_ARTICLE = 100_000


def without_boilerplate(text: str) -> str:
    """The text without its pointers to others and its words about itself.

    A line that is such a heading goes with the lines below it that are no prose. Inside a line the
    pointer goes with its sentence. In the last part of a text all that follows goes, because there
    it opens a list.
    """
    if len(text) > _LONGEST_ARTICLE:
        return text  # a book or an attack: what points where in it is not worth the looking
    if "\n" in text:
        text = _without_blocks(text)
    found = _INLINE.search(text)
    while found:
        rest = "" if found.start() > len(text) * _TAIL else text[found.end() :]
        text = f"{text[: found.start()]} {_without_first_sentence(rest)}"
        found = _INLINE.search(text, found.start())
    return text


def split_lead(text: str) -> tuple[str, str]:
    """The first sentence of a text, and the rest of it."""
    text = text.lstrip()
    stops = _STOPS.search(text)
    end = len(text) if stops is None else stops.end() if stops["ends"] is not None else 0
    end = min(end, _LONGEST_LEAD)
    return text[:end], text[end:]


def _without_first_sentence(text: str) -> str:
    """The text without the first sentence in it; what stands before a stop inside a word stays."""
    begin = 0
    for stops in _STOPS.finditer(text):
        if stops["ends"] is not None:
            return text[:begin] + text[stops.end() :]
        begin = stops.end()
    return text[:begin]


def _without_blocks(text: str) -> str:
    """The text without its headings of that kind and what they head: the lines below, up to one of prose."""
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
    """A whole sentence of some length; the titles of other articles have no full stop."""
    return len(line) > _LONGEST_TITLE and line.rstrip(" \"'”»)").endswith((".", "!", "?", "…"))
