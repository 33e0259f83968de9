"""Renewal: one click renews; without an answer a subscription ends after a reminder."""

import re
from datetime import timedelta

from notifier.enums import SubscriptionStatus
from notifier.pipeline.run import run_once
from notifier.settings import Subscriptions
from notifier.store.models import Consent, Subscription
from notifier.web.app import create
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
