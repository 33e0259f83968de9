"""Mailboxes: each mail is read once, and is marked as seen only after it was read."""

from pathlib import Path

import pytest

from notifier.deliver.bounces import mailbox
from notifier.errors import InputError, NotifierError
from tests.support import mailbox_server
from tests.support.mailbox_server import PASSWORD, Box

MAILS = [
    b"Subject: one\r\n\r\nfirst\r\n",
    b"Subject: two\r\n\r\nsecond\r\n",
    b"Subject: three\r\n\r\nthird\r\n",
]


def address(box: Box, scheme: str = "imap", folder: str = "INBOX") -> str:
    return f"{scheme}://bounce%40example.org@127.0.0.1:{box.port}/{folder}"


def test_unseen_mails_are_read_once_and_marked_as_seen_afterwards():
    with mailbox_server.running(MAILS) as box:
        for number, mail in enumerate(mailbox.from_imap(address(box), PASSWORD)):
            assert mail == MAILS[number]
            assert len(box.seen) == number
        assert box.seen == {101, 102, 103}
        assert list(mailbox.from_imap(address(box), PASSWORD)) == []


def test_the_unseen_mails_of_a_maildir_are_read_once_from_new_and_cur(
    tmp_path: Path,
):
    for name, mail in (
        ("new/1", MAILS[0]),
        ("cur/2:2,", MAILS[1]),
        ("cur/3:2,F", MAILS[2]),
        ("cur/4:2,S", b"seen"),
    ):
        (tmp_path / "box" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "box" / name).write_bytes(mail)
    (tmp_path / "box" / "tmp").mkdir()
    assert list(mailbox.from_maildir(tmp_path / "box")) == MAILS
    assert {file.name for file in (tmp_path / "box" / "cur").iterdir()} == {
        "1:2,S",
        "2:2,S",
        "3:2,FS",
        "4:2,S",
    }
    assert list(mailbox.from_maildir(tmp_path / "box")) == []


def test_a_maildir_without_write_access_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "new" / "1").write_bytes(MAILS[0])

    def refuse(_self: Path, _target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(InputError, match="cannot be marked as seen: Permission denied"):
        list(mailbox.from_maildir(tmp_path))


def test_a_mail_whose_reader_fails_is_read_again():
    with mailbox_server.running(MAILS) as box:
        mails = mailbox.from_imap(address(box), PASSWORD)
        assert [next(mails), next(mails)] == MAILS[:2]
        mails.close()  # as when the reader of the mail raises an error
        assert box.seen == {101}
        assert list(mailbox.from_imap(address(box), PASSWORD)) == MAILS[1:]


def test_a_connection_that_ends_in_the_middle_loses_no_mail():
    with mailbox_server.running(MAILS, hangs_up_after=2) as box:
        mails = mailbox.from_imap(address(box), PASSWORD)
        assert [next(mails), next(mails)] == MAILS[:2]
        with pytest.raises(NotifierError, match="cannot be read"):
            next(mails)
        box.hangs_up_after = None
        assert list(mailbox.from_imap(address(box), PASSWORD)) == MAILS[2:]


def test_only_the_beginning_of_an_endless_mail_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(mailbox, "_LARGEST", 1000)
    endless = b"Subject: long\r\n\r\n" + b"x" * 5000
    with mailbox_server.running([endless]) as box:
        assert list(mailbox.from_imap(address(box), PASSWORD)) == [endless[:1000]]
    file = tmp_path / "mail.eml"
    file.write_bytes(endless)
    assert list(mailbox.from_files([file])) == [endless[:1000]]


def test_a_mailbox_is_read_over_tls(certificate: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mailbox_server.running(MAILS, certificate) as box:
        assert list(mailbox.from_imap(address(box, "imaps"), PASSWORD)) == MAILS


def test_a_server_with_an_untrusted_certificate_gets_no_password(certificate: Path):
    with mailbox_server.running(MAILS, certificate) as box:
        with pytest.raises(NotifierError, match="cannot be trusted"):
            list(mailbox.from_imap(address(box, "imaps"), PASSWORD))
        assert box.seen == set()


def test_a_remote_server_without_encryption_gets_no_password(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(mailbox, "_LOOPBACK", ())
    with mailbox_server.running(MAILS) as box, pytest.raises(NotifierError, match="TLS"):
        list(mailbox.from_imap(address(box), PASSWORD))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"password": "wrong"}, "wrong name or password"),
        ({"folder": "Nowhere"}, "no such folder"),
        ({"scheme": "imaps"}, "does not use TLS"),
    ],
)
def test_a_refusal_of_the_server_is_shown_in_its_words(change: dict[str, str], said: str):
    password = change.pop("password", PASSWORD)
    with mailbox_server.running(MAILS) as box, pytest.raises(NotifierError, match=said):
        list(mailbox.from_imap(address(box, **change), password))


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("bounce", "réception-ž"),
        ("rückläufer", PASSWORD),
        ("bounce", "“quoted” and \\ and €"),
        ("почта", "пароль"),
    ],
)
def test_a_name_and_a_password_beyond_ascii_open_the_mailbox(user: str, password: str):
    with mailbox_server.running(MAILS) as box:
        box.password, box.offers = password, "AUTH=PLAIN"
        url = f"imap://{user}@127.0.0.1:{box.port}/INBOX"
        assert list(mailbox.from_imap(url, password)) == MAILS
        with pytest.raises(NotifierError, match="wrong name or password"):
            list(mailbox.from_imap(url, f"{password[1:]}ü"))


def test_a_server_without_a_log_in_for_such_letters_is_named_as_the_reason():
    with mailbox_server.running(MAILS) as box:
        with pytest.raises(NotifierError, match="letters beyond ASCII") as refused:
            list(mailbox.from_imap(address(box), "gehëim"))
        assert "gehëim" not in f"{refused.value}{refused.value.fix}"


@pytest.mark.parametrize(
    ("folder", "sent"),
    [
        ("Rückläufer", "R&APw-ckl&AOQ-ufer"),
        ("R%C3%BCckl%C3%A4ufer", "R&APw-ckl&AOQ-ufer"),
        ("INBOX/Réponses & bounces", "INBOX/R&AOk-ponses &- bounces"),
        ("受信トレイ", "&U9dP4TDIMOwwpA-"),
        ("Возвраты", "&BBIEPgQ3BDIEQAQwBEIESw-"),
        ("R&APw-ckl&AOQ-ufer", "R&APw-ckl&AOQ-ufer"),
        ("Bounces", "Bounces"),
    ],
)
def test_a_folder_is_opened_whatever_letters_its_name_has(folder: str, sent: str):
    with mailbox_server.running(MAILS) as box:
        box.folders[sent] = []
        assert list(mailbox.from_imap(address(box, folder=folder), PASSWORD)) == []
        assert f'SELECT "{sent}"' in box.commands


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "imap://",
        "imap://mail.example.org",
        "http://me@mail.example.org",
        "imap://me@[::1",
        "",
    ],
)
def test_an_address_that_is_not_a_mailbox_is_refused_with_an_example(url: str):
    with pytest.raises(InputError) as refused:
        list(mailbox.from_imap(url, PASSWORD))
    assert "imaps://bounce@mail.example.org/INBOX" in refused.value.fix


def test_a_password_in_the_address_is_refused_and_not_repeated():
    with pytest.raises(InputError) as refused:
        list(mailbox.from_imap("imaps://me:hunter2@mail.example.org/INBOX", ""))
    assert "NOTIFIER_IMAP_PASSWORD" in refused.value.fix
    assert "hunter2" not in str(refused.value)
