"""The parser of each kind of document.

Pure. A new kind of source is one line in `PARSERS`. The parsers know nothing of the process in
which they run (`watch/parser_process/`).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from functools import partial

from notifier.enums import SourceKind
from notifier.text.references import joined_halves, repaired_bytes
from notifier.watch.parsers import clinicaltrials, html_page, rss, wordpress
from notifier.watch.parsers.encoding import as_utf_8
from notifier.watch.parsers.known_items import KnownItems
from notifier.watch.parsers.not_the_page.recognition import by_headers
from notifier.watch.parsers.observation import ParsedDocument, ParseError, within_limits

# Arguments: the body, the response headers with names in lower case, and the address it came from.
ParseFunction = Callable[[bytes, Mapping[str, str], str], ParsedDocument]


class ListKind(StrEnum):
    """Documents that are parsed and are not the own document of any kind of source."""

    POSTS = "posts"


DocumentKind = SourceKind | ListKind

PARSERS: dict[DocumentKind, ParseFunction] = {
    SourceKind.FEED: rss.parse,
    SourceKind.PAGE: html_page.parse,
    SourceKind.REGISTRY: clinicaltrials.parse,
    ListKind.POSTS: wordpress.parse,
}

# Documents in JSON are written in UTF-8 (RFC 8259, 8.1).
_WRITTEN_IN_ANY_ENCODING = (SourceKind.FEED, SourceKind.PAGE)


def parse(
    kind: str,
    body: bytes,
    headers: Mapping[str, str],
    url: str,
    encoding: str = "",
    known: KnownItems | None = None,
) -> ParsedDocument:
    """Parse a document within the limits of `observation.py`.

    Args:
        kind: the value of a `DocumentKind`.
        body: the document.
        headers: of the response, names in lower case.
        url: the address it came from.
        encoding: the character encoding of the source's last document; empty if it is not known.
        known: the items of a feed's last document; None to parse all.

    Raises:
        ParseError: not a document of this kind.
        KeyError: no such kind.
    """
    parsers: dict[str, ParseFunction] = {str(other): parser for other, parser in PARSERS.items()}
    parsers[SourceKind.FEED] = partial(rss.parse, known=known)
    if reason := by_headers(headers):
        raise ParseError(f"the address answered with {reason}")
    if kind == SourceKind.PAGE and (reason := html_page.file_instead_of_page(body, headers)):
        raise ParseError(reason)
    if kind not in _WRITTEN_IN_ANY_ENCODING:
        return within_limits(parsers[kind](body, headers, url))
    body, headers, encoding = as_utf_8(joined_halves(body), headers, encoding)
    return within_limits(
        replace(parsers[kind](repaired_bytes(body), headers, url), encoding=encoding)
    )


def parse_posts(body: bytes, headers: Mapping[str, str], url: str, now: datetime) -> ParsedDocument:
    """Parse a page of a WordPress site's list of posts, with the time for the next request.

    Args:
        body: the document.
        headers: of the response, names in lower case.
        url: the requested address.
        now: aware UTC.

    Raises:
        ParseError: not a list of posts.
    """
    document = parse(ListKind.POSTS, body, headers, url)
    return replace(document, until=wordpress.parse_until(body, headers, url, now))
