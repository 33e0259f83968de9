"""A proxy that is not listed is believed nothing, and is reported once."""

import asyncio
import logging
from dataclasses import replace

import pytest

from notifier.pipeline import monitoring, unlisted_proxy
from notifier.pipeline.run import run_once
from notifier.settings import Operator, Web
from notifier.web.proxies import Proxies
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of


class Seen:
    """An application that remembers by which address each visitor came."""

    def __init__(self) -> None:
        self.clients: list[str] = []

    async def __call__(self, scope, _receive, _send) -> None:
        self.clients.append(scope["client"][0])


def visit(proxies: Proxies, peer: str, *forwarded: str, header: bytes = b"x-forwarded-for") -> None:
    headers = [(header, address.encode()) for address in forwarded]
    scope = {"type": "http", "client": (peer, 40000), "headers": headers, "scheme": "http"}
    asyncio.run(proxies(scope, None, None))


@pytest.mark.parametrize(
    ("trusted", "peer", "is_listed"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("127.0.0.1, 10.0.0.5", "10.0.0.5", True),
        ("127.0.0.1", "10.0.0.5", False),
        ("10.0.0.0/8", "192.0.2.1", False),
        ("::1", "2001:db8::1", False),
    ],
)
def test_only_a_listed_proxy_is_believed_and_any_other_is_reported(
    trusted: str, peer: str, is_listed: bool
):
    seen, reported = Seen(), []
    visit(Proxies(seen, trusted, reported.append), peer, "198.51.100.7")
    assert seen.clients == (["198.51.100.7"] if is_listed else [peer])
    assert reported == ([] if is_listed else [peer])


def test_a_request_without_the_header_is_not_reported():
    seen, reported = Seen(), []
    proxies = Proxies(seen, "127.0.0.1", reported.append)
    visit(proxies, "192.0.2.1")
    visit(proxies, "192.0.2.1", "198.51.100.7", header=b"accept")
    assert reported == []


def test_only_the_first_request_is_reported():
    reported: list[str] = []
    proxies = Proxies(Seen(), "127.0.0.1", reported.append)
    for number in range(5):
        visit(proxies, f"10.0.0.{number}", "198.51.100.7")
    assert reported == ["10.0.0.0"]


@pytest.fixture
def made(any_installation: Installation) -> Installation:
    any_installation.change(operator=Operator(address="ops@example.org"))
    any_installation.adopt()
    return any_installation


def finding(made: Installation) -> monitoring.Check:
    with made.at(MONDAY).reading() as session:
        checks = monitoring.checks(session, MONDAY)
    return next(check for check in checks if check.name == "proxy")


def notices(made: Installation) -> list[str]:
    run_once(made.at(MONDAY))
    return [text_of(mail) for mail in made.sink.messages if "proxy" in mail["Subject"]]


def test_the_operator_gets_one_line_one_mail_and_a_finding(
    made: Installation, caplog: pytest.LogCaptureFixture
):
    assert finding(made).finding == ""
    with caplog.at_level(logging.WARNING, logger="notifier"):
        for _ in range(3):
            unlisted_proxy.report(made.at(MONDAY), "10.0.0.5")
    assert len([line for line in caplog.messages if "X-Forwarded-For" in line]) == 1
    (mail,) = notices(made)
    assert "10.0.0.5" in mail
    assert "web.trusted_proxies" in mail
    assert len(notices(made)) == 1
    assert finding(made).ok, "a visitor's header must not make a monitor ring"
    assert "10.0.0.5" in finding(made).finding


def test_the_address_of_a_visitor_is_named_nowhere(
    made: Installation, caplog: pytest.LogCaptureFixture
):
    unlisted_proxy.report(made.at(MONDAY), "8.8.8.8")
    assert "8.8.8.8" not in finding(made).finding + caplog.text + "".join(notices(made))


def test_it_is_reported_again_after_the_setting_was_changed(made: Installation):
    unlisted_proxy.report(made.at(MONDAY), "10.0.0.5")
    unlisted_proxy.forget_if_changed(made.at(MONDAY))
    assert finding(made).finding
    made.change(web=Web(trusted_proxies="10.0.0.5"))
    unlisted_proxy.forget_if_changed(made.at(MONDAY))
    assert finding(made).finding == ""
    unlisted_proxy.report(replace(made.at(MONDAY)), "10.0.0.6")
    assert len(notices(made)) == 2
