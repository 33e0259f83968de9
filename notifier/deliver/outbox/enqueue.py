"""Owing: every message that is to be sent has its row before anything is sent.

Owns how deliveries come to be, and how one that ended is owed again.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.orm import Session

from notifier.enums import DeliveryKind, DeliveryStatus, DigestStatus
from notifier.store.models import AddressChange, Delivery, Digest, Notice, Subscription

PATIENCE = timedelta(days=3)


def new_message_id(domain: str) -> str:
    """A Message-ID of our own domain (RFC 5322, 3.6.4), given once and kept through every attempt."""
    return f"<{uuid.uuid4().hex}@{domain}>"


def enqueue_digest(
    session: Session,
    digest: Digest,
    owed: Sequence[tuple[Subscription, datetime]],
    domain: str,
    now: datetime,
) -> None:
    """Owe a digest to its group, each member with the time at which it was due to them."""
    rows = [
        _row(DeliveryKind.DIGEST, due_at, domain, now, digest_id=digest.id, subscription_id=one.id)
        for one, due_at in owed
    ]
    session.execute(insert(Delivery), rows)


def enqueue_asked(
    session: Session, kind: DeliveryKind, subscription: Subscription, domain: str, now: datetime
) -> None:
    """Owe somebody a mail that anybody can ask for in their name: a confirmation, a link.

    One that still waits is not owed twice. How many a mailbox gets is limited before, by
    `subscribers/signup_requests.py`.
    """
    waiting = select(Delivery.id).where(
        Delivery.subscription_id == subscription.id,
        Delivery.kind == kind,
        Delivery.status.in_(DeliveryStatus.WAITING),
    )
    if session.scalar(waiting) is None:
        enqueue_own(session, kind, [subscription.id], domain, now)


def enqueue_own(
    session: Session,
    kind: DeliveryKind,
    subscription_ids: Sequence[int],
    domain: str,
    now: datetime,
) -> None:
    """Owe people a mail about their own subscription."""
    if subscription_ids:
        rows = [_row(kind, now, domain, now, subscription_id=one) for one in subscription_ids]
        session.execute(insert(Delivery), rows)


def enqueue_change(
    session: Session,
    change: AddressChange,
    kinds: Sequence[DeliveryKind],
    domain: str,
    now: datetime,
) -> None:
    """Owe addresses of a change the question whether the new one takes the old one's place.

    Args:
        session: a writing session.
        change: what is asked.
        kinds: `CHANGE_OLD`, `CHANGE_NEW`, or both: who is asked.
        domain: the right side of the Message-IDs.
        now: when.
    """
    if kinds:
        session.execute(
            insert(Delivery), [_row(kind, now, domain, now, change_id=change.id) for kind in kinds]
        )


def enqueue_notice(session: Session, notice: Notice, domain: str, now: datetime) -> None:
    """Owe the operator a notice."""
    session.execute(
        insert(Delivery), [_row(DeliveryKind.NOTICE, now, domain, now, notice_id=notice.id)]
    )


def _row(
    kind: DeliveryKind, due_at: datetime, domain: str, now: datetime, **about: int
) -> dict[str, object]:
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


def wait_for(delivery: Delivery, when: datetime) -> None:
    """Try a refused message again when the mailbox may have room."""
    delivery.status, delivery.next_attempt_at, delivery.given_up_at = (
        DeliveryStatus.PENDING,
        when,
        when + PATIENCE,
    )


def requeue(delivery: Delivery, when: datetime, why: str) -> None:
    """Owe a message once more that was taken and came back, with the Message-ID it had."""
    if delivery.status is DeliveryStatus.SENT:
        delivery.status, delivery.error, delivery.attempts = DeliveryStatus.PENDING, why, 0
        delivery.next_attempt_at, delivery.given_up_at = when, when + PATIENCE
        if delivery.digest is not None and delivery.digest.status is DigestStatus.SENT:
            delivery.digest.status = DigestStatus.APPROVED


def resume(session: Session, digest: Digest, now: datetime) -> None:
    """Make due what was put off while a digest was held."""
    put_off = Delivery.digest_id == digest.id, Delivery.status == DeliveryStatus.PENDING
    session.execute(
        update(Delivery).where(*put_off).values(next_attempt_at=now, given_up_at=now + PATIENCE)
    )


def retry(session: Session, now: datetime) -> int:
    """Make every failed or uncertain delivery due again, each with its old Message-ID; returns how many."""
    chosen = select(Delivery).where(
        Delivery.status.in_((DeliveryStatus.FAILED, DeliveryStatus.UNCERTAIN))
    )
    found = session.scalars(chosen).all()
    for delivery in found:
        delivery.status, delivery.attempts = DeliveryStatus.PENDING, 0
        delivery.next_attempt_at, delivery.given_up_at = now, now + PATIENCE
        if delivery.digest is not None and delivery.digest.status is DigestStatus.SENT:
            delivery.digest.status = DigestStatus.APPROVED
    session.flush()
    return len(found)


def listed(
    session: Session, status: DeliveryStatus | None = None, limit: int | None = None
) -> tuple[Sequence[RowMapping], int]:
    """Deliveries as rows of what is told of them, newest first, and how many there are in all."""
    told: tuple[Any, ...] = (
        Delivery.id,
        Delivery.digest_id.label("digest"),
        Subscription.subscriber_id.label("subscriber"),
        Delivery.kind,
        Delivery.status,
        Delivery.attempts,
        Delivery.message_id,
        Delivery.due_at,
        Delivery.next_attempt_at,
        Delivery.sent_at,
        Delivery.error,
    )
    wanted = [Delivery.status == status] if status is not None else []
    chosen = (
        select(*told)
        .outerjoin(Subscription, Subscription.id == Delivery.subscription_id)
        .where(*wanted)
    )
    total = session.scalar(select(func.count(Delivery.id)).where(*wanted)) or 0
    return session.execute(chosen.order_by(Delivery.id.desc()).limit(limit)).mappings().all(), total
