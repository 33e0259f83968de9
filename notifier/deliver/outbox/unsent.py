"""Unsent: what becomes of deliveries that wait, were suppressed, or were given up.

Owns when a suppressed digest is owed again, which waiting digests a newer one may contain, and what
a person may send again or drop. It must not know what a digest says.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.orm import Session, joinedload

from notifier.deliver.outbox.enqueue import try_again_at
from notifier.enums import (
    DeliveryKind,
    DeliveryStatus,
    DigestStatus,
    EndReason,
    Lane,
    SubscriptionStatus,
)
from notifier.errors import NotFoundError, NotifierError
from notifier.store.db import in_chunks
from notifier.store.models import (
    Delivery,
    Digest,
    HeldSuppression,
    Subscriber,
    Subscription,
    Suppression,
)

# A question whose answer is not possible any more is not sent: sign-ups that nobody confirmed are
# deleted after this time (`subscribers/lifecycle.py`), as the page of the sign-up says.
QUESTIONS_LAST = timedelta(hours=48)

# The words in `Delivery.error` of deliveries that ended here.
_MERGED = "a newer digest contains the same"
_EXPIRED = "nobody could confirm it any more when it could be sent"
_DROPPED = "dropped by the operator"


class Waiting(NamedTuple):
    """A composed digest that waits, and may be replaced by a newer one that contains the same.

    Attributes:
        delivery_id: the delivery.
        subscription_id: whose it is.
        digest_id: what it sends.
        due_at: the time at which it had to go out.
    """

    delivery_id: int
    subscription_id: int
    digest_id: int
    due_at: datetime


def _may_be_merged() -> ColumnElement[bool]:
    """Return the SQL condition that a digest certainly did not arrive, and waits for no recipient.

    No server put it off for its recipient's sake: our server was away, or we are refused, or the
    servers are busy. One that a crashed worker had claimed may have arrived, and so may one whose
    answer was lost: these keep their Message-ID.
    """
    return and_(
        Delivery.kind == DeliveryKind.DIGEST,
        Delivery.status == DeliveryStatus.PENDING,
        Delivery.uncertain_times == 0,
        or_(
            Delivery.waits_because != "",
            and_(Delivery.attempts == 0, Delivery.first_answer_at.is_(None)),
        ),
    )


def waiting_digests(session: Session, profile_id: int) -> dict[int, list[Waiting]]:
    """Return the digests of a profile that newer ones may contain, oldest first.

    A digest that is held is not among them: a person decides about it.

    Returns:
        By subscription id.
    """
    rows = session.execute(
        select(Delivery.id, Delivery.subscription_id, Delivery.digest_id, Delivery.due_at)
        .join(Digest, Digest.id == Delivery.digest_id)
        .where(
            _may_be_merged(),
            Digest.profile_id == profile_id,
            Digest.status == DigestStatus.APPROVED,
        )
        .order_by(Delivery.id)
    )
    waiting: dict[int, list[Waiting]] = {}
    for delivery_id, subscription_id, digest_id, due_at in rows:
        if subscription_id is not None and digest_id is not None:
            digest = Waiting(delivery_id, subscription_id, digest_id, due_at)
            waiting.setdefault(subscription_id, []).append(digest)
    return waiting


def still_waiting(session: Session, waiting: Collection[Waiting]) -> set[int]:
    """Lock these deliveries; return the ids of those that may be merged still.

    One that a worker claims at this moment is left out.
    """
    ids: set[int] = set()
    for chunk in in_chunks([each.delivery_id for each in waiting]):
        locked = select(Delivery.id).where(Delivery.id.in_(chunk), _may_be_merged())
        ids |= {*session.scalars(locked.with_for_update(of=Delivery, skip_locked=True))}
    return ids


def end_merged(session: Session, delivery_ids: Collection[int]) -> None:
    """Store that a newer digest contains what these would have sent."""
    _end(session, delivery_ids, EndReason.MERGED, _MERGED)


def _end(session: Session, ids: Collection[int], reason: EndReason, error: str) -> None:
    for chunk in in_chunks(ids):
        ended = update(Delivery).where(Delivery.id.in_(chunk))
        values = {
            "status": DeliveryStatus.SUPPRESSED,
            "ended_because": reason,
            "error": error,
            "leased_until": None,
            "waits_because": "",
        }
        session.execute(ended.values(**values).execution_options(synchronize_session=False))


def owe_again(session: Session, now: datetime) -> list[Delivery]:
    """Make digests due again that were suppressed for a reason that has ended.

    The subscription had ended and runs again, or its address was suppressed. Who signed up anew
    since then began anew: what was composed before is not owed.

    Returns:
        The deliveries, oldest first. The caller reopens their digests (`digest/digests.py`).
    """
    suppressed = Suppression.address_hash == Subscriber.address_hash
    held = and_(
        HeldSuppression.address_hash == Subscriber.address_hash,
        HeldSuppression.held_at.is_not(None),
    )
    statement = (
        select(Delivery)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(
            Delivery.kind == DeliveryKind.DIGEST,
            Delivery.status == DeliveryStatus.SUPPRESSED,
            Delivery.ended_because.in_((EndReason.SUPPRESSED, EndReason.LEFT)),
            Subscription.status == SubscriptionStatus.CONFIRMED,
            Delivery.created_at >= Subscription.confirmed_at,
            ~exists().where(suppressed),
            ~exists().where(held),
        )
        .options(joinedload(Delivery.digest))
        .order_by(Delivery.id)
        .with_for_update(of=Delivery, skip_locked=True)
    )
    deliveries = list(session.scalars(statement))
    for delivery in deliveries:
        _send_again(delivery, now)
    session.flush()
    return deliveries


def _send_again(delivery: Delivery, now: datetime) -> None:
    """Make a delivery due as if nothing had been tried; its Message-ID stays."""
    try_again_at(delivery, now)
    delivery.attempts, delivery.first_answer_at, delivery.error = 0, None, None
    delivery.waits_because, delivery.ended_because = "", ""


def drop_expired(session: Session, now: datetime) -> None:
    """End the questions to confirm a sign-up that waited until nobody could confirm it."""
    expired = select(Delivery.id).where(
        Delivery.kind == DeliveryKind.CONFIRMATION,
        Delivery.status == DeliveryStatus.PENDING,
        Delivery.lane == Lane.ASKED,
        Delivery.created_at <= now - QUESTIONS_LAST,
    )
    _end(session, session.scalars(expired).all(), EndReason.EXPIRED, _EXPIRED)


def retry(session: Session, now: datetime, ids: Collection[int] = ()) -> Sequence[Delivery]:
    """Make deliveries due at once that did not reach anybody, each with its old Message-ID.

    Args:
        session: a writing session.
        now: when.
        ids: which; none of them: all that failed, are uncertain, or wait after a refusal.

    Returns:
        These deliveries. The caller reopens their digests (`digest/digests.py`).

    Raises:
        NotFoundError: there is no delivery with one of these ids.
        NotifierError: one of these was sent, is being sent, or is not owed any more.
    """
    if ids:
        deliveries = _named(session, ids)
        for delivery in deliveries:
            _require(delivery, _may_be_retried(delivery), "sent again")
    else:
        unsent = Delivery.status.in_((DeliveryStatus.FAILED, DeliveryStatus.UNCERTAIN))
        put_off = and_(
            Delivery.status == DeliveryStatus.PENDING,
            Delivery.attempts > 0,
            Delivery.next_attempt_at > now,
        )
        statement = select(Delivery).where(or_(unsent, put_off)).order_by(Delivery.id)
        deliveries = session.scalars(statement.with_for_update(of=Delivery)).all()
    for delivery in deliveries:
        if delivery.status is DeliveryStatus.PENDING:
            try_again_at(delivery, now)
        else:
            _send_again(delivery, now)
    session.flush()
    return deliveries


def drop(session: Session, ids: Collection[int]) -> Sequence[Delivery]:
    """End deliveries that a person does not want to be sent; return them.

    Raises:
        NotFoundError: there is no delivery with one of these ids.
        NotifierError: one of these was sent, is being sent, or has ended.
    """
    deliveries = _named(session, ids)
    droppable = (DeliveryStatus.PENDING, DeliveryStatus.FAILED, DeliveryStatus.UNCERTAIN)
    for delivery in deliveries:
        _require(delivery, delivery.status in droppable, "dropped")
    _end(session, [delivery.id for delivery in deliveries], EndReason.DROPPED, _DROPPED)
    session.expire_all()
    return deliveries


def _may_be_retried(delivery: Delivery) -> bool:
    dropped = delivery.status is DeliveryStatus.SUPPRESSED and (
        delivery.ended_because == EndReason.DROPPED
    )
    unsent = (DeliveryStatus.PENDING, DeliveryStatus.FAILED, DeliveryStatus.UNCERTAIN)
    return dropped or delivery.status in unsent


def _named(session: Session, ids: Collection[int]) -> Sequence[Delivery]:
    statement = select(Delivery).where(Delivery.id.in_(ids)).order_by(Delivery.id)
    deliveries = session.scalars(statement.with_for_update(of=Delivery)).all()
    if unknown := sorted({*ids} - {delivery.id for delivery in deliveries}):
        raise NotFoundError(
            f"There is no delivery {unknown[0]}: nothing was changed.",
            "See them with: notifier deliveries list",
        )
    return deliveries


def _require(delivery: Delivery, allowed: bool, done: str) -> None:
    if not allowed:
        why = f", {delivery.error}" if delivery.error else ""
        raise NotifierError(
            f"Delivery {delivery.id} cannot be {done}: it is {delivery.status}{why}. "
            "Nothing was changed.",
            "See them with: notifier deliveries list",
        )
