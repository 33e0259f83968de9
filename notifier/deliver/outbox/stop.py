"""The stop: a person halts all sending, and lets it go on, whatever process sends.

Owns `installation.stopped_at`. Claiming asks it, and so does sending between two mails.
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from notifier.store.models import Installation

# Built once: it is asked again and again between two mails.
_STOPPED_AT = select(Installation.stopped_at)


def stop(session: Session, now: datetime) -> bool:
    """Let no further mail start; return False if none could already."""
    running = Installation.stopped_at.is_(None)
    stopped = session.scalars(
        update(Installation).where(running).values(stopped_at=now).returning(Installation.id)
    )
    return stopped.first() is not None


def resume(session: Session) -> bool:
    """Let mails go out again; return False if nothing had stopped them."""
    halted = Installation.stopped_at.is_not(None)
    resumed = session.scalars(
        update(Installation).where(halted).values(stopped_at=None).returning(Installation.id)
    )
    return resumed.first() is not None


def stopped_at(session: Session) -> datetime | None:
    """Return the time at which a person stopped sending; None while mails go out."""
    return session.scalar(_STOPPED_AT)
