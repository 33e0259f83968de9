"""Looking: what an address answers right now, told to a person. Nothing is stored.

Owns the trial of one address, and the search for the feed behind a site's front page.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin

from notifier.deps import Deps
from notifier.enums import SourceKind
from notifier.errors import InputError
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

# So many of the feeds that a page names are tried.
_MOST_TRIED = 20
# Where sites keep a feed that their front page does not name, in the order of how common it is.
_USUAL_PLACES = ("feed/", "rss.xml", "feed.xml", "atom.xml", "index.xml", "rss", "feed.json")


@dataclass(frozen=True)
class SourceCheck:
    """What an address answered: whether a poll would take it, and what there is to say of it, line by line."""

    url: str
    kind: SourceKind
    ok: bool
    entries: int
    error: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class FoundSource:
    """The address to watch, and how it was found; `problem` where it could not be tried."""

    url: str
    kind: SourceKind
    how: str = ""
    problem: str = ""


def check(deps: Deps, addresses: Sequence[tuple[str, SourceKind]]) -> list[SourceCheck]:
    """Try addresses, each as the kind of source that it is meant to be."""
    answers = _answers(deps, [url for url, _ in addresses])
    with Parser() as parser:
        return [_contained_look(kind, answers[url], deps.now(), parser) for url, kind in addresses]


def find_source(deps: Deps, url: str, kind: SourceKind | None) -> FoundSource:
    """The address to watch when somebody gives `url`: it, or the feed behind the page that it is.

    Args:
        deps: whose settings say how to ask.
        url: what was given.
        kind: what it is meant to be; None where nothing was said.

    Raises:
        InputError: it may not be asked, or it is a page without a feed.
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
    answer = _answers(deps, [address])[address]
    if answer.refused:
        raise InputError(
            f"{address} cannot be watched: {answer.error}.", "Only public addresses are asked."
        )
    if answer.error or answer.status != 200:
        return FoundSource(address, kind, problem=answer.error or f"it answered {answer.status}")
    with Parser() as parser:
        try:
            parse_document(kind, answer, parser)
        except ParseError as error:
            if kind is not SourceKind.FEED:
                return FoundSource(address, kind, problem=str(error))
            return _behind(deps, answer, address, error, parser)
    return FoundSource(address, kind)


def _behind(
    deps: Deps, answer: Response, address: str, error: ParseError, parser: Parser
) -> FoundSource:
    """The feed behind a page: the first one the page names that can be read, else one in a usual place."""
    named = [url for url, _ in _feeds_named(answer, parser)][:_MOST_TRIED]
    for url in named:
        if _reads(_answers(deps, [url])[url], parser):
            others = [other for other in named if other != url]
            more = f" It names others, too: {', '.join(others)}" if others else ""
            return FoundSource(url, SourceKind.FEED, how=f"Found the feed of {address}.{more}")
    root = urljoin(answer.url, "/")
    guesses = list(
        dict.fromkeys(
            urljoin(base, place) for base in (answer.url, root) for place in _USUAL_PLACES
        )
    )
    for url in guesses if b"<html" in answer.body[:2000].lower() and not named else ():
        if _reads(_answers(deps, [url])[url], parser):
            return FoundSource(url, SourceKind.FEED, how=f"{address} names no feed, but has one.")
    raise InputError(
        f"{address} is no feed, and none was found behind it: {error}.",
        "Give the feed's own address, or watch it as a therapy page with --kind page.",
    )


def _feeds_named(answer: Response, parser: Parser) -> list[tuple[str, str]]:
    try:
        return parser.find_feeds(answer.body, answer.url)
    except ParseError:
        return []


def _reads(answer: Response, parser: Parser) -> bool:
    try:
        parse_document(SourceKind.FEED, answer, parser)
    except ParseError:
        return False
    return True


def _refuse_private(address: str) -> None:
    try:
        refuse_private_name(address)
    except AddressRefusedError as error:
        raise InputError(
            f"{address} cannot be watched: {error}.",
            "For an intranet set watch.allow_private_addresses.",
        ) from error


def _answers(deps: Deps, urls: Sequence[str]) -> dict[str, Response]:
    found: dict[str, Response] = {}

    def arrived(response: Response) -> None:
        found[response.request.url] = response

    fetch_all([Request(0, url) for url in dict.fromkeys(urls)], deps.settings, arrived)
    return found


def _contained_look(
    kind: SourceKind, answer: Response, now: datetime, parser: Parser
) -> SourceCheck:
    """The look at one address; what goes wrong with it keeps nobody from looking at the others."""
    try:
        return _look(kind, answer, now, parser)
    except Exception as error:
        log.exception("an address could not be looked at")
        words = f"the answer could not be looked at ({type(error).__name__})"
        return SourceCheck(answer.request.url, kind, False, 0, words, (f"It fails: {words}.",))


def _look(kind: SourceKind, answer: Response, now: datetime, parser: Parser) -> SourceCheck:
    lines = _of_the_answer(answer, now)
    try:
        reading = parse_document(kind, answer, parser)
    except ParseError as error:
        advice = _advice(kind, answer, parser)
        return SourceCheck(
            answer.request.url, kind, False, 0, str(error), (*lines, f"It fails: {error}.", *advice)
        )
    return SourceCheck(
        answer.request.url,
        kind,
        True,
        len(reading.observations),
        "",
        (*lines, *_of_the_reading(kind, reading)),
    )


def _of_the_answer(answer: Response, now: datetime) -> list[str]:
    if answer.error:
        return []
    headers = answer.headers
    kind = clean(headers.get("content-type", "no type").partition(";")[0])
    lines = [f"It answers {answer.status}, {kind}, {len(answer.body):,} bytes."]
    if answer.url != answer.request.url:
        lasting = "for good" if answer.moved_to else "for now"
        lines.append(f"It leads {lasting} to {clean(answer.url)}")
    if answer.status == 200 and not headers.keys() & {"etag", "last-modified"}:
        lines.append("It gives neither ETag nor Last-Modified: every poll fetches the whole of it.")
    if wait := server_requested_wait(headers, now=now):
        lines.append(f"It asks to be left alone for {round(wait.total_seconds() / 60)} minutes.")
    return lines


def _of_the_reading(kind: SourceKind, reading: ParsedDocument) -> list[str]:
    count = len(reading.observations)
    lines = [f"It reads well as a {kind}: {count} {'entry' if count == 1 else 'entries'}."]
    dated = [one for one in reading.observations if one.published_at]
    newest = max(
        dated, key=lambda one: one.published_at or datetime.min.replace(tzinfo=UTC), default=None
    )
    if newest is not None and newest.published_at is not None:
        lines.append(f"The newest, of {newest.published_at.date()}: {shorten(newest.title, 80)}")
    if reading.left_out:
        lines.append(
            f"It lists {reading.left_out:,} older items more; the newest {MOST_ITEMS:,} are read."
        )
    if reading.posts_url:
        lines.append("The site lists its posts with their edits; they are followed, too.")
    return lines


def _advice(kind: SourceKind, answer: Response, parser: Parser) -> list[str]:
    """What to do about an answer that cannot be taken."""
    if kind is SourceKind.FEED and answer.body and (named := _feeds_named(answer, parser)):
        return [f"The page names a feed: notifier sources add {named[0][0]}"]
    if answer.status in (401, 403):
        return ["The site turns programs away; ask its owner to let your watch.user_agent in."]
    if answer.status in (404, 410):
        front = urljoin(answer.request.url, "/")
        return [f"If the site still exists, its feed may have moved: notifier sources add {front}"]
    if answer.status in (429, 503):
        return ["The site asks for patience; it is asked again later."]
    return []
