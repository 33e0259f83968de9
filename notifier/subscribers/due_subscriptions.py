"""Due subscriptions: which digests are due, and the rows that the composer works on.

Owns the conditions under which a subscription is due, the checks that a stored row can be used, and
the comparison that shows whether a row changed while a digest was being rendered. A row that cannot
be read stops no other.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Update,
    and_,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, joinedload

from notifier.enums import Cadence, SubscriptionStatus, Tier
from notifier.i18n.catalog import LANGUAGES
from notifier.store.db import in_chunks
from notifier.store.models import HeldSuppression, Match, Subscriber, Subscription, Suppression
from notifier.subscribers.schedule import Schedule
from notifier.text import times

# A subscription whose row or digest failed is tried again after this time. Chosen by hand; not
# measured.
RETRY_AFTER = timedelta(hours=1)
# Somebody who got no mail for this time gets one that says there was no news.
MONTH = timedelta(days=30)

# Why a stored subscription cannot be used.
UNREADABLE = "A column of the stored subscription cannot be read."
WRONG_TIME = "The stored time of day does not have the form HH:MM."
WRONG_DAY = "The stored day does not go with how often digests are sent."
WRONG_ZONE = "The stored time zone does not exist."
WRONG_LANGUAGE = "The stored language is not supported."
WRONG_HIDDEN = "The stored list of hidden parts cannot be read."

# The valid days of a cadence: weekdays from Monday (0), days of the month.
DAYS = {Cadence.WEEKLY: range(7), Cadence.MONTHLY: range(1, 32)}


def not_put_off(now: datetime) -> ColumnElement[bool]:
    """Return the SQL condition that a subscription has no trouble, or may be tried again."""
    return or_(
        Subscription.trouble.is_(None),
        Subscription.next_due_at.is_(None),
        Subscription.next_due_at <= now,
    )


def may_be_mailed() -> ColumnElement[bool]:
    """Return the SQL condition that a subscriber's address is not suppressed, nor about to be.

    Nothing is composed for others: when the suppression ends, one digest has what they are owed.
    """
    return and_(
        ~exists().where(Suppression.address_hash == Subscriber.address_hash),
        ~exists().where(
            HeldSuppression.address_hash == Subscriber.address_hash,
            HeldSuppression.held_at.is_not(None),
        ),
    )


def has_unserved(session: Session, subscription: Subscription) -> bool:
    """Return whether news that an immediate digest is sent for was not composed yet."""
    unserved = select(Subscription.id).where(
        Subscription.id == subscription.id, _unserved(Match.tier.in_((Tier.ABOUT, Tier.MENTION)))
    )
    return session.scalar(unserved) is not None


def bring_forward(session: Session, ids: Collection[int], now: datetime) -> None:
    """Let digests of these subscriptions be composed at once."""
    for chunk in in_chunks(ids):
        statement = update(Subscription).where(Subscription.id.in_(chunk)).values(next_due_at=now)
        session.execute(statement.execution_options(synchronize_session=False))


def runs() -> ColumnElement[bool]:
    """Return the SQL condition that a subscription neither ended nor rests."""
    return Subscription.status == SubscriptionStatus.CONFIRMED


def make_due(subscriptions: FromClause, now: datetime) -> Update:
    """Return the statement that lets digests of subscriptions be composed at once.

    One with a trouble is tried again at its time.

    Args:
        subscriptions: rows with `subscription_id`.
        now: when.
    """
    return (
        update(Subscription)
        .where(
            Subscription.id.in_(select(subscriptions.c.subscription_id)),
            Subscription.trouble.is_(None),
            or_(Subscription.next_due_at.is_(None), Subscription.next_due_at > now),
        )
        .values(next_due_at=now)
    )


def _unserved(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the SQL condition that a subscription has an unserved match that meets these."""
    return exists(
        select(Match.id).where(
            Match.profile_id == Subscription.profile_id,
            Match.position > Subscription.position,
            Match.filed.is_(False),
            *conditions,
        )
    )


def inactive_subscriptions(session: Session, profile_id: int, now: datetime) -> Sequence[int]:
    """Return the ids of subscriptions that got no mail for a month; see `no_news_due_at`."""
    statement = select(Subscription.id).where(
        Subscription.profile_id == profile_id,
        Subscription.status == SubscriptionStatus.CONFIRMED,
        not_put_off(now),
        func.coalesce(Subscription.last_mailed_at, Subscription.confirmed_at) < now - MONTH,
    )
    statement = statement.join(Subscription.subscriber).where(may_be_mailed())
    return session.scalars(statement.order_by(Subscription.id)).all()


def no_news_due_at(subscription: Subscription) -> datetime | None:
    """Return when a no-news mail is due: at the usual hour, a month after the last mail."""
    last = subscription.last_mailed_at or subscription.confirmed_at or subscription.created_at
    daily = Schedule(Cadence.DAILY, subscription.at, None, subscription.subscriber.time_zone)
    return daily.next_after(last + MONTH)


def readable(session: Session, ids: Sequence[int]) -> tuple[list[Subscription], dict[int, str]]:
    """Read the subscriptions of these ids, each with its subscriber.

    Returns:
        Those that can be used, and for each of the others, by its id, one sentence that says why
        not. It names no address.
    """
    usable: list[Subscription] = []
    troubles: dict[int, str] = {}
    for chunk in in_chunks(ids):
        for subscription_id, subscription in stored_rows(session, chunk):
            trouble = trouble_with(subscription)
            if trouble:
                troubles[subscription_id] = trouble
            elif subscription is not None:
                usable.append(subscription)
    return usable, troubles


def stored_rows(session: Session, ids: Sequence[int]) -> Iterator[tuple[int, Subscription | None]]:
    """Yield these rows with their ids; None for one that cannot be read."""
    statement = (
        select(Subscription).options(joinedload(Subscription.subscriber)).order_by(Subscription.id)
    )
    try:
        together = session.scalars(statement.where(Subscription.id.in_(ids))).all()
    except (ValueError, LookupError, TypeError):
        for subscription_id in ids:
            try:
                subscription = session.scalar(statement.where(Subscription.id == subscription_id))
            except (ValueError, LookupError, TypeError):
                yield subscription_id, None
            else:
                if subscription is not None:
                    yield subscription_id, subscription
        return
    yield from ((subscription.id, subscription) for subscription in together)


def trouble_with(subscription: Subscription | None) -> str:
    """Return a sentence that says why a stored subscription cannot be used; empty if it can."""
    if subscription is None:
        return UNREADABLE
    person = subscription.subscriber
    days = DAYS.get(subscription.cadence)
    hidden: object = subscription.hidden
    checks = (
        (is_time(subscription.at), WRONG_TIME),
        (
            days is None or subscription.on in days,
            WRONG_DAY,
        ),
        (is_zone(person.time_zone), WRONG_ZONE),
        (person.language in LANGUAGES, WRONG_LANGUAGE),
        (is_list_of_names(hidden), WRONG_HIDDEN),
    )
    return next((sentence for holds, sentence in checks if not holds), "")


def is_list_of_names(value: object) -> bool:
    """Return whether a stored value is a list of texts."""
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def is_time(text: object) -> bool:
    """Return whether a stored value is a wall time in the form ``"HH:MM"``."""
    try:
        return isinstance(text, str) and times.wall_time(text).strftime("%H:%M") == text
    except ValueError:
        return False


def is_zone(name: object) -> bool:
    """Return whether a stored value is the name of a time zone that exists."""
    try:
        return isinstance(name, str) and times.zone(name).key == name
    except ValueError:
        return False


def unchanged(session: Session, read: Sequence[Subscription]) -> list[Subscription]:
    """Lock and return those of these subscriptions that did not change since they were read.

    One that another transaction is changing at this moment is left out.

    Args:
        session: a writing session.
        read: the rows as another session read them.
    """
    before = {subscription.id: _state(subscription) for subscription in read}
    statement = (
        select(Subscription)
        .where(Subscription.id.in_(before))
        .options(joinedload(Subscription.subscriber))
        .order_by(Subscription.id)
        .with_for_update(of=Subscription, skip_locked=True)
    )
    return [
        subscription
        for subscription in session.scalars(statement)
        if _state(subscription) == before[subscription.id]
    ]


def _state(subscription: Subscription) -> tuple[object, ...]:
    """Return everything that decides whether, when and what somebody is sent."""
    person = subscription.subscriber
    return (
        subscription.status,
        subscription.position,
        subscription.next_due_at,
        subscription.cadence,
        subscription.at,
        subscription.on,
        subscription.edition,
        tuple(subscription.hidden),
        subscription.seen_snapshot,
        subscription.last_mailed_at,
        person.language,
        person.time_zone,
        person.held_until,
    )


def put_off(session: Session, subscription_id: int, trouble: str, until: datetime) -> None:
    """Store why a digest could not be composed, for the operator, and when to try again.

    It reads nothing of the row, because a column of it may be what cannot be read.
    """
    statement = update(Subscription).where(Subscription.id == subscription_id)
    values = {"trouble": trouble, "next_due_at": until}
    session.execute(statement.values(**values).execution_options(synchronize_session=False))
