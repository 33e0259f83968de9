"""Overview: all subscribers with their subscriptions and status, as the operator lists them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session, joinedload

from notifier.enums import SubscriptionStatus
from notifier.store.db import in_chunks
from notifier.store.models import Subscriber, Subscription
from notifier.subscribers import suppressions
from notifier.subscribers.damaged_rows import UNREADABLE, raw_rows


def listed(
    session: Session, limit: int | None = None
) -> tuple[list[Subscriber], list[Row[Any]], int]:
    """Return subscribers with their subscriptions, the newest last.

    Args:
        session: a reading session.
        limit: return only so many, the newest; None for all.

    Returns:
        Those that can be read; the subscriptions of the others as `damaged_rows` returns them; and
        how many subscribers there are in all.
    """
    newest = select(Subscriber.id).order_by(Subscriber.id.desc()).limit(limit)
    ids = sorted(session.scalars(newest))
    people: list[Subscriber] = []
    damaged: list[int] = []
    for chunk in in_chunks(ids):
        try:
            people += _read(session, chunk)
        except UNREADABLE:
            for person_id in chunk:
                try:
                    people += _read(session, [person_id])
                except UNREADABLE:
                    damaged.append(person_id)
    rows = raw_rows(session, Subscriber.id.in_(damaged)) if damaged else []
    return people, list(rows), session.scalar(select(func.count(Subscriber.id))) or 0


def _read(session: Session, ids: Sequence[int]) -> list[Subscriber]:
    statement = select(Subscriber).where(Subscriber.id.in_(ids)).order_by(Subscriber.id)
    loaded = statement.options(
        joinedload(Subscriber.subscriptions).joinedload(Subscription.profile)
    )
    return list(session.scalars(loaded).unique())


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
