"""Accounts: who may log in, as an editor or an owner.

Besides those that are stored there is the owner "operator" of `web.operator_password_hash`; a
stored account of this name takes its place.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from notifier.enums import Role
from notifier.errors import InputError, NotFoundError
from notifier.operators.sessions import end_all
from notifier.store import db
from notifier.store.models import OperatorAccount

# The name of the account whose password is in the settings.
FROM_SETTINGS = "operator"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._@+-]{0,38}[a-z0-9])?")


@dataclass(frozen=True)
class Account:
    """Somebody who may log in.

    Attributes:
        name: in small letters.
        role: what they may do.
        password_hash: argon2.
        created_at: None for the account of the settings.
        id: 0 for the account of the settings.
    """

    name: str
    role: Role
    password_hash: str
    created_at: datetime | None = None
    id: int = 0

    @property
    def lasting_name(self) -> str:
        """A name that stays when the password changes, and that no later account of `name` has."""
        created_at = self.created_at.astimezone(UTC).isoformat() if self.created_at else ""
        return f"{self.name} {self.id} {created_at}"


def named(text: str) -> str:
    """Return the name of an account as it is stored.

    Raises:
        InputError: it cannot be one.
    """
    name = text.strip().lower()
    if not _NAME.fullmatch(name):
        raise InputError(
            "This cannot be the name of an operator.",
            "Use 1 to 40 small letters, digits, dots, hyphens, or an e-mail address.",
        )
    return name


def add(session: Session, text: str, role: Role, password_hash: str, now: datetime) -> str:
    """Store a new account, and return its name.

    Raises:
        InputError: there is one of this name, or it cannot be a name.
    """
    name = named(text)
    if _stored(session, name) is not None:
        raise InputError(
            f"There is an operator {name} already.",
            f"To set a new password: notifier operators password {name}",
        )
    session.add(
        OperatorAccount(
            name=name, role=role, password_hash=password_hash, created_at=now, changed_at=now
        )
    )
    session.flush()
    return name


def require(session: Session, text: str) -> None:
    """Refuse the name of an account that is not stored.

    Raises:
        NotFoundError: there is none.
    """
    if _stored(session, text.strip().lower()) is None:
        raise _not_found(text)


def set_password(session: Session, text: str, password_hash: str, now: datetime) -> int:
    """Set the password of an account; return how many of its log-ins that ended.

    Raises:
        NotFoundError: there is no such account.
    """
    account = _stored(session, text.strip().lower())
    if account is None:
        raise _not_found(text)
    account.password_hash, account.changed_at = password_hash, now
    return end_all(session, account.name)


def set_role(session: Session, text: str, role: Role, now: datetime) -> None:
    """Set the role of an account; it counts from the next page on.

    Raises:
        NotFoundError: there is no such account.
    """
    account = _stored(session, text.strip().lower())
    if account is None:
        raise _not_found(text)
    account.role, account.changed_at = role, now
    session.flush()


def is_last_owner(session: Session, settings_hash: str | None, text: str) -> bool:
    """Return whether an account is the only owner.

    Args:
        session: a writing session; until it ends, no other one asks this.
        settings_hash: `web.operator_password_hash`.
        text: the name of the account.
    """
    db.take_turns(session, "who is an owner")
    owners = [each.name for each in listed(session, settings_hash) if each.role is Role.OWNER]
    return owners == [text.strip().lower()]


def remove(session: Session, text: str) -> int:
    """Remove an account; return how many log-ins that ended.

    Raises:
        NotFoundError: there is no such account.
    """
    name = text.strip().lower()
    if _stored(session, name) is None:
        raise _not_found(text)
    session.execute(delete(OperatorAccount).where(OperatorAccount.name == name))
    return end_all(session, name)


def listed(session: Session, settings_hash: str | None) -> Sequence[Account]:
    """Return all accounts by their names.

    Args:
        session: one that reads.
        settings_hash: `web.operator_password_hash`.
    """
    rows = session.scalars(select(OperatorAccount).order_by(OperatorAccount.name))
    accounts = [_account(row) for row in rows]
    if settings_hash and all(account.name != FROM_SETTINGS for account in accounts):
        accounts.append(Account(FROM_SETTINGS, Role.OWNER, settings_hash))
    return sorted(accounts, key=lambda account: account.name)


def find(session: Session, settings_hash: str | None, text: str) -> Account | None:
    """Return the account of a name; None if there is none. Arguments are those of `listed`."""
    name = text.strip().lower()
    row = _stored(session, name)
    if row is not None:
        return _account(row)
    if settings_hash and name == FROM_SETTINGS:
        return Account(FROM_SETTINGS, Role.OWNER, settings_hash)
    return None


def exist(session: Session, settings_hash: str | None) -> bool:
    """Return whether anybody may log in. Arguments are those of `listed`."""
    return bool(settings_hash) or session.scalar(select(OperatorAccount.id).limit(1)) is not None


def _stored(session: Session, name: str) -> OperatorAccount | None:
    return session.scalar(select(OperatorAccount).where(OperatorAccount.name == name))


def _account(row: OperatorAccount) -> Account:
    return Account(row.name, row.role, row.password_hash, row.created_at, row.id)


def _not_found(text: str) -> NotFoundError:
    is_from_settings = text.strip().lower() == FROM_SETTINGS
    return NotFoundError(
        f"There is no operator {text!r} in the database.",
        "To make the hash for web.operator_password_hash: notifier operators password operator "
        "--print"
        if is_from_settings
        else "See who there is: notifier operators list",
    )
