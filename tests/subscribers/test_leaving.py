"""Leaving, and coming back: a leaving can be taken back for a week, or turned into a pause that forgets nothing."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from notifier.enums import ConsentEvent, SubscriptionStatus
from notifier.links import Purpose
from notifier.pipeline import compose, deliver, match, poll
from notifier.pipeline.run import run_once
from notifier.store.models import Consent, Subscription
from notifier.web.app import create
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article
from tests.support.visitor import Client
from tests.support.web_server import serving

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def client(installation: Installation) -> Iterator[Client]:
    with serving(create(installation.at(MONDAY))) as address:
        yield Client(address)


def link(made: Installation) -> str:
    deps = made.at(MONDAY)
    with deps.reading() as session:
        return f"/unsubscribe/{deps.links.token(Purpose.UNSUBSCRIBE, session.query(Subscription).one().link_id, MONDAY)}"


def stored(made: Installation) -> Subscription:
    with made.at(MONDAY).reading() as session:
        return session.query(Subscription).one()


def test_the_page_says_what_ended_and_a_leaving_can_be_taken_back(
    installation: Installation, client: Client
):
    installation.subscribe("anna@example.org")
    due = stored(installation).next_due_at
    left = client.post(link(installation))
    assert "news about Frexalimab has ended" in left.text
    assert stored(installation).status is SubscriptionStatus.ENDED
    assert client.get(link(installation)).status_code == 200
    assert stored(installation).status is SubscriptionStatus.ENDED

    back = client.post(link(installation), "do=undo", FORM)
    assert "You are subscribed again" in back.text
    assert (stored(installation).status, stored(installation).next_due_at) == (
        SubscriptionStatus.CONFIRMED,
        due,
    )
    with installation.at(MONDAY).reading() as session:
        assert [one.event for one in session.query(Consent).order_by(Consent.id)] == [
            ConsentEvent.GIVEN,
            ConsentEvent.WITHDRAWN,
            ConsentEvent.GIVEN,
        ]


def test_after_a_week_it_is_too_late(installation: Installation, client: Client):
    installation.subscribe("anna@example.org")
    client.post(link(installation))
    with serving(create(installation.at(MONDAY + timedelta(days=8)))) as address:
        assert Client(address).post(link(installation), "do=undo", FORM).status_code == 410
        assert 'value="undo"' not in Client(address).get(link(installation)).text
    assert stored(installation).status is SubscriptionStatus.ENDED


def test_a_sign_up_that_was_never_confirmed_cannot_be_undone_into_one(
    installation: Installation, client: Client
):
    installation.subscribe("anna@example.org", confirmed=False)
    client.post(link(installation))
    assert client.post(link(installation), "do=undo", FORM).status_code == 410
    assert stored(installation).status is SubscriptionStatus.ENDED


def test_a_pause_holds_back_and_tells_afterwards_what_was_missed(
    installation: Installation, client: Client
):
    made = installation
    made.subscribe("anna@example.org")
    run_once(made.at(MONDAY))
    client.post(link(made))
    assert "paused" in client.post(link(made), "do=pause", FORM).text
    assert stored(made).status is SubscriptionStatus.PAUSED
    made.publish([Article("Frexalimab slows lesions")])
    for day in (1, 2, 29):
        run_once(made.at(MONDAY + timedelta(days=day)))
    assert made.sink.messages == []
    run_once(made.at(MONDAY + timedelta(days=30, hours=1)))
    assert stored(made).status is SubscriptionStatus.CONFIRMED
    run_once(made.at(MONDAY + timedelta(days=31)))
    (mail,) = made.sink.messages
    assert "Frexalimab slows lesions" in text_of(mail)


def test_what_was_composed_before_a_pause_waits_for_its_end(
    installation: Installation, client: Client
):
    made = installation
    made.subscribe("anna@example.org")
    run_once(made.at(MONDAY))
    made.publish([Article("Frexalimab slows lesions")])
    tuesday = made.at(MONDAY + timedelta(days=1))
    poll.run(tuesday)
    match.run(tuesday)
    assert compose.run(tuesday) == 1
    client.post(link(made))
    client.post(link(made), "do=pause", FORM)
    deliver.run(tuesday)
    assert made.sink.messages == []
    client.post(link(made), "do=undo", FORM)
    with made.at(MONDAY).writing() as session:
        from notifier.subscribers import lifecycle

        lifecycle.resume(session.query(Subscription).one(), MONDAY)
    deliver.run(made.at(MONDAY + timedelta(days=3)))
    assert len(made.sink.messages) == 1
