"""The consequences of bounces: refusals while sending and reports count together."""

from datetime import timedelta

from notifier.enums import DeliveryStatus, DigestStatus
from notifier.pipeline import bounces, deliver
from notifier.pipeline.run import run_once
from notifier.store.models import Delivery, Digest, Subscriber, Suppression
from tests.support.beginnings import send_a_digest
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article
from tests.support.reports import a_report, envelope_sender

TUESDAY = MONDAY + timedelta(days=1)


def test_a_full_mailbox_counts_the_same_in_an_answer_and_in_a_report(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    installation.sink.refuse_recipient["anna@example.org"] = "552 5.2.2 mailbox full"
    run_once(installation.at(TUESDAY))
    with installation.at(TUESDAY).reading() as session:
        subscriber, delivery = session.query(Subscriber).one(), session.query(Delivery).one()
        assert (subscriber.soft_bounces, subscriber.bounced_at) == (1, TUESDAY)
        assert subscriber.held_until == TUESDAY + timedelta(hours=2)
        assert (delivery.status, delivery.next_attempt_at) == (
            DeliveryStatus.PENDING,
            subscriber.held_until,
        )

    installation.sink.refuse_recipient.clear()
    sent_at = TUESDAY + timedelta(hours=2, minutes=1)
    run_once(installation.at(sent_at))
    report = a_report(envelope_sender(installation), "5.2.2", "552 5.2.2 mailbox full")
    assert bounces.read(installation.at(sent_at), [report]).held == 1
    with installation.at(sent_at).reading() as session:
        subscriber, delivery = session.query(Subscriber).one(), session.query(Delivery).one()
        assert (subscriber.soft_bounces, subscriber.bounced_at) == (2, sent_at)
        assert subscriber.held_until == sent_at + timedelta(hours=4)
        assert delivery.error == "came back: 5.2.2 552 5.2.2 mailbox full"
        assert session.query(Digest).one().status is DigestStatus.APPROVED
        assert session.query(Suppression).count() == 0

    deliver.run(installation.at(subscriber.held_until + timedelta(minutes=1)))
    first, second = installation.sink.to("anna@example.org")
    assert first["Message-ID"] == second["Message-ID"]


def test_a_report_that_comes_days_after_the_hold_counts_further(any_installation: Installation):
    installation = any_installation
    installation.prepare(send_a_digest)
    held_until = TUESDAY - timedelta(days=5)
    with installation.at(TUESDAY).writing() as session:
        anna = session.query(Subscriber).filter_by(email="anna@example.org").one()
        anna.soft_bounces, anna.bounced_at = 6, held_until - timedelta(hours=64)
        anna.held_until = held_until
    for number in (7, 8):
        report = a_report(envelope_sender(installation), "5.2.2", f"552 5.2.2 full {number}")
        moment = TUESDAY + timedelta(hours=number)
        done = bounces.read(installation.at(moment), [report])
        assert done.suppressed == (number == 8)
        with installation.at(moment).reading() as session:
            anna = session.query(Subscriber).filter_by(email="anna@example.org").one()
            assert anna.soft_bounces == number
