"""Bounce state: how often a person's mails came back lately, and until when they are held back.

Owns these columns of `Subscriber`. The decision is made in `deliver/bounces/policy.py`.
"""

from datetime import datetime

from notifier.store.models import Subscriber


def store_hold(subscriber: Subscriber, soft_bounces: int, until: datetime, now: datetime) -> None:
    """Store a soft bounce, and the pause of the person's mails that follows from it.

    Args:
        subscriber: the person, in a writing session.
        soft_bounces: the number of soft bounces that count from now on.
        until: the end of the pause.
        now: the time of the bounce.
    """
    subscriber.soft_bounces = soft_bounces
    subscriber.held_until = until
    subscriber.bounced_at = now
