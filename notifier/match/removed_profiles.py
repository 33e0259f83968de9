"""Removed profiles: they match nothing any more, and what they brought stays.

Owns what a removal leaves: the row with its matches, digests and history, so that archive pages and
the record of what was sent stay true. A later import of the same slug brings the profile back.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from notifier.match import profiles
from notifier.store.models import Profile, Term


def remove(session: Session, profile: Profile, now: datetime) -> None:
    """Let a profile match nothing any more; a second call changes nothing.

    Args:
        session: a writing session; the caller commits.
        profile: a stored profile.
        now: the time of the removal.
    """
    if profile.removed_at is not None:
        return
    profile.removed_at = now
    session.execute(delete(Term).where(Term.profile_id == profile.id))
    session.expire(profile, ["terms"])
    profiles.note_import(session)


def removed_since(session: Session, since: datetime) -> Sequence[Profile]:
    """Return the profiles that were removed after a time, the last one first."""
    query = select(Profile).where(Profile.removed_at > since)
    return session.scalars(query.order_by(Profile.removed_at.desc())).all()


def was_stored(session: Session, slug: str) -> bool:
    """Return whether there is or was a profile with this slug."""
    return session.scalar(select(Profile.id).where(Profile.slug == slug)) is not None


def find_any(session: Session, slug: str) -> Profile:
    """Return the profile with this slug, removed or not.

    Raises:
        NotFoundError: there never was one.
    """
    profile = session.scalar(select(Profile).where(Profile.slug == slug))
    return profile or profiles.find(session, slug)
