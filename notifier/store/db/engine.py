"""The engine of a database: its address is checked, its driver is chosen, SQLite is set up."""

import os
import warnings
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SAWarning

from notifier.errors import SettingsError
from notifier.store.db.failures import store_error

# How long a connection waits for another's lock, in milliseconds. Chosen by hand; not measured.
BUSY_TIMEOUT_MS = 5000

# Bytes to which SQLite's write-ahead log is cut when it was longer. Chosen by hand; not measured.
_LONGEST_LOG = 64_000_000

# What libpq is told of the network, unless database_url says otherwise: seconds to connect, and how
# soon a server that was cut off is noticed (40 seconds). Without it a connection waits for ever.
# Chosen by hand; not measured.
_NETWORK: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 40_000,
}

_EXAMPLES = "It looks like sqlite:///subscribers.db or postgresql://name:password@host/database."


def make_engine(url: str) -> Engine:
    """Make an engine for SQLite or PostgreSQL; nothing is connected yet.

    Args:
        url: any SQLAlchemy URL of the two; ``postgresql://`` means psycopg 3, whose option
            ``prepare_threshold`` may be a number or ``none`` (for PgBouncer's transaction mode).

    Raises:
        SettingsError: the URL names another database, or has an option that cannot be used.
    """
    # The URL may contain a password: no message repeats it, and the errors that quote it are not
    # chained.
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise SettingsError("database_url is not a database address.", _EXAMPLES) from None
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise SettingsError("database_url is neither for SQLite nor for PostgreSQL.", _EXAMPLES)
    if "@" in (parsed.host or ""):
        raise SettingsError(
            "database_url has one @ too many.",
            "In a user name or a password, write %40 for @, and %2F for /.",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", SAWarning)  # an option that the driver would ignore
            # Parameters are addresses and links: no error message and no log may contain them.
            parsed, options = _driver_options(parsed)
            engine = create_engine(
                parsed,
                pool_pre_ping=parsed.get_backend_name() != "sqlite",
                hide_parameters=True,
                connect_args=options,
            )
    except (NoSuchModuleError, ImportError):
        raise SettingsError(
            "database_url needs a driver that is not installed.", _EXAMPLES
        ) from None
    except (ArgumentError, SAWarning, TypeError, ValueError):
        raise _wrong_option() from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "do_connect", _create_private_file)
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "checkout", _commit_each_statement)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "do_connect", _notice_dead_server)
        event.listen(engine, "connect", _set_no_jit)
    return engine


def _driver_options(url: URL) -> tuple[URL, dict[str, Any]]:
    """Take the option out of an address that psycopg expects as a value and not as a text.

    Raises:
        ValueError: it is neither a number nor ``none``.
    """
    name = "prepare_threshold"
    if url.get_backend_name() != "postgresql" or name not in url.query:
        return url, {}
    text = str(url.query[name])
    return url.difference_update_query([name]), {name: None if text == "none" else int(text)}


def connect_options(engine: Engine) -> dict[str, Any]:
    """Return the arguments with which another library connects to the same PostgreSQL database."""
    _, options = engine.dialect.create_connect_args(engine.url)
    return {**_NETWORK, **options}


def connect(engine: Engine) -> Connection:
    """Open the first connection to a database, which shows whether `database_url` is right.

    Raises:
        SettingsError: the address has an option that the driver does not know.
        StoreError: the database cannot be used.
    """
    try:
        return engine.connect()
    except DBAPIError as error:
        raise store_error(error, engine) from error
    except (ArgumentError, TypeError, ValueError):
        raise _wrong_option() from None


def driver_connection(connection: Connection) -> Any:
    """Return the driver's own connection (`sqlite3.Connection` or `psycopg.Connection`)."""
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver


def _wrong_option() -> SettingsError:
    return SettingsError("database_url has an option that cannot be used.", _EXAMPLES)


def _create_private_file(_dialect: Any, _record: Any, arguments: list[Any], _options: Any) -> None:
    """Create a new database file that only its owner can read: a subscription is health data.

    SQLite gives the files beside it (`-wal`, `-shm`) the same permissions.
    """
    if arguments and not str(arguments[0]).startswith((":", "file:")):
        # An existing file keeps its permissions; if none can be created, SQLite reports why.
        with suppress(OSError):
            os.close(os.open(arguments[0], os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _notice_dead_server(
    _dialect: Any, _record: Any, _arguments: list[Any], options: dict[str, Any]
) -> None:
    for name, value in _NETWORK.items():
        options.setdefault(name, value)


def _set_no_jit(connection: Any, _record: Any) -> None:
    # PostgreSQL compiles a statement that it believes to be expensive, and it overrates those over
    # all profiles: of the 330 ms that an idle look for due work took at 5,000 profiles, 310 were
    # spent on compiling it.
    usual, connection.autocommit = connection.autocommit, True
    connection.execute("SET jit = off")
    connection.autocommit = usual


def _set_pragmas(connection: Any, _record: Any) -> None:
    # The driver's own transactions begin too late and commit too early: `_begin_sqlite` begins
    # them.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        f"journal_size_limit={_LONGEST_LOG}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _commit_each_statement(connection: Any, _record: Any, _proxy: Any) -> None:
    # A user of the pool that had asked for AUTOCOMMIT leaves the driver's own transactions behind:
    # SQLAlchemy sets them when it takes the option back.
    connection.isolation_level = None


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once if another has written in
    # between, however long the busy timeout is: a transaction that will write takes the lock when
    # it begins.
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")
