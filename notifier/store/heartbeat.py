"""Heartbeat: when notifier last ran, so that `/healthz` notices when it does not run any more.

Owns `Installation.ran_at`, and `pruned_at`: when all that was old was last removed. Both are times
at which a run acts, also that of `--now`, so that a replay is judged by its own times.
"""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from notifier.store.models import Installation

# A run begins every 30 seconds, or every few minutes from cron. After so long without one, digests
# come late. Chosen by hand; not measured.
SILENT_AFTER = timedelta(hours=4)
# How often what is old is looked for. Chosen by hand; not measured.
_PRUNED_EVERY = timedelta(days=1)


def beat(session: Session, now: datetime) -> None:
    """Store that notifier runs at this time."""
    session.execute(update(Installation).values(ran_at=now))


def stopped_since(session: Session, now: datetime) -> datetime | None:
    """Return the time of the last run, if it is so long ago that notifier must be dead."""
    ran_at = session.scalars(select(Installation.ran_at)).one()
    return ran_at if ran_at is not None and now - ran_at > SILENT_AFTER else None


def is_pruning_due(session: Session, now: datetime) -> bool:
    """Return whether a day has passed since all that is old was removed."""
    pruned_at = session.scalars(select(Installation.pruned_at)).one()
    return pruned_at is None or not now - _PRUNED_EVERY < pruned_at <= now


def note_pruned(session: Session, now: datetime) -> None:
    """Store that all that was old at this time was removed."""
    session.execute(update(Installation).values(pruned_at=now))
