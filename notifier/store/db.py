"""Engine, sessions and the schema's upgrade.

Owns everything that differs between SQLite and PostgreSQL, and the words for a database that cannot
be used. It knows the tables and nothing of what they mean.
"""

import hashlib
import os
import sqlite3
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib.resources import files
from itertools import islice
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, Engine, create_engine, event, literal_column, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SAWarning
from sqlalchemy.orm import Session

from notifier.errors import SettingsError, StoreError

T = TypeVar("T")

# Any constant serves, as long as every process of notifier asks PostgreSQL for the same one.
_UPGRADE_LOCK = 0x6E6F7469
# What holds people's own words.
_PERSONAL = (
    "subscriber",
    "subscription",
    "consent",
    "delivery",
    "enquiry",
    "address_change",
    "notice",
)

_LOOKS_LIKE = "It looks like sqlite:///subscribers.db or postgresql://name:password@host/database."

# Under which name a session carries the key by which addresses are recognised.
ADDRESS_KEY = "address_key"

# How long a connection waits for another's lock, in milliseconds.
_BUSY_TIMEOUT_MS = 5000
# How long the emptying of SQLite's log may keep writers waiting at a time, and how often it is
# tried: a one-click unsubscription has to succeed within a second meanwhile.
_EMPTYING_WAITS_MS = 100
_EMPTYING_TRIES = 50

# How long what was settled may be safe from the end of a process alone, in seconds, before it is
# safe from a power cut.
_LONGEST_UNSAFE = 0.05

_writers: "WeakKeyDictionary[Engine, threading.Lock]" = WeakKeyDictionary()


def make_engine(url: str) -> Engine:
    """An engine for SQLite or PostgreSQL.

    Args:
        url: any SQLAlchemy URL of the two; ``postgresql://`` means psycopg 3.

    Raises:
        SettingsError: a URL that is neither.
    """
    # A password may stand in the address: nothing of it is repeated, and no error that holds it is
    # handed on.
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise SettingsError("database_url is not a database address.", _LOOKS_LIKE) from None
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise SettingsError("database_url names neither SQLite nor PostgreSQL.", _LOOKS_LIKE)
    if "@" in (parsed.host or ""):
        raise SettingsError(
            "database_url holds one @ too many.",
            "In a user name or a password, write %40 for @, and %2F for /.",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", SAWarning)  # an option that the driver would ignore
            # Parameters are addresses and links: they stand in no error and in no log.
            engine = create_engine(
                parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite", hide_parameters=True
            )
    except (NoSuchModuleError, ImportError):
        raise SettingsError("database_url names a driver that is not there.", _LOOKS_LIKE) from None
    except (ArgumentError, SAWarning, TypeError, ValueError):
        raise SettingsError(
            "database_url holds an option that cannot be used.", _LOOKS_LIKE
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "do_connect", _make_private)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(_dialect: Any, _record: Any, arguments: list[Any], _options: Any) -> None:
    """Let the owner alone read a new file: that somebody subscribes says something about their health.

    SQLite gives the files beside it the same permissions.
    """
    if arguments and not str(arguments[0]).startswith((":", "file:")):
        # One that is there stays as it is; where it cannot be made, SQLite says why.
        with suppress(OSError):
            os.close(os.open(arguments[0], os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = (
        None  # the driver would begin too late and commit too early: `_begin_sqlite` does it
    )
    waits = f"busy_timeout={_BUSY_TIMEOUT_MS}"
    for pragma in (
        waits,
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when another wrote between,
    # however long the busy timeout: whoever is going to write takes the lock at the beginning.
    connection.exec_driver_sql(
        f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}"
    )


@contextmanager
def reading(engine: Engine, address_key: str = "") -> Iterator[Session]:
    """A session that only reads; it sees one state of the database and is rolled back.

    Args:
        engine: the database.
        address_key: `suppression_key`, which `store/keys.py` takes from the session to recognise
            addresses.
    """
    info = {ADDRESS_KEY: address_key}
    with (
        _translate_db_errors(engine),
        Session(engine, expire_on_commit=False, info=info) as session,
    ):
        yield session


@contextmanager
def writing(engine: Engine, address_key: str = "") -> Iterator[Session]:
    """A session in a transaction that is committed at the end, or rolled back when anything is raised."""
    writer = engine.execution_options(sqlite_begin="IMMEDIATE")
    info = {ADDRESS_KEY: address_key}
    with (
        _in_turn(engine),
        _translate_db_errors(engine),
        Session(writer, expire_on_commit=False, info=info) as session,
        session.begin(),
    ):
        yield session


@contextmanager
def small_transactions(
    engine: Engine,
) -> Iterator[Callable[[], AbstractContextManager[Connection]]]:
    """One connection, kept for many small transactions: what is given begins one, and commits it at its end.

    It is for what is written thousands of times a second, without objects; `writing` serves
    everything else. A transaction outlives the end of this process at once, as any does. The disk
    itself is waited for every 50 ms and at the end, not for each: a power cut can undo what was
    committed since.
    """
    with (
        _translate_db_errors(engine),
        engine.execution_options(sqlite_begin="IMMEDIATE").connect() as connection,
    ):
        waited_at = time.monotonic()

        @contextmanager
        def transaction() -> Iterator[Connection]:
            nonlocal waited_at
            waits = time.monotonic() - waited_at > _LONGEST_UNSAFE
            with _in_turn(engine), _translate_db_errors(engine):
                _wait_for_disk(connection, wait=waits)
                with connection.begin():
                    yield connection
            if waits:
                waited_at = time.monotonic()

        try:
            yield transaction
        except BaseException:
            connection.invalidate()  # nobody else shall write over a connection that does not wait
            raise
        _wait_for_disk(connection, wait=True)
        if engine.dialect.name == "sqlite":
            with suppress(
                sqlite3.Error
            ):  # nothing is lost by it, and who writes next is told what is wrong
                _raw(connection).execute("PRAGMA wal_checkpoint(PASSIVE)")


def _wait_for_disk(connection: Connection, *, wait: bool) -> None:
    """Whether this connection's commits return only when the disk has them."""
    if connection.info.get("waits", True) is wait:
        return
    if connection.dialect.name == "sqlite":
        _raw(connection).execute(f"PRAGMA synchronous={'FULL' if wait else 'NORMAL'}")
    else:
        connection.exec_driver_sql(f"SET synchronous_commit = {'on' if wait else 'off'}")
        connection.commit()
    connection.info["waits"] = wait


def _raw(connection: Connection) -> Any:
    raw = connection.connection.driver_connection
    assert raw is not None
    return raw


@contextmanager
def _in_turn(engine: Engine) -> Iterator[None]:
    """Threads of this process write to SQLite in turn: its own waiting is unfair, and lets some starve in a crowd."""
    if engine.dialect.name != "sqlite":
        yield
        return
    with _writers.setdefault(engine, threading.Lock()):
        yield


def in_chunks(values: Iterable[T], size: int = 500) -> Iterator[list[T]]:
    """Yield the values in lists of at most `size`, in their order.

    A statement with `IN` names a chunk of ids at a time: the parameters of one statement are
    limited (SQLite takes 32,766, PostgreSQL 65,535).

    Args:
        values: anything that can be iterated once; nothing is yielded for none.
        size: how many values a list has at most, from 1.

    Raises:
        ValueError: `size` is less than 1.
    """
    if size < 1:
        raise ValueError("a chunk holds at least one value")
    remaining = iter(values)
    while chunk := list(islice(remaining, size)):
        yield chunk


def insert_missing(session: Session, table: type[Any], values: Mapping[str, Any]) -> bool:
    """Add a row unless its key is there already, whoever else adds it meanwhile; returns whether it was added."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    added: Any = (
        insert(table).values(**values).on_conflict_do_nothing().returning(literal_column("1"))
    )
    return session.execute(added).first() is not None


def take_turns(session: Session, *names: str) -> None:
    """Let transactions that name the same thing go one after the other, until each has ended.

    For what no row can be locked for, because it may not exist yet: a count that must not be
    passed. SQLite has one writer at a time anyway; PostgreSQL takes an advisory lock of the
    transaction for each name.
    """
    if session.get_bind().dialect.name == "sqlite":
        return
    for key in sorted(
        int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True) for name in names
    ):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def scrub(engine: Engine) -> None:
    """Leave nothing readable of what was deleted, while others read and write on.

    SQLite has overwritten it (`secure_delete` is on in every connection), and only its write-ahead
    log still holds the pages as they were: it is emptied. PostgreSQL marks the space of deleted
    rows for reuse; until it is used again their bytes can be found there, and only `VACUUM FULL`,
    which locks the tables, would end that.

    Raises:
        StoreError: other programs use the database all the time; what is left to do, and how.
    """
    with (
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        _translate_db_errors(engine),
    ):
        if engine.dialect.name != "sqlite":
            for table in _PERSONAL:
                # Giving empty pages back to the system would lock the table for a moment.
                connection.exec_driver_sql(f'VACUUM (TRUNCATE FALSE) "{table}"')
            return
        emptied = _empty_log(_raw(connection))
    if not emptied:
        raise StoreError(
            "The deleted rows still stand in the database's write-ahead log: another program is reading.",
            "It empties by itself when that program is done; to be sure, run the same command again.",
        )


def _empty_log(raw: sqlite3.Connection) -> bool:
    """Move the write-ahead log into the database and cut it to nothing; returns whether that could be done.

    The last step keeps writers out while it waits for readers. It waits for a moment only, and
    tries again.
    """
    raw.execute(f"PRAGMA busy_timeout={_EMPTYING_WAITS_MS}")
    try:
        for _ in range(_EMPTYING_TRIES):
            raw.execute("PRAGMA wal_checkpoint(PASSIVE)")
            busy, *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                return True
            time.sleep(_EMPTYING_WAITS_MS / 1000)
    finally:
        raw.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
    return False


@contextmanager
def _translate_db_errors(engine: Engine) -> Iterator[None]:
    """Turn the driver's word for a database that is locked, full or away into one that says what to do."""
    try:
        yield
    except OperationalError as error:
        raise _plain(error, engine) from error


def _plain(error: DBAPIError, engine: Engine) -> StoreError:
    reason = _without_passwords(next(iter(str(error.orig).splitlines()), ""), engine.url)
    place = engine.url.database if engine.dialect.name == "sqlite" else _place(engine.url)
    if "locked" in reason or "busy" in reason:
        return StoreError(
            f"The database {place} is locked by another program.",
            "Nothing was lost. Wait for it to end (or stop it), then run the same command again.",
        )
    if "unable to open" in reason:
        return StoreError(
            f"The database {place} cannot be opened.",
            "Check that its folder exists and may be written to.",
        )
    if "full" in reason:
        return StoreError(
            f"There is no room left for {place}.",
            "Make room on the disk, then run the command again.",
        )
    return StoreError(
        f"The database {place} cannot be used: {reason}",
        "Check database_url and the server behind it.",
    )


def _place(url: URL) -> str:
    """A server's database without the password and the options, in which another one can stand."""
    return url.set(password=None, query={}).render_as_string(hide_password=True)


def _without_passwords(words: str, url: URL) -> str:
    """A driver's words without the passwords that it was given."""
    options = [
        value
        for name, values in url.normalized_query.items()
        if "password" in name.lower()
        for value in values
    ]
    for password in (url.password, *options):
        if password:
            words = words.replace(str(password), "***")
    return words


def upgrade(engine: Engine) -> bool:
    """Bring the schema to this version's; safe when several processes start at once.

    Returns:
        Whether anything had to be done.

    Raises:
        StoreError: the database is of a newer notifier, holds somebody else's tables, or cannot be
            used.
    """
    try:
        return _upgrade(engine)
    except DBAPIError as error:
        raise _plain(error, engine) from error


def _upgrade(engine: Engine) -> bool:
    head = _head()
    with connect(engine) as connection:
        if _revision(connection) == head:
            return False
    from alembic import command

    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # Batch migrations rebuild tables; the pragma does nothing inside a transaction, hence
            # before it.
            _raw(connection).execute("PRAGMA foreign_keys=OFF")
            connection.execution_options(sqlite_begin="IMMEDIATE")
            connection.begin()
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
        found = _revision(connection)
        if found == head:
            return False
        _refuse_strangers(connection, engine, found)
        config = _alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
        connection.invalidate()  # the next connection has its foreign keys on again
    return True


def connect(engine: Engine) -> Connection:
    """The first connection to a database, by which it shows whether `database_url` is right.

    Raises:
        SettingsError: the address holds an option that the driver does not take.
        StoreError: the database cannot be used.
    """
    try:
        return engine.connect()
    except DBAPIError as error:
        raise _plain(error, engine) from error
    except (ArgumentError, TypeError, ValueError):
        raise SettingsError(
            "database_url holds an option that cannot be used.", _LOOKS_LIKE
        ) from None


def _refuse_strangers(connection: Connection, engine: Engine, found: str | None) -> None:
    from alembic.script import ScriptDirectory
    from sqlalchemy import inspect

    known = {
        script.revision
        for script in ScriptDirectory.from_config(_alembic_config()).walk_revisions()
    }
    if found is not None and found not in known:
        raise StoreError(
            f"The database {engine.url.database} was made by a newer notifier (schema {found}).",
            "Install that version, or newer. Nothing was changed.",
        )
    if found is None and (
        tables := [
            name for name in inspect(connection).get_table_names() if name != "alembic_version"
        ]
    ):
        raise StoreError(
            f"The database {engine.url.database} holds tables that are not notifier's ({', '.join(tables[:3])}).",
            "Give notifier a database of its own in database_url. Nothing was changed.",
        )


def _alembic_config() -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("notifier") / "store" / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _head() -> str:
    """The newest migration, told by its file name, so that a start on a current schema need not load Alembic."""
    versions = files("notifier") / "store" / "migrations" / "versions"
    return max(path.name[:4] for path in versions.iterdir() if path.name[:4].isdigit())


def _revision(connection: Connection) -> str | None:
    from sqlalchemy import inspect

    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
