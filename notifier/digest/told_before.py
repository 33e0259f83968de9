"""Told before: what subscriptions were sent by deliveries that are not kept any more.

Owns the table `told`: for each subscription and entry the newest state that was sent. It is written
in the transaction that removes the deliveries, so that together they always say who was told, and a
later correction reaches exactly those people. After a restore it holds as well what deliveries told
that the backup does not have.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from notifier.enums import DeliveryStatus
from notifier.store.db import in_chunks
from notifier.store.models import Delivery, DigestItem, Match, Told


def entries_told(entry_ids: Collection[int]) -> Select[int, int]:
    """Select the pairs of subscription and entry, of these entries, that are stored here."""
    return select(Told.subscription_id, Told.entry_id).where(Told.entry_id.in_(entry_ids))


def may_have_arrived() -> ColumnElement[bool]:
    """Return the SQL condition that an answer to a delivery was lost, however it ended later."""
    return Delivery.uncertain_times > 0


class Telling(NamedTuple):
    """A state of an entry that a subscription was sent."""

    subscription_id: int
    entry_id: int
    revision_id: int


def among(session: Session, entry_ids: Collection[int]) -> set[int]:
    """Return those of these entries of which anybody was told by deliveries that are gone."""
    known: set[int] = set()
    for chunk in in_chunks(entry_ids):
        known |= {
            *session.scalars(select(Told.entry_id).where(Told.entry_id.in_(chunk)).distinct())
        }
    return known


def add(session: Session, tellings: Collection[Telling]) -> None:
    """Store what deliveries told that this database never had."""
    for chunk in in_chunks(sorted(tellings)):
        rows = _insert(session).values([each._asdict() for each in chunk])
        _store_latest(session, rows)


def keep(
    session: Session,
    delivery_ids: Collection[int],
    statuses: Collection[DeliveryStatus] = (DeliveryStatus.SENT,),
) -> None:
    """Store what these deliveries told; those that certainly did not arrive told nothing.

    Args:
        session: the writing session in which the deliveries are removed, or end.
        delivery_ids: locked deliveries.
        statuses: of those that told something, besides those that may have arrived.
    """
    sent = (
        select(Delivery.subscription_id, Match.entry_id, func.max(DigestItem.revision_id))
        .join(DigestItem, DigestItem.digest_id == Delivery.digest_id)
        .join(Match, Match.id == DigestItem.match_id)
        .where(
            Delivery.id.in_(delivery_ids),
            or_(Delivery.status.in_(statuses), may_have_arrived()),
            Delivery.subscription_id.is_not(None),
        )
        .group_by(Delivery.subscription_id, Match.entry_id)
        # The same order in each process: two of them never wait for each other.
        .order_by(Delivery.subscription_id, Match.entry_id)
    )
    rows = _insert(session).from_select(["subscription_id", "entry_id", "revision_id"], sent)
    _store_latest(session, rows)


def _insert(session: Session) -> Any:
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return (sqlite.insert if is_sqlite else postgresql.insert)(Told)


def _store_latest(session: Session, rows: Any) -> None:
    """Run an insert into the table; of a pair that is stored already, the newer state stays."""
    newer = rows.excluded.revision_id
    latest = case((newer > Told.revision_id, newer), else_=Told.revision_id)
    session.execute(
        rows.on_conflict_do_update(
            index_elements=["subscription_id", "entry_id"], set_={"revision_id": latest}
        )
    )
