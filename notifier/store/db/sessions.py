"""Sessions that read, sessions that write, and a connection for many small transactions."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from notifier.store.db.engine import driver_connection
from notifier.store.db.failures import translate_db_errors
from notifier.store.db.prepared import Prepared

# The name in `Session.info` of the key by which addresses are recognised.
ADDRESS_KEY = "address_key"

# How long small transactions may be lost by a power cut (not by the end of a process), in seconds.
# Chosen by hand; not measured.
_LONGEST_UNSAFE = 0.05

# Runs a prepared statement with these values in a transaction of its own.
Run = Callable[[Prepared, Mapping[str, Any]], None]

_writer_locks: "WeakKeyDictionary[Engine, threading.Lock]" = WeakKeyDictionary()


@contextmanager
def reading(engine: Engine, address_key: str = "") -> Iterator[Session]:
    """Open a session that only reads; it sees one state of the database and is rolled back.

    Args:
        engine: the database.
        address_key: `suppression_key`; `store/keys.py` takes it from the session to recognise
            addresses.

    Raises:
        StoreError: the database is locked, full or unreachable.
    """
    with (
        translate_db_errors(engine),
        Session(engine, expire_on_commit=False, info={ADDRESS_KEY: address_key}) as session,
    ):
        yield session


@contextmanager
def writing(engine: Engine, address_key: str = "") -> Iterator[Session]:
    """Open a session in a transaction, committed at the end or rolled back after an exception.

    Arguments and errors are those of `reading`.
    """
    writer = engine.execution_options(sqlite_begin="IMMEDIATE")
    with (
        _writer_lock(engine),
        translate_db_errors(engine),
        Session(writer, expire_on_commit=False, info={ADDRESS_KEY: address_key}) as session,
        session.begin(),
    ):
        yield session


@contextmanager
def small_transactions(engine: Engine) -> Iterator[Run]:
    """Open a connection for many small transactions; the function it gives runs one of them.

    This is for rows that are written thousands of times a second, by one prepared statement each;
    `writing` is for everything else. A committed transaction survives the end of this process, as
    any does. The disk is waited for every 50 ms and at the end instead of after each commit: a
    power cut can undo what was committed since.

    Raises:
        StoreError: the database is locked, full or unreachable.
    """
    # On SQLite each statement is committed at once already (`engine.py`).
    options = {} if engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
    with translate_db_errors(engine), engine.execution_options(**options).connect() as connection:
        if engine.dialect.name == "sqlite":
            # A connection that had another isolation level before came back with the driver's own
            # transactions: nothing would be committed, and each mail would go out again.
            driver_connection(connection).isolation_level = None
        waited_at = time.monotonic()
        lock = _writer_lock(engine)

        def run(statement: Prepared, values: Mapping[str, Any]) -> None:
            nonlocal waited_at
            waits = time.monotonic() - waited_at > _LONGEST_UNSAFE
            with lock, translate_db_errors(engine):
                _wait_for_disk(connection, wait=waits)
                statement.run(connection, values)
            if waits:
                waited_at = time.monotonic()

        try:
            yield run
        except BaseException:
            # Nobody else may get a connection whose commits do not wait for the disk.
            connection.invalidate()
            raise
        _wait_for_disk(connection, wait=True)
        if engine.dialect.name == "sqlite":
            # Nothing is lost if this fails; if the database is broken, the next write reports it.
            with suppress(sqlite3.Error):
                driver_connection(connection).execute("PRAGMA wal_checkpoint(PASSIVE)")


def _wait_for_disk(connection: Connection, *, wait: bool) -> None:
    """Set whether a commit on this connection returns only when the disk has it."""
    if connection.info.get("waits", True) is wait:
        return
    if connection.dialect.name == "sqlite":
        driver_connection(connection).execute(f"PRAGMA synchronous={'FULL' if wait else 'NORMAL'}")
    else:
        driver_connection(connection).execute(f"SET synchronous_commit = {'on' if wait else 'off'}")
    connection.info["waits"] = wait


def _writer_lock(engine: Engine) -> AbstractContextManager[object]:
    """Return the lock that lets threads of this process write to SQLite one after the other.

    SQLite's own waiting is not fair: with many waiting threads, some would not get the lock before
    the busy timeout ends. PostgreSQL needs none.
    """
    if engine.dialect.name != "sqlite":
        return nullcontext()
    return _writer_locks.setdefault(engine, threading.Lock())
