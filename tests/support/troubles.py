"""Troubles of a machine: a full disk, a process that is killed; and whether anything is due.

Owns how they are brought about in a process that goes on. The mails and readers are not known here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from unittest.mock import patch

from sqlalchemy import Engine, and_, event, or_, select
from sqlalchemy.orm import Session

from notifier.deliver import outbox
from notifier.enums import Cadence, DeliveryStatus, SubscriptionStatus
from notifier.store.models import Delivery, Profile, Subscriber, Subscription
from notifier.subscribers.due_subscriptions import may_be_mailed


class Crash(BaseException):
    """The process is killed."""


@contextmanager
def killed_while_settling(number: int) -> Iterator[None]:
    """Kill the process when it stores that mails were accepted, after so many times."""
    store, left = outbox.settle_accepted, iter(range(number))

    def die(*arguments: object) -> None:
        if next(left, None) is None:
            raise Crash
        store(*arguments)

    with patch.object(outbox, "settle_accepted", die):
        yield


@contextmanager
def full_disk(engine: Engine) -> Iterator[None]:
    """Let the database grow no further."""

    def fill(connection: object, *_: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    def empty(connection: object, *_: object) -> None:
        connection.execute("PRAGMA max_page_count = 1073741823")

    event.listen(engine, "checkout", fill)
    event.listen(engine, "checkin", empty)
    try:
        yield
    finally:
        event.remove(engine, "checkout", fill)
        event.remove(engine, "checkin", empty)


def something_is_due(session: Session, now: datetime) -> bool:
    """Return whether a mail is due, or a digest with something in it.

    It lets a simulation leave out the runs that would find nothing.
    """
    tried = Delivery.status.in_(DeliveryStatus.WAITING) | and_(
        Delivery.status == DeliveryStatus.UNCERTAIN, Delivery.uncertain_times < 2
    )
    mail = select(Delivery.id).where(tried, Delivery.next_attempt_at <= now)
    owed = (
        select(Subscription.id)
        .join(Profile, Profile.id == Subscription.profile_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(
            Subscription.status == SubscriptionStatus.CONFIRMED,
            Subscription.position < Profile.position,
            or_(Subscription.cadence == Cadence.IMMEDIATE, Subscription.next_due_at <= now),
            may_be_mailed(),
        )
    )
    return any(session.scalar(each.limit(1)) is not None for each in (mail, owed))
