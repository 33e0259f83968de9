"""Held suppressions: the brake on bounces, where too many addresses would be suppressed at once.

Owns the record of the addresses that bounces suppressed in the last day, and of those that wait for
a person instead. A provider that fails says of existing people that they do not exist: Gmail did so
in December 2020. Whose fault a bounce is, is not known here.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, or_, select
from sqlalchemy.orm import Session, joinedload

from notifier.email_addresses import PROVIDERS, provider_of
from notifier.enums import SuppressionCause
from notifier.store.db import in_chunks
from notifier.store.models import Delivery, HeldSuppression, Subscriber, Subscription
from notifier.subscribers import suppressions

# More than so many addresses, and more than this share of those written to, within this time.
# Chosen by hand; not measured.
_WITHIN = timedelta(days=1)
_MOST, _SHARE = 5, 0.05
# Of fewer addresses at a domain that is no large provider's, the domain is not shown: it could be
# one person's own. Chosen by hand.
_FEWEST_NAMED = 5


@dataclass(frozen=True)
class Group:
    """Held suppressions of one provider with one code; they name nobody.

    Attributes:
        provider: its main domain; empty for the domains with few addresses, which are one group.
        code: the status or reply code of the refusals; empty if there was none.
        number: how many there are.
        last_id: the highest id among them.
        since: the time of the first refusal.
        providers: the domains in it.
    """

    provider: str
    code: str
    number: int
    last_id: int
    since: datetime
    providers: tuple[str, ...]


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
    return _with_people(session, held)


def of_group(session: Session, group: Group) -> Sequence[HeldSuppression]:
    """Return the suppressions of a group that wait, in the order in which they came."""
    held = select(HeldSuppression).where(
        HeldSuppression.held_at.is_not(None), HeldSuppression.code == group.code
    )
    waiting: list[HeldSuppression] = []
    for chunk in in_chunks(group.providers):
        waiting += _with_people(session, held.where(HeldSuppression.provider.in_(chunk)))
    return waiting


def groups(session: Session) -> list[Group]:
    """Return what waits by provider and code, the largest number first."""
    since = func.min(HeldSuppression.at, type_=HeldSuppression.at.type)
    number = func.count(HeldSuppression.id)
    key = HeldSuppression.provider, HeldSuppression.code
    rows = session.execute(
        select(*key, number, func.max(HeldSuppression.id), since)
        .where(HeldSuppression.held_at.is_not(None))
        .group_by(*key)
        .order_by(*key)
    )
    merged: dict[tuple[str, str], Group] = {}
    for provider, code, count_, last_id, first_at in rows:
        is_named = count_ >= _FEWEST_NAMED or provider in PROVIDERS.values()
        name = provider if is_named else ""
        group = Group(name, code, count_, last_id, first_at, (provider,))
        other = merged.get((name, code))
        merged[name, code] = group if other is None else _together(group, other)
    return sorted(merged.values(), key=lambda group: (-group.number, group.provider, group.code))


def _together(group: Group, other: Group) -> Group:
    return Group(
        group.provider,
        group.code,
        group.number + other.number,
        max(group.last_id, other.last_id),
        min(group.since, other.since),
        (*other.providers, *group.providers),
    )


def _with_people(session: Session, held: Select[Any]) -> Sequence[HeldSuppression]:
    with_person = held.options(joinedload(HeldSuppression.subscriber))
    return session.scalars(with_person.order_by(HeldSuppression.id)).all()


def accept(session: Session, held: HeldSuppression, now: datetime) -> None:
    """Suppress the address of a held suppression."""
    suppressions.add(session, held.address_hash, SuppressionCause.BOUNCED, held.code, now)
    session.delete(held)


def dismiss(session: Session, held: HeldSuppression) -> None:
    """Forget a held suppression: the address is mailed again."""
    session.delete(held)
