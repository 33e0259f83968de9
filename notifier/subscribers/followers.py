"""Followers: how many people follow each profile. No list, and nothing about a person."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notifier.enums import SubscriptionStatus
from notifier.store.models import Subscription


def counts(session: Session, profile_ids: Collection[int]) -> dict[int, int]:
    """Return how many confirmed subscriptions each profile has, with those that are paused."""
    running = (
        Subscription.profile_id.in_(profile_ids),
        Subscription.status.in_(SubscriptionStatus.RUNNING),
    )
    query = select(Subscription.profile_id, func.count(Subscription.id)).where(*running)
    return {row[0]: row[1] for row in session.execute(query.group_by(Subscription.profile_id))}
