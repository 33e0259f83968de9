"""Due times that a wrong clock stored: further ahead than one period of the cadence.

Owns the comparison with the schedule. A due time that has passed is never touched: it is owed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from notifier.enums import Cadence, SubscriptionStatus
from notifier.store import clock
from notifier.store.models import Subscription
from notifier.subscribers import due_subscriptions
from notifier.subscribers.choices import schedule_of

# The longest time between two due times of a cadence, without clock changes. What has no due time
# of its own has one while its digest cannot be composed.
_PERIOD = {
    Cadence.IMMEDIATE: due_subscriptions.RETRY_AFTER,
    Cadence.DAILY: timedelta(days=1),
    Cadence.WEEKLY: timedelta(days=7),
    Cadence.MONTHLY: timedelta(days=31),
}


def find(session: Session, now: datetime) -> Sequence[int]:
    """Return the ids of subscriptions whose due time may be impossible; `mend` looks closer."""
    too_late = [
        and_(Subscription.cadence == cadence, Subscription.next_due_at > now + period + clock.SLACK)
        for cadence, period in _PERIOD.items()
    ]
    confirmed = Subscription.status == SubscriptionStatus.CONFIRMED
    return session.scalars(select(Subscription.id).where(confirmed, or_(*too_late))).all()


def mend(session: Session, ids: Sequence[int], now: datetime) -> int:
    """Recompute the due times that are impossible; return how many were.

    Args:
        session: a writing session.
        ids: as `find` returned them; rows that cannot be read are left as they are.
        now: the present.
    """
    readable, _ = due_subscriptions.readable(session, ids)
    mended = 0
    for subscription in readable:
        # Another machine, whose clock is a little ahead, may have passed that time already.
        latest = schedule_of(subscription).next_after(now + clock.SLACK)
        stored = subscription.next_due_at
        if stored is not None and (latest is None or stored > latest):
            subscription.next_due_at = schedule_of(subscription).next_after(now)
            subscription.trouble = None
            mended += 1
    return mended
