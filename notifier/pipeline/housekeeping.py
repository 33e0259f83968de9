"""Housekeeping: changes that are due after a period, and deletion of what is no longer needed.

It runs before digests are composed, and may run at any time: pauses end, renewals are asked for;
unconfirmed sign-ups, expired requests, people who left long ago, old operator mails and hosts that
are not asked any more are deleted.
Each step has its own transaction, and one that fails does not stop the others. What is due is asked
in one statement for all steps, because nearly always nothing is.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from notifier.deliver import operator_mail, outbox
from notifier.deps import Deps
from notifier.enums import DeliveryKind, SuppressionCause
from notifier.match import recent_news
from notifier.pipeline.notices import enqueue_for_operator
from notifier.pipeline.problems import Problems, log_trace
from notifier.store import backup_state, db
from notifier.subscribers import (
    address_changes,
    due_subscriptions,
    lifecycle,
    privacy,
    signup_requests,
    time_zones,
)
from notifier.text.cleaning import one_printable_line
from notifier.watch import hosts

# People whom one operator mail names by their numbers. Chosen by hand.
_MOST_NAMED = 20


class _Step(NamedTuple):
    """A step of housekeeping.

    Attributes:
        name: as the subject of a sentence about its failure.
        due: selects what it is about; it is run if that is anything.
        run: runs it in transactions of its own.
    """

    name: str
    due: Callable[[datetime], Select[Any]]
    run: Callable[[Deps, datetime], object]


def _in_one_transaction(
    step: Callable[[Session, datetime], object],
) -> Callable[[Deps, datetime], None]:
    def run(deps: Deps, now: datetime) -> None:
        with deps.writing() as session:
            step(session, now)

    return run


def run(deps: Deps, problems: Problems | None = None) -> None:
    """Do everything that is due; a step that fails is noted in `problems`."""
    problems = problems if problems is not None else Problems()
    now = deps.now()
    with problems.contained("Replacing time zones that do not exist"):
        _replace_time_zones(deps, now)
    for step in _due_steps(deps, now):
        with problems.contained(step.name):
            step.run(deps, now)
    with problems.contained("Deleting old copies of the database"):
        db.backups.forget_old(deps.engine, now)
    months = deps.settings.subscriptions.renewal_months
    if months:
        with problems.contained("Asking for renewals"):
            while _ask_for_renewals(deps, months, now):
                pass


def _due_steps(deps: Deps, now: datetime) -> Sequence[_Step]:
    """Return the steps with something to do: an idle tick asks one question, and writes nothing."""
    try:
        with deps.reading() as session:
            answers = session.execute(select(*(step.due(now).exists() for step in _STEPS))).one()
    except Exception as error:  # noqa: BLE001 - each step reports its own trouble
        log_trace("Asking what housekeeping is due failed: each step is tried", error)
        return _STEPS
    return [step for step, is_due in zip(_STEPS, answers, strict=True) if is_due]


def _ask_for_renewals(deps: Deps, months: int, now: datetime) -> bool:
    """Ask some of those whose renewal is due; return whether there were any."""
    with deps.writing() as session:
        if backup_state.restored(session) is not None:  # nothing is sent until a person decides
            return False
        due = lifecycle.renewals(session, months, now)
        for kind, asked in (
            (DeliveryKind.RENEWAL, due.asked),
            (DeliveryKind.REMINDER, due.reminded),
        ):
            ids = [subscription.id for subscription in asked]
            outbox.enqueue_own(session, kind, ids, deps.mail_domain, now)
        return bool(due.asked or due.reminded or due.ended)


def _replace_time_zones(deps: Deps, now: datetime) -> None:
    """Give people whose time zone is gone another one, and mail the operator who they are."""
    default = deps.settings.schedule.time_zone
    with deps.reading() as session:
        replacements = time_zones.missing(session, default)
    if not replacements:
        return
    with deps.writing() as session:
        gone = time_zones.replace(session, replacements)
        if gone:
            subject = "notifier: a time zone does not exist any more"
            enqueue_for_operator(deps, session, subject, _about_zones(gone, default), now)


def _about_zones(gone: Mapping[str, Sequence[int]], default: str) -> str:
    """Return the text for the operator; it names people by their numbers."""
    lines = []
    for name, ids in sorted(gone.items()):
        numbers = ", ".join(str(number) for number in ids[:_MOST_NAMED])
        rest = len(ids) - _MOST_NAMED
        more = f" and {rest} more" if rest > 0 else ""
        lines.append(f"{one_printable_line(name) or '(empty)'}: subscriber {numbers}{more}")
    return (
        "The time zone data of this machine does not have these time zones, which subscribers "
        "chose:\n" + "\n".join(lines) + f"\n\nThey get their digests by {default} now "
        "(schedule.time_zone). Their addresses are in:\n    notifier subscribers list\n"
        "To give somebody another one:\n    notifier subscribe EMAIL --time-zone ZONE"
    )


def _resume_expired_pauses(deps: Deps, now: datetime) -> None:
    """End the pauses that are over; a row that cannot be read stays paused and gets a trouble."""
    with deps.reading() as session:
        expired = lifecycle.expired_pauses(session, now)
    for ids in db.in_chunks(expired):
        _resume(deps, ids, now)


def _resume(deps: Deps, ids: Sequence[int], now: datetime) -> None:
    with deps.reading() as session:
        paused, troubles = due_subscriptions.readable(session, ids)
    with deps.writing() as session:
        over = [*due_subscriptions.unchanged(session, paused)]
        for subscription in over:
            lifecycle.resume(subscription, now, asked=False)
        outbox.resume_subscriptions(session, [subscription.id for subscription in over], now)
        for subscription_id, trouble in troubles.items():
            due_subscriptions.put_off(
                session, subscription_id, trouble, now + due_subscriptions.RETRY_AFTER
            )


def _erase_expired(deps: Deps, now: datetime) -> None:
    """Erase people who left more than a year ago, also from the database's log."""
    with deps.writing() as session:
        expired = lifecycle.expired_subscribers(session, now)
        traces = [
            address
            for subscriber in expired
            for address in privacy.addresses_of(session, subscriber.address_hash)
        ]
        for subscriber in expired:
            privacy.erase(
                session, subscriber, SuppressionCause.LEFT, "left more than a year ago", now
            )
    if expired:
        db.scrub(deps.engine, traces)


_STEPS = (
    _Step("Ending pauses", lifecycle.over_pauses, _resume_expired_pauses),
    _Step(
        "Ending questions that nobody can answer any more",
        outbox.expired_questions,
        _in_one_transaction(outbox.drop_expired),
    ),
    _Step(
        "Deleting unconfirmed sign-ups",
        lifecycle.unconfirmed,
        _in_one_transaction(lifecycle.delete_unconfirmed),
    ),
    _Step(
        "Deleting expired sign-up requests",
        signup_requests.expired,
        _in_one_transaction(signup_requests.delete_expired),
    ),
    _Step(
        "Deleting expired changes of address",
        address_changes.expired,
        _in_one_transaction(address_changes.delete_expired),
    ),
    _Step(
        "Deleting old mails to the operator",
        operator_mail.old,
        _in_one_transaction(operator_mail.forget),
    ),
    _Step(
        "Deleting hosts without article pages",
        hosts.unused,
        _in_one_transaction(hosts.forget_unused),
    ),
    _Step(
        "Deleting the keys of news that is not recent",
        recent_news.old,
        _in_one_transaction(recent_news.forget),
    ),
    _Step("Erasing people who left long ago", lifecycle.left_long_ago, _erase_expired),
)
