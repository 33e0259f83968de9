"""Mails that did not go out: owed again when they can, retried or dropped by a person.

Joins the outbox (which deliveries) with digests (reopened with them) and subscriptions (due at once
where several digests are owed, so that one contains them all).
"""

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from notifier.deliver import outbox
from notifier.deps import Deps
from notifier.digest import digests
from notifier.subscribers import due_subscriptions


def owe_again(deps: Deps, now: datetime) -> None:
    """Make digests due again whose subscription runs again or whose address is let go.

    Subscriptions that are owed several get one that contains them all, at once.
    """
    with deps.reading() as session:
        if not outbox.is_any_owed_again(session):
            return
    numbers: Counter[int] = Counter()
    deliveries = None
    while deliveries is None or deliveries:
        with deps.writing() as session:
            deliveries = outbox.owe_again(session, now)
            for delivery in deliveries:
                digests.reopen(delivery.digest)
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
        for delivery in deliveries:
            digests.reopen(delivery.digest)
        return len(deliveries)


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
