"""A digest that waits or is held does not go out with news that changed meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from notifier.admin import issues, review
from notifier.digest.issues import state_of
from notifier.enums import DeliveryStatus, EndReason
from notifier.match import dropping
from notifier.operators.actions import Actor
from notifier.operators.actions import text_of as action_text
from notifier.pipeline import changed_news, compose, deliver, match, planning, poll
from notifier.pipeline.run import run_once
from notifier.settings import Operator, Review, Smtp
from notifier.store.models import Delivery, Digest, Match, Subscriber, Subscription
from notifier.subscribers import lifecycle, subscriptions
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import free_port, text_of
from tests.support.news_site import Article

pytestmark = pytest.mark.postgresql_long

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TUESDAY, WEDNESDAY, THURSDAY = MONDAY + DAY, MONDAY + 2 * DAY, MONDAY + 3 * DAY
NEXT_TUESDAY = TUESDAY + 7 * DAY
ANNA, BEN, EDITOR = "anna@example.org", "ben@example.org", "editor@example.org"
LESIONS = Article("Frexalimab slows lesions", "Of 89 patients, 40 had none.", slug="lesions")
SLEEP = Article("Frexalimab and sleep", "A survey of 12 clinics.", slug="sleep")
TRIAL = Article("Frexalimab phase 3 trial is full", "All 1400 places are taken.", slug="full")
RELATED = Article("Another CD40L antibody fails", "Made up, in lupus.", slug="other")
CORRECTED = replace(LESIONS, summary="Of 89 patients, 14 had none.")
WITHDRAWN = replace(LESIONS, title=f"RETRACTED: {LESIONS.title}")
CHANGES = {"withdrawn": WITHDRAWN, "corrected": CORRECTED}


def server_away(installation: Installation, moment: datetime) -> None:
    """Run all steps while the mail server cannot be reached."""
    deps = installation.at(moment)
    away = Smtp(port=free_port(), security="none", timeout_seconds=5)
    run_once(replace(deps, settings=deps.settings.model_copy(update={"smtp": away})))


def run(installation: Installation, *moments: datetime) -> None:
    for moment in moments:
        assert run_once(installation.at(moment)).problems == ()


def told(installation: Installation, reader: str) -> list[list[str]]:
    """Return what each mail to a reader says of the news: its slug, or what changed."""
    return [
        [
            f"{article.slug} {word}" if word else article.slug
            for article in (LESIONS, SLEEP, TRIAL, RELATED)
            if article.title in text
            for word in [_change_in(text, article)]
        ]
        for mail in installation.sink.to(reader)
        for text in [" ".join(text_of(mail).split())]
    ]


def _change_in(text: str, article: Article) -> str:
    before = text[: text.index(article.title)].lower()
    about = text[text.index(article.title) :].lower()[:300]
    if article.slug != LESIONS.slug:
        return ""
    if "withdrawn" in before or "withdrawn" in about:
        return "withdrawn"
    if "corrected" in before or "correction" in before:
        return "corrected"
    return "14" if "14 had none" in about else ""


def statuses(installation: Installation) -> list[tuple[str, str]]:
    with installation.at(MONDAY).reading() as session:
        rows = session.scalars(select(Delivery).where(Delivery.digest_id.is_not(None)))
        return [(str(each.status), each.ended_because) for each in sorted(rows, key=lambda d: d.id)]


def digest_statuses(installation: Installation) -> list[str]:
    with installation.at(MONDAY).reading() as session:
        return [str(each) for each in session.scalars(select(Digest.status).order_by(Digest.id))]


MERGED = (str(DeliveryStatus.SUPPRESSED), str(EndReason.MERGED))


# A digest that waits


@pytest.fixture(params=["weekly", "monthly", "immediate"])
def waiting(request: pytest.FixtureRequest, any_installation: Installation) -> Installation:
    """An installation whose mail server is away since the digest of Tuesday was due."""
    every = {"weekly": {"on": "tuesday"}, "monthly": {"on": "3"}}.get(request.param, {})
    for reader in (ANNA, BEN):
        any_installation.subscribe(reader, every=request.param, **every)
    run(any_installation, MONDAY)
    any_installation.publish([LESIONS, SLEEP])
    server_away(any_installation, TUESDAY - HOUR)
    server_away(any_installation, TUESDAY)
    assert statuses(any_installation) == [("pending", "")] * 2
    return any_installation


@pytest.mark.parametrize("change", CHANGES)
def test_news_that_changed_while_our_server_was_away_goes_out_as_it_is_now_or_not_at_all(
    waiting: Installation, change: str
):
    waiting.publish([CHANGES[change], SLEEP])
    server_away(waiting, WEDNESDAY)
    run(waiting, THURSDAY, THURSDAY + HOUR, NEXT_TUESDAY, NEXT_TUESDAY + DAY)
    expected = ["sleep"] if change == "withdrawn" else ["lesions 14", "sleep"]
    assert [told(waiting, reader) for reader in (ANNA, BEN)] == [[expected]] * 2
    assert statuses(waiting)[:2] == [MERGED] * 2
    assert set(digest_statuses(waiting)) <= {"sent", "failed"}


def test_news_that_changed_right_before_the_server_is_back_is_not_sent_as_it_was(
    waiting: Installation,
):
    waiting.publish([WITHDRAWN, SLEEP])
    run(waiting, THURSDAY)
    assert told(waiting, ANNA) == told(waiting, BEN) == [["sleep"]]


def test_a_digest_with_nothing_but_withdrawn_news_is_not_sent(any_installation: Installation):
    any_installation.subscribe(ANNA, every="weekly", on="tuesday")
    run(any_installation, MONDAY)
    any_installation.publish([LESIONS])
    server_away(any_installation, TUESDAY)
    any_installation.publish([WITHDRAWN])
    run(any_installation, WEDNESDAY, THURSDAY, NEXT_TUESDAY)
    assert any_installation.sink.to(ANNA) == []
    assert statuses(any_installation) == [MERGED]
    assert digest_statuses(any_installation) == ["failed"]


def test_related_news_of_a_digest_that_waits_is_not_lost_with_what_was_withdrawn(
    any_installation: Installation,
):
    any_installation.subscribe(ANNA, every="weekly", on="tuesday")
    run(any_installation, MONDAY)
    any_installation.publish([LESIONS, RELATED])
    server_away(any_installation, TUESDAY)
    any_installation.publish([WITHDRAWN, RELATED])
    run(any_installation, WEDNESDAY, NEXT_TUESDAY)
    assert told(any_installation, ANNA) == [["other"]]


def test_a_match_that_a_person_dropped_is_left_out_of_a_digest_that_waits(waiting: Installation):
    with waiting.at(WEDNESDAY).writing() as session:
        first = session.query(Match).order_by(Match.id)
        lesions = next(each for each in first if each.entry.title == LESIONS.title)
        dropping.drop(session, lesions.id, "wrong")
    run(waiting, WEDNESDAY, NEXT_TUESDAY)
    assert told(waiting, ANNA) == [["sleep"]]


@pytest.mark.parametrize("change", CHANGES)
def test_who_got_the_digest_is_told_of_the_change_once_and_who_did_not_gets_the_rest(
    any_installation: Installation, change: str
):
    for reader in (ANNA, BEN):
        any_installation.subscribe(reader, every="weekly", on="tuesday")
    run(any_installation, MONDAY)
    any_installation.publish([LESIONS, SLEEP])
    server_away(any_installation, TUESDAY - HOUR)
    server_away(any_installation, TUESDAY)
    put_off(any_installation, ANNA, THURSDAY)
    run(any_installation, TUESDAY + HOUR)
    any_installation.publish([CHANGES[change], SLEEP])
    run(any_installation, *(TUESDAY + hours * HOUR for hours in range(20, 80, 2)))
    run(any_installation, NEXT_TUESDAY, NEXT_TUESDAY + 7 * DAY)
    rest = ["sleep"] if change == "withdrawn" else ["lesions 14", "sleep"]
    assert told(any_installation, ANNA) == [rest]
    assert told(any_installation, BEN) == [["lesions", "sleep"], [f"lesions {change}"]]


def put_off(installation: Installation, reader: str, until: datetime) -> None:
    with installation.at(MONDAY).writing() as session:
        one = subscriptions.find_subscriber(session, reader).subscriptions[0]
        mine = Delivery.subscription_id == one.id, Delivery.status == DeliveryStatus.PENDING
        session.execute(update(Delivery).where(*mine).values(next_attempt_at=until))


def test_a_mail_that_is_being_sent_is_left_alone_and_its_reader_is_told_later(
    waiting: Installation,
):
    waiting.publish([WITHDRAWN, SLEEP])
    for step in (poll, compose):
        step.run(waiting.at(WEDNESDAY))
    with waiting.at(WEDNESDAY).writing() as session:
        values = {
            "status": DeliveryStatus.SENDING,
            "leased_until": WEDNESDAY + HOUR,
            "claim": "a" * 32,
        }
        session.execute(update(Delivery).where(Delivery.id == 1).values(attempts=1, **values))
    match.run(waiting.at(WEDNESDAY))
    compose.run(waiting.at(WEDNESDAY))
    assert statuses(waiting)[:2] == [("sending", ""), MERGED]


def test_a_mail_that_may_have_arrived_is_not_replaced(waiting: Installation):
    with waiting.at(WEDNESDAY).writing() as session:
        session.execute(update(Delivery).values(attempts=1))  # its worker crashed
    waiting.publish([WITHDRAWN, SLEEP])
    poll.run(waiting.at(WEDNESDAY))
    match.run(waiting.at(WEDNESDAY))
    compose.run(waiting.at(WEDNESDAY))
    assert statuses(waiting)[:2] == [("pending", "")] * 2


def test_the_mails_of_a_list_are_put_off_in_short_transactions(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    for name in ("_FIRST", "_FEWEST", "_MOST"):
        monkeypatch.setattr(planning, name, 2)
    due = any_installation.discover(7, LESIONS.title)
    compose.run(any_installation.at(due))
    with any_installation.at(due).writing() as session:
        assert len(session.scalars(select(Delivery.id)).all()) == 7
        dropping.drop(session, session.scalars(select(Match.id)).one(), "wrong")
    deps = any_installation.at(due)
    changed_news.make_due(deps, due)
    with deps.reading() as session:
        assert set(session.scalars(select(Subscription.next_due_at))) == {due}
        assert all(time > due + HOUR for time in session.scalars(select(Delivery.next_attempt_at)))


def test_once_done_nothing_is_done_again(waiting: Installation):
    waiting.publish([WITHDRAWN, SLEEP])
    run(waiting, WEDNESDAY)

    def state() -> list[object]:
        with waiting.at(WEDNESDAY).reading() as session:
            due = session.scalars(select(Subscription.next_due_at).order_by(Subscription.id))
            next_attempts = session.scalars(select(Delivery.next_attempt_at).order_by(Delivery.id))
            return [*due, *next_attempts]

    before = state()
    for minutes in range(1, 4):
        run(waiting, WEDNESDAY + minutes * MINUTE)
    assert state() == before
    assert WEDNESDAY not in before[:2]


# A digest that is owed again


def change_anna(
    installation: Installation, moment: datetime, change: Callable[..., object]
) -> None:
    with installation.at(moment).writing() as session:
        person: Subscriber = subscriptions.find_subscriber(session, ANNA)
        change(session, person.subscriptions[0], moment)


def leave(session, one: Subscription, moment: datetime) -> None:
    assert subscriptions.end(session, one, "link", "subscriber", moment)


def undo(session, one: Subscription, moment: datetime) -> None:
    assert lifecycle.undo(session, one, moment)


def pause(_session, one: Subscription, moment: datetime) -> None:
    assert lifecycle.pause(one, None, moment)


def resume(_session, one: Subscription, moment: datetime) -> None:
    assert lifecycle.resume(one, moment)


OBSTACLES = {"left and back": (leave, undo), "paused and resumed": (pause, resume)}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("obstacle", "end"), OBSTACLES.values(), ids=OBSTACLES)
def test_a_digest_that_is_owed_again_has_no_news_that_changed_meanwhile(
    any_installation: Installation, obstacle: Callable, end: Callable, change: str
):
    any_installation.subscribe(ANNA, every="weekly", on="tuesday")
    run(any_installation, MONDAY)
    any_installation.publish([LESIONS, SLEEP])
    for step in (poll, match, compose):
        step.run(any_installation.at(TUESDAY))
    change_anna(any_installation, TUESDAY + MINUTE, obstacle)
    run(any_installation, TUESDAY + 2 * MINUTE)
    any_installation.publish([CHANGES[change], SLEEP])
    run(any_installation, WEDNESDAY)
    change_anna(any_installation, WEDNESDAY + HOUR, end)
    run(any_installation, *(WEDNESDAY + hours * HOUR for hours in (2, 4, 8, 20)))
    run(any_installation, NEXT_TUESDAY, NEXT_TUESDAY + DAY)
    rest = ["sleep"] if change == "withdrawn" else ["lesions 14", "sleep"]
    assert told(any_installation, ANNA) == [rest]


# A digest that is held


@pytest.fixture
def held(any_installation: Installation) -> Installation:
    """An installation with a digest that Ben got, and that was held before Anna got it."""
    for reader in (ANNA, BEN):
        any_installation.subscribe(reader)
    run(any_installation, MONDAY)
    any_installation.publish([LESIONS, SLEEP])
    for step in (poll, match, compose):
        step.run(any_installation.at(TUESDAY))
    put_off(any_installation, ANNA, TUESDAY + HOUR)
    deliver.run(any_installation.at(TUESDAY))
    review.hold(any_installation.at(TUESDAY + MINUTE), 1)
    assert (told(any_installation, ANNA), told(any_installation, BEN)) == (
        [],
        [["lesions", "sleep"]],
    )
    return any_installation


@pytest.mark.parametrize("change", CHANGES)
def test_a_held_digest_that_is_released_after_readers_were_told_of_a_change_has_only_its_rest(
    held: Installation, change: str
):
    held.publish([CHANGES[change], SLEEP])
    run(held, WEDNESDAY)
    because = f"“{CHANGES[change].title}” was {change}"
    assert review.approve(held.at(WEDNESDAY + HOUR), 1) is None
    assert review.what_changed(held.at(WEDNESDAY + HOUR), 1) == because
    deliver.run(held.at(WEDNESDAY + HOUR))  # a worker that comes before the next run
    assert told(held, ANNA) == [[f"lesions {change}"]]
    run(held, WEDNESDAY + HOUR + MINUTE, THURSDAY, THURSDAY + DAY)
    assert told(held, ANNA) == [[f"lesions {change}"], ["sleep"]]
    assert told(held, BEN) == [["lesions", "sleep"], [f"lesions {change}"]]
    assert set(digest_statuses(held)) == {"sent"}


@pytest.mark.parametrize("change", CHANGES)
def test_a_held_digest_that_is_released_before_the_next_one_is_due_is_sent_as_it_is_now(
    held: Installation, change: str
):
    held.publish([CHANGES[change], SLEEP])
    poll.run(held.at(TUESDAY + 2 * HOUR))
    match.run(held.at(TUESDAY + 2 * HOUR))
    review.approve(held.at(TUESDAY + 3 * HOUR), 1)
    run(held, TUESDAY + 4 * HOUR, WEDNESDAY, THURSDAY)
    rest = ["sleep"] if change == "withdrawn" else ["lesions 14", "sleep"]
    assert told(held, ANNA) == [rest]
    assert told(held, BEN) == [["lesions", "sleep"], [f"lesions {change}"]]


def test_a_held_digest_of_which_nothing_changed_is_sent_as_it_is(held: Installation):
    review.approve(held.at(WEDNESDAY), 1)
    assert review.what_changed(held.at(WEDNESDAY), 1) == ""
    run(held, WEDNESDAY)
    assert told(held, ANNA) == told(held, BEN) == [["lesions", "sleep"]]


def test_an_operator_who_releases_a_held_digest_on_its_page_is_told_what_changed(
    held: Installation,
):
    held.publish([WITHDRAWN, SLEEP])
    run(held, WEDNESDAY)
    deps = held.at(WEDNESDAY + HOUR)
    with deps.reading() as session:
        shown = {1: state_of(session.get_one(Digest, 1))}
    action_id = issues.approve(deps, shown, Actor("anna", deps.now()))
    with deps.reading() as session:
        text = action_text(session, action_id, "anna")
    assert text.startswith("Released digest 1: ")
    assert f"“{WITHDRAWN.title}” was withdrawn: who has not got it is sent a new digest" in text
    run(held, WEDNESDAY + HOUR)
    assert told(held, ANNA) == [["lesions withdrawn"], ["sleep"]]


def test_a_digest_that_was_held_and_refused_ends_when_nothing_of_it_is_left(
    any_installation: Installation,
):
    any_installation.subscribe(ANNA)
    run(any_installation, MONDAY)
    any_installation.publish([LESIONS])
    for step in (poll, match, compose):
        step.run(any_installation.at(TUESDAY))
    review.hold(any_installation.at(TUESDAY), 1)
    any_installation.publish([WITHDRAWN])
    run(any_installation, WEDNESDAY)
    review.approve(any_installation.at(WEDNESDAY + HOUR), 1)
    run(any_installation, WEDNESDAY + HOUR, THURSDAY)
    assert told(any_installation, ANNA) == [["lesions withdrawn"]]
    assert statuses(any_installation)[0] == MERGED
    assert digest_statuses(any_installation) == ["failed", "sent"]


# Where a person reviews digests


@pytest.mark.parametrize("change", CHANGES)
def test_under_review_the_rest_of_an_approved_digest_waits_for_an_approval_of_its_own(
    any_installation: Installation, change: str
):
    any_installation.change(review=Review(required=True), operator=Operator(address=EDITOR))
    for reader in (ANNA, BEN):
        any_installation.subscribe(reader, every="weekly", on="tuesday")
    run(any_installation, MONDAY)
    any_installation.publish([LESIONS, SLEEP])
    run(any_installation, MONDAY + 12 * HOUR)
    review.approve(any_installation.at(MONDAY + 13 * HOUR), 1)
    server_away(any_installation, TUESDAY)
    put_off(any_installation, BEN, THURSDAY + HOUR)
    assert statuses(any_installation) == [("pending", "")] * 2
    any_installation.publish([CHANGES[change], SLEEP])
    server_away(any_installation, WEDNESDAY)
    run(any_installation, *(WEDNESDAY + hours * HOUR for hours in range(4, 40, 4)))
    assert told(any_installation, ANNA) == told(any_installation, BEN) == []
    assert digest_statuses(any_installation) == ["approved", "draft"]
    review.approve(any_installation.at(THURSDAY + 14 * HOUR), 2)
    run(any_installation, THURSDAY + 14 * HOUR, THURSDAY + 15 * HOUR, THURSDAY + DAY)
    rest = ["sleep"] if change == "withdrawn" else ["lesions 14", "sleep"]
    assert told(any_installation, ANNA) == told(any_installation, BEN) == [rest]
    assert statuses(any_installation)[:2] == [MERGED] * 2
