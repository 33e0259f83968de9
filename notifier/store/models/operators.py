"""Operators: who may log in to the operator pages, their sessions, and what they did."""

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from notifier.enums import Role
from notifier.store.models.base import Base


class OperatorAccount(Base):
    """Somebody who may log in to the operator pages. Writer: `operators/accounts.py`.

    Attributes:
        name: in small letters.
        password_hash: argon2id, as the library writes it (RFC 9106).
    """

    __tablename__ = "operator_account"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    role: Mapped[Role]
    password_hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class OperatorSession(Base):
    """A log-in that lasts. Writer: `operators/sessions.py`.

    Attributes:
        token_hash: SHA-256 of what the browser's cookie holds, 64 hexadecimal digits: who reads the
            table cannot log in with it.
        password_mark: names the password at the time of the log-in; another one ends the session.
    """

    __tablename__ = "operator_session"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(40), index=True)
    password_mark: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)


class LoginAttempt(Base):
    """A wrong password of the last minutes. Writer: `operators/attempts.py`.

    Attributes:
        account: a keyed hash of the name that was given: people type passwords into that field.
        origin: a keyed hash of where it came from, or of the browser that had logged in before.
    """

    __tablename__ = "login_attempt"
    __table_args__ = (
        Index("ix_login_attempt_account", "account", "origin", "at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(String(64))
    origin: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(index=True)


class OperatorAction(Base):
    """An entry of the operators' log. Writer: `operators/actions.py`.

    Attributes:
        name: of the operator.
        kind: what was done, in a word (`operators/actions.py` has the list).
        about: to what, such as ``digest 12``; empty for what is about no single thing.
        text: one English sentence; it names no subscriber.
        reason: what the operator gave as the reason; empty for none.
    """

    __tablename__ = "operator_action"
    __table_args__ = (
        Index("ix_operator_action_about", "about"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(40))
    about: Mapped[str] = mapped_column(String(60), default="")
    text: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, default="")
