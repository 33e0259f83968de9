"""Withdrawals: the evidence that is needed, as pure rules and on stored entries."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from notifier.enums import HeldBecause, NewsKind
from notifier.store import db
from notifier.store.models import Entry, Match, Profile, Revision
from notifier.watch import entries, page_checks, presence, sources
from notifier.watch.http.types import Purpose, Request, Response
from notifier.watch.page_checks import (
    ELSEWHERE,
    PRESENT,
    UNKNOWN,
    PageCheck,
    PageState,
    SiteAnswers,
)
from notifier.watch.parsers.observation import Observation
from notifier.watch.withdrawals import Evidence, Site, Verdict, gone_for, judge

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SITE = "https://herald.example.org"
MISSING = PageCheck(PageState.MISSING, "answers that there is no such page (404)")


@pytest.mark.parametrize(
    ("hours", "site", "most", "verdict"),
    [
        (None, Site.WELL, False, Verdict.WAIT),  # still listed
        (0, Site.WELL, False, Verdict.WAIT),
        (23, Site.WELL, False, Verdict.WAIT),
        (24, Site.WELL, False, Verdict.WITHDRAW),
        (24, Site.WELL, True, Verdict.HOLD),
        (24, Site.ALONE, False, Verdict.HOLD),
        (24, Site.UNWELL, False, Verdict.WAIT),
        (47, Site.UNWELL, False, Verdict.WAIT),
        (48, Site.UNWELL, False, Verdict.HOLD),
        (48, Site.UNWELL, True, Verdict.HOLD),
        (90, Site.WELL, False, Verdict.WITHDRAW),
    ],
)  # fmt: skip
def test_a_page_must_stay_away_for_a_day_while_its_site_is_well(
    hours: int | None, site: Site, most: bool, verdict: Verdict
):
    span = None if hours is None else timedelta(hours=hours)
    assert judge(span, Evidence(site, most_are_gone=most)) is verdict


def test_the_time_counts_from_when_the_page_was_missing_and_its_feed_did_not_list_it():
    assert gone_for(MONDAY, None, MONDAY + DAY) is None
    assert gone_for(MONDAY, MONDAY + HOUR, MONDAY + DAY) == 23 * HOUR
    assert gone_for(MONDAY + HOUR, MONDAY, MONDAY + DAY) == 23 * HOUR


def answer(url: str, landed: str = "", status: int = 200, **more) -> Response:
    request = Request(1, url, purpose=Purpose.CHECK, entry_id=1)
    return Response(request, landed or url, status, **more)


@pytest.mark.parametrize(
    ("asked", "landed", "status", "check"),
    [
        ("/a/1", "/a/1", 404, MISSING),
        ("/a/1", "/a/1/", 404, MISSING),
        ("/a/1", "https://www.herald.example.org/a/1", 404, MISSING),
        ("/a/1", "/a/1", 403, UNKNOWN),
        ("/a/1", "/a/1", 401, UNKNOWN),
        ("/a/1", "/a/1", 429, UNKNOWN),
        ("/a/1", "/a/1", 451, UNKNOWN),
        ("/a/1", "/a/1", 503, UNKNOWN),
        ("/?p=12", "/2026/03/a-headline/", 404, MISSING),
        ("/a/1", "/", 404, UNKNOWN),
        ("/a/1", "/nowhere", 404, UNKNOWN),
        ("/a/1", "/archive/a-1", 410, UNKNOWN),
        ("/a/1", "/login?next=/a/1", 404, UNKNOWN),
        ("/a/1", "https://login.example.net/", 404, UNKNOWN),
        ("/a/1", "https://sso.herald.example.org/x", 404, UNKNOWN),
        ("/a/1", "/a/1", 200, PRESENT),
        ("/a/1", "/a/1/", 200, PRESENT),
        ("/a/1?utm_source=rss", "/a/1", 200, PRESENT),
        ("/?p=12", "/2026/03/a-headline/", 200, PRESENT),
        ("/a/1", "/archive/2026/1", 200, PRESENT),
        ("/a/1", "/", 200, ELSEWHERE),
        ("/a/1", "/?paywall=1&from=/a/1", 200, ELSEWHERE),
        ("/a/1", "/a/", 200, ELSEWHERE),
        ("/a/1", "/login?next=/a/1", 200, ELSEWHERE),
        ("/a/1", "/user/sign-in", 200, ELSEWHERE),
        ("/a/1", "/consent/?to=/a/1", 200, ELSEWHERE),
        ("/a/1", "/errors/404.html", 200, ELSEWHERE),
        ("/a/1", "/page-not-found", 200, ELSEWHERE),
        ("/a/1", "/abo/", 200, ELSEWHERE),
        ("/a/1", "https://accounts.example.net/?back=%2Fa%2F1", 200, ELSEWHERE),
        ("/a/1", "https://parking.example.com/", 200, ELSEWHERE),
    ],
)  # fmt: skip
def test_only_the_pages_own_address_says_whether_it_is_there(
    asked: str, landed: str, status: int, check: PageCheck
):
    landed = landed if landed.startswith("https:") else SITE + landed
    judged = page_checks.judge_response(answer(SITE + asked, landed, status))
    assert (judged.state, judged.answer) == (check.state, check.answer)


def test_an_outage_or_a_challenge_says_nothing_about_a_page():
    url = f"{SITE}/a/1"
    assert page_checks.judge_response(answer(url, status=0, error="no answer")) == UNKNOWN
    challenge = {"cf-mitigated": "challenge"}
    assert page_checks.judge_response(answer(url, status=404, headers=challenge)) == UNKNOWN
    assert page_checks.judge_response(answer(url, status=200, headers=challenge)) == UNKNOWN


class Office:
    """A source whose entries the test stores and checks by hand."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.source, _ = sources.add(session, f"{SITE}/feed/", MONDAY - DAY)
        self.source.baselined_at = MONDAY - DAY
        self.profile = Profile(
            slug="x", name="X", summary="", document={}, imported_at=MONDAY, position=0, stage=""
        )

    def write(self, *numbers: int, **more) -> list[int]:
        """Store the articles of these numbers; return their ids."""
        written = [
            Observation(
                **{
                    "guid": f"g{number}",
                    "url": f"{SITE}/a/{number}",
                    "title": f"Talk {number} was heard by many people",
                    **more,
                }
            )
            for number in numbers
        ]
        stored = entries.store(self.session, self.source, written, MONDAY)
        return sorted(stored.new_ids)

    def write_alone(self, **more) -> int:
        """Store an article whose site has no other one; its feed lists another site's, too."""
        (one,) = self.write(1, **more)
        self.write(2, url="https://clinic.example.net/a/2")
        return one

    def leave(self, *entry_ids: int, at: datetime = MONDAY) -> None:
        """Have the feed no longer list these."""
        everything = {entry.id for entry in self.session.query(Entry)}
        gone = {entry.id for entry in self.session.query(Entry) if entry.left_at}
        presence.note_listed(self.session, self.source, everything - gone - set(entry_ids), at)

    def check(
        self, day: float, states: dict[int, PageCheck], front: int = 200, others: int = 200
    ) -> int:
        """Store checks; the site answers with these statuses. Return how many are withdrawn."""
        now = MONDAY + day * DAY
        answers = SiteAnswers()
        for entry_id, check in states.items():
            if check.state is PageState.MISSING:
                for request in page_checks.requests_to_site(self.session, entry_id, answers, now):
                    status = others if request.entry_id else front
                    answers.note(Response(request, request.url, status))
        stored = presence.note_checked(self.session, self.source.id, states, answers, now)
        assert stored.changed == stored.withdrawn
        return stored.withdrawn

    def states(self, entry_id: int) -> list[tuple[str, str]]:
        """Return kind and reason of the revisions after the first."""
        self.session.flush()
        return [
            (one.kind, one.held_because)
            for one in self.session.query(Revision)
            .filter(Revision.entry_id == entry_id)
            .order_by(Revision.number)
        ][1:]


TOLD = (NewsKind.WITHDRAWN, "")
HELD = (NewsKind.WITHDRAWN, HeldBecause.WITHDRAWAL)
AGAIN = (NewsKind.CORRECTED, "")


@pytest.fixture
def office(sqlite_engine: Engine) -> Iterator[Office]:
    with db.writing(sqlite_engine) as session:
        yield Office(session)


def test_a_page_that_stays_away_after_it_left_the_feed_is_withdrawn(office: Office):
    one, *_ = office.write(1, 2, 3)
    office.leave(one)
    assert office.check(0, {one: MISSING}) == 0
    assert office.check(0.9, {one: MISSING}) == 0
    assert office.check(1, {one: MISSING}) == 1
    assert office.states(one) == [TOLD]
    assert office.check(2, {one: MISSING}) == 0
    assert office.states(one) == [TOLD]


def test_what_the_feed_still_lists_is_not_withdrawn(office: Office):
    one, *_ = office.write(1, 2, 3)
    for day in range(6):
        assert office.check(day, {one: MISSING}) == 0
    assert office.states(one) == []


def test_what_leaves_the_feed_long_after_its_page_has_its_own_day(office: Office):
    one, *_ = office.write(1, 2, 3)
    office.check(0, {one: MISSING})
    office.leave(one, at=MONDAY + 3 * DAY)
    assert office.check(3, {one: MISSING}) == 0
    assert office.check(4, {one: MISSING}) == 1


@pytest.mark.parametrize("between", [PRESENT, ELSEWHERE], ids=lambda check: check.state)
def test_another_answer_in_between_starts_the_day_again(office: Office, between: PageCheck):
    one, *_ = office.write(1, 2, 3)
    office.leave(one)
    office.check(0, {one: MISSING})
    office.check(1, {one: between})
    assert office.check(2, {one: MISSING}) == 0
    assert office.check(3, {one: MISSING}) == 1


def test_an_outage_in_between_does_not_start_the_day_again(office: Office):
    one, *_ = office.write(1, 2, 3)
    office.leave(one)
    office.check(0, {one: MISSING})
    office.check(1, {one: UNKNOWN})
    assert office.check(2, {one: MISSING}) == 1


def test_the_only_article_of_a_site_is_held(office: Office):
    one = office.write_alone()
    office.leave(one)
    office.check(0, {one: MISSING})
    assert office.check(1, {one: MISSING}) == 0
    assert office.states(one) == [HELD]


@pytest.mark.parametrize(
    ("front", "others"), [(503, 200), (200, 503), (200, 403), (429, 200), (200, 404), (0, 0)]
)
def test_the_site_that_is_unwell_is_waited_for_and_then_a_person_is_asked(
    office: Office, front: int, others: int
):
    one, *_ = office.write(1, 2, 3)
    office.leave(one)
    office.check(0, {one: MISSING}, front, others)
    assert office.check(1, {one: MISSING}, front, others) == 0
    assert office.states(one) == []
    assert office.check(2, {one: MISSING}, front, others) == 0
    assert office.states(one) == [HELD]


def test_the_site_that_is_well_the_day_after_withdraws_then(office: Office):
    one, *_ = office.write(1, 2, 3)
    office.leave(one)
    office.check(0, {one: MISSING})
    assert office.check(1, {one: MISSING}, front=503) == 0
    assert office.check(2, {one: MISSING}) == 1
    assert office.states(one) == [TOLD]


def test_the_site_without_a_front_page_is_well_if_another_article_is_there(office: Office):
    one, *_ = office.write(1, 2, 3)
    office.leave(one)
    office.check(0, {one: MISSING}, front=404)
    assert office.check(1, {one: MISSING}, front=404) == 1


@pytest.mark.parametrize(
    ("missing", "present", "told"),
    [(1, 0, 1), (1, 1, 1), (2, 3, 2), (2, 2, 2), (2, 1, 0), (3, 2, 0), (2, 0, 0)],
)
def test_more_than_one_and_more_than_half_are_held(
    office: Office, missing: int, present: int, told: int
):
    checked = office.write(*range(missing + present))
    office.write(*range(100, 104))
    gone = checked[:missing]
    office.leave(*gone)
    for day in (0, 1):
        states = {entry_id: MISSING if entry_id in gone else PRESENT for entry_id in checked}
        withdrawn = office.check(day, states)
    assert withdrawn == told
    assert [office.states(entry_id) for entry_id in gone] == [[TOLD if told else HELD]] * missing


def test_checks_of_one_day_in_different_polls_are_counted_together(office: Office):
    first, second, third, *_ = office.write(1, 2, 3, 4, 5)
    office.leave(first, second, third)
    for number, one in enumerate((first, second, third)):
        office.check(number / 24, {one: MISSING})
    told = [
        office.check(1 + number / 24, {one: MISSING})
        for number, one in enumerate((first, second, third))
    ]
    assert told == [0, 0, 0]


def test_one_that_was_told_before_does_not_count_as_gone_with_others(office: Office):
    first, second, *_ = office.write(1, 2, 3, 4)
    office.leave(first)
    office.check(0, {first: MISSING})
    assert office.check(1, {first: MISSING}) == 1
    office.leave(second, at=MONDAY + 2 * DAY)
    office.check(2, {first: MISSING, second: MISSING})
    assert office.check(3, {first: MISSING, second: MISSING}) == 1


def test_a_held_withdrawal_ends_when_the_page_is_there_again(office: Office):
    one = office.write_alone()
    office.leave(one)
    office.check(0, {one: MISSING})
    office.check(1, {one: MISSING})
    office.check(2, {one: ELSEWHERE})
    assert office.states(one) == [HELD]
    office.check(3, {one: PRESENT})
    assert office.states(one) == [HELD, AGAIN]


def test_a_held_withdrawal_ends_when_the_feed_lists_it_again(office: Office):
    one = office.write_alone()
    office.leave(one)
    office.check(0, {one: MISSING})
    office.check(1, {one: MISSING})
    office.write(1)
    assert office.states(one) == [HELD, AGAIN]
    assert office.check(2, {one: MISSING}) == 0
    assert office.check(4, {one: MISSING}) == 0


def test_an_edit_is_not_lost_when_a_held_withdrawal_ends(office: Office):
    one = office.write_alone(body="All 89 patients went home. " * 9)
    office.leave(one)
    office.check(0, {one: MISSING})
    office.check(1, {one: MISSING})
    for _ in range(2):
        office.write(1, body="All 98 patients went home. " * 9)
    assert office.states(one) == [HELD, AGAIN, AGAIN]


def test_the_publishers_mark_is_told_of_what_was_held(office: Office):
    one = office.write_alone()
    office.leave(one)
    office.check(0, {one: MISSING})
    office.check(1, {one: MISSING})
    title = "Talk 1 was heard by many people"
    office.write(1, title=f"Retracted: {title}", withdrawn="The publisher retracted it.")
    assert office.states(one) == [HELD, TOLD]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/2026/03/{}-news/", "/news/{}-news/"),
        ("/news/{}-news.html", "/news/{}-news"),
        ("/news/{}-news-1000{}", "/news/{}-news"),
        ("/artikel/4711{}", "/artikel/{}-news"),
        ("/?p=4{}", "/news/{}-news"),
        ("/show.php?id={}", "/show.php?article={}"),
    ],
)
def test_a_page_of_a_site_that_changed_its_addresses_is_held(office: Office, old: str, new: str):
    known = [office.write(n, url=SITE + old.format(n, n))[0] for n in (1, 2, 3)]
    office.leave(*known)
    for number in (4, 5, 6):
        office.write(number, url=SITE + new.format(number, number))
    for day in range(3):
        now, answers = MONDAY + day * DAY, SiteAnswers()
        for request in page_checks.requests_to_site(office.session, known[0], answers, now):
            is_old = request.entry_id in known
            answers.note(Response(request, request.url, 404 if is_old else 200))
        states = {known[0]: MISSING}
        assert not presence.note_checked(
            office.session, office.source.id, states, answers, now
        ).changed
    assert office.states(known[0]) == [HELD]


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("/2026/03/one-word/", "/2025/11/two-words-2026/"),
        ("/news/phase-3-of-it.html", "/news/a-quiz.html"),
        ("/a/1", "/a/234567"),
        ("/news/one-1234567", "/news/two-7654321"),
        ("/show.php?id=1&lang=en", "/show.php?lang=de&id=2"),
        ("/news/one", "https://www.herald.example.org/news/two/"),
    ],
)
def test_addresses_of_one_sort_have_one_form(url: str, other: str):
    other = other if other.startswith("https:") else SITE + other
    assert page_checks.form_of(SITE + url) == page_checks.form_of(other)


def test_an_article_that_is_the_only_one_of_its_sort_is_judged_by_others(office: Office):
    (one,) = office.write(1, url=f"{SITE}/press/1")
    office.write(2, 3)
    office.leave(one)
    office.check(0, {one: MISSING})
    assert office.check(1, {one: MISSING}) == 1


def test_an_article_that_is_listed_under_another_address_is_held(office: Office):
    one, two, *_ = office.write(1, 2, 3)
    office.session.get_one(Entry, two).title = "Talk 1 was heard by many people"
    office.leave(one)
    office.check(0, {one: MISSING})
    assert office.check(1, {one: MISSING}) == 0
    assert office.states(one) == [HELD]


@pytest.mark.parametrize("other", ["/a/1", "/a/1#part-2"])
def test_a_page_of_several_items_says_nothing_about_one_of_them(office: Office, other: str):
    one, *_ = office.write(1, 2, 3)
    office.write(8, url=SITE + other)
    office.leave(one)
    for day in range(5):
        assert office.check(day, {one: MISSING}) == 0
    assert office.states(one) == []


def test_the_site_is_asked_once_a_poll_and_only_when_a_page_stays_away(office: Office):
    one, two, *_ = office.write(1, 2, 3, 4, 5, 6)
    office.leave(one, two)
    answers = SiteAnswers()
    assert page_checks.requests_to_site(office.session, one, answers, MONDAY) == []
    office.check(0, {one: MISSING, two: MISSING})
    requests = page_checks.requests_to_site(office.session, one, answers, MONDAY + DAY)
    assert page_checks.requests_to_site(office.session, two, answers, MONDAY + DAY) == []
    paths = [request.url.removeprefix(SITE) for request in requests]
    assert paths == ["/", "/a/6", "/a/5", "/a/4"]
    assert {request.purpose for request in requests} == {Purpose.SITE}
    assert not Purpose.SITE.wants_body


def test_a_front_page_on_a_host_within_the_same_name_is_well(office: Office):
    front_page = Request(1, f"{SITE}/", purpose=Purpose.SITE)
    for landed, failing in (
        (f"{SITE}/de/", False),
        ("https://www.herald.example.org/", False),
        ("https://de.herald.example.org/", False),
        ("https://notherald.example.org/", True),
        ("https://login.example.net/", True),
    ):
        answers = SiteAnswers()
        answers.note(Response(front_page, landed, 200))
        assert bool(answers.failing) is failing, landed


def test_the_page_of_an_entry_of_the_future_is_not_checked(office: Office):
    session = office.session
    session.add(office.profile)
    session.flush()
    ids = [*office.write(1, published_at=MONDAY + 3 * DAY), *office.write(2, published_at=MONDAY)]
    for position, entry_id in enumerate(ids, 1):
        session.add(
            Match(
                profile_id=office.profile.id,
                revision_id=session.get_one(Entry, entry_id).revisions[0].id,
                entry_id=entry_id,
                position=position,
                kind=NewsKind.NEW,
                tier="about",
                score=0.9,
                reasons=[],
                filed=False,
                created_at=MONDAY,
            )
        )
    session.flush()
    requests = page_checks.due(session, [office.source.id], MONDAY + 2 * DAY)
    assert [request.entry_id for request in requests] == ids[1:]
    requests = page_checks.due(session, [office.source.id], MONDAY + 4 * DAY)
    assert sorted(request.entry_id for request in requests) == ids


def test_pages_that_are_there_are_stored_without_loading_their_states(office: Office):
    ids = office.write(*range(1, 9))
    office.session.flush()
    office.session.expunge_all()
    office.check(1, dict.fromkeys(ids, PRESENT) | {ids[0]: UNKNOWN})
    loaded = office.session.identity_map.values()
    assert {one.checked_at for one in loaded if isinstance(one, Entry)} == {MONDAY + DAY}
    assert not any(isinstance(one, Revision) for one in loaded)
