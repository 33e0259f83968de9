"""Markup that no parser should see: how deep a document nests, how many attributes it gives, and its bare text.

Owns the limits that hold before any parser or sanitiser is called. Parsers keep every open element
and compare every attribute with all others of its element, so that a small document can take
minutes and gigabytes. All of it is one pass over the tags, whatever they hold.
"""

import re
from collections import Counter
from collections.abc import Iterator

# Browsers stop at 512 open elements, libxml2 at 256; no article comes near.
DEEPEST = 200
# No author writes so many attributes to one element.
MOST_ATTRIBUTES = 200

# A tag, or what a parser may take for one. An angle bracket inside it ends it, so that no text is
# looked at twice.
_TAG = re.compile(r"<(/?)([A-Za-z][^\s<>/\x00]*)([^<>]*)>?|<!--|<[!?][^<>]*>?")
# Elements that hold nothing, and those that end where the next of their kind begins (HTML standard,
# 13.1.2).
_NEVER_OPEN = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
     "p", "li", "dt", "dd", "option", "optgroup", "tr", "td", "th", "thead", "tbody", "tfoot", "rp", "rt")
)  # fmt: skip
# A slash at the end of these does not close them, and each that stays open is opened again in every
# block that follows (HTML standard, 13.2.4.3).
_FORMATTING = frozenset(
    (
        "a",
        "b",
        "big",
        "code",
        "em",
        "font",
        "i",
        "nobr",
        "s",
        "small",
        "strike",
        "strong",
        "tt",
        "u",
    )
)
# Their repeated tags add attributes to the first one.
_MERGED = frozenset(("html", "body"))
# What these hold is no markup.
_RAW = {
    name: re.compile(rf"(?i)</{name}\b[^<>]*>?")
    for name in ("script", "style", "textarea", "title")
}
_UNSEEN = frozenset(("script", "style"))


def is_excessive(text: str) -> bool:
    """Whether a document nests its elements deeper, or gives one more attributes, than any parser should be asked."""
    return any(_excesses(text))


def nests_too_deep(text: str) -> bool:
    """Whether more than `DEEPEST` elements are open at once somewhere in a document."""
    return any(excess == "depth" for excess in _excesses(text))


def with_few_attributes(text: str) -> str:
    """The document in which an element of more than `MOST_ATTRIBUTES` has none of them."""
    if not any(excess == "attributes" for excess in _excesses(text)):
        return text
    return _TAG.sub(_with_few, text)


def bare_text(text: str) -> str:
    """The text between the tags; scripts and styles vanish with what they hold."""
    parts: list[str] = []
    end = 0
    for tag, after in _tags(text):
        parts.append(text[end : tag.start()])
        name = (tag[2] or "").lower()
        if name in _RAW and name not in _UNSEEN and not tag[1]:
            parts.append(text[tag.end() : after])
        end = after
    return "".join([*parts, text[end:]])


def _tags(text: str) -> Iterator[tuple[re.Match[str], int]]:
    """Each tag, and where the markup goes on: after a comment, a script or a style as a whole."""
    tag = _TAG.search(text)
    while tag:
        after = tag.end()
        name = (tag[2] or "").lower()
        if tag[0] == "<!--":
            # A comment may end in its own beginning: <!-->
            end = text.find("-->", tag.start() + 2)
            after = end + 3 if end >= 0 else len(text)
        elif name in _RAW and not tag[1]:
            closing = _RAW[name].search(text, after)
            after = closing.end() if closing else len(text)
        yield tag, after
        tag = _TAG.search(text, after)


def _excesses(text: str) -> Iterator[str]:
    """What there is too much of: ``depth``, ``attributes``, each as often as it is met."""
    still_open: Counter[str] = Counter()
    merged: Counter[str] = Counter()
    depth = 0
    for tag, _ in _tags(text):
        name = (tag[2] or "").lower()
        if tag[1]:
            # A closing tag closes what is open under its name; any other is ignored, as parsers do.
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
    """How many attributes the element of a tag has by now."""
    if name in _MERGED:
        merged[name] += _counted(inside)
        return merged[name]
    return _attributes(inside)


def _attributes(inside: str) -> int:
    """How many attributes a tag gives at most; a value with spaces in it may count as several."""
    return _counted(inside) if len(inside) > MOST_ATTRIBUTES else 0


def _counted(inside: str) -> int:
    return max(len(inside.replace("/", " ").split()), inside.count("="))


def _with_few(tag: re.Match[str]) -> str:
    name = (tag[2] or "").lower()
    if tag[1] or not name or (name not in _MERGED and _attributes(tag[3]) <= MOST_ATTRIBUTES):
        return tag[0]
    return f"<{tag[2]}>"
