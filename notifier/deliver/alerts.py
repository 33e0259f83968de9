"""Alerts: the few conditions that mean that mails do not go out, each reported once.

Owns what counts as broken. Nothing less raises an alert, so that alerts are read when they come.
Subscribers for whom no digest can be composed count too, because nobody else would ever notice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from notifier.deliver.bounces.advice import advice_for
from notifier.enums import DeliveryKind, DeliveryStatus, DigestStatus, SubscriptionStatus
from notifier.store import db
from notifier.store.models import Alarm, Delivery, Digest, Subscriber, Subscription

# A delivery is late after this time. Chosen by hand; not measured.
PATIENCE = timedelta(hours=1)

# The name of the alert about subscriptions that cannot be served.
PEOPLE = "subscribers"
# The name of the alert about refusals for our fault.
REFUSALS = "refusals"


@dataclass(frozen=True)
class Trouble:
    """A condition that is broken.

    Attributes:
        name: ``digests``, ``backlog``, ``subscribers`` or ``refusals``.
        detail: the condition, in a sentence without addresses.
        fix: what to do, in a sentence.
    """

    name: str
    detail: str
    fix: str


def current(session: Session, now: datetime) -> list[Trouble]:
    """Return what is broken at this moment."""
    troubles = (
        _overdue_digests(session, now),
        _backlog(session, now),
        _unserved_people(session),
        refused_for_us(session),
    )
    return [trouble for trouble in troubles if trouble is not None]


def _overdue_digests(session: Session, now: datetime) -> Trouble | None:
    overdue = _overdue(session, now)
    if not overdue:
        return None
    numbers = ", ".join(str(digest_id) for digest_id in overdue)
    return Trouble(
        "digests",
        "Due for more than an hour, and nothing of it accepted by the mail server: "
        f"digest {numbers}.",
        "See what the server answers: notifier deliveries list --status pending",
    )


def _backlog(session: Session, now: datetime) -> Trouble | None:
    late = _count_late(session, now)
    sent_lately = select(func.count(Delivery.id)).where(Delivery.sent_at > now - PATIENCE)
    sent = session.scalar(sent_lately) or 0
    if not late or late <= sent:
        return None
    return Trouble(
        "backlog",
        f"The backlog does not shrink: {late} mails are more than an hour late, and {sent} were "
        "sent in the last hour.",
        "Check smtp.rate_per_second, and the answers of the mail server.",
    )


def _unserved_people(session: Session) -> Trouble | None:
    running = Subscription.status.in_(SubscriptionStatus.RUNNING)
    unserved = select(func.count(Subscription.id)).where(Subscription.trouble.is_not(None), running)
    number = session.scalar(unserved) or 0
    if not number:
        return None
    return Trouble(
        PEOPLE,
        f"{number} subscriber{'' if number == 1 else 's'} cannot be served, because their stored "
        "choice cannot be read.",
        'The reason is in "trouble": notifier subscribers list --json. '
        "Store their choice again: notifier subscribe EMAIL",
    )


def refused_for_us(session: Session) -> Trouble | None:
    """Return the trouble that mails wait because servers refuse us; None if none does."""
    waiting = (
        Delivery.status.in_(DeliveryStatus.WAITING),
        Delivery.waits_because != "",
        Delivery.kind != DeliveryKind.NOTICE,
    )
    number = session.scalar(select(func.count(Delivery.id)).where(*waiting)) or 0
    if not number:
        return None
    newest = select(Delivery.error).where(*waiting).order_by(Delivery.id.desc()).limit(1)
    answer = session.scalar(newest) or ""
    return Trouble(
        REFUSALS,
        f"{number} mail{' waits' if number == 1 else 's wait'}, because mail servers refuse us, or "
        f"how much we send. They say nothing about the recipients.\nOne answer: {answer}",
        f"{advice_for(answer)}\n"
        "Nobody is suppressed. The mails are tried again by themselves, ever more slowly; at once: "
        "notifier deliveries retry",
    )


def _overdue(session: Session, now: datetime) -> Sequence[int]:
    """Return the ids of digests of which no delivery was accepted within an hour, at most 10."""
    accepted = select(Delivery.id).where(
        Delivery.digest_id == Digest.id, Delivery.status == DeliveryStatus.SENT
    )
    # A delivery that waits for its recipient (a pause, a full mailbox) is normal. One that the mail
    # server defers is not.
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
    overdue = select(Digest.id).where(
        Digest.status == DigestStatus.APPROVED, waiting.exists(), ~accepted.exists()
    )
    return session.scalars(overdue.order_by(Digest.id).limit(10)).all()


def _count_late(session: Session, now: datetime) -> int:
    """Count the deliveries that were due more than an hour ago, without notices."""
    late = (
        select(func.count(Delivery.id))
        .outerjoin(Digest, Digest.id == Delivery.digest_id)
        .where(
            Delivery.status.in_(DeliveryStatus.OPEN),
            Delivery.kind != DeliveryKind.NOTICE,
            Delivery.next_attempt_at <= now - PATIENCE,
            (Digest.id.is_(None)) | (Digest.status == DigestStatus.APPROVED),
        )
    )
    return session.scalar(late) or 0


def begin(session: Session, trouble: Trouble, now: datetime) -> bool:
    """Store that something is broken; return False if that was known."""
    values = {"name": trouble.name, "detail": trouble.detail, "since": now}
    return db.insert_missing(session, Alarm, values)


def update(
    session: Session, troubles: Sequence[Trouble], now: datetime
) -> tuple[list[Trouble], list[str]]:
    """Store what is broken now.

    Returns:
        The troubles that began since the last call, and the names of those that ended.
    """
    known = {alarm.name for alarm in session.scalars(select(Alarm))}
    names = {trouble.name for trouble in troubles}
    begun = [trouble for trouble in troubles if trouble.name not in known]
    session.add_all(Alarm(name=trouble.name, detail=trouble.detail, since=now) for trouble in begun)
    ended = sorted(known - names)
    if ended:
        session.execute(delete(Alarm).where(Alarm.name.in_(ended)))
    return begun, ended
