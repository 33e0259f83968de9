"""Returns: mails that came back to us are read, and have their consequences.

Joins what a report says with what becomes of a person: suppressed, held back for a while, or unsubscribed. Read from
files, a Maildir, or a mailbox by IMAP; a report that is read again changes nothing.
"""

import imaplib
import mailbox
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy.orm import Session

from notifier.deliver import bounces
from notifier.deliver.bounces import Verdict
from notifier.deps import Deps
from notifier.errors import AddressError, NotifierError, SettingsError
from notifier.store.statuses import BounceKind, SuppressionCause
from notifier.subscribers import subscriptions, suppressions

_LARGEST = 5_000_000


@dataclass
class Summary:
    """What was read: how many mails of each kind, and what came of them."""

    kinds: Counter[str] = field(default_factory=Counter)
    suppressed: int = 0
    held: int = 0
    unsubscribed: int = 0
    known: int = 0


def read(deps: Deps, mails: Iterable[bytes]) -> Summary:
    """Read mails that came back, each in a transaction of its own."""
    summary = Summary()
    for octets in mails:
        with deps.writing() as session:
            verdicts = bounces.take(
                session, octets[:_LARGEST], deps.links.bounced, lambda address: _hash(session, address), deps.now()
            )
            summary.known += not verdicts
            for verdict in verdicts:
                summary.kinds[verdict.kind] += 1
                _follow(deps, session, verdict, summary)
    return summary


def _hash(session: Session, address: str) -> str:
    try:
        return subscriptions.hash_of(session, address)
    except AddressError as error:
        raise ValueError(address) from error


def _follow(deps: Deps, session: Session, verdict: Verdict, summary: Summary) -> None:
    now = deps.now()
    if verdict.kind is BounceKind.UNSUBSCRIBE and verdict.subscription is not None:
        summary.unsubscribed += subscriptions.end(session, verdict.subscription, "mail", "subscriber", now)
    if verdict.subscriber is None:
        return
    key = verdict.subscriber.address_hash
    if verdict.kind is BounceKind.HARD or verdict.given_up:
        reason = f"mails to it come back: {verdict.said}" if verdict.said else "mails to it come back"
        summary.suppressed += suppressions.add(session, key, SuppressionCause.BOUNCED, reason[:300], now)
    elif verdict.kind is BounceKind.COMPLAINT:
        said = "its owner called a mail unwanted"
        summary.suppressed += suppressions.add(session, key, SuppressionCause.COMPLAINED, said, now)
        for one in verdict.subscriber.subscriptions:
            summary.unsubscribed += subscriptions.end(session, one, "complaint", "mail provider", now)
    elif verdict.kind is BounceKind.SOFT:
        summary.held += 1


def from_files(files: Iterable[Path]) -> Iterator[bytes]:
    """The mails in these files, one in each.

    Raises:
        SettingsError: one cannot be read.
    """
    for file in files:
        try:
            yield file.read_bytes()
        except OSError as error:
            raise SettingsError(f"{file} cannot be read: {error.strerror}.", "Name a file that is there.") from error


def from_maildir(folder: Path) -> Iterator[bytes]:
    """The new mails of a Maildir; each is marked as seen once it was read.

    Raises:
        SettingsError: it is no Maildir.
    """
    if not (folder / "new").is_dir():
        raise SettingsError(f"{folder} is no Maildir.", "Name a folder that holds new, cur and tmp.")
    box = mailbox.Maildir(folder, create=False)
    try:
        for key in sorted(box.keys()):
            found = box[key]
            if found.get_subdir() == "new":
                yield box.get_bytes(key)
                found.set_subdir("cur")
                found.add_flag("S")
                box[key] = found
    finally:
        box.close()


def from_imap(url: str, password: str) -> Iterator[bytes]:
    """The unseen mails of a mailbox (``imaps://user@host/INBOX``); each is marked as seen once it was read.

    Raises:
        SettingsError: no such address.
        NotifierError: the server cannot be reached, or refuses.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("imaps", "imap") or not parts.hostname or not parts.username:
        raise SettingsError(f"{url!r} is no mailbox.", "It looks like imaps://bounce@mail.example.org/INBOX")
    kind = imaplib.IMAP4_SSL if parts.scheme == "imaps" else imaplib.IMAP4
    try:
        with kind(parts.hostname, parts.port or (993 if parts.scheme == "imaps" else 143), timeout=30) as server:
            if parts.scheme == "imap" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
                server.starttls()
            server.login(unquote(parts.username), password)
            server.select(unquote(parts.path.strip("/")) or "INBOX")
            _, numbers = server.search(None, "UNSEEN")
            for number in (numbers[0] or b"").split():
                _, parts_of_mail = server.fetch(number.decode(), "(BODY.PEEK[])")
                if parts_of_mail and isinstance(parts_of_mail[0], tuple):
                    yield parts_of_mail[0][1]
                server.store(number.decode(), "+FLAGS", "\\Seen")
    except (OSError, imaplib.IMAP4.error) as error:
        raise NotifierError(
            f"The mailbox cannot be read: {error}.", "Check host, name and password (NOTIFIER_IMAP_PASSWORD)."
        ) from error
