"""Rows about people of which a column cannot be read: shown as they are stored.

Owns the raw form of such a row. A value that no version of this program wrote (another tool's, or a
fault of a disk) must not hide all other people from a list.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, String, cast, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session

from notifier.store.models import Profile, Subscriber, Subscription

# The errors by which SQLAlchemy's types say that a stored value is none of theirs.
UNREADABLE = (ValueError, LookupError, TypeError)


def _raw(attribute: InstrumentedAttribute[Any], name: str) -> Any:
    """Return a column as text, without the check of its type."""
    return cast(type_coerce(attribute, String), String).label(name)


def raw_rows(session: Session, *conditions: Any) -> Sequence[Row[Any]]:
    """Return subscriptions with their people as texts, in the order of an export.

    Args:
        session: any session.
        conditions: which of them, in SQL.

    Returns:
        Rows with `person_id`, `email`, `language`, `time_zone`, `slug`, `cadence`, `at`, `on`,
        `edition`, `status` and `trouble`.
    """
    columns = [
        Subscriber.id.label("person_id"),
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
