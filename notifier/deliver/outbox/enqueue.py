"""Enqueuing: every message has its row in the outbox before anything of it is sent.

Owns how deliveries are created, and how one that ended or waits is made due again.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.orm import Session

from notifier.deliver.outbox.patience import PATIENCE
from notifier.enums import DeliveryKind, DeliveryStatus, Lane, WaitReason
from notifier.store import wakes
from notifier.store.db import in_chunks
from notifier.store.models import (
    AddressChange,
    Delivery,
    Digest,
    Note,
    Notice,
    Subscription,
    is_unfinished,
)

# The kinds that somebody waits for at this moment.
_ASKED = frozenset(
    (
        DeliveryKind.CONFIRMATION,
        DeliveryKind.WELCOME,
        DeliveryKind.ALREADY,
        DeliveryKind.LINK,
        DeliveryKind.CHANGE_OLD,
        DeliveryKind.CHANGE_NEW,
    )
)
# The kinds that cannot wait behind a long list: what is wrong, or what was wrong in a digest.
_URGENT = frozenset((DeliveryKind.NOTICE, DeliveryKind.NOTE))


def new_message_id(domain: str) -> str:
    """Return a random Message-ID of our domain (RFC 5322, 3.6.4); every attempt keeps it."""
    return f"<{uuid.uuid4().hex}@{domain}>"


def enqueue_asked(
    session: Session, kind: DeliveryKind, subscription: Subscription, domain: str, now: datetime
) -> None:
    """Enqueue a mail that anybody can request for an address: a confirmation, a link.

    Nothing is enqueued while one of the same kind still waits. `subscribers/signup_requests.py`
    has limited the number of mails to one mailbox before.
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
    """Enqueue for each of these subscriptions a mail about the subscription itself."""
    if subscription_ids:
        rows = [
            _row(kind, now, domain, now, subscription_id=subscription_id)
            for subscription_id in subscription_ids
        ]
        _insert(session, rows)


def enqueue_change(
    session: Session,
    change: AddressChange,
    kinds: Sequence[DeliveryKind],
    domain: str,
    now: datetime,
) -> None:
    """Enqueue the question whether a new address replaces the old one.

    Args:
        session: a writing session.
        change: the change of address.
        kinds: `CHANGE_OLD` for the old address, `CHANGE_NEW` for the new one, or both.
        domain: the right side of the Message-IDs.
        now: the time of enqueuing.
    """
    if kinds:
        _insert(session, [_row(kind, now, domain, now, change_id=change.id) for kind in kinds])


def enqueue_notice(session: Session, notice: Notice, domain: str, now: datetime) -> None:
    """Enqueue a notice to the operator."""
    _insert(session, [_row(DeliveryKind.NOTICE, now, domain, now, notice_id=notice.id)])


def enqueue_note(
    session: Session, note: Note, subscription_ids: Sequence[int], domain: str, now: datetime
) -> None:
    """Enqueue a note about a digest for the subscriptions that got it."""
    if subscription_ids:
        rows = [
            _row(
                DeliveryKind.NOTE,
                now,
                domain,
                now,
                note_id=note.id,
                subscription_id=subscription_id,
            )
            for subscription_id in subscription_ids
        ]
        _insert(session, rows)


def _insert(session: Session, rows: Sequence[dict[str, object]]) -> None:
    """Store deliveries, and wake the workers that send them."""
    session.execute(insert(Delivery), rows)
    asked = rows[0]["lane"] == Lane.ASKED
    wakes.note(session, wakes.Wake.ASKED if asked else wakes.Wake.DELIVER)


def _row(
    kind: DeliveryKind, due_at: datetime, domain: str, now: datetime, **references: int
) -> dict[str, object]:
    return {
        "kind": kind,
        "lane": _lane_of(kind),
        **references,
        "message_id": new_message_id(domain),
        "attempts": 0,
        "created_at": now,
        "due_at": due_at,
        **due_from(now),
    }


def _lane_of(kind: DeliveryKind) -> Lane:
    if kind in _ASKED:
        return Lane.ASKED
    return Lane.URGENT if kind in _URGENT else Lane.OTHERS


def due_from(when: datetime) -> dict[str, Any]:
    """Return the columns of a delivery that waits until a time, and is given up long after it."""
    return {
        "status": DeliveryStatus.PENDING,
        "next_attempt_at": when,
        "given_up_at": when + PATIENCE,
    }


def try_again_at(delivery: Delivery, when: datetime) -> None:
    """Make a delivery due at a time, whatever its status; the Message-ID stays."""
    delivery.status = DeliveryStatus.PENDING
    delivery.next_attempt_at, delivery.given_up_at = when, when + PATIENCE
    delivery.first_answer_at, delivery.reported = None, False
    delivery.ended_because = ""


def requeue(
    delivery: Delivery, when: datetime, reason: str, waits_because: WaitReason | None = None
) -> bool:
    """Make a delivery that was sent and came back due again.

    The caller reopens its digest (`digest/digests.py`).

    Args:
        delivery: the delivery; one that was not sent stays as it is.
        when: the time of the next attempt.
        reason: the text for the operator.
        waits_because: set where it came back because of us or of load.

    Returns:
        True if the delivery is due again.
    """
    if delivery.status is not DeliveryStatus.SENT:
        return False
    delivery.error, delivery.attempts = reason, 0
    delivery.waits_because = waits_because or ""
    try_again_at(delivery, when)
    return True


def resume(session: Session, digest: Digest, now: datetime) -> None:
    """Make the waiting deliveries of a digest due that were put off while it was held."""
    _make_due(session, Delivery.digest_id == digest.id, now)


def resume_subscriptions(
    session: Session, subscription_ids: Collection[int], now: datetime
) -> None:
    """Make the waiting deliveries of subscriptions due that were put off during a pause."""
    for chunk in in_chunks(subscription_ids):
        _make_due(session, Delivery.subscription_id.in_(chunk), now)


def _make_due(session: Session, condition: ColumnElement[bool], now: datetime) -> None:
    put_off = is_unfinished(), Delivery.status == DeliveryStatus.PENDING
    session.execute(update(Delivery).where(condition, *put_off).values(**due_from(now)))
    wakes.note(session, wakes.Wake.DELIVER)
