"""Decisions about digests after a restore: which of them wait for one, and that they are sent.

Owns `Digest.approved_at` for them. A digest waits for a decision while it has mails that are not
settled, and no person has released it since the restore. What was held before stays held.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from notifier.enums import Cadence, DigestStatus
from notifier.store.models import (
    Delivery,
    Digest,
    DigestItem,
    Profile,
    Revision,
    has_status,
    is_unfinished,
)


@dataclass(frozen=True)
class Waiting:
    """A digest that waits for a decision.

    Attributes:
        digest_id: of the digest.
        profile: the slug of its profile.
        cadence: of its readers.
        due_at: the time at which it was due.
        recipients: how many have not got it, as far as the database knows.
        titles: of its items, in their order.
    """

    digest_id: int
    profile: str
    cadence: Cadence
    due_at: datetime
    recipients: int
    titles: tuple[str, ...]


def waiting(session: Session, restored_at: datetime) -> list[Waiting]:
    """Return the digests that wait for a decision, those that were due first at the top."""
    due_at = func.min(Delivery.due_at, type_=Delivery.due_at.type)
    query = (
        select(Digest.id, Profile.slug, Digest.cadence, due_at, func.count(Delivery.id))
        .join(Profile, Profile.id == Digest.profile_id)
        .join(Delivery, Delivery.digest_id == Digest.id)
        .where(
            is_unfinished(),
            has_status(DigestStatus.APPROVED),
            or_(Digest.approved_at.is_(None), Digest.approved_at < restored_at),
            or_(Digest.reviewed_at.is_(None), Digest.reviewed_at < restored_at),
        )
        .group_by(Digest.id, Profile.slug, Digest.cadence)
        .order_by(due_at, Digest.id)
    )
    return [Waiting(*row, _titles(session, row[0])) for row in session.execute(query)]


def _titles(session: Session, digest_id: int) -> tuple[str, ...]:
    query = (
        select(Revision.title)
        .join(DigestItem, DigestItem.revision_id == Revision.id)
        .where(DigestItem.digest_id == digest_id)
        .order_by(DigestItem.rank)
    )
    return tuple(session.scalars(query))


def release(session: Session, digest_ids: Collection[int], now: datetime) -> None:
    """Store that a person decided that these digests are sent."""
    released = update(Digest).where(Digest.id.in_(digest_ids)).values(approved_at=now)
    session.execute(released.execution_options(synchronize_session=False))
