"""Earlier states of a profile: read one, some of them, or the number of the newest.

Every import stores a state (`match/profiles.py`).
"""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notifier.store.models import ProfileRevision


def earlier_states(
    session: Session, profile_id: int, before: int = 0, limit: int = 20
) -> Sequence[ProfileRevision]:
    """Return states of a profile, the newest first.

    Args:
        session: one that reads.
        profile_id: the profile.
        before: only those with a smaller number; 0 for all.
        limit: at most so many.
    """
    query = select(ProfileRevision).where(ProfileRevision.profile_id == profile_id)
    if before:
        query = query.where(ProfileRevision.number < before)
    return session.scalars(query.order_by(ProfileRevision.number.desc()).limit(limit)).all()


def state(session: Session, profile_id: int, number: int) -> ProfileRevision | None:
    """Return a state of a profile by its number; None if there is none."""
    return session.get(ProfileRevision, (profile_id, number))


def newest_number(session: Session, profile_id: int) -> int:
    """Return the number of the newest state in the history of a profile; 0 for none."""
    query = select(func.max(ProfileRevision.number)).where(ProfileRevision.profile_id == profile_id)
    return session.scalar(query) or 0
