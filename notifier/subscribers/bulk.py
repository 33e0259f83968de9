"""Many subscribers at once: looked up and inserted with a few statements for hundreds of rows.

Owns these statements; `import_export` decides what is stored.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import String, insert, select, type_coerce
from sqlalchemy.orm import Session

from notifier.enums import ConsentEvent, DeliveryKind, SubscriptionStatus
from notifier.store.db import in_chunks
from notifier.store.models import Consent, Delivery, Subscriber, Subscription


def ids_by_hash(session: Session, hashes: Iterable[str]) -> dict[str, int]:
    """Return the ids of the stored people among these address hashes."""
    people: dict[str, int] = {}
    for chunk in in_chunks(hashes):
        statement = select(Subscriber.address_hash, Subscriber.id).where(
            Subscriber.address_hash.in_(chunk)
        )
        people |= dict(session.execute(statement).all())
    return people


class Stored(NamedTuple):
    """A stored subscription; its status is None where that is no status of ours."""

    id: int
    status: SubscriptionStatus | None


def stored(session: Session, people: Iterable[int]) -> dict[tuple[int, int], Stored]:
    """Return these people's subscriptions, by subscriber and profile."""
    columns = (
        Subscription.id,
        Subscription.subscriber_id,
        Subscription.profile_id,
        type_coerce(Subscription.status, String).label("status"),
    )
    known = {str(status): status for status in SubscriptionStatus}
    rows = {}
    for chunk in in_chunks(people):
        statement = select(*columns).where(Subscription.subscriber_id.in_(chunk))
        for row in session.execute(statement):
            rows[row.subscriber_id, row.profile_id] = Stored(row.id, known.get(row.status))
    return rows


def agreed_to_by_owner(session: Session, subscription_ids: Iterable[int]) -> set[int]:
    """Return those of these subscriptions that did not begin by an import alone."""
    agreed: set[int] = set()
    for chunk in in_chunks(subscription_ids):
        statement = select(Consent.subscription_id).where(
            Consent.subscription_id.in_(chunk),
            Consent.event == ConsentEvent.GIVEN,
            Consent.method != "import",
        )
        agreed |= set(session.scalars(statement))
    return agreed


def never_asked(session: Session, subscription_ids: Iterable[int]) -> set[int]:
    """Return those of these subscriptions whose owners were never asked by mail to confirm."""
    unasked = set(subscription_ids)
    for chunk in in_chunks(sorted(unasked)):
        statement = select(Delivery.subscription_id).where(
            Delivery.subscription_id.in_(chunk), Delivery.kind == DeliveryKind.CONFIRMATION
        )
        unasked -= set(session.scalars(statement))
    return unasked


def insert_subscribers(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert many subscribers at once; the keys are the names of the table's attributes."""
    if rows:
        session.execute(insert(Subscriber), rows)


def insert_subscriptions(session: Session, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert many subscriptions at once; return their ids, in the order of the rows."""
    if not rows:
        return []
    session.execute(insert(Subscription), rows)
    ids: dict[str, int] = {}
    for chunk in in_chunks(row["link_id"] for row in rows):
        statement = select(Subscription.link_id, Subscription.id).where(
            Subscription.link_id.in_(chunk)
        )
        ids |= dict(session.execute(statement).all())
    return [ids[row["link_id"]] for row in rows]
