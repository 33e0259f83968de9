"""Pruning: deliveries that were settled long ago are removed, a window of ids at a time.

Owns which deliveries may go: those that nothing waits for. One that is open stays, however old it
is, and so does a suppressed digest that is owed again when its reason ends (`unsent.py`). What they
told is stored elsewhere before (`digest/told_before.py`).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, exists, not_, select
from sqlalchemy.orm import Session

from notifier.enums import DeliveryKind, DeliveryStatus, EndReason, SubscriptionStatus
from notifier.store.models import Delivery, Subscription


class Window(NamedTuple):
    """A range of deliveries in the order in which they were made.

    Attributes:
        first_id: the first delivery of the range.
        last_id: the last one.
        has_old: whether any of them is older than the horizon; if none is, later ones are not.
    """

    first_id: int
    last_id: int
    has_old: bool


def window(session: Session, above: int, horizon: datetime, size: int) -> Window | None:
    """Return the next deliveries with a larger id; None if there are none.

    Args:
        session: any session.
        above: the last id of the window before; 0 at the beginning.
        horizon: what was made before this time is old.
        size: how many deliveries the window has.
    """
    query = (
        select(Delivery.id, Delivery.created_at)
        .where(Delivery.id > above)
        .order_by(Delivery.id)
        .limit(size)
    )
    rows = session.execute(query).all()
    if not rows:
        return None
    return Window(rows[0].id, rows[-1].id, any(row.created_at < horizon for row in rows))


def lock_old(session: Session, of: Window, horizon: datetime) -> Sequence[tuple[int, int | None]]:
    """Lock the deliveries of a window that may go; return them with their digests.

    One that another transaction is changing at this moment is left out.
    """
    query = (
        select(Delivery.id, Delivery.digest_id)
        .where(
            Delivery.id.between(of.first_id, of.last_id),
            Delivery.created_at < horizon,
            Delivery.status.not_in(DeliveryStatus.OPEN),
            not_(_may_be_owed_again()),
        )
        .order_by(Delivery.id)
        .with_for_update(of=Delivery, skip_locked=True)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def _may_be_owed_again() -> ColumnElement[bool]:
    return and_(
        Delivery.kind == DeliveryKind.DIGEST,
        Delivery.status.in_((DeliveryStatus.SUPPRESSED, DeliveryStatus.FAILED)),
        Delivery.ended_because.in_((EndReason.SUPPRESSED, EndReason.LEFT)),
        exists().where(
            Subscription.id == Delivery.subscription_id,
            Subscription.status.in_(SubscriptionStatus.RUNNING),
        ),
    )


def remove(session: Session, delivery_ids: Collection[int]) -> None:
    """Delete deliveries that `lock_old` returned in this transaction."""
    session.execute(
        delete(Delivery)
        .where(Delivery.id.in_(delivery_ids))
        .execution_options(synchronize_session=False)
    )
