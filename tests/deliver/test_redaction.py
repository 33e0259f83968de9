"""Answers and reports are stored and shown without addresses, secrets and control characters."""

import base64
import logging
import sqlite3
from collections.abc import Callable
from datetime import timedelta

import pytest

from notifier.deliver import outbox
from notifier.deliver.bounces import parser
from notifier.deliver.outbox import SendResult
from notifier.deliver.redaction import safe, without_secrets
from notifier.deliver.smtp.client import Transport
from notifier.deliver.smtp.connection import ServerDownError, connect
from notifier.enums import DeliveryStatus, SuppressionCause
from notifier.messages.digest_mail import MessageBuilder
from notifier.pipeline import bounces, compose, deliver, match, poll
from notifier.pipeline.bounces import Refusals
from notifier.pipeline.run import Sent
from notifier.settings import Operator, Smtp
from notifier.store.models import Delivery, Notice, Subscriber, Suppression
from tests.support import faulty_server
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article
from tests.support.reports import a_report

TUESDAY = MONDAY + timedelta(days=1)
ANNA = "anna.smith+news@example.org"

ANSWERS = [
    "550 5.1.1 <anna.smith+news@example.org> unknown",
    "550 5.1.1 ANNA.SMITH+NEWS@EXAMPLE.ORG unknown",
    "550 5.1.1 anna.smith+news @ example.org unknown",
    "550 5.1.1 [anna.smith+news@example.org]: unknown",
    "550 5.1.1 'anna.smith+news'@example.org unknown",
    "550 5.1.1 anna.smith+news=40example.org unknown",
    "550 5.1.1 anna.smith%40example.org unknown",
    "550 5.1.1 no user anna.smith here",
    "550 5.1.1 no user Anna.Smith+News here",
    "550-5.1.1 unknown user <anna.smith+ne\r\n550 ws@example.org>",
    "550-5.1.1 unknown user <anna.smith+ne\r\n550 5.1.1 ws@example.org>",
    "550-5.1.1 unknown user anna.smith+news\r\n550-@example\r\n550 .org",
    "550 5.1.1 forwarded to anna.smith@private.example.net which is unknown",
    "550 5.1.1 \x1b[31manna.smith+news@example.org\x1b[0m unknown",
    "550 5.1.1 anna.smith+news\uff20example.org unknown",
    "550 5.1.1 mailto:anna.smith+news@example.org,other.person@example.com unknown",
    "550 5.1.1 " + "x" * 250 + " anna.smith+news@example.org",
]


def shows_nobody(text: str) -> bool:
    lower = text.lower()
    return not any(
        name in lower
        for name in ("anna.smith", "other.person", "private.example", "@", "\uff20", "\x1b")
    )


def enqueue_a_digest(installation: Installation, *people: str) -> None:
    for person in people:
        installation.subscribe(person)
    poll.run(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    for step in (poll.run, match.run, compose.run):
        step(installation.at(TUESDAY))


def send(installation: Installation, server: faulty_server.Faulty, **smtp) -> Sent:
    installation.change(
        smtp=Smtp(port=server.port, security="none", connections=1, timeout_seconds=2, **smtp)
    )
    return deliver.run(installation.at(TUESDAY))


@pytest.mark.parametrize("step", ["RCPT", "BODY"])
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_refusal_is_stored_without_the_address_however_it_is_written(
    installation: Installation, answer: str, step: str
):
    enqueue_a_digest(installation, ANNA)
    with faulty_server.running(answers={step: [answer.encode()]}) as server:
        assert send(installation, server).answers == {SendResult.REFUSED: 1}
    with installation.at(TUESDAY).reading() as session:
        errors = [delivery.error for delivery in session.query(Delivery)]
        reasons = [row.reason for row in session.query(Suppression)]
    assert all(shows_nobody(error) for error in errors), errors
    assert reasons == ["5.1.1"]


@pytest.mark.parametrize("answer", ANSWERS)
def test_no_part_of_the_address_is_left_in_the_answers_of_a_server(answer: str):
    assert shows_nobody(safe(answer.replace("\r\n", " "), ANNA)), safe(answer, ANNA)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("550 user unknown", "550 user unknown"),
        ("mailbox full, 550 of 500 MB", "mailbox full, 550 of 500 MB"),
        ("the user user@example.org is unknown", "the user (the recipient) is unknown"),
    ],
)
def test_usual_words_that_are_also_local_parts_are_kept(text: str, shown: str):
    assert safe(text, "user@example.org") == shown


def test_a_very_long_answer_is_cut_and_takes_no_time():
    assert len(safe("a@b " * 100_000, ANNA)) <= 300
    assert shows_nobody(safe("x" * 1_990 + " anna.smith+news@example.org", ANNA))
    assert safe("\x1b]0;title\x07 \x00 \u202e words\r\n", ANNA) == "]0;title words"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("550 5.1.1 unknown user", "5.1.1"),
        ("550 unknown user", "550"),
        ("553 no such user here", "553"),
        ("550-5.1.1 no such\r\n550 user anna", "5.1.1"),
    ],
)
def test_a_refusal_suppresses_with_a_code_as_the_reason(
    any_installation: Installation, answer: str, code: str
):
    enqueue_a_digest(any_installation, "anna@example.org")
    with faulty_server.running(answers={"RCPT": [answer.encode()]}) as server:
        send(any_installation, server)
    with any_installation.at(TUESDAY).reading() as session:
        assert [(row.cause, row.reason) for row in session.query(Suppression)] == [
            (SuppressionCause.BOUNCED, code)
        ]


def test_a_refusal_of_an_old_address_has_no_consequence(
    any_installation: Installation,
):

    enqueue_a_digest(any_installation, "anna@example.org")
    deps = any_installation.at(TUESDAY)
    with deps.writing() as session:
        (claimed,) = outbox.claim_due(session, TUESDAY, outbox.ClaimOptions(1))
        outgoing = MessageBuilder(deps).outgoing(session, claimed, TUESDAY)
    with deps.writing() as session:
        session.query(Subscriber).update({"email": "anna@example.net", "moved_at": TUESDAY})
    outcomes: list[outbox.Outcome] = []
    with faulty_server.running(answers={"RCPT": [b"550 5.1.1 unknown user"]}) as server:
        transport = Transport(Smtp(port=server.port, security="none"))
        transport.send([outgoing], outcomes.extend)
        transport.close()
    with deps.writing() as session:
        outbox.settle_attempts(session, outcomes, TUESDAY)
        Refusals(deps).apply(session, outcomes, TUESDAY)
    with deps.reading() as session:
        assert session.query(Suppression).count() == 0
        assert session.query(Delivery).one().status is DeliveryStatus.FAILED


def test_the_notice_about_refusals_for_our_fault_names_nobody(installation: Installation):
    people = [f"person.{number}@example.org" for number in range(20)]
    installation.change(operator=Operator(address="operator@example.org"))
    enqueue_a_digest(installation, *people)
    answers = [
        f"554 5.7.1 <Person.{n}@example.org> is refused, ask person.{n}@example.org".encode()
        for n in range(20)
    ]
    with faulty_server.running(answers={"RCPT": answers}) as server:
        send(installation, server)
    with installation.at(TUESDAY).reading() as session:
        (notice,) = session.query(Notice)
    assert notice.subject == "notifier: mail servers refuse us"
    assert "5.7.1" in notice.text
    assert "person." not in notice.text.lower()
    assert "@" not in notice.text


DIAGNOSTICS = [
    "smtp; 552 5.2.2 <anna@example.org> mailbox full",
    "552 5.2.2 ANNA@EXAMPLE.ORG over quota",
    "552 5.2.2 anna: mailbox full",
    "552 5.2.2 \x1b[1mmailbox full\x07 for anna@example.org",
    "552 5.2.2 mailbox full, see https://example.net/?user=anna%40example.org",
    "552 5.2.2 mailbox full (forwarded to private@example.net)",
]


@pytest.mark.parametrize("diagnostic", DIAGNOSTICS)
def test_the_text_of_a_report_is_stored_without_addresses(
    installation: Installation, diagnostic: str
):
    enqueue_a_digest(installation, "anna@example.org")
    deliver.run(installation.at(TUESDAY))
    (sender, _), *_ = installation.sink.envelopes
    assert bounces.read(installation.at(TUESDAY), [a_report(sender, "5.2.2", diagnostic)]).held == 1
    with installation.at(TUESDAY).reading() as session:
        error = session.query(Delivery).one().error
    assert error.startswith("came back: 5.2.2")
    assert not any(
        name in error.lower() for name in ("anna", "private", "@", "%40", "\x1b", "\x07")
    )


def test_no_mail_that_came_back_leaves_an_address_in_the_database(
    installation: Installation, tmp_path
):
    enqueue_a_digest(installation, "anna@example.org")
    deliver.run(installation.at(TUESDAY))
    (sender, _), *_ = installation.sink.envelopes
    installation.change(operator=Operator(address="operator@example.org"))
    mails = [
        a_report(
            sender,
            "5.1.1",
            "550 5.1.1 unknown: zoe.private@example.net",
            recipient="zoe.private@example.net",
        ),
        a_report(
            "bounce@example.org",
            "5.1.1",
            "550 zoe.private@example.net",
            recipient="zoe.private@example.net",
        ),
        b"From: zoe.private@example.net\nSubject: hello\n\nzoe.private@example.net",
    ]
    bounces.read(installation.at(TUESDAY), mails)
    dump = "\n".join(sqlite3.connect(installation.at(TUESDAY).engine.url.database).iterdump())
    assert "zoe" not in dump


USER, PASSWORD = "digest-user", "Tr0ub4dor&3"
BLOB = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()


@pytest.mark.parametrize(
    "answer",
    [
        f"535 5.7.8 bad password {PASSWORD}",
        f"535 5.7.8 AUTH PLAIN {BLOB} failed",
        f"535-5.7.8 you said\r\n535 {BLOB}",
        f"535 5.7.8 {base64.b64encode(PASSWORD.encode()).decode()}",
        f"535 5.7.8 {base64.b64encode(USER.encode()).decode()}",
        f"454 4.7.0 later, {USER}",
        f"501 5.5.2 cannot decode {BLOB[:-2]}",
        f"535 5.7.8 \x1b[31m{PASSWORD}",
        "535 5.7.8 dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw",
        f"421 4.7.0 closing, {BLOB}",
    ],
)
def test_the_error_of_a_failed_log_in_holds_no_secret(answer: str):
    with faulty_server.running(answers={"AUTH": [answer.encode()] * 4}) as server:
        smtp = Smtp(port=server.port, security="none", username=USER, password=PASSWORD)
        with pytest.raises(ServerDownError) as refused:
            connect(smtp)
    shown = f"{refused.value}"
    assert not any(
        secret in shown
        for secret in (PASSWORD, USER, BLOB[:20], "dGltIG", "VHIwd", "ZGlnZ", "\x1b")
    )
    assert refused.value.__cause__ is None
    assert answer[:3] in shown


@pytest.mark.parametrize(
    "password", ["two  blanks 1", "tab\tin it 2", "ü-umlaut-3", "short4!", "a" * 200]
)
def test_every_kind_of_password_is_removed(password: str):
    shown = without_secrets(
        f"535 you said {password} and {base64.b64encode(password.encode()).decode()}", password
    )
    assert shown == "535 you said (a secret) and (a secret)"


def test_ordinary_words_in_the_answer_to_a_log_in_are_kept():
    text = "535 5.7.8 [AUTHENTICATIONFAILED] wrong name or password; unauthenticated"
    assert without_secrets(text, PASSWORD, USER) == text


@pytest.mark.parametrize(
    "greeting", ["554 go away anna@example.org", "421 anna@example.org is not welcome"]
)
def test_the_answer_of_a_server_that_refuses_the_connection_names_nobody(greeting: str):
    with (
        faulty_server.running(
            answers={"EHLO": [greeting.encode()] * 2, "HELO": [greeting.encode()] * 2}
        ) as server,
        pytest.raises(ServerDownError) as refused,
    ):
        connect(Smtp(port=server.port, security="starttls"))
    assert "anna" not in str(refused.value)


def test_an_answer_outside_the_protocol_is_shown_without_addresses(installation: Installation):
    enqueue_a_digest(installation, ANNA)
    with faulty_server.running(answers={"RCPT": [b"anna.smith+news@example.org what?"]}) as server:
        send(installation, server)
    with installation.at(TUESDAY).reading() as session:
        error = session.query(Delivery).one().error
    assert "an answer without a code" in error
    assert shows_nobody(error)


def test_the_log_holds_no_text_of_an_unreadable_mail(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):

    def trip(octets: bytes) -> Callable[[], None]:
        raise ValueError(octets.decode())

    monkeypatch.setattr(parser, "read", trip)
    with caplog.at_level(logging.DEBUG):
        bounces.read(installation.at(TUESDAY), [b"Subject: anna@example.org\n\nsecret words"])
    assert "ValueError" in caplog.text
    assert "trip" in caplog.text
    assert not any(word in caplog.text for word in ("anna", "secret words"))
