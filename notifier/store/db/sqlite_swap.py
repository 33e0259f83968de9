"""The exchange of an SQLite database for another one, which a kill at any moment does not spoil.

Owns the order of the steps: at each moment the name of the database leads to the old file or to the
new one, whole. The old one keeps a second name. No other process may have it open: its log belongs
to it, and would be read into the new one.
"""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from notifier.errors import StoreError
from notifier.store import files
from notifier.store.db.engine import BUSY_TIMEOUT_MS

_LOGS = ("-wal", "-shm", "-journal")


def fold(database: Path, *, anew: bool) -> None:
    """Move the log of a database that nobody else uses into it, and let the disk have it.

    Args:
        database: the file.
        anew: write it anew, without what is left in it of deleted rows.

    Raises:
        sqlite3.Error: it cannot be written, or is damaged.
    """
    with closing(sqlite3.connect(database)) as connection:
        if anew:
            connection.execute("VACUUM")
        connection.execute("PRAGMA journal_mode=DELETE")
    with database.open("rb") as file:
        os.fsync(file.fileno())


def exchange(database: Path, complete: Path, kept: Path) -> bool:
    """Put a complete database in the place of another one, which is kept under another name.

    Args:
        database: the name that both have one after the other; there may be no such file.
        complete: the new one, without a log; the name is gone afterwards.
        kept: the name of the old one, in the same folder.

    Returns:
        Whether there was an old one.

    Raises:
        StoreError: another process uses the old one; nothing was changed.
        OSError: the folder cannot be written to; nothing was changed.
    """
    if not database.exists():
        _set_logs_aside(database, kept)
        complete.replace(database)
        files.sync_folder(database.parent)
        return False
    with closing(sqlite3.connect(database, timeout=BUSY_TIMEOUT_MS / 1000)) as connection:
        connection.isolation_level = None
        is_usable = _take(connection, database)
        if not is_usable:
            _set_logs_aside(database, kept)
        _keep(database, kept)
        complete.replace(database)
        files.sync_folder(database.parent)
    return True


def _take(connection: sqlite3.Connection, database: Path) -> bool:
    """Take a database from everybody else; return False if it is damaged and can only be moved.

    Raises:
        StoreError: another process uses it.
    """
    try:
        # This is possible only for the last one who has it open; the log is in the file then.
        mode = connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error) and "busy" not in str(error):
            return False
        mode = ""
    except sqlite3.DatabaseError:
        return False
    if mode != "delete":
        raise StoreError(
            f"The database {database} is in use by another process.",
            "Stop everything that uses it (notifier run, notifier serve, a cron line), and run the"
            " command again. Nothing was changed.",
        )
    return True


def _keep(database: Path, kept: Path) -> None:
    """Give the old database its second name; where links are impossible, its only one."""
    if kept.exists():
        if kept.samefile(database):  # a restore was killed here
            return
        raise FileExistsError(f"{kept} exists")
    try:
        kept.hardlink_to(database)
    except OSError:
        database.rename(kept)


def _set_logs_aside(database: Path, kept: Path) -> None:
    """Let the logs of a database that is missing or damaged go with its kept file."""
    for end in _LOGS:
        log = database.with_name(f"{database.name}{end}")
        with suppress(FileNotFoundError):
            log.rename(kept.with_name(f"{kept.name}{end}"))
