"""The exchange of a PostgreSQL schema for a restored one, in steps that a kill does not spoil.

Owns the schemas' names, and the moment from which a restored one is used: the number of its
migration is stored last, in one transaction with everything that a restore does to it. Without the
number every process of notifier refuses the database.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, column, func, insert, inspect, select, table
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateSchema, DropSchema

from notifier.errors import SettingsError, StoreError
from notifier.store.db.engine import connect, make_engine
from notifier.store.db.failures import translate_db_errors
from notifier.store.db.schema import alembic_config, changing_schema, newest_migration
from notifier.store.db.sessions import ADDRESS_KEY

_NUMBER = table("alembic_version", column("version_num"))


def refuse_others(engine: Engine) -> None:
    """Refuse a database that other programs are connected to.

    Raises:
        StoreError: with who they are.
    """
    activity = table(
        "pg_stat_activity",
        *map(column, ("pid", "datname", "backend_type", "usename", "application_name")),
    )
    others = select(activity.c.usename, activity.c.application_name).where(
        activity.c.datname == func.current_database(),
        activity.c.pid != func.pg_backend_pid(),
        activity.c.backend_type == "client backend",
    )
    with connect(engine) as connection, translate_db_errors(engine):
        rows = connection.execute(others).all()
    if rows:
        names = sorted({f"{user} ({program})" if program else user for user, program in rows})
        raise StoreError(
            f"The database {engine.url.database} is in use by {len(rows)} other"
            f" connection{'' if len(rows) == 1 else 's'}: {', '.join(names[:3])}.",
            "Stop everything that uses it (notifier run, work and serve, a pool of connections),"
            " and run the command again. Nothing was changed.",
        )


def set_aside(engine: Engine, kept: str) -> bool:
    """Rename the schema with notifier's tables, and make an empty one of its name.

    What a restore that was killed left half done is dropped: it has no number.

    Args:
        engine: of the database.
        kept: the name of the old schema.

    Returns:
        Whether there was anything to keep.

    Raises:
        SettingsError: the tables are another program's.
        StoreError: the user of the database may not do that.
    """
    with connect(engine) as connection, connection.begin():
        schema = str(connection.execute(select(func.current_schema())).scalar_one())
        names = inspect(connection).get_table_names()
        if not names:
            return False
        if _NUMBER.name not in names:
            raise SettingsError(
                f"The database {engine.url.database} has tables of another program"
                f" ({', '.join(sorted(names)[:3])}).",
                "Give notifier a database of its own in database_url. Nothing was changed.",
            )
        is_whole = connection.execute(select(_NUMBER.c.version_num)).first() is not None
        with _explained(engine, schema):
            if is_whole:
                _rename(connection, schema, kept)
            else:
                connection.execute(DropSchema(schema, cascade=True))
            connection.execute(CreateSchema(schema))
    return is_whole


def put_back(engine: Engine, kept: str) -> None:
    """Undo `set_aside` after a restore that failed.

    Args:
        engine: of the database.
        kept: the name of the old schema; empty if there was nothing to keep.
    """
    with connect(engine) as connection, connection.begin():
        schema = str(connection.execute(select(func.current_schema())).scalar_one())
        connection.execute(DropSchema(schema, cascade=True))
        if kept:
            _rename(connection, kept, schema)
        else:
            connection.execute(CreateSchema(schema))


def _rename(connection: Connection, schema: str, kept: str) -> None:
    quote = connection.dialect.identifier_preparer.quote
    connection.exec_driver_sql(f"ALTER SCHEMA {quote(schema)} RENAME TO {quote(kept)}")


@contextmanager
def _explained(engine: Engine, schema: str) -> Iterator[None]:
    from sqlalchemy.exc import ProgrammingError

    try:
        yield
    except ProgrammingError as error:
        reason = next(iter(str(error.orig).splitlines()), "")
        raise StoreError(
            f"The schema {schema} cannot be kept under another name: {reason}",
            "As an administrator of the server, in this database: ALTER SCHEMA"
            f" {schema} OWNER TO {engine.url.username or 'NAME'}; and GRANT CREATE ON DATABASE"
            f" {engine.url.database} TO {engine.url.username or 'NAME'};"
            " Nothing was changed.",
        ) from error


@contextmanager
def completing(engine: Engine, number: str, address_key: str) -> Iterator[Session]:
    """Open the transaction that makes a restored schema one that is used, upgraded to this version.

    Args:
        engine: of the database, into which a dump was read.
        number: of the migration that the dump has.
        address_key: `suppression_key`.
    """
    from alembic import command

    with changing_schema(engine) as connection:
        connection.execute(insert(_NUMBER).values(version_num=number))
        if number != newest_migration():
            config = alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        with Session(connection, expire_on_commit=False, info={ADDRESS_KEY: address_key}) as opened:
            yield opened
            opened.flush()


def engine_of(url: str, schema: str) -> Engine:
    """Return an engine for another schema of a database; the caller disposes of it."""
    parsed = make_url(url)
    options = str(parsed.query.get("options", ""))
    searched = f"{options} -csearch_path={schema}".strip()
    other = parsed.update_query_dict({"options": searched})
    return make_engine(other.render_as_string(hide_password=False))
