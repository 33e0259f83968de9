"""Feeds: bytes → observations, by feedparser, without network or database.

Owns what an RSS, RDF or Atom document says, and knows a JSON Feed when it sees one. All markup is
turned into plain text here: nothing downstream ever holds HTML from outside.
"""

import io
from calendar import timegm
from collections.abc import Mapping
from datetime import UTC, datetime
from time import struct_time
from typing import Any
from urllib.parse import urljoin
from xml.sax import SAXException

import feedparser

from notifier.text.cleaning import clean, paragraphs, plain
from notifier.text.urls import LONGEST_ADDRESS, web_address
from notifier.watch.parsers import json_feed, wordpress
from notifier.watch.parsers.observation import (
    Observation,
    ParsedDocument,
    ParseError,
    published_moment,
)
from notifier.watch.parsers.retraction import retraction_reason

_PARTS = ("title", "link", "id", "summary", "content", "links", "media_content", "media_thumbnail")


def read(body: bytes, headers: Mapping[str, str], url: str) -> ParsedDocument:
    """Read a feed document.

    Args:
        body: the document; its encoding is told by feedparser from the header, the XML declaration
            and the bytes.
        headers: the response headers, names in lower case.
        url: the address it came from; relative links count from it.

    Raises:
        ReadError: no feed: empty, an HTML page, or XML too broken to hold an entry.
    """
    if not body.strip():
        raise ParseError("the address answered with nothing")
    if json_feed.is_json(body):
        return json_feed.read(body, url)
    hints = {
        name: headers[name] for name in ("content-type", "content-location") if name in headers
    }
    # A stream, because feedparser takes bytes for the name of a file or an address first, and opens
    # it.
    found = feedparser.parse(
        io.BytesIO(body),
        response_headers={"content-location": url, **hints},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    broken = isinstance(found.get("bozo_exception"), SAXException)
    if not found.entries and not found.version and (_is_html(body) or broken or not found.feed):
        raise ParseError(_what_it_is(body, found))
    entries = tuple(_observation(entry, url) for entry in found.entries)
    if broken and not any(map(_says_something, found.entries)):
        raise ParseError(
            f"the feed is broken XML and holds no entry: {clean(str(found.get('bozo_exception', '')))}"
        )
    generator = (found.feed.get("generator_detail") or {}).get("href") or found.feed.get(
        "generator", ""
    )
    return ParsedDocument(
        name=plain(found.feed.get("title", "")),
        observations=entries,
        ttl_minutes=_ttl(found.feed.get("ttl", "")),
        posts_url=wordpress.posts_url(
            headers, str(generator), str(found.feed.get("link", "")), url
        ),
    )


def _says_something(entry: Any) -> bool:
    return any(dict.get(entry, part) for part in _PARTS)


def _what_it_is(body: bytes, found: Any) -> str:
    if _is_html(body):
        return "the address answered with an HTML page, not a feed"
    return (
        f"the answer is no feed: {clean(str(found.get('bozo_exception', '')))[:200] or 'not XML'}"
    )


def _is_html(body: bytes) -> bool:
    start = body.lstrip()[:500].lower()
    return b"<html" in start or b"<!doctype html" in start


# `dict.get`, because a feedparser entry answers for one date with the other, and warns that it will
# not always.
def _observation(entry: Any, base: str) -> Observation:
    link = _link(entry, base)
    summary = entry.get("summary", "") or ""
    contents = [part.get("value", "") for part in entry.get("content", []) if part.get("value")]
    body = max(contents, key=len, default="")
    given = entry.get("link") or ""
    too_long = len(given) > LONGEST_ADDRESS
    # An address too long to be shown still tells one item from another; readers are led to the
    # source instead.
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
        published_at=_moment(
            dict.get(entry, "published_parsed") or dict.get(entry, "updated_parsed")
        ),
        categories=categories,
        withdrawn=retraction_reason(title, categories),
    )


def _ttl(text: str) -> int:
    """The feed's `ttl` in minutes (RSS 2.0), zero where it gives none that is a number."""
    text = str(text).strip()
    return int(text[:6]) if text.isdecimal() and text.isascii() else 0


def _link(entry: Any, base: str) -> str:
    """The entry's own address; a relative one counts from the feed's."""
    given = entry.get("link") or ""
    try:
        return web_address(urljoin(base, given)) if given.strip() else ""
    except ValueError:
        return ""


def _without_backlink(markup: str, link: str) -> str:
    """Cut the closing paragraph in which WordPress links the entry to itself ("The post … appeared first on …")."""
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
