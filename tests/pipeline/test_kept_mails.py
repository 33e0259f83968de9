"""Mails that came back and were kept: those about erased people are deleted, and no others."""

import base64
from pathlib import Path

import pytest

from notifier.deliver.bounces import mailbox, named_addresses, reports
from notifier.enums import BounceKind
from notifier.pipeline import kept_mails
from notifier.store import keys
from tests.support import mailbox_server
from tests.support.command_line import run_command
from tests.support.forms import erase
from tests.support.installation import MONDAY, SUPPRESSION_KEY, Installation

ANNA, BEN = "anna.mertens@example.org", "ben@example.org"

NAMING = {
    "in a header": f"To: <{ANNA}>\n\nhello".encode(),
    "in other letters": f"X-Failed-Recipients: {ANNA.upper()}\n\n".encode(),
    "of a report": f"Final-Recipient: rfc822;{ANNA}\n".encode(),
    "after an equals sign": f"status=bounced to={ANNA} relay=none".encode(),
    "quoted-printable": b"Content-Transfer-Encoding: x\n\nanna.mertens=40exam=\nple.org",
    "base64": b"Content-Transfer-Encoding: base64\n\n"
    + base64.encodebytes(f"The mailbox of {ANNA} does not exist on this server".encode()),
    "in the middle of nothing": b"\xff\xfe\0\0<" + ANNA.encode() + b">\0",
}


@pytest.mark.parametrize("octets", NAMING.values(), ids=NAMING)
def test_an_address_is_found_wherever_a_mail_names_it(octets: bytes):
    assert ANNA in {address.lower() for address in named_addresses.in_mail(octets)}


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "octets",
    [b"a" * 2_000_000, b"a@" * 500_000, b"=@" * 500_000, b"A" * 76 + b"\n" * 100_000],
    ids=["letters", "letters and at signs", "marks", "empty lines"],
)
def test_a_mail_of_nothing_but_marks_names_nobody_and_is_searched_in_little_time(octets: bytes):
    assert set(named_addresses.in_mail(octets)) == set()


def maildir_with(folder: Path, **mails: bytes) -> Path:
    """A Maildir with these mails in the folder for mails that cannot be read."""
    unreadable = folder / f".{mailbox.UNREADABLE}"
    for place in (folder, unreadable):
        for name in ("new", "cur", "tmp"):
            (place / name).mkdir(parents=True)
    for name, octets in mails.items():
        (unreadable / "new" / name).write_bytes(octets)
    return folder


def left_in(folder: Path) -> set[str]:
    return {file.name.partition(":")[0] for file in folder.rglob("*") if file.is_file()}


def known(installation: Installation, octets: bytes, kind: BounceKind) -> None:
    with installation.at(MONDAY).writing() as session:
        reports.store_kind(session, reports.hash_of(octets), kind, MONDAY)


def test_moved_mails_about_the_erased_are_deleted_and_others_stay(
    any_installation: Installation, tmp_path: Path
):
    installation = any_installation
    installation.subscribe(ANNA)
    installation.subscribe(BEN)
    mails = {
        "anna": f"broken report about {ANNA}".encode(),
        "both": f"broken report about {BEN} and {ANNA}".encode(),
        "ben": f"broken report about {BEN}".encode(),
        "nobody": b"broken report about nobody",
    }
    for octets in mails.values():
        known(installation, octets, BounceKind.UNREADABLE)
    mails["letter"] = f"a letter that mentions {ANNA}".encode()  # somebody put it there
    folder = maildir_with(tmp_path / "mail", **mails)

    def swept() -> int:
        kept = mailbox.kept_in_maildir(folder, with_seen=False)
        return kept_mails.delete_about_erased(installation.at(MONDAY), kept)

    assert swept() == 0
    erase(installation, ANNA)
    assert swept() == 2
    assert left_in(folder) == {"ben", "nobody", "letter"}
    assert swept() == 0


def test_the_next_reading_of_the_mailbox_deletes_moved_mails_about_the_erased(
    any_installation: Installation, tmp_path: Path
):
    installation = any_installation
    keys.adopt(installation.at(MONDAY).engine, SUPPRESSION_KEY)
    installation.subscribe(ANNA)
    octets = f"broken report about {ANNA}".encode()
    known(installation, octets, BounceKind.UNREADABLE)
    folder = maildir_with(tmp_path / "mail", anna=octets)
    erase(installation, ANNA)
    assert run_command(installation, "bounces", "read", "--maildir", str(folder)).code == 0
    assert left_in(folder) == set()


def test_erasing_with_the_mailbox_deletes_the_reports_that_were_read_there(
    any_installation: Installation, tmp_path: Path
):
    installation = any_installation
    keys.adopt(installation.at(MONDAY).engine, SUPPRESSION_KEY)
    installation.subscribe(ANNA)
    folder = maildir_with(tmp_path / "mail")
    kinds = {
        "hard": BounceKind.HARD,
        "soft": BounceKind.SOFT,
        "letter": BounceKind.NONE,
        "away": BounceKind.AUTOREPLY,
    }
    for name, kind in kinds.items():
        octets = f"{name}: {ANNA}".encode()
        known(installation, octets, kind)
        (folder / "cur" / f"{name}:2,S").write_bytes(octets)
    (folder / "cur" / "unread:2,").write_bytes(f"hard: {ANNA}".encode())
    erased = run_command(installation, "subscribers", "erase", ANNA, "--maildir", str(folder))
    assert "Deleted 2 mails" in erased.out
    assert left_in(folder) == {"letter", "away", "unread"}


def test_moved_mails_about_the_erased_are_deleted_by_imap(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    installation = any_installation
    keys.adopt(installation.at(MONDAY).engine, SUPPRESSION_KEY)
    installation.subscribe(ANNA)
    mails = [f"broken report about {address}".encode() for address in (ANNA, BEN)]
    for octets in mails:
        known(installation, octets, BounceKind.UNREADABLE)
    erase(installation, ANNA)
    monkeypatch.setenv("NOTIFIER_IMAP_PASSWORD", mailbox_server.PASSWORD)
    with mailbox_server.running([]) as box:
        box.folders[mailbox.UNREADABLE] = [*mails]
        address = f"imap://bounce@127.0.0.1:{box.port}/INBOX"
        assert run_command(installation, "bounces", "read", "--imap", address).code == 0
        assert box.folders[mailbox.UNREADABLE] == mails[1:]
        box.commands.clear()
        assert run_command(installation, "bounces", "read", "--imap", address).code == 0
        assert "EXPUNGE" not in box.commands


def test_a_folder_that_is_a_link_is_not_followed(installation: Installation, tmp_path: Path):
    folder = maildir_with(tmp_path / "mail")
    other = maildir_with(tmp_path / "other", anna=b"x")
    for name in ("new", "cur", "tmp"):
        (folder / f".{mailbox.UNREADABLE}" / name).rmdir()
    (folder / f".{mailbox.UNREADABLE}").rmdir()
    (folder / f".{mailbox.UNREADABLE}").symlink_to(other / f".{mailbox.UNREADABLE}")
    assert list(mailbox.kept_in_maildir(folder, with_seen=True)) == []
