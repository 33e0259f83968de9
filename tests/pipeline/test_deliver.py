"""Delivery: each message once, settled only by the server's answer, and every failure where a person looks."""

import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from notifier.deliver import outbox
from notifier.deliver.outbox import ClaimOptions, SendResult
from notifier.deliver.smtp.client import Transport
from notifier.deliver.smtp.protocol import OutgoingMessage
from notifier.enums import DeliveryStatus, DigestStatus, SuppressionCause
from notifier.errors import SettingsError
from notifier.pipeline import compose, deliver, match, poll
from notifier.settings import Sender, Smtp
from notifier.store.models import Delivery, Digest
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import free_port
from tests.support.news_site import Article

TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture
def owed(any_installation: Installation) -> Installation:
    """Three people are owed a digest that nobody sent yet."""
    made = any_installation
    for name in ("anna", "ben", "cleo"):
        made.subscribe(f"{name}@example.org")
    poll.run(made.at(MONDAY))
    made.publish([Article("Frexalimab slows lesions")])
    deps = made.at(TUESDAY)
    poll.run(deps)
    match.run(deps)
    assert compose.run(deps) == 1
    return made


def deliveries(made: Installation) -> dict[str, Delivery]:
    with made.at(MONDAY).reading() as session:
        return {
            one.subscription.subscriber.email.partition("@")[0]: one
            for one in session.query(Delivery)
        }


def test_a_refused_recipient_fails_alone_with_the_servers_words(owed: Installation):
    owed.sink.refuse_recipient["ben@example.org"] = "550 5.1.1 no mailbox ben@example.org"

    sent = deliver.run(owed.at(TUESDAY))

    assert sent.answers == {SendResult.ACCEPTED: 2, SendResult.REFUSED: 1}
    found = deliveries(owed)
    assert {name: one.status for name, one in found.items()} == {
        "anna": DeliveryStatus.SENT,
        "ben": DeliveryStatus.FAILED,
        "cleo": DeliveryStatus.SENT,
    }
    assert (
        found["ben"].error == "the server answered 550 to RCPT TO: 5.1.1 no mailbox (the recipient)"
    )
    assert found["anna"].error is None
    assert deliver.run(owed.at(TUESDAY)).answers == {}


def test_a_recipient_that_is_put_off_is_tried_again_later_with_the_same_message_id(
    owed: Installation,
):
    owed.sink.refuse_recipient["ben@example.org"] = "451 4.7.1 greylisted, come back"
    deliver.run(owed.at(TUESDAY))
    first = deliveries(owed)["ben"]
    assert (first.status, first.attempts) == (DeliveryStatus.PENDING, 1)
    assert deliver.run(owed.at(TUESDAY + timedelta(minutes=1))).answers == {}
    owed.sink.refuse_recipient.clear()

    deliver.run(owed.at(TUESDAY + timedelta(minutes=6)))

    (message,) = owed.sink.to("ben@example.org")
    assert message["Message-ID"] == first.message_id
    assert deliveries(owed)["ben"].status is DeliveryStatus.SENT


def test_a_recipient_that_is_put_off_for_three_days_is_given_up(owed: Installation):
    owed.sink.refuse_recipient["ben@example.org"] = "451 4.7.1 not now"
    moment, tries = TUESDAY, 0
    while deliveries(owed)["ben"].status is DeliveryStatus.PENDING:
        tries += 1
        deliver.run(owed.at(moment))
        moment = max(moment + timedelta(minutes=1), deliveries(owed)["ben"].next_attempt_at)
    found = deliveries(owed)["ben"]
    assert found.status is DeliveryStatus.FAILED
    assert found.error.startswith("given up after 3 days: the server answered 451")
    assert 10 < tries < 40


def test_a_refused_message_fails(owed: Installation):
    owed.sink.refuse_message["ben@example.org"] = "554 5.7.1 spam"
    deliver.run(owed.at(TUESDAY))
    assert "554 to the message: 5.7.1 spam" in deliveries(owed)["ben"].error


def test_a_server_that_is_down_loses_nothing(owed: Installation):
    good = owed.at(TUESDAY)
    down = replace(
        good,
        settings=good.settings.model_copy(update={"smtp": Smtp(port=free_port(), security="none")}),
    )

    sent = deliver.run(down)

    assert "cannot be reached" in sent.problem
    assert "smtp.host" in sent.problem
    assert {(one.status, one.attempts) for one in deliveries(owed).values()} == {
        (DeliveryStatus.PENDING, 0)
    }
    assert "cannot be reached" in deliveries(owed)["anna"].error
    assert deliver.run(good).accepted == 3


@pytest.mark.parametrize(
    ("smtp", "said"),
    [
        ({"security": "starttls"}, "smtp.security"),
        ({"security": "none", "username": "x", "password": "y"}, "smtp.username"),
        ({"security": "tls"}, "cannot be trusted"),
        ({"security": "none", "host": "no-such-host.invalid"}, "cannot be resolved"),
    ],
)
def test_a_server_that_cannot_do_what_is_set_is_told_with_the_setting(
    owed: Installation, smtp: dict, said: str
):
    deps = owed.at(TUESDAY)
    changed = deps.settings.smtp.model_copy(update={**smtp, "timeout_seconds": 2})
    sent = deliver.run(replace(deps, settings=deps.settings.model_copy(update={"smtp": changed})))
    assert said in sent.problem
    assert {one.status for one in deliveries(owed).values()} == {DeliveryStatus.PENDING}


def test_a_worker_that_died_is_succeeded_after_its_lease(owed: Installation):
    deps = owed.at(TUESDAY)
    with deps.writing() as session:
        claimed = [one.message_id for one in outbox.claim_due(session, TUESDAY, ClaimOptions(100))]
    assert deliver.run(owed.at(TUESDAY + timedelta(seconds=20))).answers == {}

    deliver.run(owed.at(TUESDAY + timedelta(seconds=31)))

    assert sorted(message["Message-ID"] for message in owed.sink.messages) == sorted(claimed)


def test_two_workers_never_take_the_same_delivery(owed: Installation):
    deps = owed.at(TUESDAY)
    with deps.writing() as session:
        first = {one.id for one in outbox.claim_due(session, TUESDAY, ClaimOptions(2))}
    with deps.writing() as session:
        second = {one.id for one in outbox.claim_due(session, TUESDAY, ClaimOptions(2))}
    assert (len(first), len(second), first & second) == (2, 1, set())


def test_a_digest_is_sent_when_its_last_delivery_is_settled(owed: Installation):
    owed.sink.refuse_recipient["ben@example.org"] = "451 later"
    deliver.run(owed.at(TUESDAY))
    with owed.at(TUESDAY).reading() as session:
        assert session.query(Digest).one().status is DigestStatus.APPROVED
    owed.sink.refuse_recipient["ben@example.org"] = "550 never"
    deliver.run(owed.at(TUESDAY + timedelta(hours=1)))
    with owed.at(TUESDAY).reading() as session:
        assert session.query(Digest).one().status is DigestStatus.SENT


def test_a_failed_delivery_can_be_tried_again_by_hand(owed: Installation):
    owed.sink.refuse_recipient["ben@example.org"] = "550 5.7.1 blocked"
    deliver.run(owed.at(TUESDAY))
    owed.sink.refuse_recipient.clear()
    assert deliver.retry_failed(owed.at(TUESDAY)) == 1
    deliver.run(owed.at(TUESDAY))
    (message,) = owed.sink.to("ben@example.org")
    assert message["Message-ID"] == deliveries(owed)["ben"].message_id


def test_a_suppressed_address_gets_nothing(owed: Installation):
    from notifier.subscribers import subscriptions, suppressions

    with owed.at(TUESDAY).writing() as session:
        key = subscriptions.hash_of(session, "BEN@example.org")
        suppressions.add(session, key, SuppressionCause.COMPLAINED, "complained", TUESDAY)
    deliver.run(owed.at(TUESDAY))
    assert owed.sink.to("ben@example.org") == []
    assert deliveries(owed)["ben"].status is DeliveryStatus.SUPPRESSED


def test_nothing_is_claimed_before_it_is_known_who_writes(owed: Installation):
    deps = owed.at(TUESDAY)
    unset = replace(deps, settings=deps.settings.model_copy(update={"sender": Sender()}))
    with pytest.raises(SettingsError, match=r"sender\.address is not set"):
        deliver.run(unset)
    assert {one.status for one in deliveries(owed).values()} == {DeliveryStatus.PENDING}


def test_a_limit_of_mails_a_second_is_kept(owed: Installation):
    import time

    deps = owed.at(TUESDAY)
    slow = deps.settings.smtp.model_copy(update={"rate_per_second": 10})
    began = time.monotonic()
    deliver.run(replace(deps, settings=deps.settings.model_copy(update={"smtp": slow})))
    assert time.monotonic() - began >= 0.2
    assert len(owed.sink.messages) == 3


@contextmanager
def scripted(*answers: bytes):
    """A server that says these lines, one to each command, and hangs up where there are no more."""
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
PARCEL = OutgoingMessage(
    7,
    "digest@example.org",
    "anna@example.org",
    lambda: b"Subject: x\r\n\r\nNothing of it is true.\r\n",
)


@pytest.mark.parametrize(
    ("script", "answer", "said"),
    [
        (
            (*GREETING, b"250 ok", b"250 ok", b"354 go", b"(body)", b"250 taken"),
            SendResult.ACCEPTED,
            "",
        ),
        (
            (*GREETING, b"250 ok", b"250 ok", b"354 go", b"(body)"),
            SendResult.UNKNOWN,
            "after the message was handed over",
        ),
        ((*GREETING, b"250 ok"), SendResult.DEFERRED, "before the message was handed over"),
        ((*GREETING, b"421 closing", b"250 ok"), SendResult.DEFERRED, "421 to MAIL FROM"),
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
def test_each_end_of_a_transaction_is_told_for_what_it_is(
    script: tuple[bytes, ...], answer: SendResult, said: str
):
    outcomes = []
    with scripted(*script) as port:
        transport = Transport(Smtp(port=port, security="none", connections=1, timeout_seconds=5))
        transport.send([PARCEL], outcomes.extend)
        transport.close()
    (outcome,) = outcomes
    assert outcome.answer is answer
    assert said in outcome.text
    assert "anna" not in outcome.text


def test_a_server_that_stalls_is_left_alone():
    listener = socket.create_server(("127.0.0.1", 0))
    smtp = Smtp(port=listener.getsockname()[1], security="none", timeout_seconds=0.3, connections=1)
    outcomes = []
    problem = Transport(smtp).send([PARCEL], outcomes.extend)
    assert "timed out" in problem
    assert [one.answer for one in outcomes] == [SendResult.NOT_TRIED]
    listener.close()


def test_what_is_uncertain_is_sent_again_with_its_message_id(owed: Installation):
    from notifier.deliver.outbox import Outcome

    with owed.at(TUESDAY).writing() as session:
        (one, *_) = outbox.claim_due(session, TUESDAY, ClaimOptions(1))
        outbox.settle_attempts(
            session, [Outcome(one.id, SendResult.UNKNOWN, "the connection ended")], TUESDAY
        )
        assert session.get_one(Delivery, one.id).status is DeliveryStatus.UNCERTAIN
    deliver.run(owed.at(TUESDAY + timedelta(minutes=6)))
    assert len({message["Message-ID"] for message in owed.sink.messages}) == 3


def test_a_bare_dot_at_the_start_of_a_line_survives(owed: Installation):
    from aiosmtpd.controller import Controller

    class Keeper:
        content = b""

        async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's name
            Keeper.content = envelope.content
            return "250 OK"

    controller = Controller(Keeper(), hostname="127.0.0.1", port=free_port())
    controller.start()
    outcomes = []
    transport = Transport(Smtp(port=controller.port, security="none", connections=1))
    transport.send([PARCEL], outcomes.extend)
    transport.close()
    assert [one.answer for one in outcomes] == [SendResult.ACCEPTED]
    controller.stop()
    assert Keeper.content == PARCEL.message()
