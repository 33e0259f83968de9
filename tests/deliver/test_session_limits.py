"""Refusals of a session: the mail is not charged for how much was sent before it."""

from collections import Counter

import pytest

from notifier.deliver.outbox import Attempt, Outcome, SendResult
from notifier.deliver.smtp import patience
from notifier.deliver.smtp.client import Transport
from notifier.deliver.smtp.protocol import OutgoingMessage
from notifier.deliver.smtp.refusals import told_of_session
from notifier.deliver.smtp.session_limits import is_about_session
from notifier.enums import WaitReason
from notifier.settings import Smtp
from tests.support import faulty_server
from tests.support.effort import measured

OF_SESSION = [
    ("MAIL FROM", 421, "4.7.0 Error: too many connections from 192.0.2.1"),
    ("RCPT TO", 421, "4.3.2 Service shutting down"),
    ("END", 421, "closing"),
    ("MAIL FROM", 450, "4.7.1 Error: too much mail from 192.0.2.1"),
    ("MAIL FROM", 451, "Temporary local problem, please try later"),
    ("MAIL FROM", 452, "4.3.1 Insufficient system storage"),
    ("MAIL FROM", 454, "4.7.0 Temporary authentication failure"),
    ("MAIL FROM", 554, "5.7.0 Too many messages in this session"),
    ("MAIL FROM", 550, "5.7.1 maximum number of messages per connection reached"),
    ("RCPT TO", 452, "4.5.3 Too many recipients received this hour"),
    ("RCPT TO", 450, "4.7.1 Error: too many recipients from 192.0.2.1"),
    ("RCPT TO", 451, "4.7.500 Server busy. Please try again later from [192.0.2.1]"),
    ("RCPT TO", 450, "4.7.0 Sending limit exceeded for your account"),
    ("RCPT TO", 550, "5.4.5 Daily user sending limit exceeded"),
    ("DATA", 451, "4.3.0 Too many concurrent deliveries, slow down"),
    ("RCPT TO", 452, "4.3.2 too many sessions on the server"),
    ("END", 454, "Throttling failure: Maximum sending rate exceeded."),
    ("END", 432, "4.3.2 Concurrent connections limit exceeded"),
    ("END", 452, "4.2.3 You are sending too fast"),
    ("END", 451, "4.7.1 Zu viele Nachrichten, bitte warten"),
    ("RCPT TO", 450, "4.7.1 Trop de connexions, ralentissez. OFR_104"),
]
OF_MAIL = [
    ("RCPT TO", 450, "4.2.0 Greylisted, come back in 5 minutes"),
    ("RCPT TO", 451, "4.7.1 Greylisting in action: too many new senders, mail is delayed"),
    ("RCPT TO", 452, "4.2.2 The recipient's inbox is out of storage space and over quota"),
    ("RCPT TO", 450, "4.2.1 The user you are trying to contact is receiving mail too quickly"),
    ("RCPT TO", 450, "4.2.1 This person is receiving mail at a rate that prevents more messages"),
    ("RCPT TO", 550, "User has too many messages on the server."),
    ("RCPT TO", 452, "4.2.2 too many messages on this server for the user"),
    ("RCPT TO", 450, "4.2.121 Recipient's per hour message receive limit exceeded"),
    ("RCPT TO", 550, "5.1.1 User unknown"),
    ("RCPT TO", 552, "5.2.2 Mailbox limit exceeded"),
    ("RCPT TO", 554, "5.7.1 Client host blocked using a list of ours"),
    ("MAIL FROM", 552, "5.3.4 Message size exceeds fixed limit"),
    ("MAIL FROM", 550, "5.1.8 Sender address rejected: Domain not found"),
    ("END", 552, "5.3.4 Message too large: message size limit is 10 MB"),
    ("END", 554, "5.7.1 rejected as spam"),
    ("END", 452, "4.3.1 no room"),
    ("DATA", 554, "5.5.1 no valid recipients"),
]


@pytest.mark.parametrize(("step", "code", "text"), OF_SESSION, ids=str)
def test_an_answer_about_how_much_we_send_is_about_the_session(step: str, code: int, text: str):
    assert is_about_session(step, code, text)


@pytest.mark.parametrize(("step", "code", "text"), OF_MAIL, ids=str)
def test_an_answer_about_a_recipient_or_a_message_is_not(step: str, code: int, text: str):
    assert not is_about_session(step, code, text)


def test_a_long_answer_is_judged_in_linear_time():
    with measured() as effort:
        for words in ("too many " * 50_000, "limit " * 50_000, "rate " * 50_000, "a " * 100_000):
            is_about_session("RCPT TO", 450, words)
    assert effort.processor < 0.5


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_PAUSES", (0.05, 0.1, 0.2))


def mails(number: int) -> list[OutgoingMessage]:
    return [
        OutgoingMessage(
            Attempt(n, "claim"),
            "digest@example.org",
            f"p{n}@example.org",
            lambda n=n: b"Message-ID: <%d@example.org>\r\n\r\nNothing of it is true.\r\n" % n,
        )
        for n in range(number)
    ]


def send(
    server: faulty_server.Faulty, number: int, connections: int = 1
) -> tuple[str, list[Outcome]]:
    outcomes: list[Outcome] = []
    smtp = Smtp(port=server.port, security="none", connections=connections, timeout_seconds=5)
    transport = Transport(smtp)
    problem = transport.send(mails(number), outcomes.extend)
    transport.close()
    assert sorted(outcome.attempt.delivery_id for outcome in outcomes) == list(range(number))
    return problem, outcomes


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    "too_many",
    [
        ("MAIL", b"451 Mails per session limit exceeded"),
        ("MAIL", b"452 4.5.3 enough for now"),
        ("MAIL", b"421 4.7.0 reconnect"),
        ("MAIL", b"554 5.7.0 Too many messages in this session"),
        ("MAIL", b"550 5.7.1 no more from you over this line"),
        ("RCPT", b"452 4.5.3 too many recipients for this session"),
        ("RCPT", b"421 4.7.0 bye"),
        ("DATA", b"451 4.7.1 too many messages per connection"),
        ("BODY", b"421 4.3.2 too many mails"),
        ("BODY", b"452 4.7.0 message limit per session reached"),
    ],
    ids=lambda value: f"{value[0]} {value[1][:3].decode()}" if isinstance(value, tuple) else None,
)
@pytest.mark.parametrize("connections", [1, 3])
def test_a_limit_of_the_session_costs_a_new_connection_and_no_mail(
    too_many: tuple[str, bytes], pipelining: bool, connections: int
):
    with faulty_server.running(per_session=4, too_many=too_many, pipelining=pipelining) as server:
        problem, outcomes = send(server, 18, connections)
        assert problem == ""
        assert {outcome.answer for outcome in outcomes} == {SendResult.ACCEPTED}
        assert Counter(Counter(server.envelopes).values()) == {1: 18}
        assert server.connections >= 5


def test_a_limit_of_the_hour_ends_the_run_soon_and_charges_no_mail():
    with faulty_server.running(
        in_all=7, too_many=("MAIL", b"450 4.7.1 Error: too much mail from 192.0.2.1")
    ) as server:
        with measured() as effort:
            problem, outcomes = send(server, 20, connections=4)
        assert effort.elapsed < 10
        accepted = len(server.accepted)
        assert 7 <= accepted <= 10
        assert Counter(outcome.answer for outcome in outcomes) == {
            SendResult.ACCEPTED: accepted,
            SendResult.NOT_TRIED: 20 - accepted,
        }
        assert "takes no more mails at the moment: 450 to MAIL FROM" in problem
        assert "too much mail" in problem
        assert server.connections <= 4 + 4 + 4


def test_a_limit_that_ends_meanwhile_is_waited_for():
    with faulty_server.running(in_all=3, too_many=("MAIL", b"450 4.7.1 slow down")) as server:
        smtp = Smtp(port=server.port, security="none", connections=1, timeout_seconds=5)
        outcomes: list[Outcome] = []

        def settle(new: list[Outcome]) -> None:
            outcomes.extend(new)

        def stop() -> bool:
            if server.connections >= 3:
                server.in_all = 0
            return False

        transport = Transport(smtp)
        assert transport.send(mails(9), settle, stop=stop) == ""
        transport.close()
        assert {outcome.answer for outcome in outcomes} == {SendResult.ACCEPTED}


def test_a_server_that_asked_for_a_rest_is_left_alone_by_the_next_run():
    with faulty_server.running(in_all=1, too_many=("MAIL", b"450 4.7.1 slow down")) as server:
        smtp = Smtp(port=server.port, security="none", connections=1, timeout_seconds=5)
        transport, outcomes = Transport(smtp), []
        transport.send(mails(3), outcomes.extend)
        before = server.connections
        assert "slow down" in transport.send(mails(3), outcomes.extend)
        transport.close()
        assert server.connections == before
        assert [outcome.answer for outcome in outcomes[-3:]] == [SendResult.NOT_TRIED] * 3


def test_one_mail_that_alone_meets_a_421_waits_as_a_deferred_one_and_stops_no_other():
    refused = {"p2@example.org": b"421 4.7.0 try later"}
    with faulty_server.running(refused=refused) as server:
        problem, outcomes = send(server, 8)
        assert problem == ""
    answers = {outcome.attempt.delivery_id: outcome.answer for outcome in outcomes}
    assert answers.pop(2) is SendResult.DEFERRED
    assert set(answers.values()) == {SendResult.ACCEPTED}


def test_a_sender_that_a_new_connection_refuses_is_our_fault_and_no_mail_is_charged():
    with faulty_server.running(answers={"MAIL": [b"553 5.7.1 not owned by you"] * 9}) as server:
        problem, outcomes = send(server, 5, connections=2)
        assert "refuses our sender: 553 to MAIL FROM: 5.7.1 not owned by you" in problem
        assert "sender.address" in problem
        assert {outcome.answer for outcome in outcomes} == {SendResult.NOT_TRIED}


@pytest.mark.parametrize(
    "answer",
    [
        "450 4.1.8 <digest@example.org>: Sender address rejected: Domain not found",
        "451 4.1.8 Domain of sender address digest@example.org does not resolve",
        "450 4.7.1 <digest@example.org>: Sender address rejected: undeliverable address",
    ],
)
def test_a_sender_that_is_refused_for_now_is_told_as_such(answer: str):
    with faulty_server.running(answers={"MAIL": [answer.encode()] * 9}) as server:
        problem, outcomes = send(server, 3)
        assert "refuses our sender for now: 45" in problem
        assert problem.endswith("Check sender.address and sender.bounce_address.")
    assert {outcome.answer for outcome in outcomes} == {SendResult.NOT_TRIED}
    assert {outcome.waits_because for outcome in outcomes} == {WaitReason.OURS}


@pytest.mark.parametrize(
    ("answer", "waits_because"),
    [
        ("450 to MAIL FROM: 4.7.1 Error: too much mail from 192.0.2.1", None),
        ("451 to MAIL FROM: 4.7.1 Your account has exceeded its sending limit", None),
        ("451 to MAIL FROM: Temporary local problem, please try later", None),
        ("450 to MAIL FROM: Sender address rejected: Address verification in progress", None),
        ("451 to MAIL FROM: 4.7.1 Sender address rejected: Greylisted", None),
        ("421 to RCPT TO: 4.7.0 Sender address rejected for a while", None),
        ("550 to MAIL FROM: 5.4.5 your account exceeds its daily sending limit", WaitReason.LOAD),
        ("The mail server a:25 takes no connection: 421 your address is unknown.", None),
    ],
)
def test_what_a_server_says_of_our_speed_stays_a_matter_of_speed(
    answer: str, waits_because: WaitReason | None
):
    text, reason = told_of_session(answer)
    assert (text.startswith("The mail server takes no more mails"), reason) == (True, waits_because)
