"""The schema's upgrade to the version of this program."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError

from notifier.errors import SettingsError, StoreError
from notifier.store.db import backups
from notifier.store.db.engine import connect, driver_connection
from notifier.store.db.failures import store_error, translate_db_errors
from notifier.store.db.read_only import file_exists

if TYPE_CHECKING:
    from alembic.config import Config

# Any constant is good, as long as every process of notifier asks PostgreSQL for the same one.
_UPGRADE_LOCK = 0x6E6F7469
# The newest features that are used: `gen_random_uuid` and what Procrastinate needs.
_OLDEST_SERVER = (13,)
# How long an upgrade waits for a table, in milliseconds; whoever needs the table waits behind it.
# How often it tries, and the seconds between. All chosen by hand; not measured.
_LOCK_TIMEOUT_MS, _ATTEMPTS, _BETWEEN_ATTEMPTS = 3000, 20, 2.0
# SQLSTATE of a lock that was not given in time.
_LOCK_NOT_AVAILABLE = "55P03"
# Seconds that another process may upgrade before this one gives up, before it says that it waits,
# and between two looks.
_LONGEST_UPGRADE, _TOLD_AFTER, _BETWEEN_LOOKS = 600.0, 5.0, 0.1

log = logging.getLogger("notifier")


class NewerSchemaError(StoreError):
    """The schema is a newer notifier's: this one must not go on with it."""


def upgrade(engine: Engine, *, create: bool = True, copy: bool = True) -> bool:
    """Bring the schema to this version's; safe when several processes start at once.

    Args:
        engine: of the database.
        create: make a database that does not exist, or the tables of an empty one.
        copy: copy an SQLite database before.

    Returns:
        Whether the schema was changed.

    Raises:
        SettingsError: `database_url` has an option that the driver does not know, or there is no
            database of notifier and none may be made.
        StoreError: the database is of a newer notifier, has other programs' tables, or cannot be
            used.
    """
    if not create and _is_missing_file(engine):
        raise _no_database(engine)
    try:
        return _upgrade(engine, create=create, copy=copy)
    except DBAPIError as error:
        raise store_error(error, engine) from error


def newest_migration() -> str:
    """Return the number of the newest migration, ``"0007"``.

    It is read from the file names, so that a start on a current schema need not load Alembic.
    """
    versions = files("notifier") / "store" / "migrations" / "versions"
    return max(path.name[:4] for path in versions.iterdir() if path.name[:4].isdigit())


def alembic_config() -> "Config":
    """Return Alembic's configuration; the caller gives the connection in its attributes."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("notifier") / "store" / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _is_missing_file(engine: Engine) -> bool:
    """Return whether an SQLite database is a file that does not exist; connecting would make it."""
    name = engine.url.database or ":memory:"
    is_file = engine.dialect.name == "sqlite" and not name.startswith((":", "file:"))
    return is_file and not file_exists(Path(name))


def _no_database(engine: Engine) -> SettingsError:
    return SettingsError(
        f"There is no database of notifier at {engine.url.database or 'this address'}.",
        "Run the command in the folder of notifier.toml, or name that file with --config; if the"
        " database is elsewhere, correct database_url (or NOTIFIER_DATABASE_URL)."
        " To make a new one: notifier init",
    )


def _upgrade(engine: Engine, *, create: bool, copy: bool) -> bool:
    newest = newest_migration()
    with connect(engine) as connection:
        _refuse_old_server(connection, engine)
        current = _current_migration(connection)
        if current == newest:
            return False
        if current is None and not create:
            _refuse_foreign_schema(connection, engine, None)
            raise _no_database(engine)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _migrate(engine, copy=copy)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            log.warning(
                "The upgrade of the schema waits for a table that another program uses"
                " (attempt %d of %d).",
                attempt,
                _ATTEMPTS,
            )
            time.sleep(_BETWEEN_ATTEMPTS)
    raise StoreError(
        f"The schema of {engine.url.database} cannot be upgraded: another program keeps a table"
        " locked.",
        "Nothing was changed. End that program (SELECT pid, query FROM pg_stat_activity shows"
        " which), then run: notifier db upgrade",
    )


def _migrate(engine: Engine, *, copy: bool) -> bool:
    """Run the migrations that are missing; return whether there were any."""
    from alembic import command

    newest = newest_migration()
    with changing_schema(engine) as connection:
        current = _current_migration(connection)
        if current == newest:
            return False
        _refuse_foreign_schema(connection, engine, current)
        copied = backups.write(engine, current) if copy and current is not None else None
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    if current is not None:
        kept = f" {copied} is a copy from before; it is kept for {backups.KEPT_DAYS} days." * bool(
            copied
        )
        log.warning("The schema was upgraded from %s to %s.%s", current, newest, kept)
    return True


@contextmanager
def changing_schema(engine: Engine) -> Iterator[Connection]:
    """Open the transaction that changes the schema, one at a time among all processes.

    It is committed at the end. On PostgreSQL no table is waited for longer than a few seconds:
    whoever needs it would queue behind, the sending of mails too.

    Raises:
        StoreError: another process changes the schema and does not end.
    """
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # Batch migrations rebuild tables. The pragma has no effect inside a transaction, so it
            # comes first.
            driver_connection(connection).execute("PRAGMA foreign_keys=OFF")
            connection.execution_options(sqlite_begin="IMMEDIATE")
            connection.begin()
        else:
            _take_lock(connection)
            connection.execute(text(f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}"))
        yield connection
        connection.commit()
        connection.invalidate()  # the next connection has its foreign keys on again


def _take_lock(connection: Connection) -> None:
    began, is_told = time.monotonic(), False
    taken = text("SELECT pg_try_advisory_xact_lock(:key)")
    while not connection.execute(taken, {"key": _UPGRADE_LOCK}).scalar():
        waited = time.monotonic() - began
        if waited > _LONGEST_UPGRADE:
            raise StoreError(
                "Another process has been upgrading the schema for ten minutes.",
                "Nothing was changed by this one. Let that process end, or end it (its work is"
                " then undone as a whole), and run the same command again.",
            )
        if waited > _TOLD_AFTER and not is_told:
            log.warning("Another process upgrades the schema; this one waits for it.")
            is_told = True
        time.sleep(_BETWEEN_LOOKS)


def require_known_schema(engine: Engine) -> None:
    """Refuse a schema that a newer notifier has upgraded while this process was running.

    Raises:
        NewerSchemaError: with what to do.
        StoreError: the database cannot be reached.
    """
    with translate_db_errors(engine), engine.connect() as connection:
        current = _current_migration(connection)
    if current is not None and current > newest_migration():
        raise _newer_schema(engine, current)


def migrations(engine: Engine) -> tuple[str | None, str]:
    """Return the migration that a database is at, None if it is empty, and this version's newest.

    Raises:
        SettingsError: there is no database, or its address is wrong.
        StoreError: the database cannot be used.
    """
    if _is_missing_file(engine):
        raise _no_database(engine)
    try:
        with connect(engine) as connection:
            _refuse_old_server(connection, engine)
            return _current_migration(connection), newest_migration()
    except DBAPIError as error:
        raise store_error(error, engine) from error


def _refuse_old_server(connection: Connection, engine: Engine) -> None:
    version = connection.dialect.server_version_info
    if engine.dialect.name == "postgresql" and version is not None and version < _OLDEST_SERVER:
        raise StoreError(
            f"The PostgreSQL server is version {'.'.join(map(str, version))}; notifier needs"
            f" {_OLDEST_SERVER[0]} or newer.",
            "Upgrade the server, or name another one in database_url. Nothing was changed.",
        )


def _newer_schema(engine: Engine, current: str) -> NewerSchemaError:
    return NewerSchemaError(
        f"The database {engine.url.database} was made by a newer notifier (schema {current}).",
        "Install that version, or a newer one. Nothing was changed.",
    )


def _refuse_foreign_schema(connection: Connection, engine: Engine, current: str | None) -> None:
    from alembic.script import ScriptDirectory

    known = {
        script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()
    }
    database = engine.url.database
    if current is not None and current not in known:
        raise _newer_schema(engine, current)
    names = inspect(connection).get_table_names() if current is None else []
    if tables := [name for name in names if name != "alembic_version"]:
        if connection.dialect.name == "postgresql" and "alembic_version" in names:
            raise StoreError(
                f"The database {database} is half restored: its schema has no number.",
                "Run `notifier db restore` again, with the same backup. Nothing was changed.",
            )
        raise StoreError(
            f"The database {database} has tables of another program ({', '.join(tables[:3])}).",
            "Give notifier a database of its own in database_url. Nothing was changed.",
        )


def _current_migration(connection: Connection) -> str | None:
    """Return the number of the migration that a database is at; None for a new database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    current: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar()
    return current
