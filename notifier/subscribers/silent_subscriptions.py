"""Silent subscriptions: those that got no mail for a month.

Owns when the mail is due that says so: at the usual hour of the day, a month after the last mail.
Usual hours are computed once for each hour and zone that occur, for the last days; one that is due
for longer counts as due on the first of these.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    String,
    Update,
    and_,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session

from notifier.enums import Cadence, SubscriptionStatus
from notifier.store import db
from notifier.store.models import Subscriber, Subscription, UTCDateTime
from notifier.subscribers.due_profiles import Due, in_window
from notifier.subscribers.due_subscriptions import (
    MONTH,
    is_time,
    is_zone,
    may_be_mailed,
    not_put_off,
)
from notifier.subscribers.schedule import Schedule

# For how many days usual hours are computed: a server that was away for longer says that its mails
# are that late. Chosen by hand; not measured.
_DAYS = 10
# Before anything that is stored.
_EVER = datetime(1970, 1, 1)  # noqa: DTZ001 - the zone follows


@dataclass(frozen=True)
class Silent(Due):
    """The silent subscriptions of a profile whose mail is due.

    Attributes:
        hours: rows of `at` and `time_zone` with the `due_at` for last mails that are not before
            `first` and are before `end`.
    """

    hours: CTE | None = None

    @property
    def is_any(self) -> bool:
        """True if anybody may be due."""
        return self.hours is not None

    def due_at(self) -> ColumnElement[datetime]:
        """Return the SQL expression of the time at which the mail is due."""
        assert self.hours is not None
        due_at: ColumnElement[datetime] = self.hours.c.due_at
        return due_at

    def select(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """Return the due subscriptions of a window, joined with their subscribers."""
        assert self.hours is not None
        hours = self.hours.c
        return (
            select(*columns)
            .select_from(Subscription)
            .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
            .join(
                self.hours,
                and_(
                    hours.at == Subscription.at,
                    hours.time_zone == Subscriber.time_zone,
                    hours.first <= _last_mail(),
                    hours.end > _last_mail(),
                ),
            )
            .where(
                *_is_silent(self.profile_id, self.now),
                *in_window(Subscription.id),
            )
        )


def find(session: Session, profile_id: int, now: datetime) -> Silent:
    """Return the silent subscriptions of a profile whose mail is due."""
    statement = (
        select(Subscription.at, Subscriber.time_zone)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(*_is_silent(profile_id, now))
        .distinct()
    )
    rows = [
        row
        for at, time_zone in session.execute(statement)
        if is_time(at) and is_zone(time_zone)
        for row in _hours(at, time_zone, now)
    ]
    columns = {"at": String(), "time_zone": String()} | dict.fromkeys(
        ("first", "end", "due_at"), UTCDateTime()
    )
    hours = db.rows_as_table(session, "hours", columns, rows) if rows else None
    return Silent(profile_id, now, hours=hours)


def _hours(at: str, time_zone: str, now: datetime) -> Sequence[tuple[object, ...]]:
    """Return the rows of an hour of the day; for each day on which the mail can have been due."""
    daily = Schedule(Cadence.DAILY, at, None, time_zone)
    moments = []
    moment = daily.next_after(now - timedelta(days=_DAYS))
    while moment is not None and moment <= now:
        moments.append(moment)
        moment = daily.next_after(moment)
    first = _EVER.replace(tzinfo=now.tzinfo)
    rows = []
    for moment in moments:
        rows.append((at, time_zone, first, moment - MONTH, moment))
        first = moment - MONTH
    return rows


def _is_silent(profile_id: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Subscription.profile_id == profile_id,
        Subscription.status == SubscriptionStatus.CONFIRMED,
        not_put_off(now),
        _last_mail() < now - MONTH,
        may_be_mailed(),
    )


def _last_mail() -> ColumnElement[datetime]:
    return func.coalesce(
        Subscription.last_mailed_at,
        Subscription.confirmed_at,
        Subscription.created_at,
        type_=UTCDateTime(),
    )


def mailed(members: FromClause, now: datetime) -> Update:
    """Return the statement that notes that the members with a digest were mailed."""
    served = Subscription.id == members.c.subscription_id, members.c.digest_id.is_not(None)
    return update(Subscription).where(*served).values(last_mailed_at=literal(now, UTCDateTime()))
