"""Mailboxes: where mails lie that came back.

Owns the reading of files, of a Maildir, and of a mailbox by IMAP (RFC 9051). A mail is marked as seen only after its
reader is done with it, so that one whose reader failed is read again. What the mails say is `reports.py`'s.
"""

import imaplib
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from notifier.errors import NotifierError, SettingsError
from notifier.text import clean

# No report says anything behind so many bytes.
_LARGEST = 5_000_000
_PORTS = {"imap": 143, "imaps": 993}
_TIMEOUT = 30
_FLAGS = ":2,"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def from_files(files: Iterable[Path]) -> Iterator[bytes]:
    """The mails in these files, one in each.

    Raises:
        SettingsError: one cannot be read.
    """
    for file in files:
        try:
            with file.open("rb") as opened:
                yield opened.read(_LARGEST)
        except OSError as error:
            raise SettingsError(f"{file} cannot be read: {error.strerror}.", "Name a file that is there.") from error


def from_maildir(folder: Path) -> Iterator[bytes]:
    """The unseen mails of a Maildir (https://cr.yp.to/proto/maildir.html), each marked as seen once it was read.

    Those in `cur` count, too, into which other programs move them. Nothing but names of files is changed.

    Raises:
        SettingsError: it is no Maildir, or may not be read.
    """
    if not ((folder / "new").is_dir() and (folder / "cur").is_dir()):
        raise SettingsError(f"{folder} is no Maildir.", "Name a folder that holds new, cur and tmp.")
    for file in [*sorted((folder / "new").iterdir()), *sorted((folder / "cur").glob("*"))]:
        name, _, flags = file.name.partition(_FLAGS)
        if name.startswith(".") or "S" in flags:
            continue
        try:
            with file.open("rb") as opened:
                octets = opened.read(_LARGEST)
        except FileNotFoundError:
            continue  # another program took it meanwhile
        except OSError as error:
            raise SettingsError(f"{file} cannot be read: {error.strerror}.", "Let this user read it.") from error
        yield octets
        try:
            file.rename(folder / "cur" / f"{name}{_FLAGS}{''.join(sorted({*flags, 'S'}))}")
        except FileNotFoundError:
            continue
        except OSError as error:
            raise SettingsError(
                f"{file} cannot be marked as seen: {error.strerror}.", f"Let this user write to {folder}."
            ) from error


def from_imap(url: str, password: str) -> Iterator[bytes]:
    """The unseen mails of a mailbox (``imaps://user@host/INBOX``); each is marked as seen once it was read.

    The connection is encrypted and the server's certificate verified; ``imap://`` means STARTTLS, and only a server on
    this machine is spoken to in the clear.

    Raises:
        SettingsError: no such address.
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
            f"The mail server {host} speaks no TLS at port {port}.", "imaps:// means port 993, imap:// means STARTTLS."
        ) from error
    except (OSError, imaplib.IMAP4.error) as error:
        raise NotifierError(
            f"The mailbox cannot be read: {_said(error)}", "Check host, name and password (NOTIFIER_IMAP_PASSWORD)."
        ) from error


def _place(url: str) -> tuple[str, str, str, int, str]:
    """Scheme, user, host, port and folder of a mailbox; what was given is not repeated, a password may stand in it."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
        if not parts.hostname or not parts.username:
            raise ValueError("no name")  # noqa: TRY301 - told in one place
    except (ValueError, KeyError) as error:
        raise SettingsError(
            "--imap names no mailbox.",
            "It looks like imaps://bounce@mail.example.org/INBOX; an @ in the name is written %40.",
        ) from error
    if parts.password:
        raise SettingsError("A password in an address can be read by others.", "Set NOTIFIER_IMAP_PASSWORD instead.")
    return parts.scheme, unquote(parts.username), parts.hostname, port, unquote(parts.path.strip("/")) or "INBOX"


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


def _unseen(server: imaplib.IMAP4, folder: str) -> Iterator[bytes]:
    """The mails of a folder that nobody has seen, by their lasting numbers: others may delete some meanwhile."""
    answer, said = server.select('"{}"'.format(folder.replace("\\", "\\\\").replace('"', '\\"')))
    if answer != "OK":
        raise imaplib.IMAP4.error(said[0])
    _, found = server.uid("SEARCH", "UNSEEN")
    for number in (found[0] or b"").split():
        uid = number.decode("ascii")
        _, answers = server.uid("FETCH", uid, f"(BODY.PEEK[]<0.{_LARGEST}>)")
        yield from [one[1] for one in answers if isinstance(one, tuple)]
        server.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")


def _said(error: Exception) -> str:
    """The server's words, which the library keeps as bytes, or the system's."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else error.args[0] if error.args else ""
    said = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return f"{clean(said).rstrip('.') or type(error).__name__}."
