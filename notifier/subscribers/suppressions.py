"""Suppressions: addresses that are never mailed again, known by their hash, each with its reason."""

from datetime import datetime

from sqlalchemy.orm import Session

from notifier.store.models import Suppression


def add(session: Session, address_hash: str, reason: str, now: datetime) -> bool:
    """Suppress an address; returns whether it was not suppressed before, whose reason then stays."""
    if session.get(Suppression, address_hash) is not None:
        return False
    session.add(Suppression(address_hash=address_hash, reason=reason, at=now))
    session.flush()
    return True


def lift(session: Session, address_hash: str) -> bool:
    """Let an address be mailed again; returns whether it was suppressed."""
    found = session.get(Suppression, address_hash)
    if found is not None:
        session.delete(found)
        session.flush()
    return found is not None


def of(session: Session, address_hash: str) -> Suppression | None:
    """The suppression of an address, if there is one."""
    return session.get(Suppression, address_hash)
