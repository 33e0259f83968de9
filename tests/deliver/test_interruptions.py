"""Interruptions of a list that is being sent: what goes first, a stop by a person, a signal."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from notifier.deliver import outbox
from notifier.deliver.outbox import stop as outbox_stop
from notifier.deliver.smtp import sending
from notifier.deliver.smtp.client import Transport
from notifier.deliver.smtp.protocol import OutgoingMessage
from notifier.deliver.smtp.queue import Queue
from notifier.enums import DeliveryKind, DeliveryStatus, Lane
from notifier.pipeline import compose, deliver, interruptions
from notifier.settings import Smtp
from notifier.store.models import Delivery, Match, RateLimit
from tests.support import faulty_server
from tests.support.installation import MONDAY, Installation

TUESDAY = MONDAY + timedelta(days=1)
PEOPLE = 30


@pytest.fixture
def enqueued(installation: Installation) -> Installation:
    """An installation with a digest enqueued for thirty people."""
    installation.prepare(enqueue)
    return installation


def enqueue(installation: Installation) -> None:
    compose.run(installation.at(installation.discover(PEOPLE)))


def ask_for_a_confirmation(installation: Installation, email: str = "zoe@example.org") -> None:
    subscription_id = installation.subscribe(email, confirmed=False, moment=TUESDAY)
    with installation.at(TUESDAY).writing() as session:
        outbox.enqueue_own(
            session, DeliveryKind.CONFIRMATION, [subscription_id], "example.org", TUESDAY
        )


def send_while(
    installation: Installation,
    server: faulty_server.Faulty,
    meanwhile: Callable[[], None],
    after: int = 4,
    **smtp,
) -> deliver.Sent:
    """Send, and do something in another thread when the server has accepted some mails."""
    settings = {"connections": 1, "timeout_seconds": 5, **smtp}
    installation.change(smtp=Smtp(port=server.port, security="none", **settings))
    deps = installation.at(TUESDAY)

    def wait_and_do() -> None:
        while len(server.accepted) < after:
            time.sleep(0.005)
        meanwhile()

    thread = threading.Thread(target=wait_and_do)
    thread.start()
    sent = deliver.run(deps)
    thread.join()
    return sent


def sent_once(server: faulty_server.Faulty, number: int) -> bool:
    return len(server.envelopes) == len(set(server.envelopes)) == number


@pytest.mark.parametrize("connections", [1, 3])
def test_what_somebody_asks_for_in_the_middle_of_a_digest_goes_out_next(
    enqueued: Installation, connections: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(interruptions, "_LOOK_EVERY", 0.01)
    with faulty_server.running(slow=0.05) as server:
        send_while(
            enqueued, server, lambda: ask_for_a_confirmation(enqueued), connections=connections
        )
        assert sent_once(server, PEOPLE + 1)
        # Those that are under way, and the one behind each of them, are before it.
        assert server.envelopes.index("zoe@example.org") <= 4 + 6 * connections


@pytest.mark.long
def test_it_takes_the_next_free_place_of_a_rate_limit(enqueued: Installation):
    with faulty_server.running() as server:
        send_while(
            enqueued,
            server,
            lambda: ask_for_a_confirmation(enqueued),
            rate_per_second=10,
            connections=3,
        )
        assert sent_once(server, PEOPLE + 1)
        assert server.envelopes.index("zoe@example.org") <= 4 + 4
    with enqueued.at(TUESDAY).reading() as session:
        (limit,) = session.query(RateLimit)
        assert limit.next_at >= TUESDAY + timedelta(seconds=(PEOPLE + 1) / 10)


def test_an_urgent_digest_goes_before_another_one(enqueued: Installation):
    with enqueued.at(TUESDAY).writing() as session:
        rows = session.query(Delivery).order_by(Delivery.id).all()
        for row in rows[-5:]:
            row.lane = Lane.URGENT
        urgent = {row.subscription.subscriber.email for row in rows[-5:]}
    with faulty_server.running() as server:
        send_while(enqueued, server, lambda: None)
        assert set(server.envelopes[:5]) == urgent
        assert sent_once(server, PEOPLE)


def test_a_digest_with_urgent_news_is_enqueued_as_urgent(installation: Installation):
    due = installation.discover(2)
    with installation.at(due).writing() as session:
        session.query(Match).update({"urgent": True})
    compose.run(installation.at(due))
    with installation.at(due).reading() as session:
        assert {delivery.lane for delivery in session.query(Delivery)} == {Lane.URGENT}


@pytest.mark.parametrize(
    ("kind", "lane"),
    [
        (DeliveryKind.CONFIRMATION, Lane.ASKED),
        (DeliveryKind.LINK, Lane.ASKED),
        (DeliveryKind.WELCOME, Lane.ASKED),
        (DeliveryKind.RENEWAL, Lane.OTHERS),
        (DeliveryKind.REMINDER, Lane.OTHERS),
    ],
)
def test_each_kind_of_mail_has_its_lane(installation: Installation, kind: DeliveryKind, lane: Lane):
    installation.adopt()
    subscription_id = installation.subscribe("zoe@example.org")
    with installation.at(MONDAY).writing() as session:
        session.query(Delivery).delete()
        outbox.enqueue_own(session, kind, [subscription_id], "example.org", MONDAY)
        assert (
            session.query(Delivery).one().lane is lane or session.query(Delivery).one().lane == lane
        )


def a_message(number: int, lane: Lane) -> OutgoingMessage:
    attempt = outbox.Attempt(number, "claim")
    return OutgoingMessage(attempt, "a@example.org", "b@example.org", lambda: b"", lane)


def test_a_queue_serves_its_lanes_in_order_and_each_in_its_own():
    lanes = (Lane.OTHERS, Lane.ASKED, Lane.URGENT, Lane.OTHERS, Lane.ASKED)
    queue = Queue(a_message(number, lane) for number, lane in enumerate(lanes))
    assert queue.first_lane == Lane.ASKED
    queue.put_back(a_message(9, Lane.URGENT))
    assert [outgoing.attempt.delivery_id for outgoing in queue] == [1, 4, 9, 2, 0, 3]
    assert [queue.take().attempt.delivery_id for _ in range(len(queue))] == [1, 4, 9, 2, 0, 3]
    assert queue.first_lane is None


def test_a_second_connection_takes_the_other_lanes_while_the_first_lane_is_served():
    queue = Queue([a_message(1, Lane.ASKED), a_message(2, Lane.OTHERS)])
    assert queue.take(first_lane_last=True).attempt.delivery_id == 2
    assert queue.take(first_lane_last=True).attempt.delivery_id == 1


def test_a_mail_of_the_first_lane_takes_the_next_free_place_of_its_domain(
    enqueued: Installation,
):
    rates = {"example.org": 0.1}
    with enqueued.at(TUESDAY).writing() as session:
        outbox.claim_due(session, TUESDAY, outbox.ClaimOptions(100, domain_rates=rates))
    ask_for_a_confirmation(enqueued)
    for second, expected in ((5, []), (10, [Lane.ASKED]), (20, [Lane.OTHERS])):
        moment = TUESDAY + timedelta(seconds=second)
        with enqueued.at(moment).writing() as session:
            options = outbox.ClaimOptions(100, domain_rates=rates)
            claimed = outbox.claim_due(session, moment, options)
            assert [row.lane for row in claimed] == expected


def test_mails_to_a_limited_domain_go_out_at_its_rate_in_one_run(enqueued: Installation):
    with faulty_server.running() as server:
        rates = {"example.org": 20}
        enqueued.change(smtp=Smtp(port=server.port, security="none", domain_rates=rates))
        deps = replace(enqueued.at(TUESDAY), fixed_now=None)
        started = time.monotonic()
        deliver.run(deps)
        assert sent_once(server, PEOPLE)
        assert time.monotonic() - started >= 0.4


def statuses(installation: Installation) -> dict[DeliveryStatus, int]:
    with installation.at(TUESDAY).reading() as session:
        rows = session.query(Delivery).all()
    return {
        status: sum(row.status is status for row in rows) for status in {r.status for r in rows}
    }


def stop(installation: Installation) -> None:
    other = replace(installation.at(TUESDAY))
    with other.writing() as session:
        assert outbox_stop.stop(session, TUESDAY)


@pytest.mark.parametrize("rate", [0, 20])
def test_a_person_stops_the_sending_in_the_middle_of_a_digest(enqueued: Installation, rate: int):
    with faulty_server.running(slow=0.05) as server:
        sent = send_while(enqueued, server, lambda: stop(enqueued), rate_per_second=rate)
        assert sent.stopped_at == TUESDAY
        assert 4 <= sent.accepted < PEOPLE
        assert statuses(enqueued) == {
            DeliveryStatus.SENT: len(server.accepted),
            DeliveryStatus.PENDING: PEOPLE - len(server.accepted),
        }
        again = deliver.run(enqueued.at(TUESDAY))
        assert (again.answers, again.stopped_at) == ({}, TUESDAY)
        with enqueued.at(TUESDAY).writing() as session:
            assert outbox_stop.resume(session)
            assert not outbox_stop.resume(session)
        assert deliver.run(enqueued.at(TUESDAY)).stopped_at is None
        assert sent_once(server, PEOPLE)


def test_a_stop_holds_back_every_kind_of_mail(enqueued: Installation):
    stop(enqueued)
    ask_for_a_confirmation(enqueued)
    with faulty_server.running() as server:
        send_while(enqueued, server, lambda: None, after=0)
        assert server.connections == 0


def test_a_server_that_is_silent_at_a_stop_is_waited_for_a_minute_and_its_mail_is_uncertain(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(sending, "LONGEST_STOP", 0.3)
    outcomes: list[outbox.Outcome] = []
    with faulty_server.running(slow=20.0) as server:
        smtp = Smtp(port=server.port, security="none", connections=1, timeout_seconds=0.5)
        transport = Transport(smtp)
        started = time.monotonic()
        messages = [
            a_message(number, Lane.OTHERS)._replace(message=lambda: b"Subject: x\r\n\r\nx\r\n")
            for number in range(3)
        ]
        transport.send(messages, outcomes.extend, stop=lambda: time.monotonic() - started > 0.3)
        transport.close()
        assert time.monotonic() - started < 10
    assert {outcome.attempt.delivery_id: outcome.answer.value for outcome in outcomes} == {
        0: "unknown",
        1: "not tried",
        2: "not tried",
    }


def test_the_end_of_a_message_is_waited_for_longer_than_any_other_answer():
    outcomes: list[outbox.Outcome] = []
    with faulty_server.running(slow=1.2) as server:
        smtp = Smtp(port=server.port, security="none", connections=1, timeout_seconds=0.4)
        transport = Transport(smtp)
        message = a_message(1, Lane.OTHERS)._replace(message=lambda: b"Subject: x\r\n\r\nx\r\n")
        transport.send([message], outcomes.extend)
        transport.close()
    assert [outcome.answer.value for outcome in outcomes] == ["accepted"]
    assert sending.LONGEST_END == 600


def test_a_slow_greeting_is_waited_for_and_delays_no_other_connection():
    outcomes: list[outbox.Outcome] = []
    with faulty_server.running(greetings=[0.0, 15]) as server:
        smtp = Smtp(port=server.port, security="none", connections=2, timeout_seconds=0.4)
        transport = Transport(smtp)
        started = time.monotonic()
        messages = [
            a_message(number, Lane.OTHERS)._replace(message=lambda: b"Subject: x\r\n\r\nx\r\n")
            for number in range(20)
        ]
        transport.send(messages, outcomes.extend)
        transport.close()
        assert time.monotonic() - started < 10
    assert {outcome.answer.value for outcome in outcomes} == {"accepted"}
    with faulty_server.running(greetings=[0.8]) as server:
        smtp = Smtp(port=server.port, security="none", connections=2, timeout_seconds=0.4)
        transport = Transport(smtp)
        transport.send(messages[:1], outcomes.extend)
        transport.close()
        assert len(server.accepted) == 1


def test_a_mail_to_somebody_who_was_erased_after_the_claim_ends_without_a_trace(
    enqueued: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    ask_for_a_confirmation(enqueued)
    claim_due = outbox.claim_due

    def claim_and_erase(session, now, options):
        claimed = claim_due(session, now, options)
        erased = [row.id for row in claimed if row.digest_id is None]
        session.query(Delivery).filter(Delivery.id.in_(erased)).delete()
        return claimed

    monkeypatch.setattr(outbox, "claim_due", claim_and_erase)
    with faulty_server.running() as server:
        send_while(enqueued, server, lambda: None)
        assert sent_once(server, PEOPLE)
    assert caplog.text == ""


def test_an_address_that_needs_smtputf8_costs_its_own_mail_alone():
    outcomes: list[outbox.Outcome] = []
    messages = [
        a_message(number, Lane.OTHERS)._replace(message=lambda: b"Subject: x\r\n\r\nx\r\n")
        for number in range(3)
    ]
    messages[1] = messages[1]._replace(envelope_to="jörg@example.org")
    with faulty_server.running() as server:
        transport = Transport(Smtp(port=server.port, security="none", connections=1))
        transport.send(messages, outcomes.extend)
        transport.close()
    answers = {outcome.attempt.delivery_id: outcome for outcome in outcomes}
    assert answers[1].answer is outbox.SendResult.REFUSED
    assert "SMTPUTF8" in answers[1].text
    assert {answers[0].answer, answers[2].answer} == {outbox.SendResult.ACCEPTED}
