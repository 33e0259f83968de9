"""The outbox: every message owed, claimed by one worker at a time, settled only by the server's answer.

Owns the statuses of a delivery. The row is there before anything is sent; whether somebody still wants it is asked once
more when it is claimed.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session, joinedload

from notifier.store.models import AddressChange, Delivery, Digest, Notice, Subscription, Suppression
from notifier.store.statuses import (
    DeliveryKind,
    DeliveryStatus,
    DigestStatus,
    SubscriptionStatus,
    SuppressionCause,
)

LEASE = timedelta(seconds=30)
PATIENCE = timedelta(days=3)

# How many mails an hour others can have sent to somebody's address.
ASKED_PER_HOUR = 3

_ASKED = (DeliveryKind.CONFIRMATION, DeliveryKind.ALREADY, DeliveryKind.LINK)
_RUNNING = (SubscriptionStatus.CONFIRMED, SubscriptionStatus.PAUSED)
_PAUSE_LOOK = timedelta(hours=6)
_FIRST_WAIT = timedelta(minutes=5)
_LONGEST_WAIT = timedelta(hours=4)


class Answer(StrEnum):
    """What came of an attempt."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DEFERRED = "deferred"
    UNKNOWN = "unknown"
    NOT_TRIED = "not tried"


@dataclass(frozen=True)
class Outcome:
    """The answer to one delivery's attempt, and what the server (or the connection) said."""

    delivery_id: int
    answer: Answer
    said: str = ""


def new_message_id(domain: str) -> str:
    """A Message-ID of our own domain (RFC 5322, 3.6.4), given once and kept through every attempt."""
    return f"<{uuid.uuid4().hex}@{domain}>"


def enqueue_digest(
    session: Session, digest: Digest, owed: Sequence[tuple[Subscription, datetime]], domain: str, now: datetime
) -> None:
    """Owe a digest to its group, each member with the time at which it was due to them."""
    rows = [
        _row(DeliveryKind.DIGEST, due_at, domain, now, digest_id=digest.id, subscription_id=one.id)
        for one, due_at in owed
    ]
    session.execute(insert(Delivery), rows)


def enqueue_asked(session: Session, kind: DeliveryKind, subscription: Subscription, domain: str, now: datetime) -> bool:
    """Owe somebody a mail that anybody can ask for in their name: a confirmation, a link.

    One that still waits is not owed twice, and a person gets no more of these than `ASKED_PER_HOUR`, so that nobody can
    be buried in them.

    Returns:
        Whether it is owed now.
    """
    waiting = select(Delivery.id).where(
        Delivery.subscription_id == subscription.id,
        Delivery.kind == kind,
        Delivery.status.in_((DeliveryStatus.PENDING, DeliveryStatus.SENDING)),
    )
    if session.scalar(waiting) is not None:
        return True
    of_person = select(Subscription.id).where(Subscription.subscriber_id == subscription.subscriber_id)
    lately = select(func.count(Delivery.id)).where(
        Delivery.subscription_id.in_(of_person),
        Delivery.kind.in_(_ASKED),
        Delivery.created_at > now - timedelta(hours=1),
    )
    if (session.scalar(lately) or 0) >= ASKED_PER_HOUR:
        return False
    enqueue_own(session, kind, [subscription.id], domain, now)
    return True


def enqueue_own(
    session: Session, kind: DeliveryKind, subscription_ids: Sequence[int], domain: str, now: datetime
) -> None:
    """Owe people a mail about their own subscription."""
    if subscription_ids:
        rows = [_row(kind, now, domain, now, subscription_id=one) for one in subscription_ids]
        session.execute(insert(Delivery), rows)


def enqueue_change(session: Session, change: AddressChange, domain: str, now: datetime) -> None:
    """Owe both addresses the question whether the one shall take the other's place."""
    kinds = (DeliveryKind.CHANGE_OLD, DeliveryKind.CHANGE_NEW)
    session.execute(insert(Delivery), [_row(kind, now, domain, now, change_id=change.id) for kind in kinds])


def enqueue_notice(session: Session, notice: Notice, domain: str, now: datetime) -> None:
    """Owe the operator a notice."""
    session.execute(insert(Delivery), [_row(DeliveryKind.NOTICE, now, domain, now, notice_id=notice.id)])


def _row(kind: DeliveryKind, due_at: datetime, domain: str, now: datetime, **about: int) -> dict[str, object]:
    return {
        "kind": kind,
        **about,
        "message_id": new_message_id(domain),
        "status": DeliveryStatus.PENDING,
        "attempts": 0,
        "created_at": now,
        "due_at": due_at,
        "next_attempt_at": now,
        "given_up_at": now + PATIENCE,
    }


def claim(session: Session, now: datetime, limit: int) -> list[Delivery]:
    """Take the next deliveries for this worker, for the length of a lease.

    A lease that ran out (its worker died) is taken over. What nobody wants any more is settled as `suppressed` here.

    Returns:
        Deliveries with their subscription, subscriber, profile, digest, notice and change, in status `sending`.
    """
    waiting = (DeliveryStatus.PENDING, DeliveryStatus.UNCERTAIN)
    chosen = (
        select(Delivery)
        .outerjoin(Digest, Digest.id == Delivery.digest_id)
        .where(
            or_(
                Delivery.status.in_(waiting) & (Delivery.next_attempt_at <= now),
                (Delivery.status == DeliveryStatus.SENDING) & (Delivery.leased_until < now),
            ),
            or_(Delivery.digest_id.is_(None), Digest.status == DigestStatus.APPROVED),
        )
        .order_by(Delivery.next_attempt_at, Delivery.id)
        .limit(limit)
        .with_for_update(of=Delivery, skip_locked=True)
        .options(
            joinedload(Delivery.digest),
            joinedload(Delivery.notice),
            joinedload(Delivery.change).joinedload(AddressChange.subscriber),
            joinedload(Delivery.subscription).joinedload(Subscription.subscriber),
            joinedload(Delivery.subscription).joinedload(Subscription.profile),
        )
    )
    found = session.scalars(chosen).all()
    suppressed = _suppressed(session, found)
    taken = []
    for delivery in found:
        if _paused(delivery):
            delivery.status, delivery.leased_until = DeliveryStatus.PENDING, None
            delivery.next_attempt_at, delivery.given_up_at = now + _PAUSE_LOOK, now + PATIENCE
        elif refusal := _unwanted(delivery, suppressed):
            delivery.status, delivery.error, delivery.leased_until = DeliveryStatus.SUPPRESSED, refusal, None
        else:
            delivery.status, delivery.leased_until = DeliveryStatus.SENDING, now + LEASE
            delivery.attempts += 1
            taken.append(delivery)
    session.flush()
    return taken


def _suppressed(session: Session, deliveries: Sequence[Delivery]) -> dict[str, SuppressionCause]:
    hashes = {key for one in deliveries if (key := _address_hash(one))}
    chosen = select(Suppression.address_hash, Suppression.cause).where(Suppression.address_hash.in_(hashes))
    return dict(session.execute(chosen).all())


def _address_hash(delivery: Delivery) -> str:
    if delivery.change is not None:
        new = delivery.kind is DeliveryKind.CHANGE_NEW
        return delivery.change.address_hash if new else delivery.change.subscriber.address_hash
    return delivery.subscription.subscriber.address_hash if delivery.subscription is not None else ""


def _paused(delivery: Delivery) -> bool:
    """Whether a digest waits until its reader is back."""
    one = delivery.subscription
    return delivery.kind is DeliveryKind.DIGEST and one is not None and one.status is SubscriptionStatus.PAUSED


def _unwanted(delivery: Delivery, suppressed: Mapping[str, SuppressionCause]) -> str:
    cause = suppressed.get(_address_hash(delivery))
    confirming = delivery.kind is DeliveryKind.CONFIRMATION
    # Who left or was erased and signs up again is asked once more whether it was they; nothing else is sent.
    if cause is not None and not (confirming and cause in (SuppressionCause.ERASED, SuppressionCause.LEFT)):
        return "the address is suppressed"
    subscription = delivery.subscription
    if subscription is None:
        return ""
    wanted = {
        DeliveryKind.DIGEST: (SubscriptionStatus.CONFIRMED,),
        DeliveryKind.CONFIRMATION: (SubscriptionStatus.PENDING,),
    }.get(delivery.kind, _RUNNING)
    return "" if subscription.status in wanted else f"the subscription is {subscription.status}"


def renew(session: Session, delivery_ids: Collection[int], now: datetime) -> None:
    """Keep the lease on deliveries that are still being sent."""
    still = Delivery.id.in_(delivery_ids), Delivery.status == DeliveryStatus.SENDING
    session.execute(update(Delivery).where(*still).values(leased_until=now + LEASE))


def settle(session: Session, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write down what the server answered."""
    chosen = select(Delivery).where(Delivery.id.in_([one.delivery_id for one in outcomes]))
    deliveries = {delivery.id: delivery for delivery in session.scalars(chosen)}
    for outcome in outcomes:
        _settle(deliveries[outcome.delivery_id], outcome, now)
    session.flush()


def _settle(delivery: Delivery, outcome: Outcome, now: datetime) -> None:
    delivery.leased_until = None
    delivery.error = outcome.said or None
    if outcome.answer is Answer.ACCEPTED:
        delivery.status, delivery.sent_at, delivery.error = DeliveryStatus.SENT, now, None
    elif outcome.answer is Answer.REFUSED:
        delivery.status = DeliveryStatus.FAILED
    elif outcome.answer is Answer.NOT_TRIED:
        delivery.status = DeliveryStatus.PENDING  # the server's fault, not the recipient's: due again at once
        delivery.attempts -= 1
    elif now >= delivery.given_up_at:
        delivery.status = DeliveryStatus.FAILED
        delivery.error = f"given up after {PATIENCE.days} days: {outcome.said}"
    else:
        unknown = outcome.answer is Answer.UNKNOWN
        delivery.status = DeliveryStatus.UNCERTAIN if unknown else DeliveryStatus.PENDING
        delivery.next_attempt_at = now + min(_FIRST_WAIT * 2 ** min(delivery.attempts - 1, 10), _LONGEST_WAIT)


def retry(session: Session, now: datetime) -> int:
    """Make every failed or uncertain delivery due again, each with its old Message-ID; returns how many."""
    chosen = select(Delivery).where(Delivery.status.in_((DeliveryStatus.FAILED, DeliveryStatus.UNCERTAIN)))
    found = session.scalars(chosen).all()
    for delivery in found:
        delivery.status, delivery.attempts = DeliveryStatus.PENDING, 0
        delivery.next_attempt_at, delivery.given_up_at = now, now + PATIENCE
        if delivery.digest is not None and delivery.digest.status is DigestStatus.SENT:
            delivery.digest.status = DigestStatus.APPROVED
    session.flush()
    return len(found)


def listed(session: Session, status: DeliveryStatus | None = None) -> list[Delivery]:
    """Deliveries, newest first, with their subscription and digest."""
    chosen = select(Delivery).order_by(Delivery.id.desc())
    if status is not None:
        chosen = chosen.where(Delivery.status == status)
    return list(session.scalars(chosen.options(joinedload(Delivery.subscription))))
