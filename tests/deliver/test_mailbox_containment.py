"""Mailboxes: unreadable mails are moved away, and other people's mails are left as they are."""

import json
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from mailbox import Maildir
from pathlib import Path

import pytest

from notifier.cli.main import run
from notifier.deliver.bounces import mailbox, parser, reports
from notifier.enums import BounceKind
from notifier.errors import InputError, NotifierError, StoreError
from notifier.pipeline import bounces
from notifier.store.models import BounceReport, Subscription, Suppression
from notifier.subscribers import suppressions
from tests.support import mailbox_server
from tests.support.beginnings import send_a_digest
from tests.support.effort import measured
from tests.support.installation import MONDAY, Installation
from tests.support.mailbox_server import PASSWORD, Box
from tests.support.reports import (
    GONE,
    a_complaint,
    a_report,
    an_unsubscribe_mail,
    envelope_sender,
    nested_parts,
    suppressed_addresses,
)

TUESDAY = MONDAY + timedelta(days=1)
BREAKING = nested_parts(4000)
PERSONAL = (
    b"From: zoe@example.net\r\nTo: office@example.org\r\nSubject: A question\r\n\r\n"
    b"When is the next meeting?\r\n"
)
AWAY = (
    b"From: zoe@example.net\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\n"
    b"Back on Monday.\r\n"
)


@pytest.fixture
def sent(installation: Installation) -> Installation:
    """Anna and Ben were sent a digest."""
    installation.prepare(send_a_digest)
    return installation


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty Maildir."""
    Maildir(tmp_path / "box", create=True)
    return tmp_path / "box"


def put(folder: Path, name: str, mail: bytes) -> None:
    (folder / "new" / name).write_bytes(mail)


def names(folder: Path) -> set[str]:
    return {file.name for place in ("new", "cur") for file in (folder / place).iterdir()}


def read(installation: Installation, folder: Path) -> bounces.Summary:
    return bounces.read(installation.at(TUESDAY), mailbox.from_maildir(folder))


def imap(box: Box) -> Iterator[bytes]:
    return mailbox.from_imap(f"imap://bounce%40example.org@127.0.0.1:{box.port}/INBOX", PASSWORD)


def test_a_mail_that_cannot_be_parsed_stops_no_other(sent: Installation, folder: Path):
    put(folder, "1", BREAKING)
    put(folder, "2", a_report(envelope_sender(sent), *GONE))
    done = read(sent, folder)
    assert done.kinds == {BounceKind.UNREADABLE: 1, BounceKind.HARD: 1}
    assert suppressed_addresses(sent) == {"anna@example.org"}
    assert names(folder) == {"2:2,S"}
    assert (folder / ".notifier-unreadable" / "new" / "1").read_bytes() == BREAKING
    assert Maildir(folder, create=False).list_folders() == ["notifier-unreadable"]


@pytest.mark.parametrize(
    "error", [RecursionError, MemoryError, LookupError, AssertionError, ValueError, RuntimeError]
)
def test_after_any_error_with_one_mail_the_next_is_read(
    sent: Installation, folder: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
):
    put(folder, "1", b"Subject: odd\n\nx")
    put(folder, "2", a_report(envelope_sender(sent), *GONE))
    judge = parser.read

    def trip(octets: bytes) -> parser.Report:
        if b"odd" in octets:
            raise error("odd")
        return judge(octets)

    monkeypatch.setattr(parser, "read", trip)
    assert read(sent, folder).kinds == {BounceKind.UNREADABLE: 1, BounceKind.HARD: 1}
    assert names(folder / ".notifier-unreadable") == {"1"}


def test_an_error_while_a_consequence_is_stored_stops_no_other_and_changes_nothing(
    sent: Installation, monkeypatch: pytest.MonkeyPatch
):

    add = suppressions.add

    def trip(session, address_hash, *rest) -> bool:
        add(session, address_hash, *rest)
        if session.query(Suppression).count() == 1 and not tripped:
            tripped.append(address_hash)
            raise RuntimeError("odd")
        return True

    tripped: list[str] = []
    monkeypatch.setattr(suppressions, "add", trip)
    mails = [
        a_report(envelope_sender(sent, f"{name}@example.org"), *GONE) for name in ("anna", "ben")
    ]
    done = bounces.read(sent.at(TUESDAY), mails)
    assert done.kinds == {BounceKind.UNREADABLE: 1, BounceKind.HARD: 1}
    assert suppressed_addresses(sent) == {"ben@example.org"}


def test_a_mail_that_takes_too_long_is_given_up(
    sent: Installation, monkeypatch: pytest.MonkeyPatch
):
    def forever(_octets: bytes) -> parser.Report:
        while True:
            with suppress(Exception):  # a reader that catches everything
                sum(range(1000))

    monkeypatch.setattr(bounces, "LONGEST_READING", 0.2)
    monkeypatch.setattr(parser, "read", forever)
    with measured() as effort:
        assert bounces.read(sent.at(TUESDAY), [b"x"]).kinds == {BounceKind.UNREADABLE: 1}
    assert effort.elapsed < 10


def test_an_unreadable_mail_is_not_read_again(sent: Installation, monkeypatch: pytest.MonkeyPatch):
    assert bounces.read(sent.at(TUESDAY), [BREAKING]).kinds == {BounceKind.UNREADABLE: 1}
    monkeypatch.setattr(parser, "read", lambda _octets: pytest.fail("it was read again"))
    assert bounces.read(sent.at(TUESDAY), [BREAKING]).known == 1


def test_a_database_that_is_away_loses_no_mail(
    sent: Installation, folder: Path, monkeypatch: pytest.MonkeyPatch
):

    put(folder, "1", a_report(envelope_sender(sent), *GONE))

    def away(*_arguments: object) -> None:
        raise StoreError("The database is away.")

    with monkeypatch.context() as patched:
        patched.setattr(reports, "record", away)
        with pytest.raises(StoreError):
            read(sent, folder)
    assert names(folder) == {"1"}
    assert read(sent, folder).suppressed == 1


def test_other_peoples_mail_is_neither_moved_nor_marked_nor_parsed_twice(
    sent: Installation, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    reply = PERSONAL + f"In-Reply-To: {sent.sink.messages[0]['Message-ID']}\r\n".encode()
    for name, mail in (("1", PERSONAL), ("2", AWAY), ("3", reply), ("4", b""), ("5", b"\x00\xff")):
        put(folder, name, mail)
    assert set(read(sent, folder).kinds) <= {BounceKind.NONE, BounceKind.AUTOREPLY}
    assert names(folder) == {"1", "2", "3", "4", "5"}
    assert not (folder / ".notifier-unreadable").exists()
    monkeypatch.setattr(parser, "read", lambda _octets: pytest.fail("it was read again"))
    assert read(sent, folder).known == 5
    assert names(folder) == {"1", "2", "3", "4", "5"}


@pytest.mark.parametrize(
    "mail",
    [
        lambda sender: a_report(sender, *GONE),
        lambda sender: a_report(sender, "5.2.2", "552 mailbox full"),
        lambda sender: a_report(sender, "4.4.1", "timed out", action="delayed"),
        a_complaint,
        lambda _sender: a_report("bounce@example.org", *GONE),
    ],
)
def test_reports_and_complaints_are_marked_as_seen(sent: Installation, folder: Path, mail):
    put(folder, "1", mail(envelope_sender(sent)))
    read(sent, folder)
    assert names(folder) == {"1:2,S"}


def test_an_unsubscribe_mail_is_marked_as_seen(sent: Installation, folder: Path):
    with sent.at(TUESDAY).reading() as session:
        token = session.query(Subscription).first().link_id
    put(folder, "1", an_unsubscribe_mail(f"unsubscribe {token}"))
    read(sent, folder)
    assert names(folder) == {"1:2,S"}


@pytest.mark.parametrize(
    "mail", [a_complaint("bounce@example.org"), an_unsubscribe_mail("unsubscribe " + "x" * 22)]
)
def test_a_complaint_or_wish_that_says_not_whose_it_is_stays_unread_for_a_person(
    sent: Installation, folder: Path, mail: bytes
):
    put(folder, "1", mail)
    for _ in range(2):
        read(sent, folder)
        assert names(folder) == {"1"}


def test_a_mail_that_was_read_before_its_mailbox_could_be_changed_is_marked_the_next_time(
    sent: Installation, folder: Path
):
    mails = {"1": a_report(envelope_sender(sent), *GONE), "2": BREAKING, "3": PERSONAL}
    bounces.read(sent.at(TUESDAY), mails.values())
    for name, mail in mails.items():
        put(folder, name, mail)
    assert read(sent, folder).known == 3
    assert names(folder) == {"1:2,S", "3"}
    assert names(folder / ".notifier-unreadable") == {"2"}


def test_the_folder_for_unreadable_mail_is_created_beside_a_subfolder(
    sent: Installation, folder: Path
):
    Maildir(folder).add_folder("Bounces")
    put(folder / ".Bounces", "1", BREAKING)
    read(sent, folder / ".Bounces")
    assert names(folder / ".notifier-unreadable") == {"1"}
    assert (folder / ".notifier-unreadable").stat().st_mode & 0o077 == 0


def test_a_link_in_place_of_the_folder_for_unreadable_mail_is_not_followed(
    sent: Installation, folder: Path, tmp_path: Path
):
    (tmp_path / "elsewhere").mkdir()
    (folder / ".notifier-unreadable").symlink_to(tmp_path / "elsewhere")
    put(folder, "1", BREAKING)
    with pytest.raises(InputError):
        read(sent, folder)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def files_without_mail(folder: Path) -> set[str]:
    """Create files of a Maildir that are not mails; return their names."""
    new = folder / "new"
    os.mkfifo(new / "fifo")
    (new / "link").symlink_to(folder.parent / "secret")
    (folder.parent / "secret").write_bytes(a_report("bounce@example.org", *GONE))
    (new / "device").symlink_to("/dev/zero")
    (new / "broken").symlink_to(folder / "nowhere")
    (new / "directory").mkdir()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(new / "socket"))
    listener.close()
    os.mkfifo(folder / "cur" / "fifo2:2,")
    return {"fifo", "link", "device", "broken", "directory", "socket", "fifo2:2,"}


def test_what_is_not_a_plain_file_is_skipped_and_logged_once(
    sent: Installation, folder: Path, caplog: pytest.LogCaptureFixture
):
    odd = files_without_mail(folder)
    put(folder, "z", a_report(envelope_sender(sent), *GONE))
    with measured() as effort:
        assert read(sent, folder).kinds == {BounceKind.HARD: 1}
    assert effort.elapsed < 5
    for name in odd:
        assert sum(name in record.getMessage() for record in caplog.records) >= 1
    assert len(caplog.records) == len(odd)
    assert names(folder) == odd | {"z:2,S"}


def test_named_files_that_are_not_plain_are_skipped_too(
    sent: Installation, folder: Path, caplog: pytest.LogCaptureFixture
):
    odd = files_without_mail(folder)
    (folder / "new" / "mail").write_bytes(a_report(envelope_sender(sent), *GONE))
    files = [folder / "new" / name for name in sorted(odd) if not name.startswith("fifo2")] + [
        folder / "new" / "mail"
    ]
    assert bounces.read(sent.at(TUESDAY), mailbox.from_files(files)).kinds == {BounceKind.HARD: 1}
    assert len(caplog.records) == len(files) - 1


def test_a_file_without_read_access_is_skipped(
    sent: Installation,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    put(folder, "1\x1b[31m", b"x")
    put(folder, "2", a_report(envelope_sender(sent), *GONE))
    opened = os.open

    def refuse(path: Path, *rest: int) -> int:
        if "1\x1b" in str(path):
            raise PermissionError(13, "Permission denied")
        return opened(path, *rest)

    monkeypatch.setattr(os, "open", refuse)
    assert read(sent, folder).kinds == {BounceKind.HARD: 1}
    assert "Permission denied" in caplog.text
    assert "\x1b" not in caplog.text


def test_a_file_that_becomes_a_fifo_meanwhile_is_not_waited_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    os.mkfifo(folder / "new" / "1")
    plain = (folder / "plain").write_bytes(b"x") and os.lstat(folder / "plain")
    monkeypatch.setattr(Path, "lstat", lambda _path: plain)
    with measured() as effort:
        assert list(mailbox.from_files([folder / "new" / "1"])) == []
    assert effort.elapsed < 5


def test_a_missing_file_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="no file"):
        list(mailbox.from_files([tmp_path / "nowhere"]))


def test_a_piped_mail_is_cut_to_the_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mailbox, "_LARGEST", 1000)
    with open("/dev/zero", "rb") as endless:  # noqa: PTH123 - a stream like standard input
        assert len(mailbox.from_stream(endless)) == 1000


@pytest.mark.parametrize("offers", ["MOVE", "MOVE UIDPLUS", "UIDPLUS", ""])
def test_an_unreadable_mail_is_moved_by_imap_and_no_other_is_expunged(
    sent: Installation, offers: str
):
    mails = [BREAKING, PERSONAL, a_report(envelope_sender(sent), *GONE)]
    with mailbox_server.running(mails) as box:
        box.offers = offers
        box.mails[99], box.deleted, box.seen = b"Subject: somebody deleted this\r\n\r\n", {99}, {99}
        done = bounces.read(sent.at(TUESDAY), imap(box))
        assert done.kinds == {BounceKind.UNREADABLE: 1, BounceKind.NONE: 1, BounceKind.HARD: 1}
        assert box.folders == {"notifier-unreadable": [BREAKING]}
        assert 99 in box.mails
        assert (101 in box.mails) is (offers == "")
        assert (102 in box.seen, 103 in box.seen) == (False, True)
        assert not any(command.upper().startswith(("EXPUNGE", "CLOSE")) for command in box.commands)


def test_on_a_server_with_all_folders_below_inbox_the_folder_is_created_there(sent: Installation):
    with mailbox_server.running([BREAKING]) as box:
        box.offers, box.below_inbox = "MOVE", True
        bounces.read(sent.at(TUESDAY), imap(box))
        assert box.folders == {"INBOX.notifier-unreadable": [BREAKING]}
        assert box.mails == {}


def test_other_peoples_mail_stays_unseen_on_a_server(sent: Installation):
    with mailbox_server.running([PERSONAL, AWAY, a_report(envelope_sender(sent), *GONE)]) as box:
        bounces.read(sent.at(TUESDAY), imap(box))
        assert box.seen == {103}
        assert bounces.read(sent.at(TUESDAY), imap(box)).known == 2
        assert box.seen == {103}
        assert box.folders == {}


@pytest.mark.parametrize(
    "url", ["imap://me%0d%0aX@127.0.0.1/INBOX", "imap://me@127.0.0.1/IN%0aBOX", "imap://a%00b@x/"]
)
def test_an_address_of_a_mailbox_cannot_inject_commands(url: str):
    with pytest.raises(InputError, match="is not the address of a mailbox"):
        list(mailbox.from_imap(url, PASSWORD))


def test_credentials_that_an_imap_server_repeats_are_not_shown(monkeypatch: pytest.MonkeyPatch):
    password = "hunter2 and more"

    def end(_box: Box, command: str) -> str:
        return (
            f"NO [AUTHENTICATIONFAILED] you said {command}"
            if command.startswith("LOGIN")
            else "OK done"
        )

    monkeypatch.setattr(Box, "_end", end)
    with mailbox_server.running([]) as box, pytest.raises(NotifierError) as refused:
        list(mailbox.from_imap(f"imap://bounce%40example.org@127.0.0.1:{box.port}/INBOX", password))
    shown = str(refused.value)
    assert "AUTHENTICATIONFAILED" in shown
    assert not any(secret in shown for secret in (password, "bounce@example.org", "hunter2"))
    assert refused.value.__cause__ is None


def test_the_command_counts_what_is_unproven_and_unreadable(
    sent: Installation, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):

    deps = sent.at(TUESDAY)
    keys = {key: getattr(deps.settings, key) for key in ("secret_key", "suppression_key")}
    lines = {"database_url": deps.engine.url, **keys, "public_url": "https://example.org"}
    (tmp_path / "notifier.toml").write_text(
        "".join(f'{key} = "{value}"\n' for key, value in lines.items())
    )
    monkeypatch.setenv("NOTIFIER_CONFIG", str(tmp_path / "notifier.toml"))
    put(folder, "1", BREAKING)
    put(folder, "2", a_report("bounce@example.org", *GONE))
    assert run(["bounces", "read", "--maildir", str(folder), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["unproven"], shown["unreadable"], shown["suppressed"]) == (1, 1, 0)
    assert shown["kinds"] == {"unproven": 1, "unreadable": 1}
    put(folder, "3", a_report("bounce@example.org", "5.1.1", "550 another"))
    assert run(["bounces", "read", "--maildir", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "1 unproven" in shown
    assert "names no mail that we sent in the last 35 days" in shown


def test_the_log_of_an_unreadable_mail_says_where_it_failed(
    sent: Installation, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.WARNING):
        bounces.read(sent.at(TUESDAY), [BREAKING])
    (record,) = caplog.records
    assert "UnreadableMailError" in record.getMessage()
    with sent.at(TUESDAY).reading() as session:
        assert [row.kind for row in session.query(BounceReport)] == [BounceKind.UNREADABLE]
