"""Boilerplate: what stands in a text and is not of it.

Pure. Owns the words by which sites announce other articles, their newsletter or the author's life inside an article's
own text. A name that stands only there does not make the article concern a therapy.
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
_HEADING = re.compile(rf"(?i)\s*(?:{_POINTERS}|{_ABOUT_US})\s*[:：]?\s*")
# In running text a pointer counts only with its colon (or its dash): "related" and "tags" are words like others.
_INLINE = re.compile(rf"(?i)(?:(?<=^)|(?<=[.!?…»”\"')\]|•·>\n]))\s*(?:{_POINTERS}|{_ABOUT_US})\s*[:：|»›–—]\s*")
_SENTENCE = re.compile(r"[^.!?…]*(?:[.!?…]+(?=\s|$)|$)")
_TAIL = 0.6
_LONGEST_LEAD = 400
_LONGEST_TITLE = 60
_LONGEST_ARTICLE = 100_000


def without_boilerplate(text: str) -> str:
    """The text without its pointers to others and its words about itself.

    A line that is such a heading goes with the lines below it that are no prose. Inside a line the pointer goes with
    its sentence. In the last part of a text all that follows goes, because there it opens a list.
    """
    if len(text) > _LONGEST_ARTICLE:
        return text  # a book or an attack: what points where in it is not worth the looking
    if "\n" in text:
        text = _without_blocks(text)
    found = _INLINE.search(text)
    while found:
        rest = "" if found.start() > len(text) * _TAIL else text[found.end() :]
        text = f"{text[: found.start()]} {_SENTENCE.sub('', rest, count=1)}"
        found = _INLINE.search(text, found.start())
    return text


def split_lead(text: str) -> tuple[str, str]:
    """The first sentence of a text, and the rest of it."""
    text = text.lstrip()
    first = _SENTENCE.match(text)
    end = min(first.end() if first else 0, _LONGEST_LEAD)
    return text[:end], text[end:]


def _without_blocks(text: str) -> str:
    """The text without its headings of that kind and what they head: the lines below, up to one of prose."""
    lines = text.split("\n")
    kept: list[str] = []
    dropping = False
    for index, line in enumerate(lines):
        if _HEADING.fullmatch(line):
            dropping = True
        elif dropping and _is_prose(line) and index < len(lines) * _TAIL:
            dropping = False
        if not dropping:
            kept.append(line)
    return "\n".join(kept)


def _is_prose(line: str) -> bool:
    """A whole sentence of some length; the titles of other articles have no full stop."""
    return len(line) > _LONGEST_TITLE and line.rstrip(" \"'”»)").endswith((".", "!", "?", "…"))
