"""Changed news: whoever waits for a digest with it gets one with all as it is now instead.

Owns the transactions in which waiting mails are put off and their owners made due, in ranges of
ids. Composing does the rest: it merges what waits for who is due. A mail that is being sent, or may
have arrived, is left alone. A mail is put off again shortly before it would be sent, for example
while the new digest waits for an approval.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Update, func, select
from sqlalchemy.orm import Session

from notifier.deliver import outbox
from notifier.deps import Deps
from notifier.digest import outdated
from notifier.pipeline import planning
from notifier.store import db
from notifier.store.models import Delivery, Subscriber, Subscription, is_unfinished
from notifier.subscribers import due_profiles, due_subscriptions

# How long a mail is put off. Chosen by hand; not measured. A run composes long before.
_PUT_OFF_FOR = timedelta(hours=6)


def make_due(deps: Deps, now: datetime) -> None:
    """Make the owners of mails due that would say what is not true any more."""
    with deps.reading() as session:
        digest_ids = outdated.going_out(session)
        first, last, number = _span(session, digest_ids, now) if digest_ids else (0, 0, 0)
        if not number:
            return
        change = _change(session, digest_ids, now)
    pace = planning.Pace(last - first + 1, number)
    above = first - 1
    while above < last:
        window = above, min(above + pace.step, last)
        with pace.measured(), deps.writing() as session:
            change.carry_out(session, dict(zip(due_profiles.WINDOW, window, strict=True)))
        above = window[1]


def _span(session: Session, digest_ids: Sequence[int], now: datetime) -> tuple[int, int, int]:
    """Return the first and the last owner, by id, and how many mails there are."""
    owner = Delivery.subscription_id
    span = _mails(digest_ids, now, func.min(owner), func.max(owner), func.count())
    # First by their own index: a million others may wait, and a million of these were sent.
    unsent = select(Delivery.id).where(Delivery.digest_id.in_(digest_ids), is_unfinished())
    rows = unsent.cte("unsent").prefix_with("MATERIALIZED")
    first, last, number = session.execute(span.join(rows, rows.c.id == Delivery.id)).one()
    return first or 0, last or 0, number


def _change(session: Session, digest_ids: Sequence[int], now: datetime) -> db.SetChange:
    """Return what is done for the mails of a window of owners."""
    mails = _mails(
        digest_ids,
        now,
        Delivery.id.label("delivery_id"),
        Delivery.subscription_id.label("subscription_id"),
    ).where(*due_profiles.in_window(Delivery.subscription_id))

    def puts_off(rows: FromClause) -> Update:
        return outbox.put_off(rows, now + _PUT_OFF_FOR)

    def makes_due(rows: FromClause) -> Update:
        return due_subscriptions.make_due(rows, now)

    # What a worker has taken, or a person is changing, is left for the next run.
    locked = mails.with_for_update(of=(Delivery, Subscription), skip_locked=True)
    return db.SetChange(session, locked, [puts_off, makes_due])


def _mails(digest_ids: Sequence[int], now: datetime, *columns: ColumnElement[Any]) -> Select[Any]:
    """Select from the mails of these digests that would soon be sent, and may be merged."""
    return (
        select(*columns)
        .select_from(Delivery)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(
            outbox.is_waiting_in(digest_ids),
            Delivery.next_attempt_at <= now + outbox.SOON,
            due_subscriptions.runs(),
            due_subscriptions.may_be_mailed(),
        )
    )
