"""The doctor's test mail: sent when it is asked for, read back, and judged as it arrived."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from notifier.admin.doctor import read_back
from notifier.admin.doctor.findings import Status
from tests.support import mailbox_server
from tests.support.examined_world import Servers, World, around

PASSED = "mx.example.net; spf=pass; dkim=pass header.d=example.org; dmarc=pass"
CHECKS = ("round_trip.sent", "round_trip.received", "round_trip.authentication", "round_trip.dkim")


@pytest.fixture
def world(
    running: Servers, tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> World:
    monkeypatch.setattr(read_back, "_BETWEEN", 0.02)
    made = around(running, None, tmp_path, certificate, monkeypatch)
    made.options = {"send_to": "me@example.net", "patience_seconds": 2.0}
    return made


@contextmanager
def mailbox(
    world: World, verdict: str = PASSED, change: Callable[[bytes], bytes] = bytes
) -> Iterator[mailbox_server.Box]:
    """Run a mailbox into which the mails of our mail server are delivered, with a verdict."""
    with mailbox_server.running([]) as box:
        world.options |= {
            "imap": f"imap://me@127.0.0.1:{box.port}/INBOX",
            "imap_password": mailbox_server.PASSWORD,
        }
        stopped = threading.Event()

        def carry() -> None:
            while not stopped.wait(0.01):
                for number, mail in enumerate(world.mail.mails):
                    head = f"Authentication-Results: {verdict}\r\n" if verdict else ""
                    box.mails.setdefault(101 + number, head.encode() + change(mail))

        carrier = threading.Thread(target=carry, daemon=True)
        carrier.start()
        yield box
        stopped.set()
        carrier.join(5)


def statuses(world: World) -> dict[str, Status]:
    findings = {finding.name: finding for finding in world.examine(*CHECKS).findings}
    return {name.partition(".")[2]: findings[name].status for name in CHECKS}


def test_a_mail_that_arrives_unchanged_passes(world: World):
    with mailbox(world) as box:
        assert set(statuses(world).values()) == {Status.OK}
    (mail,) = world.mail.mails
    assert b"To: me@example.net\r\n" in mail
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in mail
    assert box.seen == set(), "nothing is marked as read"
    (sender,) = [command for command in world.mail.commands if command.startswith("MAIL")]
    assert re.fullmatch(r"MAIL FROM:<bounce\+[a-z2-7]{38}@example\.org>", sender)


def test_nothing_is_sent_and_nothing_is_said_without_the_option(world: World):
    world.options = {}
    names = {finding.name for finding in world.examine().findings}
    assert not names & set(CHECKS)
    assert world.mail.mails == []


def test_without_a_mailbox_the_rest_is_not_checked(world: World):
    assert statuses(world) == {
        "sent": Status.OK,
        "received": Status.NOT_CHECKED,
        "authentication": Status.NOT_CHECKED,
        "dkim": Status.NOT_CHECKED,
    }


def test_a_mail_that_does_not_come_is_missed(world: World):
    world.options["patience_seconds"] = 0.05
    with mailbox_server.running([]) as box:
        world.options |= {
            "imap": f"imap://me@127.0.0.1:{box.port}/INBOX",
            "imap_password": mailbox_server.PASSWORD,
        }
        finding = world.find("round_trip.received")
    assert finding.status is Status.FAILED
    assert "spam folder" in finding.result.fix


def test_a_footer_that_breaks_the_signature_is_named(world: World):
    with mailbox(world, change=lambda mail: mail + b"Sent by our gateway\r\n"):
        finding = world.find("round_trip.dkim")
    assert finding.status is Status.FAILED
    assert "the body was changed" in finding.result.actual
    assert "something on the way" in finding.result.fix


def test_a_signature_that_was_removed_is_named(world: World):
    signature = re.compile(rb"DKIM-Signature:.*?\r\n(?![ \t])", re.DOTALL)
    with mailbox(world, change=lambda mail: signature.sub(b"", mail)):
        finding = world.find("round_trip.dkim")
    assert finding.status is Status.FAILED
    assert finding.result.actual == "0 of 1 signatures"
    assert "removes signatures" in finding.result.fix


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        ("mx.example.net; spf=pass; dkim=fail; dmarc=pass", Status.WARNING),
        ("mx.example.net; spf=softfail; dkim=fail; dmarc=fail", Status.FAILED),
        ("mx.example.net; spf=fail; dkim=none", Status.FAILED),
        ("mx.example.net; dkim=fail; dkim=pass; spf=pass; dmarc=pass", Status.OK),
        ("", Status.NOT_CHECKED),
    ],
    ids=["one fails", "DMARC fails", "all fail", "one of two signatures", "no verdict"],
)
def test_the_verdict_of_the_receiver_is_shown(world: World, verdict: str, status: Status):
    with mailbox(world, verdict):
        finding = world.find("round_trip.authentication")
    assert finding.status is status
    if "softfail" in verdict:
        assert finding.result.actual == "spf=softfail, dkim=fail, dmarc=fail"
        assert "dns.spf" in finding.result.fix


def test_a_mail_that_the_server_refuses_is_named_with_the_advice(world: World):
    world.mail.answers["me@"] = "550 5.7.26 mail is not authenticated"
    result = world.examine(*CHECKS)
    assert result.stopping == ["round_trip.sent"]
    finding = next(each for each in result.findings if each.name == "round_trip.sent")
    assert "5.7.26" in finding.result.actual
    assert "SPF, DKIM, DMARC" in finding.result.fix
    assert "notifier doctor" not in finding.result.fix


def test_a_recipient_who_does_not_exist_is_told_apart_from_our_faults(world: World):
    world.mail.answers["me@"] = "550 5.1.1 no such user here"
    finding = world.find("round_trip.sent")
    assert finding.status is Status.FAILED
    assert "Check the spelling of the address" in finding.result.fix


def test_a_wrong_password_of_the_mailbox_is_named_and_not_shown(world: World):
    with mailbox(world):
        world.options["imap_password"] = "a wrong password of mine"
        finding = world.find("round_trip.received")
    assert finding.status is Status.FAILED
    assert "NOTIFIER_IMAP_PASSWORD" in finding.result.fix
    assert "wrong password of mine" not in finding.result.actual
