"""Backups: one file that holds the whole database, made while mails go out, and checked.

Owns what a backup is (on SQLite a database, on PostgreSQL a dump in the custom format), how it
comes to its name, and what its contents say: which schema it has, and of which moment it is. It
must not know how it is put back.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from notifier.deps import Deps
from notifier.errors import InputError, StoreError
from notifier.store import backup_state, checksums, db, departures
from notifier.store.db import postgres_programs, sqlite_copies
from notifier.store.files import create_private

# The table whose rows are counted: what people trust the backup with.
_COUNTED = "subscription"
_SCHEMA = "alembic_version"
# A file that a killed backup left is removed after so many seconds. Chosen by hand; not measured.
_LEFT_BEHIND = 86_400
_NOTHING_CHANGED = "Nothing was changed."


@dataclass(frozen=True)
class Contents:
    """The contents of a backup.

    Attributes:
        database: ``sqlite`` or ``postgresql``.
        schema: the number of its newest migration.
        subscriptions: how many it has.
    """

    database: str
    schema: str
    subscriptions: int


@dataclass(frozen=True)
class Backup:
    """A backup that was made and checked.

    Attributes:
        file: its path.
        contents: what it holds.
        size: of the file, in bytes.
    """

    file: Path
    contents: Contents
    size: int


def make(deps: Deps, file: Path, *, force: bool = False) -> Backup:
    """Write a backup, check it, and give it its name as soon as it is whole.

    The journal of departures begins at the latest with it.

    Args:
        deps: settings, clock, and the database, whose schema may be an older one.
        file: the backup.
        force: replace a file of that name.

    Raises:
        InputError: the file exists, cannot be written, or belongs to the database.
        SettingsError: there is no database.
        StoreError: the database cannot be read, or what was written is not what was read.
    """
    engine, now = deps.engine, deps.now()
    current, newest = db.migrations(engine)
    if current is None or current > newest:
        db.upgrade(engine, create=False)  # refuses it, with the reason
    _refuse_place(engine, file, force=force)
    knows_backups = current == newest
    if knows_backups:
        with deps.writing() as session:
            backup_state.begin_backup(session, now)
            departures.note_begin(session)
    with _beside(file, now) as written:
        rows = _write(engine, written)
        contents = read(written)
        if contents.subscriptions != rows or contents.schema != current:
            raise StoreError(
                f"The backup has {contents.subscriptions} subscriptions of {rows}.",
                "It was removed. Check the disk, and run the command again.",
            )
        size = written.stat().st_size
        _name(written, file)
    if knows_backups:
        with deps.writing() as session:
            backup_state.note_backup(session, now, str(file.absolute()))
    return Backup(file, contents, size)


def check(file: Path) -> Contents:
    """Check a backup whole, its checksum, too, if there is one; return what it holds.

    Raises:
        InputError: it is damaged, or no backup.
        StoreError: the program that reads it is missing.
    """
    _require_backup(file)
    checksums.require(file)
    return read(file)


def read(file: Path) -> Contents:
    """Check the structure of a backup whole, and return what it holds.

    Raises:
        InputError: it is damaged, or no backup.
        StoreError: the program that reads it is missing.
    """
    if sqlite_copies.is_database(file):
        sqlite_copies.check(file)
        schema, number = sqlite_copies.number_and_rows(file, _SCHEMA, _COUNTED)
        return Contents("sqlite", schema, number)
    if not postgres_programs.is_dump(file):
        raise InputError(
            f"{file} is no backup: it is neither an SQLite database nor a dump of PostgreSQL.",
            f"Name a file that `notifier db backup` wrote. {_NOTHING_CHANGED}",
        )
    postgres_programs.check(file)
    numbers = [row.get("version_num", "") for row in postgres_programs.rows_of(file, _SCHEMA)]
    if not numbers:
        raise _no_notifier(file)
    number = sum(1 for _ in postgres_programs.rows_of(file, _COUNTED))
    return Contents("postgresql", numbers[0], number)


def _no_notifier(file: Path) -> InputError:
    return InputError(
        f"{file} is a database of another program.",
        f"Name a file that `notifier db backup` wrote. {_NOTHING_CHANGED}",
    )


def _require_backup(file: Path) -> None:
    """Refuse what is not a whole file.

    Raises:
        InputError: with what it is.
    """
    if not file.is_file():
        raise InputError(
            f"There is no file {file}." if not file.exists() else f"{file} is not a regular file.",
            f"Name a file that `notifier db backup` wrote. {_NOTHING_CHANGED}",
        )
    try:
        file.open("rb").close()
    except OSError as error:
        raise InputError(
            f"{file} cannot be read: {error.strerror}.",
            f"Let this user read it. {_NOTHING_CHANGED}",
        ) from error
    log = file.with_name(f"{file.name}-wal")
    if log.exists() and log.stat().st_size:
        raise InputError(
            f"{file} is not complete without the log {log.name} beside it.",
            "It was copied from a database in use. Name a file that `notifier db backup` wrote."
            f" {_NOTHING_CHANGED}",
        )


def _refuse_place(engine: Engine, file: Path, *, force: bool) -> None:
    """Refuse a name that is taken, belongs to the database, or cannot be written.

    Raises:
        InputError: with the reason.
    """
    folder = file.parent
    if not folder.is_dir():
        raise InputError(
            f"There is no folder {folder}.", f"Make it, or name another one. {_NOTHING_CHANGED}"
        )
    if file.is_symlink() or (file.exists() and not file.is_file()):
        raise InputError(f"{file} is not a regular file.", f"Name a new file. {_NOTHING_CHANGED}")
    if engine.dialect.name == "sqlite":
        database = Path(engine.url.database or "").resolve()
        own = [database.with_name(f"{database.name}{end}") for end in ("", "-wal", "-shm")]
        if file.resolve() in own:
            raise InputError(
                f"{file} is the database itself.", f"Name another file. {_NOTHING_CHANGED}"
            )
    if file.exists() and not force:
        raise InputError(
            f"{file} exists.",
            f"Name a new file, for example with the date, or give --force. {_NOTHING_CHANGED}",
        )


@contextmanager
def _beside(file: Path, now: datetime) -> Iterator[Path]:
    """Give the name of a temporary file in the same folder, and remove what is left of it."""
    for old in file.parent.glob(f".{file.name}.*.new*"):
        with suppress(OSError):
            if old.stat().st_mtime < now.timestamp() - _LEFT_BEHIND:
                old.unlink()
    written = file.with_name(f".{file.name}.{secrets.token_hex(8)}.new")
    try:
        yield written
    finally:
        for left in (written, written.with_name(f"{written.name}-journal")):
            with suppress(OSError):
                left.unlink(missing_ok=True)


def _write(engine: Engine, file: Path) -> int:
    """Write the database into a new file; return how many subscriptions were there.

    Raises:
        StoreError: it cannot be read, or the file not be written.
    """
    if engine.dialect.name == "sqlite":
        return sqlite_copies.copy(Path(engine.url.database or ""), file, _COUNTED)
    try:
        # With its permissions before the first byte of it.
        create_private(file, b"")
    except OSError as error:
        raise _not_written(file, error) from error
    return postgres_programs.dump(engine, file, _COUNTED)


def _name(written: Path, file: Path) -> None:
    """Give a complete file its name, and store its checksum.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        checksums.replace(written, file)
    except OSError as error:
        raise _not_written(file, error) from error


def _not_written(file: Path, error: OSError) -> StoreError:
    return StoreError(
        f"The backup {file} cannot be written: {error.strerror or error}.",
        f"Make room on its disk, and let this user write there. {_NOTHING_CHANGED}",
    )
