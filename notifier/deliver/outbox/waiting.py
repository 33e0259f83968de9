"""Waiting mails, counted for those who decide how many workers send.

Reads only, and only what an index answers. What of it may really be sent is known when it is
claimed (`claim.py`).
"""

from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from notifier.deliver.outbox import stop
from notifier.enums import DeliveryStatus, Lane
from notifier.store.models import Delivery


def anything_due(
    session: Session, now: datetime, *, before: Lane | None = None, beyond: int = 0
) -> bool:
    """Return whether mails are due, or were left by a worker whose lease ran out.

    Args:
        session: any session.
        now: the time up to which they are due.
        before: only the lanes before this one; None for all.
        beyond: so many are left to others: True only if there are more.
    """
    if stop.stopped_at(session) is not None:
        return False
    is_due = or_(
        and_(
            Delivery.status.in_((DeliveryStatus.PENDING, DeliveryStatus.UNCERTAIN)),
            Delivery.next_attempt_at <= now,
        ),
        and_(Delivery.status == DeliveryStatus.SENDING, Delivery.leased_until < now),
    )
    due = select(Delivery.id).where(is_due)
    if before is not None:
        due = due.where(Delivery.lane < before)
    return session.scalar(due.offset(beyond).limit(1)) is not None
