"""Export of the list of all subscribers, with the standing of each; `list_files` writes it.

Owns what an export has to say so that an import elsewhere gives everybody the same standing. A
suppressed address that is not stored travels as its hash, with the name of the hash's key.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, exists, select
from sqlalchemy.orm import Session

from notifier.enums import Cadence, SubscriptionStatus
from notifier.store import keys
from notifier.store.db import in_chunks
from notifier.store.models import UNREADABLE, Profile, Subscriber, Subscription, Suppression
from notifier.subscribers.damaged_rows import raw_rows
from notifier.subscribers.list_headings import EXPORT_COLUMNS
from notifier.subscribers.list_words import Standing
from notifier.subscribers.schedule import WEEKDAYS

# How many rows are read from the database at a time. Chosen by hand; not measured.
_BATCH = 1000
_SUPPRESSED = Standing.SUPPRESSED.name.lower()


def export_rows(session: Session) -> Iterator[dict[str, str]]:
    """Yield all subscriptions by `EXPORT_COLUMNS`, read from the database in batches.

    The suppressed addresses that are known by their hash only come first: an import into a new
    database takes over the salt of these hashes before it makes its own.

    Args:
        session: a reading session.
    """
    empty = dict.fromkeys(EXPORT_COLUMNS, "")
    key = keys.name_of_key(session)
    unnamed = _unnamed().execution_options(yield_per=_BATCH)
    for suppression in session.scalars(unnamed):
        yield (
            empty
            | _suppression(suppression)
            | {
                "address_hash": suppression.address_hash,
                "key": key,
            }
        )
    people = select(Subscriber.id).order_by(Subscriber.id).limit(_BATCH)
    last_id = 0
    while page := session.scalars(people.where(Subscriber.id > last_id)).all():
        theirs = select(Subscription.id).where(Subscription.subscriber_id.in_(page))
        order = theirs.order_by(Subscription.subscriber_id, Subscription.id)
        for chunk in in_chunks(session.scalars(order).all(), _BATCH):
            for cells in _lines(session, chunk):
                yield empty | cells
        last_id = page[-1]


def _lines(session: Session, ids: Sequence[int]) -> list[dict[str, str]]:
    """Return the lines of these subscriptions; one that cannot be read as it is stored."""
    statement = _exported().where(Subscription.id.in_(ids))
    try:
        return [_cells(row) for row in session.execute(statement)]
    except UNREADABLE:
        if len(ids) > 1:
            return [line for damaged_id in ids for line in _lines(session, [damaged_id])]
    return [
        {
            "email": row.email,
            "profile": row.slug,
            "every": row.cadence,
            "at": row.at,
            "on": row.on or "",
            "time_zone": row.time_zone,
            "edition": row.edition,
            "language": row.language,
            "status": _SUPPRESSED if _is_suppressed(session, row.person_id) else row.status,
        }
        for row in raw_rows(session, Subscription.id.in_(ids))
    ]


def _is_suppressed(session: Session, person_id: int) -> bool:
    theirs = select(Subscriber.address_hash).where(Subscriber.id == person_id).scalar_subquery()
    return bool(session.scalar(select(exists().where(Suppression.address_hash == theirs))))


def _unnamed() -> Select[*tuple[Any, ...]]:
    """Return the query of the suppressions that are not written in the line of a subscription."""
    written = (
        select(Subscriber.address_hash)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .distinct()
    )
    return (
        select(Suppression)
        .where(Suppression.address_hash.not_in(written))
        .order_by(Suppression.address_hash)
    )


def _suppression(suppression: Suppression) -> dict[str, str]:
    return {
        "status": _SUPPRESSED,
        "cause": str(suppression.cause),
        "reason": suppression.reason,
        "suppressed_at": _at(suppression.at),
    }


def _cells(row: Row[*tuple[Any, ...]]) -> dict[str, str]:
    subscription, subscriber, suppression = row.Subscription, row.Subscriber, row.Suppression
    paused = subscription.status is SubscriptionStatus.PAUSED
    cells = {
        "email": subscriber.email,
        "profile": row.slug,
        "every": str(subscription.cadence),
        "at": subscription.at,
        "on": _day_of(subscription),
        "time_zone": subscriber.time_zone,
        "edition": str(subscription.edition),
        "language": subscriber.language,
        "status": str(subscription.status),
        "paused_until": _at(subscription.paused_until) if paused else "",
        "confirmed_at": _at(subscription.confirmed_at),
        "ended_at": _at(subscription.ended_at),
        "hidden_sections": " ".join(subscription.hidden),
        "urgent": "yes" if subscription.urgent else "",
    }
    if suppression is not None:
        cells |= {"subscription": str(subscription.status), **_suppression(suppression)}
    return cells


def _exported() -> Select[*tuple[Any, ...]]:
    return (
        select(Subscription, Subscriber, Profile.slug, Suppression)
        .select_from(Subscriber)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .join(Profile, Profile.id == Subscription.profile_id)
        .join(Suppression, Suppression.address_hash == Subscriber.address_hash, isouter=True)
        .order_by(Subscriber.id, Subscription.id)
    )


def _day_of(subscription: Subscription) -> str:
    """Return a row's day as `parse_on` reads it: a weekday's name, or the day of the month."""
    if subscription.on is None:
        return ""
    is_weekly = subscription.cadence is Cadence.WEEKLY
    return WEEKDAYS[subscription.on] if is_weekly else str(subscription.on)


def _at(value: datetime | None) -> str:
    return value.isoformat(timespec="seconds") if value else ""
