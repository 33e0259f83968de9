"""Unsubscribing and pausing: undo within a week; a pause loses no news."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from notifier.enums import ConsentEvent, SubscriptionStatus
from notifier.links import Purpose
from notifier.pipeline import compose, deliver, match, poll
from notifier.pipeline.run import run_once
from notifier.store.models import Consent, Subscription
from notifier.subscribers import lifecycle
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


def link(installation: Installation) -> str:
    deps = installation.at(MONDAY)
    with deps.reading() as session:
        link_id = session.query(Subscription).one().link_id
        return f"/unsubscribe/{deps.links.token(Purpose.UNSUBSCRIBE, link_id, MONDAY)}"


def stored(installation: Installation) -> Subscription:
    with installation.at(MONDAY).reading() as session:
        return session.query(Subscription).one()


def test_the_page_says_what_ended_and_unsubscribing_can_be_undone(
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
        assert [entry.event for entry in session.query(Consent).order_by(Consent.id)] == [
            ConsentEvent.GIVEN,
            ConsentEvent.WITHDRAWN,
            ConsentEvent.GIVEN,
        ]


def test_unsubscribing_cannot_be_undone_after_a_week(installation: Installation, client: Client):
    installation.subscribe("anna@example.org")
    client.post(link(installation))
    with serving(create(installation.at(MONDAY + timedelta(days=8)))) as address:
        assert Client(address).post(link(installation), "do=undo", FORM).status_code == 410
        assert 'value="undo"' not in Client(address).get(link(installation)).text
    assert stored(installation).status is SubscriptionStatus.ENDED


def test_undo_does_not_start_a_sign_up_that_was_never_confirmed(
    installation: Installation, client: Client
):
    installation.subscribe("anna@example.org", confirmed=False)
    client.post(link(installation))
    assert client.post(link(installation), "do=undo", FORM).status_code == 410
    assert stored(installation).status is SubscriptionStatus.ENDED


def test_the_first_digest_after_a_pause_holds_what_was_held_back(
    installation: Installation, client: Client
):
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY))
    client.post(link(installation))
    assert "paused" in client.post(link(installation), "do=pause", FORM).text
    assert stored(installation).status is SubscriptionStatus.PAUSED
    installation.publish([Article("Frexalimab slows lesions")])
    for day in (1, 2, 29):
        run_once(installation.at(MONDAY + timedelta(days=day)))
    assert installation.sink.messages == []
    run_once(installation.at(MONDAY + timedelta(days=30, hours=1)))
    assert stored(installation).status is SubscriptionStatus.CONFIRMED
    run_once(installation.at(MONDAY + timedelta(days=31)))
    (mail,) = installation.sink.messages
    assert "Frexalimab slows lesions" in text_of(mail)


def test_a_digest_composed_before_a_pause_waits_for_its_end(
    installation: Installation, client: Client
):
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    tuesday = installation.at(MONDAY + timedelta(days=1))
    poll.run(tuesday)
    match.run(tuesday)
    assert compose.run(tuesday) == 1
    client.post(link(installation))
    client.post(link(installation), "do=pause", FORM)
    deliver.run(tuesday)
    assert installation.sink.messages == []
    client.post(link(installation), "do=undo", FORM)
    with installation.at(MONDAY).writing() as session:
        lifecycle.resume(session.query(Subscription).one(), MONDAY)
    deliver.run(installation.at(MONDAY + timedelta(days=3)))
    assert len(installation.sink.messages) == 1
