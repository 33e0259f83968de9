"""Unsent: what becomes of deliveries that wait, were suppressed, or were given up.

Owns when a suppressed digest is owed again, which waiting digests a newer one may contain, which
move to another subscription, and what a person may send again or drop. It must not know what a
digest says.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, String, and_, exists, or_, select, type_coerce, update
from sqlalchemy.orm import Session, aliased

from notifier.deliver.outbox.enqueue import due_from, try_again_at
from notifier.enums import (
    DeliveryKind,
    DeliveryStatus,
    EndReason,
    Lane,
    SubscriptionStatus,
)
from notifier.errors import NotFoundError, NotifierError
from notifier.store.db import in_chunks
from notifier.store.models import (
    Delivery,
    HeldSuppression,
    Subscriber,
    Subscription,
    Suppression,
    is_lost,
    is_stopped,
    is_unfinished,
)

# A question whose answer is not possible any more is not sent: sign-ups that nobody confirmed are
# deleted after this time (`subscribers/lifecycle.py`), as the page of the sign-up says.
QUESTIONS_LAST = timedelta(hours=48)

# How many digests one transaction makes due again. Chosen by hand; not measured.
_AT_ONCE = 500

# The words in `Delivery.error` of deliveries that ended here.
_MERGED = "a newer digest contains the same"
_EXPIRED = "nobody could confirm it any more when it could be sent"
_DROPPED = "dropped by the operator"


def may_be_merged() -> ColumnElement[bool]:
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


def _end(session: Session, ids: Collection[int], reason: EndReason, error: str) -> None:
    for chunk in in_chunks(ids):
        ended = update(Delivery).where(Delivery.id.in_(chunk))
        values = _ended(reason, error)
        session.execute(ended.values(**values).execution_options(synchronize_session=False))


def _ended(reason: EndReason, error: str) -> dict[str, object]:
    return {
        "status": DeliveryStatus.SUPPRESSED,
        "ended_because": reason,
        "error": error,
        "leased_until": None,
        "waits_because": "",
    }


# The columns of a delivery that ended because a newer digest contains what it would have sent.
MERGED_VALUES = _ended(EndReason.MERGED, _MERGED)


def _is_owed_again() -> ColumnElement[bool]:
    """Return the SQL condition that the reason has ended for which a digest was not sent.

    It asks for the delivery, its subscription and its subscriber.
    """
    suppressed = Suppression.address_hash == Subscriber.address_hash
    held = and_(
        HeldSuppression.address_hash == Subscriber.address_hash,
        HeldSuppression.held_at.is_not(None),
    )
    return and_(
        Delivery.kind == DeliveryKind.DIGEST,
        is_stopped(),
        # As expressions: otherwise SQLite would begin with all subscriptions that run, or with all
        # deliveries that failed, by their indexes.
        type_coerce(Delivery.status, String).concat("").in_(DeliveryStatus.LOST),
        type_coerce(Subscription.status, String).concat("") == SubscriptionStatus.CONFIRMED,
        Delivery.created_at >= Subscription.confirmed_at,
        ~exists().where(suppressed),
        ~exists().where(held),
    )


def is_any_owed_again(session: Session) -> bool:
    """Return whether `owe_again` has something to do."""
    owed = (
        select(Delivery.id)
        .where(_is_owed_again())
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
    )
    return session.scalar(owed.limit(1)) is not None


def note_suppressing(delivery: Delivery) -> None:
    """Note that the refusal of a digest suppressed its address: it is owed when that ends."""
    if delivery.kind is DeliveryKind.DIGEST and delivery.status is DeliveryStatus.FAILED:
        delivery.ended_because = EndReason.SUPPRESSED


class OwedAgain(NamedTuple):
    """A digest that is due again to a subscription."""

    delivery_id: int
    digest_id: int | None
    subscription_id: int | None


def owe_again(session: Session, now: datetime) -> list[OwedAgain]:
    """Make digests due again that were not sent for a reason that has ended; some at a time.

    The subscription had ended and runs again, or its address was suppressed, by the refusal of this
    digest or before it. Who signed up anew since then began anew: what was composed before is not
    owed. Nothing is composed for them before (`subscribers/due_profiles.py`), so one row that
    cannot be read must not hold up the others: none is read.

    Returns:
        The deliveries, oldest first. The caller reopens their digests (`digest/digests.py`).
    """
    statement = (
        select(Delivery.id, Delivery.digest_id, Delivery.subscription_id)
        .where(_is_owed_again())
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .order_by(Delivery.id)
        .limit(_AT_ONCE)
        .with_for_update(of=Delivery, skip_locked=True)
    )
    owed = [OwedAgain(*row) for row in session.execute(statement)]
    if owed:
        due = update(Delivery).where(Delivery.id.in_([each.delivery_id for each in owed]))
        session.execute(due.values(**due_anew(now)).execution_options(synchronize_session=False))
    return owed


def due_anew(now: datetime) -> dict[str, Any]:
    """Return the columns of a delivery that is due as if nothing had been tried.

    Its Message-ID stays, and that it may have arrived.
    """
    return {
        **due_from(now),
        "attempts": 0,
        "first_answer_at": None,
        "error": None,
        "reported": False,
        "waits_because": "",
        "ended_because": "",
    }


def hand_over(
    session: Session, old_id: int, new_id: int, composed_before: datetime | None = None
) -> None:
    """Let the digests of a subscription that did not go out go to another one of the same person.

    Args:
        session: a writing session.
        old_id: the subscription that ended.
        new_id: the one that goes on in its place.
        composed_before: only what was composed before this time; None for all.
    """
    same = aliased(Delivery)
    is_there = exists().where(same.digest_id == Delivery.digest_id, same.subscription_id == new_id)
    unsent = (DeliveryStatus.PENDING, DeliveryStatus.UNCERTAIN, DeliveryStatus.FAILED)
    waiting = [
        Delivery.subscription_id == old_id,
        Delivery.kind == DeliveryKind.DIGEST,
        Delivery.status.in_(unsent),
        ~is_there,
    ]
    if composed_before is not None:
        waiting.append(Delivery.created_at < composed_before)
    for chunk in in_chunks(session.scalars(select(Delivery.id).where(*waiting)).all()):
        moved = update(Delivery).where(Delivery.id.in_(chunk)).values(subscription_id=new_id)
        session.execute(moved.execution_options(synchronize_session=False))


def expired_questions(now: datetime) -> Select[int]:
    """Select the questions to confirm a sign-up that waited until nobody could confirm it."""
    return select(Delivery.id).where(
        Delivery.kind == DeliveryKind.CONFIRMATION,
        is_unfinished(),
        Delivery.status == DeliveryStatus.PENDING,
        Delivery.lane == Lane.ASKED,
        Delivery.created_at <= now - QUESTIONS_LAST,
    )


def drop_expired(session: Session, now: datetime) -> None:
    """End the questions that `expired_questions` selects."""
    _end(session, session.scalars(expired_questions(now)).all(), EndReason.EXPIRED, _EXPIRED)


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
        failed = and_(is_lost(), Delivery.status == DeliveryStatus.FAILED)
        uncertain = and_(is_unfinished(), Delivery.status == DeliveryStatus.UNCERTAIN)
        put_off = and_(
            is_unfinished(),
            Delivery.status == DeliveryStatus.PENDING,
            Delivery.attempts > 0,
            Delivery.next_attempt_at > now,
        )
        statement = select(Delivery).where(or_(failed, uncertain, put_off)).order_by(Delivery.id)
        deliveries = session.scalars(statement.with_for_update(of=Delivery)).all()
    for delivery in deliveries:
        if delivery.status is DeliveryStatus.PENDING:
            try_again_at(delivery, now)
        else:
            for column, value in due_anew(now).items():
                setattr(delivery, column, value)
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
    end_dropped(session, [delivery.id for delivery in deliveries])
    session.expire_all()
    return deliveries


def end_dropped(session: Session, ids: Collection[int]) -> None:
    """End deliveries that a person does not want to be sent, whatever their status."""
    _end(session, ids, EndReason.DROPPED, _DROPPED)


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
