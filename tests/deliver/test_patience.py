"""Patience: how long a mail is tried counts from the first answer of a server."""

from dataclasses import replace
from datetime import timedelta

import pytest

from notifier.deliver.outbox import patience
from notifier.enums import DeliveryStatus, WaitReason
from notifier.pipeline import compose, deliver, match, poll
from notifier.pipeline.run import run_once
from notifier.settings import Smtp
from notifier.store.models import Delivery
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import free_port
from tests.support.news_site import Article

TUESDAY = MONDAY + timedelta(days=1)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PUT_OFF = "451 4.7.1 please come back later"


@pytest.fixture
def composed(installation: Installation) -> Installation:
    """An installation with a digest enqueued for one reader on Tuesday."""
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    for step in (poll, match, compose):
        step.run(installation.at(TUESDAY))
    return installation


def delivery_of(installation: Installation) -> Delivery:
    with installation.at(MONDAY).reading() as session:
        return session.query(Delivery).one()


def put_off_at(installation: Installation, *days: float) -> Delivery:
    installation.sink.refuse_recipient["anna@example.org"] = PUT_OFF
    for day in days:
        deliver.run(installation.at(TUESDAY + day * DAY))
    return delivery_of(installation)


def server_away_at(installation: Installation, *days: float) -> None:
    for day in days:
        deps = installation.at(TUESDAY + day * DAY)
        away = Smtp(port=free_port(), security="none", timeout_seconds=5)
        settings = deps.settings.model_copy(update={"smtp": away})
        deliver.run(replace(deps, settings=settings))


def test_days_without_a_server_are_not_held_against_a_mail(composed: Installation):
    server_away_at(composed, 0, 1, 2, 4)
    assert put_off_at(composed, 4.1).status is DeliveryStatus.PENDING
    composed.sink.refuse_recipient.clear()
    deliver.run(composed.at(TUESDAY + 4.2 * DAY))
    assert len(composed.sink.to("anna@example.org")) == 1


def test_days_on_which_nothing_ran_are_not_held_against_a_mail(composed: Installation):
    assert put_off_at(composed, 0, 0.1, 6).status is DeliveryStatus.PENDING
    assert put_off_at(composed, 6.1, 6.5, 7).status is DeliveryStatus.PENDING


def test_a_mail_that_is_tried_once_a_day_is_given_up_after_three_days(composed: Installation):
    assert put_off_at(composed, 0, 0.9, 1.8, 2.7).status is DeliveryStatus.PENDING
    assert put_off_at(composed, 3.1).status is DeliveryStatus.FAILED


def answered(delivery: Delivery, day: float, waits_because: str = "") -> bool:
    """Count an answer that puts a mail off on a day; return whether the mail is given up."""
    delivery.waits_because = waits_because
    over = patience.is_over(delivery, TUESDAY + day * DAY)
    delivery.next_attempt_at = TUESDAY + day * DAY + 4 * HOUR
    return over


def test_days_on_which_servers_refuse_us_are_not_held_against_a_mail():
    delivery = Delivery(next_attempt_at=TUESDAY, given_up_at=TUESDAY + 3 * DAY)
    assert not answered(delivery, 0)
    assert not any(answered(delivery, day, WaitReason.OURS) for day in (1, 2, 3, 4, 5))
    assert not any(answered(delivery, day) for day in (5.2, 6, 7, 8))
    assert answered(delivery, 8.3)
