"""The schema's upgrade to the version of this program."""

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from notifier.errors import SettingsError, StoreError
from notifier.store.db.engine import connect, driver_connection
from notifier.store.db.failures import store_error

if TYPE_CHECKING:
    from alembic.config import Config

# Any constant is good, as long as every process of notifier asks PostgreSQL for the same one.
_UPGRADE_LOCK = 0x6E6F7469


def upgrade(engine: Engine, *, create: bool = True) -> bool:
    """Bring the schema to this version's; safe when several processes start at once.

    Args:
        engine: of the database.
        create: make a database that does not exist, or the tables of an empty one.

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
        return _upgrade(engine, create=create)
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
    return is_file and not Path(name).exists()


def _no_database(engine: Engine) -> SettingsError:
    return SettingsError(
        f"There is no database of notifier at {engine.url.database or 'this address'}.",
        "Run the command in the folder of notifier.toml, or name that file with --config; if the"
        " database is elsewhere, correct database_url (or NOTIFIER_DATABASE_URL)."
        " To make a new one: notifier init",
    )


def _upgrade(engine: Engine, *, create: bool) -> bool:
    newest = newest_migration()
    with connect(engine) as connection:
        current = _current_migration(connection)
        if current == newest:
            return False
        if current is None and not create:
            _refuse_foreign_schema(connection, engine, None)
            raise _no_database(engine)
    from alembic import command

    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # Batch migrations rebuild tables. The pragma has no effect inside a transaction, so it
            # comes first.
            driver_connection(connection).execute("PRAGMA foreign_keys=OFF")
            connection.execution_options(sqlite_begin="IMMEDIATE")
            connection.begin()
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
        current = _current_migration(connection)
        if current == newest:
            return False
        _refuse_foreign_schema(connection, engine, current)
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
        connection.invalidate()  # the next connection has its foreign keys on again
    return True


def _refuse_foreign_schema(connection: Connection, engine: Engine, current: str | None) -> None:
    from alembic.script import ScriptDirectory

    known = {
        script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()
    }
    database = engine.url.database
    if current is not None and current not in known:
        raise StoreError(
            f"The database {database} was made by a newer notifier (schema {current}).",
            "Install that version, or a newer one. Nothing was changed.",
        )
    if current is None and (
        tables := [
            name for name in inspect(connection).get_table_names() if name != "alembic_version"
        ]
    ):
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
