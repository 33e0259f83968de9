"""Tags in markup: which `<` opens one, and which is a sign of its own.

Owns the difference between ``<p class="x">`` and ``ALT <3×ULN``. Feeds and pages write less-than
signs as they are, and a parser that takes one for a tag loses the text up to the next ``>``. The
time for a text grows with its length, whatever it contains.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple


def words(text: str) -> frozenset[str]:
    """Return the words of a list that is written as one text."""
    return frozenset(text.split())


# A possible tag: groups slash, name, attributes, and ">" if the tag is closed. No `<` may stand
# inside, so that no text is read twice.
_CANDIDATE = re.compile(
    r"<(?:!--|!\[CDATA\[|[!?][A-Za-z\[][^<>]*+>"
    r"|(/?)([A-Za-z][\w:.-]*+)"
    r"((?:[^<>=]++|=\s*+(?:\"[^\"<]*+\"|'[^'<]*+')?)*+)(>)?)"
)
# The same with quoted values that contain `<`, which take more time: for so many tags of a text, in
# so many characters of each. Chosen by hand; not measured.
_QUOTING = re.compile(r"<(/?)([A-Za-z][\w:.-]*+)((?:[^<>=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+')?)*+)(>)")
_MOST_QUOTING, _LONGEST_QUOTING = 200, 4_000
_CLOSING = re.compile(r"</([A-Za-z][\w:.-]*+)\s*+>")
_QUOTED_VALUE = re.compile(r"[\w:.@-]\s*=\s*[\"']")
# Attributes without a value (HTML standard, "Attributes").
_BOOLEAN = words(
    "allowfullscreen async autofocus autoplay checked compact controls default defer disabled "
    "hidden inert ismap itemscope loop multiple muted nomodule noshade novalidate nowrap open "
    "playsinline readonly required reversed selected"
)
# The elements of HTML, also those of older versions.
_ELEMENTS = words(
    "a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big "
    "blink blockquote body br button canvas caption center cite code col colgroup data datalist "
    "dd del details dfn dialog dir div dl dt em embed fieldset figcaption figure font footer form "
    "frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe img input ins kbd label "
    "legend li link listing main map mark marquee math menu menuitem meta meter nav nobr noframes "
    "noscript object ol optgroup option output p param picture plaintext pre progress q rb rp rt "
    "rtc ruby s samp script search section select slot small source span strike strong style sub "
    "summary sup svg table tbody td template textarea tfoot th thead time title tr track tt u ul "
    "var video wbr xmp"
)
# The characters that may follow the name of a tag.
_ENDS_NAME = ("", " ", "\t", "\n", "\r", "\f", "/")
# Elements that need no closing tag and are markup wherever they are written.
_VOID = words("br hr img input wbr")
# Elements whose content is not markup and is not shown.
_HIDDEN = {name: re.compile(rf"(?i)</{name}\b[^<>]*+>?") for name in ("script", "style")}
# Elements of which each tag without attributes counts, whatever follows.
_PLAIN = _ELEMENTS - _HIDDEN.keys()
_COMMENT = "!--"


class Tag(NamedTuple):
    """A tag of a text, or something that is not shown: a comment, a whole script or style.

    Attributes:
        start: the position of its `<`.
        end: the position behind it.
        name: in lower case; empty for what is not shown.
        closing: whether it is the tag that ends an element.
        attributes: the text between the name and the end.
    """

    start: int
    end: int
    name: str
    closing: bool = False
    attributes: str = ""


class _Closed:
    """The names that a text closes; most texts need not be searched for them."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __contains__(self, name: str) -> bool:
        return name in self._names

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(name.lower() for name in _CLOSING.findall(self._text))


def tags(text: str, *, paired: bool = False) -> Iterator[Tag]:
    """Yield the tags of a text in order; every other `<` is a sign.

    A name that HTML does not have is a tag if it is closed in the text or has quoted attributes;
    ``<LLN after treatment>`` is not.

    Args:
        text: markup.
        paired: whether only elements count that the text opens and closes, and those that need no
            closing tag; so tags are told from a text that names one.
    """
    closed = _Closed(text)
    position, quoting = 0, _MOST_QUOTING
    while candidate := _CANDIDATE.search(text, position):
        slash, name, attributes, ends = candidate.groups()
        # Most tags of most texts are such; the rest of the loop would say the same in more time.
        if ends and not attributes and not paired and name.lower() in _PLAIN:
            position = candidate.end()
            yield Tag(candidate.start(), position, name.lower(), bool(slash))
            continue
        if name and not ends and quoting and _QUOTED_VALUE.search(attributes):
            quoting -= 1
            window = text[candidate.start() : candidate.start() + _LONGEST_QUOTING]
            if longer := _QUOTING.match(window):
                tag = _tag(longer, text, candidate.start(), closed, paired=paired)
                if tag is not None:
                    yield tag
                    position = tag.end
                    continue
        tag = _tag(candidate, text, 0, closed, paired=paired)
        if tag is None:
            position = candidate.start() + 1
        else:
            yield tag
            position = tag.end


def with_signs_escaped(text: str) -> str:
    """Return markup in which each `<` that opens no tag is written ``&lt;``."""
    parts, end = [], 0
    for tag in tags(text):
        parts += [text[end : tag.start].replace("<", "&lt;"), text[tag.start : tag.end]]
        end = tag.end
    return "".join([*parts, text[end:].replace("<", "&lt;")])


def _tag(
    candidate: re.Match[str], text: str, offset: int, closed: _Closed, *, paired: bool
) -> Tag | None:
    """Return the tag that a candidate is; None if it is a sign with text behind it.

    Args:
        candidate: a match in the text, or in the part of it that begins at `offset`.
        text: the text.
        offset: the position where that part begins.
        closed: the elements that the text closes.
        paired: as for `tags`.
    """
    start, end = candidate.start() + offset, candidate.end() + offset
    name = (candidate[2] or "").lower()
    if not name:
        return None if paired else Tag(start, _end_of_unnamed(candidate[0], text, end), "")
    closing, attributes = bool(candidate[1]), candidate[3]
    if not _is_tag(name, attributes, closed, candidate, is_last=end == len(text)):
        return None
    if paired and not (name in _ELEMENTS and (name in closed or name in _VOID)):
        return None
    if name in _HIDDEN and not closing and not paired:
        ending = _HIDDEN[name].search(text, end)
        return Tag(start, ending.end() if ending else len(text), "")
    return Tag(start, end, name, closing, attributes)


def _end_of_unnamed(opening: str, text: str, end: int) -> int:
    if opening[1:] == _COMMENT:
        # The end of a comment may overlap its beginning: <!-->
        ending = text.find("-->", end - 2)
        return ending + 3 if ending >= 0 else len(text)
    return end


def _is_tag(
    name: str, attributes: str, closed: _Closed, candidate: re.Match[str], *, is_last: bool
) -> bool:
    ends = candidate[4] is not None
    if ends and not attributes and name in _ELEMENTS:
        return True
    quoted = _QUOTED_VALUE.search(attributes) is not None
    if candidate[1]:
        return (ends and not attributes.strip()) or (is_last and name in _ELEMENTS)
    if not ends:
        return quoted and name in _ELEMENTS
    if not _are_attributes(attributes):
        return False
    if name in _ELEMENTS:
        return True
    is_foreign = ":" in name and not name.endswith(":")
    return quoted or is_foreign or name in closed or attributes.endswith("/")


def _are_attributes(text: str) -> bool:
    """Return whether a text behind a name reads as attributes: ``and 12 of`` does not."""
    before, has_value, _ = text.partition("=")
    words = before.strip(" \t\r\n\f/").lower().split()
    if has_value:
        words = words[:-1]
    return text[:1] in _ENDS_NAME and all(word in _BOOLEAN or "-" in word for word in words)
