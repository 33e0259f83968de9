"""Told before: what subscriptions were sent by deliveries that are not kept any more.

Owns the table `told`: for each subscription and entry the newest state that was sent. It is written
in the transaction that removes the deliveries, so that together they always say who was told, and a
later correction reaches exactly those people.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from notifier.enums import DeliveryStatus
from notifier.store.models import Delivery, DigestItem, Match, Told


def entries_told(entry_ids: Collection[int]) -> Select[int, int]:
    """Select the pairs of subscription and entry, of these entries, that are stored here."""
    return select(Told.subscription_id, Told.entry_id).where(Told.entry_id.in_(entry_ids))


def keep(session: Session, delivery_ids: Collection[int]) -> None:
    """Store what these deliveries told; those that were not sent told nothing.

    Args:
        session: the writing session in which the deliveries are removed.
        delivery_ids: locked deliveries.
    """
    sent = (
        select(Delivery.subscription_id, Match.entry_id, func.max(DigestItem.revision_id))
        .join(DigestItem, DigestItem.digest_id == Delivery.digest_id)
        .join(Match, Match.id == DigestItem.match_id)
        .where(
            Delivery.id.in_(delivery_ids),
            Delivery.status == DeliveryStatus.SENT,
            Delivery.subscription_id.is_not(None),
        )
        .group_by(Delivery.subscription_id, Match.entry_id)
        # The same order in each process: two of them never wait for each other.
        .order_by(Delivery.subscription_id, Match.entry_id)
    )
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert: Any = (sqlite.insert if is_sqlite else postgresql.insert)(Told)
    rows = insert.from_select(["subscription_id", "entry_id", "revision_id"], sent)
    newer = rows.excluded.revision_id
    latest = case((newer > Told.revision_id, newer), else_=Told.revision_id)
    session.execute(
        rows.on_conflict_do_update(
            index_elements=["subscription_id", "entry_id"], set_={"revision_id": latest}
        )
    )
