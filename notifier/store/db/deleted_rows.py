"""Deleted rows, made unreadable in the files of the database."""

import sqlite3
import time

from sqlalchemy import Engine

from notifier.errors import StoreError
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


def scrub(engine: Engine) -> None:
    """Make deleted rows unreadable in the database's files, while others read and write on.

    SQLite has overwritten them (`secure_delete` is on in every connection), and only its
    write-ahead log still holds the old pages: it is emptied. PostgreSQL marks the space of deleted
    rows for reuse; their bytes stay in the file until it is used again. Only `VACUUM FULL`, which
    locks the tables, would end that.

    Raises:
        StoreError: another program uses the database all the time; the fix says what to do.
    """
    with (
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        translate_db_errors(engine),
    ):
        if engine.dialect.name != "sqlite":
            for table in PERSONAL_TABLES:
                # Giving empty pages back to the system would lock the table for a moment.
                connection.exec_driver_sql(f'VACUUM (TRUNCATE FALSE) "{table}"')
            return
        is_emptied = _empty_log(driver_connection(connection))
    if not is_emptied:
        raise StoreError(
            "The deleted rows are still in the database's write-ahead log:"
            " another program is reading.",
            "The log empties by itself when that program ends; to be sure, run the same command"
            " again.",
        )


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
