"""Due work: which profiles have subscriptions that are due, and where these are found.

Owns the conditions under which a subscription is due, as SQL, and the question which profiles need
work: a few reads of an index, however many subscriptions there are. A scheduled subscription is due
when its time has come; an immediate one when its oldest unserved match is older than the quiet
time; one that wants urgent news at once, when such a match is unserved.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isqrt
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    ScalarSelect,
    Select,
    String,
    and_,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from notifier.enums import Cadence, DeliveryKind, DeliveryStatus, SubscriptionStatus, Tier
from notifier.store.models import (
    Delivery,
    Match,
    Profile,
    Subscriber,
    Subscription,
    UTCDateTime,
    is_stopped,
)
from notifier.subscribers.due_subscriptions import may_be_mailed, not_put_off

# The parameters of a window of subscription ids: above the first, up to the last.
WINDOW = ("window_above", "window_last")

# How many subscriptions are grouped, and at first moved, at a time. Chosen by hand:
# bench/planning.py shows the time of a transaction.
_GROUPED_AT_ONCE, MOVED_AT_ONCE = 100_000, 2_000

_IMMEDIATE: ColumnElement[bool] = literal_column("subscription.cadence = 'immediate'")
_URGENT: dict[str, ColumnElement[bool]] = {
    "sqlite": literal_column("subscription.urgent IS 1"),
    "postgresql": literal_column("subscription.urgent"),
}


def in_window(subscription_id: Any) -> tuple[ColumnElement[bool], ...]:
    """Return the SQL conditions that an id lies in the window of the statement's parameters."""
    above, last = (bindparam(name, type_=Integer()) for name in WINDOW)
    return subscription_id > above, subscription_id <= last


@dataclass(frozen=True)
class Due:
    """The due subscriptions of a profile.

    Attributes:
        profile_id: of the profile.
        now: when they are due.
        scheduled: how many are due by their schedule.
        others: how many of other profiles are due by their schedule.
        cadences: the cadences that occur, as they are stored.
        news_before: immediate subscriptions below this position are due.
        urgent_before: those that want urgent news at once are due below this position.
    """

    profile_id: int
    now: datetime
    scheduled: int = 0
    others: int = 0
    cadences: tuple[str, ...] = ()
    news_before: int = 0
    urgent_before: int = 0

    @property
    def is_any(self) -> bool:
        """True if anybody may be due."""
        return bool(self.scheduled or self.news_before or self.urgent_before)

    def due_at(self) -> ColumnElement[datetime]:
        """Return the SQL expression of the time at which a digest is due to a subscription."""
        return func.coalesce(
            Subscription.next_due_at, literal(self.now, UTCDateTime()), type_=UTCDateTime()
        )

    def select(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """Return the due subscriptions of a window, joined with their subscribers.

        The statement has the parameters `WINDOW`.
        """
        due = [and_(_cadence().in_(self.cadences), Subscription.next_due_at <= self.now)] * bool(
            self.scheduled
        )
        if self.news_before:
            due.append(
                and_(_cadence() == Cadence.IMMEDIATE, Subscription.position < self.news_before)
            )
        if self.urgent_before:
            due.append(
                and_(Subscription.urgent.is_(True), Subscription.position < self.urgent_before)
            )
        return (
            select(*columns)
            .select_from(Subscription)
            .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
            .where(
                self._profile() == self.profile_id,
                Subscription.status == SubscriptionStatus.CONFIRMED,
                *in_window(Subscription.id),
                not_put_off(self.now),
                or_(*due),
                may_be_mailed(),
                ~_is_owed_again(),
                # No digest is composed for a mailbox that was full until it may have room again.
                or_(Subscriber.held_until.is_(None), Subscriber.held_until <= self.now),
            )
        )

    def _profile(self) -> ColumnElement[int]:
        """Return the column of the profile; as an expression where its index would be slower.

        Neither database knows how many subscriptions of a profile are due.
        """
        by_schedule_alone = not (self.news_before or self.urgent_before)
        if by_schedule_alone and not self._in_order and self.others <= 4 * self.scheduled:
            return Subscription.profile_id + 0
        return type_coerce(Subscription.profile_id, Integer)

    @property
    def _in_order(self) -> bool:
        """True if so many are due that reading all subscriptions by their ids is cheapest."""
        return self.scheduled > isqrt(_GROUPED_AT_ONCE * MOVED_AT_ONCE)

    def ids(self, session: Session) -> tuple[int, int]:
        """Return the range of the profile's subscription ids: above the first, up to the second."""
        bounds = select(func.min(Subscription.id), func.max(Subscription.id))
        row = session.execute(bounds.where(Subscription.profile_id == self.profile_id)).one()
        return (0, 0) if row[0] is None else (row[0] - 1, row[1])

    def windows(self, session: Session) -> Iterator[dict[str, int]]:
        """Yield the parameters of windows in which the due subscriptions lie."""
        above, last = self.ids(session)
        step = _GROUPED_AT_ONCE if self._in_order else max(1, last - above)
        while above < last:
            yield dict(zip(WINDOW, (above, min(above + step, last)), strict=True))
            above += step


def _cadence() -> ColumnElement[str]:
    """Return the column of the cadence as a text: a value that is none stops no statement."""
    return type_coerce(Subscription.cadence, String)


def _is_owed_again() -> ColumnElement[bool]:
    """Return the SQL condition that an unsent digest of a running subscription is to be due again.

    Until then (`deliver/outbox/unsent.py`) nothing is composed for it: what that digest says would
    count as never told, and a correction of it would be owed to nobody.
    """
    return exists().where(
        Delivery.subscription_id == Subscription.id,
        is_stopped(),
        Delivery.kind == DeliveryKind.DIGEST,
        Delivery.status.in_(DeliveryStatus.LOST),
        Delivery.created_at >= Subscription.confirmed_at,
    )


def work(session: Session, now: datetime, quiet: timedelta) -> list[Due]:
    """Return the profiles with due subscriptions, by id.

    Args:
        session: a reading session.
        now: when.
        quiet: how long an immediate digest waits for further matches.
    """
    cadences = _stored_cadences(session)
    by_schedule = _by_schedule(session, cadences, now)
    all_due = sum(by_schedule.values())
    by_news = {
        profile_id: (news or 0, urgent or 0)
        for profile_id, news, urgent in session.execute(_with_unserved_news(session, now - quiet))
        if news or urgent
    }
    return [
        Due(
            profile_id,
            now,
            by_schedule.get(profile_id, 0),
            all_due - by_schedule.get(profile_id, 0),
            cadences,
            *by_news.get(profile_id, (0, 0)),
        )
        for profile_id in sorted(by_schedule.keys() | by_news.keys())
    ]


def _stored_cadences(session: Session) -> tuple[str, ...]:
    """Return the cadences of confirmed subscriptions, the damaged ones, too, by an index read each.

    The index of due times begins with them.
    """
    confirmed = Subscription.status == SubscriptionStatus.CONFIRMED
    cadences: list[str] = []
    next_one = select(func.min(_cadence())).where(confirmed)
    while (cadence := session.scalar(next_one)) is not None:
        cadences.append(cadence)
        next_one = select(func.min(_cadence())).where(confirmed, _cadence() > cadence)
    return tuple(cadences)


def _by_schedule(session: Session, cadences: tuple[str, ...], now: datetime) -> dict[int, int]:
    """Return how many subscriptions are due by their schedule, by profile."""
    due = (
        select(Subscription.profile_id, func.count())
        .where(
            Subscription.status == SubscriptionStatus.CONFIRMED,
            _cadence().in_(cadences),
            Subscription.next_due_at <= now,
        )
        .group_by(Subscription.profile_id)
    )
    return {row[0]: row[1] for row in session.execute(due)} if cadences else {}


def _with_unserved_news(session: Session, before: datetime) -> Select[Any]:
    """Return the profiles that may have news for those who do not wait for a schedule.

    Returns:
        Rows of the profile, the position below which immediate subscriptions are due, and the one
        below which those are that want urgent news at once; None where there are none.
    """
    places = _first_places(_URGENT[session.get_bind().dialect.name])

    def last_after(place: ColumnElement[int], *kind: ColumnElement[bool]) -> ScalarSelect[Any]:
        news = Match.profile_id == places.c.profile_id, Match.filed.is_(False)
        last = select(Match.position).where(*news, Match.position > place, *kind)
        return last.order_by(Match.position.desc()).limit(1).correlate(places).scalar_subquery()

    is_news = Match.tier.in_((Tier.ABOUT, Tier.MENTION)), Match.created_at <= before
    return select(
        places.c.profile_id,
        last_after(places.c.immediate, *is_news),
        last_after(places.c.urgent, Match.urgent.is_(True)),
    )


def _first_places(urgent: ColumnElement[bool]) -> CTE:
    """Return the profiles in which somebody waits for no schedule and was not served with all.

    Both tables are materialized: SQLite would look up each value again wherever it is named.

    Args:
        urgent: the condition that a subscription wants urgent news at once. Both kinds are those of
            the partial index `ix_subscription_prompt`, word by word.

    Returns:
        Rows of `profile_id`, and of the first position that somebody of each kind was served with.
    """
    is_confirmed = Subscription.status == SubscriptionStatus.CONFIRMED
    of_profile = Subscription.profile_id == Profile.id, Subscription.position < Profile.position
    anybody = exists().where(*of_profile, is_confirmed, or_(_IMMEDIATE, urgent))
    columns = Profile.id.label("profile_id"), Profile.position.label("position")
    behind = select(*columns).where(anybody).cte("behind").prefix_with("MATERIALIZED")

    def first_place(kind: ColumnElement[bool]) -> ScalarSelect[Any]:
        of_profile = Subscription.profile_id == behind.c.profile_id
        is_behind = Subscription.position < behind.c.position
        first = select(func.min(Subscription.position))
        first = first.where(of_profile, is_behind, is_confirmed, kind)
        return first.correlate(behind).scalar_subquery()

    places = select(
        behind.c.profile_id,
        first_place(_IMMEDIATE).label("immediate"),
        first_place(urgent).label("urgent"),
    )
    return places.cte("places").prefix_with("MATERIALIZED")
