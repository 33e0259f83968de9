"""Statements that SQLite and PostgreSQL need in different forms, and lists in chunks."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Engine, Select, func, literal_column, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from notifier.store.db.engine import driver_connection

T = TypeVar("T")

# Rows that are counted for a listing; of more it says only that they are more. Chosen by hand.
MOST_COUNTED = 100_000


def in_chunks(values: Iterable[T], size: int = 500) -> Iterator[list[T]]:
    """Yield the values in lists of at most `size`, in their order.

    A statement with `IN` names a chunk of ids at a time: the parameters of one statement are
    limited (SQLite takes 32,766, PostgreSQL 65,535).

    Args:
        values: anything that can be iterated once; nothing is yielded for an empty one.
        size: how many values a list has at most, from 1. Chosen by hand; not measured.

    Raises:
        ValueError: `size` is less than 1.
    """
    if size < 1:
        raise ValueError("a chunk holds at least one value")
    remaining = iter(values)
    while chunk := list(islice(remaining, size)):
        yield chunk


def domain_of_column(session: Session, column: Any) -> ColumnElement[str]:
    """Return the SQL expression for the domain of the addresses in a column, in lower case."""
    if session.get_bind().dialect.name == "sqlite":
        return func.lower(func.substr(column, func.instr(column, "@") + 1))
    return func.lower(func.split_part(column, "@", 2))


def insert_missing(session: Session, table: type[Any], values: Mapping[str, Any]) -> bool:
    """Add a row unless its key exists already; return whether it was added.

    Several processes may call it at once with the same key: one of them adds the row.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    added: Any = (
        insert(table).values(**values).on_conflict_do_nothing().returning(literal_column("1"))
    )
    return session.execute(added).first() is not None


def insert_all_missing(
    session: Session, table: type[Any], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Add the rows whose keys do not exist yet, by one statement; all have the same columns."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(insert(table).on_conflict_do_nothing(), [dict(row) for row in rows])


def take_turns(session: Session, *names: str) -> None:
    """Let transactions that give the same name run one after the other, until each has ended.

    For a limit on a count: there is no row to lock, because the row may not exist yet. SQLite has
    one writer at a time anyway; PostgreSQL takes an advisory lock of the transaction for each name.
    """
    if session.get_bind().dialect.name == "sqlite":
        return
    for key in sorted(
        int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True) for name in names
    ):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def count_some(session: Session, ids: Select[int]) -> int:
    """Return how many rows a query has, or `MOST_COUNTED` and one more if it has more than that."""
    some = ids.limit(MOST_COUNTED + 1).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def refresh_statistics(engine: Engine) -> None:
    """Let SQLite renew what it knows of the sizes of its tables, where they have changed much.

    By that it chooses its indexes. PostgreSQL does so by itself.
    """
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            # By the driver, so that no transaction begins.
            sqlite_connection = driver_connection(connection)
            sqlite_connection.execute("PRAGMA analysis_limit = 1000")
            sqlite_connection.execute("PRAGMA optimize")
