"""Deletion of subscribers and subscriptions; what refers to them is deleted by cascade."""

from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from notifier.store.models import Subscriber, Subscription


def delete_subscribers(session: Session, subscriber_ids: Collection[int]) -> None:
    """Delete people with their subscriptions, consents and deliveries (by cascade)."""
    session.execute(delete(Subscriber).where(Subscriber.id.in_(subscriber_ids)))


def delete_subscriptions(session: Session, subscription_ids: Collection[int]) -> None:
    """Delete subscriptions that never began."""
    session.execute(delete(Subscription).where(Subscription.id.in_(subscription_ids)))


def delete_sign_ups(session: Session, subscription_ids: Collection[int]) -> None:
    """Delete subscriptions that never began, and those subscribers who have no other."""
    statement = select(Subscription.subscriber_id).where(Subscription.id.in_(subscription_ids))
    owners = session.scalars(statement).all()
    delete_subscriptions(session, subscription_ids)
    others = select(Subscription.subscriber_id).where(Subscription.subscriber_id.in_(owners))
    session.execute(
        delete(Subscriber).where(Subscriber.id.in_(owners), Subscriber.id.not_in(others))
    )
