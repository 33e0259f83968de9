"""Parser of news feeds: RSS, RDF and Atom by feedparser; a JSON Feed is passed on.

Pure. All markup becomes plain text here: no later step holds HTML from outside.
"""

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from xml.sax import SAXException

import feedparser

from notifier.text.cleaning import clean, paragraphs, plain
from notifier.text.published_dates import published_date
from notifier.text.urls import LONGEST_ADDRESS, linked_address, web_address
from notifier.watch.parsers import json_feed, wordpress
from notifier.watch.parsers.cut_off import complete_feed
from notifier.watch.parsers.encoding import decoded
from notifier.watch.parsers.feed_links import with_repaired_links
from notifier.watch.parsers.feed_text import own_text
from notifier.watch.parsers.known_items import KnownItems
from notifier.watch.parsers.not_the_page import recognition
from notifier.watch.parsers.observation import (
    Observation,
    ParsedDocument,
    ParseError,
)
from notifier.watch.parsers.retraction import retraction_reason

# Characters of the XML parser's own message that are shown. Chosen by hand; not measured.
_LONGEST_PROBLEM = 200
# The first element of each form of feed; of a page; and of any other document in XML.
_FEED = re.compile(r"(?i)<(?:[\w.-]{1,40}:)?(?:rss|feed|rdf|channel)(?=[\s/>])")
_PAGE = re.compile(r"(?i)<(?:!doctype\s+html|html|head|body)(?=[\s>])")
_ITEMS = ("item", "entry")
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]{0,60})(?=[\s/>])")
# An entry of a broken feed counts if it has one of these.
_PARTS = ("title", "link", "id", "summary", "content", "links", "media_content", "media_thumbnail")


def parse(
    body: bytes, headers: Mapping[str, str], url: str, known: KnownItems | None = None
) -> ParsedDocument:
    """Parse a feed.

    A feed that ends in the middle of an item gives its complete items.

    Args:
        body: the document.
        headers: the response headers, names in lower case.
        url: the address it came from; relative links are resolved against it.
        known: the items of the last poll; None to parse all.

    Raises:
        ParseError: not a feed: empty, a web page, or XML too broken to hold an entry.
    """
    if not body.strip():
        raise ParseError("the address answered with nothing")
    text, encoding = decoded(body, headers)
    if json_feed.is_json(text.encode()):
        return replace(json_feed.parse(text.encode(), url), encoding=encoding)
    _require_feed(text)
    part = complete_feed(text)
    feed, entries = _read_items(with_repaired_links(part.text, url), headers, url, known)
    problem = clean(str(feed.get("bozo_exception", "")))
    broken = isinstance(feed.get("bozo_exception"), SAXException)
    if not feed.entries and not feed.version and (broken or not feed.feed):
        raise ParseError(f"the answer is not a feed: {problem[:_LONGEST_PROBLEM] or 'not XML'}")
    if broken and not any(map(_has_content, feed.entries)):
        raise ParseError(f"the feed is broken XML and holds no entry: {problem}")
    if part.in_item and not entries:
        raise ParseError("the feed ends in the middle of its first item")
    about = feed.feed
    generator = (about.get("generator_detail") or {}).get("href") or about.get("generator", "")
    return ParsedDocument(
        name=plain(about.get("title", "")),
        observations=entries,
        ttl_minutes=_ttl(about.get("ttl", "")),
        posts_url=wordpress.posts_url(headers, str(generator), str(about.get("link", "")), url),
        encoding=encoding,
        whole=part.whole,
        doubt="the feed ends in the middle of an item" if part.in_item else "",
    )


def _read_items(
    text: str, headers: Mapping[str, str], url: str, known: KnownItems | None
) -> tuple[Any, tuple[Observation, ...]]:
    """Return the feed as feedparser reads it, and all its items, stand-ins for the known ones."""
    if known is not None:
        context = f"{url} {headers.get('content-location', '')}"
        feed = _read(known.without_known(text, context), headers, url)
        is_broken = isinstance(feed.get("bozo_exception"), SAXException)
        items = None if is_broken else known.merged([_observation(e, url) for e in feed.entries])
        if items is not None:
            return feed, items
    feed = _read(text, headers, url)
    return feed, tuple(_observation(entry, url) for entry in feed.entries)


def _read(text: str, headers: Mapping[str, str], url: str) -> Any:
    hints = {"content-location": headers.get("content-location", url)}
    # As a stream, because feedparser first takes bytes for the name of a file or an address, and
    # opens it.
    return feedparser.parse(
        io.BytesIO(text.encode()),
        response_headers=hints | {"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )


def _require_feed(text: str) -> None:
    """Refuse a web page, and XML that is no feed, such as a cloud storage's error message."""
    if _FEED.search(text):
        return
    if _PAGE.search(text):
        reason = recognition.instead_of_feed(text)
        raise ParseError(
            "the address answered with an HTML page, not a feed" + (f": {reason}" if reason else "")
        )
    root = _ROOT.search(text)
    if root and root[1].lower() not in _ITEMS:
        raise ParseError(f"the answer is not a feed, but an XML document <{root[1]}>")


def _has_content(entry: Any) -> bool:
    return any(dict.get(entry, part) for part in _PARTS)


def _observation(entry: Any, base: str) -> Observation:
    link = _link(entry, base)
    summary = entry.get("summary", "") or ""
    contents = [part.get("value", "") for part in entry.get("content", []) if part.get("value")]
    body = max(contents, key=len, default="")
    given = entry.get("link") or ""
    too_long = len(given) > LONGEST_ADDRESS
    # An address that is too long to be shown still identifies the item; its link then leads to the
    # source.
    guid = clean(entry.get("id", "") or "") or (clean(given) if too_long else "")
    title = plain(entry.get("title", "") or "")
    categories = tuple(
        plain(tag.get("term") or "") for tag in entry.get("tags", []) if tag.get("term")
    )
    return Observation(
        guid=guid,
        url=link or ("" if too_long else web_address(guid)),
        title=title,
        summary="" if summary == body else own_text(summary, title, given, plain),
        body=own_text(body, title, given, paragraphs),
        author=plain(entry.get("author", "") or ""),
        published_at=_date(entry, "published") or _date(entry, "updated"),
        categories=categories,
        withdrawn=retraction_reason(title, categories),
    )


def _ttl(text: str) -> int:
    """Return the feed's `ttl` in minutes (RSS 2.0); 0 for none, or for one that is not a number."""
    text = str(text).strip()
    return int(text[:6]) if text.isdecimal() and text.isascii() else 0


def _link(entry: Any, base: str) -> str:
    """Return the entry's own address; a relative one is resolved against the feed's."""
    return linked_address(base, entry.get("link") or "")


def _date(entry: Any, name: str) -> datetime | None:
    """Return a date of an entry from its own words: feedparser guesses where they are unclear."""
    # `dict.get`, because feedparser's own `get` answers for one date with the other and warns that
    # it will not always.
    return published_date(str(dict.get(entry, name) or ""))
