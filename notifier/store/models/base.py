"""The ground of all tables: how times and statuses are stored, how constraints are named."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Enum, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from notifier.i18n.messages import from_json, to_json


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC time; a naive one is refused, because nobody can say what it meant."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class MessageJSON(TypeDecorator[Any]):
    """A JSON document in which sentences of ours keep their message and values, to be said in any language."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return to_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return from_json(value)


class LenientJSON(TypeDecorator[Any]):
    """A JSON document of one person's; one that cannot be read is None, and the rest of the row is still there.

    So whose choice was damaged can still leave, be shown and be erased.
    """

    impl = JSON
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Read as JSON does, without its error."""
        read = super().result_processor(dialect, coltype)
        if read is None:
            return None

        def lenient(value: Any) -> Any:
            try:
                return read(value)
            except ValueError:
                return None

        return lenient


def _enum(kind: type[StrEnum]) -> Enum:
    """A status as its text, checked by Python and by no database type, so that a new one needs no rebuilt table."""
    return Enum(
        kind,
        native_enum=False,
        length=20,
        values_callable=lambda members: [str(one) for one in members],
    )


class Base(DeclarativeBase):
    """The ground of all tables; constraints get predictable names, which SQLite's batch migrations need."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: UTCDateTime(),
        dict[str, Any]: JSON(),
        list[str]: JSON(),
        StrEnum: _enum(StrEnum),
    }


class Installation(Base):
    """One row: by what addresses are recognised. Written by the first migration, the fingerprint by `store/keys.py`.

    `salt` is the inner key of an address's hash; the outer one is `suppression_key` in the
    settings, of which only `key_fingerprint` stands here: so a copy of the database alone tells
    nobody whether an address is in it.
    """

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True)
    salt: Mapped[str] = mapped_column(String(64))
    key_fingerprint: Mapped[str | None] = mapped_column(String(16))
