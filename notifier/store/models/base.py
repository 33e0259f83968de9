"""The base class of all tables, the types of their columns, and the installation's own row."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Enum, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from notifier.i18n.messages import from_json, to_json

# The errors by which the types of columns say that a stored value is none of theirs.
UNREADABLE = (ValueError, LookupError, TypeError)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware time in UTC; a naive one is refused with `ValueError`: its zone is unknown."""

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
    """A JSON document whose sentences can be translated after they were stored.

    A `LazyMessage` is stored as message and values (see `i18n/messages.py`).
    """

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return to_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return from_json(value)


class LenientJSON(TypeDecorator[Any]):
    """A JSON document about one person, read as None if it is damaged.

    The rest of the row stays readable: the person can still unsubscribe, download their data and be
    erased.
    """

    impl = JSON
    cache_ok = True

    def _damaged(self) -> Any:
        return None

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Return the function that reads a stored value, without JSON's own error."""
        read = super().result_processor(dialect, coltype)
        if read is None:
            return None

        def lenient(value: Any) -> Any:
            try:
                return read(value)
            except ValueError:
                return self._damaged()

        return lenient


class LenientObject(LenientJSON):
    """A JSON object about one person or nothing, read as an empty object if it is damaged.

    So a damaged one differs from none, and is replaced where none is stored.
    """

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(none_as_null=True)

    def _damaged(self) -> Any:
        return {}


def _enum(kind: type[StrEnum]) -> Enum:
    """Return the column type of a status: its text, checked by Python.

    It is no enum type of the database, so that a new status needs no rebuilt table.
    """
    return Enum(
        kind,
        native_enum=False,
        length=20,
        values_callable=lambda members: [str(member) for member in members],
    )


class Base(DeclarativeBase):
    """The base class of all tables.

    Constraints get predictable names, because SQLite's batch migrations find them by name.
    """

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
    """The installation's only row: how addresses are hashed, its clock, and whether it sends.

    Writer: `store/keys.py`; `store/clock.py` the newest time and the check of plans,
    `store/heartbeat.py` the last run and the last pruning, `deliver/outbox/stop.py` the stop,
    `match/profiles.py` the imports, `match/canaries.py` its canaries, `store/backup_state.py` what
    was backed up and restored.
    The first migration adds the row.

    Attributes:
        salt: 64 hexadecimal digits; the inner key of an address's hash. The outer one is
            `suppression_key` in the settings: without it, a copy of the database does not tell
            whether an address is in it.
        key_fingerprint: 16 hexadecimal digits that recognise `suppression_key`; None before the
            first start with a key.
        newest_time: the newest time that a step ever ran at (never that of `--now`); None before.
        ran_at: the time at which notifier last ran; None before.
        plans_checked_at: the time at which planned times were last compared with the clock.
        pruned_at: the time at which what is older than its period was last removed completely.
        stopped_at: the time at which a person stopped sending; None while mails go out.
        imports: how many imports of profiles there were: terms that a process keeps are current as
            long as this number is.
        canaries_passed: the version of notifier and the number of imports at which the canaries of
            all profiles last passed; empty if they never did.
        backup_began_at: the time at which the last backup began: a backup contains its own time.
        backed_up_at: the time of the last backup that was completed and checked; None before.
        backup_file: its path on the machine where it was made; empty before.
        restored_at: the time at which a backup was put in this database's place, while a person has
            not decided yet what is sent; None otherwise.
        restored_from: the time of that backup.
    """

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True)
    salt: Mapped[str] = mapped_column(String(64))
    key_fingerprint: Mapped[str | None] = mapped_column(String(16))
    newest_time: Mapped[datetime | None]
    ran_at: Mapped[datetime | None]
    plans_checked_at: Mapped[datetime | None]
    pruned_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    imports: Mapped[int] = mapped_column(default=0, server_default="0")
    canaries_passed: Mapped[str] = mapped_column(String(60), default="", server_default="")
    backup_began_at: Mapped[datetime | None]
    backed_up_at: Mapped[datetime | None]
    backup_file: Mapped[str] = mapped_column(Text, default="", server_default="")
    restored_at: Mapped[datetime | None]
    restored_from: Mapped[datetime | None]
