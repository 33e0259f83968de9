"""The journal of departures: a file outside the database that says who left, after a restore, too.

Owns the form of its lines, and how they are written, read and rotated. A stage notes a departure in
its transaction; `Deps.writing` appends what was noted after the commit, flushed to the disk. A line
is JSON and names nobody: it has the keyed hash of the address (`store/keys.py`), the time, the
kind, and a keyed hash of the subscription. It must not know what follows from a line.

Rotation never rewrites a file, so that no process that is appending loses a line: when the oldest
line is older than the period, the file gets the ending `.old`, and the one before goes.
"""

import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from notifier.store import files, keys
from notifier.text import times

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_NOTED, _OF = "departures", "departures of"
_HASH = re.compile(r"[0-9a-f]{64}")
_MODE = 0o600
# Bytes that a line may have; longer ones are no lines of ours.
_LONGEST_LINE = 1000


class Kind(StrEnum):
    """The kind of a line.

    `begun`: the file begins. `left` and `returned`: a subscription ended, or runs again.
    `suppressed` and `lifted`: of an address. `erased`: a person. `moved`: to another address.
    """

    BEGUN = "begun"
    LEFT = "left"
    RETURNED = "returned"
    SUPPRESSED = "suppressed"
    LIFTED = "lifted"
    ERASED = "erased"
    MOVED = "moved"


@dataclass(frozen=True)
class Departure:
    """A departure, or its end, as it is noted and read.

    Attributes:
        kind: which one.
        address: the keyed hash of the address, 64 hexadecimal digits; empty for `begun`.
        installation: 16 hexadecimal digits that name the installation.
        subscription: see `subscription_name`; empty unless it is about one.
        cause: of the suppression that stays, or empty.
        to: the keyed hash of the new address, for `moved`.
    """

    kind: Kind
    address: str
    installation: str
    subscription: str = ""
    cause: str = ""
    to: str = ""


@dataclass(frozen=True)
class Line:
    """A line that was read.

    Attributes:
        at: its time.
        departure: what it says.
    """

    at: datetime
    departure: Departure


@dataclass(frozen=True)
class Journal:
    """The journal as it was read.

    Attributes:
        lines: of this installation, oldest first.
        begins_at: the time from which it is complete; None if there is no line.
        unreadable: how many lines are damaged, or of another installation.
    """

    lines: Sequence[Line]
    begins_at: datetime | None
    unreadable: int


def note(session: Session, kind: Kind, address: str, **details: str) -> None:
    """Note a departure; it is appended to the journal when the transaction is committed.

    Args:
        session: a writing session, which carries `suppression_key`.
        kind: which one.
        address: the hash of the address.
        **details: `subscription`, `cause` or `to` of the `Departure`.
    """
    departure = Departure(kind, address, installation_name(session), **details)
    session.info.setdefault(_NOTED, []).append(departure)


def note_begin(session: Session) -> None:
    """Note that the journal begins; that is written if it has no line yet."""
    begun = Departure(Kind.BEGUN, "", installation_name(session))
    session.info.setdefault(_NOTED, []).append(begun)


def noted(session: Session) -> list[Departure]:
    """Return what was noted in a session, in its order."""
    return [*session.info.get(_NOTED, ())]


def installation_name(session: Session) -> str:
    """Return 16 hexadecimal digits that name this installation in its journal."""
    if _OF not in session.info:
        session.info[_OF] = keys.secret_name(session, "journal", "")[:16]
    name: str = session.info[_OF]
    return name


def subscription_name(session: Session, address: str, profile_id: int) -> str:
    """Return a keyed hash that names a subscription in the journal, and not its therapy."""
    return keys.secret_name(session, "departure", f"{address} {profile_id}")


def append(path: Path, departures: Sequence[Departure], now: datetime, kept_days: int) -> None:
    """Append lines, and return when the disk has them; several processes may do so at once.

    Args:
        path: of the journal; it is made for its owner alone if it does not exist.
        departures: what is appended.
        now: the time of the lines.
        kept_days: lines that are older may go; 0 keeps all.

    Raises:
        OSError: they cannot be written.
    """
    if not departures:
        return
    _rotate(path, now, kept_days)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, _MODE)
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise OSError(f"{path} is not a regular file")
        if not state.st_size:
            files.give_away(descriptor, path.parent)
        lines = [each for each in departures if each.kind is not Kind.BEGUN]
        if not state.st_size:
            lines.insert(0, Departure(Kind.BEGUN, "", departures[0].installation))
        content = "".join(f"{_text(each, now)}\n" for each in lines).encode("ascii")
        if content and state.st_size and os.pread(descriptor, 1, state.st_size - 1) != b"\n":
            # A disk that was full cut a line off; it must not take the next one with it.
            content = b"\n" + content
        _write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if not state.st_size:
        files.sync_folder(path.parent)


def problem(path: Path) -> str:
    """Return why no line can be appended to a journal, as far as it shows without writing; or "".

    Raises:
        OSError: the journal cannot be looked at.
    """
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {folder}"
    if not path.exists():
        allowed = os.access(folder, os.W_OK | os.X_OK)
        return "" if allowed else f"this user may make no file in {folder}"
    if not path.is_file():
        return f"{path} is not a regular file"
    return "" if os.access(path, os.R_OK | os.W_OK) else f"this user may not write to {path}"


def _write_all(descriptor: int, content: bytes) -> None:
    """Write in one call where the system takes all at once: lines of two processes never mix."""
    while content:
        content = content[os.write(descriptor, content) :]


def _text(departure: Departure, now: datetime) -> str:
    """Return a departure as a line, without its end."""
    fields = {
        "at": now.isoformat(timespec="seconds"),
        "kind": str(departure.kind),
        "address": departure.address,
        "subscription": departure.subscription,
        "cause": departure.cause,
        "to": departure.to,
        "of": departure.installation,
    }
    return json.dumps({name: each for name, each in fields.items() if each})


def _rotate(path: Path, now: datetime, kept_days: int) -> None:
    """Begin a new file when the oldest line may go; what is in the old one is kept as long again.

    Raises:
        OSError: the file cannot be renamed.
    """
    if not kept_days or not path.is_file():
        return
    with suppress(FileNotFoundError), path.open("rb") as file:
        first = _parse(file.readline(_LONGEST_LINE))
        if first is None or now - first.at <= timedelta(days=kept_days):
            return
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        # Another process may have rotated it while this one waited.
        if os.path.samestat(path.stat(), os.fstat(file.fileno())):
            path.replace(old_path(path))


def old_path(path: Path) -> Path:
    """Return the path of the journal's older part."""
    return path.with_name(f"{path.name}.old")


def read(paths: Iterable[Path], installation: str) -> Journal:
    """Read journals, each with its older part; a file that does not exist has no lines.

    Args:
        paths: of the journals, one for each machine.
        installation: whose lines are wanted.

    Raises:
        OSError: a file cannot be read.
    """
    lines: list[Line] = []
    begins: list[datetime] = []
    unreadable = 0
    for path in paths:
        own: list[Line] = []
        for part in (old_path(path), path):
            for line in _parsed(part):
                if line is None or line.departure.installation != installation:
                    unreadable += 1
                else:
                    own.append(line)
        if own:
            begins.append(min(line.at for line in own))
        lines += own
    # The order within a second is that of the file.
    lines.sort(key=lambda line: line.at)
    return Journal(lines, max(begins, default=None), unreadable)


def _parsed(path: Path) -> Iterator[Line | None]:
    """Yield the lines of a file; None for one that is damaged."""
    if not path.is_file():
        return
    with suppress(FileNotFoundError), path.open("rb") as file:
        while raw := file.readline(_LONGEST_LINE):
            if raw.strip():
                yield _parse(raw)


def _parse(raw: bytes) -> Line | None:
    try:
        fields: dict[str, Any] = json.loads(raw)
        departure = Departure(
            Kind(fields["kind"]),
            fields.get("address", ""),
            fields["of"],
            fields.get("subscription", ""),
            fields.get("cause", ""),
            fields.get("to", ""),
        )
        at = times.moment(fields["at"])
    except (ValueError, TypeError, KeyError, RecursionError, AttributeError):
        return None
    names = (departure.address, departure.subscription, departure.to)
    texts = (*names, departure.cause, departure.installation)
    if not all(isinstance(each, str) for each in texts):
        return None
    is_begun = departure.kind is Kind.BEGUN
    whole = is_begun or bool(departure.address)
    return Line(at, departure) if whole and all(map(_is_hash, names)) else None


def _is_hash(text: str) -> bool:
    return not text or _HASH.fullmatch(text) is not None
