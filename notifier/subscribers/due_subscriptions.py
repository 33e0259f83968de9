"""Serving: reading those who are due, so that one row that cannot be read stops nobody else.

Owns what makes a stored subscription one that can be served, the sentence that says why another
cannot, and the question whether a row is still what it was when a digest was composed for it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from notifier.enums import Cadence
from notifier.i18n.catalog import LANGUAGES
from notifier.store.db import in_chunks
from notifier.store.models import Subscription
from notifier.text import times

# Who cannot be served is tried again after so long.
RETRY_AFTER = timedelta(hours=1)

# The days that go with a cadence: weekdays from Monday (0), days of the month.
_DAYS = {Cadence.WEEKLY: range(7), Cadence.MONTHLY: range(1, 32)}


def readable(session: Session, ids: Sequence[int]) -> tuple[list[Subscription], dict[int, str]]:
    """The subscriptions of these ids, each with its subscriber.

    Returns:
        Those that can be served, and of the others by their id why not, in one sentence that names
        no address.
    """
    found: list[Subscription] = []
    troubles: dict[int, str] = {}
    for chunk in in_chunks(ids):
        for subscription_id, subscription in _rows(session, chunk):
            trouble = trouble_with(subscription)
            if trouble:
                troubles[subscription_id] = trouble
            elif subscription is not None:
                found.append(subscription)
    return found, troubles


def _rows(session: Session, ids: Sequence[int]) -> Iterator[tuple[int, Subscription | None]]:
    """These rows, one by one where one of them cannot be read (None)."""
    chosen = (
        select(Subscription).options(joinedload(Subscription.subscriber)).order_by(Subscription.id)
    )
    try:
        together = session.scalars(chosen.where(Subscription.id.in_(ids))).all()
    except (ValueError, LookupError, TypeError):
        for subscription_id in ids:
            try:
                subscription = session.scalar(chosen.where(Subscription.id == subscription_id))
            except (ValueError, LookupError, TypeError):
                yield subscription_id, None
            else:
                if subscription is not None:
                    yield subscription_id, subscription
        return
    yield from ((subscription.id, subscription) for subscription in together)


def trouble_with(subscription: Subscription | None) -> str:
    """Why a subscription cannot be served as it is stored, in one sentence; empty where it can."""
    if subscription is None:
        return "A column of the stored subscription cannot be read."
    person = subscription.subscriber
    days = _DAYS.get(subscription.cadence)
    hidden: object = subscription.hidden
    checks = (
        (_is_time(subscription.at), "The stored time of day does not have the form HH:MM."),
        (
            days is None or subscription.on in days,
            "The stored day does not go with how often digests are sent.",
        ),
        (_is_zone(person.time_zone), "The stored time zone does not exist."),
        (person.language in LANGUAGES, "The stored language is not one of ours."),
        (_is_list_of_names(hidden), "The stored list of hidden parts cannot be read."),
    )
    return next((sentence for holds, sentence in checks if not holds), "")


def _is_list_of_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_time(text: object) -> bool:
    try:
        return isinstance(text, str) and times.wall_time(text).strftime("%H:%M") == text
    except ValueError:
        return False


def _is_zone(name: object) -> bool:
    try:
        return isinstance(name, str) and times.zone(name).key == name
    except ValueError:
        return False


def unchanged(session: Session, read: Sequence[Subscription]) -> list[Subscription]:
    """Those of these subscriptions that are still what they were when they were read, locked.

    Whoever changed meanwhile, or is being changed by another transaction at this moment, is left
    out.

    Args:
        session: a writing session.
        read: as they were read in another session.
    """
    before = {subscription.id: _state(subscription) for subscription in read}
    chosen = (
        select(Subscription)
        .where(Subscription.id.in_(before))
        .options(joinedload(Subscription.subscriber))
        .order_by(Subscription.id)
        .with_for_update(of=Subscription, skip_locked=True)
    )
    return [one for one in session.scalars(chosen) if _state(one) == before[one.id]]


def _state(subscription: Subscription) -> tuple[object, ...]:
    """Everything that decides whether, when and what somebody is sent."""
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


def first_due(members: Sequence[Subscription], now: datetime) -> datetime:
    """When the first of these was due; those without a time of their own are due now."""
    return min(subscription.next_due_at or now for subscription in members)
