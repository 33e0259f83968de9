"""Classes and schedules of subscriptions: the values that many share, as they are stored.

Owns everything that decides which items a subscription is owed and in which words (its class), and
when it is due next (its schedule), with the reason why a stored value cannot be used. It asks no
database.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select

from notifier.enums import Cadence, Edition
from notifier.i18n.catalog import LANGUAGES
from notifier.subscribers.due_subscriptions import (
    DAYS,
    UNREADABLE,
    WRONG_DAY,
    WRONG_HIDDEN,
    WRONG_LANGUAGE,
    WRONG_TIME,
    WRONG_ZONE,
    is_list_of_names,
    is_time,
    is_zone,
)
from notifier.subscribers.schedule import Schedule

# The bits of a number that both databases have.
BITS = 62
# The seen snapshot of a class, for every snapshot but the current one.
EARLIER = "earlier"


@dataclass(frozen=True)
class History:
    """The past of subscriptions, as far as it decides what they are owed.

    Attributes:
        told_entries: statements with `subscription_id` and `entry_id`: who was told of what.
        entries: the entries that are asked about, by id.
        waiting_digests: statements with `subscription_id`, `digest_id` and `due_at`: what waits
            for whom.
        digests: the digests that wait, oldest first, by id.
    """

    told_entries: tuple[Select[Any], ...]
    entries: tuple[int, ...]
    waiting_digests: tuple[Select[Any], ...]
    digests: tuple[int, ...]


class DueClass(NamedTuple):
    """Everything that decides what a subscription is owed, as it is stored.

    Attributes:
        position: of the last match that it was served with.
        cadence: how often.
        edition: for whom it is worded.
        language: of the subscriber.
        seen: the key of the snapshot that was seen: the current one, none (empty), or `EARLIER`.
        hidden: the sections that are left out, as JSON.
        told_entries: a bit for each entry of the history.
        waiting_digests: a bit for each digest of the history.
    """

    position: int
    cadence: str
    edition: str
    language: str
    seen: str
    hidden: str
    told_entries: tuple[int, ...]
    waiting_digests: tuple[int, ...]

    def entries_of(self, history: History) -> frozenset[int]:
        """Return the entries that were told, by id."""
        return frozenset(_members(self.told_entries, history.entries))

    def digests_of(self, history: History) -> tuple[int, ...]:
        """Return the digests that wait, oldest first, by id."""
        return tuple(_members(self.waiting_digests, history.digests))

    @property
    def sections(self) -> frozenset[str]:
        """The sections that are left out.

        Raises:
            ValueError: the stored list cannot be read.
        """
        names = json.loads(self.hidden)
        if not is_list_of_names(names):
            raise ValueError("no list of names")
        return frozenset(names)

    @property
    def trouble(self) -> str:
        """The reason why it cannot be used, a sentence; empty if it can."""
        if self.cadence not in _values(Cadence) or self.edition not in _values(Edition):
            return UNREADABLE
        if self.language not in LANGUAGES:
            return WRONG_LANGUAGE
        try:
            return "" if self.sections is not None else WRONG_HIDDEN
        except (ValueError, TypeError, RecursionError):
            return WRONG_HIDDEN


class StoredSchedule(NamedTuple):
    """A schedule as it is stored, each part as a text; `on` is empty for None."""

    cadence: str
    at: str
    on: str
    time_zone: str

    def next_after(self, now: datetime) -> tuple[datetime | None, str]:
        """Return the next due time, or the reason why there is none, a sentence."""
        if self.cadence not in _values(Cadence):
            return None, UNREADABLE
        cadence, days = Cadence(self.cadence), DAYS.get(Cadence(self.cadence))
        if not is_time(self.at):
            return None, WRONG_TIME
        try:
            on = int(self.on) if self.on else None
        except ValueError:
            return None, UNREADABLE
        if days is not None and on not in days:
            return None, WRONG_DAY
        if not is_zone(self.time_zone):
            return None, WRONG_ZONE
        return Schedule(cadence, self.at, on, self.time_zone).next_after(now), ""


@dataclass
class Grouped:
    """The due subscriptions of a profile, by class and by schedule.

    Attributes:
        classes: the earliest due time of each, that of the digests which wait included or not.
        schedules: the schedules that occur.
        number: how many subscriptions there are.
        members: how many there are of each class.
    """

    classes: dict[DueClass, "Earliest"] = field(default_factory=dict)
    number: int = 0
    schedules: set[StoredSchedule] = field(default_factory=set)
    members: Counter[DueClass] = field(default_factory=Counter)


class Earliest(NamedTuple):
    """The earliest due times of a class.

    Attributes:
        own: of what is owed newly.
        waiting: of the digests that wait; None where none does.
    """

    own: datetime
    waiting: datetime | None

    def with_waiting(self, *, merges: bool) -> datetime:
        """Return the earliest due time of a digest that contains those that wait, or does not."""
        return min(self.own, self.waiting) if merges and self.waiting else self.own


NextDue = Mapping[StoredSchedule, tuple[datetime | None, str]]


class Outcome(NamedTuple):
    """The decision about the subscriptions of a class.

    Attributes:
        digest_id: the digest that they are sent; None for none.
        lane: of its deliveries.
        covers: nothing up to the profile's position is owed to them any more.
        merges: their waiting digests end.
        trouble: why they cannot be served; None if they can.
    """

    digest_id: int | None = None
    lane: int = 0
    covers: bool = False
    merges: bool = False
    trouble: str | None = None


def _values(kind: type[Cadence] | type[Edition]) -> frozenset[str]:
    return frozenset(str(member) for member in kind)


def _members(words: Sequence[int], ids: Sequence[int]) -> Iterator[int]:
    for place, each in enumerate(ids):
        if words[place // BITS] >> place % BITS & 1:
            yield each
