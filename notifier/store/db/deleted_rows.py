"""Deleted rows, made unreadable in the files of the database."""

import sqlite3
import time
from collections.abc import Collection
from pathlib import Path

from sqlalchemy import Engine

from notifier.errors import StoreError
from notifier.store.db import backups
from notifier.store.db.engine import BUSY_TIMEOUT_MS, driver_connection
from notifier.store.db.failures import translate_db_errors

# Tables with rows about a person: those with an address or its hash, and those whose rows belong to
# such a row.
PERSONAL_TABLES = (
    "subscriber",
    "subscription",
    "retired_link",
    "consent",
    "delivery",
    "told",
    "enquiry",
    "address_change",
    "held_suppression",
    "suppression",
    "notice",
)

# How long one attempt to empty SQLite's write-ahead log may keep writers waiting, in milliseconds,
# and how many attempts there are. A one-click unsubscription that comes meanwhile has to be
# answered within a second. Chosen by hand; a test checks the second.
_EMPTYING_TIMEOUT_MS = 100
_EMPTYING_ATTEMPTS = 50
# Bytes that are read at a time.
_BLOCK = 1 << 20


def scrub(engine: Engine, traces: Collection[str] = ()) -> None:
    """Make deleted rows unreadable in the database's files, while others read and write on.

    SQLite has overwritten them (`secure_delete` is on in every connection), and only its
    write-ahead log still holds the old pages: it is emptied. Where rows were moved between pages
    before, the free space of a page can hold a copy (3 of 100 deleted rows in a test with many
    long changes): if one of the traces is still in the file, the file is written anew, and other
    writers wait for that. So a copy of the files that is made later holds nothing of them either,
    and copies that an upgrade of the schema made are deleted.
    PostgreSQL marks the space of deleted
    rows for reuse; their bytes stay in the file until it is used again. Only `VACUUM FULL`, which
    locks the tables, would end that.

    Args:
        engine: of the database.
        traces: texts that must not be in the files any more, for example the address of a person
            who was erased; upper and lower case are the same.

    Raises:
        StoreError: another program uses the database all the time; the fix says what to do.
    """
    backups.forget(engine)
    with (
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        translate_db_errors(engine),
    ):
        if engine.dialect.name != "sqlite":
            for table in PERSONAL_TABLES:
                # Giving empty pages back to the system would lock the table for a moment.
                connection.exec_driver_sql(f'VACUUM (TRUNCATE FALSE) "{table}"')
            return
        sqlite = driver_connection(connection)
        is_emptied = _empty_log(sqlite)
        if is_emptied and _holds(engine.url.database, traces):
            is_emptied = _write_anew(sqlite)
        # It would go back with the driver's own transactions, which `_set_pragmas` turned off.
        connection.invalidate()
    if not is_emptied:
        raise StoreError(
            "The deleted rows are still in the database's write-ahead log:"
            " another program is reading.",
            "The log empties by itself when that program ends; to be sure, run the same command"
            " again.",
        )


def _holds(path: str | None, traces: Collection[str]) -> bool:
    """Return whether SQLite's file holds one of these texts, whatever its case."""
    needles = [each.lower().encode() for each in traces if each]
    if not needles or not path or not Path(path).is_file():
        return False
    overlap = max(map(len, needles))
    with Path(path).open("rb") as file:
        block = b""
        while more := file.read(_BLOCK):
            block = block[-overlap:] + more.lower()
            if any(needle in block for needle in needles):
                return True
    return False


def _write_anew(connection: sqlite3.Connection) -> bool:
    """Write the whole file anew; return whether that was done and the log is empty."""
    for _ in range(_EMPTYING_ATTEMPTS):
        try:
            connection.execute("VACUUM")
        except sqlite3.OperationalError:  # somebody is writing, or reading for long
            time.sleep(_EMPTYING_TIMEOUT_MS / 1000)
        else:
            return _empty_log(connection)
    return False


def _empty_log(connection: sqlite3.Connection) -> bool:
    """Move the write-ahead log into the database and cut it to zero bytes.

    The last step keeps writers out while it waits for readers, so each attempt waits briefly.

    Returns:
        Whether the log is empty.
    """
    connection.execute(f"PRAGMA busy_timeout={_EMPTYING_TIMEOUT_MS}")
    try:
        for _ in range(_EMPTYING_ATTEMPTS):
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                return True
            time.sleep(_EMPTYING_TIMEOUT_MS / 1000)
    finally:
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    return False
