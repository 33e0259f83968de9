"""The SMTP protocol without a connection: answers that come while nothing is under way."""

import pytest

from notifier.deliver.smtp.protocol import ProtocolError, SmtpProtocol


def idle_protocol() -> SmtpProtocol:
    return SmtpProtocol(lambda: None, pipelining=True)


@pytest.mark.parametrize("answer", [b"421 4.4.2 idle for too long\r\n", b"421-bye\r\n421 bye\r\n"])
def test_a_server_may_close_an_idle_connection(answer: bytes):
    protocol = idle_protocol()
    protocol.received(answer)
    assert protocol.over
    assert protocol.outcomes == []


def test_nothing_is_read_after_a_server_has_closed_the_connection():
    protocol = idle_protocol()
    protocol.received(b"421 bye\r\n250 ok\r\nno code\r\n")
    assert protocol.over


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"250 ok\r\n", "an answer without a command"),
        (b"550 5.1.1 user unknown\r\n", "an answer without a command"),
        (b"hello\r\n", "an answer without a code: hello"),
        (b"250-" + b"x" * 10 + b"\r\n" + b"250-x\r\n" * 5_000, "an answer without an end"),
    ],
)
def test_other_answers_without_a_command_end_the_connection(answer: bytes, reason: str):
    with pytest.raises(ProtocolError, match=reason):
        idle_protocol().received(answer)


def test_an_answer_that_arrives_byte_by_byte_is_read_when_it_is_complete():
    protocol = idle_protocol()
    for number in b"421 bye\r":
        protocol.received(bytes([number]))
        assert not protocol.over
    protocol.received(b"\n")
    assert protocol.over
