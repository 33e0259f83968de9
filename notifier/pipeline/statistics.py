"""Statistics: how the installation is, and how its weeks were.

Owns what `notifier stats` counts. Past weeks come from `weekly_counts.py`, so that they stay when
the rows behind them are removed; weeks that were not counted yet are counted here. No number says
anything about a person.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import String, func, select, type_coerce
from sqlalchemy.orm import Session

from notifier.deps import Deps
from notifier.enums import DeliveryStatus, Health, SubscriptionStatus, Tier
from notifier.match import held
from notifier.pipeline import weekly_counts
from notifier.store.models import (
    Delivery,
    Entry,
    Match,
    Source,
    Subscriber,
    Subscription,
    Suppression,
    is_lost,
    is_unfinished,
)
from notifier.subscribers import held_suppressions
from notifier.watch import source_lists
from notifier.watch.health import health

# Weeks that are shown without a date. Chosen by hand.
WEEKS_SHOWN = 12
_WEEK = timedelta(days=7)
# Every name that a week has; see `weekly_counts.count_week`.
_NAMES = (
    "subscribers", "confirmed", "left", "sent", "failed", "came_back", "complained", "suppressed",
    "uncertain", "matches_about", "matches_mention", "matches_related",
)  # fmt: skip


@dataclass(frozen=True)
class Week:
    """The numbers of a week.

    Attributes:
        begin: its Monday, UTC.
        numbers: by name; None for what the version that counted it did not count. `bounced` are the
            mails that were refused or given up, and those that came back later.
        is_final: whether it was counted for good.
    """

    begin: date
    numbers: Mapping[str, int | None]
    is_final: bool


@dataclass(frozen=True)
class Statistics:
    """All statistics, at a moment.

    Attributes:
        now: the moment.
        sources: how many there are of each health.
        entries: how many were seen.
        matches: how many there are of each tier, and how many wait for a person (`held`).
        subscribers: how many people there are (`people`), how many subscriptions of each status,
            and how many addresses are suppressed.
        deliveries: how many mails there are of each status; `sent` are those of all time.
        weeks: the earliest first; the last one is that of the moment.
    """

    now: datetime
    sources: Mapping[str, int]
    entries: int
    matches: Mapping[str, int]
    subscribers: Mapping[str, int]
    deliveries: Mapping[str, int]
    weeks: Sequence[Week]


def read(deps: Deps, since: datetime | None = None) -> Statistics:
    """Read the statistics.

    Args:
        deps: the installation.
        since: the first moment whose week is shown; None for the last twelve weeks.
    """
    now = deps.now()
    first = now - (WEEKS_SHOWN - 1) * _WEEK if since is None else since
    with deps.reading() as session:
        return Statistics(
            now,
            sources_by_health(session, now),
            _count(session, Entry),
            _matches(session),
            _subscribers(session),
            deliveries_by_status(session),
            _weeks(session, _monday(first), _monday(now)),
        )


def last_weeks(
    session: Session,
    now: datetime,
    count: Callable[[Session, date], Mapping[str, int]] = weekly_counts.count_week,
) -> Sequence[Week]:
    """Return the last twelve weeks, the earliest first; the last one is that of the moment.

    Args:
        session: a reading session.
        now: the moment.
        count: counts a week that was not counted for good.
    """
    return _weeks(session, _monday(now - (WEEKS_SHOWN - 1) * _WEEK), _monday(now), count)


def sources_by_health(session: Session, now: datetime) -> dict[str, int]:
    """Count the watched sources by their health; only those that may be unwell are read."""
    watched = select(func.count(Source.id), func.count(Source.last_success_at))
    number, answered = session.execute(watched.where(Source.removed_at.is_(None))).one()
    unwell = source_lists.unwell(session, now)
    counts = Counter(health(source, now) for source in unwell)
    answered_well = answered - sum(source.last_success_at is not None for source in unwell)
    counts[Health.HEALTHY] += answered_well
    counts[Health.NEW] += number - len(unwell) - answered_well
    return {str(each): counts[each] for each in Health}


def deliveries_by_status(session: Session) -> dict[str, int]:
    """Count the mails by their status, by the indexes of the few; `sent` are those of all time."""
    by_status = select(Delivery.status, func.count()).group_by(Delivery.status)
    counts = {
        row[0]: row[1]
        for condition in (is_unfinished(), is_lost())
        for row in session.execute(by_status.where(condition))
    }
    counts[DeliveryStatus.SENT] = weekly_counts.sent_ever(session)
    return {str(status): counts.get(status, 0) for status in DeliveryStatus}


def _matches(session: Session) -> dict[str, int]:
    by_tier = session.execute(select(Match.tier, func.count()).group_by(Match.tier))
    tiers = {row[0]: row[1] for row in by_tier}
    shown = (Tier.ABOUT, Tier.MENTION, Tier.RELATED)
    counts = {str(tier): tiers.get(tier, 0) for tier in shown}
    return {**counts, "held": held.count_waiting(session)}


def _subscribers(session: Session) -> dict[str, int]:
    # As a text: a status that cannot be read stops no statistics.
    status = type_coerce(Subscription.status, String)
    rows = session.execute(select(status, func.count()).group_by(status))
    counts = {row[0]: row[1] for row in rows}
    return {
        "people": _count(session, Subscriber),
        **{str(status): counts.get(status, 0) for status in SubscriptionStatus},
        "suppressed": session.scalar(select(func.count(Suppression.address_hash))) or 0,
        "held_suppressions": held_suppressions.count(session),
    }


def _count(session: Session, table: Any) -> int:
    return session.scalar(select(func.count(table.id))) or 0


def _monday(moment: datetime) -> date:
    day = moment.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def _weeks(
    session: Session,
    first: date,
    last: date,
    count: Callable[[Session, date], Mapping[str, int]] = weekly_counts.count_week,
) -> list[Week]:
    """Return the weeks from one Monday to another; none from before anything happened."""
    counted = weekly_counts.stored(session, first)
    uncounted = weekly_counts.first_uncounted(session)
    begin = min([*counted, *([uncounted] if uncounted is not None else [])], default=None)
    if begin is None:
        return []
    weeks = []
    monday = max(begin, first)
    while monday <= last:
        is_final = monday in counted
        numbers = counted[monday] if is_final else count(session, monday)
        weeks.append(Week(monday, _completed(numbers), is_final))
        monday += _WEEK
    return weeks


def _completed(numbers: Mapping[str, int]) -> dict[str, int | None]:
    failed, came_back = numbers.get("failed"), numbers.get("came_back")
    bounced = None if failed is None or came_back is None else failed + came_back
    return {**{name: numbers.get(name) for name in _NAMES}, "bounced": bounced}
