"""Overview: all subscribers with their subscriptions and status, as the operator lists them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import Session, joinedload

from notifier.enums import SubscriptionStatus
from notifier.store.db import count_some
from notifier.store.models import UNREADABLE, Subscriber, Subscription
from notifier.subscribers import suppressions
from notifier.subscribers.damaged_rows import raw_rows

# Subscribers that are read at a time. Chosen by hand; not measured.
_PAGE = 500


@dataclass(frozen=True)
class Page:
    """Some subscribers, in the order of their ids.

    Attributes:
        people: those that can be read, with their subscriptions.
        damaged: the subscriptions of the others, as `damaged_rows` returns them.
        suppressed: the hashes of those of their addresses that are suppressed.
    """

    people: Sequence[Subscriber]
    damaged: Sequence[Row[Any]]
    suppressed: Collection[str]


def pages(
    session: Session,
    limit: int | None = None,
    profile_id: int | None = None,
    since: datetime | None = None,
) -> Iterator[Page]:
    """Yield subscribers with their subscriptions, the newest last, page by page.

    Args:
        session: a reading session.
        limit: yield only so many, the newest; None for all.
        profile_id: only those with a subscription to this profile; None for all.
        since: only those stored since then; None for all.
    """
    wanted = _wanted(profile_id, since)
    first_id = 0
    if limit is not None:
        by_id = select(Subscriber.id).where(*wanted).order_by(Subscriber.id.desc())
        newest = by_id.limit(limit).subquery()
        first_id = session.scalar(select(func.min(newest.c.id))) or 0
    following = select(Subscriber.id).where(*wanted).order_by(Subscriber.id).limit(_PAGE)
    ids = session.scalars(following.where(Subscriber.id >= first_id)).all()
    while ids:
        yield _page(session, ids)
        ids = session.scalars(following.where(Subscriber.id > ids[-1])).all()


def count(session: Session, profile_id: int | None = None, since: datetime | None = None) -> int:
    """Return the number of these subscribers; see `db.count_some`."""
    return count_some(session, select(Subscriber.id).where(*_wanted(profile_id, since)))


def _wanted(profile_id: int | None, since: datetime | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if profile_id is not None:
        followers = select(Subscription.subscriber_id).where(Subscription.profile_id == profile_id)
        conditions.append(Subscriber.id.in_(followers))
    if since is not None:
        conditions.append(Subscriber.created_at >= since)
    return conditions


def page_of(session: Session, address_hash: str) -> Page:
    """Return the person who has an address alone; nobody if it is not stored."""
    owner = select(Subscriber.id).where(Subscriber.address_hash == address_hash)
    return _page(session, session.scalars(owner).all())


def _page(session: Session, ids: Sequence[int]) -> Page:
    people: list[Subscriber] = []
    damaged: list[int] = []
    try:
        people += _read(session, ids)
    except UNREADABLE:
        for person_id in ids:
            try:
                people += _read(session, [person_id])
            except UNREADABLE:
                damaged.append(person_id)
    rows = raw_rows(session, Subscriber.id.in_(damaged)) if damaged else []
    suppressed = suppressions.among(session, {person.address_hash for person in people})
    return Page(people, rows, suppressed)


def _read(session: Session, ids: Sequence[int]) -> list[Subscriber]:
    statement = select(Subscriber).where(Subscriber.id.in_(ids)).order_by(Subscriber.id)
    loaded = statement.options(
        joinedload(Subscriber.subscriptions).joinedload(Subscription.profile)
    )
    return list(session.scalars(loaded).unique())


def status_of(subscriber: Subscriber, suppressed: Collection[str]) -> str:
    """Return a person's status: ``suppressed``, or the best status of their subscriptions.

    Args:
        subscriber: the person.
        suppressed: the hashes of addresses that are suppressed.
    """
    if subscriber.address_hash in suppressed:
        return "suppressed"
    best_first = (
        SubscriptionStatus.CONFIRMED,
        SubscriptionStatus.PENDING,
        SubscriptionStatus.PAUSED,
        SubscriptionStatus.ENDED,
    )
    statuses = {subscription.status for subscription in subscriber.subscriptions}
    return str(next((each for each in best_first if each in statuses), SubscriptionStatus.ENDED))
