"""Sessions: a log-in that lasts until it is ended, its time is over, or the password changes."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from notifier.store.models import OperatorSession

# A working day. Chosen by hand. No request prolongs it, because a GET changes nothing.
LASTS = timedelta(hours=12)


def begin(session: Session, name: str, password_mark: str, now: datetime) -> str:
    """Begin a session of an operator, and return what their browser keeps: 43 characters.

    Sessions whose time is over are removed.
    """
    session.execute(delete(OperatorSession).where(OperatorSession.ends_at <= now))
    token = secrets.token_urlsafe(32)
    session.add(
        OperatorSession(
            token_hash=_hash(token),
            name=name,
            password_mark=password_mark,
            created_at=now,
            ends_at=now + LASTS,
        )
    )
    session.flush()
    return token


def name_of(
    session: Session, token: str, password_mark: Callable[[str], str | None], now: datetime
) -> str | None:
    """Return the name of the operator whose browser holds a token; None if it opens nothing.

    Args:
        session: one that reads.
        token: what the browser sent.
        password_mark: returns the mark of an operator's password now; None for nobody's name.
        now: when.
    """
    row = session.scalar(select(OperatorSession).where(OperatorSession.token_hash == _hash(token)))
    if row is None or row.ends_at <= now or row.password_mark != password_mark(row.name):
        return None
    return row.name


def form_token(token: str) -> str:
    """Return what each form of a session carries, so that no other site can send one (CSRF)."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


def end(session: Session, token: str) -> None:
    """End the session of a token, if there is one."""
    session.execute(delete(OperatorSession).where(OperatorSession.token_hash == _hash(token)))


def end_all(session: Session, name: str) -> int:
    """End all sessions of an operator; return how many there were."""
    result = session.execute(delete(OperatorSession).where(OperatorSession.name == name))
    assert isinstance(result, CursorResult)
    return result.rowcount


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
