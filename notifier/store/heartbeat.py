"""Heartbeat: when notifier last ran, so that `/healthz` notices when it does not run any more.

Owns `Installation.ran_at`. It is the time at which a run acts, also that of `--now`, so that a
replay is judged by its own times.
"""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from notifier.store.models import Installation

# A run begins every 30 seconds, or every few minutes from cron. After so long without one, digests
# come late. Chosen by hand; not measured.
SILENT_AFTER = timedelta(hours=4)


def beat(session: Session, now: datetime) -> None:
    """Store that notifier runs at this time."""
    session.execute(update(Installation).values(ran_at=now))


def stopped_since(session: Session, now: datetime) -> datetime | None:
    """Return the time of the last run, if it is so long ago that notifier must be dead."""
    ran_at = session.scalars(select(Installation.ran_at)).one()
    return ran_at if ran_at is not None and now - ran_at > SILENT_AFTER else None
