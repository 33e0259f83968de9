"""Weekly counts: how much was sent, matched, confirmed and left in each week.

Owns the table of weekly counts, and what is counted. A week is counted once, when its mails have
their final answers: so the numbers stay when the rows behind them are removed. A count says nothing
about a person.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.orm import Session

from notifier.deps import Deps
from notifier.enums import DeliveryKind, DeliveryStatus, Tier
from notifier.store.db import insert_all_missing
from notifier.store.models import (
    Delivery,
    Match,
    Subscription,
    WeeklyCount,
    is_lost,
    is_unfinished,
)

_WEEK = timedelta(days=7)
# A mail is tried for three days; then its answer is final.
_SETTLED_AFTER = timedelta(days=4)
_NOT_SENT = (DeliveryStatus.FAILED, DeliveryStatus.SUPPRESSED, DeliveryStatus.UNCERTAIN)


def count_next(deps: Deps, now: datetime) -> bool:
    """Count the earliest week that is over and was not counted; return whether there was one."""
    with deps.reading() as session:
        week = _next_week(session)
        if week is None or _begin(week) + _WEEK + _SETTLED_AFTER > now:
            return False
        numbers = _numbers(session, _begin(week), _begin(week) + _WEEK)
    with deps.writing() as session:
        rows = [
            {"week": week.isoformat(), "name": name, "number": number}
            for name, number in numbers.items()
        ]
        insert_all_missing(session, WeeklyCount, rows)
    return True


def counted_until(session: Session) -> datetime | None:
    """Return the end of the last week that was counted; None before the first one."""
    last = session.scalar(select(func.max(WeeklyCount.week)))
    return _begin(date.fromisoformat(last)) + _WEEK if last is not None else None


def _next_week(session: Session) -> date | None:
    until = counted_until(session)
    if until is not None:
        return until.date()
    # Rows are numbered in the order in which they were made.
    firsts = (
        select(Subscription.created_at).order_by(Subscription.id).limit(1),
        select(Match.created_at).order_by(Match.id).limit(1),
        select(Delivery.created_at).order_by(Delivery.id).limit(1),
    )
    moments = [moment for first in firsts if (moment := session.scalar(first)) is not None]
    if not moments:
        return None
    first_day = min(moments).date()
    return first_day - timedelta(days=first_day.weekday())


def _begin(week: date) -> datetime:
    return datetime.combine(week, time(), UTC)


def _numbers(session: Session, begin: datetime, end: datetime) -> Mapping[str, int]:
    """Count a week.

    What was not sent has no time of its own: the last attempt that was planned counts instead.
    """
    mails = Delivery.kind != DeliveryKind.NOTICE
    by_status = (
        select(Delivery.status, func.count(Delivery.id))
        .where(mails, *_within(Delivery.next_attempt_at, begin, end))
        .group_by(Delivery.status)
    )
    lost = by_status.where(is_lost())
    uncertain = by_status.where(is_unfinished(), Delivery.status == DeliveryStatus.UNCERTAIN)
    rows = [*session.execute(lost), *session.execute(uncertain)]
    not_sent = {row[0]: row[1] for row in rows}
    numbers = {
        "sent": _count(session, mails, *_within(Delivery.sent_at, begin, end)),
        **{str(status): not_sent.get(status, 0) for status in _NOT_SENT},
    }
    by_tier = (
        select(Match.tier, func.count(Match.id))
        .where(*_within(Match.created_at, begin, end))
        .group_by(Match.tier)
    )
    tiers = {row[0]: row[1] for row in session.execute(by_tier)}
    for tier in (Tier.ABOUT, Tier.MENTION, Tier.RELATED):
        numbers[f"matches_{tier}"] = tiers.get(tier, 0)
    has_ended = Subscription.status == literal_column("'ended'")
    numbers["confirmed"] = _count(session, *_within(Subscription.confirmed_at, begin, end))
    numbers["left"] = _count(session, has_ended, *_within(Subscription.ended_at, begin, end))
    return numbers


def _within(column: Any, begin: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    return column >= begin, column < end


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(*conditions)) or 0
