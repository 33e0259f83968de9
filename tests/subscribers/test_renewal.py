"""Renewal: one click to stay; silence ends a subscription after a reminder."""

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


def yearly(made: Installation) -> Installation:
    made.change(subscriptions=Subscriptions(renewal_months=12))
    made.subscribe("anna@example.org")
    return made


def subjects(made: Installation) -> list[str]:
    return [mail["Subject"] for mail in made.sink.messages]


def status(made: Installation) -> SubscriptionStatus:
    with made.at(MONDAY).reading() as session:
        return session.query(Subscription).one().status


def test_nobody_is_asked_unless_it_is_set(installation: Installation):
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY + days(2000)))
    assert subjects(installation) == []


def test_silence_ends_a_subscription_after_a_reminder(installation: Installation):
    made = yearly(installation)
    for day in (364, 365, 366, 378, 380, 381):
        run_once(made.at(MONDAY + days(day)))
    assert subjects(made) == [
        "Do you still want your digest?",
        "Last question: do you still want your digest?",
    ]
    assert status(made) is SubscriptionStatus.CONFIRMED
    run_once(made.at(MONDAY + days(395)))
    assert status(made) is SubscriptionStatus.ENDED
    with made.at(MONDAY).reading() as session:
        last = session.query(Consent).order_by(Consent.id.desc()).first()
        assert (last.method, last.attested_by) == ("silence", "nobody answered")


def test_one_click_keeps_it_for_another_year(installation: Installation):
    made = yearly(installation)
    asked = MONDAY + days(366)
    run_once(made.at(asked))
    link = re.search(r"https://\S+/renew/\S+", text_of(made.sink.messages[0])).group()
    with serving(create(made.at(asked))) as address:
        page = Client(address).get(link)
        assert "Yes, I still want it" in page.text
        with made.at(asked).reading() as session:
            assert session.query(Subscription).one().renewed_at is None
        for _ in range(2):
            assert "everything goes on" in Client(address).post(link).text
    for day in (380, 400, 500, 700):
        run_once(made.at(MONDAY + days(day)))
    assert len(made.sink.messages) == 1
    run_once(made.at(MONDAY + days(733)))
    assert len(made.sink.messages) == 2
    with made.at(MONDAY).reading() as session:
        assert [one.method for one in session.query(Consent).order_by(Consent.id)] == [
            "command line",
            "renewal",
        ]
