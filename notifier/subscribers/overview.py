"""Overview: all subscribers with their subscriptions and status, as the operator lists them."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from notifier.enums import SubscriptionStatus
from notifier.store.models import Subscriber, Subscription
from notifier.subscribers import suppressions


def listed(session: Session, limit: int | None = None) -> tuple[list[Subscriber], int]:
    """Return subscribers with their subscriptions, the newest last, and how many there are in all.

    Args:
        session: a reading session.
        limit: return only so many, the newest; None for all.
    """
    newest = select(Subscriber.id).order_by(Subscriber.id.desc()).limit(limit)
    statement = select(Subscriber).where(Subscriber.id.in_(newest)) if limit else select(Subscriber)
    loaded = statement.options(
        joinedload(Subscriber.subscriptions).joinedload(Subscription.profile)
    )
    total = session.scalar(select(func.count(Subscriber.id))) or 0
    return list(session.scalars(loaded.order_by(Subscriber.id)).unique()), total


def status_of(session: Session, subscriber: Subscriber) -> str:
    """Return a person's status: ``suppressed``, or the best status of their subscriptions."""
    if suppressions.of(session, subscriber.address_hash):
        return "suppressed"
    best_first = (
        SubscriptionStatus.CONFIRMED,
        SubscriptionStatus.PENDING,
        SubscriptionStatus.PAUSED,
        SubscriptionStatus.ENDED,
    )
    statuses = {subscription.status for subscription in subscriber.subscriptions}
    return str(next((each for each in best_first if each in statuses), SubscriptionStatus.ENDED))
