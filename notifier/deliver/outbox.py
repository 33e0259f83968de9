"""The outbox: every message owed, claimed by one worker at a time, settled only by the server's answer.

Owns the statuses of a delivery. The row is there before anything is sent; whether somebody still wants it is asked once
more when it is claimed.
"""

import hashlib
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, func, insert, or_, select, update
from sqlalchemy.orm import Session, joinedload

from notifier.deliver import pace
from notifier.store.models import AddressChange, Delivery, Digest, Notice, Subscriber, Subscription, Suppression
from notifier.store.statuses import (
    Cadence,
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


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this worker holds for the length of a lease.

    A digest comes as the few values its mail needs; any other mail as the whole row, for there are few of them.
    """

    id: int
    message_id: str
    due_at: datetime
    digest_id: int = 0
    to: str = ""
    link_id: str = ""
    cadence: Cadence = Cadence.WEEKLY
    at: str = ""
    on: int | None = None
    time_zone: str = "UTC"
    delivery: Delivery | None = None


@dataclass(frozen=True)
class Terms:
    """By what deliveries are claimed.

    Attributes:
        limit: how many at the most.
        hold_uncertain: leave those to a person of which nobody knows whether they went out.
        domain_rates: mails a second for single domains.
    """

    limit: int
    hold_uncertain: bool = False
    domain_rates: Mapping[str, float] = field(default_factory=dict)


def claim(session: Session, now: datetime, terms: Terms) -> list[Claimed]:
    """Take the next deliveries for this worker, for the length of a lease.

    A lease that ran out (its worker died) is taken over. What nobody wants any more is settled as `suppressed` here;
    what has to wait (a pause, a mailbox that was full, a domain's limit) is put off.
    """
    dead = Delivery.status == DeliveryStatus.SENDING, Delivery.leased_until < now
    session.execute(update(Delivery).where(*dead).values(status=DeliveryStatus.PENDING, leased_until=None))
    rows = _waiting(session, DeliveryStatus.PENDING, now, terms.limit)
    if len(rows) < terms.limit and not terms.hold_uncertain:
        rows += _waiting(session, DeliveryStatus.UNCERTAIN, now, terms.limit - len(rows))
    # What somebody waits for at this moment (a confirmation, a link) goes before what comes on a schedule.
    taken = _others(session, [row.id for row in rows if row.digest_id is None])
    taken += _digests(session, [row for row in rows if row.digest_id is not None], terms, now)
    if taken:
        session.execute(
            update(Delivery)
            .where(Delivery.id.in_([one.id for one in taken]))
            .values(status=DeliveryStatus.SENDING, leased_until=now + LEASE, attempts=Delivery.attempts + 1)
            .execution_options(synchronize_session=False)
        )
    return taken


def _waiting(session: Session, status: DeliveryStatus, now: datetime, limit: int) -> list[Any]:
    """The next ones of a status, in the order of their index."""
    chosen = (
        select(
            Delivery.id,
            Delivery.message_id,
            Delivery.due_at,
            Delivery.digest_id,
            Subscription.status,
            Subscription.link_id,
            Subscription.cadence,
            Subscription.at,
            Subscription.on,
            Subscriber.email,
            Subscriber.time_zone,
            Subscriber.address_hash,
            Subscriber.held_until,
        )
        .outerjoin(Digest, Digest.id == Delivery.digest_id)
        .outerjoin(Subscription, Subscription.id == Delivery.subscription_id)
        .outerjoin(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(
            Delivery.status == status,
            Delivery.next_attempt_at <= now,
            or_(Delivery.digest_id.is_(None), Digest.status == DigestStatus.APPROVED),
        )
        .order_by(Delivery.next_attempt_at, Delivery.id)
        .limit(limit)
        .with_for_update(of=Delivery, skip_locked=True)
    )
    return list(session.execute(chosen))


def _digests(session: Session, rows: Sequence[Any], terms: Terms, now: datetime) -> list[Claimed]:
    hashes = {row.address_hash for row in rows}
    suppressed = set(session.scalars(select(Suppression.address_hash).where(Suppression.address_hash.in_(hashes))))
    later: dict[datetime, list[int]] = {}
    refused: dict[str, list[int]] = {}
    taken = []
    limits = pace.Limits(session, terms.domain_rates, now)
    for row in rows:
        if row.address_hash in suppressed:
            refused.setdefault("the address is suppressed", []).append(row.id)
        elif row.status is SubscriptionStatus.PAUSED:
            later.setdefault(now + _PAUSE_LOOK, []).append(row.id)
        elif row.status is not SubscriptionStatus.CONFIRMED:
            refused.setdefault(f"the subscription is {row.status}", []).append(row.id)
        elif row.held_until is not None and row.held_until > now:
            later.setdefault(row.held_until, []).append(row.id)
        elif (slot := limits.slot(row.email)) > now:
            later.setdefault(slot, []).append(row.id)
        else:
            given = (row.id, row.message_id, row.due_at, row.digest_id, row.email, row.link_id)
            taken.append(Claimed(*given, row.cadence, row.at, row.on, row.time_zone))
    for reason, ids in refused.items():
        gone = {"status": DeliveryStatus.SUPPRESSED, "error": reason, "leased_until": None}
        _change(session, ids, gone)
    for moment, ids in later.items():
        put_off = {"status": DeliveryStatus.PENDING, "next_attempt_at": moment, "given_up_at": moment + PATIENCE}
        _change(session, ids, put_off)
    limits.keep()
    return taken


def _others(session: Session, ids: Sequence[int]) -> list[Claimed]:
    if not ids:
        return []
    chosen = select(Delivery).where(Delivery.id.in_(ids)).order_by(Delivery.next_attempt_at, Delivery.id)
    found = session.scalars(
        chosen.options(
            joinedload(Delivery.notice),
            joinedload(Delivery.change).joinedload(AddressChange.subscriber),
            joinedload(Delivery.subscription).joinedload(Subscription.subscriber),
            joinedload(Delivery.subscription).joinedload(Subscription.profile),
        ).execution_options(populate_existing=True)
    ).all()
    suppressed = _suppressed(session, found)
    taken = []
    for delivery in found:
        if refusal := _unwanted(delivery, suppressed):
            delivery.status, delivery.error, delivery.leased_until = DeliveryStatus.SUPPRESSED, refusal, None
        else:
            taken.append(Claimed(delivery.id, delivery.message_id, delivery.due_at, delivery=delivery))
    session.flush()
    return taken


def _change(session: Session, ids: Sequence[int], values: Mapping[str, Any]) -> None:
    changed = update(Delivery).where(Delivery.id.in_(ids)).values(**values)
    session.execute(changed.execution_options(synchronize_session=False))


def _suppressed(session: Session, deliveries: Sequence[Delivery]) -> dict[str, SuppressionCause]:
    hashes = {key for one in deliveries if (key := _address_hash(one))}
    chosen = select(Suppression.address_hash, Suppression.cause).where(Suppression.address_hash.in_(hashes))
    return dict(session.execute(chosen).all())


def _address_hash(delivery: Delivery) -> str:
    if delivery.change is not None:
        new = delivery.kind is DeliveryKind.CHANGE_NEW
        return delivery.change.address_hash if new else delivery.change.subscriber.address_hash
    return delivery.subscription.subscriber.address_hash if delivery.subscription is not None else ""


def _unwanted(delivery: Delivery, suppressed: Mapping[str, SuppressionCause]) -> str:
    cause = suppressed.get(_address_hash(delivery))
    confirming = delivery.kind is DeliveryKind.CONFIRMATION
    # Who left or was erased and signs up again is asked once more whether it was they; nothing else is sent.
    if cause is not None and not (confirming and cause in (SuppressionCause.ERASED, SuppressionCause.LEFT)):
        return "the address is suppressed"
    subscription = delivery.subscription
    if subscription is None:
        return ""
    wanted = (SubscriptionStatus.PENDING,) if confirming else _RUNNING
    return "" if subscription.status in wanted else f"the subscription is {subscription.status}"


def renew(session: Session, delivery_ids: Collection[int], now: datetime) -> None:
    """Keep the lease on deliveries that are still being sent."""
    still = Delivery.id.in_(delivery_ids), Delivery.status == DeliveryStatus.SENDING
    session.execute(update(Delivery).where(*still).values(leased_until=now + LEASE))


def settle(session: Session, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write down what the server answered; what it took, in one statement."""
    accepted = [{"one": one.delivery_id, "now": now} for one in outcomes if one.answer is Answer.ACCEPTED]
    if accepted:
        session.connection().execute(_SENT, accepted)
    others = [one for one in outcomes if one.answer is not Answer.ACCEPTED]
    if not others:
        return
    chosen = select(Delivery).where(Delivery.id.in_([one.delivery_id for one in others]))
    deliveries = {delivery.id: delivery for delivery in session.scalars(chosen)}
    for outcome in others:
        _settle(deliveries[outcome.delivery_id], outcome, now)
    session.flush()


_SENT = (
    update(Delivery.__table__)  # type: ignore[arg-type]
    .where(Delivery.__table__.c.id == bindparam("one"))
    .values(status=DeliveryStatus.SENT, sent_at=bindparam("now"), error=None, leased_until=None)
)


def _settle(delivery: Delivery, outcome: Outcome, now: datetime) -> None:
    delivery.leased_until = None
    delivery.error = outcome.said or None
    if outcome.answer is Answer.REFUSED:
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
        delivery.next_attempt_at = now + _wait(delivery)


def _wait(delivery: Delivery) -> timedelta:
    """How long until the next attempt: doubled each time, spread by a fifth so that a crowd does not come back as one.

    Every delivery has a spread of its own, the same at each attempt, so that a run that is repeated does the same.
    """
    wait: timedelta = min(_FIRST_WAIT * 2 ** min(delivery.attempts - 1, 10), _LONGEST_WAIT)
    spread = int(hashlib.sha256(delivery.message_id.encode()).hexdigest()[:4], 16) / 0xFFFF
    return timedelta(seconds=wait.total_seconds() * (0.9 + 0.2 * spread))


def wait_for(delivery: Delivery, when: datetime) -> None:
    """Try a refused message again when the mailbox may have room."""
    delivery.status, delivery.next_attempt_at, delivery.given_up_at = DeliveryStatus.PENDING, when, when + PATIENCE


def again(delivery: Delivery, when: datetime, why: str) -> None:
    """Owe a message once more that was taken and came back, with the Message-ID it had."""
    if delivery.status is DeliveryStatus.SENT:
        delivery.status, delivery.error, delivery.attempts = DeliveryStatus.PENDING, why, 0
        delivery.next_attempt_at, delivery.given_up_at = when, when + PATIENCE
        if delivery.digest is not None and delivery.digest.status is DigestStatus.SENT:
            delivery.digest.status = DigestStatus.APPROVED


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
