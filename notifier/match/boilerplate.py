"""Boilerplate: remove the parts of an article's text that do not belong to the article.

Such parts announce other articles, a newsletter, or the author's biography. A name that occurs only
there does not make the article concern a therapy. Pure functions.

The thresholds were chosen by hand and checked on the labelled and the made-up set: within the
ranges given below no item of them gets another tier (docs/matching.md, section 1).
"""

import re

from notifier.text.pointers import (
    ABOUT_THE_SITE,
    ADVERTISEMENTS,
    ANNOUNCEMENTS,
    CONTINUE,
    NEWS_LISTS,
    POINTERS,
)
from notifier.text.sentences import first_sentence_end

_HEADING = re.compile(rf"(?i)(?:{POINTERS}|{ABOUT_THE_SITE})\s?[:：]?")
# In running text a pointer counts only with a colon, bar, angle mark or dash behind it: "related"
# and "tags" alone are ordinary words. The number of spaces is limited, because otherwise a text of
# line ends would be searched from each of them to its end.
_INLINE = re.compile(
    rf"(?i)(?:(?<=^)|(?<=[.!?…»”\"')\]|•·>→\n]))\s{{0,40}}+(?P<open>[\[(]?)"
    rf"(?P<words>{CONTINUE}|{POINTERS}|{ABOUT_THE_SITE}|{ADVERTISEMENTS})\s{{0,40}}"
    rf"(?P<sign>[:：|»›→–—])[^\S\n]{{0,40}}+"
)
# Links to the rest of what stands before them ("Read more »"): they announce nothing behind them.
_REST = re.compile(rf"(?i)(?:{CONTINUE})")
_REST_LINE = re.compile(rf"(?i)[→»›>]?\s?(?:{CONTINUE})\s?[→»›>….]{{0,3}}")
_ARROWS = ("»", "›", "→")
_NEWS_LIST = re.compile(rf"(?i)(?:{NEWS_LISTS})")
_ANNOUNCEMENT = re.compile(rf"(?i)(?:{ANNOUNCEMENTS})")
# Stops that end a sentence (group `ends`), or occur inside a word, as in 2.0 or example.org.
_STOPS = re.compile(r"[.!?…]+(?P<ends>(?=\s|$))?")
# Behind this part of a text a pointer opens a list, and all that follows is removed. Same result
# from 0 to 1 on both sets.
_TAIL = 0.6
# In characters. A pointer in brackets ends with them. Chosen by hand; not measured.
_LONGEST_IN_BRACKETS = 300
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
    everything behind a pointer is removed. A link to the rest of an item ("Read more »") is removed
    alone; a name of the text's own news ("Latest news:") stays, and so does what announces the text
    itself at its very beginning ("ICYMI:"). A text of more than 100,000
    characters is returned as it is.
    """
    if len(text) > _LONGEST_ARTICLE:
        return text
    if "\n" in text:
        text = _without_blocks(text)
    pointer = _INLINE.search(text)
    while pointer:
        begin, end = pointer.span()
        is_last_part = begin > len(text) * _TAIL
        if _REST.fullmatch(pointer["words"]) and pointer["sign"] in _ARROWS:
            text = f"{text[:begin]} {text[end:]}"
        elif _names_what_follows(pointer, text[:begin], is_last_part=is_last_part):
            begin = end
        elif (bracket_end := _bracket_end(text, pointer)) > 0:
            text = f"{text[:begin]} {text[bracket_end:]}"
        else:
            rest = "" if is_last_part else _without_first_sentence(text[end:])
            text = f"{text[:begin]} {rest}"
        pointer = _INLINE.search(text, begin)
    return text


def _names_what_follows(pointer: re.Match[str], before: str, *, is_last_part: bool) -> bool:
    """Return whether a pointer is a name of the text's own news, or announces the text itself."""
    if _NEWS_LIST.fullmatch(pointer["words"]):
        return not is_last_part
    return bool(_ANNOUNCEMENT.fullmatch(pointer["words"])) and not before.strip()


def _bracket_end(text: str, pointer: re.Match[str]) -> int:
    """Return the index behind the brackets around a pointer; 0 if there are none."""
    if not pointer["open"]:
        return 0
    closing = "]" if pointer["open"] == "[" else ")"
    return text.find(closing, pointer.end(), pointer.end() + _LONGEST_IN_BRACKETS) + 1


def split_lead(text: str) -> tuple[str, str]:
    """Split a text into its first sentence, of at most 400 characters, and the rest."""
    text = text.lstrip()
    end = first_sentence_end(text[: _LONGEST_LEAD + 1])
    end = min(end, _LONGEST_LEAD)
    return text[:end], text[end:]


def _without_first_sentence(text: str) -> str:
    """Return the text without the first sentence, or the first line if that ends before.

    The part before a stop inside a word is kept.
    """
    line, end, others = text.lstrip("\n").partition("\n")
    begin = 0
    for stops in _STOPS.finditer(line):
        if stops["ends"] is not None:
            return line[:begin] + line[stops.end() :] + end + others
        begin = stops.end()
    return line[:begin] + end + others


def _without_blocks(text: str) -> str:
    """Return the text without pointer headings and the lines below them, up to a line of prose."""
    lines = text.split("\n")
    kept: list[str] = []
    dropping = below_rest = False
    for index, line in enumerate(lines):
        if _REST_LINE.fullmatch(line.strip()):
            dropping = below_rest = True
        elif _HEADING.fullmatch(line.strip()):
            dropping, below_rest = True, False
        elif dropping and (
            _is_sentence(line) if below_rest else _is_prose(line) and index < len(lines) * _TAIL
        ):
            dropping = False
        if not dropping:
            kept.append(line)
    return "\n".join(kept)


def _is_prose(line: str) -> bool:
    """Return True for a long line that ends a sentence; titles of articles have no full stop."""
    return len(line) > _LONGEST_TITLE and _is_sentence(line)


def _is_sentence(line: str) -> bool:
    return line.rstrip(" \"'”»)").endswith((".", "!", "?", "…"))
