"""Source check: fetch an address now, and report how it answers and what to do about it.

Owns the check of one address, and the search for the feed of a site from its front page. Nothing is
stored.
"""

import logging
import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urljoin

from notifier.deps import Deps
from notifier.enums import SourceKind
from notifier.errors import InputError, NotifierError
from notifier.text.cleaning import clean, shorten
from notifier.text.urls import web_address
from notifier.watch import sources
from notifier.watch.http.client import fetch_all
from notifier.watch.http.ssrf import AddressRefusedError, refuse_private_name
from notifier.watch.http.types import Request, Response
from notifier.watch.parser_process import Parser, parse_document
from notifier.watch.parsers.observation import MOST_ITEMS, ParsedDocument, ParseError
from notifier.watch.polling_interval import server_requested_wait

log = logging.getLogger("notifier")

# Of the feeds that a page names. Chosen by hand; not measured.
_MOST_TRIED = 20
# Usual addresses of a feed that the front page does not name, the most common first. Chosen by
# hand; not measured.
_USUAL_PLACES = ("feed/", "rss.xml", "feed.xml", "atom.xml", "index.xml", "rss", "feed.json")


@dataclass(frozen=True)
class SourceCheck:
    """The result of the check of one address.

    Attributes:
        url: as it was given.
        kind: the kind of source that it was read as.
        ok: True if a poll would accept the answer.
        entries: the number of entries in the answer.
        error: the reason why a poll would fail; else empty.
        lines: findings and advice, one sentence each.
    """

    url: str
    kind: SourceKind
    ok: bool
    entries: int
    error: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class FoundSource:
    """The address to watch.

    Attributes:
        url: the address.
        kind: the kind of source.
        how: a sentence on how the feed was found; empty if `url` is the address that was given.
        problem: the reason why it could not be read now; else empty.
        document: what it shows now; None if it could not be read.
        others: the addresses of further feeds that the page names.
    """

    url: str
    kind: SourceKind
    how: str = ""
    problem: str = ""
    document: ParsedDocument | None = None
    others: tuple[str, ...] = ()


class OutOfTimeError(NotifierError):
    """A search for a feed that took longer than the person who asked wants to wait."""

    def __init__(self, address: str, seconds: float) -> None:
        super().__init__(
            f"{address} did not answer within {seconds:g} seconds, or too slowly to find its feed.",
            "Try it again later, or give the address of the feed itself.",
        )


def check(deps: Deps, addresses: Sequence[tuple[str, SourceKind]]) -> list[SourceCheck]:
    """Fetch addresses, and read each as the kind of source that it is meant to be."""
    responses = _fetch(deps, [url for url, _ in addresses])
    with Parser() as parser:
        return [
            _check_contained(kind, responses[url], deps.now(), parser) for url, kind in addresses
        ]


def find_source(
    deps: Deps, url: str, kind: SourceKind | None, *, seconds: float = 0
) -> FoundSource:
    """Find the address to watch: the given one, or the feed of the page that it is.

    Args:
        deps: the settings for fetching.
        url: as a person wrote it, with or without ``https://``.
        kind: the kind that it is meant to be; None if nothing was said.
        seconds: the time for all requests together; 0 for as long as they take.

    Raises:
        InputError: the address may not be fetched, or it is a page without a feed.
        OutOfTimeError: the time was over before a feed was found.
    """
    bare = "://" not in url and re.fullmatch(r"[\w-]+(\.[\w-]+)+(/\S*)?", url.strip())
    address = web_address(f"https://{url.strip()}" if bare else url)
    if not address:
        raise InputError(
            f"{url!r} cannot be watched.", "Give an address that begins with https:// or http://."
        )
    if not deps.settings.watch.allow_private_addresses:
        _refuse_private(address)
    kind = kind or sources.kind_of(address)
    patience = _Patience(deps, address, seconds)
    response = patience.fetch(address)
    if response.refused:
        raise InputError(
            f"{address} cannot be watched: {response.error}.", "Give a public address."
        )
    if response.error or response.status != 200:
        problem = response.error or f"it answered {response.status}"
        return FoundSource(address, kind, problem=problem)
    with Parser() as parser:
        try:
            document = parse_document(kind, response, parser)
        except ParseError as error:
            if kind is not SourceKind.FEED:
                return FoundSource(address, kind, problem=str(error))
            return _feed_of_page(patience, response, error, parser)
    return FoundSource(address, kind, document=document)


class _Patience:
    """The time that is left for the requests of a search.

    Attributes:
        address: the one that was asked for.
    """

    def __init__(self, deps: Deps, address: str, seconds: float) -> None:
        self.address = address
        self._deps, self._seconds = deps, seconds
        self._ends = time.monotonic() + seconds if seconds else math.inf

    def fetch(self, url: str) -> Response:
        """Fetch an address in the time that is left.

        Raises:
            OutOfTimeError: there is none left, and the address is a further one.
        """
        left = self._ends - time.monotonic()
        settings = self._deps.settings
        if left <= 0:
            raise OutOfTimeError(self.address, self._seconds)
        watch = settings.watch
        if left < watch.timeout_seconds:
            watch = watch.model_copy(update={"timeout_seconds": left})
        deps = replace(self._deps, settings=settings.model_copy(update={"watch": watch}))
        return _fetch(deps, [url])[url]


def refuse_private(deps: Deps, url: str) -> None:
    """Refuse an address whose form shows that it is private, unless these are allowed.

    What is no address of the web passes: whoever stores one refuses it in other words.

    Raises:
        InputError: it is private.
    """
    if web_address(url) and not deps.settings.watch.allow_private_addresses:
        _refuse_private(url)


def private_among(deps: Deps, urls: Sequence[str]) -> list[str]:
    """Return the addresses that may not be watched, because their form shows that they are private.

    None is requested: what a public name resolves to is checked by each poll.
    """
    if deps.settings.watch.allow_private_addresses:
        return []
    return [url for url in urls if not _is_public(url)]


def _is_public(url: str) -> bool:
    try:
        refuse_private_name(url)
    except AddressRefusedError:
        return False
    return True


def _feed_of_page(
    patience: _Patience, response: Response, error: ParseError, parser: Parser
) -> FoundSource:
    """Return the first readable feed that the page names; else one at a usual address."""
    address = patience.address
    named = [url for url, _ in _feeds_named(response, parser)][:_MOST_TRIED]
    for url in named:
        if feed := _feed_in(patience.fetch(url), parser):
            others = tuple(other for other in named if other != url)
            more = f" It names others, too: {', '.join(others)}" if others else ""
            how = f"Found the feed of {address}.{more}"
            return FoundSource(url, SourceKind.FEED, how, document=feed, others=others)
    is_page = b"<html" in response.body[:2000].lower()
    for url in _usual_addresses(response.url) if is_page and not named else ():
        if feed := _feed_in(patience.fetch(url), parser):
            how = f"{address} does not name a feed, but its site has one."
            return FoundSource(url, SourceKind.FEED, how, document=feed)
    raise InputError(
        f"{address} is not a feed, and none was found from it: {error}.",
        "Give the feed's own address, or watch it as a therapy page with --kind page.",
    )


def _usual_addresses(url: str) -> list[str]:
    """Return the usual addresses of a feed, below a page and below the root of its site."""
    bases = (url, urljoin(url, "/"))
    return list(dict.fromkeys(urljoin(base, place) for base in bases for place in _USUAL_PLACES))


def _feeds_named(response: Response, parser: Parser) -> list[tuple[str, str]]:
    """Return address and title of each feed that a page names; none if it is not a page."""
    try:
        return parser.find_feeds(response.body, response.url)
    except ParseError:
        return []


def _feed_in(response: Response, parser: Parser) -> ParsedDocument | None:
    try:
        return parse_document(SourceKind.FEED, response, parser)
    except ParseError:
        return None


def _refuse_private(address: str) -> None:
    try:
        refuse_private_name(address)
    except AddressRefusedError as error:
        raise InputError(
            f"{address} cannot be watched: {error}.",
            "For an intranet set watch.allow_private_addresses.",
        ) from error


def _fetch(deps: Deps, urls: Sequence[str]) -> dict[str, Response]:
    responses: dict[str, Response] = {}

    def on_response(response: Response) -> None:
        responses[response.request.url] = response

    fetch_all([Request(0, url) for url in dict.fromkeys(urls)], deps.settings, on_response)
    return responses


def _check_contained(
    kind: SourceKind, response: Response, now: datetime, parser: Parser
) -> SourceCheck:
    """Check one answer; an unexpected error becomes its result, and the others are checked."""
    try:
        return _check(kind, response, now, parser)
    except Exception as error:
        log.exception("an address could not be checked")
        problem = f"the answer could not be checked ({type(error).__name__})"
        lines = (f"It fails: {problem}.",)
        return SourceCheck(response.request.url, kind, False, 0, problem, lines)


def _check(kind: SourceKind, response: Response, now: datetime, parser: Parser) -> SourceCheck:
    url = response.request.url
    lines = _response_lines(response, now)
    try:
        document = parse_document(kind, response, parser)
    except ParseError as error:
        lines += [f"It fails: {error}.", *_advice(kind, response, parser)]
        return SourceCheck(url, kind, False, 0, str(error), tuple(lines))
    lines += _document_lines(kind, document)
    return SourceCheck(url, kind, True, len(document.observations), "", tuple(lines))


def _response_lines(response: Response, now: datetime) -> list[str]:
    if response.error:
        return []
    headers = response.headers
    content_type = clean(headers.get("content-type", "no type").partition(";")[0])
    lines = [f"It answers {response.status}, {content_type}, {len(response.body):,} bytes."]
    if response.url != response.request.url:
        duration = "permanently" if response.moved_to else "temporarily"
        lines.append(f"It redirects {duration} to {clean(response.url)}")
    if response.status == 200 and not headers.keys() & {"etag", "last-modified"}:
        lines.append("It sends neither ETag nor Last-Modified: every poll fetches all of it.")
    if wait := server_requested_wait(headers, now=now):
        minutes = round(wait.total_seconds() / 60)
        lines.append(f"It asks not to be fetched again for {minutes} minutes.")
    return lines


def _document_lines(kind: SourceKind, document: ParsedDocument) -> list[str]:
    count = len(document.observations)
    lines = [f"It can be read ({kind}): {count:,} {'entry' if count == 1 else 'entries'}."]
    dated = [
        (observation.published_at, observation.title)
        for observation in document.observations
        if observation.published_at
    ]
    if dated:
        published_at, title = max(dated, key=lambda item: item[0])
        lines.append(f"The newest, of {published_at.date()}: {shorten(title, 80)}")
    if document.left_out:
        lines.append(
            f"It has {document.left_out:,} more items, which are not read: "
            f"only the newest {MOST_ITEMS:,} are."
        )
    if document.posts_url:
        lines.append("The site lists its posts with their edits; they are followed, too.")
    return lines


def _advice(kind: SourceKind, response: Response, parser: Parser) -> list[str]:
    """Return advice for an answer that a poll would not accept."""
    if kind is SourceKind.FEED and response.body and (named := _feeds_named(response, parser)):
        return [f"The page names a feed: notifier sources add {named[0][0]}"]
    if response.status in (401, 403):
        return ["The site refuses programs; ask its owner to allow your watch.user_agent."]
    if response.status in (404, 410):
        front_page = urljoin(response.request.url, "/")
        return [
            f"If the site still exists, its feed may have moved: notifier sources add {front_page}"
        ]
    if response.status in (429, 503):
        return ["The site limits requests or is overloaded; it is polled again later."]
    return []
