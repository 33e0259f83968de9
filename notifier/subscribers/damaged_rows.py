"""Rows about people of which a column cannot be read: shown as they are stored, and ended.

Owns the raw form of such a row. A value that no version of this program wrote (another tool's, or a
fault of a disk) must not hide all other people from a list, nor keep its own person from leaving.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, String, cast, select, type_coerce, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from notifier.enums import ConsentEvent, SubscriptionStatus
from notifier.store.models import Profile, RetiredLink, Subscriber, Subscription
from notifier.subscribers import consent

# No object of a row that cannot be read is in the session.
_UNREAD = {"synchronize_session": False}


def _raw(attribute: InstrumentedAttribute[Any], name: str) -> Any:
    """Return a column as text, without the check of its type."""
    return cast(type_coerce(attribute, String), String).label(name)


def raw_rows(session: Session, *conditions: Any) -> Sequence[Row[Any]]:
    """Return subscriptions with their people as texts, in the order of an export.

    Args:
        session: any session.
        conditions: which of them, in SQL.

    Returns:
        Rows with `person_id`, `subscription_id`, `email`, `language`, `time_zone`, `slug`,
        `cadence`, `at`, `on`, `edition`, `status` and `trouble`.
    """
    columns = [
        Subscriber.id.label("person_id"),
        Subscription.id.label("subscription_id"),
        Subscriber.email,
        Subscriber.language,
        Subscriber.time_zone,
        Profile.slug,
        _raw(Subscription.cadence, "cadence"),
        Subscription.at,
        _raw(Subscription.on, "on"),
        _raw(Subscription.edition, "edition"),
        _raw(Subscription.status, "status"),
        Subscription.trouble,
    ]
    statement = (
        select(*columns)
        .select_from(Subscriber)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .join(Profile, Profile.id == Subscription.profile_id)
        .where(*conditions)
        .order_by(Subscriber.id, Subscription.id)
    )
    return session.execute(statement).all()


def id_by_link(session: Session, link_id: str) -> int | None:
    """Return the id of the subscription that a link ends, also one from before a new address."""
    retired = select(RetiredLink.subscription_id).where(RetiredLink.link_id == link_id)
    own = select(Subscription.id).where(Subscription.link_id == link_id)
    return session.scalar(own) or session.scalar(retired)


def ids_of(session: Session, subscriber_id: int) -> Sequence[int]:
    """Return the ids of a person's subscriptions, oldest first."""
    return session.scalars(_owned(subscriber_id)).all()


def ids_never_begun(session: Session, subscriber_id: int) -> Sequence[int]:
    """Return the ids of a person's sign-ups before which nothing was ever confirmed."""
    pending = type_coerce(Subscription.status, String) == SubscriptionStatus.PENDING
    return session.scalars(
        _owned(subscriber_id).where(pending, Subscription.confirmed_at.is_(None))
    ).all()


def _owned(subscriber_id: int) -> Select[int]:
    owned = select(Subscription.id).where(Subscription.subscriber_id == subscriber_id)
    return owned.order_by(Subscription.id)


def end(
    session: Session, subscription_id: int, method: str, attested_by: str, now: datetime
) -> bool:
    """End a subscription by statements that read nothing of what may be damaged.

    Returns:
        Whether it had not ended before.
    """
    row = session.execute(
        select(
            Subscription.profile_id,
            Subscriber.address_hash,
            Subscriber.language,
            _raw(Subscription.status, "status"),
        )
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Subscription.id == subscription_id)
    ).one()
    ending = update(Subscription).where(Subscription.id == subscription_id)
    if row.status == SubscriptionStatus.ENDED:
        session.execute(ending.values(wish=None), execution_options=_UNREAD)
        return False
    values = {"status": SubscriptionStatus.ENDED, "ended_at": now}
    session.execute(
        ending.values(**values, paused_until=None, wish=None), execution_options=_UNREAD
    )
    ledger = [(subscription_id, row.language)]
    consent.record_many(session, ledger, ConsentEvent.WITHDRAWN, method, attested_by, now)
    consent.note_departure(session, ConsentEvent.WITHDRAWN, row.address_hash, row.profile_id)
    return True
