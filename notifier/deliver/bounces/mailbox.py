"""Mailboxes: where mails lie that came back.

Owns the reading of files, of a Maildir, and of a mailbox by IMAP (RFC 9051). A mail is marked as
seen only after its reader is done with it, so that one whose reader failed is read again; other
people's mail is left as it is. What the mails say is `reports.py`'s.
"""

import errno
import imaplib
import logging
import os
import ssl
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from notifier.deliver.redaction import without_secrets
from notifier.errors import InputError, NotifierError
from notifier.text.cleaning import clean

log = logging.getLogger("notifier")

# The folder for mails that could not be read.
UNREADABLE = "notifier-unreadable"
# No report says anything behind so many bytes.
_LARGEST = 5_000_000
_PORTS = {"imap": 143, "imaps": 993}
_TIMEOUT = 30
_FLAGS = ":2,"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Handling(StrEnum):
    """What becomes of a mail in its mailbox when its reader is done with it."""

    SEEN = "seen"
    LEFT = "left as it is"
    MOVED = "moved away"


class Mail(bytes):
    """A mail of a mailbox. Its reader may change its fate; unless it does, the mail is marked as seen."""

    fate = Handling.SEEN


def from_files(files: Iterable[Path]) -> Iterator[bytes]:
    """The mails in these files, one in each. What is no plain file that may be read is passed over, and named.

    Raises:
        InputError: one is not there.
    """
    for file in files:
        try:
            octets = _content(file)
        except FileNotFoundError as error:
            raise InputError(
                f"There is no file {clean(str(file))}.", "Name a file that is there."
            ) from error
        if octets is not None:
            yield octets


def from_stream(stream: BinaryIO) -> bytes:
    """The mail that a mail server pipes in, up to the size that is read."""
    return stream.read(_LARGEST)


def from_maildir(folder: Path) -> Iterator[Mail]:
    """The unseen mails of a Maildir (https://cr.yp.to/proto/maildir.html), each marked as seen once it was read.

    Those in `cur` count, too, into which other programs move them. What is no plain file that may
    be read is passed over, and named. A mail whose reader says so is left as it is, or moved to the
    folder `.notifier-unreadable` beside the others
    (https://www.courier-mta.org/imap/README.maildirquota.html, Maildir++).

    Raises:
        InputError: it is no Maildir, or may not be written to.
    """
    if not ((folder / "new").is_dir() and (folder / "cur").is_dir()):
        raise InputError(f"{folder} is no Maildir.", "Name a folder that holds new, cur and tmp.")
    for file in [*sorted((folder / "new").iterdir()), *sorted((folder / "cur").iterdir())]:
        name, _, flags = file.name.partition(_FLAGS)
        if name.startswith(".") or "S" in flags:
            continue
        try:
            octets = _content(file)
        except FileNotFoundError:
            continue  # another program took it meanwhile
        if octets is None:
            continue
        mail = Mail(octets)
        yield mail
        try:
            if mail.fate is Handling.SEEN:
                file.rename(folder / "cur" / f"{name}{_FLAGS}{''.join(sorted({*flags, 'S'}))}")
            elif mail.fate is Handling.MOVED:
                file.rename(_unreadable_folder(folder) / "new" / name)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise InputError(
                f"{file} cannot be marked as seen: {error.strerror}.",
                f"Let this user write to {folder}.",
            ) from error


def _unreadable_folder(folder: Path) -> Path:
    """The Maildir for mails that could not be read, made where it is missing: a subfolder beside the one that is read.

    In Maildir++ the folders of a mailbox lie in its first one, each with a dot before its name.
    """
    inbox = (
        folder.parent
        if folder.name.startswith(".") and (folder.parent / "cur").is_dir()
        else folder
    )
    unreadable = inbox / f".{UNREADABLE}"
    if unreadable.is_symlink():
        raise OSError(errno.ELOOP, f"{unreadable.name} is a link")
    for place in (unreadable, unreadable / "tmp", unreadable / "new", unreadable / "cur"):
        place.mkdir(mode=0o700, exist_ok=True)
    (unreadable / "maildirfolder").touch(mode=0o600)
    return unreadable


def _content(file: Path) -> bytes | None:
    """The beginning of a file; None, and a word about it, for what is no plain file or may not be read.

    Nothing else is opened: a FIFO would wait for its writer, a device may do anything, and a link
    leads elsewhere.

    Raises:
        FileNotFoundError: it is not there.
    """
    if not stat.S_ISREG(file.lstat().st_mode):
        log.warning("%s is no plain file, and was passed over.", clean(str(file)))
        return None
    try:
        # Whoever put something else there meanwhile gains nothing by it.
        number = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise
    except OSError as error:
        log.warning(
            "%s cannot be read (%s), and was passed over.", clean(str(file)), error.strerror
        )
        return None
    with os.fdopen(number, "rb") as opened:
        return opened.read(_LARGEST) if stat.S_ISREG(os.fstat(number).st_mode) else None


def from_imap(url: str, password: str) -> Iterator[Mail]:
    """The unseen mails of a mailbox (``imaps://user@host/INBOX``); each is marked as seen once it was read.

    A mail whose reader says so is left as it is, or moved to the folder `notifier-unreadable`. The
    connection is encrypted and the server's certificate verified; ``imap://`` means STARTTLS, and
    only a server on this machine is spoken to in the clear.

    Raises:
        InputError: no such address.
        NotifierError: the server cannot be reached or trusted, or it refuses.
    """
    scheme, user, host, port, folder = _place(url)
    try:
        with _connected(scheme, host, port) as server:
            server.login(user, password)
            yield from _unseen(server, folder)
    except ssl.SSLCertVerificationError as error:
        raise NotifierError(
            f"The mail server {host} cannot be trusted: {error.verify_message}.",
            "Give the name that its certificate was made for; SSL_CERT_FILE names a certificate of your own.",
        ) from error
    except ssl.SSLError as error:
        raise NotifierError(
            f"The mail server {host} speaks no TLS at port {port}.",
            "imaps:// means port 993, imap:// means STARTTLS.",
        ) from error
    except (OSError, imaplib.IMAP4.error) as error:
        raise NotifierError(
            f"The mailbox cannot be read: {_said(error, user, password)}",
            "Check host, name and password (NOTIFIER_IMAP_PASSWORD).",
        ) from None  # what the library raised repeats the server's answer


def _place(url: str) -> tuple[str, str, str, int, str]:
    """Scheme, user, host, port and folder of a mailbox; what was given is not repeated, a password may stand in it."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
        if (
            not parts.hostname
            or not parts.username
            or not unquote(f"{parts.username}{parts.path}").isprintable()
        ):
            raise ValueError("no name")  # noqa: TRY301 - told in one place
    except (ValueError, KeyError) as error:
        raise InputError(
            "--imap names no mailbox.",
            "It looks like imaps://bounce@mail.example.org/INBOX; an @ in the name is written %40.",
        ) from error
    if parts.password:
        raise InputError(
            "A password in an address can be read by others.", "Set NOTIFIER_IMAP_PASSWORD instead."
        )
    return (
        parts.scheme,
        unquote(parts.username),
        parts.hostname,
        port,
        unquote(parts.path.strip("/")) or "INBOX",
    )


@contextmanager
def _connected(scheme: str, host: str, port: int) -> Iterator[imaplib.IMAP4]:
    trusted = ssl.create_default_context()  # the library's own default verifies nothing
    if scheme == "imaps":
        server: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, port, ssl_context=trusted, timeout=_TIMEOUT)
    else:
        server = imaplib.IMAP4(host, port, timeout=_TIMEOUT)
    try:
        if scheme == "imap" and host not in _LOOPBACK:
            server.starttls(trusted)
        yield server
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            server.logout()
        with suppress(OSError):
            server.shutdown()  # a leave that failed closes nothing


def _unseen(server: imaplib.IMAP4, folder: str) -> Iterator[Mail]:
    """The mails of a folder that nobody has seen, by their lasting numbers: others may delete some meanwhile."""
    answer, said = server.select('"{}"'.format(folder.replace("\\", "\\\\").replace('"', '\\"')))
    if answer != "OK":
        raise imaplib.IMAP4.error(said[0])
    _, found = server.uid("SEARCH", "UNSEEN")
    for number in (found[0] or b"").split():
        uid = number.decode("ascii")
        _, answers = server.uid("FETCH", uid, f"(BODY.PEEK[]<0.{_LARGEST}>)")
        for mail in [Mail(answer[1]) for answer in answers if isinstance(answer, tuple)]:
            yield mail
            if mail.fate is Handling.MOVED:
                _move_away(server, uid)
            elif mail.fate is Handling.SEEN:
                server.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")


def _move_away(server: imaplib.IMAP4, uid: str) -> None:
    """Move a mail to the folder for those that could not be read (RFC 6851), made where it is missing.

    Without MOVE it is copied and deleted, and only this one is expunged (RFC 4315): others that
    somebody marked as deleted stay. Where the server can do none of it, the mail is marked as seen.
    """
    moves, expunges = "MOVE" in server.capabilities, "UIDPLUS" in server.capabilities
    for folder in (
        UNREADABLE,
        f"INBOX.{UNREADABLE}",
        f"INBOX/{UNREADABLE}",
    ):  # some keep all folders below INBOX
        server.create(folder)  # one that is there is refused, and that is well
        if server.uid("MOVE" if moves else "COPY", uid, folder)[0] != "OK":
            continue
        if not moves:
            server.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen \Deleted)")
        if not moves and expunges:
            server.uid("EXPUNGE", uid)
        return
    server.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")


def _said(error: Exception, user: str, password: str) -> str:
    """The server's words, which the library keeps as bytes, or the system's; no secret, whatever a server repeats."""
    said = (
        error.strerror
        if isinstance(error, OSError) and error.strerror
        else error.args[0]
        if error.args
        else ""
    )
    said = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return f"{without_secrets(said, password, user).rstrip('.') or type(error).__name__}."
