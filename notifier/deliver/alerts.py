"""Alarms: whether mails go out at all.

Owns what counts as broken, and that it is said once. An alarm that rings for less is not listened
to when it counts. Subscribers who cannot be served at all count, for nobody else would ever notice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from notifier.enums import DeliveryKind, DeliveryStatus, DigestStatus, SubscriptionStatus
from notifier.store.models import Alarm, Delivery, Digest, Subscriber, Subscription

PATIENCE = timedelta(hours=1)

# The name of the alarm for subscriptions that cannot be served.
PEOPLE = "subscribers"


@dataclass(frozen=True)
class Trouble:
    """Something that is broken: what, and what to do."""

    name: str
    detail: str
    fix: str


def current(session: Session, now: datetime) -> list[Trouble]:
    """What is broken at this moment."""
    overdue = _overdue(session, now)
    found = []
    if overdue:
        numbers = ", ".join(str(one) for one in overdue)
        detail = f"Due for more than an hour, and nothing of it accepted by the mail server: digest {numbers}."
        fix = "See what the server says: notifier deliveries list --status pending"
        found.append(Trouble("digests", detail, fix))
    late = _late(session, now)
    sent = (
        session.scalar(select(func.count(Delivery.id)).where(Delivery.sent_at > now - PATIENCE))
        or 0
    )
    if late and late > sent:
        detail = f"The backlog does not shrink: {late} mails are more than an hour late, {sent} went out in the last hour."
        found.append(
            Trouble(
                "backlog", detail, "Look at smtp.rate_per_second, and at what the mail server says."
            )
        )
    unserved = _unserved(session)
    if unserved:
        detail = (
            f"{unserved} subscriber{'' if unserved == 1 else 's'} cannot be served, because what is stored of their "
            "choice cannot be read."
        )
        fix = (
            'Their "trouble" says what: notifier subscribers list --json. '
            "Name the choice anew: notifier subscribe EMAIL"
        )
        found.append(Trouble(PEOPLE, detail, fix))
    return found


def _unserved(session: Session) -> int:
    running = Subscription.status.in_(SubscriptionStatus.RUNNING)
    chosen = select(func.count(Subscription.id)).where(Subscription.trouble.is_not(None), running)
    return session.scalar(chosen) or 0


def _overdue(session: Session, now: datetime) -> Sequence[int]:
    """Digests of which not one delivery was accepted an hour after the first was due."""
    accepted = select(Delivery.id).where(
        Delivery.digest_id == Digest.id, Delivery.status == DeliveryStatus.SENT
    )
    # What waits for a person (a pause, a full mailbox) is no trouble; what the mail server puts off
    # is.
    tried = (Delivery.attempts > 0) & (
        Subscriber.held_until.is_(None) | (Subscriber.held_until <= now)
    )
    waiting = (
        select(Delivery.id)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(
            Delivery.digest_id == Digest.id,
            Delivery.status.in_(DeliveryStatus.OPEN),
            Delivery.created_at <= now - PATIENCE,
            (Delivery.next_attempt_at <= now) | tried,
        )
    )
    chosen = select(Digest.id).where(
        Digest.status == DigestStatus.APPROVED, waiting.exists(), ~accepted.exists()
    )
    return session.scalars(chosen.order_by(Digest.id).limit(10)).all()


def _late(session: Session, now: datetime) -> int:
    chosen = (
        select(func.count(Delivery.id))
        .outerjoin(Digest, Digest.id == Delivery.digest_id)
        .where(
            Delivery.status.in_(DeliveryStatus.OPEN),
            Delivery.kind != DeliveryKind.NOTICE,
            Delivery.next_attempt_at <= now - PATIENCE,
            (Digest.id.is_(None)) | (Digest.status == DigestStatus.APPROVED),
        )
    )
    return session.scalar(chosen) or 0


def update(
    session: Session, troubles: Sequence[Trouble], now: datetime
) -> tuple[list[Trouble], list[str]]:
    """Note what is broken now; returns what began since the last look, and the names of what ended."""
    known = {one.name for one in session.scalars(select(Alarm))}
    names = {one.name for one in troubles}
    begun = [one for one in troubles if one.name not in known]
    session.add_all(Alarm(name=one.name, detail=one.detail, since=now) for one in begun)
    ended = sorted(known - names)
    if ended:
        session.execute(delete(Alarm).where(Alarm.name.in_(ended)))
    return begun, ended
