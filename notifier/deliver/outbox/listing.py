"""Listing: deliveries as `notifier deliveries list` shows them, however many there are."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, select
from sqlalchemy.orm import Session

from notifier.enums import DeliveryStatus
from notifier.store import db
from notifier.store.models import Delivery, Subscription, is_lost, is_unfinished

# Rows that are read at a time. Chosen by hand; not measured.
_AT_ONCE = 1000

# The columns by their keys in `notifier deliveries list --json`.
_COLUMNS: tuple[Any, ...] = (
    Delivery.id,
    Delivery.digest_id.label("digest"),
    Subscription.subscriber_id.label("subscriber"),
    Delivery.kind,
    Delivery.status,
    Delivery.attempts,
    Delivery.message_id,
    Delivery.due_at,
    Delivery.next_attempt_at,
    Delivery.sent_at,
    Delivery.error,
)


def listed(
    session: Session,
    status: DeliveryStatus | None = None,
    limit: int | None = None,
    profile_id: int | None = None,
    since: datetime | None = None,
) -> Iterator[RowMapping]:
    """Yield deliveries, newest first, with the keys of `notifier deliveries list --json`.

    Args:
        session: a reading session.
        status: only deliveries in this status; None for all.
        limit: the most rows; None for all.
        profile_id: only to subscriptions to this profile; None for all.
        since: only those planned since then; None for all.
    """
    newest_first = Delivery.id.desc()
    if status not in (None, DeliveryStatus.SENT):
        # Few of very many: found by the index of the status and sorted, instead of looked for among
        # all in the order of their ids. The sum keeps the database from the latter.
        newest_first = (Delivery.id + 0).desc()
    query = (
        select(*_COLUMNS)
        .outerjoin(Subscription, Subscription.id == Delivery.subscription_id)
        .where(*_in_status(status), *_wanted(profile_id, since))
        .order_by(newest_first)
        .limit(limit)
        .execution_options(yield_per=_AT_ONCE)
    )
    yield from session.execute(query).mappings()


def count(
    session: Session,
    status: DeliveryStatus | None = None,
    profile_id: int | None = None,
    since: datetime | None = None,
) -> int:
    """Return the number of these deliveries; see `db.count_some`."""
    wanted = _in_status(status) + _wanted(profile_id, since)
    query = select(Delivery.id).where(*wanted)
    if profile_id is not None:
        query = query.join(Subscription, Subscription.id == Delivery.subscription_id)
    return db.count_some(session, query)


def _wanted(profile_id: int | None, since: datetime | None) -> list[ColumnElement[bool]]:
    of_profile = [] if profile_id is None else [Subscription.profile_id == profile_id]
    return of_profile + ([] if since is None else [Delivery.created_at >= since])


def _in_status(status: DeliveryStatus | None) -> list[ColumnElement[bool]]:
    """Return the SQL conditions of a status, with that of its index where it has one."""
    if status is None:
        return []
    is_status = Delivery.status == status
    if status is DeliveryStatus.SENT:
        return [is_status]
    return [is_lost() if status in DeliveryStatus.LOST else is_unfinished(), is_status]
