"""Copies of an SQLite database from before an upgrade of its schema.

Owns the files beside the database, `NAME.SCHEMA.backup`: for their owner alone, kept for a week,
and deleted as soon as somebody is erased, who would live on in them. PostgreSQL undoes a migration
that fails by itself, and its backups are the operator's.
"""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from notifier.errors import StoreError

# Chosen by hand: what an upgrade broke is seen within days.
KEPT_DAYS = 7


def kept_name(at: datetime) -> str:
    """Return the ending of a database, or the name of a schema, that a restore replaced then."""
    return f"replaced_{at.astimezone(UTC):%Y%m%dt%H%M%Sz}"


def write(engine: Engine, schema: str) -> Path | None:
    """Copy the database, while nobody can write to it; the caller holds its lock.

    Args:
        engine: of the database.
        schema: the migration that it is at.

    Returns:
        The copy; None for a database that is no file.

    Raises:
        StoreError: there is no room, or the folder may not be written to.
    """
    database = _file(engine)
    if database is None:
        return None
    copy = database.with_name(f"{database.name}.{schema}.backup")
    beside = copy.with_name(f"{copy.name}.new")
    try:
        beside.unlink(missing_ok=True)
        os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with (
            closing(sqlite3.connect(database)) as source,
            closing(sqlite3.connect(beside)) as target,
        ):
            source.backup(target)
            # In one file: a copy has no log beside it.
            target.execute("PRAGMA journal_mode=DELETE")
        beside.replace(copy)
    except (OSError, sqlite3.Error) as error:
        beside.unlink(missing_ok=True)
        raise StoreError(
            f"The copy {copy} of the database, made before its schema is upgraded, cannot be"
            f" written: {error}.",
            "Nothing was changed. Make room beside the database and let this user write there,"
            " then run the command again.",
        ) from error
    return copy


def forget(engine: Engine, before: datetime | None = None) -> None:
    """Delete the copies that were made before a time; all if it is None."""
    database = _file(engine)
    if database is None:
        return
    for copy in database.parent.glob(f"{_quoted(database.name)}.*.backup*"):
        if before is None or datetime.fromtimestamp(copy.stat().st_mtime, tz=UTC) < before:
            copy.unlink(missing_ok=True)


def forget_old(engine: Engine, now: datetime) -> None:
    """Delete the copies whose time is over."""
    forget(engine, now - timedelta(days=KEPT_DAYS))


def _file(engine: Engine) -> Path | None:
    name = engine.url.database or ":memory:"
    if engine.dialect.name != "sqlite" or name.startswith((":", "file:")):
        return None
    return Path(name)


def _quoted(name: str) -> str:
    """Return a pattern that matches this name alone."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)
