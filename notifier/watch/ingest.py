"""The meaning of a response for its source: what is stored of it, and what is requested next.

Everything is read and written through the session that is given. This file opens no transaction and
no connection, and reads no clock: `pipeline/poll.py` does. The slow work for a response is done
before, while no transaction is open: it is parsed (`parser_process/`) and compared (`edits.py`).

A source's own document comes first. From it may follow the next page of a search, the record of a
trial that the search no longer finds, the date of a registry's data, a site's list of posts, the
pages of new teasers, and checks whether older pages are still there.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.enums import PollStatus, SourceKind
from notifier.store.models import Entry, Source
from notifier.watch import articles, due_requests, edits, entries, page_checks, sources
from notifier.watch.http.types import Purpose, Request, Response
from notifier.watch.identity import KeyKind
from notifier.watch.page_checks import PageCheck
from notifier.watch.parsers import clinicaltrials, wordpress
from notifier.watch.parsers.observation import Observation, ParsedDocument
from notifier.watch.stored import Stored

log = logging.getLogger("notifier")

# Limits chosen by hand; not measured.

# Pages of a search that are read in one poll: nobody watches so many trials, and some servers never
# end a list.
MOST_PAGES = 50
# Trials that a search no longer finds and whose records are requested in one poll, the newest.
_MOST_UNLISTED = 200

# Responses whose observations are stored; each is parsed as a document of these kinds.
WITH_OBSERVATIONS = (Purpose.DOCUMENT, Purpose.NEXT_PAGE, Purpose.RECORD, Purpose.POSTS)
# Responses whose failure is stored with the source; other failures say nothing of it.
FAILURES_STORED = (Purpose.DOCUMENT, Purpose.NEXT_PAGE, Purpose.POSTS)
# Responses that only add to entries: trouble with them is not the source's.
SUPPLEMENTS = (Purpose.ARTICLE, Purpose.CHECK, Purpose.AS_OF)
# Statuses by which a site says that it offers no list of posts (RFC 9110, 15.5).
_NO_LIST_OF_POSTS = (400, 401, 403, 404, 410)


@dataclass(frozen=True)
class Outcome:
    """The result of one response for its source.

    Attributes:
        status: the source's status; None if the response says nothing about it.
        error: the reason of a failure, a clause; None if there is none.
        stored: what was stored of its observations.
        requests: what is requested next.
    """

    status: PollStatus | None = None
    error: str | None = None
    stored: Stored = field(default_factory=Stored)
    requests: tuple[Request, ...] = ()


@dataclass
class PollState:
    """Findings of one poll that its later responses need; they are not stored.

    Attributes:
        now: the time of the poll, aware UTC.
        interval: the operator's shortest wait (`watch.interval_minutes`).
        waiting: requests that follow the source's own document, by source id.
        listed: the ids of the entries in the source's documents, by source id.
        pages: the further pages that were requested, by source id.
        failures: how many polls of a search had failed in a row before this one, by source id.
        dated_by: the ids of the sources that get the date of a registry's data, by its address.
        page_checks: the results of checks, by source id and entry id.
    """

    now: datetime
    interval: timedelta
    waiting: dict[int, list[Request]] = field(default_factory=lambda: defaultdict(list))
    listed: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    pages: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    failures: dict[int, int] = field(default_factory=dict)
    dated_by: dict[str, list[int]] = field(default_factory=dict)
    page_checks: dict[int, dict[int, PageCheck]] = field(default_factory=lambda: defaultdict(dict))


def watched_source(session: Session, source_id: int) -> Source | None:
    """Return the source, unless it was removed while it was fetched."""
    source = session.get(Source, source_id)
    return source if source is not None and source.removed_at is None else None


def plan(session: Session, source: Source, document: ParsedDocument) -> edits.Plan:
    """Look up what is known of a document's observations, so that they can be compared.

    Trials whose own records are watched are left out of a search: they are followed there.
    """
    observations: Sequence[Observation] = document.observations
    if _is_search(source):
        followed = sources.followed_trials(session)
        observations = [trial for trial in observations if trial.guid not in followed]
    return edits.plan(session, source, observations)


def stores_new_entries(source: Source, purpose: Purpose) -> bool:
    """Return whether unknown observations become entries.

    A site's list of posts is about the whole site; for a feed of one category only known entries
    are updated from it.
    """
    return purpose is not Purpose.POSTS or wordpress.is_whole_site(source.url)


def complete(
    session: Session,
    source: Source,
    response: Response,
    document: ParsedDocument,
    stored: Stored,
    state: PollState,
) -> Outcome:
    """Store the result of a response in the transaction that stores its last observations.

    Args:
        session: a writing session; the caller commits.
        source: the source, in this session.
        response: one of the purposes `WITH_OBSERVATIONS`.
        document: the parsed document.
        stored: the sum of all its parts.
        state: what this poll showed so far; it is updated.
    """
    purpose = response.request.purpose
    repeats = bool(stored.entry_ids) and stored.entry_ids <= state.listed[source.id]
    state.listed[source.id] |= stored.entry_ids
    if purpose is Purpose.DOCUMENT:
        return _complete_document(session, source, response, document, stored, state)
    if purpose is Purpose.POSTS:
        return Outcome(stored=stored, requests=_after_posts(source, document, state))
    requests = _as_of_request(source, stored, state)
    if purpose is not Purpose.NEXT_PAGE:
        return Outcome(stored=stored, requests=tuple(requests))
    if document.next_url and (error := _endless(source, document.next_url, repeats, state)):
        _fail_list(source, response, error, state)
        return Outcome(PollStatus.FAILED, error, stored, tuple(requests))
    requests += _more_trials(session, source, response, document, state)
    return Outcome(stored=stored, requests=tuple(requests))


def _complete_document(
    session: Session,
    source: Source,
    response: Response,
    document: ParsedDocument,
    stored: Stored,
    state: PollState,
) -> Outcome:
    requests: list[Request] = []
    if source.kind is SourceKind.FEED:
        requests += _after_feed(session, source, document, stored, state)
    elif source.kind is SourceKind.REGISTRY:
        requests += _more_trials(session, source, response, document, state)
        requests += _as_of_request(source, stored, state)
    sources.follow_move(session, source, response, state.now)
    state.failures[source.id] = source.failures
    sources.record_success(
        source,
        state.now,
        state.interval,
        response,
        document,
        changed=bool(stored.new or stored.changed),
        # An unchanged first page of a search says nothing about its other pages, so it is always
        # parsed again.
        whole=not stored.postponed and not _is_search(source),
    )
    return Outcome(PollStatus.OK, stored=stored, requests=tuple(requests))


def _after_feed(
    session: Session, source: Source, document: ParsedDocument, stored: Stored, state: PollState
) -> Iterable[Request]:
    sources.note_posts_url(source, document.posts_url, state.now)
    left = entries.note_listed(session, source, stored.entry_ids, state.now)
    requests = [
        *page_checks.of_entries(session, left, state.now),
        *state.waiting.pop(source.id, ()),
        *due_requests.posts(session, [source.id], state.now),
    ]
    if not source.posts_url:  # a list of posts holds the whole texts
        requests += articles.wanted(session, stored.new_ids)
    return {(request.purpose, request.entry_id): request for request in requests}.values()


def _more_trials(
    session: Session,
    source: Source,
    response: Response,
    document: ParsedDocument,
    state: PollState,
) -> list[Request]:
    """Return the request for a search's next page; after the last page, for the missing records."""
    next_host = urlsplit(document.next_url).netloc
    if document.next_url and next_host == urlsplit(response.url).netloc:
        state.pages[source.id].add(document.next_url)
        return [Request(source.id, document.next_url, purpose=Purpose.NEXT_PAGE)]
    if not _is_search(source):
        return []
    followed = sources.followed_trials(session)
    trials = [
        KeyKind.GUID.name_in(entry.key)
        for entry in _unlisted(session, source, state.listed[source.id])
    ]
    return [
        Request(source.id, clinicaltrials.record_url(source.url, trial), purpose=Purpose.RECORD)
        for trial in trials
        if trial not in followed
    ]


def _unlisted(session: Session, source: Source, listed: set[int]) -> list[Entry]:
    """Return the entries of a search that it no longer finds, the newest two hundred."""
    statement = select(Entry.id).where(Entry.source_id == source.id).order_by(Entry.id.desc())
    left = [entry_id for entry_id in session.scalars(statement) if entry_id not in listed]
    newest = select(Entry).where(Entry.id.in_(left[:_MOST_UNLISTED])).order_by(Entry.id)
    return list(session.scalars(newest))


def _endless(source: Source, url: str, repeats: bool, state: PollState) -> str:
    """Return the reason why a list is not read any further; empty if its next page is requested.

    The rest of such a list is unknown, so no trial counts as one that left it.

    Args:
        source: the search.
        url: the address of its next page.
        repeats: whether the last page named only trials that earlier ones had named.
        state: the poll.
    """
    requested = state.pages[source.id]
    if repeats or url in requested:
        return f"its list of trials repeats itself after {len(requested) + 1} pages"
    if len(requested) + 1 >= MOST_PAGES:
        return (
            f"its list of trials does not end after {MOST_PAGES} pages: narrow the search, or ask"
            " for more trials on a page (pageSize=1000)"
        )
    return ""


def _fail_list(source: Source, response: Response, error: str, state: PollState) -> None:
    """Store that a search could not be read to its end, although its first page could be read."""
    earlier = state.failures.get(source.id, 0)
    sources.record_failure(source, state.now, state.interval, response, error, earlier=earlier)


def _as_of_request(source: Source, stored: Stored, state: PollState) -> list[Request]:
    """Return the request for the date of a registry's data, once a poll, if something is new."""
    if not (stored.new or stored.changed):
        return []
    url = clinicaltrials.as_of_url(source.url)
    requested = url in state.dated_by
    state.dated_by.setdefault(url, []).append(source.id)
    return [] if requested else [Request(source.id, url, purpose=Purpose.AS_OF)]


def _after_posts(source: Source, document: ParsedDocument, state: PollState) -> tuple[Request, ...]:
    if document.next_url:
        return (Request(source.id, document.next_url, purpose=Purpose.POSTS),)
    sources.note_posts(source, next_at=state.now + wordpress.PAUSE, until=document.until)
    return ()


def store_unchanged(session: Session, responses: Sequence[Response], state: PollState) -> None:
    """Store that the documents in these responses are known.

    Args:
        session: a writing session; the caller commits.
        responses: responses to requests for documents, whose bytes are known.
        state: the poll.
    """
    by_id = sources.many(session, [response.request.source_id for response in responses])
    for response in responses:
        if source := by_id.get(response.request.source_id):
            sources.follow_move(session, source, response, state.now)
            sources.record_success(source, state.now, state.interval, response)


def reject(source: Source, response: Response, error: str, state: PollState) -> Outcome:
    """Store that a response could not be parsed.

    Args:
        source: the source, in a writing session.
        response: one of the purposes `FAILURES_STORED`.
        error: the reason, a clause.
        state: the poll.
    """
    purpose = response.request.purpose
    if purpose is Purpose.DOCUMENT:
        sources.record_failure(source, state.now, state.interval, response, error)
        return Outcome(PollStatus.GONE if source.gone_at else PollStatus.FAILED, error)
    if purpose is Purpose.POSTS:
        refused = response.status in _NO_LIST_OF_POSTS
        pause = wordpress.PAUSE_AFTER_REFUSAL if refused else wordpress.PAUSE_AFTER_FAILURE
        sources.note_posts(source, next_at=state.now + pause)
        if refused:
            return Outcome()
    elif purpose is Purpose.NEXT_PAGE:
        sources.forget_baseline(source, state.now)
        error = f"a further page of its list could not be read: {error}"
        _fail_list(source, response, error, state)
        return Outcome(PollStatus.FAILED, error)
    log.warning("source %d: %s: %s", source.id, purpose, error)
    return Outcome()


def record_trouble(source: Source, request: Request, error: str, state: PollState) -> Outcome:
    """Store that a response could not be stored, for a reason that nobody expected.

    Args:
        source: the source, in a writing session.
        request: the request, not one of `SUPPLEMENTS`.
        error: the reason, a clause.
        state: the poll.
    """
    if request.purpose is Purpose.POSTS:
        sources.note_posts(source, next_at=state.now + wordpress.PAUSE_AFTER_FAILURE)
    # Without the response's headers, which may be the reason.
    empty = Response(request, request.url)
    sources.record_failure(source, state.now, state.interval, empty, error)
    sources.forget_baseline(source, state.now)
    return Outcome(PollStatus.FAILED, error)


def store_as_of(session: Session, url: str, moment: datetime, state: PollState) -> None:
    """Store the date of a registry's data with its sources and their new revisions.

    Args:
        session: a writing session; the caller commits.
        url: the address that was requested for the date.
        moment: the date, aware UTC.
        state: the poll.
    """
    for source in sources.many(session, state.dated_by[url]).values():
        sources.note_as_of(source, moment)
        entries.date_revisions(session, source, moment, state.now)


def store_page_checks(session: Session, source_id: int, state: PollState) -> Stored:
    """Store the checks of a source's pages; none counts as missing if the site seems to have moved.

    Args:
        session: a writing session; the caller commits.
        source_id: a source with checks in this poll.
        state: the poll.
    """
    checks = state.page_checks[source_id]
    if page_checks.is_moved_site(checks.values()):
        log.warning("source %d: most of %d checked pages are missing", source_id, len(checks))
        checks = dict.fromkeys(checks, page_checks.UNKNOWN)
    withdrawn = sum(
        entries.note_checked(session, entry_id, check, state.now)
        for entry_id, check in checks.items()
    )
    return Stored(changed=withdrawn, withdrawn=withdrawn)


def _is_search(source: Source) -> bool:
    return source.kind is SourceKind.REGISTRY and clinicaltrials.is_search(source.url)
