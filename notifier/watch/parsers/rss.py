"""Parser of news feeds: RSS, RDF and Atom by feedparser; a JSON Feed is passed on.

Pure. All markup becomes plain text here: no later step holds HTML from outside.
"""

import io
from calendar import timegm
from collections.abc import Mapping
from datetime import UTC, datetime
from time import struct_time
from typing import Any
from xml.sax import SAXException

import feedparser

from notifier.text.cleaning import clean, paragraphs, plain
from notifier.text.urls import LONGEST_ADDRESS, linked_address, web_address
from notifier.watch.parsers import json_feed, wordpress
from notifier.watch.parsers.observation import (
    Observation,
    ParsedDocument,
    ParseError,
    published_moment,
)
from notifier.watch.parsers.retraction import retraction_reason

# Characters of the XML parser's own message that are shown. Chosen by hand; not measured.
_LONGEST_PROBLEM = 200
# An entry of a broken feed counts if it has one of these.
_PARTS = ("title", "link", "id", "summary", "content", "links", "media_content", "media_thumbnail")


def parse(body: bytes, headers: Mapping[str, str], url: str) -> ParsedDocument:
    """Parse a feed.

    Args:
        body: the document; feedparser finds its encoding in the header, the XML declaration and the
            bytes.
        headers: the response headers, names in lower case.
        url: the address it came from; relative links are resolved against it.

    Raises:
        ParseError: not a feed: empty, an HTML page, or XML too broken to hold an entry.
    """
    if not body.strip():
        raise ParseError("the address answered with nothing")
    if json_feed.is_json(body):
        return json_feed.parse(body, url)
    hints = {
        name: headers[name] for name in ("content-type", "content-location") if name in headers
    }
    # As a stream, because feedparser first takes bytes for the name of a file or an address, and
    # opens it.
    feed = feedparser.parse(
        io.BytesIO(body),
        response_headers={"content-location": url, **hints},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    problem = clean(str(feed.get("bozo_exception", "")))
    broken = isinstance(feed.get("bozo_exception"), SAXException)
    if not feed.entries and not feed.version and (_is_html(body) or broken or not feed.feed):
        if _is_html(body):
            raise ParseError("the address answered with an HTML page, not a feed")
        raise ParseError(f"the answer is not a feed: {problem[:_LONGEST_PROBLEM] or 'not XML'}")
    entries = tuple(_observation(entry, url) for entry in feed.entries)
    if broken and not any(map(_has_content, feed.entries)):
        raise ParseError(f"the feed is broken XML and holds no entry: {problem}")
    about = feed.feed
    generator = (about.get("generator_detail") or {}).get("href") or about.get("generator", "")
    return ParsedDocument(
        name=plain(about.get("title", "")),
        observations=entries,
        ttl_minutes=_ttl(about.get("ttl", "")),
        posts_url=wordpress.posts_url(headers, str(generator), str(about.get("link", "")), url),
    )


def _has_content(entry: Any) -> bool:
    return any(dict.get(entry, part) for part in _PARTS)


def _is_html(body: bytes) -> bool:
    start = body.lstrip()[:500].lower()
    return b"<html" in start or b"<!doctype html" in start


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
        summary="" if summary == body else plain(_without_backlink(summary, entry.get("link", ""))),
        body=paragraphs(_without_backlink(body, entry.get("link", ""))),
        author=plain(entry.get("author", "") or ""),
        # `dict.get`, because feedparser's own `get` answers for one date with the other and warns
        # that it will not always.
        published_at=_moment(
            dict.get(entry, "published_parsed") or dict.get(entry, "updated_parsed")
        ),
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


def _without_backlink(markup: str, link: str) -> str:
    """Remove WordPress's closing paragraph ("The post … appeared first on …"), a link to itself."""
    start = markup.rfind("<p")
    last = markup[start:].rstrip()
    return (
        markup[:start] if link and start > 0 and link in last and last.endswith("</p>") else markup
    )


def _moment(parsed: struct_time | None) -> datetime | None:
    try:
        return published_moment(datetime.fromtimestamp(timegm(parsed), UTC)) if parsed else None
    except (ValueError, OverflowError, OSError):
        return None
