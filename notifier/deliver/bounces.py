"""Bounces: what a mail that came back means for the one it was written to.

Owns the waiting: what passes is waited for, twice as long each time, and then the digest goes out again, unless a newer
one did. A report is known by its hash: read again it changes nothing.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.deliver import outbox, reports
from notifier.deliver.reports import Failure, Report
from notifier.store import db
from notifier.store.models import BounceReport, Delivery, Subscriber, Subscription
from notifier.store.statuses import BounceKind, DeliveryKind, DeliveryStatus

# The first soft bounce holds a person's mails back for two hours, the next for four, up to 64.
_FIRST_HOLD, _MOST_DOUBLINGS = timedelta(hours=2), 5
# After so long without one, one is forgotten.
_DECAY = timedelta(days=7)
# So many, each before the one before was forgotten, and the address is given up.
_GIVEN_UP_AFTER = 8


@dataclass(frozen=True)
class Verdict:
    """What came of a report: its kind, and the person it is about, where one is known."""

    kind: BounceKind
    subscriber: Subscriber | None = None
    subscription: Subscription | None = None
    given_up: bool = False
    said: str = ""


def take(
    session: Session,
    octets: bytes,
    delivery_of: Callable[[str], int | None],
    hash_of: Callable[[str], str],
    now: datetime,
) -> list[Verdict]:
    """Read a mail that came back, once.

    Args:
        session: a writing session.
        octets: the mail.
        delivery_of: the delivery that a word in our envelope sender means.
        hash_of: the key of an address.
        now: when.

    Returns:
        What it means, of each recipient; nothing for one that was read before. The caller suppresses and ends.
    """
    key = hashlib.sha256(octets).hexdigest()
    if session.get(BounceReport, key) is not None:
        return []
    report = reports.read(octets)
    db.insert_missing(session, BounceReport, {"hash": key, "kind": report.failures[0].kind, "read_at": now})
    if report.leave_words:
        chosen = select(Subscription).where(Subscription.link_id == report.leave_words[0])
        one = session.scalar(chosen)
        return [Verdict(BounceKind.UNSUBSCRIBE, one.subscriber if one else None, one)]
    delivery = _delivery(session, report, delivery_of)
    return [_verdict(session, failure, delivery, hash_of, now) for failure in report.failures]


def _delivery(session: Session, report: Report, delivery_of: Callable[[str], int | None]) -> Delivery | None:
    for token in report.tokens:
        if (number := delivery_of(token)) is not None and (found := session.get(Delivery, number)) is not None:
            return found
    if not report.message_ids:
        return None
    return session.scalar(select(Delivery).where(Delivery.message_id.in_(report.message_ids)))


def _verdict(
    session: Session, failure: Failure, delivery: Delivery | None, hash_of: Callable[[str], str], now: datetime
) -> Verdict:
    person = _person(session, failure, delivery, hash_of)
    said = " ".join(part for part in (failure.status, failure.said) if part)
    if person is None or failure.kind is not BounceKind.SOFT:
        return Verdict(failure.kind, person, said=said)
    given_up = hold(person, now)
    if delivery is not None and delivery.kind is DeliveryKind.DIGEST and not given_up and _newest(session, delivery):
        assert person.held_until is not None
        outbox.again(delivery, person.held_until, f"came back: {said}")
    return Verdict(failure.kind, person, given_up=given_up, said=said)


def _person(
    session: Session, failure: Failure, delivery: Delivery | None, hash_of: Callable[[str], str]
) -> Subscriber | None:
    """Whom it is about: by our own word first, for what a report names may be an address behind theirs."""
    if delivery is not None and delivery.subscription is not None:
        return delivery.subscription.subscriber
    if not failure.recipient:
        return None
    try:
        key = hash_of(failure.recipient)
    except ValueError:
        return None
    return session.scalar(select(Subscriber).where(Subscriber.address_hash == key))


def hold(person: Subscriber, now: datetime) -> bool:
    """Hold a person's mails back, twice as long as the last time; returns whether the address is to be given up."""
    if person.bounced_at is not None:
        person.soft_bounces = max(0, person.soft_bounces - (now - person.bounced_at) // _DECAY)
    person.held_until = now + _FIRST_HOLD * 2 ** min(person.soft_bounces, _MOST_DOUBLINGS)
    person.soft_bounces += 1
    person.bounced_at = now
    return person.soft_bounces >= _GIVEN_UP_AFTER


def _newest(session: Session, delivery: Delivery) -> bool:
    """Whether no later digest went to the same subscription."""
    later = select(Delivery.id).where(
        Delivery.subscription_id == delivery.subscription_id,
        Delivery.kind == DeliveryKind.DIGEST,
        Delivery.id > delivery.id,
        Delivery.status.not_in((DeliveryStatus.FAILED, DeliveryStatus.SUPPRESSED)),
    )
    return session.scalar(later) is None
