"""The end of all subscriptions to a profile, because its digest is not made any more.

Owns who is told: whoever confirmed. A sign-up that was never confirmed is deleted, and nobody
hears of it. It is done in parts, so that no other writer waits long.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from notifier.enums import SubscriptionStatus
from notifier.store.models import Subscription
from notifier.subscribers import damaged_rows, deletion, due_subscriptions, subscriptions

# How many rows one transaction changes. Chosen by hand; not measured.
_BATCH = 500
_METHOD = "profile removed"


class Ended(NamedTuple):
    """A part of the subscriptions to a profile.

    Attributes:
        ended_ids: those that were confirmed and whose owners are to be told.
        others: how many waited for a confirmation and are deleted or given up.
    """

    ended_ids: Sequence[int]
    others: int


def count_running(session: Session, profile_id: int) -> int:
    """Return how many confirmed subscriptions to a profile have not ended."""
    statement = select(func.count(Subscription.id)).where(
        Subscription.profile_id == profile_id,
        Subscription.status.in_(SubscriptionStatus.RUNNING),
    )
    return session.scalars(statement).one()


def end_some(session: Session, profile_id: int, attested_by: str, now: datetime) -> Ended | None:
    """End subscriptions to a profile, at most 500; return None if none is left.

    Args:
        session: a writing session; the caller commits, and enqueues the mails in the same
            transaction.
        profile_id: the profile.
        attested_by: who removed it, as the consent ledger names them.
        now: when.
    """
    open_ones = select(Subscription.id).where(
        Subscription.profile_id == profile_id,
        or_(Subscription.status != SubscriptionStatus.ENDED, Subscription.wish.is_not(None)),
    )
    part = session.scalars(open_ones.order_by(Subscription.id).limit(_BATCH)).all()
    if not part:
        return None
    ended_ids, unconfirmed = [], []
    for subscription_id, subscription in due_subscriptions.stored_rows(session, part):
        if subscription is None:  # a column of it cannot be read
            damaged_rows.end(session, subscription_id, _METHOD, attested_by, now)
            continue
        if subscription.status in SubscriptionStatus.RUNNING:
            ended_ids.append(subscription.id)
        elif subscription.confirmed_at is None and subscription.status is (
            SubscriptionStatus.PENDING
        ):
            unconfirmed.append(subscription.id)
            continue
        subscriptions.end(session, subscription, _METHOD, attested_by, now)
    if unconfirmed:
        deletion.delete_sign_ups(session, unconfirmed)
    return Ended(ended_ids, len(part) - len(ended_ids))
