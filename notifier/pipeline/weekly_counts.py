"""Weekly counts: how much was sent, matched, confirmed and left in each week.

Owns the table of weekly counts, and what is counted. A week is counted once, when its mails have
their final answers: so the numbers stay when the rows behind them are removed. A count says nothing
about a person.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, or_, select
from sqlalchemy.orm import Session

from notifier.deps import Deps
from notifier.enums import BounceKind, DeliveryKind, DeliveryStatus, Tier
from notifier.store.db import insert_all_missing
from notifier.store.models import (
    BounceReport,
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
# The name under which the accepted mails of a week are stored.
SENT = "sent"
_NOT_SENT = (DeliveryStatus.FAILED, DeliveryStatus.SUPPRESSED, DeliveryStatus.UNCERTAIN)


def count_next(deps: Deps, now: datetime) -> bool:
    """Count the earliest week that is over and was not counted; return whether there was one."""
    with deps.reading() as session:
        week = first_uncounted(session)
        if week is None or _begin(week) + _WEEK + _SETTLED_AFTER > now:
            return False
        numbers = count_week(session, week)
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


def first_uncounted(session: Session) -> date | None:
    """Return the Monday of the first week that was not counted; None if nothing ever happened."""
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


def stored(session: Session, since: date) -> dict[date, dict[str, int]]:
    """Return the numbers of the counted weeks that begin on this day or later, by their Mondays.

    Weeks that an earlier version counted lack the names that came later.
    """
    rows = session.execute(
        select(WeeklyCount.week, WeeklyCount.name, WeeklyCount.number)
        .where(WeeklyCount.week >= since.isoformat())
        .order_by(WeeklyCount.week)
    )
    weeks: dict[date, dict[str, int]] = {}
    for week, name, number in rows:
        weeks.setdefault(date.fromisoformat(week), {})[name] = number
    return weeks


def sent_ever(session: Session) -> int:
    """Return how many mails were ever accepted, without those to the operator.

    What was removed after its period counts, too. Few rows are read, of indexes alone.
    """
    sums = select(func.sum(WeeklyCount.number)).where(WeeklyCount.name == SENT)
    until = counted_until(session)
    since = [] if until is None else [Delivery.sent_at >= until]
    lately = _count(session, Delivery.sent_at.is_not(None), *since)
    # Notices have an index of their own, and are few.
    to_operator = _count(
        session, Delivery.notice_id.is_not(None), Delivery.sent_at.is_not(None), *since
    )
    return (session.scalar(sums) or 0) + lately - to_operator


def count_week(session: Session, week: date) -> Mapping[str, int]:
    """Count a week by its rows; of one that is not over, what happened so far.

    What was not sent has no time of its own: the last attempt that was planned counts instead.

    Args:
        session: a reading session.
        week: its Monday.

    Returns:
        The numbers by the names of `weekly_count`: ``sent``, ``failed``, ``suppressed``,
        ``uncertain``, ``came_back`` and ``complained`` (mails); ``matches_about``,
        ``matches_mention``, ``matches_related``; ``confirmed``, ``left`` and, at the end of the
        week, ``subscribers`` (subscriptions).
    """
    begin, end = _begin(week), _begin(week) + _WEEK
    return {
        **_mails(session, begin, end),
        **_reports(session, begin, end),
        **_matches(session, begin, end),
        **_subscriptions(session, begin, end),
    }


def count_matches(session: Session, week: date) -> Mapping[str, int]:
    """Count the matches of a week alone, which is fast. Arguments are those of `count_week`."""
    return _matches(session, _begin(week), _begin(week) + _WEEK)


def _mails(session: Session, begin: datetime, end: datetime) -> dict[str, int]:
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
    return {
        SENT: _count(session, mails, *_within(Delivery.sent_at, begin, end)),
        **{str(status): not_sent.get(status, 0) for status in _NOT_SENT},
    }


def _reports(session: Session, begin: datetime, end: datetime) -> dict[str, int]:
    """Count the reports that were read: mails that came back, and complaints."""
    by_kind = (
        select(BounceReport.kind, func.count())
        .where(*_within(BounceReport.read_at, begin, end))
        .group_by(BounceReport.kind)
    )
    kinds = {row[0]: row[1] for row in session.execute(by_kind)}
    return {
        "came_back": kinds.get(BounceKind.HARD, 0) + kinds.get(BounceKind.SOFT, 0),
        "complained": kinds.get(BounceKind.COMPLAINT, 0),
    }


def _matches(session: Session, begin: datetime, end: datetime) -> dict[str, int]:
    by_tier = (
        select(Match.tier, func.count(Match.id))
        .where(*_within(Match.created_at, begin, end))
        .group_by(Match.tier)
    )
    tiers = {row[0]: row[1] for row in session.execute(by_tier)}
    shown = (Tier.ABOUT, Tier.MENTION, Tier.RELATED)
    return {f"matches_{tier}": tiers.get(tier, 0) for tier in shown}


def _subscriptions(session: Session, begin: datetime, end: datetime) -> dict[str, int]:
    has_ended = Subscription.status == literal_column("'ended'")
    ran = or_(Subscription.ended_at.is_(None), Subscription.ended_at >= end)
    return {
        "confirmed": _count(session, *_within(Subscription.confirmed_at, begin, end)),
        "left": _count(session, has_ended, *_within(Subscription.ended_at, begin, end)),
        "subscribers": _count(session, Subscription.confirmed_at < end, ran),
    }


def _within(column: Any, begin: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    return column >= begin, column < end


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(*conditions)) or 0
