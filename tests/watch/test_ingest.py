"""What a response means for its source: decided without network, parser process, or clock."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from notifier.enums import NewsKind, PollStatus
from notifier.store import db
from notifier.store.models import Entry, Revision, Source
from notifier.watch import entries, ingest, sources
from notifier.watch.http.types import Purpose, Request, Response
from notifier.watch.page_checks import PageCheck, PageState
from notifier.watch.parsers import wordpress
from notifier.watch.parsers.observation import Observation, Origin, ParsedDocument
from notifier.watch.poll_state import Outcome, PollState
from notifier.watch.stored import Stored

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HALF_HOUR = timedelta(minutes=30)
FEED = "https://herald.example.org/feed/"
SEARCH = "https://registry.example.org/api/v2/studies?query.term=frexalimab"
GONE = PageCheck(PageState.MISSING, "answers that there is no such page (410)")
MISSING = PageCheck(PageState.MISSING, "answers that there is no such page (404)")


@pytest.fixture
def session(sqlite_engine: Engine) -> Iterator[Session]:
    with db.writing(sqlite_engine) as session:
        yield session


def poll_at(moment: datetime) -> PollState:
    return PollState(moment, HALF_HOUR)


def watch(session: Session, url: str = FEED) -> Source:
    source, _ = sources.add(session, url, MONDAY - DAY)
    return source


def response_to(
    source: Source, purpose: Purpose = Purpose.DOCUMENT, url: str = "", **values
) -> Response:
    url = url or source.url
    return Response(Request(source.id, url, purpose=purpose), url, **({"status": 200} | values))


def article(number: int, body: str = "", **values) -> Observation:
    return Observation(
        guid=f"article-{number}",
        url=f"https://herald.example.org/{number}/",
        title=f"Article {number}",
        summary="It begins here […]",
        body=body,
        **values,
    )


def trial(number: int, status: str = "Recruiting") -> Observation:
    name = f"NCT{number:08}"
    fields = {"Status": status}
    return Observation(
        guid=name,
        url=f"https://clinicaltrials.gov/study/{name}",
        title=name,
        content={"trial": name, "fields": fields, "lists": {}},
        change=NewsKind.TRIAL_CHANGE,
    )


def ingested(
    session: Session,
    source: Source,
    state: PollState,
    document: ParsedDocument,
    response: Response | None = None,
) -> Outcome:
    """Take a document through all steps, as the poll does."""
    response = response or response_to(source)
    plan = ingest.plan(session, source, document)
    plan.compare()
    known_only = not ingest.stores_new_entries(source, response.request.purpose)
    stored = Stored(seen=len(plan.unchanged), entry_ids=plan.unchanged)
    for part in plan.parts:
        stored = stored.plus(
            entries.store_part(
                session, source, part, plan.differences, state.now, known_only=known_only
            )
        )
    return ingest.complete(session, source, response, document, stored, state)


def test_items_that_are_as_they_were_are_not_stored_again(session: Session):
    source = watch(session)
    first = ParsedDocument("", tuple(article(number) for number in range(4)))
    ingested(session, source, poll_at(MONDAY), first)
    later = ParsedDocument(
        "",
        (
            article(0),
            article(1, body="It goes on like this. " * 30),
            replace(article(2), url="https://herald.example.org/moved/"),
            article(9),
        ),
    )
    plan = ingest.plan(session, source, later)
    assert len(plan.unchanged) == 1
    assert [item.guid for part in plan.parts for item, _ in part] == [
        "article-1",
        "article-2",
        "article-9",
    ]
    outcome = ingested(session, source, poll_at(MONDAY + HOUR), later)
    assert (outcome.stored.seen, outcome.stored.new, outcome.stored.changed) == (4, 1, 1)
    left = [entry.key for entry in session.query(Entry) if entry.left_at is not None]
    assert left == ["guid:article-3"]


def test_an_item_that_is_listed_again_is_noted(session: Session):
    source = watch(session)
    both = ParsedDocument("", (article(1), article(2)))
    for hours, document in enumerate((both, ParsedDocument("", (article(1),)), both)):
        ingested(session, source, poll_at(MONDAY + hours * HOUR), document)
    assert {entry.left_at for entry in session.query(Entry)} == {None}


def purposes(outcome: Outcome) -> list[tuple[Purpose, str]]:
    return [(request.purpose, request.url) for request in outcome.requests]


def test_a_feed_is_stored_and_its_teasers_are_requested(session: Session):
    source = watch(session)
    document = ParsedDocument("The Herald", (article(1), article(2, body="x" * 700)))
    outcome = ingested(session, source, poll_at(MONDAY), document)
    assert (outcome.status, outcome.error) == (PollStatus.OK, None)
    assert (outcome.stored.seen, outcome.stored.new) == (2, 2)
    assert purposes(outcome) == [(Purpose.ARTICLE, "https://herald.example.org/1/")]
    assert (source.name, source.last_success_at) == ("The Herald", MONDAY)
    assert source.next_poll_at > MONDAY


def test_a_list_of_posts_is_requested_instead_of_the_teasers(session: Session):
    source = watch(session)
    posts = "https://herald.example.org/wp-json/wp/v2/posts"
    document = ParsedDocument("", (article(1),), posts_url=posts)
    outcome = ingested(session, source, poll_at(MONDAY), document)
    assert [purpose for purpose, _ in purposes(outcome)] == [Purpose.POSTS]
    assert purposes(outcome)[0][1].startswith(f"{posts}?modified_after=2025-12-01")


def test_requests_that_waited_for_the_document_follow_it_once(session: Session):
    source, state = watch(session), poll_at(MONDAY)
    check = Request(source.id, "https://herald.example.org/9/", purpose=Purpose.CHECK, entry_id=9)
    state.waiting[source.id] += [check, check]
    outcome = ingested(session, source, state, ParsedDocument("", ()))
    assert outcome.requests == (check,)
    assert source.id not in state.waiting


def test_the_first_poll_of_a_source_is_a_baseline_and_the_second_is_not(session: Session):
    source = watch(session)
    ingested(session, source, poll_at(MONDAY), ParsedDocument("", (article(1),)))
    ingested(session, source, poll_at(MONDAY + DAY), ParsedDocument("", (article(1), article(2))))
    assert [revision.baseline for revision in session.scalars(select(Revision))] == [True, False]


def test_an_unchanged_document_keeps_its_validators(session: Session):
    source = watch(session)
    first = response_to(source, headers={"etag": '"one"'}, body=b"<rss/>")
    ingested(session, source, poll_at(MONDAY), ParsedDocument("", ()), first)
    ingest.store_unchanged(session, [response_to(source, status=304)], poll_at(MONDAY + DAY))
    assert (source.etag, source.last_success_at) == ('"one"', MONDAY + DAY)


@pytest.mark.parametrize(("status", "expected"), [(500, PollStatus.FAILED), (410, PollStatus.GONE)])
def test_a_document_that_cannot_be_parsed_is_stored_with_its_source(
    session: Session, status: int, expected: PollStatus
):
    source = watch(session)
    outcome = ingest.reject(source, response_to(source, status=status), "why", poll_at(MONDAY))
    assert outcome == Outcome(expected, "why")
    assert (source.failures, source.last_error) == (1, "why")
    assert (source.gone_at is not None) == (expected is PollStatus.GONE)


@pytest.mark.parametrize(
    ("status", "pause"),
    [(404, wordpress.PAUSE_AFTER_REFUSAL), (500, wordpress.PAUSE_AFTER_FAILURE)],
)
def test_a_list_of_posts_that_fails_is_requested_later_and_its_source_does_not_fail(
    session: Session, status: int, pause: timedelta
):
    source = watch(session)
    response = response_to(source, Purpose.POSTS, status=status)
    assert ingest.reject(source, response, "why", poll_at(MONDAY)) == Outcome()
    assert (source.posts_next_at, source.failures) == (MONDAY + pause, 0)


def test_a_list_of_posts_is_read_page_by_page(session: Session):
    source, state = watch(session), poll_at(MONDAY)
    ingested(session, source, state, ParsedDocument("", (article(1),)))
    posts = response_to(source, Purpose.POSTS)
    edited = article(1, body="The whole text of it. " * 9, origin=Origin.POSTS)
    first = ingested(session, source, state, ParsedDocument("", (edited,), next_url="p2"), posts)
    assert (first.status, purposes(first)) == (None, [(Purpose.POSTS, "p2")])
    assert source.posts_next_at is None
    last = ParsedDocument("", (), until=MONDAY - HOUR)
    assert ingested(session, source, state, last, posts).requests == ()
    assert (source.posts_until, source.posts_next_at) == (MONDAY - HOUR, MONDAY + HOUR)


@pytest.mark.parametrize(
    ("feed", "new"), [(FEED, 1), ("https://herald.example.org/category/ms/feed/", 0)]
)
def test_posts_that_a_feed_of_a_category_never_showed_are_not_stored(
    session: Session, feed: str, new: int
):
    source = watch(session, feed)
    posts = response_to(source, Purpose.POSTS)
    document = ParsedDocument("", (article(7, origin=Origin.POSTS),), until=MONDAY)
    assert ingested(session, source, poll_at(MONDAY), document, posts).stored.new == new


def search_page(numbers: range, page: int) -> ParsedDocument:
    next_url = f"{SEARCH}&pageToken={page}" if page else ""
    return ParsedDocument("", tuple(map(trial, numbers)), next_url=next_url)


def test_a_search_is_read_page_by_page_and_dated_once_a_poll(session: Session):
    source, state = watch(session, SEARCH), poll_at(MONDAY)
    first = ingested(session, source, state, search_page(range(2), 1))
    assert purposes(first) == [
        (Purpose.NEXT_PAGE, f"{SEARCH}&pageToken=1"),
        (Purpose.AS_OF, "https://registry.example.org/api/v2/version"),
    ]
    second = response_to(source, Purpose.NEXT_PAGE, f"{SEARCH}&pageToken=1")
    outcome = ingested(session, source, state, search_page(range(2, 4), 0), second)
    assert (outcome.status, purposes(outcome)) == (None, [])
    assert (outcome.stored.new, source.etag, source.body_hash) == (2, None, None)
    ingest.store_as_of(session, "https://registry.example.org/api/v2/version", MONDAY - DAY, state)
    assert {revision.as_of for revision in session.scalars(select(Revision))} == {MONDAY - DAY}


def test_a_page_that_was_requested_before_or_is_on_another_host_is_not_requested(session: Session):
    source, state = watch(session, SEARCH), poll_at(MONDAY)
    assert len(ingested(session, source, state, search_page(range(1), 1)).requests) == 2
    again = ingested(
        session, source, state, search_page(range(1), 1), response_to(source, Purpose.NEXT_PAGE)
    )
    assert (again.requests, again.status) == ((), PollStatus.FAILED)
    elsewhere = ParsedDocument("", (trial(0),), next_url="https://elsewhere.example.org/studies")
    assert ingested(session, source, poll_at(MONDAY), elsewhere).requests == ()


def test_the_records_of_trials_that_a_search_no_longer_finds_are_requested(session: Session):
    source = watch(session, SEARCH)
    watch(session, "https://registry.example.org/api/v2/studies/NCT00000002")
    ingested(session, source, poll_at(MONDAY), search_page(range(2), 0))
    assert ingested(session, source, poll_at(MONDAY + DAY), search_page(range(1), 0)).requests == (
        Request(
            source.id,
            "https://registry.example.org/api/v2/studies/NCT00000001",
            purpose=Purpose.RECORD,
        ),
    )


def test_a_trial_whose_own_record_is_watched_is_left_out_of_a_search(session: Session):
    source = watch(session, SEARCH)
    watch(session, "https://registry.example.org/api/v2/studies/NCT00000001")
    assert ingested(session, source, poll_at(MONDAY), search_page(range(2), 0)).stored.new == 1


def test_a_next_page_that_fails_leaves_the_baseline_to_the_next_poll(session: Session):
    source, state = watch(session, SEARCH), poll_at(MONDAY)
    ingested(session, source, state, search_page(range(2), 1))
    assert source.baselined_at == MONDAY
    response = response_to(source, Purpose.NEXT_PAGE, status=500)
    assert ingest.reject(source, response, "why", state).status is PollStatus.FAILED
    assert (source.baselined_at, source.failures) == (None, 1)


def test_trouble_that_nobody_expected_is_stored_without_the_answers_headers(session: Session):
    source, state = watch(session), poll_at(MONDAY)
    ingested(session, source, state, ParsedDocument("", (article(1),)))
    outcome = ingest.record_trouble(source, Request(source.id, FEED), "why", state)
    assert outcome == Outcome(PollStatus.FAILED, "why")
    assert (source.failures, source.last_error, source.baselined_at) == (1, "why", None)


def test_a_removed_source_is_not_a_watched_one(session: Session):
    source = watch(session)
    assert ingest.watched_source(session, source.id) is source
    sources.remove(session, FEED, MONDAY)
    assert ingest.watched_source(session, source.id) is None
    assert ingest.watched_source(session, source.id + 1) is None
