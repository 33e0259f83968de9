"""Pauses: what was put off while one lasted goes out when it ends, however it ends."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta

import pytest

from notifier.admin import person
from notifier.cli import shared
from notifier.cli.subscribers import people
from notifier.enums import SubscriptionStatus
from notifier.links import Purpose
from notifier.operators.actions import Actor
from notifier.pipeline import compose, deliver, housekeeping
from notifier.subscribers import lifecycle, subscriptions
from notifier.web.app import create
from tests.support.forms import FORM, subscription_of
from tests.support.installation import Installation
from tests.support.visitor import Client
from tests.support.web_server import serving

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
Way = Callable[[Installation, datetime, pytest.MonkeyPatch], object]


def by_time(made: Installation, now: datetime, _: pytest.MonkeyPatch) -> None:
    housekeeping.run(made.at(now))


def by_the_person(made: Installation, now: datetime, _: pytest.MonkeyPatch) -> None:
    link_id = subscription_of(made, ANNA).link_id
    token = made.at(now).links.token(Purpose.PREFERENCES, link_id, now)
    with serving(create(made.at(now))) as address:
        answer = Client(address).post(f"/preferences/{token}", "do=resume", FORM)
        assert "You will get your digests again." in answer.text


def by_command(made: Installation, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "open_deps", lambda _now: nullcontext(made.at(now)))
    people.resume(ANNA)


def by_an_operator(made: Installation, now: datetime, _: pytest.MonkeyPatch) -> None:
    eve = Actor("eve", now)
    shown = person.look_up(made.at(now), ANNA, eve)
    asked = person.Asked(ANNA, shown.fingerprint, eve)
    person.resume(made.at(now), asked, subscription_of(made, ANNA).id)


ANNA = "person0@example.org"


@pytest.mark.parametrize("way", [by_time, by_the_person, by_command, by_an_operator])
def test_a_mail_that_was_put_off_during_a_pause_goes_out_when_the_pause_ends(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch, way: Way
):
    made, due = any_installation, any_installation.discover(1)
    compose.run(made.at(due))
    with made.at(due).writing() as session:
        (one,) = subscriptions.find_subscriber(session, ANNA).subscriptions
        assert lifecycle.pause(one, due + 5 * MINUTE, due)
    deliver.run(made.at(due + MINUTE))
    assert made.sink.messages == []
    way(made, due + 10 * MINUTE, monkeypatch)
    assert subscription_of(made, ANNA).status is SubscriptionStatus.CONFIRMED
    deliver.run(made.at(due + 11 * MINUTE))
    assert len(made.sink.to(ANNA)) == 1


def test_the_mails_of_others_who_are_paused_stay_put_off(any_installation: Installation):
    made, due = any_installation, any_installation.discover(2)
    compose.run(made.at(due))
    with made.at(due).writing() as session:
        for number, until in enumerate((due + 5 * MINUTE, None)):
            (one,) = subscriptions.find_subscriber(
                session, f"person{number}@example.org"
            ).subscriptions
            assert lifecycle.pause(one, until, due)
    deliver.run(made.at(due + MINUTE))
    housekeeping.run(made.at(due + 10 * MINUTE))
    deliver.run(made.at(due + 11 * MINUTE))
    assert {address for _, address in made.sink.envelopes} == {ANNA}
