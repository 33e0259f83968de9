"""The outbox: every message owed, claimed by one worker at a time, settled only by the server's answer.

Owns the statuses of a delivery. The row is there before anything is sent; whether somebody still wants it is asked once
more when it is claimed.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session, joinedload

from notifier.store.models import Delivery, Digest, Notice, Subscription, Suppression
from notifier.store.statuses import DeliveryKind, DeliveryStatus, DigestStatus, SubscriptionStatus

LEASE = timedelta(seconds=30)
PATIENCE = timedelta(days=3)

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


def enqueue_confirmation(session: Session, subscription: Subscription, domain: str, now: datetime) -> None:
    """Owe somebody the question whether it was they who subscribed; one that still waits is not owed twice."""
    waiting = select(Delivery.id).where(
        Delivery.subscription_id == subscription.id,
        Delivery.kind == DeliveryKind.CONFIRMATION,
        Delivery.status.in_((DeliveryStatus.PENDING, DeliveryStatus.SENDING)),
    )
    if session.scalar(waiting) is None:
        row = _row(DeliveryKind.CONFIRMATION, now, domain, now, subscription_id=subscription.id)
        session.execute(insert(Delivery), [row])


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
        Deliveries with their subscription, subscriber, profile, digest and notice, in status `sending`.
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
            joinedload(Delivery.subscription).joinedload(Subscription.subscriber),
            joinedload(Delivery.subscription).joinedload(Subscription.profile),
        )
    )
    found = session.scalars(chosen).all()
    suppressed = _suppressed(session, found)
    taken = []
    for delivery in found:
        if refusal := _unwanted(delivery, suppressed):
            delivery.status, delivery.error, delivery.leased_until = DeliveryStatus.SUPPRESSED, refusal, None
        else:
            delivery.status, delivery.leased_until = DeliveryStatus.SENDING, now + LEASE
            delivery.attempts += 1
            taken.append(delivery)
    session.flush()
    return taken


def _suppressed(session: Session, deliveries: Sequence[Delivery]) -> set[str]:
    hashes = {one.subscription.subscriber.address_hash for one in deliveries if one.subscription is not None}
    return set(session.scalars(select(Suppression.address_hash).where(Suppression.address_hash.in_(hashes))))


def _unwanted(delivery: Delivery, suppressed: set[str]) -> str:
    subscription = delivery.subscription
    if subscription is None:
        return ""  # a notice to the operator
    if subscription.subscriber.address_hash in suppressed:
        return "the address is suppressed"
    wanted = SubscriptionStatus.CONFIRMED if delivery.kind is DeliveryKind.DIGEST else SubscriptionStatus.PENDING
    return "" if subscription.status is wanted else f"the subscription is {subscription.status}"


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
