"""Waiting mails, counted for those who decide how many workers send.

Reads only, and only what an index answers. What of it may really be sent is known when it is
claimed (`claim.py`).
"""

from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from notifier.deliver.outbox import stop
from notifier.deliver.outbox.claim import MOST_UNCERTAIN
from notifier.enums import DeliveryStatus, DigestStatus, Lane
from notifier.store.models import Delivery, Digest, is_unfinished


def anything_due(
    session: Session,
    now: datetime,
    *,
    before: Lane | None = None,
    beyond: int = 0,
    hold_uncertain: bool = False,
) -> bool:
    """Return whether mails are due, or were left by a worker whose lease ran out.

    Args:
        session: any session.
        now: the time up to which they are due.
        before: only the lanes before this one; None for all.
        beyond: so many are left to others: True only if there are more.
        hold_uncertain: True if those that may have been sent wait for a person.
    """
    if stop.stopped_at(session) is not None:
        return False
    lanes = [lane for lane in Lane if before is None or lane < before]
    in_time = Delivery.lane.in_(lanes), Delivery.next_attempt_at <= now
    is_due = or_(
        and_(is_unfinished(), Delivery.status == DeliveryStatus.PENDING, *in_time),
        and_(
            is_unfinished(),
            Delivery.status == DeliveryStatus.UNCERTAIN,
            *in_time,
            Delivery.uncertain_times < (0 if hold_uncertain else MOST_UNCERTAIN),
        ),
        and_(
            is_unfinished(),
            Delivery.status == DeliveryStatus.SENDING,
            Delivery.lane.in_(lanes),
            Delivery.leased_until < now,
        ),
    )
    is_released = or_(Digest.id.is_(None), Digest.status != DigestStatus.COMPOSING)
    due = select(Delivery.id).outerjoin(Digest, Digest.id == Delivery.digest_id)
    due = due.where(is_due, is_released)
    return session.scalar(due.offset(beyond).limit(1)) is not None
