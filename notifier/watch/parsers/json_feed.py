"""Parser of JSON Feed 1 and 1.1 (https://www.jsonfeed.org/version/1.1/).

Pure. The XML formats are parsed by `rss.py`, because feedparser knows no JSON Feed.
"""

import json
from datetime import datetime
from typing import Any

from notifier.text.cleaning import clean, lines, paragraphs, plain
from notifier.text.pointers import without_end_pointer
from notifier.text.published_dates import published_date
from notifier.text.urls import LONGEST_ADDRESS, linked_address, web_address
from notifier.watch.parsers.cut_off import complete_items
from notifier.watch.parsers.observation import (
    Observation,
    ParsedDocument,
    ParseError,
)
from notifier.watch.parsers.retraction import retraction_reason


def is_json(body: bytes) -> bool:
    """Return whether a document begins as a JSON object, so that it is meant as JSON Feed."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def parse(body: bytes, url: str) -> ParsedDocument:
    """Parse a JSON Feed.

    Args:
        body: a JSON object in UTF-8, with or without a byte order mark.
        url: the address it came from; relative links are resolved against it.

    A feed that ends in the middle of an item gives its complete items.

    Raises:
        ParseError: broken JSON, or not a feed.
    """
    text = body.decode("utf-8-sig", "replace")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        items = complete_items(text, "items")
        if not items:
            raise ParseError("the feed is broken JSON") from error
        cut_off = "the feed ends in the middle of an item"
        return ParsedDocument("", _observations(items, url), whole=False, doubt=cut_off)
    items = document.get("items")
    if not isinstance(items, list):
        raise ParseError("the answer is JSON, but not a JSON Feed: it has no list of items")
    return ParsedDocument(plain(_text(document.get("title"))), _observations(items, url))


def _observations(items: list[Any], base: str) -> tuple[Observation, ...]:
    return tuple(_observation(item, base) for item in items if isinstance(item, dict))


def _observation(item: dict[str, Any], base: str) -> Observation:
    body = paragraphs(_text(item.get("content_html"))) or lines(_text(item.get("content_text")))
    title = plain(_text(item.get("title")))
    categories = tuple(clean(_text(tag)) for tag in _items(item.get("tags")) if _text(tag))
    authors = [
        author
        for author in (*_items(item.get("authors")), item.get("author"))
        if isinstance(author, dict)
    ]
    guid = clean(_text(item.get("id")))
    link = _text(item.get("url")) or _text(item.get("external_url"))
    return Observation(
        guid=guid,
        # An address that is too long to be shown is left out: the link then leads to the source.
        url=linked_address(base, link)
        or ("" if len(link) > LONGEST_ADDRESS else web_address(guid)),
        title=title,
        summary=without_end_pointer(plain(_text(item.get("summary"))), title),
        body=without_end_pointer(body, title),
        author=", ".join(
            dict.fromkeys(
                plain(_text(author.get("name"))) for author in authors if author.get("name")
            )
        ),
        published_at=_moment(item.get("date_published")) or _moment(item.get("date_modified")),
        categories=categories,
        withdrawn=retraction_reason(title, categories),
    )


def _text(value: Any) -> str:
    return (
        str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    )


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _moment(value: Any) -> datetime | None:
    """Return the moment of an RFC 3339 time; some programs write seconds since 1970 instead."""
    return published_date(_text(value))
