"""Lifecycle of a subscription: pause, resume, undo, renewal, expiry.

Owns the periods after which these happen. A pause holds digests back and loses nothing: matches
from the pause come in the first digest after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    and_,
    exists,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy.orm import Session, aliased

from notifier.enums import ConsentEvent, DeliveryKind, SubscriptionStatus
from notifier.store.models import Delivery, Subscriber, Subscription, is_unfinished
from notifier.subscribers import consent, deletion, due_subscriptions, due_times, subscriptions
from notifier.subscribers.due_subscriptions import not_put_off
from notifier.subscribers.schedule import months_earlier
from notifier.text import times

# The periods of this file were chosen by hand; not measured.

# How long after unsubscribing somebody may undo it on the same page.
UNDO_FOR = timedelta(days=7)
# How long a sign-up waits for its confirmation.
UNCONFIRMED_FOR = timedelta(hours=48)
# How long the question whether somebody still wants the digest waits for the reminder, and the
# reminder for the end of the subscription.
RENEWAL_WAIT = timedelta(days=14)
# How long after unsubscribing the address is kept, as proof of the consent.
KEPT_AFTER_LEAVING = timedelta(days=365)

# How many rows one transaction changes, so that no other writer waits for long.
_BATCH = 500


def pause(subscription: Subscription, until: date | None, now: datetime) -> bool:
    """Hold digests back; return whether the subscription was running.

    Args:
        subscription: the subscription.
        until: the moment of the end, or the day with whose first minute it ends where the
            subscriber lives; None for until `resume`.
        now: when.
    """
    if subscription.status not in SubscriptionStatus.RUNNING:
        return False
    if until is not None and not isinstance(until, datetime):
        until = times.beginning(until, subscription.subscriber.time_zone)
    subscription.status, subscription.paused_until = SubscriptionStatus.PAUSED, until
    due_times.keep(subscription, now)
    return True


def resume(subscription: Subscription, now: datetime, *, asked: bool = True) -> bool:
    """End a pause; the next digest holds what was held back. Return whether it was paused.

    Args:
        subscription: the subscription.
        now: when.
        asked: False if the pause ends by itself (see `due_times.come_back`).
    """
    if subscription.status is not SubscriptionStatus.PAUSED:
        return False
    subscription.status, subscription.paused_until = SubscriptionStatus.CONFIRMED, None
    due_times.come_back(subscription, now, asked=asked)
    return True


def may_undo(subscription: Subscription, now: datetime) -> bool:
    """Return whether somebody who unsubscribed may still undo it."""
    ended_recently = subscription.ended_at is not None and now - subscription.ended_at <= UNDO_FOR
    return (
        subscription.status is SubscriptionStatus.ENDED
        and subscription.confirmed_at is not None
        and subscription.profile.removed_at is None
        and ended_recently
    )


def undo(session: Session, subscription: Subscription, now: datetime) -> bool:
    """Let a subscription that ended recently run again; return whether that was still possible.

    Its position is as before: what matched meanwhile comes in the next digest. What was composed
    before and not sent is owed again (`deliver/outbox/unsent.py`).
    """
    if not may_undo(subscription, now):
        return False
    subscription.status, subscription.ended_at = SubscriptionStatus.CONFIRMED, None
    subscription.wish = None
    if subscription.renewal_asked_at is not None:  # this answers the question
        due_times.forget_renewals(subscription)
        subscription.renewed_at = now
    due_times.come_back(subscription, now, asked=True)
    consent.record(session, subscription, ConsentEvent.GIVEN, "undo", "subscriber", now)
    return True


def over_pauses(now: datetime) -> Select[int]:
    """Select the subscriptions whose pause is over; see `due_subscriptions.readable`.

    One whose row could not be read recently is left out until it may be tried again.
    """
    return select(Subscription.id).where(
        Subscription.status == SubscriptionStatus.PAUSED,
        Subscription.paused_until <= now,
        not_put_off(now),
    )


def expired_pauses(session: Session, now: datetime) -> Sequence[int]:
    """Return the ids of the subscriptions whose pause is over."""
    return session.scalars(over_pauses(now).order_by(Subscription.id)).all()


def _unanswered() -> CompoundSelect[int]:
    """Select the ids of subscriptions with a question that was not answered, by their indexes."""
    return union_all(
        select(Subscription.id).where(Subscription.status == SubscriptionStatus.PENDING),
        select(Subscription.id).where(Subscription.wish.is_not(None)),
    )


def unconfirmed(now: datetime) -> Select[int]:
    """Select the sign-ups that were not confirmed in time.

    The time counts from the last question that was sent.
    """
    asked_recently = select(Delivery.subscription_id).where(
        Delivery.kind == DeliveryKind.CONFIRMATION,
        Delivery.subscription_id.is_not(None),
        (Delivery.sent_at > now - UNCONFIRMED_FOR) | is_unfinished(),
    )
    return select(Subscription.id).where(
        Subscription.id.in_(_unanswered()),
        func.coalesce(Subscription.asked_at, Subscription.created_at) <= now - UNCONFIRMED_FOR,
        Subscription.id.not_in(asked_recently),
    )


def delete_unconfirmed(session: Session, now: datetime) -> int:
    """Delete sign-ups that were not confirmed in time; return how many.

    A subscription that had ended before the sign-up stays, and has ended again.
    """
    late = session.scalars(unconfirmed(now).limit(_BATCH)).all()
    if not late:
        return 0
    these = Subscription.id.in_(late)
    # By statements: one row that cannot be read must not keep the addresses of all others.
    session.execute(update(Subscription).where(these).values(wish=None))
    pending = type_coerce(Subscription.status, String) == SubscriptionStatus.PENDING
    waiting = select(Subscription.id).where(these, pending)
    never_confirmed = session.scalars(waiting.where(Subscription.confirmed_at.is_(None))).all()
    if never_confirmed:
        deletion.delete_sign_ups(session, never_confirmed)
    ended_at = func.coalesce(Subscription.ended_at, now)
    left_before = update(Subscription).where(these, pending)
    session.execute(left_before.values(status=SubscriptionStatus.ENDED, ended_at=ended_at))
    return len(late)


def left_long_ago(now: datetime) -> Select[int]:
    """Select the people whose last subscription ended before `KEPT_AFTER_LEAVING`."""
    long_ago = now - KEPT_AFTER_LEAVING
    # The status is no parameter of the statement: only so the index of those that ended is used.
    ended = select(Subscription.subscriber_id).where(
        Subscription.status == literal_column("'ended'")
    )
    left = union_all(
        # With an open range, and without the id, SQLite would read all that ended, by the index of
        # due times.
        ended.where(Subscription.ended_at.between(datetime.min.replace(tzinfo=UTC), long_ago)),
        ended.where(
            Subscription.ended_at.is_(None),
            Subscription.created_at <= long_ago,
            Subscription.id > 0,
        ),
    )
    other = aliased(Subscription)
    kept = select(other.id).where(
        other.subscriber_id == Subscriber.id,
        or_(
            other.status != SubscriptionStatus.ENDED,
            func.coalesce(other.ended_at, other.created_at) > long_ago,
        ),
    )
    return select(Subscriber.id).where(Subscriber.id.in_(left), ~kept.exists())


def expired_subscribers(session: Session, now: datetime) -> Sequence[Subscriber]:
    """Return some of those whom `left_long_ago` selects, to be erased."""
    ids = left_long_ago(now).limit(_BATCH)
    return session.scalars(select(Subscriber).where(Subscriber.id.in_(ids))).all()


@dataclass(frozen=True)
class Renewals:
    """The subscriptions whose renewal is due.

    Attributes:
        asked: whose owners are to be asked whether they still want their digest.
        reminded: whose owners did not answer, or were not sent the reminder, and who are to be
            asked once more.
        ended: how many ended because the reminder was not answered either.
    """

    asked: tuple[Subscription, ...]
    reminded: tuple[Subscription, ...]
    ended: int


def renewals(session: Session, months: int, now: datetime) -> Renewals:
    """Note and return the renewals that are due.

    The caller enqueues the mails in the same transaction.

    Args:
        session: a writing session.
        months: how long a confirmation or a renewal holds.
        now: when.
    """
    since = func.coalesce(Subscription.renewed_at, Subscription.confirmed_at)
    asked = _mailable(
        session, since <= months_earlier(now, months), Subscription.renewal_asked_at.is_(None)
    )
    for subscription in asked:
        subscription.renewal_asked_at = now
    reminded = _mailable(
        session,
        Subscription.renewal_asked_at <= now - RENEWAL_WAIT,
        Subscription.renewal_reminded_at.is_(None),
        _had_time_to_answer(DeliveryKind.RENEWAL, now),
    )
    unanswered = and_(
        Subscription.renewal_reminded_at <= now - RENEWAL_WAIT,
        _had_time_to_answer(DeliveryKind.REMINDER, now),
    )
    silent = _mailable(session, unanswered, _was_reminded())
    unheard = _mailable(session, unanswered, ~_was_reminded())
    again = (*reminded, *unheard)
    for subscription in again:
        subscription.renewal_reminded_at = now
    for subscription in silent:
        subscriptions.end(session, subscription, "silence", "nobody answered", now)
    return Renewals(tuple(asked), again, len(silent))


def remind_again(session: Session) -> None:
    """Let everybody be reminded once more who was reminded and is not known to have answered.

    For a restored database: who answered after the backup would be ended for silence.
    """
    reminded = update(Subscription).where(Subscription.renewal_reminded_at.is_not(None))
    session.execute(reminded.values(renewal_reminded_at=None))


def _had_time_to_answer(kind: DeliveryKind, now: datetime) -> ColumnElement[bool]:
    """Return the SQL condition that no question of a kind waits, or was sent a short time ago.

    Silence counts from the mail, not from the plan: sending may be stopped, or no server be there.
    """
    return ~exists().where(
        Delivery.subscription_id == Subscription.id,
        Delivery.kind == kind,
        or_(Delivery.sent_at > now - RENEWAL_WAIT, is_unfinished()),
    )


def _was_reminded() -> ColumnElement[bool]:
    """Return the SQL condition that the last reminder was sent.

    It may have been refused, dropped by the operator, or held back while its address was
    suppressed. Only who was asked can be silent: everybody else is asked once more.
    """
    return exists().where(
        Delivery.subscription_id == Subscription.id,
        Delivery.kind == DeliveryKind.REMINDER,
        Delivery.sent_at.is_not(None),
        Delivery.created_at >= Subscription.renewal_reminded_at,
    )


def _mailable(session: Session, *conditions: ColumnElement[bool]) -> Sequence[Subscription]:
    """Return confirmed subscriptions that meet all of these conditions, at most `_BATCH`.

    Who may not be mailed is left out: they are asked when their suppression ends, and not again and
    again until then. One that cannot be read is left out, too: it must not keep all others from
    being asked.
    """
    ids = session.scalars(
        select(Subscription.id)
        .join(Subscription.subscriber)
        .where(
            Subscription.status == SubscriptionStatus.CONFIRMED,
            due_subscriptions.may_be_mailed(),
            *conditions,
        )
        .order_by(Subscription.id)
        .limit(_BATCH)
    ).all()
    usable, _ = due_subscriptions.readable(session, ids)
    return usable


def renew(session: Session, subscription: Subscription, now: datetime) -> bool:
    """Note that somebody still wants the digest; return whether the subscription is running."""
    if subscription.status not in SubscriptionStatus.RUNNING:
        return False
    if subscription.renewal_asked_at is not None:
        subscription.renewed_at = now
        subscription.renewal_asked_at, subscription.renewal_reminded_at = None, None
        consent.record(session, subscription, ConsentEvent.GIVEN, "renewal", "subscriber", now)
    return True
