"""Restore: a backup takes the place of the database, and nothing is sent until a person decides.

Owns what is done to a backup before it is used: its schema is upgraded, the journal of departures
is repeated, the restore is noted and sending stopped. The database that it replaces is kept, and
what it knows of departures counts as well. A kill at any moment leaves the old database or the new
one, never a mixture; the same command again completes it.
"""

import os
import secrets
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from notifier.admin import backup
from notifier.admin.backup import Contents
from notifier.deliver.outbox import stop
from notifier.deps import Deps
from notifier.errors import InputError, NotifierError, SettingsError, StoreError
from notifier.settings import Settings
from notifier.store import backup_state, db, departures, files, keys
from notifier.store.db import postgres_programs, postgres_schemas, sqlite_swap
from notifier.store.departures import Journal, Line
from notifier.subscribers import departed, lifecycle
from notifier.subscribers.departed import Repeated

# The clock that a backup bears may be another machine's. Chosen by hand; not measured.
_CLOCKS_DIFFER = timedelta(hours=1)


@dataclass(frozen=True)
class Restored:
    """A backup that took the place of the database.

    Attributes:
        contents: what it holds.
        since: its time.
        kept: the file or schema of what it replaced; empty if there was nothing.
        repeated: the departures since then that were repeated.
        journal_begins_at: the time from which the journal has them all; None without a journal.
        unreadable: how many lines of the journal are damaged, or another installation's.
        replaced_was_read: whether the replaced database was asked who left.
    """

    contents: Contents
    since: datetime
    kept: str
    repeated: Repeated
    journal_begins_at: datetime | None
    unreadable: int
    replaced_was_read: bool

    @property
    def is_complete(self) -> bool:
        """True if everybody is known who left since the backup was made."""
        begins_at = self.journal_begins_at
        return self.replaced_was_read or (
            begins_at is not None and begins_at <= self.since and not self.unreadable
        )


class _Departures:
    """The departures that a restored database is told: of the journal, and the old database.

    Args:
        settings: of the installation.
        file: the backup.
        journals: further files with lines of the journal.
        replaced: the old database; None if there is none.
    """

    def __init__(
        self, settings: Settings, file: Path, journals: Sequence[Path], replaced: Engine | None
    ) -> None:
        self._backup = str(file.absolute())
        own = settings.backup.journal_file
        self._files = dict.fromkeys([*([own] if own else []), *journals])
        self._key, self._replaced = settings.suppression_key, replaced
        self.replaced_was_read = False
        self.journal = Journal((), None, 0)

    def repeat(self, session: Session, now: datetime) -> tuple[datetime, Repeated]:
        """Note the restore, stop the sending, and repeat the departures since the backup.

        Returns:
            The time of the backup, and what was repeated.

        Raises:
            StoreError: a journal cannot be read.
        """
        since = backup_state.note_restored(session, now)
        backup_state.note_backup(session, since, self._backup)
        stop.stop(session, now)
        lifecycle.remind_again(session)
        name = departures.installation_name(session)
        try:
            self.journal = departures.read(self._files, name)
        except OSError as error:
            raise StoreError(
                f"The journal of departures cannot be read: {error}.",
                "Let this user read it. Nothing was changed.",
            ) from error
        start = since - _CLOCKS_DIFFER
        lines = [*self.journal.lines, *self._of_replaced(start, name)]
        recent = sorted((line for line in lines if line.at >= start), key=lambda line: line.at)
        return since, departed.repeat(session, recent, now)

    def _of_replaced(self, since: datetime, name: str) -> list[Line]:
        """Return the departures that the old database knows; none if it cannot be read."""
        if self._replaced is None:
            return []
        try:
            with db.reading(self._replaced, self._key) as session:
                if departures.installation_name(session) != name:
                    return []
                lines = departed.since(session, since)
        except (SQLAlchemyError, NotifierError, sqlite3.Error):
            return []
        self.replaced_was_read = True
        return lines


def restore(
    settings: Settings, file: Path, moment: datetime | None, journals: Sequence[Path] = ()
) -> Restored:
    """Put a backup in the place of the database.

    Args:
        settings: of the installation; `database_url` names the database, which need not exist.
        file: the backup.
        moment: the time that the clock shows (`--now`); None for the real one.
        journals: further journals of departures, of other machines.

    Raises:
        InputError: the file is no backup, damaged, or for another kind of database.
        SettingsError: `suppression_key` is missing, or not the backup's.
        StoreError: the backup is of a newer notifier, or the database is in use.
    """
    _require_key(settings)
    if missing := [each for each in journals if not each.is_file()]:
        raise InputError(f"There is no journal {missing[0]}.", "Nothing was changed.")
    contents = backup.check(file)
    engine = db.make_engine(settings.database_url)
    try:
        _refuse_contents(file, contents, engine)
        now = Deps(settings, engine, moment).now()
        if engine.dialect.name == "sqlite":
            return _restore_file(settings, engine, file, contents, now, journals)
        return _restore_dump(settings, engine, file, contents, now, journals)
    finally:
        engine.dispose()


def _require_key(settings: Settings) -> None:
    """Refuse settings without `suppression_key`: a new one would recognise nobody of the backup.

    Raises:
        SettingsError: with the fix.
    """
    if not settings.suppression_key:
        raise SettingsError(
            "suppression_key is not set: no backup can be used without the one it was made with.",
            "Put notifier.toml from the backup into this folder first, with the files that it"
            " names. Nothing was changed.",
        )
    keys.require(settings.suppression_key)


def _refuse_contents(file: Path, contents: Contents, engine: Engine) -> None:
    """Refuse a backup of another kind of database, or of a newer notifier.

    Raises:
        InputError: with the reason.
    """
    if contents.database != engine.dialect.name:
        names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
        raise InputError(
            f"{file} is a backup of {names[contents.database]}, and database_url names"
            f" {names[engine.dialect.name]}.",
            "Set database_url to a database of that kind. Nothing was changed.",
        )
    newest = db.newest_migration()
    if contents.schema > newest:
        raise InputError(
            f"{file} is of a newer notifier: its schema is {contents.schema}, that of this version"
            f" {newest}.",
            "Install that version, or a newer one. Nothing was changed.",
        )


def _restore_file(
    settings: Settings,
    engine: Engine,
    file: Path,
    contents: Contents,
    now: datetime,
    journals: Sequence[Path],
) -> Restored:
    database = Path(engine.url.database or "")
    if not str(database) or str(database).startswith((":", "file:")):
        raise InputError("database_url names no file.", "Nothing was changed.")
    kept = database.with_name(f"{database.name}.{db.kept_name(now)}")
    _remove_left_behind(database)
    copied = database.with_name(f".{database.name}.{secrets.token_hex(8)}.restoring")
    had_database = database.exists()
    known = _Departures(settings, file, journals, engine if had_database else None)
    try:
        _copy(file, copied, database)
        since, repeated = _prepare(settings, copied, known, now)
        engine.dispose()
        sqlite_swap.exchange(database, copied, kept)
    except OSError as error:
        raise StoreError(
            f"The backup cannot be written beside {database}: {error.strerror or error}.",
            "Make room on its disk, and let this user write there. Nothing was changed.",
        ) from error
    finally:
        _remove(copied)
    return _result(contents, since, str(kept) if had_database else "", repeated, known)


def _copy(file: Path, copied: Path, database: Path) -> None:
    """Copy a backup for its owner alone; if root does it, for the owner of the database.

    Raises:
        OSError: there is no room, or the folder may not be written to.
    """
    descriptor = os.open(copied, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as target, file.open("rb") as source:
        files.give_away(target.fileno(), database if database.exists() else database.parent)
        shutil.copyfileobj(source, target)


def _prepare(
    settings: Settings, copied: Path, known: _Departures, now: datetime
) -> tuple[datetime, Repeated]:
    """Make a copied backup ready for use, in one file that the disk has."""
    prepared = db.make_engine(f"sqlite:///{copied}")
    try:
        db.upgrade(prepared, create=False, copy=False)
        keys.adopt(prepared, settings.suppression_key)
        with db.writing(prepared, settings.suppression_key) as session:
            since, repeated = known.repeat(session, now)
    finally:
        prepared.dispose()
    # Erased people must not live on in its free space.
    sqlite_swap.fold(copied, anew=bool(repeated.erased))
    return since, repeated


def _remove_left_behind(database: Path) -> None:
    """Remove what a restore that was killed left beside the database: copies, and their logs.

    It may have been killed between the removal of a copy and that of its log.
    """
    for left in database.parent.glob(f".{database.name}.*.restoring*"):
        with suppress(OSError):
            left.unlink(missing_ok=True)


def _remove(copied: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        with suppress(OSError):
            copied.with_name(f"{copied.name}{end}").unlink(missing_ok=True)


def _restore_dump(
    settings: Settings,
    engine: Engine,
    file: Path,
    contents: Contents,
    now: datetime,
    journals: Sequence[Path],
) -> Restored:
    _refuse_key(settings, file)
    postgres_schemas.refuse_others(engine)
    kept = db.kept_name(now)
    has_kept = postgres_schemas.set_aside(engine, kept)
    replaced = postgres_schemas.engine_of(settings.database_url, kept) if has_kept else None
    known = _Departures(settings, file, journals, replaced)
    try:
        postgres_programs.restore(engine, file)
        key = settings.suppression_key
        with postgres_schemas.completing(engine, contents.schema, key) as session:
            since, repeated = known.repeat(session, now)
        keys.adopt(engine, key)
    except BaseException:
        postgres_schemas.put_back(engine, kept if has_kept else "")
        raise
    finally:
        if replaced is not None:
            replaced.dispose()
    return _result(contents, since, kept if has_kept else "", repeated, known)


def _refuse_key(settings: Settings, file: Path) -> None:
    """Refuse a dump that was made with another `suppression_key`, before anything is changed.

    Raises:
        InputError: with the fix.
    """
    own = keys.fingerprint(settings.suppression_key)
    for row in postgres_programs.rows_of(file, "installation"):
        if row.get("key_fingerprint", "\\N") not in ("\\N", own):
            raise InputError(
                f"suppression_key is not the one that {file} was made with.",
                "Take notifier.toml from the same backup: with another key, people who refused"
                " mails would get mails again. Nothing was changed.",
            )


def _result(
    contents: Contents, since: datetime, kept: str, repeated: Repeated, known: _Departures
) -> Restored:
    journal = known.journal
    return Restored(
        contents,
        since,
        kept,
        repeated,
        journal.begins_at,
        journal.unreadable,
        known.replaced_was_read,
    )
