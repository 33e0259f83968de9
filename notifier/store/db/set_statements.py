"""Statements about many rows at once: small tables as parameters, and several changes of one set.

Owns how both databases read a list of values as a table, and how one set of rows is read once and
changed by several statements. It knows no table of the program.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    Column,
    Delete,
    Engine,
    Executable,
    FromClause,
    Insert,
    MetaData,
    Select,
    String,
    Table,
    Update,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable
from sqlalchemy.types import TypeEngine

# How SQLite stores a time.
_SQLITE_TIME = "%Y-%m-%d %H:%M:%S.%f"

Change = Callable[[FromClause], Insert | Update | Delete]


def rows_as_table(
    session: Session,
    name: str,
    columns: Mapping[str, TypeEngine[Any]],
    rows: Sequence[Sequence[object]],
) -> CTE:
    """Return a table with these rows, for one statement; any number of rows is one parameter.

    Args:
        session: tells the kind of database.
        name: of the table in the statement.
        columns: their names and types: Integer, Boolean, String, or a time.
        rows: a value for each column; times are aware UTC.
    """
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    text = json.dumps([[_as_json(value, is_sqlite) for value in row] for row in rows])
    if is_sqlite:
        each: Any = func.json_each(text).table_valued("value", name=f"{name}_rows")
        fields = [
            type_coerce(func.json_extract(each.c.value, f"$[{place}]"), kind).label(column)
            for place, (column, kind) in enumerate(columns.items())
        ]
    else:
        rows_of = func.jsonb_array_elements(cast(literal(text, String), JSONB))
        each = rows_of.table_valued(Column("value", JSONB), name=f"{name}_rows")
        fields = [
            cast(each.c.value.op("->>", return_type=String)(place), kind).label(column)
            for place, (column, kind) in enumerate(columns.items())
        ]
    return select(*fields).cte(name).prefix_with("MATERIALIZED")


def _as_json(value: object, is_sqlite: bool) -> object:
    if isinstance(value, datetime):
        return value.strftime(_SQLITE_TIME) if is_sqlite else value.isoformat()
    return value


class SetChange:
    """Several changes of one set of rows, which is read once.

    On PostgreSQL it is one statement, whose parts see the same state of the database; no part sees
    what another one changes. On SQLite the rows are kept in a temporary table, and no other writer
    comes between. The statements are made once, and can be run with other parameters.

    Args:
        session: tells the kind of database.
        rows: the set; each column has a name.
        changes: return a statement when they are given the set as a table.
    """

    def __init__(self, session: Session, rows: Select[Any], changes: Sequence[Change]) -> None:
        self._table: CreateTable | None = None
        self._statements: list[Executable] = []
        if session.get_bind().dialect.name == "sqlite":
            names = [column.name for column in rows.selected_columns]
            kept = _kept_table(rows)
            self._table = CreateTable(kept, if_not_exists=True)
            self._statements = [
                delete(kept),
                insert(kept).from_select(names, rows),
                *(change(kept) for change in changes),
            ]
            return
        members = rows.cte("members").prefix_with("MATERIALIZED")
        *others, last = [change(members) for change in changes]
        for place, statement in enumerate(others):
            last = last.add_cte(statement.cte(f"change_{place}"))
        self._statements = [last]

    def carry_out(self, session: Session, parameters: Mapping[str, object]) -> None:
        """Read the set with these parameters, and make the changes.

        Args:
            session: a writing session.
            parameters: their names are not those of columns.
        """
        connection = session.connection()
        if self._table is not None:
            connection.execute(self._table)
        for statement in self._statements:
            connection.execute(statement, parameters)


# The temporary tables by their columns: the same table again lets SQLAlchemy find its compiled
# statements, which take longer to compile than to run.
_KEPT_TABLES: dict[tuple[tuple[str, type], ...], Table] = {}


def _kept_table(rows: Select[Any]) -> Table:
    """Return the temporary table that keeps these rows."""
    columns = rows.selected_columns
    key = tuple((column.name, type(column.type)) for column in columns)
    if key not in _KEPT_TABLES:
        # Without a key: with one, SQLite reads the large table and looks up its rows here.
        _KEPT_TABLES[key] = Table(
            "kept_" + "_".join(column.name for column in columns),
            MetaData(),
            *(Column(column.name, column.type) for column in columns),
            prefixes=["TEMPORARY"],
        )
    return _KEPT_TABLES[key]


# How many KiB of SQLite's pages stay in memory during large transactions: with the default of 2,000
# pages are written twice. bench/planning.py shows the memory.
_CACHE_KIB = 32_000
_USUAL_CACHE_KIB = 2_000


def enlarge_cache(session: Session) -> None:
    """Let SQLite keep more pages in memory, for a transaction of many rows."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size=-{_CACHE_KIB}")


def shrink_cache(engine: Engine) -> None:
    """Give back what `enlarge_cache` took, on the connection that the next session gets."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA cache_size=-{_USUAL_CACHE_KIB}")
            connection.exec_driver_sql("PRAGMA shrink_memory")
