"""Renewal: one click renews; without an answer a subscription ends after a reminder."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from notifier.deliver.outbox import stop
from notifier.enums import (
    DeliveryKind,
    DeliveryStatus,
    EndReason,
    SubscriptionStatus,
    SuppressionCause,
)
from notifier.links import Purpose
from notifier.pipeline.run import run_once
from notifier.settings import Subscriptions
from notifier.store.models import Consent, Delivery, HeldSuppression, Subscriber, Subscription
from notifier.subscribers import lifecycle, subscriptions, suppressions
from notifier.web.app import create
from tests.support.forms import FORM, subscription_of, suppress
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.visitor import Client
from tests.support.web_server import serving


def days(number: float) -> timedelta:
    return timedelta(days=number)


def yearly(installation: Installation) -> Installation:
    installation.change(subscriptions=Subscriptions(renewal_months=12))
    installation.subscribe("anna@example.org")
    return installation


def subjects(installation: Installation) -> list[str]:
    return [mail["Subject"] for mail in installation.sink.messages]


def status(installation: Installation) -> SubscriptionStatus:
    with installation.at(MONDAY).reading() as session:
        return session.query(Subscription).one().status


def test_nobody_is_asked_for_a_renewal_unless_the_setting_says_so(installation: Installation):
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY + days(2000)))
    assert subjects(installation) == []


def test_a_subscription_ends_if_the_reminder_is_not_answered(installation: Installation):
    installation = yearly(installation)
    for day in (364, 365, 366, 378, 380, 381):
        run_once(installation.at(MONDAY + days(day)))
    assert subjects(installation) == [
        "Do you still want your digest?",
        "Last question: do you still want your digest?",
    ]
    assert status(installation) is SubscriptionStatus.CONFIRMED
    run_once(installation.at(MONDAY + days(395)))
    assert status(installation) is SubscriptionStatus.ENDED
    with installation.at(MONDAY).reading() as session:
        last = session.query(Consent).order_by(Consent.id.desc()).first()
        assert (last.method, last.attested_by) == ("silence", "nobody answered")


def test_one_click_renews_a_subscription_for_another_year(installation: Installation):
    installation = yearly(installation)
    asked = MONDAY + days(366)
    run_once(installation.at(asked))
    link = re.search(r"https://\S+/renew/\S+", text_of(installation.sink.messages[0])).group()
    with serving(create(installation.at(asked))) as address:
        page = Client(address).get(link)
        assert "Yes, I still want it" in page.text
        with installation.at(asked).reading() as session:
            assert session.query(Subscription).one().renewed_at is None
        for _ in range(2):
            assert "everything goes on" in Client(address).post(link).text
    for day in (380, 400, 500, 700):
        run_once(installation.at(MONDAY + days(day)))
    assert len(installation.sink.messages) == 1
    run_once(installation.at(MONDAY + days(733)))
    assert len(installation.sink.messages) == 2
    with installation.at(MONDAY).reading() as session:
        assert [entry.method for entry in session.query(Consent).order_by(Consent.id)] == [
            "command line",
            "renewal",
        ]


def ended_by_silence(installation: Installation) -> Installation:
    """An installation where Anna left the two questions of a year without an answer."""
    installation = yearly(installation)
    for day in (366, 381, 396):
        run_once(installation.at(MONDAY + days(day)))
    assert status(installation) is SubscriptionStatus.ENDED
    return installation


def test_who_takes_an_end_by_silence_back_stays_for_another_year(installation: Installation):
    installation = ended_by_silence(installation)
    deps = installation.at(MONDAY + days(398))
    link_id = subscription_of(installation, "anna@example.org").link_id
    link = f"/unsubscribe/{deps.links.token(Purpose.UNSUBSCRIBE, link_id, MONDAY)}"
    with serving(create(deps)) as address:
        assert "subscribed again" in Client(address).post(link, "do=undo", FORM).text
    for day in (399, 420, 700):
        run_once(installation.at(MONDAY + days(day)))
        assert status(installation) is SubscriptionStatus.CONFIRMED
    assert len(installation.sink.messages) == 2
    run_once(installation.at(MONDAY + days(398 + 366)))
    assert len(installation.sink.messages) == 3


def test_who_comes_back_after_an_end_by_silence_stays_for_another_year(installation: Installation):
    installation = ended_by_silence(installation)
    installation.subscribe("anna@example.org", moment=MONDAY + days(500))
    for day in (500, 501, 515, 700):
        run_once(installation.at(MONDAY + days(day)))
        assert status(installation) is SubscriptionStatus.CONFIRMED
    assert len(installation.sink.messages) == 2
    run_once(installation.at(MONDAY + days(500 + 366)))
    assert len(installation.sink.messages) == 3


def test_who_renewed_long_ago_and_comes_back_is_not_asked_at_once(installation: Installation):
    installation = yearly(installation)
    run_once(installation.at(MONDAY + days(366)))
    with installation.at(MONDAY + days(367)).writing() as session:
        lifecycle.renew(session, session.query(Subscription).one(), MONDAY + days(367))
    with installation.at(MONDAY + days(400)).writing() as session:
        person = "operator x"
        assert subscriptions.unsubscribe(
            session, "anna@example.org", None, person, MONDAY + days(400)
        )
    installation.subscribe("anna@example.org", moment=MONDAY + days(1000))
    run_once(installation.at(MONDAY + days(1001)))
    assert len(installation.sink.messages) == 1


def test_nobody_ends_by_silence_whose_question_was_not_sent(installation: Installation):
    installation = yearly(installation)
    run_once(installation.at(MONDAY + days(366)))
    stopped_at = MONDAY + days(367)
    with installation.at(stopped_at).writing() as session:
        stop.stop(session, stopped_at)
    for day in (381, 396, 411):
        run_once(installation.at(MONDAY + days(day)))
    assert status(installation) is SubscriptionStatus.CONFIRMED
    with installation.at(MONDAY + days(412)).writing() as session:
        stop.resume(session)
    for day in (412, 425):
        run_once(installation.at(MONDAY + days(day)))
        assert status(installation) is SubscriptionStatus.CONFIRMED
    assert len(installation.sink.messages) == 2
    run_once(installation.at(MONDAY + days(427)))
    assert status(installation) is SubscriptionStatus.ENDED


def test_a_reminder_that_reached_nobody_is_sent_once_more(installation: Installation):
    installation = yearly(installation)
    for day in (366, 381):
        run_once(installation.at(MONDAY + days(day)))
    with installation.at(MONDAY + days(381)).writing() as session:
        reminder = session.query(Delivery).where(Delivery.kind == DeliveryKind.REMINDER).one()
        reminder.status, reminder.sent_at = DeliveryStatus.FAILED, None
    run_once(installation.at(MONDAY + days(396)))
    assert status(installation) is SubscriptionStatus.CONFIRMED
    assert subjects(installation)[1:] == ["Last question: do you still want your digest?"] * 2
    run_once(installation.at(MONDAY + days(411)))
    assert status(installation) is SubscriptionStatus.ENDED


def set_reminders(installation: Installation, **values: object) -> None:
    """Change the reminders that were sent at the last run: they reached nobody."""
    with installation.at(MONDAY).writing() as session:
        reminders = update(Delivery).where(Delivery.kind == DeliveryKind.REMINDER)
        session.execute(reminders.values(sent_at=None, **values))


def of_status(installation: Installation, wanted: SubscriptionStatus) -> int:
    with installation.at(MONDAY).reading() as session:
        return session.query(Subscription).filter(Subscription.status == wanted).count()


NOT_SENT = {
    "refused": {"status": DeliveryStatus.FAILED},
    "dropped by the operator": {
        "status": DeliveryStatus.SUPPRESSED,
        "ended_because": EndReason.DROPPED,
    },
    "held back by a suppression that was lifted": {
        "status": DeliveryStatus.SUPPRESSED,
        "ended_because": EndReason.SUPPRESSED,
    },
    "held back by an end that was undone": {
        "status": DeliveryStatus.SUPPRESSED,
        "ended_because": EndReason.LEFT,
    },
}


@pytest.mark.parametrize("why", NOT_SENT)
def test_only_who_was_sent_the_reminder_can_be_silent(any_installation: Installation, why: str):
    installation = yearly(any_installation)
    for day in (366, 381):
        run_once(installation.at(MONDAY + days(day)))
    set_reminders(installation, **NOT_SENT[why])
    for day in (396, 397, 409):
        run_once(installation.at(MONDAY + days(day)))
        assert status(installation) is SubscriptionStatus.CONFIRMED
        assert subjects(installation)[1:] == ["Last question: do you still want your digest?"] * 2
    run_once(installation.at(MONDAY + days(411)))
    assert status(installation) is SubscriptionStatus.ENDED


def test_a_reminder_that_is_not_stored_any_more_is_sent_once_more(any_installation: Installation):
    installation = yearly(any_installation)
    for day in (366, 381):
        run_once(installation.at(MONDAY + days(day)))
    with installation.at(MONDAY).writing() as session:
        session.query(Delivery).delete()
    run_once(installation.at(MONDAY + days(396)))
    assert status(installation) is SubscriptionStatus.CONFIRMED
    assert len(installation.sink.messages) == 3


def test_reminders_that_fail_for_very_many_people_end_nobodys_subscription(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lifecycle, "_BATCH", 2)
    installation = yearly(any_installation)
    for name in ("ben", "carl", "dora", "emil"):
        installation.subscribe(f"{name}@example.org")
    for day in (366, 381):
        run_once(installation.at(MONDAY + days(day)))
    set_reminders(installation, status=DeliveryStatus.FAILED)
    for day in (396, 397):
        run_once(installation.at(MONDAY + days(day)))
    assert of_status(installation, SubscriptionStatus.CONFIRMED) == 5
    assert len(installation.sink.messages) == 15
    run_once(installation.at(MONDAY + days(411)))
    assert of_status(installation, SubscriptionStatus.ENDED) == 5


def hold_suppression(installation: Installation) -> None:
    """Let the suppression of Anna's address wait for a person."""
    with installation.at(MONDAY).writing() as session:
        anna = session.scalars(select(Subscriber)).one()
        about = {"subscriber_id": anna.id, "address_hash": anna.address_hash}
        session.add(
            HeldSuppression(
                **about, provider="example.org", at=MONDAY, held_at=MONDAY, code="5.1.1"
            )
        )


def lift(installation: Installation) -> None:
    with installation.at(MONDAY).writing() as session:
        suppressions.lift(session, subscriptions.hash_of(session, "anna@example.org"))
        session.query(HeldSuppression).delete()


@pytest.mark.parametrize("since", [300, 367], ids=["before the question", "before the reminder"])
@pytest.mark.parametrize("held", [False, True], ids=["suppressed", "held for a person"])
def test_who_may_not_be_mailed_is_asked_when_that_is_over_and_not_before(
    any_installation: Installation, since: int, held: bool
):
    installation = yearly(any_installation)
    if since > 366:
        run_once(installation.at(MONDAY + days(366)))
    if held:
        hold_suppression(installation)
    else:
        suppress(installation, "anna@example.org", SuppressionCause.BOUNCED)
    asked = len(installation.sink.messages)
    for day in (368, 381, 396, 411, 426, 441):
        run_once(installation.at(MONDAY + days(day)))
        assert status(installation) is SubscriptionStatus.CONFIRMED
    with installation.at(MONDAY).reading() as session:
        assert session.query(Delivery).count() == asked
    lift(installation)
    run_once(installation.at(MONDAY + days(442)))
    assert len(installation.sink.messages) == asked + 1
    for day in (457,) if asked else (457, 472):
        assert status(installation) is SubscriptionStatus.CONFIRMED
        run_once(installation.at(MONDAY + days(day)))
    assert status(installation) is SubscriptionStatus.ENDED
    assert len(installation.sink.messages) == 2


def test_who_was_suppressed_after_the_reminder_is_not_ended_before_that_is_over(
    any_installation: Installation,
):
    installation = yearly(any_installation)
    for day in (366, 381):
        run_once(installation.at(MONDAY + days(day)))
    suppress(installation, "anna@example.org", SuppressionCause.BOUNCED)
    run_once(installation.at(MONDAY + days(396)))
    assert status(installation) is SubscriptionStatus.CONFIRMED
