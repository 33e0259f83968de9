"""Told: which entries a subscription was sent, and what the digests of a profile say.

Owns the answer to "who was told of this entry?", which the database gives for all subscriptions at
once. It must not know when a digest is due.
"""

from collections.abc import Collection
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, or_, select

from notifier.digest import told_before
from notifier.enums import DeliveryStatus
from notifier.store.models import Delivery, DigestItem, Match


def told(entry_ids: Collection[int], not_yet: ColumnElement[bool]) -> tuple[Select[Any], ...]:
    """Return the pairs of subscription and entry, each at least once, of those who were told.

    Deliveries that are still open count as told, and so do those that may have arrived, however
    they ended: a correction too many does less harm than one that is missing. What deliveries told
    that are not kept any more is stored on its own (`told_before.py`).

    Args:
        entry_ids: the entries that are asked about.
        not_yet: the SQL condition of deliveries that do not count: they wait, and a newer digest
            may contain what they say.

    Returns:
        Statements that give rows with `subscription_id` and `entry_id`.
    """
    columns: tuple[Any, ...] = (
        Delivery.subscription_id.label("subscription_id"),
        Match.entry_id.label("entry_id"),
    )
    by_deliveries = (
        select(*columns)
        .join(DigestItem, DigestItem.digest_id == Delivery.digest_id)
        .join(Match, Match.id == DigestItem.match_id)
        .where(
            Match.entry_id.in_(entry_ids),
            or_(Delivery.status.not_in(DeliveryStatus.LOST), told_before.may_have_arrived()),
            Delivery.subscription_id.is_not(None),
            ~not_yet,
        )
    )
    stored: Select[Any] = cast("Select[Any]", told_before.entries_told(entry_ids))
    return (by_deliveries, stored)
