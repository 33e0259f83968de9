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
# In a place of a table: the sum over all languages, or over all cadences. And the rest of a list.
ALL, _OTHERS = "", " others"
Place = tuple[str, str]


@dataclass(frozen=True)
class Numbers:
    """The subscriptions at a moment.

    Attributes:
        people: how many people there are, also those whose subscriptions have ended.
        statuses: how many subscriptions there are of each status.
        cadences: how many of the confirmed ones, by cadence; None for a number that is not shown.
        editions: the same by edition.
        languages: the same by the code of the person's language.
        profiles: name, slug and number of the profiles with the most, the largest first.
        more_profiles: how many other profiles have any.
        crossed: by language and cadence.
    """

    people: int
    statuses: Mapping[str, int]
    cadences: Mapping[str, int | None]
    editions: Mapping[str, int | None]
    languages: Mapping[str, int | None]
    profiles: Sequence[tuple[str, str, int | None]]
    more_profiles: int
    crossed: Mapping[Place, int | None]


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
    table = without_small(
        {
            **_sums(rows, lambda row: (row[0], row[1])),
            **_sums(rows, lambda row: (ALL, row[1])),
            **_sums(rows, lambda row: (row[0], ALL)),
            **_sums(rows, lambda _row: (ALL, ALL)),
        }
    )
    status = _text(Subscription.status)
    statuses = session.execute(select(status, func.count()).group_by(status))
    profiles, number_of_profiles = _profiles(session, most_profiles)
    sizes = largest({row[1]: row[2] for row in profiles}, sum(row[-1] for row in rows))
    return Numbers(
        session.scalar(select(func.count(Subscriber.id))) or 0,
        {row[0]: row[1] for row in statuses},
        {cadence: number for (code, cadence), number in table.items() if code == ALL != cadence},
        _without_small_of(_sums(rows, lambda row: row[2])),
        {code: number for (code, cadence), number in table.items() if code != ALL == cadence},
        [(name, slug, sizes[slug]) for name, slug, _ in profiles],
        number_of_profiles - len(profiles),
        {place: number for place, number in table.items() if ALL not in place},
    )


def without_small(crossed: Mapping[Place, int]) -> dict[Place, int | None]:
    """Return a table without its small numbers, and without those that would give one away.

    Where a row or a column lacks one number only, it is what remains of the sum; where those that
    it lacks are fewer than five people together, hardly anything is left to guess. The smallest
    other number is left out, too; a sum is a number of its row, and of its column. The sum of all
    is known, and stays.
    """
    shown: dict[Place, int | None] = {
        place: None if 0 < number < FEWEST_SHOWN and place != (ALL, ALL) else number
        for place, number in crossed.items()
    }
    while (place := _next_to_hide(crossed, shown)) is not None:
        shown[place] = None
    return shown


def _without_small_of(counts: Mapping[str, int]) -> dict[str, int | None]:
    """Return a list without its small numbers and those that would give one away."""
    sums = {(ALL, ALL): sum(counts.values())}
    shown = without_small({**{(ALL, name): number for name, number in counts.items()}, **sums})
    return {name: shown[ALL, name] for name in counts}


def largest(counts: Mapping[str, int], total: int) -> dict[str, int | None]:
    """Return the largest numbers of a list without those that are small, or give one away.

    Args:
        counts: the largest.
        total: the sum of all, from which the rest can be worked out.
    """
    rest = total - sum(counts.values())
    if rest < FEWEST_SHOWN:
        shown = _without_small_of({**counts, _OTHERS: rest} if rest else counts)
        return {name: shown[name] for name in counts}
    # What is left out hides in the rest.
    return {name: None if number < FEWEST_SHOWN else number for name, number in counts.items()}


def _next_to_hide(crossed: Mapping[Place, int], shown: Mapping[Place, int | None]) -> Place | None:
    for side in (0, 1):
        for name in sorted({place[side] for place in shown}):
            line = [place for place in shown if place[side] == name]
            hidden = [place for place in line if shown[place] is None]
            left = [place for place in line if shown[place] and place != (ALL, ALL)]
            is_sum_known = all(place[1 - side] != ALL for place in hidden)
            together = sum(crossed[place] for place in hidden)
            if left and (len(hidden) == 1 or (hidden and is_sum_known and together < FEWEST_SHOWN)):
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
