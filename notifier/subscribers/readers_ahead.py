"""Readers ahead: for whom digests are composed next, and how many readers a draft may have.

For a person who looks ahead: nothing is decided by these numbers. They are read from indexes, and
of a very long list no more rows than a look may take.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Integer, case, func, select, type_coerce
from sqlalchemy.orm import Session

from notifier.enums import Cadence, Edition, SubscriptionStatus
from notifier.store.models import Match, Subscriber, Subscription, UTCDateTime
from notifier.subscribers.due_classes import EARLIER
from notifier.subscribers.due_subscriptions import may_be_mailed

# Subscriptions that are looked at for one answer. Chosen by hand: it takes less than a tenth of a
# second.
_MOST_READ = 20_000
_MOST_NEWS = 1000
# Readers among whom one without hidden sections is looked for. Chosen by hand; not measured.
_MOST_TYPICAL = 50
SCHEDULED = (Cadence.DAILY, Cadence.WEEKLY, Cadence.MONTHLY)


class Upcoming(NamedTuple):
    """The readers of a profile and cadence who are due on a day.

    Attributes:
        profile_id: of the profile.
        cadence: how often.
        first_at: when the first of them are due.
        last_at: when the last of them are.
        readers: how many they are.
    """

    profile_id: int
    cadence: Cadence
    first_at: datetime
    last_at: datetime
    readers: int


@dataclass(frozen=True)
class Waiting:
    """The readers who wait for an issue.

    Attributes:
        numbers: how many there are of each edition, language and seen snapshot.
        is_complete: False where there are more than were counted.
    """

    numbers: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    is_complete: bool = True

    def number(self, edition: str, language: str, seen: str | None = None) -> int:
        """Return how many wait for it in these words; `seen` None: whatever they have seen."""
        return sum(
            number
            for key, number in self.numbers.items()
            if key[:2] == (edition, language) and seen in (None, key[2])
        )


def due_between(
    session: Session,
    begin: datetime,
    end: datetime,
    after: int = 0,
    limit: int = 50,
    profile_ids: Collection[int] = (),
) -> Sequence[Upcoming]:
    """Return who is due in a period, by profile and cadence, in the order of the profiles' ids.

    Args:
        session: a reading session.
        begin: later than this.
        end: until then.
        after: only profiles with a larger id.
        limit: the most that are returned.
        profile_ids: only these profiles; empty for all.
    """
    of_profiles = [Subscription.profile_id.in_(profile_ids)] if profile_ids else []
    rows = session.execute(
        select(
            Subscription.profile_id,
            Subscription.cadence,
            func.min(Subscription.next_due_at, type_=UTCDateTime()),
            func.max(Subscription.next_due_at, type_=UTCDateTime()),
            func.count(),
        )
        .where(
            Subscription.status == SubscriptionStatus.CONFIRMED,
            Subscription.cadence.in_(SCHEDULED),
            Subscription.next_due_at > begin,
            Subscription.next_due_at <= end,
            Subscription.profile_id > after,
            *of_profiles,
        )
        .group_by(Subscription.profile_id, Subscription.cadence)
        .order_by(Subscription.profile_id, Subscription.cadence)
        .limit(limit)
    )
    return [
        Upcoming(profile_id, cadence, first, last, number)
        for profile_id, cadence, first, last, number in rows
        if first is not None and last is not None
    ]


def waiting(
    session: Session,
    profile_id: int,
    cadence: Cadence,
    until: datetime | None,
    position: int,
    snapshot: str,
) -> Waiting:
    """Count the readers who wait for an issue.

    Args:
        session: a reading session.
        profile_id: of the profile.
        cadence: how often.
        until: who is due before then; None for all, whatever their schedule.
        position: of the last match of the issue; who was served with it waits for the next one.
        snapshot: the key of the profile's current snapshot.
    """
    due = (
        [] if until is None or cadence is Cadence.IMMEDIATE else [Subscription.next_due_at < until]
    )
    seen = case(
        (Subscription.seen_snapshot.in_(("", snapshot)), Subscription.seen_snapshot), else_=EARLIER
    )
    some = (
        _readers(
            # They are found by the index of the profile: that of due times has those of all.
            type_coerce(Subscription.profile_id, Integer) == profile_id,
            cadence,
            Subscription.edition.label("edition"),
            Subscriber.language.label("language"),
            seen.label("seen"),
        )
        .where(*due, Subscription.position < position)
        .limit(_MOST_READ)
        .subquery()
    )
    rows = session.execute(select(*some.c, func.count().label("number")).group_by(*some.c)).all()
    numbers = {(str(row.edition), row.language, row.seen): row.number for row in rows}
    return Waiting(numbers, sum(numbers.values()) < _MOST_READ)


def typical(
    session: Session,
    profile_id: int,
    cadence: Cadence,
    edition: Edition,
    language: str,
    after: datetime,
) -> Subscription | None:
    """Return the subscription of somebody who is due next: one that hides no sections, if any.

    Args:
        session: a reading session.
        profile_id: of the profile.
        cadence: how often.
        edition: for whom it is worded.
        language: the code of the language.
        after: who is due later than this; of those without a schedule, anybody.
    """
    # In the order of the index of due times: the sum keeps the database from that of the profile,
    # whose readers it would all have to sort.
    readers = _readers(Subscription.profile_id + 0 == profile_id, cadence, Subscription).where(
        Subscription.edition == edition, Subscriber.language == language
    )
    if cadence is not Cadence.IMMEDIATE:
        readers = readers.where(Subscription.next_due_at > after)
    first = session.scalars(readers.order_by(Subscription.next_due_at).limit(_MOST_TYPICAL)).all()
    return next((each for each in first if not each.hidden), first[0] if first else None)


def new_matches(session: Session, upcoming: Upcoming) -> int:
    """Return how many matches the first of these readers were not served with yet; 1000 at most."""
    position = session.scalar(
        select(Subscription.position)
        .where(
            Subscription.status == SubscriptionStatus.CONFIRMED,
            Subscription.cadence == upcoming.cadence,
            Subscription.next_due_at == upcoming.first_at,
            Subscription.profile_id == upcoming.profile_id,
        )
        .limit(1)
    )
    news = (
        select(Match.id)
        .where(
            Match.profile_id == upcoming.profile_id,
            Match.position > (position or 0),
            Match.filed.is_(False),
        )
        .limit(_MOST_NEWS)
        .subquery()
    )
    return session.scalar(select(func.count()).select_from(news)) or 0


def _readers(of_profile: ColumnElement[bool], cadence: Cadence, *columns: Any) -> Any:
    """Select the confirmed readers of a profile and cadence who may be mailed."""
    return (
        select(*columns)
        .select_from(Subscription)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(
            of_profile,
            Subscription.status == SubscriptionStatus.CONFIRMED,
            Subscription.cadence == cadence,
            may_be_mailed(),
        )
    )
