"""Copies of an SQLite database that are made while others write, and checks of such files.

Owns SQLite's backup API and its own check of a file. It must not know what the tables mean.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from notifier.errors import InputError, StoreError
from notifier.store.db.engine import BUSY_TIMEOUT_MS

# How every SQLite file begins (its documentation, "Database File Format", 1.2).
_MAGIC = b"SQLite format 3\0"


def copy(database: Path, target: Path, counted: str) -> int:
    """Copy a database into a new file for its owner alone, while others read and write.

    The copy is what one moment saw, in one step: a copy in several steps would begin again whenever
    somebody writes, and never end beside a process that sends.

    Args:
        database: the database.
        target: a file that does not exist.
        counted: the table whose rows are counted at the same moment.

    Returns:
        The number of these rows.

    Raises:
        StoreError: the database cannot be read, or the copy not be written.
    """
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(_open(database)) as source, closing(sqlite3.connect(target)) as copied:
            # The copy takes the snapshot of this transaction.
            source.execute("BEGIN")
            query = f'SELECT count(*) FROM "{counted}"'  # noqa: S608 - a table of ours
            rows: int = source.execute(query).fetchone()[0]
            source.backup(copied)
            source.execute("ROLLBACK")
            # In one file: a copy has no log beside it.
            copied.execute("PRAGMA journal_mode=DELETE")
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"The copy {target} of the database {database} cannot be made: {error}.",
            "Make room on its disk, and let this user write there. Nothing was changed.",
        ) from error
    return rows


def _open(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(database, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)


def is_database(file: Path) -> bool:
    """Return whether a file begins as an SQLite database does."""
    with file.open("rb") as opened:
        return opened.read(len(_MAGIC)) == _MAGIC


def check(file: Path) -> None:
    """Check the structure of a database file, all pages and indexes, and change nothing.

    Raises:
        InputError: it is damaged.
    """
    try:
        with closing(_unchanged(file)) as opened:
            answers = [str(row[0]) for row in opened.execute("PRAGMA integrity_check(3)")]
    except sqlite3.DatabaseError as error:
        answers = [str(error)]
    if answers != ["ok"]:
        first = answers[0].splitlines()[0] if answers else "no answer"
        raise InputError(
            f"{file} is damaged: {first}.",
            "Take another copy of this backup, or an older backup. Nothing was changed.",
        )


def number_and_rows(file: Path, numbers: str, counted: str) -> tuple[str, int]:
    """Return the number of a database's newest migration, and how many rows a table has.

    Args:
        file: the database, which is not changed.
        numbers: the table of that number.
        counted: the table whose rows are counted.

    Raises:
        InputError: it has no such tables.
    """
    try:
        with closing(_unchanged(file)) as opened:
            queries = (
                f'SELECT min(version_num) FROM "{numbers}"',  # noqa: S608 - tables of ours
                f'SELECT count(*) FROM "{counted}"',  # noqa: S608
            )
            number, rows = (opened.execute(query).fetchone()[0] for query in queries)
    except sqlite3.DatabaseError as error:
        raise InputError(
            f"{file} is a database of another program.",
            "Name a file that `notifier db backup` wrote. Nothing was changed.",
        ) from error
    if number is None:
        raise InputError(
            f"{file} is a database without a schema of notifier.",
            "Name a file that `notifier db backup` wrote. Nothing was changed.",
        )
    return str(number), int(rows)


def _unchanged(file: Path) -> sqlite3.Connection:
    """Open a file that nobody writes to, without a lock or a file beside it."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?immutable=1", uri=True)
