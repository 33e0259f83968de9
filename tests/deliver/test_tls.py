"""Delivery over TLS: the same loop; a server with an untrusted certificate gets no mail."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from notifier.deliver.outbox import Attempt, SendResult
from notifier.deliver.smtp.client import Transport
from notifier.deliver.smtp.protocol import OutgoingMessage
from notifier.settings import Smtp
from tests.support.mail_sink import Sink, free_port

# Larger than what a TLS record and a socket's buffer hold.
MESSAGE = b"Subject: x\r\nTo: anna@example.org\r\n\r\n" + b"Nothing of it is true.\r\n" * 40_000


@pytest.fixture(params=["starttls", "tls"])
def server(request: pytest.FixtureRequest, certificate: Path) -> Iterator[tuple[Sink, str]]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    sink = Sink(free_port())
    wrapped = {"ssl_context": context} if request.param == "tls" else {"tls_context": context}
    controller = Controller(
        sink, hostname="127.0.0.1", port=sink.port, data_size_limit=5_000_000, **wrapped
    )
    if request.param == "tls":
        context.check_hostname = False
    controller.start()
    yield sink, request.param
    controller.stop()


def send(sink: Sink, security: str) -> tuple[str, list]:
    outcomes: list = []
    transport = Transport(Smtp(port=sink.port, security=security, connections=2, timeout_seconds=5))
    messages = [
        OutgoingMessage(
            Attempt(n, "claim"), "digest@example.org", f"p{n}@example.org", lambda: MESSAGE
        )
        for n in range(6)
    ]
    problem = transport.send(messages, outcomes.extend)
    transport.close()
    return problem, outcomes


def test_mails_are_sent_encrypted(
    server: tuple[Sink, str], certificate: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    problem, outcomes = send(*server)
    assert problem == ""
    assert [outcome.answer for outcome in outcomes] == [SendResult.ACCEPTED] * 6
    assert {recipient for _, recipient in server[0].envelopes} == {
        f"p{n}@example.org" for n in range(6)
    }
    assert set(server[0].raw) == {MESSAGE}


def test_a_server_with_an_untrusted_certificate_gets_no_mail(server: tuple[Sink, str]):
    problem, outcomes = send(*server)
    assert "cannot be trusted" in problem
    assert "certificate verify failed" in problem
    assert "Check that smtp.host is the name in its certificate" in problem
    assert {outcome.answer for outcome in outcomes} == {SendResult.NOT_TRIED}
    assert server[0].raw == []
