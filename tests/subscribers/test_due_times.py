"""Due times: one that has passed survives every change until its digest was composed."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from notifier.enums import Cadence, SubscriptionStatus, SuppressionCause
from notifier.match import profiles
from notifier.pipeline import compose, deliver, housekeeping, match, poll
from notifier.pipeline.run import run_once
from notifier.store.models import Subscription
from notifier.subscribers import (
    due_subscriptions,
    due_times,
    lifecycle,
    subscriptions,
    suppressions,
)
from notifier.subscribers.choices import Choice, choice_of
from notifier.subscribers.schedule import Schedule
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# MONDAY is 9:00, so a weekly digest of Mondays at 10:00 is due an hour later.
NEXT_WEEK = MONDAY + HOUR + timedelta(days=7)
LATE = NEXT_WEEK + timedelta(minutes=20)

Change = Callable[[Session, Subscription], object]


def chosen(every: str, at: str = "10:00", on: int | None = None, zone: str = "UTC") -> Choice:
    return Choice(Schedule(Cadence(every), at, on, zone))


def saving(choice: Choice | None = None, moment: datetime = LATE) -> Change:
    def save(_session: Session, subscription: Subscription) -> None:
        subscriptions.set_choice(subscription, choice or choice_of(subscription), moment)

    return save


def subscribe_again(session: Session, subscription: Subscription) -> None:
    subscriptions.subscribe(
        session, "anna@example.org", subscription.profile, choice_of(subscription), LATE
    )


def pause_and_resume(_session: Session, subscription: Subscription) -> None:
    assert lifecycle.pause(subscription, None, LATE)
    assert lifecycle.resume(subscription, LATE)


def leave_and_undo(session: Session, subscription: Subscription) -> None:
    assert subscriptions.end(session, subscription, "link", "subscriber", LATE)
    assert lifecycle.undo(session, subscription, LATE)


def suppress_and_unsuppress(session: Session, subscription: Subscription) -> None:
    key = subscription.subscriber.address_hash
    suppressions.add(session, key, SuppressionCause.ASKED, "by mistake", LATE)
    assert suppressions.lift(session, key)


def repair(session: Session, subscription: Subscription) -> None:
    due_subscriptions.put_off(session, subscription.id, "It cannot be read.", LATE + HOUR)
    session.refresh(subscription)
    subscribe_again(session, subscription)


def pause_save_and_resume(session: Session, subscription: Subscription) -> None:
    lifecycle.pause(subscription, None, LATE)
    saving(chosen("monthly", on=28))(session, subscription)
    lifecycle.resume(subscription, LATE)


CHANGES: dict[str, Change] = {
    "preferences saved unchanged": saving(),
    "another hour": saving(chosen("weekly", "07:00", 0)),
    "another day": saving(chosen("weekly", on=2)),
    "daily from now on": saving(chosen("daily")),
    "monthly from now on": saving(chosen("monthly", on=28)),
    "at once from now on": saving(chosen("immediate")),
    "another time zone": saving(chosen("weekly", on=0, zone="Asia/Tokyo")),
    "subscribed again": subscribe_again,
    "paused and resumed": pause_and_resume,
    "paused, saved and resumed": pause_save_and_resume,
    "left and back": leave_and_undo,
    "suppressed and let go": suppress_and_unsuppress,
}


@pytest.fixture
def overdue(installation: Installation) -> Installation:
    """An installation that was not running when a weekly digest was due 20 minutes ago."""
    installation.subscribe("anna@example.org", "weekly", "10:00", "monday")
    run_once(installation.at(MONDAY + HOUR))
    publish_and_match(installation, NEXT_WEEK - DAY)
    return installation


def publish_and_match(installation: Installation, moment: datetime) -> None:
    installation.publish([Article("Frexalimab slows lesions")])
    poll.run(installation.at(moment))
    match.run(installation.at(moment))


def change(installation: Installation, made: Change, moment: datetime) -> Subscription:
    with installation.at(moment).writing() as session:
        subscription = session.query(Subscription).one()
        made(session, subscription)
        session.flush()
        return subscription


def mails_after_running_at(installation: Installation, moment: datetime) -> int:
    compose.run(installation.at(moment))
    deliver.run(installation.at(moment))
    return len(installation.sink.to("anna@example.org"))


@pytest.mark.parametrize(
    "made", [*CHANGES.values(), repair], ids=[*CHANGES, "a row that could not be read, repaired"]
)
def test_a_due_time_that_has_passed_survives(overdue: Installation, made: Change):
    change(overdue, made, LATE)
    assert mails_after_running_at(overdue, LATE + timedelta(minutes=10)) == 1
    assert mails_after_running_at(overdue, LATE + HOUR) == 1


@pytest.mark.parametrize("made", CHANGES.values(), ids=CHANGES)
def test_a_due_time_that_has_not_come_is_not_brought_forward(
    installation: Installation, made: Change
):
    installation.subscribe("anna@example.org", "weekly", "10:00", "monday", moment=LATE)
    subscription = change(installation, made, LATE)
    assert subscription.next_due_at is None or subscription.next_due_at > LATE


def test_a_mail_that_is_late_because_of_it_says_when_it_was_due(overdue: Installation):
    change(overdue, saving(), LATE)
    assert mails_after_running_at(overdue, LATE + DAY) == 1
    (mail,) = overdue.sink.to("anna@example.org")
    assert "was due on Monday, 9 March 2026, 10:00" in " ".join(text_of(mail).split())


def test_news_that_was_promised_at_once_does_not_wait_for_the_weekly_digest_chosen_then(
    installation: Installation,
):
    installation.subscribe("anna@example.org", "immediate")
    run_once(installation.at(MONDAY))
    publish_and_match(installation, MONDAY + HOUR)
    change(installation, saving(chosen("weekly", on=6), MONDAY + HOUR), MONDAY + HOUR)
    assert mails_after_running_at(installation, MONDAY + HOUR) == 1


def test_who_changes_from_at_once_to_weekly_without_news_waits_for_the_week(
    installation: Installation,
):
    installation.subscribe("anna@example.org", "immediate")
    run_once(installation.at(MONDAY))
    made = saving(chosen("weekly", "09:00", 6), MONDAY + HOUR)
    subscription = change(installation, made, MONDAY + HOUR)
    assert subscription.next_due_at == MONDAY + timedelta(days=6)


def pause_over(installation: Installation, end: datetime | None) -> None:
    installation.subscribe("anna@example.org", "weekly", "10:00", "monday")
    run_once(installation.at(MONDAY + HOUR))
    moment = NEXT_WEEK - timedelta(minutes=5)
    publish_and_match(installation, moment - HOUR)
    change(installation, lambda _session, one: lifecycle.pause(one, end, moment), moment)
    housekeeping.run(installation.at(LATE))
    assert mails_after_running_at(installation, LATE) == 0


def test_a_pause_that_somebody_ends_gives_the_digest_that_was_due_in_it(
    installation: Installation,
):
    pause_over(installation, None)
    change(installation, lambda _session, one: lifecycle.resume(one, LATE), LATE)
    assert mails_after_running_at(installation, LATE) == 1


def test_a_pause_that_ends_by_itself_at_midnight_gives_it_at_the_usual_hour(
    installation: Installation,
):
    midnight = NEXT_WEEK.replace(hour=0) + 2 * DAY
    pause_over(installation, midnight)
    housekeeping.run(installation.at(midnight))
    assert mails_after_running_at(installation, midnight) == 0
    assert mails_after_running_at(installation, midnight + 10 * HOUR) == 1


def test_leaving_over_a_due_time_and_coming_back_gives_that_digest(installation: Installation):
    installation.subscribe("anna@example.org", "weekly", "10:00", "monday")
    run_once(installation.at(MONDAY + HOUR))
    before = NEXT_WEEK - timedelta(minutes=5)
    publish_and_match(installation, before - HOUR)
    change(
        installation,
        lambda session, one: subscriptions.end(session, one, "link", "subscriber", before),
        before,
    )
    assert mails_after_running_at(installation, LATE) == 0
    change(installation, lambda session, one: lifecycle.undo(session, one, LATE), LATE)
    assert mails_after_running_at(installation, LATE) == 1


@pytest.mark.parametrize("status", [SubscriptionStatus.PAUSED, SubscriptionStatus.ENDED])
def test_no_due_time_is_shown_while_nothing_is_composed(
    installation: Installation, status: SubscriptionStatus
):
    installation.subscribe("anna@example.org")

    def stop(session: Session, subscription: Subscription) -> None:
        if status is SubscriptionStatus.PAUSED:
            lifecycle.pause(subscription, None, MONDAY)
        else:
            subscriptions.end(session, subscription, "link", "subscriber", MONDAY)

    subscription = change(installation, stop, MONDAY)
    assert (subscription.status, due_times.next_of(subscription)) == (status, None)


def test_who_signs_up_again_after_leaving_begins_with_the_next_due_time(
    installation: Installation,
):
    installation.subscribe("anna@example.org", "weekly", "10:00", "monday")
    change(
        installation,
        lambda session, one: subscriptions.end(session, one, "link", "subscriber", MONDAY),
        MONDAY,
    )
    installation.subscribe("anna@example.org", "weekly", "10:00", "monday", moment=LATE)
    with installation.at(LATE).reading() as session:
        assert profiles.listed(session)
        assert session.query(Subscription).one().next_due_at == NEXT_WEEK + timedelta(days=7)


def test_nothing_is_composed_for_a_suppressed_address_and_one_digest_has_it_all_afterwards(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY))
    with installation.at(MONDAY).writing() as session:
        key = subscriptions.hash_of(session, "anna@example.org")
        suppressions.add(session, key, SuppressionCause.ASKED, "by mistake", MONDAY)
    articles = []
    for day, title in enumerate(("Frexalimab slows lesions", "Frexalimab in phase 3"), 1):
        articles.append(Article(title))
        installation.publish(articles)
        assert run_once(installation.at(MONDAY + day * DAY)).composed == 0
    with installation.at(MONDAY).writing() as session:
        suppressions.lift(session, key)
    run_once(installation.at(MONDAY + 2 * DAY + HOUR))
    (mail,) = installation.sink.to("anna@example.org")
    assert all(article.title in text_of(mail) for article in articles)
