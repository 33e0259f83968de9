"""Standing: what becomes of a subscription in the course of time: paused, taken up again, renewed, forgotten.

Owns the times by which that happens. A pause holds digests back and forgets nothing: what matched
meanwhile comes in the first digest after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from notifier.enums import ConsentEvent, DeliveryKind, DeliveryStatus, SubscriptionStatus
from notifier.store.models import Delivery, Subscriber, Subscription
from notifier.subscribers import consent, subscriptions
from notifier.subscribers.schedule import months_earlier

# How long somebody who left may take it back at the same place.
UNDO_FOR = timedelta(days=7)
# How long a sign-up waits for its yes.
UNCONFIRMED_FOR = timedelta(hours=48)
# How long the question whether somebody still wants it waits for the reminder, and the reminder for
# the end.
RENEWAL_WAIT = timedelta(days=14)
# How long the address of somebody who left is kept as proof of what was agreed to.
KEPT_AFTER_LEAVING = timedelta(days=365)

_AT_ONCE = 500


def pause(one: Subscription, until: datetime | None, now: datetime) -> bool:
    """Hold digests back, until a moment or until they say so; returns whether the subscription runs at all."""
    if one.status not in SubscriptionStatus.RUNNING:
        return False
    one.status, one.paused_until = SubscriptionStatus.PAUSED, until
    subscriptions.reschedule(one, now)
    return True


def resume(one: Subscription, now: datetime) -> bool:
    """End a pause; the next digest holds what was held back. Returns whether it was paused."""
    if one.status is not SubscriptionStatus.PAUSED:
        return False
    one.status, one.paused_until = SubscriptionStatus.CONFIRMED, None
    subscriptions.reschedule(one, now)
    return True


def may_undo(one: Subscription, now: datetime) -> bool:
    """Whether somebody who left may still take it back."""
    left_lately = one.ended_at is not None and now - one.ended_at <= UNDO_FOR
    return one.status is SubscriptionStatus.ENDED and one.confirmed_at is not None and left_lately


def undo(session: Session, one: Subscription, now: datetime) -> bool:
    """Take a leaving back, as if it had not been; nothing is lost. Returns whether it still could be."""
    if not may_undo(one, now):
        return False
    one.status, one.ended_at, one.wish = SubscriptionStatus.CONFIRMED, None, None
    subscriptions.reschedule(one, now)
    consent.record(session, one, ConsentEvent.GIVEN, "undo", "subscriber", now)
    return True


def pauses_over(session: Session, now: datetime) -> Sequence[int]:
    """The ids of the subscriptions whose pause is over; of those that could not be read lately, none before its time.

    `subscribers/due_subscriptions.py` reads their rows.
    """
    chosen = select(Subscription.id).where(
        Subscription.status == SubscriptionStatus.PAUSED,
        Subscription.paused_until <= now,
        (Subscription.trouble.is_(None))
        | (Subscription.next_due_at.is_(None))
        | (Subscription.next_due_at <= now),
    )
    return session.scalars(chosen.order_by(Subscription.id)).all()


def forget_unconfirmed(session: Session, now: datetime) -> int:
    """Let sign-ups vanish that nobody confirmed in time; returns how many.

    Counted from the last question that went out. Who was subscribed before is then as they were:
    one who left.
    """
    asked_lately = select(Delivery.subscription_id).where(
        Delivery.kind == DeliveryKind.CONFIRMATION,
        Delivery.subscription_id.is_not(None),
        (Delivery.sent_at > now - UNCONFIRMED_FOR) | Delivery.status.in_(DeliveryStatus.OPEN),
    )
    chosen = (
        select(Subscription)
        .where(
            (Subscription.status == SubscriptionStatus.PENDING) | Subscription.wish.is_not(None),
            func.coalesce(Subscription.asked_at, Subscription.created_at) <= now - UNCONFIRMED_FOR,
            Subscription.id.not_in(asked_lately),
        )
        .limit(_AT_ONCE)
    )
    unconfirmed = session.scalars(chosen).all()
    never = []
    for subscription in unconfirmed:
        subscription.wish = None
        if subscription.status is not SubscriptionStatus.PENDING:
            continue
        if subscription.confirmed_at is None:
            never.append(subscription.id)
        else:
            subscription.status, subscription.ended_at = (
                SubscriptionStatus.ENDED,
                subscription.ended_at or now,
            )
    session.flush()
    if never:
        subscriptions.cancel(session, never)
    return len(unconfirmed)


def expired_subscribers(session: Session, now: datetime) -> Sequence[Subscriber]:
    """People whose last subscription ended so long ago that nothing readable of them is needed any more."""
    running = select(Subscription.subscriber_id).where(
        (Subscription.status != SubscriptionStatus.ENDED)
        | (func.coalesce(Subscription.ended_at, Subscription.created_at) > now - KEPT_AFTER_LEAVING)
    )
    ended = select(Subscription.subscriber_id).where(
        Subscription.status == SubscriptionStatus.ENDED
    )
    chosen = select(Subscriber).where(Subscriber.id.in_(ended), Subscriber.id.not_in(running))
    return session.scalars(chosen.limit(_AT_ONCE)).all()


@dataclass(frozen=True)
class Renewals:
    """Who is to be asked whether they still want it, who reminded; and how many subscriptions ended in silence."""

    asked: tuple[Subscription, ...]
    reminded: tuple[Subscription, ...]
    ended: int


def renewals(session: Session, months: int, now: datetime) -> Renewals:
    """The renewals that are due; the caller owes the mails in the same transaction.

    Args:
        session: a writing session.
        months: how long a yes holds.
        now: when.
    """
    running = Subscription.status == SubscriptionStatus.CONFIRMED
    since = func.coalesce(Subscription.renewed_at, Subscription.confirmed_at)
    asked = _some(
        session,
        running,
        since <= months_earlier(now, months),
        Subscription.renewal_asked_at.is_(None),
    )
    for one in asked:
        one.renewal_asked_at = now
    reminded = _some(
        session,
        running,
        Subscription.renewal_asked_at <= now - RENEWAL_WAIT,
        Subscription.renewal_reminded_at.is_(None),
    )
    for one in reminded:
        one.renewal_reminded_at = now
    silent = _some(session, running, Subscription.renewal_reminded_at <= now - RENEWAL_WAIT)
    for one in silent:
        subscriptions.end(session, one, "silence", "nobody answered", now)
    return Renewals(tuple(asked), tuple(reminded), len(silent))


def _some(session: Session, *conditions: object) -> Sequence[Subscription]:
    chosen = select(Subscription).where(*conditions).order_by(Subscription.id).limit(_AT_ONCE)  # type: ignore[arg-type]
    return session.scalars(chosen.options(joinedload(Subscription.subscriber))).all()


def renew(session: Session, one: Subscription, now: datetime) -> bool:
    """Note that somebody still wants it; returns whether the subscription runs."""
    if one.status not in SubscriptionStatus.RUNNING:
        return False
    if one.renewal_asked_at is not None:
        one.renewed_at, one.renewal_asked_at, one.renewal_reminded_at = now, None, None
        consent.record(session, one, ConsentEvent.GIVEN, "renewal", "subscriber", now)
    return True
