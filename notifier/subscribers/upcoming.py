"""Upcoming digests: how many readers are due on each of the next days, and who is due first.

Owns the numbers that tell an operator what goes out when. Everything is read from the index of due
times, however many subscriptions there are; nobody is named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, case, func, select, type_coerce
from sqlalchemy.orm import Session

from notifier.enums import Cadence, SubscriptionStatus
from notifier.store.models import Profile, Subscription

# The cadences with due times.
_SCHEDULED = (Cadence.DAILY, Cadence.WEEKLY, Cadence.MONTHLY)


@dataclass(frozen=True)
class Line:
    """The readers of a profile with one cadence who are due within some days.

    Attributes:
        slug: of the profile; empty for the sum of all profiles.
        name: of the profile.
        cadence: how often they are served; None for the sum of all.
        days: how many are due on each day; those who are due already count on the first one.
        number: how many there are; who is due every day counts once.
    """

    slug: str
    name: str
    cadence: Cadence | None
    days: tuple[int, ...]
    number: int


@dataclass(frozen=True)
class Next:
    """The digest that is due next.

    Attributes:
        at: when.
        profile: its name.
        cadence: of its readers.
    """

    at: datetime
    profile: str
    cadence: Cadence


@dataclass(frozen=True)
class Upcoming:
    """The digests that are due within some days.

    Attributes:
        lines: those with the most readers, the largest first; those without a schedule have no
            days.
        others: how many lines were left out.
        total: of all lines, the left out ones, too.
    """

    lines: Sequence[Line]
    others: int
    total: Line


def read(session: Session, ends: Sequence[datetime], limit: int) -> Upcoming:
    """Count who is due.

    Args:
        session: a reading session.
        ends: the end of each day, the first one first.
        limit: the most lines.
    """
    scheduled, scheduled_lines = _largest(session, limit, *_scheduled_until(ends[-1]))
    immediate, immediate_lines = _largest(session, limit, *_unscheduled())
    largest = sorted([*scheduled, *immediate], key=lambda row: -row[2])[:limit]
    profiles = _profiles(session, [row[0] for row in largest])
    days = _by_day(session, ends, [row[0] for row in largest])
    lines = [
        _line(*profiles[row[0]], Cadence(row[1]), days.get((row[0], row[1]), {}), row[2], len(ends))
        for row in largest
    ]
    others = scheduled_lines + immediate_lines - len(lines)
    return Upcoming(lines, others, _total(session, ends))


def next_due(session: Session, now: datetime) -> Next | None:
    """Return the scheduled digest that is due next; None if nobody waits for one."""
    firsts = [first for each in _SCHEDULED if (first := _first(session, each, now)) is not None]
    return min(firsts, key=lambda first: first.at, default=None)


def _first(session: Session, cadence: Cadence, now: datetime) -> Next | None:
    row = session.execute(
        select(Subscription.next_due_at, Profile.name)
        .join(Profile, Profile.id == Subscription.profile_id)
        .where(
            Subscription.status == SubscriptionStatus.CONFIRMED,
            _cadence() == cadence,
            Subscription.next_due_at > now,
        )
        .order_by(Subscription.next_due_at)
        .limit(1)
    ).first()
    return None if row is None or row[0] is None else Next(row[0], row[1], cadence)


def _cadence() -> ColumnElement[str]:
    """Return the column of the cadence as a text: a value that is none stops no statement."""
    return type_coerce(Subscription.cadence, String)


def _scheduled_until(end: datetime) -> tuple[ColumnElement[bool], ...]:
    """Select who is due before a time by their schedule."""
    return (
        Subscription.status == SubscriptionStatus.CONFIRMED,
        _cadence().in_(_SCHEDULED),
        Subscription.next_due_at < end,
    )


def _unscheduled() -> tuple[ColumnElement[bool], ...]:
    """Select who waits for no schedule."""
    return Subscription.status == SubscriptionStatus.CONFIRMED, _cadence() == Cadence.IMMEDIATE


def _largest(
    session: Session, limit: int, *wanted: ColumnElement[bool]
) -> tuple[Sequence[Any], int]:
    """Return the largest groups of a profile and a cadence, and how many groups there are.

    The two kinds are counted one after the other: a condition for both would read every row.
    """
    # As an expression: otherwise SQLite would read the rows in the order of their profiles.
    group = Subscription.profile_id + 0, _cadence()
    number = func.count()
    sizes = select(*group, number, func.count().over()).where(*wanted).group_by(*group)
    rows = session.execute(sizes.order_by(number.desc(), *group).limit(limit)).all()
    return rows, rows[0][3] if rows else 0


def _profiles(session: Session, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    rows = session.execute(
        select(Profile.id, Profile.slug, Profile.name).where(Profile.id.in_(ids))
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def _by_day(
    session: Session, ends: Sequence[datetime], profile_ids: Sequence[int]
) -> dict[tuple[int, str], dict[int, int]]:
    """Count the scheduled readers of some profiles by profile, cadence and day."""
    counts: dict[tuple[int, str], dict[int, int]] = {}
    group = Subscription.profile_id, _cadence(), _day(ends)
    for profile_id, cadence, day, number in session.execute(
        _scheduled(ends, *group).where(Subscription.profile_id.in_(profile_ids))
    ):
        counts.setdefault((profile_id, cadence), {})[day] = number
    return counts


def _total(session: Session, ends: Sequence[datetime]) -> Line:
    days, number = [0] * len(ends), 0
    by_cadence: dict[str, dict[int, int]] = {}
    for cadence, day, count in session.execute(_scheduled(ends, _cadence(), _day(ends))):
        by_cadence.setdefault(cadence, {})[day] = count
    for cadence, counts in by_cadence.items():
        number += sum(counts.values())
        shown = _repeated(Cadence(cadence), counts, len(ends))
        days = [sum(numbers) for numbers in zip(days, shown, strict=True)]
    immediate = session.scalar(select(func.count()).where(*_unscheduled())) or 0
    return Line("", "", None, tuple(days), number + immediate)


def _scheduled(ends: Sequence[datetime], *group: Any) -> Select[Any]:
    return select(*group, func.count()).where(*_scheduled_until(ends[-1])).group_by(*group)


def _day(ends: Sequence[datetime]) -> ColumnElement[int]:
    """Return the number of the day on which somebody is due, from 0."""
    return case(
        *((Subscription.next_due_at < end, number) for number, end in enumerate(ends[:-1])),
        else_=len(ends) - 1,
    )


def _line(
    slug: str, name: str, cadence: Cadence, counts: dict[int, int], number: int, days: int
) -> Line:
    shown = () if cadence is Cadence.IMMEDIATE else tuple(_repeated(cadence, counts, days))
    return Line(slug, name, cadence, shown, number)


def _repeated(cadence: Cadence, counts: dict[int, int], days: int) -> list[int]:
    """Return the numbers of each day; who is due daily is due again on each later day."""
    shown = [counts.get(day, 0) for day in range(days)]
    if cadence is not Cadence.DAILY:
        return shown
    return [sum(shown[: day + 1]) for day in range(days)]
