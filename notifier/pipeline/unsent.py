"""Mails that did not go out: owed again when they can, retried or dropped by a person.

Joins the outbox (which deliveries) with digests (reopened with them) and subscriptions (due at once
where several digests are owed, so that one contains them all).
"""

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select

from notifier.deliver import outbox
from notifier.deliver.outbox import uncertain
from notifier.deliver.outbox.uncertain import Group
from notifier.deps import Deps
from notifier.digest import digests
from notifier.errors import ChangedMeanwhileError
from notifier.operators import actions
from notifier.operators.actions import Actor
from notifier.pipeline import changed_news
from notifier.store.models import Installation
from notifier.subscribers import due_subscriptions


def owe_again(deps: Deps, now: datetime) -> None:
    """Make digests due again whose subscription runs again or whose address is let go.

    Subscriptions that are owed several, or one that is not true any more, get one that contains
    them all as they are now, at once.
    """
    _make_due_again(deps, now)
    changed_news.make_due(deps, now)


def _make_due_again(deps: Deps, now: datetime) -> None:
    with deps.reading() as session:
        if not outbox.is_any_owed_again(session):
            return
    numbers: Counter[int] = Counter()
    deliveries = None
    while deliveries is None or deliveries:
        with deps.writing() as session:
            deliveries = outbox.owe_again(session, now)
            digests.reopen(session, [each.digest_id for each in deliveries])
            owed = [each.subscription_id for each in deliveries if each.subscription_id is not None]
            numbers.update(owed)
            several = [each for each in {*owed} if numbers[each] > 1]
            due_subscriptions.bring_forward(session, several, now)


def retry(deps: Deps, ids: Collection[int] = ()) -> int:
    """Make deliveries due at once that did not reach anybody; return the number.

    Args:
        deps: the installation.
        ids: which; none of them: all that failed, are uncertain, or wait after a refusal.

    Raises:
        NotFoundError: there is no delivery with one of these ids.
        NotifierError: one of these was sent, is being sent, or is not owed any more.
    """
    with deps.writing() as session:
        deliveries = outbox.retry(session, deps.now(), ids)
        digests.reopen(session, [delivery.digest_id for delivery in deliveries])
        return len(deliveries)


def decide_uncertain(deps: Deps, seen: Group, actor: Actor, *, send: bool, reason: str = "") -> int:
    """Decide about uncertain mails as an operator saw them, and record that in their log.

    Args:
        deps: the installation.
        seen: the group; its kind, digest, number and last id count.
        actor: the operator.
        send: True to send them once more; False to end them.
        reason: the operator's reason; empty for none.

    Returns:
        The id of the entry in the operators' log.

    Raises:
        ChangedMeanwhileError: the group is another one now; nothing was changed.
    """
    hold = deps.settings.smtp.when_uncertain == "hold"
    with deps.writing() as session:
        # The lock lets one of two operators decide, and the other one is told.
        session.execute(select(Installation.id).with_for_update())
        group = uncertain.find(session, seen.kind, seen.digest_id, hold=hold)
        if group is None or (group.number, group.last_id) != (seen.number, seen.last_id):
            raise ChangedMeanwhileError
        if send:
            uncertain.send_again(session, group, actor.now, hold=hold)
            digests.reopen(session, [group.digest_id])
        else:
            uncertain.leave(session, group, hold=hold)
            digests.finish(session)
        mails = f"{group.number} {'mail' if group.number == 1 else 'mails'}"
        of = f" of digest {group.digest_id}" if group.digest_id is not None else ""
        return actions.record(
            session,
            actor,
            "sent_again" if send else "left_unsent",
            f"Let {mails}{of} be sent again"
            if send
            else f"Ended {mails}{of} without sending again",
            about=f"digest {group.digest_id}" if group.digest_id is not None else "",
            reason=reason,
        )


def drop(deps: Deps, ids: Collection[int]) -> int:
    """End deliveries that a person does not want to be sent; return the number.

    Raises:
        NotFoundError: there is no delivery with one of these ids.
        NotifierError: one of these was sent, is being sent, or has ended.
    """
    with deps.writing() as session:
        dropped = outbox.drop(session, ids)
        digests.finish(session)
        return len(dropped)
