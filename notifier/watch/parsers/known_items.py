"""Items of a large feed that are known letter by letter: they are not parsed again.

Pure. Some feeds list thousands of items, of which a poll brings a few new ones. What an item says
follows from its own letters and from a little around them (the address, the first element, the
entities); if all this is as it was, what it said is taken from the last poll. Wherever that is not
certain, the whole feed is parsed.

The parser process knows such an item by its digest and date alone, and passes it on as a `StandIn`;
whoever asked it has the items (`filled`).
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from notifier import __version__
from notifier.watch.parsers.observation import READING, Observation, ParsedDocument, StandIn

# A feed with fewer items is always parsed: that is fast. Chosen by hand; not measured.
FEWEST_ITEMS = 200

_TAG = re.compile(r"<(/?)(item|entry)(?:\s[^<>]*)?>")
# Tags before the first item; those that name `xml` give names a meaning, or links a base. The first
# one names the version of the format.
_CONTEXT = re.compile(r"<[^<>!?/][^<>]*>")
_ENTITY = "<!ENTITY"


class KnownItems:
    """The items of a feed that were parsed before.

    Args:
        known: their dates, by their digests.
    """

    def __init__(self, known: Mapping[str, datetime | None]) -> None:
        self._known = known
        self._digests: list[str] = []

    def without_known(self, text: str, context: str) -> str:
        """Return a feed without the items that are known.

        Args:
            text: the feed.
            context: what else its items depend on, such as its address.
        """
        self._digests = []
        items = _items(text)
        if len(items) < FEWEST_ITEMS:
            return text
        start, end = items[0][0], items[-1][1]
        around = f"{__version__} {READING}\n{context}\n{_around(text[:start])}"
        salt = hashlib.sha256(around.encode()).digest()
        parts = [text[:start]]
        for begin, stop in items:
            item = text[begin:stop]
            digest = hashlib.sha256(salt + item.encode()).hexdigest()
            self._digests.append(digest)
            if digest not in self._known:
                parts.append(item)
        return "".join([*parts, text[end:]])

    def merged(self, parsed: Sequence[Observation]) -> tuple[Observation, ...] | None:
        """Return all items of the feed with their digests, stand-ins for the known ones.

        Args:
            parsed: those of the feed that `without_known` returned.

        Returns:
            None if they are more or fewer than expected: the whole feed must be parsed.
        """
        if not self._digests:
            return tuple(parsed)
        unknown = sum(digest not in self._known for digest in self._digests)
        if len(parsed) != unknown:
            self._digests = []
            return None
        rest = iter(parsed)
        return tuple(
            StandIn(digest=digest, published_at=self._known[digest])
            if digest in self._known
            else replace(next(rest), digest=digest)
            for digest in self._digests
        )


def filled(document: ParsedDocument, known: Mapping[str, Observation]) -> ParsedDocument:
    """Return a document with the known items instead of their stand-ins.

    Args:
        document: the document.
        known: the items by their digests.

    Raises:
        KeyError: an item is not known.
    """
    observations = (
        known[item.digest] if isinstance(item, StandIn) else item for item in document.observations
    )
    return replace(document, observations=tuple(observations))


def _around(head: str) -> str:
    """Return the part of a feed before its items on which their meaning depends."""
    if _ENTITY in head:
        return head
    tags = (tag[0] for tag in _CONTEXT.finditer(head))
    return "".join(tag for place, tag in enumerate(tags) if place == 0 or "xml" in tag)


def _items(text: str) -> list[tuple[int, int]]:
    """Return where each item begins and ends; none if they are not plainly one after the other."""
    places: list[tuple[int, int]] = []
    begin, opened = 0, ""
    for tag in _TAG.finditer(text):
        closing, name = tag[1], tag[2]
        if bool(closing) != bool(opened) or (closing and name != opened) or tag[0].endswith("/>"):
            return []
        if not closing:
            if places and text[places[-1][1] : tag.start()].strip():
                return []
            begin, opened = tag.start(), name
            continue
        opened = ""
        item = text[begin : tag.end()]
        # A mark of an item inside of other text is none.
        if "<!--" in item or item.count("<![CDATA[") != item.count("]]>"):
            return []
        places.append((begin, tag.end()))
    return [] if opened else places
