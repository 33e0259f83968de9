"""The brake: suppressions by bounces are held for a person where they are too many at once.

Joins the record of suppressions (`subscribers/held_suppressions.py`), the outbox and the mails to
the operator. It is tried after each sending and after each reading of mails that came back, because
only then the share of those written to is known.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.deliver import outbox
from notifier.deps import Deps
from notifier.digest import digests
from notifier.enums import DeliveryStatus
from notifier.errors import ChangedMeanwhileError, InputError
from notifier.operators import actions
from notifier.operators.actions import Actor
from notifier.pipeline.notices import enqueue_for_operator
from notifier.store.models import Delivery, HeldSuppression, Installation, Subscription
from notifier.subscribers import held_suppressions
from notifier.subscribers.held_suppressions import Group

_MOST_PROVIDERS = 5
# What the operators' log calls these suppressions.
ABOUT_HELD = "addresses that came back"


@dataclass(frozen=True)
class Held:
    """A suppression that waits for a person.

    Attributes:
        id: its number, for `notifier bounces accept` and `dismiss`.
        email: the address.
        provider: its provider.
        code: the code of the bounce (``5.1.1``).
        at: the time of the bounce.
    """

    id: int
    email: str
    provider: str
    code: str
    at: datetime


def apply(deps: Deps) -> int:
    """Hold the suppressions of the last day if they are too many, and mail the operator.

    Returns:
        The number of suppressions that were held now.
    """
    with deps.reading() as session:
        if not held_suppressions.has_recent(session):
            return 0
    now = deps.now()
    with deps.writing() as session:
        # The lock lets one of two processes hold them, and mail the operator.
        session.execute(select(Installation.id).with_for_update())
        held = held_suppressions.brake(session, now)
        if held:
            text = _text(held)
            subject = "notifier: too many addresses would be suppressed"
            enqueue_for_operator(deps, session, subject, text, now)
        return len(held)


def _text(held: Sequence[HeldSuppression]) -> str:
    providers = Counter((each.provider, each.code) for each in held)
    lines = [
        f"{provider}: {number} (code {code or 'unknown'})"
        for (provider, code), number in providers.most_common(_MOST_PROVIDERS)
    ]
    return (
        f"Mail servers said of {len(held)} addresses within a day that they do not exist: more "
        "than 5, and more than 5 % of those written to. That many are rarely gone at once: the "
        "provider may have a fault, or your list may be old.\n"
        + "\n".join(lines)
        + "\n\nThese addresses are not suppressed, and not mailed until you decide.\n"
        "To see them:\n    notifier bounces held\n"
        "If they are gone:\n    notifier bounces accept --all\n"
        "If it was a fault, and is over (they get what they missed):\n"
        "    notifier bounces dismiss --all"
    )


def listed(deps: Deps) -> list[Held]:
    """Return the suppressions that wait for a person."""
    with deps.reading() as session:
        return [
            Held(each.id, each.subscriber.email, each.provider, each.code, each.at)
            for each in held_suppressions.listed(session)
        ]


def accept(deps: Deps, ids: Collection[int]) -> int:
    """Suppress held addresses; return the number.

    Args:
        deps: the installation.
        ids: the numbers; empty for all.

    Raises:
        InputError: a number that is not held; nothing was changed.
    """
    now = deps.now()
    with deps.writing() as session:
        decided = _held_with(session, ids)
        for each in decided:
            held_suppressions.accept(session, each, now)
        return len(decided)


def dismiss(deps: Deps, ids: Collection[int]) -> int:
    """Let held addresses be mailed again, and send what bounced and what waited; return the number.

    Args:
        deps: the installation.
        ids: the numbers; empty for all.

    Raises:
        InputError: a number that is not held; nothing was changed.
    """
    now = deps.now()
    with deps.writing() as session:
        decided = _held_with(session, ids)
        for each in decided:
            _send_again(session, each, now)
            held_suppressions.dismiss(session, each)
        return len(decided)


def groups(deps: Deps) -> list[Group]:
    """Return the suppressions that wait, by provider and code, without addresses."""
    with deps.reading() as session:
        return held_suppressions.groups(session)


def decide(
    deps: Deps, seen: Group, actor: Actor, *, accept: bool, reason: str = ""
) -> tuple[int, int]:
    """Decide about a group as an operator saw it, and record that in their log.

    Args:
        deps: the installation.
        seen: the group; its provider, code, number and last id count.
        actor: the operator.
        accept: True to suppress the addresses; False to let them be mailed again.
        reason: the operator's reason; empty for none.

    Returns:
        The number of addresses, and the id of the entry in the operators' log.

    Raises:
        ChangedMeanwhileError: the group is another one now; nothing was changed.
    """
    with deps.writing() as session:
        # The lock lets one of two operators decide, and the other one is told.
        session.execute(select(Installation.id).with_for_update())
        group = next(
            (
                each
                for each in held_suppressions.groups(session)
                if each.provider == seen.provider and each.code == seen.code
            ),
            None,
        )
        if group is None or (group.number, group.last_id) != (seen.number, seen.last_id):
            raise ChangedMeanwhileError
        for each in held_suppressions.of_group(session, group):
            if accept:
                held_suppressions.accept(session, each, actor.now)
            else:
                _send_again(session, each, actor.now)
                held_suppressions.dismiss(session, each)
        where = f"at {group.provider}" if group.provider else "at several small providers"
        addresses = f"{group.number} {'address' if group.number == 1 else 'addresses'} {where}"
        action_id = actions.record(
            session,
            actor,
            "suppressed" if accept else "let_go",
            f"Stopped mail to {addresses}" if accept else f"Allowed mail again to {addresses}",
            about=ABOUT_HELD,
            reason=reason,
        )
        return group.number, action_id


def _held_with(session: Session, ids: Collection[int]) -> Sequence[HeldSuppression]:
    waiting = held_suppressions.listed(session, ids)
    missing = sorted(set(ids) - {each.id for each in waiting})
    if missing:
        numbers = ", ".join(map(str, missing))
        raise InputError(
            f"No suppression with this number waits: {numbers}. Nothing was changed.",
            "See which do: notifier bounces held",
        )
    return waiting


def _send_again(session: Session, held: HeldSuppression, now: datetime) -> None:
    """Make the mail that bounced due again, and what was put off since."""
    bounced = session.get(Delivery, held.delivery_id) if held.delivery_id is not None else None
    if bounced is not None:
        was_sent = outbox.requeue(bounced, now, "its bounce was dismissed")
        if not was_sent and bounced.status is DeliveryStatus.FAILED:
            outbox.try_again_at(bounced, now)
        digests.reopen(session, [bounced.digest_id])
    waiting = (
        select(Delivery)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .where(
            Subscription.subscriber_id == held.subscriber_id,
            Delivery.status == DeliveryStatus.PENDING,
            Delivery.next_attempt_at > now,
        )
    )
    for delivery in session.scalars(waiting):
        outbox.try_again_at(delivery, now)
