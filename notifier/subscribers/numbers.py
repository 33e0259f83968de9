"""People in numbers: how they read, in which languages, and what they follow; no names.

Owns the counts of confirmed subscriptions, and which of them are too small to be shown: a number
below five of people who have two things in common could point at a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, func, select, type_coerce
from sqlalchemy.orm import Session

from notifier.enums import SubscriptionStatus
from notifier.store.models import Profile, Subscriber, Subscription

# Smaller numbers are not shown; the usual threshold of published statistics about health.
FEWEST_SHOWN = 5


@dataclass(frozen=True)
class Numbers:
    """The subscriptions at a moment.

    Attributes:
        people: how many people there are, also those whose subscriptions have ended.
        statuses: how many subscriptions there are of each status.
        cadences: how many of the confirmed ones, by cadence.
        editions: the same by edition.
        languages: the same by the code of the person's language.
        profiles: name, slug and number of the profiles with the most, the largest first.
        more_profiles: how many other profiles have any.
        crossed: by language and cadence; None for a number that is not shown.
    """

    people: int
    statuses: Mapping[str, int]
    cadences: Mapping[str, int]
    editions: Mapping[str, int]
    languages: Mapping[str, int]
    profiles: Sequence[tuple[str, str, int]]
    more_profiles: int
    crossed: Mapping[tuple[str, str], int | None]


def read(session: Session, most_profiles: int) -> Numbers:
    """Count the subscriptions.

    Args:
        session: a reading session.
        most_profiles: how many profiles are listed.
    """
    cadence, edition = _text(Subscription.cadence), _text(Subscription.edition)
    rows = session.execute(
        select(Subscriber.language, cadence, edition, func.count())
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        # As an expression: reading all rows in their order is faster than most of them by an index.
        .where(_text(Subscription.status).concat("") == SubscriptionStatus.CONFIRMED)
        .group_by(Subscriber.language, cadence, edition)
    ).all()
    crossed = _sums(rows, lambda row: (row[0], row[1]))
    status = _text(Subscription.status)
    statuses = session.execute(select(status, func.count()).group_by(status))
    profiles, number_of_profiles = _profiles(session, most_profiles)
    return Numbers(
        session.scalar(select(func.count(Subscriber.id))) or 0,
        {row[0]: row[1] for row in statuses},
        _sums(rows, lambda row: row[1]),
        _sums(rows, lambda row: row[2]),
        _sums(rows, lambda row: row[0]),
        profiles,
        number_of_profiles - len(profiles),
        without_small(crossed),
    )


def without_small(crossed: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int | None]:
    """Return a table without its small numbers, and without those that would give one away.

    Where a row or a column lacks one number only, it is what remains of the sum: the smallest
    other number is left out, too.
    """
    shown: dict[tuple[str, str], int | None] = {
        place: None if 0 < number < FEWEST_SHOWN else number for place, number in crossed.items()
    }
    while (place := _next_to_hide(crossed, shown)) is not None:
        shown[place] = None
    return shown


def _next_to_hide(
    crossed: Mapping[tuple[str, str], int], shown: Mapping[tuple[str, str], int | None]
) -> tuple[str, str] | None:
    for side in (0, 1):
        for name in sorted({place[side] for place in shown}):
            line = [place for place in shown if place[side] == name]
            left = [place for place in line if shown[place]]
            if sum(shown[place] is None for place in line) == 1 and left:
                return min(left, key=lambda place: (crossed[place], place))
    return None


def _profiles(session: Session, limit: int) -> tuple[list[tuple[str, str, int]], int]:
    # As an expression: otherwise SQLite would read the rows in the order of their profiles.
    number, profile_id = func.count(), Subscription.profile_id + 0
    sizes = (
        select(profile_id, number, func.count().over())
        .where(Subscription.status == SubscriptionStatus.CONFIRMED)
        .group_by(profile_id)
        .order_by(number.desc(), profile_id)
        .limit(limit)
    )
    rows = session.execute(sizes).all()
    names = {
        row[0]: (row[1], row[2])
        for row in session.execute(
            select(Profile.id, Profile.name, Profile.slug).where(
                Profile.id.in_([row[0] for row in rows])
            )
        )
    }
    return [(*names[row[0]], row[1]) for row in rows], rows[0][2] if rows else 0


def _sums(rows: Sequence[Any], key: Any) -> dict[Any, int]:
    sums: dict[Any, int] = {}
    for row in rows:
        sums[key(row)] = sums.get(key(row), 0) + row[-1]
    return sums


def _text(column: Any) -> Any:
    """Return a column as a text: a value that is none of its enum stops no count."""
    return type_coerce(column, String)
