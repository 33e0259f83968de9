"""Due times: when the next digest of a subscription is composed, and what a change does to that.

Owns `Subscription.next_due_at`. A due time that has passed stays until a digest was composed, or
nothing was owed: no saved choice, pause or return puts it off. While a subscription is paused or
has ended, the due time from before is kept, and nothing is composed for it. Owns also when the time
until a renewal begins anew.
"""

from dataclasses import replace
from datetime import datetime

from notifier.enums import Cadence, SubscriptionStatus
from notifier.store.models import Subscription
from notifier.subscribers.choices import schedule_of


def next_of(subscription: Subscription) -> datetime | None:
    """Return the time of the next digest as people are told it; None if none is planned."""
    confirmed = subscription.status is SubscriptionStatus.CONFIRMED
    return subscription.next_due_at if confirmed else None


def advance(subscription: Subscription, now: datetime) -> None:
    """Set the first due time after now; none unless the subscription is confirmed.

    For a subscription that begins or was served: several times that were missed so give one digest.
    A schedule that can be computed can also be read, so an earlier trouble with it is over.

    Raises:
        ValueError: the stored schedule is not valid.
    """
    confirmed = subscription.status is SubscriptionStatus.CONFIRMED
    subscription.next_due_at = schedule_of(subscription).next_after(now) if confirmed else None
    subscription.trouble = None


def keep(subscription: Subscription, now: datetime) -> None:
    """Set the due time after a change of choice; one that has passed stays.

    A subscription with a trouble was due when the trouble was found, so it is due now.

    Raises:
        ValueError: the stored schedule is not valid.
    """
    due_at, trouble = subscription.next_due_at, subscription.trouble
    subscription.trouble = None
    if subscription.status is not SubscriptionStatus.CONFIRMED:
        return
    if due_at is not None and (due_at <= now or trouble is not None):
        subscription.next_due_at = min(due_at, now)
    else:
        subscription.next_due_at = schedule_of(subscription).next_after(now)


def come_back(subscription: Subscription, now: datetime, *, asked: bool) -> None:
    """Set the due time at the end of a pause or of an absence.

    A due time that passed meanwhile counts: now if somebody `asked` for the return, else at the
    usual hour of the day, because a pause ends at midnight.

    Raises:
        ValueError: the stored schedule is not valid.
    """
    due_at = subscription.next_due_at
    keep(subscription, now)
    if due_at is not None and due_at <= now and not asked:
        daily = replace(schedule_of(subscription), cadence=Cadence.DAILY, on=None)
        subscription.next_due_at = daily.next_after(now)


def make_due(subscription: Subscription, now: datetime) -> None:
    """Let the next digest be composed at once."""
    subscription.next_due_at = now


def forget_renewals(subscription: Subscription) -> None:
    """Let the time until a renewal count from the confirmation: earlier questions are over."""
    subscription.renewed_at = None
    subscription.renewal_asked_at, subscription.renewal_reminded_at = None, None
