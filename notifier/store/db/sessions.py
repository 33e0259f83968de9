"""Sessions that read, sessions that write, and a connection for many small transactions."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from notifier.store.db.engine import driver_connection
from notifier.store.db.failures import translate_db_errors

# The name in `Session.info` of the key by which addresses are recognised.
ADDRESS_KEY = "address_key"

# How long small transactions may be lost by a power cut (not by the end of a process), in seconds.
# Chosen by hand; not measured.
_LONGEST_UNSAFE = 0.05

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
        _one_writer_at_a_time(engine),
        translate_db_errors(engine),
        Session(writer, expire_on_commit=False, info={ADDRESS_KEY: address_key}) as session,
        session.begin(),
    ):
        yield session


@contextmanager
def small_transactions(
    engine: Engine,
) -> Iterator[Callable[[], AbstractContextManager[Connection]]]:
    """Open one connection for many small transactions; the function it gives opens one of them.

    This is for rows that are written thousands of times a second, without objects; `writing` is for
    everything else. A committed transaction survives the end of this process, as any does. The disk
    is waited for every 50 ms and at the end instead of after each commit: a power cut can undo what
    was committed since.

    Raises:
        StoreError: the database is locked, full or unreachable.
    """
    with (
        translate_db_errors(engine),
        engine.execution_options(sqlite_begin="IMMEDIATE").connect() as connection,
    ):
        waited_at = time.monotonic()

        @contextmanager
        def transaction() -> Iterator[Connection]:
            nonlocal waited_at
            waits = time.monotonic() - waited_at > _LONGEST_UNSAFE
            with _one_writer_at_a_time(engine), translate_db_errors(engine):
                _wait_for_disk(connection, wait=waits)
                with connection.begin():
                    yield connection
            if waits:
                waited_at = time.monotonic()

        try:
            yield transaction
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
        connection.exec_driver_sql(f"SET synchronous_commit = {'on' if wait else 'off'}")
        connection.commit()
    connection.info["waits"] = wait


@contextmanager
def _one_writer_at_a_time(engine: Engine) -> Iterator[None]:
    """Let threads of this process write to SQLite one after the other.

    SQLite's own waiting is not fair: with many waiting threads, some would not get the lock before
    the busy timeout ends.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    with _writer_locks.setdefault(engine, threading.Lock()):
        yield
