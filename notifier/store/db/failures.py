"""Errors of the database driver as `StoreError`, with what to do about them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from notifier.errors import StoreError
from notifier.store.db.read_only import protected_file, read_only

# SQLSTATE of an action that the database's user may not do, and of one that changes a database
# which can only be read.
_INSUFFICIENT_PRIVILEGE, _READ_ONLY = "42501", "25006"


@contextmanager
def translate_db_errors(engine: Engine) -> Iterator[None]:
    """Raise `StoreError` when the database is locked, full, read-only or unreachable."""
    try:
        yield
    except DBAPIError as error:
        if isinstance(error, OperationalError) or _sqlstate(error) in (
            _INSUFFICIENT_PRIVILEGE,
            _READ_ONLY,
        ):
            raise store_error(error, engine) from error
        raise


def store_error(error: DBAPIError, engine: Engine) -> StoreError:
    """Describe an error of the driver: which database, what is wrong, what to do.

    No password is repeated, neither that of the URL nor one among its options.
    """
    reason = _without_passwords(next(iter(str(error.orig).splitlines()), ""), engine.url)
    database = engine.url.database if engine.dialect.name == "sqlite" else _server(engine.url)
    if "locked" in reason or "busy" in reason:
        return StoreError(
            f"The database {database} is locked by another program.",
            "Nothing was lost. Wait for it to end (or stop it), then run the same command again.",
        )
    if "readonly" in reason or _sqlstate(error) == _READ_ONLY:
        return read_only(engine, database or "")
    if "unable to open" in reason:
        return protected_file(Path(database or "")) or StoreError(
            f"The database {database} cannot be opened.",
            "Check that its folder exists and may be written to.",
        )
    if "full" in reason:
        return StoreError(
            f"There is no room left for {database}.",
            "Make room on the disk, then run the command again.",
        )
    if _sqlstate(error) == _INSUFFICIENT_PRIVILEGE:
        return StoreError(
            f"The database {database} cannot be used: {reason}",
            "The user of database_url may not do that. As an administrator of the server:"
            f" GRANT CREATE, USAGE ON SCHEMA public TO {engine.url.username or 'NAME'};"
            " if another user made the tables, make this one their owner.",
        )
    return StoreError(
        f"The database {database} cannot be used: {reason}",
        "Check database_url and the server behind it.",
    )


def _sqlstate(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _server(url: URL) -> str:
    """Return a server's URL without the password and the options, which may contain another one."""
    return url.set(password=None, query={}).render_as_string(hide_password=True)


def _without_passwords(message: str, url: URL) -> str:
    options = [
        value
        for name, values in url.normalized_query.items()
        if "password" in name.lower()
        for value in values
    ]
    for password in (url.password, *options):
        if password:
            message = message.replace(str(password), "***")
    return message
