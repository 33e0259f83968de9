"""Held suppressions: the brake on bounces, where too many addresses would be suppressed at once.

Owns the record of the addresses that bounces suppressed in the last day, and of those that wait for
a person instead. A provider that fails says of existing people that they do not exist: Gmail did so
in December 2020. Whose fault a bounce is, is not known here.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import Session, joinedload

from notifier.email_addresses import PROVIDERS, provider_of
from notifier.enums import SuppressionCause
from notifier.store.models import Delivery, HeldSuppression, Subscriber, Subscription
from notifier.subscribers import suppressions

# More than so many addresses, and more than this share of those written to, within this time.
# Chosen by hand; not measured.
_WITHIN = timedelta(days=1)
_MOST, _SHARE = 5, 0.05


def is_held(session: Session, address_hash: str) -> bool:
    """Return whether the suppression of an address waits for a person."""
    held = select(HeldSuppression.id).where(
        HeldSuppression.address_hash == address_hash, HeldSuppression.held_at.is_not(None)
    )
    return session.scalar(held) is not None


def note(
    session: Session, subscriber: Subscriber, code: str, delivery_id: int, now: datetime
) -> None:
    """Record that a bounce suppressed an address.

    Args:
        session: a writing session.
        subscriber: the person.
        code: the status or reply code of the bounce.
        delivery_id: the mail that bounced.
        now: the time.
    """
    earlier = HeldSuppression.address_hash == subscriber.address_hash
    session.execute(delete(HeldSuppression).where(earlier))
    session.add(
        HeldSuppression(
            subscriber_id=subscriber.id,
            address_hash=subscriber.address_hash,
            provider=provider_of(subscriber.email),
            code=code[:20],
            delivery_id=delivery_id,
            at=now,
        )
    )
    session.flush()


def has_recent(session: Session) -> bool:
    """Return whether bounces suppressed so many addresses lately that the brake is to be tried."""
    number = select(func.count(HeldSuppression.id)).where(HeldSuppression.held_at.is_(None))
    return (session.scalar(number) or 0) > 0


def brake(session: Session, now: datetime) -> list[HeldSuppression]:
    """Hold the suppressions of the last day where they are too many, whole or at one provider.

    Returns:
        Those that were held now. Their addresses are not suppressed any more, and not mailed.
    """
    since = now - _WITHIN
    session.execute(
        delete(HeldSuppression).where(
            HeldSuppression.held_at.is_(None), HeldSuppression.at <= since
        )
    )
    recent = session.scalars(
        select(HeldSuppression)
        .where(HeldSuppression.at > since)
        .order_by(HeldSuppression.id)
        .with_for_update()
    ).all()
    providers = Counter(each.provider for each in recent)
    whole = _are_too_many(session, len(recent), since)
    too_many = {
        provider
        for provider, number in providers.items()
        if whole or _are_too_many(session, number, since, provider)
    }
    held = [each for each in recent if each.held_at is None and each.provider in too_many]
    for each in held:
        if suppressions.lift_bounce(session, each.address_hash):
            each.held_at = now
        else:  # the address is suppressed for another reason meanwhile: that stays
            session.delete(each)
    session.flush()
    return [each for each in held if each.held_at is not None]


def _are_too_many(session: Session, number: int, since: datetime, provider: str = "") -> bool:
    if number <= _MOST:
        return False
    written = select(Subscription.subscriber_id).join(
        Delivery, Delivery.subscription_id == Subscription.id
    )
    bounced = select(HeldSuppression.subscriber_id).where(HeldSuppression.at > since)
    people = select(func.count(Subscriber.id)).where(
        or_(Subscriber.id.in_(written.where(Delivery.sent_at > since)), Subscriber.id.in_(bounced))
    )
    if provider:
        people = people.where(or_(*_at_provider(provider)))
    return number > _SHARE * (session.scalar(people) or 0)


def _at_provider(provider: str) -> list[ColumnElement[bool]]:
    domains = [provider, *(domain for domain, main in PROVIDERS.items() if main == provider)]
    return [Subscriber.email.endswith(f"@{domain}", autoescape=True) for domain in domains]


def count(session: Session) -> int:
    """Return how many suppressions wait for a person."""
    held = select(func.count(HeldSuppression.id)).where(HeldSuppression.held_at.is_not(None))
    return session.scalar(held) or 0


def listed(session: Session, ids: Collection[int] = ()) -> Sequence[HeldSuppression]:
    """Return the suppressions that wait, in the order in which they came.

    Args:
        session: a session.
        ids: only these; empty for all.
    """
    held = select(HeldSuppression).where(HeldSuppression.held_at.is_not(None))
    if ids:
        held = held.where(HeldSuppression.id.in_(ids))
    with_person = held.options(joinedload(HeldSuppression.subscriber))
    return session.scalars(with_person.order_by(HeldSuppression.id)).all()


def accept(session: Session, held: HeldSuppression, now: datetime) -> None:
    """Suppress the address of a held suppression."""
    suppressions.add(session, held.address_hash, SuppressionCause.BOUNCED, held.code, now)
    session.delete(held)


def dismiss(session: Session, held: HeldSuppression) -> None:
    """Forget a held suppression: the address is mailed again."""
    session.delete(held)
