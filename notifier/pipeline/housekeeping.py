"""Tidying: what time does to subscriptions, and what is kept no longer than it is needed.

Run before digests are composed, as often as anybody likes: pauses end, unconfirmed sign-ups vanish,
renewals are asked for, who left long ago is forgotten, and so is what the operator was told. Each
of these has a transaction of its own and is done whatever became of the others.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from notifier.deliver import operator_mail, outbox
from notifier.deps import Deps
from notifier.enums import DeliveryKind, SuppressionCause
from notifier.pipeline.problems import Problems
from notifier.store import db
from notifier.subscribers import (
    address_changes,
    due_subscriptions,
    lifecycle,
    privacy,
    signup_requests,
    subscriptions,
)

_STEPS: tuple[tuple[str, Callable[[Session, datetime], object]], ...] = (
    ("Forgetting sign-ups that nobody confirmed", lifecycle.forget_unconfirmed),
    ("Forgetting requests", signup_requests.forget),
    ("Forgetting changes of address", address_changes.forget),
    ("Forgetting what the operator was told", operator_mail.forget),
)


def run(deps: Deps, problems: Problems | None = None) -> None:
    """Do what is due."""
    problems = problems if problems is not None else Problems()
    now = deps.now()
    with problems.contained("Ending pauses"):
        _resume_expired_pauses(deps, now)
    for what, step in _STEPS:
        with problems.contained(what), deps.writing() as session:
            step(session, now)
    with problems.contained("Forgetting who left long ago"):
        _forget_long_gone(deps, now)
    months = deps.settings.subscriptions.renewal_months
    if months:
        with problems.contained("Asking for renewals"), deps.writing() as session:
            found = lifecycle.renewals(session, months, now)
            for kind, ones in (
                (DeliveryKind.RENEWAL, found.asked),
                (DeliveryKind.REMINDER, found.reminded),
            ):
                outbox.enqueue_own(session, kind, [one.id for one in ones], deps.mail_domain, now)


def _resume_expired_pauses(deps: Deps, now: datetime) -> None:
    """End the pauses whose time is over; what cannot be read of somebody is noted beside them, and they stay paused."""
    with deps.reading() as session:
        paused, troubles = due_subscriptions.readable(session, lifecycle.pauses_over(session, now))
    if not paused and not troubles:
        return
    with deps.writing() as session:
        for subscription in due_subscriptions.unchanged(session, paused):
            lifecycle.resume(subscription, now)
        for subscription_id, trouble in troubles.items():
            subscriptions.put_off(
                session, subscription_id, trouble, now + due_subscriptions.RETRY_AFTER
            )


def _forget_long_gone(deps: Deps, now: datetime) -> None:
    """Erase who left more than a year ago, and their words from the database's log."""
    with deps.writing() as session:
        forgotten = lifecycle.expired_subscribers(session, now)
        for person in forgotten:
            privacy.erase(session, person, SuppressionCause.LEFT, "left more than a year ago", now)
    if forgotten:
        db.scrub(deps.engine)
