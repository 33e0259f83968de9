"""Waiting mails: whether any is due, of which lane, and when the next one is.

Reads only, and only what an index answers. What of it may really be sent is known when it is
claimed (`claim.py`).
"""

from datetime import datetime

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from notifier.deliver.outbox import stop
from notifier.deliver.outbox.claim import MOST_UNCERTAIN
from notifier.enums import DeliveryStatus, DigestStatus, Lane
from notifier.store.models import Delivery, Digest, is_unfinished

_NEXT_OF_LANE = select(func.min(Delivery.next_attempt_at)).where(
    is_unfinished(),
    Delivery.status == DeliveryStatus.PENDING,
    Delivery.lane == bindparam("lane"),
    Delivery.next_attempt_at > bindparam("now"),
)
# Asked again and again between two mails.
_FIRST_LANE = (
    select(Delivery.lane)
    .where(
        is_unfinished(),
        Delivery.status == DeliveryStatus.PENDING,
        Delivery.lane < bindparam("before"),
        Delivery.next_attempt_at <= bindparam("now"),
    )
    .order_by(Delivery.lane)
    .limit(1)
)


def anything_due(
    session: Session,
    now: datetime,
    before: int | None = None,
    *,
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


def first_waiting_lane(session: Session, now: datetime, before: Lane) -> int | None:
    """Return the first lane before another one in which a mail is due; None if there is none."""
    return session.scalar(_FIRST_LANE, {"before": before, "now": now})


def next_due_at(session: Session, now: datetime) -> datetime | None:
    """Return the time at which the next mail that waits becomes due; None if none waits."""
    times = [session.scalar(_NEXT_OF_LANE, {"lane": lane, "now": now}) for lane in Lane]
    return min(filter(None, times), default=None)
