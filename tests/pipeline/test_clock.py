"""A run with a wrong clock leaves nothing behind that silences sources or readers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from notifier.deliver.bounces import policy
from notifier.deliver.bounces.policy import Evidence
from notifier.deliver.bounces.subjects import Subject
from notifier.deps import Deps
from notifier.enums import BounceKind, DeliveryStatus
from notifier.pipeline import clock, compose, deliver, monitoring
from notifier.pipeline.run import run_once
from notifier.store import clock as stored_clock
from notifier.store.models import (
    Delivery,
    Host,
    Match,
    RateLimit,
    Source,
    Subscriber,
    Subscription,
)
from tests.support.forms import subscription_of
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article

ANNA = "anna@example.org"
NEWS = "Frexalimab slows lesions"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
AHEAD = [timedelta(days=3), timedelta(days=40), timedelta(days=400), timedelta(days=3650)]


def in_days(amount: timedelta) -> str:
    return f"{amount.days} days"


def begin(made: Installation, **choice: str) -> None:
    """Subscribe Anna and read the feed for the first time, at the right time."""
    made.adopt()
    made.subscribe(ANNA, **choice)
    run_once(made.at(MONDAY))


def copies(made: Installation) -> int:
    """Count the mails with the news."""
    return sum(NEWS in text_of(mail) for mail in made.sink.messages)


@pytest.mark.parametrize(
    ("every", "wait", "ahead"),
    [
        *(pytest.param("daily", DAY, ahead, marks=pytest.mark.long) for ahead in AHEAD[:-1]),
        ("daily", DAY, AHEAD[-1]),
        ("weekly", 7 * DAY, 40 * DAY),
        ("monthly", 31 * DAY, 400 * DAY),
        ("immediate", HOUR, 3 * DAY),
    ],
)
def test_after_a_run_with_the_clock_ahead_the_next_digest_comes_in_time(
    installation: Installation, every: str, wait: timedelta, ahead: timedelta
):
    begin(installation, every=every)
    run_once(installation.at(MONDAY + ahead))
    installation.publish([Article(NEWS, published=MONDAY + HOUR)])
    for moment in (MONDAY + HOUR, MONDAY + 2 * HOUR, MONDAY + HOUR + wait):
        run_once(installation.at(moment))
    assert copies(installation) == 1


def test_news_of_a_run_with_the_clock_ahead_is_not_kept_back(installation: Installation):
    """An immediate digest waits for further matches, but not for a year."""
    begin(installation, every="immediate")
    installation.publish([Article(NEWS)])
    run_once(installation.at(MONDAY + 400 * DAY))
    run_once(installation.at(MONDAY + HOUR))
    run_once(installation.at(MONDAY + 2 * HOUR))
    assert copies(installation) == 1


@pytest.mark.parametrize(
    "behind",
    [3 * DAY, 400 * DAY, pytest.param(9000 * DAY, marks=pytest.mark.long)],
    ids=in_days,
)
def test_a_run_with_the_clock_behind_mails_nothing_and_moves_no_due_time(
    installation: Installation, behind: timedelta
):
    begin(installation, every="weekly", on="friday")
    due = subscription_of(installation, ANNA).next_due_at
    before = len(installation.sink.messages)
    installation.publish([Article(NEWS)])
    run_once(installation.at(MONDAY - behind))
    assert len(installation.sink.messages) == before
    assert subscription_of(installation, ANNA).next_due_at == due
    run_once(installation.at(MONDAY + HOUR))
    assert copies(installation) == 0
    run_once(installation.at(due))
    assert copies(installation) == 1


def test_a_mail_that_a_wrong_clock_put_off_goes_out_and_one_that_was_sent_stays_sent(
    any_installation: Installation,
):
    made = any_installation
    made.adopt()
    due = made.discover(2)
    compose.run(made.at(due))
    with made.at(due).writing() as session:
        sent, waits = session.scalars(select(Delivery).order_by(Delivery.id)).all()
        sent.status, sent.sent_at = DeliveryStatus.SENT, due + 400 * DAY
        sent.next_attempt_at = waits.next_attempt_at = due + 400 * DAY
    clock.run(made.at(due + HOUR))
    deliver.run(made.at(due + HOUR))
    with made.at(due).reading() as session:
        assert set(session.scalars(select(Delivery.status))) == {DeliveryStatus.SENT}
    assert len(made.sink.messages) == 1


def store_future_times(deps: Deps, future: datetime) -> None:
    """Store what a step could have stored at that time."""
    with deps.writing() as session:
        source = session.scalars(select(Source)).one()
        for column in (
            *("next_poll_at", "posts_next_at", "last_success_at", "doubted_at"),
            *("posts_until", "requested_whole_at", "baselined_at"),
        ):
            setattr(source, column, future)
        session.scalars(select(Subscriber)).one().held_until = future
        session.scalars(select(Match)).one().created_at = future
        session.add(Host(name="news.test", day="", pages=0, wait_until=future, robots_at=future))
        session.add(RateLimit(key="example.org", next_at=future))
        session.scalars(select(Subscription)).one().last_mailed_at = future


def test_times_that_a_wrong_clock_stored_become_times_of_the_past(any_installation: Installation):
    made, now = any_installation, MONDAY + DAY
    begin(made)
    made.publish([Article(NEWS)])
    run_once(made.at(MONDAY + HOUR))
    store_future_times(made.at(now), MONDAY + 400 * DAY)
    clock.run(made.at(now))
    with made.at(now).reading() as session:
        source = session.scalars(select(Source)).one()
        times = [source.next_poll_at, source.posts_next_at, source.last_success_at]
        times += [source.doubted_at, source.baselined_at]
        times.append(session.scalars(select(Match)).one().created_at)
        times.append(session.get_one(RateLimit, "example.org").next_at)
        times.append(session.scalars(select(Subscription)).one().last_mailed_at)
        assert all(moment < now for moment in times), times
        assert source.posts_until is source.requested_whole_at is None
        assert session.scalars(select(Subscriber)).one().held_until is None
        host = session.scalars(select(Host).where(Host.name == "news.test")).one()
        assert host.wait_until is host.robots_at is None


def test_plans_of_a_right_clock_are_left_as_they_are(any_installation: Installation):
    """The longest waits that are planned: a week, three days, two days of backing off."""
    made, now = any_installation, MONDAY + DAY
    begin(made, every="monthly", on="31")
    with made.at(now).writing() as session:
        session.scalars(select(Source)).one().next_poll_at = now + 7 * DAY
        session.scalars(select(Subscriber)).one().held_until = now + 6 * DAY
    due = subscription_of(made, ANNA).next_due_at
    clock.run(made.at(now))
    with made.at(now).reading() as session:
        assert session.scalars(select(Source)).one().next_poll_at == now + 7 * DAY
        assert session.scalars(select(Subscriber)).one().held_until == now + 6 * DAY
    assert subscription_of(made, ANNA).next_due_at == due


def test_a_due_time_that_has_passed_is_left_as_it_is(installation: Installation):
    begin(installation)
    with installation.at(MONDAY).writing() as session:
        session.scalars(select(Subscription)).one().next_due_at = MONDAY - 30 * DAY
    clock.run(installation.at(MONDAY))
    assert subscription_of(installation, ANNA).next_due_at == MONDAY - 30 * DAY


def test_a_row_that_cannot_be_read_stops_no_other(installation: Installation):
    begin(installation)
    installation.subscribe("bob@example.org")
    far = MONDAY + 400 * DAY
    with installation.at(MONDAY).writing() as session:
        for subscription in session.scalars(select(Subscription)):
            subscription.next_due_at = far
        session.scalars(select(Subscription)).first().at = "25:99"
    clock.run(installation.at(MONDAY + HOUR))
    assert subscription_of(installation, ANNA).next_due_at == far
    assert subscription_of(installation, "bob@example.org").next_due_at < MONDAY + 2 * DAY


def on_the_real_clock(made: Installation) -> Deps:
    return replace(made.at(MONDAY), fixed_now=None)


def newest_time(made: Installation) -> datetime | None:
    with made.at(MONDAY).reading() as session:
        return stored_clock.newest_time(session)


def clock_check(deps: Deps) -> monitoring.Check:
    with deps.reading() as session:
        checks = monitoring.checks(session, deps.now())
    return next(check for check in checks if check.name == "clock")


def test_the_newest_time_is_that_of_the_real_clock_alone(any_installation: Installation):
    clock.run(any_installation.at(MONDAY + 4000 * DAY))
    assert newest_time(any_installation) is None
    real = on_the_real_clock(any_installation)
    clock.run(real)
    newest = newest_time(any_installation)
    assert abs(newest - real.now()) < HOUR
    clock.run(any_installation.at(MONDAY + 4000 * DAY))
    assert newest_time(any_installation) == newest


def test_a_newer_time_stays_when_the_clock_goes_back(any_installation: Installation):
    real = on_the_real_clock(any_installation)
    future = datetime(2090, 1, 1, tzinfo=UTC)
    with real.writing() as session:
        stored_clock.note(session, future)
        stored_clock.note(session, real.now())
    clock.run(real)
    assert newest_time(any_installation) == future


@pytest.mark.parametrize(
    ("ahead", "ok"),
    [(timedelta(0), True), (timedelta(minutes=10), True), (timedelta(minutes=11), False)],
)
def test_health_reports_a_clock_that_is_more_than_ten_minutes_behind_the_newest_time(
    installation: Installation, ahead: timedelta, ok: bool
):
    with installation.at(MONDAY).writing() as session:
        stored_clock.note(session, MONDAY + ahead)
    check = clock_check(installation.at(MONDAY))
    assert check.ok is ok
    assert ("notifier clock --accept" in check.finding) is not ok


def test_a_person_can_say_that_the_clock_is_right(installation: Installation):
    with installation.at(MONDAY).writing() as session:
        stored_clock.note(session, MONDAY + 400 * DAY)
        stored_clock.accept(session, MONDAY)
    assert clock_check(installation.at(MONDAY)).ok


def longest_waits(now: datetime) -> dict[str, datetime]:
    """When a mail is tried again at the latest, by why it waits."""
    report = Evidence(BounceKind.SOFT, "5.2.2", reported=True, subject=Subject.MAILBOX)
    holds = [policy.decide(report, earlier, now - DAY, now).hold for earlier in range(20)]
    return {
        "came back because of us": policy.try_again_at(now - 400 * DAY, now),
        "a full mailbox": max(hold.until for hold in holds if hold is not None),
    }


@pytest.mark.parametrize("why", ["came back because of us", "a full mailbox"])
def test_the_longest_wait_of_a_mail_is_not_taken_for_the_plan_of_a_wrong_clock(
    installation: Installation, why: str
):
    moment = installation.discover(1)
    compose.run(installation.at(moment))
    waits_until = longest_waits(moment)[why]
    with installation.at(moment).writing() as session:
        session.execute(update(Delivery).values(next_attempt_at=waits_until))
        assert not stored_clock.has_impossible_plans(session, moment)
        assert stored_clock.mend(session, moment) == 0
        assert session.scalars(select(Delivery.next_attempt_at)).one() == waits_until
        session.execute(update(Delivery).values(next_attempt_at=waits_until + DAY))
        assert stored_clock.mend(session, moment) == 1
