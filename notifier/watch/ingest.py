"""The meaning of a response for its source: what is stored of it, and what is requested next.

Everything is read and written through the session that is given. This file opens no transaction and
no connection, and reads no clock: `pipeline/poll.py` does. The slow work for a response is done
before, while no transaction is open: it is parsed (`parser_process/`) and compared (`edits.py`).

A source's own document comes first. From it may follow the next page of a search, the record of a
trial that the search no longer finds, the date of a registry's data, a site's list of posts, the
pages of new teasers, and checks whether older pages are still there.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from notifier.enums import PollStatus, SourceKind
from notifier.store.models import Source
from notifier.watch import (
    articles,
    doubts,
    due_requests,
    entries,
    page_checks,
    presence,
    source_lists,
    sources,
    trial_lists,
)
from notifier.watch.compare import edits
from notifier.watch.doubts import Judgement
from notifier.watch.http.types import Purpose, Request, Response
from notifier.watch.parsers import wordpress
from notifier.watch.parsers.observation import Observation, ParsedDocument
from notifier.watch.poll_state import Outcome, PollState
from notifier.watch.stored import Stored

log = logging.getLogger("notifier")

# Responses whose observations are stored; each is parsed as a document of these kinds.
WITH_OBSERVATIONS = (Purpose.DOCUMENT, Purpose.NEXT_PAGE, Purpose.RECORD, Purpose.POSTS)
# Responses whose failure is stored with the source; other failures say nothing of it.
FAILURES_STORED = (Purpose.DOCUMENT, Purpose.NEXT_PAGE, Purpose.POSTS)
# Responses that only add to entries: trouble with them is not the source's.
SUPPLEMENTS = (Purpose.ARTICLE, Purpose.ROBOTS, Purpose.CHECK, Purpose.SITE, Purpose.AS_OF)
# Statuses by which a site says that it offers no list of posts (RFC 9110, 15.5).
_NO_LIST_OF_POSTS = (400, 401, 403, 404, 410)


def watched_source(session: Session, source_id: int) -> Source | None:
    """Return the source, unless it was removed while it was fetched."""
    source = session.get(Source, source_id)
    return source if source is not None and source.removed_at is None else None


def plan(session: Session, source: Source, document: ParsedDocument) -> edits.Plan:
    """Look up what is known of a document's observations, so that they can be compared.

    Trials whose own records are watched are left out of a search: they are followed there.
    """
    observations: Sequence[Observation] = document.observations
    if trial_lists.is_search(source):
        followed = source_lists.followed_trials(session)
        observations = [trial for trial in observations if trial.guid not in followed]
    return edits.plan(session, source, observations)


def judge(
    session: Session, source: Source, document: ParsedDocument, plan: edits.Plan, state: PollState
) -> str:
    """Take the states that are not believed out of a plan.

    Args:
        session: any session.
        source: the source, in this session.
        document: the parsed document.
        plan: its plan, which was not compared yet.
        state: what this poll showed so far; it is updated.

    Returns:
        The reason, a clause, if the whole document must be rejected; else empty.
    """
    judgement = doubts.judge(session, source, document, plan, state.now)
    state.judgements[source.id] = judgement
    return judgement.refusal


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
    judgement = state.judgements.pop(source.id, None) or Judgement()
    observed = stored.entry_ids | judgement.entry_ids
    repeats = bool(observed) and observed <= state.listed[source.id]
    state.listed[source.id] |= observed
    if source.kind is not SourceKind.FEED:
        doubts.store(session, source, judgement.doubted, stored.entry_ids, state.now)
    if purpose is Purpose.DOCUMENT:
        return _complete_document(session, source, response, document, stored, judgement, state)
    if purpose is Purpose.POSTS:
        return Outcome(stored=stored, requests=_after_posts(source, document, state))
    requests = trial_lists.as_of_request(source, stored, state)
    error = judgement.reason
    if purpose is Purpose.NEXT_PAGE:
        endless = document.next_url and trial_lists.endless(
            source, document.next_url, repeats, state
        )
        error = endless or error
        requests += (
            [] if endless else trial_lists.more_trials(session, source, response, document, state)
        )
    if not error:
        return Outcome(stored=stored, requests=tuple(requests))
    _fail_list(source, response, error, state)
    return Outcome(PollStatus.FAILED, error, stored, tuple(requests))


def _complete_document(
    session: Session,
    source: Source,
    response: Response,
    document: ParsedDocument,
    stored: Stored,
    judgement: Judgement,
    state: PollState,
) -> Outcome:
    requests: list[Request] = []
    error = judgement.reason
    if source.kind is SourceKind.FEED:
        listed = stored.entry_ids | judgement.entry_ids
        error = document.doubt or doubts.of_list(
            session, source, len(listed), len(stored.new_ids), state.now
        )
        left_is_known = document.whole and not error
        requests += _after_feed(
            session, source, document, stored, listed if left_is_known else None, state
        )
    elif source.kind is SourceKind.REGISTRY:
        requests += trial_lists.more_trials(session, source, response, document, state)
        requests += trial_lists.as_of_request(source, stored, state)
    sources.follow_move(session, source, response, state.now)
    state.failures[source.id] = source.failures
    changed = bool(stored.new or stored.changed)
    if error:
        sources.record_doubt(
            source, state.now, state.interval, response, document, error, changed=changed
        )
        return Outcome(PollStatus.FAILED, error, stored, tuple(requests))
    # An unchanged first page of a search says nothing about its other pages, so it is always parsed
    # again; and so is what was not stored wholly.
    whole = not stored.postponed and not judgement.damaged and not trial_lists.is_search(source)
    if source.kind is SourceKind.FEED:
        whole = whole and document.whole
    sources.record_success(
        source, state.now, state.interval, response, document, changed=changed, whole=whole
    )
    return Outcome(PollStatus.OK, stored=stored, requests=tuple(requests))


def _after_feed(
    session: Session,
    source: Source,
    document: ParsedDocument,
    stored: Stored,
    listed: Collection[int] | None,
    state: PollState,
) -> Iterable[Request]:
    """Note what a feed lists, and return the requests that follow.

    Args:
        session: a writing session.
        source: the feed.
        document: its document.
        stored: what was stored of it.
        listed: the ids of the entries in it; None if that is not believed.
        state: the poll.
    """
    sources.note_posts_url(source, document.posts_url, state.now)
    left: Sequence[int] = ()
    if listed is not None:
        left = presence.note_listed(session, source, listed, state.now)
    requests = [
        *page_checks.of_entries(session, left, state.now),
        *state.waiting.pop(source.id, ()),
        *due_requests.posts(session, [source.id], state.now),
    ]
    requests += articles.of_document(session, source, stored.new_ids, state.now)
    return {(request.purpose, request.entry_id): request for request in requests}.values()


def _fail_list(source: Source, response: Response, error: str, state: PollState) -> None:
    """Store that a search could not be read to its end, although its first page could be read."""
    earlier = state.failures.get(source.id, 0)
    sources.record_failure(source, state.now, state.interval, response, error, earlier=earlier)


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
    by_id = source_lists.many(session, [response.request.source_id for response in responses])
    for response in responses:
        if source := by_id.get(response.request.source_id):
            sources.follow_move(session, source, response, state.now)
            sources.record_success(source, state.now, state.interval, response)
    doubts.forget(session, list(by_id))


def reject(source: Source, response: Response, error: str, state: PollState) -> Outcome:
    """Store that a response could not be parsed.

    Args:
        source: the source, in a writing session.
        response: one of the purposes `FAILURES_STORED`.
        error: the reason, a clause.
        state: the poll.
    """
    purpose = response.request.purpose
    judgement = state.judgements.pop(source.id, None)
    if judgement is not None and judgement.is_first:
        sources.is_doubted_for_long(source, state.now)
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
    for source in source_lists.many(session, state.dated_by[url]).values():
        sources.note_as_of(source, moment)
        entries.date_revisions(session, source, moment, state.now)
