"""Mailboxes: the places from which mails that came back are read.

Reads files, a Maildir, and a mailbox by IMAP (RFC 9051). A mail is marked as seen only after its
reader has stored it, so that it is read again if the reader failed. Mails of other people are left
as they are. `parser.py` reads what the mails say.
"""

import errno
import imaplib
import logging
import os
import ssl
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from notifier.deliver.bounces.imap_words import plain_log_in, quoted_folder
from notifier.deliver.redaction import without_secrets
from notifier.errors import InputError, NotifierError
from notifier.text.cleaning import clean

log = logging.getLogger("notifier")

# The folder for mails that cannot be read.
UNREADABLE = "notifier-unreadable"
# Some servers keep all folders below INBOX.
_UNREADABLE_FOLDERS = (UNREADABLE, f"INBOX.{UNREADABLE}", f"INBOX/{UNREADABLE}")
# The bytes of a mail that are read: no report says anything after them. Chosen by hand; not
# measured.
_LARGEST = 5_000_000
_PORTS = {"imap": 143, "imaps": 993}
# Seconds. Chosen by hand; not measured.
_TIMEOUT = 30
# The separator before the flags in a file name of a Maildir.
_FLAGS = ":2,"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

# A connection to a mailbox.
Server = imaplib.IMAP4


class Handling(StrEnum):
    """The change to a mail in its mailbox after it was read."""

    SEEN = "seen"
    LEFT = "left as it is"
    MOVED = "moved away"
    DELETED = "deleted"


class Mail(bytes):
    """A mail of a mailbox. It is marked as seen, unless its reader sets another handling."""

    handling = Handling.SEEN


def from_files(files: Iterable[Path]) -> Iterator[bytes]:
    """Yield the mail in each of these files.

    What is not a plain file, or cannot be read, is skipped and logged.

    Raises:
        InputError: a file does not exist.
    """
    for file in files:
        try:
            octets = _content(file)
        except FileNotFoundError as error:
            raise InputError(
                f"There is no file {clean(str(file))}.", "Name a file that exists."
            ) from error
        if octets is not None:
            yield octets


def from_stream(stream: BinaryIO) -> bytes:
    """Return the mail that a mail server pipes in, cut to the size that is read."""
    return stream.read(_LARGEST)


def from_maildir(folder: Path) -> Iterator[Mail]:
    """Yield the unseen mails of a Maildir, and mark each as seen after it was read.

    The format is described at https://cr.yp.to/proto/maildir.html. Mails in `cur` count too: other
    programs move them there. What is not a readable plain file is skipped and logged. A mail is
    left as it is, or moved to the folder `.notifier-unreadable` beside the others (Maildir++,
    https://www.courier-mta.org/imap/README.maildirquota.html), if its handling says so.

    Raises:
        InputError: the folder is not a Maildir, or cannot be written to.
    """
    if not ((folder / "new").is_dir() and (folder / "cur").is_dir()):
        raise InputError(
            f"{folder} is not a Maildir.", "Name a folder that holds new, cur and tmp."
        )
    for file in [*sorted((folder / "new").iterdir()), *sorted((folder / "cur").iterdir())]:
        name, _, flags = file.name.partition(_FLAGS)
        if name.startswith(".") or "S" in flags:
            continue
        try:
            octets = _content(file)
        except FileNotFoundError:
            continue  # another program removed it meanwhile
        if octets is None:
            continue
        mail = Mail(octets)
        yield mail
        try:
            if mail.handling is Handling.SEEN:
                file.rename(folder / "cur" / f"{name}{_FLAGS}{''.join(sorted({*flags, 'S'}))}")
            elif mail.handling is Handling.MOVED:
                file.rename(_unreadable_folder(folder) / "new" / name)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise InputError(
                f"{file} cannot be marked as seen: {error.strerror}.",
                f"Give this user write access to {folder}.",
            ) from error


def kept_in_maildir(folder: Path, *, with_seen: bool) -> Iterator[Mail]:
    """Yield the mails that were moved away as unreadable; delete those to be deleted.

    Args:
        folder: the Maildir, as `from_maildir` takes it.
        with_seen: yield the mails of the Maildir itself that are marked as seen, too.

    Raises:
        InputError: a mail cannot be deleted.
    """
    unreadable = _inbox_of(folder) / f".{UNREADABLE}"
    places = [] if unreadable.is_symlink() else [unreadable / "new", unreadable / "cur"]
    files = [file for place in places if place.is_dir() for file in place.iterdir()]
    if with_seen and (folder / "cur").is_dir():
        seen = (folder / "cur").iterdir()
        files += [file for file in seen if "S" in file.name.partition(_FLAGS)[2]]
    for file in sorted(files):
        try:
            octets = _content(file)
            if octets is None:
                continue
            mail = Mail(octets)
            mail.handling = Handling.LEFT
            yield mail
            if mail.handling is Handling.DELETED:
                file.unlink()
        except FileNotFoundError:
            continue  # another program removed it meanwhile
        except OSError as error:
            raise InputError(
                f"{file} cannot be deleted: {error.strerror}.",
                f"Give this user write access to {folder}.",
            ) from error


def _inbox_of(folder: Path) -> Path:
    """Return the first Maildir of a mailbox, in which its other folders are."""
    is_inner = folder.name.startswith(".") and (folder.parent / "cur").is_dir()
    return folder.parent if is_inner else folder


def _unreadable_folder(folder: Path) -> Path:
    """Return the Maildir for mails that cannot be read, created if it is missing.

    In Maildir++ all folders of a mailbox are in its first one, each with a dot before its name.
    """
    unreadable = _inbox_of(folder) / f".{UNREADABLE}"
    if unreadable.is_symlink():
        raise OSError(errno.ELOOP, f"{unreadable.name} is a link")
    for place in (unreadable, unreadable / "tmp", unreadable / "new", unreadable / "cur"):
        place.mkdir(mode=0o700, exist_ok=True)
    (unreadable / "maildirfolder").touch(mode=0o600)
    return unreadable


def _content(file: Path) -> bytes | None:
    """Return the beginning of a file; None, with a warning in the log, if it cannot be read.

    Only a plain file is opened: a FIFO would wait for its writer, a device may do anything, and a
    link leads elsewhere.

    Raises:
        FileNotFoundError: the file does not exist.
    """
    if not stat.S_ISREG(file.lstat().st_mode):
        log.warning("%s is not a plain file, and was skipped.", clean(str(file)))
        return None
    try:
        # The flags protect against a file that is replaced by something else meanwhile.
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise
    except OSError as error:
        log.warning("%s cannot be read (%s), and was skipped.", clean(str(file)), error.strerror)
        return None
    with os.fdopen(descriptor, "rb") as opened:
        return opened.read(_LARGEST) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


def from_imap(url: str, password: str) -> Iterator[Mail]:
    """Yield the unseen mails of a mailbox, and mark each as seen after it was read.

    A mail is left as it is, or moved to the folder `notifier-unreadable`, if its handling says so.
    The connection is encrypted and the server's certificate verified. Only a server on this machine
    is used without encryption.

    Args:
        url: ``imaps://user@host/INBOX`` for TLS, ``imap://`` for STARTTLS.
        password: the password of the user.

    Raises:
        InputError: the address of the mailbox is wrong.
        NotifierError: the server cannot be reached or trusted, or refuses the log-in.
    """
    yield from visit_by_imap(url, password, _unseen)


def kept_by_imap(url: str, password: str) -> Iterator[Mail]:
    """Yield the mails that were moved away from a mailbox; delete those to be deleted.

    Arguments and errors are those of `from_imap`.
    """
    yield from visit_by_imap(url, password, _kept)


def visit_by_imap(
    url: str, password: str, visit: Callable[[Server, str], Iterator[Mail]]
) -> Iterator[Mail]:
    """Yield what a visit of a mailbox yields; it is given the logged-in server and the folder.

    Arguments and errors are those of `from_imap`.
    """
    scheme, user, host, port, folder = parse_address(url)
    try:
        with _connected(scheme, host, port) as server:
            _log_in(server, user, password)
            yield from visit(server, folder)
    except ssl.SSLCertVerificationError as error:
        raise NotifierError(
            f"The mail server {host} cannot be trusted: {error.verify_message}.",
            "Use the name in its certificate; SSL_CERT_FILE can name a certificate of your own.",
        ) from error
    except ssl.SSLError as error:
        raise NotifierError(
            f"The mail server {host} does not use TLS on port {port}.",
            "imaps:// means TLS on port 993, imap:// means STARTTLS on port 143.",
        ) from error
    except (OSError, imaplib.IMAP4.error) as error:
        raise NotifierError(
            f"The mailbox cannot be read: {_error_text(error, user, password)}",
            "Check host, name and password (NOTIFIER_IMAP_PASSWORD).",
        ) from None  # the library's error repeats the server's answer


def parse_address(url: str) -> tuple[str, str, str, int, str]:
    """Return scheme, user, host, port and folder of a mailbox.

    Raises:
        InputError: the address is wrong. It is not repeated, because it may hold a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
        if (
            not parts.hostname
            or not parts.username
            or not unquote(f"{parts.username}{parts.path}").isprintable()
        ):
            raise ValueError("no name")  # noqa: TRY301 - reported below
    except (ValueError, KeyError) as error:
        raise InputError(
            "--imap is not the address of a mailbox.",
            "Example: imaps://bounce@mail.example.org/INBOX; write an @ in the user name as %40.",
        ) from error
    if parts.password:
        raise InputError(
            "The address in --imap holds a password, which others could read.",
            "Remove it from the address and set NOTIFIER_IMAP_PASSWORD.",
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
    context = ssl.create_default_context()  # the library's own default verifies nothing
    if scheme == "imaps":
        server: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=_TIMEOUT)
    else:
        server = imaplib.IMAP4(host, port, timeout=_TIMEOUT)
    try:
        if scheme == "imap" and host not in _LOOPBACK:
            server.starttls(context)
        yield server
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            server.logout()
        with suppress(OSError):
            server.shutdown()  # a failed log-out leaves the connection open


def _log_in(server: imaplib.IMAP4, user: str, password: str) -> None:
    """Log in; the library's own log-in takes ASCII alone.

    Raises:
        NotifierError: the server has no log-in for other letters.
    """
    if f"{user}{password}".isascii():
        server.login(user, password)
    elif "AUTH=PLAIN" in server.capabilities:
        server.authenticate("PLAIN", lambda _challenge: plain_log_in(user, password))
    else:
        raise NotifierError(
            "The mail server takes no name or password with letters beyond ASCII.",
            "Give the mailbox a password of plain letters, digits and signs.",
        )


def _unseen(server: imaplib.IMAP4, folder: str) -> Iterator[Mail]:
    """Yield the unseen mails of a folder.

    They are addressed by UID (RFC 9051, 2.3.1.1), because others may delete mails meanwhile.
    """
    status, response = server.select(quoted_folder(folder))
    if status != "OK":
        raise imaplib.IMAP4.error(response[0])
    _, response = server.uid("SEARCH", "UNSEEN")
    for number in (response[0] or b"").split():
        uid = number.decode("ascii")
        _, fetched = server.uid("FETCH", uid, f"(BODY.PEEK[]<0.{_LARGEST}>)")
        for mail in [Mail(item[1]) for item in fetched if isinstance(item, tuple)]:
            yield mail
            if mail.handling is Handling.MOVED:
                _move_away(server, uid)
            elif mail.handling is Handling.SEEN:
                server.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")


def _kept(server: imaplib.IMAP4, _folder: str) -> Iterator[Mail]:
    """Yield the mails that were moved away as unreadable; delete those to be deleted."""
    for name in _UNREADABLE_FOLDERS:
        if server.select(f'"{name}"')[0] != "OK":
            continue
        _, response = server.uid("SEARCH", "ALL")
        deletes = False
        for number in (response[0] or b"").split():
            uid = number.decode("ascii")
            _, fetched = server.uid("FETCH", uid, f"(BODY.PEEK[]<0.{_LARGEST}>)")
            for mail in [Mail(item[1]) for item in fetched if isinstance(item, tuple)]:
                mail.handling = Handling.LEFT
                yield mail
                if mail.handling is Handling.DELETED:
                    server.uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)")
                    deletes = True
        if deletes:
            server.expunge()  # the folder is ours alone


def _move_away(server: imaplib.IMAP4, uid: str) -> None:
    """Move a mail to the folder for mails that cannot be read (RFC 6851), created if missing.

    Without MOVE the mail is copied and deleted, and only this mail is expunged (RFC 4315): others
    that somebody marked as deleted stay. Where the server can do none of it, the mail is marked as
    seen.
    """
    moves, expunges = "MOVE" in server.capabilities, "UIDPLUS" in server.capabilities
    for folder in _UNREADABLE_FOLDERS:
        server.create(folder)  # refused for a folder that exists, which is no error here
        if server.uid("MOVE" if moves else "COPY", uid, folder)[0] != "OK":
            continue
        if not moves:
            server.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen \Deleted)")
        if not moves and expunges:
            server.uid("EXPUNGE", uid)
        return
    server.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")


def _error_text(error: Exception, user: str, password: str) -> str:
    """Return the text of an error without secrets, whatever the server repeats in it."""
    if isinstance(error, OSError) and error.strerror:
        text: object = error.strerror
    else:
        text = error.args[0] if error.args else ""
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return f"{without_secrets(text, password, user).rstrip('.') or type(error).__name__}."
