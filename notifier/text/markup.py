"""Limits on markup, checked before any parser.

Parsers keep every open element in memory and compare every attribute with all others of its
element, so that a small document can take minutes and gigabytes. The checks here read the tags
once, whatever they contain.
"""

import re
from collections import Counter
from collections.abc import Iterator

# In open elements. Browsers stop at 512, libxml2 at 256. Chosen by hand below both; not measured.
DEEPEST = 200
# Of one element. Chosen by hand; not measured.
MOST_ATTRIBUTES = 200

# A tag, or what a parser may take for a tag. An angle bracket inside it ends it, so that no text is
# read twice.
_TAG = re.compile(r"<(/?)([A-Za-z][^\s<>/\x00]*)([^<>]*)>?|<!--|<[!?][^<>]*>?")
# Elements without content, and those that end where the next of their kind begins (HTML standard,
# 13.1.2).
_NEVER_OPEN = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
     "track", "wbr", "p", "li", "dt", "dd", "option", "optgroup", "tr", "td", "th", "thead",
     "tbody", "tfoot", "rp", "rt")
)  # fmt: skip
# A slash at the end of these tags does not close them, and each open one is opened again in every
# following block (HTML standard, 13.2.4.3).
_FORMATTING = frozenset(
    ("a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt",
     "u")
)  # fmt: skip
# Their repeated tags add attributes to the first one.
_MERGED = frozenset(("html", "body"))
# Elements whose content is not markup.
_RAW = {
    name: re.compile(rf"(?i)</{name}\b[^<>]*>?")
    for name in ("script", "style", "textarea", "title")
}


def nests_too_deep(text: str) -> bool:
    """Tell whether more than `DEEPEST` elements of a document are open at once."""
    return any(excess == "depth" for excess in _excesses(text))


def with_few_attributes(text: str) -> str:
    """Return the document without the attributes of elements with more than `MOST_ATTRIBUTES`."""
    if not any(excess == "attributes" for excess in _excesses(text)):
        return text
    return _TAG.sub(_without_excess, text)


def _tags(text: str) -> Iterator[tuple[re.Match[str], int]]:
    """Yield each tag and the position after it, or after the whole comment, script or style."""
    tag = _TAG.search(text)
    while tag:
        after = tag.end()
        name = (tag[2] or "").lower()
        if tag[0] == "<!--":
            # The end of a comment may overlap its beginning: <!-->
            end = text.find("-->", tag.start() + 2)
            after = end + 3 if end >= 0 else len(text)
        elif name in _RAW and not tag[1]:
            closing = _RAW[name].search(text, after)
            after = closing.end() if closing else len(text)
        yield tag, after
        tag = _TAG.search(text, after)


def _excesses(text: str) -> Iterator[str]:
    """Yield ``depth`` or ``attributes`` each time that limit is exceeded."""
    still_open: Counter[str] = Counter()
    merged: Counter[str] = Counter()
    depth = 0
    for tag, _ in _tags(text):
        name = (tag[2] or "").lower()
        if tag[1]:
            # A closing tag closes an open element of its name; otherwise it is ignored, as in
            # parsers.
            if still_open[name]:
                still_open[name] -= 1
                depth -= 1
            continue
        inside = tag[3] or ""
        if _attributes_of(name, inside, merged) > MOST_ATTRIBUTES:
            yield "attributes"
        closed = inside.endswith("/") and name not in _FORMATTING
        if (
            name
            and not closed
            and name not in _NEVER_OPEN
            and name not in _MERGED
            and name not in _RAW
        ):
            still_open[name] += 1
            depth += 1
            if depth > DEEPEST:
                yield "depth"


def _attributes_of(name: str, inside: str, merged: Counter[str]) -> int:
    """Return how many attributes the element of a tag has so far."""
    if name in _MERGED:
        merged[name] += _count(inside)
        return merged[name]
    return _attributes(inside)


def _attributes(inside: str) -> int:
    """Return an upper bound of the number of attributes in a tag.

    A value with spaces may count as several; a short tag counts as none.
    """
    return _count(inside) if len(inside) > MOST_ATTRIBUTES else 0


def _count(inside: str) -> int:
    return max(len(inside.replace("/", " ").split()), inside.count("="))


def _without_excess(tag: re.Match[str]) -> str:
    name = (tag[2] or "").lower()
    if tag[1] or not name or (name not in _MERGED and _attributes(tag[3]) <= MOST_ATTRIBUTES):
        return tag[0]
    return f"<{tag[2]}>"
