"""Suppressions: addresses that are never mailed again, known by their hash, each with its reason."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.store.models import Suppression
from notifier.store.statuses import SuppressionCause

# What its owner may lift by a double opt-in of their own.
LIFTED_BY_OWNER = frozenset((SuppressionCause.ERASED, SuppressionCause.LEFT))


def add(session: Session, address_hash: str, cause: SuppressionCause, reason: str, now: datetime) -> bool:
    """Suppress an address; returns whether it was not suppressed before, whose reason then stays."""
    if session.get(Suppression, address_hash) is not None:
        return False
    session.add(Suppression(address_hash=address_hash, cause=cause, reason=reason, at=now))
    session.flush()
    return True


def why(suppression: Suppression) -> str:
    """Why an address is suppressed: the operator's own words, or the cause with its code (``bounced 5.1.1``)."""
    if suppression.cause is SuppressionCause.BOUNCED:
        return f"{suppression.cause} {suppression.reason}".strip()
    return suppression.reason or str(suppression.cause)


def lift(session: Session, address_hash: str) -> bool:
    """Let an address be mailed again; returns whether it was suppressed."""
    found = session.get(Suppression, address_hash)
    if found is not None:
        session.delete(found)
        session.flush()
    return found is not None


def among(session: Session, hashes: Collection[str]) -> dict[str, Suppression]:
    """Those of these addresses that are suppressed."""
    chosen = select(Suppression).where(Suppression.address_hash.in_(hashes))
    return {one.address_hash: one for one in session.scalars(chosen)}


def of(session: Session, address_hash: str) -> Suppression | None:
    """The suppression of an address, if there is one."""
    return session.get(Suppression, address_hash)
