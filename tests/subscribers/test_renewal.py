"""Renewal: one click renews; without an answer a subscription ends after a reminder."""

import re
from datetime import timedelta

from notifier.deliver.outbox import stop
from notifier.enums import DeliveryKind, DeliveryStatus, SubscriptionStatus
from notifier.links import Purpose
from notifier.pipeline.run import run_once
from notifier.settings import Subscriptions
from notifier.store.models import Consent, Delivery, Subscription
from notifier.subscribers import lifecycle, subscriptions
from notifier.web.app import create
from tests.support.forms import FORM, subscription_of
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
