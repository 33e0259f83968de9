"""Bounce state: how often a person's mails came back lately, and until when they are held back.

Owns these columns of `Subscriber`. The decision is made in `deliver/bounces/policy.py`.
"""

from datetime import datetime
from typing import NamedTuple

from notifier.store.models import UNREADABLE, Subscriber


class SoftBounces(NamedTuple):
    """The soft bounces of a person's present address that count.

    Attributes:
        number: how many there are.
        last_at: the time of the latest.
        held_until: the end of the pause of the person's mails.
    """

    number: int = 0
    last_at: datetime | None = None
    held_until: datetime | None = None


def counted(subscriber: Subscriber) -> SoftBounces:
    """Return the soft bounces of a person that count.

    Those of an address that the person had before count no more, nor do any if these columns cannot
    be read: the next one that is stored mends them.
    """
    try:
        if subscriber.bounced_hash not in ("", subscriber.address_hash):
            return SoftBounces()
        return SoftBounces(
            int(subscriber.soft_bounces), subscriber.bounced_at, subscriber.held_until
        )
    except UNREADABLE:
        return SoftBounces()


def store_hold(subscriber: Subscriber, soft_bounces: int, until: datetime, now: datetime) -> None:
    """Store a soft bounce, and the pause of the person's mails that follows from it.

    Args:
        subscriber: the person, in a writing session.
        soft_bounces: the number of soft bounces that count from now on.
        until: the end of the pause.
        now: the time of the last bounce that counts.
    """
    subscriber.soft_bounces = soft_bounces
    subscriber.held_until = until
    subscriber.bounced_at = now
    subscriber.bounced_hash = subscriber.address_hash
