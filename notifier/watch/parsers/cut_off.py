"""Documents that end too early: after a server's time-out, or an error while they were made.

Pure. Owns how the end of a document is recognised, and which part of a feed is complete. Whether a
page without an end is believed depends on what is known of it (`watch/plausibility.py`).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# A tag by which a feed, its channel or an item begins or ends; or the beginning of what is no
# markup.
_TAG = re.compile(
    r"<(?:!\[CDATA\[|!--"
    r"|(?P<end>/?)(?P<name>(?:[\w.-]{1,40}:)?(?P<local>item|entry|channel|rss|feed|RDF))"
    r"(?=[\s/>])[^<>]*>?)"
)
_ENDS = {"<![CDATA[": "]]>", "<!--": "-->"}
_ITEMS = ("item", "entry")
# Elements around the items that are followed; a feed has two. Chosen by hand; not measured.
_MOST_OPEN = 10
_PAGE_BEGINS = re.compile(r"(?i)<(?:!doctype\s+html|html|body)\b")
_PAGE_ENDS = re.compile(r"(?i)</(?:html|body)\s*>")
# Characters at the end of a page in which its last tags are looked for: scripts may follow them.
# Chosen by hand; not measured.
_LAST_PART = 100_000


@dataclass(frozen=True)
class CompletePart:
    """The part of a feed that is complete.

    Attributes:
        text: the feed without the item in which it is cut off.
        whole: whether the feed has its end.
        in_item: whether it is cut off in an item.
    """

    text: str
    whole: bool = True
    in_item: bool = False


def complete_feed(text: str) -> CompletePart:
    """Return the complete part of a feed in XML.

    Args:
        text: the document.
    """
    still_open: list[str] = []
    item_at = -1
    for tag in _tags(text):
        is_end = bool(tag["end"])
        if tag["local"] in _ITEMS:
            item_at = -1 if is_end or tag[0].endswith("/>") else tag.start()
        elif not is_end:
            still_open += [tag["name"]] if len(still_open) < _MOST_OPEN else []
        elif tag["name"] in still_open:
            # The ends of the elements inside it may be missing.
            del still_open[still_open.index(tag["name"]) :]
    if still_open in ([], ["rss"]):
        return CompletePart(text)
    if item_at < 0:
        return CompletePart(text, whole=False)
    ends = "".join(f"</{name}>" for name in reversed(still_open))
    return CompletePart(text[:item_at] + ends, whole=False, in_item=True)


def _tags(text: str) -> Iterator[re.Match[str]]:
    """Yield the tags of a feed, its channel and its items; not what looks like them in a text."""
    tag = _TAG.search(text)
    while tag:
        after = tag.end()
        if tag[0] in _ENDS:
            after = text.find(_ENDS[tag[0]], after)
            if after < 0:
                return
        else:
            yield tag
        tag = _TAG.search(text, after)


def complete_items(text: str, name: str) -> list[Any] | None:
    """Return the complete values of a list in a JSON object that is cut off.

    Args:
        text: the document; `json.loads` refuses it.
        name: the name of the list.

    Returns:
        None if the document holds no such list.
    """
    begins = re.search(rf'"{re.escape(name)}"\s*:\s*\[', text)
    if begins is None:
        return None
    items: list[Any] = []
    decoder, at = json.JSONDecoder(), begins.end()
    between = re.compile(r"[\s,]*")
    while True:
        at = _end_of(between.match(text, at), at)
        try:
            item, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return items
        items.append(item)


def _end_of(match: re.Match[str] | None, otherwise: int) -> int:
    return match.end() if match else otherwise


def page_has_its_end(text: str) -> bool:
    """Return whether a page has its end, or is a fragment that needs none.

    The end tags may be left out (HTML standard, 13.1.2.4), so a page without them need not be cut
    off.
    """
    return not _PAGE_BEGINS.search(text[:_LAST_PART]) or bool(_PAGE_ENDS.search(text[-_LAST_PART:]))


def page_ends_in_text(text: str) -> bool:
    """Return whether a page without its end stops in a text or a tag, not after one."""
    return not page_has_its_end(text) and not text.rstrip().endswith(">")
