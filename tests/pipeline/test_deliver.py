"""Delivery: each message is sent once, settled by the server's answer, and failures are shown."""

import gc
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller

from notifier.deliver import outbox
from notifier.deliver.outbox import ClaimOptions, Outcome, SendResult, rate_limits
from notifier.deliver.smtp import connection
from notifier.deliver.smtp.client import Transport
from notifier.deliver.smtp.protocol import OutgoingMessage
from notifier.enums import DeliveryStatus, DigestStatus, SuppressionCause
from notifier.errors import SettingsError
from notifier.pipeline import compose, deliver, match, poll, unsent
from notifier.settings import Sender, Smtp
from notifier.store.models import Delivery, Digest, RateLimit
from notifier.subscribers import subscriptions, suppressions
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import free_port
from tests.support.news_site import Article

TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture
def enqueued(any_installation: Installation) -> Installation:
    """An installation with a digest enqueued for three people."""
    any_installation.prepare(enqueue)
    return any_installation


def enqueue(installation: Installation) -> None:
    for name in ("anna", "ben", "cleo"):
        installation.subscribe(f"{name}@example.org")
    poll.run(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    deps = installation.at(TUESDAY)
    poll.run(deps)
    match.run(deps)
    assert compose.run(deps) == 1


def kept_objects() -> int:
    """The objects that are kept after a collection, with those that are exempt from it."""
    gc.collect()
    return len(gc.get_objects()) + gc.get_freeze_count()


@pytest.mark.postgresql_long
def test_a_process_that_delivers_for_months_keeps_no_garbage(enqueued: Installation):
    enqueued.change(smtp=Smtp(port=free_port(), security="none", timeout_seconds=5))
    for _ in range(3):
        deliver.run(enqueued.at(TUESDAY))
    before = kept_objects()
    for _ in range(20):
        deliver.run(enqueued.at(TUESDAY))
    assert kept_objects() - before < 500


def deliveries(installation: Installation) -> dict[str, Delivery]:
    with installation.at(MONDAY).reading() as session:
        return {
            delivery.subscription.subscriber.email.partition("@")[0]: delivery
            for delivery in session.query(Delivery)
        }


def test_a_refused_recipient_fails_alone_with_the_servers_words(enqueued: Installation):
    enqueued.sink.refuse_recipient["ben@example.org"] = "550 5.1.1 no mailbox ben@example.org"

    sent = deliver.run(enqueued.at(TUESDAY))

    assert sent.answers == {SendResult.ACCEPTED: 2, SendResult.REFUSED: 1}
    by_name = deliveries(enqueued)
    assert {name: delivery.status for name, delivery in by_name.items()} == {
        "anna": DeliveryStatus.SENT,
        "ben": DeliveryStatus.FAILED,
        "cleo": DeliveryStatus.SENT,
    }
    assert (
        by_name["ben"].error
        == "the server answered 550 to RCPT TO: 5.1.1 no mailbox (the recipient)"
    )
    assert by_name["anna"].error is None
    assert deliver.run(enqueued.at(TUESDAY)).answers == {}


def test_a_deferred_recipient_is_tried_again_with_the_same_message_id(
    enqueued: Installation,
):
    enqueued.sink.refuse_recipient["ben@example.org"] = "451 4.7.1 greylisted, come back"
    deliver.run(enqueued.at(TUESDAY))
    first = deliveries(enqueued)["ben"]
    assert (first.status, first.attempts) == (DeliveryStatus.PENDING, 1)
    assert deliver.run(enqueued.at(TUESDAY + timedelta(minutes=1))).answers == {}
    enqueued.sink.refuse_recipient.clear()

    deliver.run(enqueued.at(TUESDAY + timedelta(minutes=6)))

    (message,) = enqueued.sink.to("ben@example.org")
    assert message["Message-ID"] == first.message_id
    assert deliveries(enqueued)["ben"].status is DeliveryStatus.SENT


def test_a_recipient_that_is_deferred_for_three_days_is_given_up(enqueued: Installation):
    enqueued.sink.refuse_recipient["ben@example.org"] = "451 4.7.1 not now"
    moment, tries = TUESDAY, 0
    while deliveries(enqueued)["ben"].status is DeliveryStatus.PENDING:
        tries += 1
        deliver.run(enqueued.at(moment))
        moment = max(moment + timedelta(minutes=1), deliveries(enqueued)["ben"].next_attempt_at)
    given_up = deliveries(enqueued)["ben"]
    assert given_up.status is DeliveryStatus.FAILED
    assert given_up.error.startswith("given up after 3 days: the server answered 451")
    assert 10 < tries < 40


def test_a_refused_message_fails(enqueued: Installation):
    enqueued.sink.refuse_message["ben@example.org"] = "554 5.7.1 spam"
    deliver.run(enqueued.at(TUESDAY))
    assert "554 to the message: 5.7.1 spam" in deliveries(enqueued)["ben"].error


def test_a_server_that_is_down_loses_nothing(enqueued: Installation):
    good = enqueued.at(TUESDAY)
    down = replace(
        good,
        settings=good.settings.model_copy(update={"smtp": Smtp(port=free_port(), security="none")}),
    )

    sent = deliver.run(down)

    assert "cannot be reached" in sent.problem
    assert "smtp.host" in sent.problem
    assert {(row.status, row.attempts) for row in deliveries(enqueued).values()} == {
        (DeliveryStatus.PENDING, 0)
    }
    assert "cannot be reached" in deliveries(enqueued)["anna"].error
    assert deliver.run(good).accepted == 3


@pytest.mark.parametrize(
    ("smtp", "named"),
    [
        ({"security": "starttls"}, "smtp.security"),
        ({"security": "none", "username": "x", "password": "y"}, "smtp.username"),
        ({"security": "tls"}, "cannot be trusted"),
        ({"security": "none", "host": "no-such-host.invalid"}, "cannot be resolved"),
    ],
)
def test_a_server_that_does_not_fit_the_settings_is_reported_with_the_setting(
    enqueued: Installation, smtp: dict, named: str
):
    deps = enqueued.at(TUESDAY)
    changed = deps.settings.smtp.model_copy(update={**smtp, "timeout_seconds": 2})
    sent = deliver.run(replace(deps, settings=deps.settings.model_copy(update={"smtp": changed})))
    assert named in sent.problem
    assert {row.status for row in deliveries(enqueued).values()} == {DeliveryStatus.PENDING}


def test_deliveries_of_a_dead_worker_are_sent_after_its_lease(enqueued: Installation):
    deps = enqueued.at(TUESDAY)
    with deps.writing() as session:
        claimed = [row.message_id for row in outbox.claim_due(session, TUESDAY, ClaimOptions(100))]
    assert deliver.run(enqueued.at(TUESDAY + timedelta(seconds=20))).answers == {}

    deliver.run(enqueued.at(TUESDAY + timedelta(seconds=31)))

    assert sorted(message["Message-ID"] for message in enqueued.sink.messages) == sorted(claimed)


def test_two_workers_never_take_the_same_delivery(enqueued: Installation):
    deps = enqueued.at(TUESDAY)
    with deps.writing() as session:
        first = {row.id for row in outbox.claim_due(session, TUESDAY, ClaimOptions(2))}
    with deps.writing() as session:
        second = {row.id for row in outbox.claim_due(session, TUESDAY, ClaimOptions(2))}
    assert (len(first), len(second), first & second) == (2, 1, set())


def test_a_digest_is_sent_when_its_last_delivery_is_settled(enqueued: Installation):
    enqueued.sink.refuse_recipient["ben@example.org"] = "451 later"
    deliver.run(enqueued.at(TUESDAY))
    with enqueued.at(TUESDAY).reading() as session:
        assert session.query(Digest).one().status is DigestStatus.APPROVED
    enqueued.sink.refuse_recipient["ben@example.org"] = "550 never"
    deliver.run(enqueued.at(TUESDAY + timedelta(hours=1)))
    with enqueued.at(TUESDAY).reading() as session:
        assert session.query(Digest).one().status is DigestStatus.SENT


def test_a_failed_delivery_can_be_tried_again_by_hand(enqueued: Installation):
    enqueued.sink.refuse_recipient["ben@example.org"] = "550 5.7.1 blocked"
    deliver.run(enqueued.at(TUESDAY))
    enqueued.sink.refuse_recipient.clear()
    assert unsent.retry(enqueued.at(TUESDAY)) == 1
    deliver.run(enqueued.at(TUESDAY))
    (message,) = enqueued.sink.to("ben@example.org")
    assert message["Message-ID"] == deliveries(enqueued)["ben"].message_id


def test_a_suppressed_address_gets_nothing(enqueued: Installation):
    with enqueued.at(TUESDAY).writing() as session:
        key = subscriptions.hash_of(session, "BEN@example.org")
        suppressions.add(session, key, SuppressionCause.COMPLAINED, "complained", TUESDAY)
    deliver.run(enqueued.at(TUESDAY))
    assert enqueued.sink.to("ben@example.org") == []
    assert deliveries(enqueued)["ben"].status is DeliveryStatus.SUPPRESSED


def test_nothing_is_claimed_before_the_sender_is_set(enqueued: Installation):
    deps = enqueued.at(TUESDAY)
    unset = replace(deps, settings=deps.settings.model_copy(update={"sender": Sender()}))
    with pytest.raises(SettingsError, match=r"sender\.address is not set"):
        deliver.run(unset)
    assert {row.status for row in deliveries(enqueued).values()} == {DeliveryStatus.PENDING}


def test_the_rate_limit_of_the_mail_server_is_kept(enqueued: Installation):
    """Three mails at ten a second take at least 0.2 seconds, and longer on a busy machine."""
    deps = enqueued.at(TUESDAY)
    slow = deps.settings.smtp.model_copy(update={"rate_per_second": 10})
    began = time.monotonic()
    deliver.run(replace(deps, settings=deps.settings.model_copy(update={"smtp": slow})))
    assert time.monotonic() - began >= 0.2
    assert len(enqueued.sink.messages) == 3


def test_two_workers_share_the_rate_limit_of_the_mail_server(any_installation: Installation):
    """Ten mails a second: each of 20 reservations of 3 mails gets its own 0.3 seconds."""
    first, second = any_installation.at(MONDAY), any_installation.at(MONDAY)

    def reserve(number: int) -> timedelta:
        deps = first if number % 2 else second
        with deps.writing() as session:
            return rate_limits.reserve(session, 10, 3, MONDAY)

    reserve(0)  # the row of the limit exists from here on
    with ThreadPoolExecutor(2) as workers:
        waits = sorted(workers.map(reserve, range(1, 20)))
    assert waits == [timedelta(seconds=0.3) * number for number in range(1, 20)]
    with first.reading() as session:
        (limit,) = session.query(RateLimit)
    assert (limit.key, limit.next_at) == ("", MONDAY + timedelta(seconds=6))


def test_a_rate_limit_that_was_not_used_for_a_while_lets_the_next_mail_start_at_once(
    any_installation: Installation,
):
    deps = any_installation.at(MONDAY)
    with deps.writing() as session:
        assert rate_limits.reserve(session, 2, 10, MONDAY) == timedelta()
        assert rate_limits.reserve(session, 2, 1, MONDAY) == timedelta(seconds=5)
        later = MONDAY + timedelta(minutes=1)
        assert rate_limits.reserve(session, 2, 1, later) == timedelta()


def test_a_second_worker_waits_for_the_mails_of_the_first(enqueued: Installation):
    deps = enqueued.at(TUESDAY)
    limited = deps.settings.smtp.model_copy(update={"rate_per_second": 10})
    deps = replace(deps, settings=deps.settings.model_copy(update={"smtp": limited}))
    with deps.writing() as session:
        rate_limits.reserve(session, 10, 5, TUESDAY)
    started = time.monotonic()
    assert deliver.run(deps).accepted == 3
    assert time.monotonic() - started >= 0.7


@contextmanager
def scripted(*answers: bytes):
    """A server that answers each command with the next line, and then closes the connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def speak() -> None:
        connection, _ = listener.accept()
        # A client that has heard enough hangs up in the middle of a long answer.
        with suppress(ConnectionError), connection, connection.makefile("rb") as heard:
            for answer in answers:
                if answer == b"(body)":
                    while heard.readline() not in (b".\r\n", b""):
                        pass
                    continue
                connection.sendall(answer + b"\r\n")
                if not answer.startswith(b"354"):
                    heard.readline()

    thread = threading.Thread(target=speak, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    thread.join(5)
    listener.close()


GREETING = (b"220 test", b"250 test")
OUTGOING = OutgoingMessage(
    outbox.Attempt(7, "claim"),
    "digest@example.org",
    "anna@example.org",
    lambda: b"Subject: x\r\n\r\nNothing of it is true.\r\n",
)


@pytest.mark.parametrize(
    ("script", "answer", "text"),
    [
        (
            (*GREETING, b"250 ok", b"250 ok", b"354 go", b"(body)", b"250 taken"),
            SendResult.ACCEPTED,
            "",
        ),
        (
            (*GREETING, b"250 ok", b"250 ok", b"354 go", b"(body)", b"200 OK queued"),
            SendResult.ACCEPTED,
            "",
        ),
        (
            (*GREETING, b"250 ok", b"250 ok", b"354 go", b"(body)", b"251 will forward"),
            SendResult.ACCEPTED,
            "",
        ),
        (
            (*GREETING, b"250 ok", b"250 ok", b"354 go", b"(body)", b"354 go on"),
            SendResult.UNKNOWN,
            "354 to a message",
        ),
        (
            (*GREETING, b"250 ok", b"250 ok", b"354 go", b"(body)"),
            SendResult.UNKNOWN,
            "after the message was handed over",
        ),
        ((*GREETING, b"250 ok"), SendResult.DEFERRED, "before the message was handed over"),
        (
            (*GREETING, b"550 no such sender", b"250 ok"),
            SendResult.NOT_TRIED,
            "Check sender.address",
        ),
        (
            (*GREETING, b"250 ok", b"250 ok", b"354 go", b"(body)", b"452 full", b"250"),
            SendResult.DEFERRED,
            "452 to the mess",
        ),
        ((*GREETING, b"nonsense"), SendResult.DEFERRED, "an answer without a code"),
        ((*GREETING, b"250-and\r\n" * 1100), SendResult.DEFERRED, "an answer without an end"),
        ((*GREETING, b"250 " + b"x" * 200_000), SendResult.DEFERRED, "an answer without an end"),
    ],
)
def test_each_way_a_transaction_can_end_has_its_outcome(
    script: tuple[bytes, ...], answer: SendResult, text: str
):
    outcomes = []
    with scripted(*script) as port:
        transport = Transport(Smtp(port=port, security="none", connections=1, timeout_seconds=2))
        transport.send([OUTGOING], outcomes.extend)
        transport.close()
    (outcome,) = outcomes
    assert outcome.answer is answer
    assert text in outcome.text
    assert "anna" not in outcome.text


def test_a_server_that_never_answers_is_reported(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection, "GREETING_SECONDS", 0.3)
    listener = socket.create_server(("127.0.0.1", 0))
    smtp = Smtp(port=listener.getsockname()[1], security="none", timeout_seconds=0.3, connections=1)
    outcomes = []
    problem = Transport(smtp).send([OUTGOING], outcomes.extend)
    assert "timed out" in problem
    assert [outcome.answer for outcome in outcomes] == [SendResult.NOT_TRIED]
    listener.close()


def test_an_uncertain_delivery_is_sent_again_with_its_message_id(enqueued: Installation):
    with enqueued.at(TUESDAY).writing() as session:
        (claimed, *_) = outbox.claim_due(session, TUESDAY, ClaimOptions(1))
        outbox.settle_attempts(
            session,
            [Outcome(claimed.attempt, SendResult.UNKNOWN, "the connection ended")],
            TUESDAY,
        )
        assert session.get_one(Delivery, claimed.id).status is DeliveryStatus.UNCERTAIN
    deliver.run(enqueued.at(TUESDAY + timedelta(minutes=6)))
    assert len({message["Message-ID"] for message in enqueued.sink.messages}) == 3


def test_a_bare_dot_at_the_start_of_a_line_survives(enqueued: Installation):
    class Keeper:
        content = b""

        async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's name
            Keeper.content = envelope.content
            return "250 OK"

    controller = Controller(Keeper(), hostname="127.0.0.1", port=free_port())
    controller.start()
    outcomes = []
    transport = Transport(Smtp(port=controller.port, security="none", connections=1))
    transport.send([OUTGOING], outcomes.extend)
    transport.close()
    assert [outcome.answer for outcome in outcomes] == [SendResult.ACCEPTED]
    controller.stop()
    assert Keeper.content == OUTGOING.message()
