"""Bounce state: how often a person's mails came back lately, and until when they are held back.

Owns these columns of `Subscriber`. The decision is made in `deliver/bounces/policy.py`.
"""

from datetime import datetime

from notifier.store.models import Subscriber


def counted(subscriber: Subscriber) -> tuple[int, datetime | None]:
    """Return the number of soft bounces of the present address, and the time of the latest.

    Those of an address that the person had before count no more.
    """
    about_another = subscriber.bounced_hash not in ("", subscriber.address_hash)
    return (0, None) if about_another else (subscriber.soft_bounces, subscriber.bounced_at)


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
