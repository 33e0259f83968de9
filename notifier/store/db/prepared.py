"""Prepared statements: compiled once, then run by the driver in a transaction of their own.

For the few statements that run thousands of times a second; everything else uses sessions. What a
statement means is not known here.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import UpdateBase

from notifier.store.db.engine import driver_connection

_Convert = Callable[[Any], Any]


class Prepared:
    """A statement that changes rows, in the driver's own form.

    Args:
        statement: the statement; its values are fixed, or named by `bindparam`.
    """

    def __init__(self, statement: UpdateBase) -> None:
        self._statement = statement
        self._forms: dict[str, _Form] = {}

    def run(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Run the statement; it is committed when it returns.

        Args:
            connection: one on which the driver commits each statement (`autocommit`).
            values: a value for each `bindparam`.

        Raises:
            DBAPIError: the database refused it; nothing was changed.
        """
        dialect = connection.dialect
        form = self._forms.get(dialect.name)
        if form is None:
            form = self._forms[dialect.name] = _Form(self._statement, connection)
        dbapi: Any = dialect.dbapi
        try:
            driver_connection(connection).execute(form.text, form.parameters(values))
        except dbapi.Error as error:
            raise DBAPIError.instance(
                form.text, None, error, dbapi.Error, hide_parameters=True, dialect=dialect
            ) from error


class _Form:
    """The text of a statement for one kind of database, and how its values are passed."""

    def __init__(self, statement: UpdateBase, connection: Connection) -> None:
        compiled: Any = statement.compile(dialect=connection.dialect)
        self.text: str = str(compiled)
        self._names: tuple[str, ...] | None = (
            tuple(compiled.positiontup) if compiled.positional else None
        )
        self._converters: dict[str, _Convert | None] = {}
        self._fixed: dict[str, Any] = {}
        for name, parameter in compiled.binds.items():
            kind = parameter.type.dialect_impl(connection.dialect)
            convert = kind.bind_processor(connection.dialect)
            if parameter.required:
                self._converters[name] = convert
            else:
                value = parameter.effective_value
                self._fixed[name] = convert(value) if convert else value

    def parameters(self, values: Mapping[str, Any]) -> tuple[Any, ...] | dict[str, Any]:
        """Return the values in the form that the driver takes."""
        converted = self._fixed.copy()
        for name, convert in self._converters.items():
            converted[name] = convert(values[name]) if convert else values[name]
        if self._names is None:
            return converted
        return tuple([converted[name] for name in self._names])
