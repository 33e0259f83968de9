"""The clock as the database knows it: the newest time ever seen, and times that a wrong one stored.

Owns the list of columns that a wrong clock can make harmful, with how far ahead of the present each
may lie: a time further ahead was stored while the clock ran ahead, and would silence a source or a
reader until then. It must not know what a step plans, or why; due times of digests depend on the
reader's schedule and are computed in `subscribers/`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from sqlalchemy import ColumnElement, CursorResult, Table, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from notifier.enums import DeliveryStatus
from notifier.store.models import Base, Installation, Source, Subscriber

# Clocks of several machines differ by less; a clock that differs by more is wrong.
SLACK = timedelta(minutes=10)
# How often the newest time is stored. Chosen by hand; not measured.
_NOTED_EVERY = timedelta(minutes=1)
# How often planned times are compared with the clock: each comparison reads whole tables. A clock
# that was wrong shows at once, because then the last comparison lies in the future.
_PLANS_CHECKED_EVERY = timedelta(hours=1)
# A clock that shows a time before everything that was ever stored here is behind. People import
# lists and replay tests with earlier times, by hours. Chosen by hand.
_EARLIER = timedelta(days=1)


class _Moment(NamedTuple):
    """A column that a wrong clock can make harmful.

    Attributes:
        table: its table.
        column: its name there.
        ahead: how far ahead of the present it may lie.
        forget: true to remove a time that lies further ahead; false to make it a past one.
    """

    table: str
    column: str
    ahead: timedelta = SLACK
    forget: bool = False


# Plans, each with more than the longest wait that is ever planned: see `watch/polling_interval.py`,
# `watch/articles.py`, `watch/hosts.py`, `deliver/outbox/settle.py` and `deliver/bounces/policy.py`.
_NEXT_POLL = _Moment("source", "next_poll_at", timedelta(days=7) + SLACK)
_PLANS = (
    _NEXT_POLL,
    _Moment("source", "posts_next_at", timedelta(days=7) + SLACK),
    _Moment("article_request", "next_at", timedelta(days=3) + SLACK),
    _Moment("host", "wait_until", timedelta(days=3) + SLACK, forget=True),
    _Moment("delivery", "next_attempt_at", timedelta(hours=64) + SLACK),
    _Moment("delivery", "leased_until", timedelta(hours=1)),
    _Moment("pace", "next_at", timedelta(days=1)),
    _Moment("subscriber", "held_until", timedelta(days=8), forget=True),
)
# Times of what has happened, from which later times are counted.
_PAST = (
    _Moment("source", "last_success_at"),
    _Moment("source", "baselined_at"),
    _Moment("source", "changed_at"),
    _Moment("source", "empty_since"),
    _Moment("source", "moved_seen_at"),
    _Moment("source", "doubted_at"),
    _Moment("source", "requested_whole_at", forget=True),
    _Moment("source", "posts_until", forget=True),
    _Moment("article_request", "wanted_since"),
    _Moment("host", "robots_at", forget=True),
    _Moment("doubt", "since"),
    _Moment("entry", "left_at"),
    _Moment("entry", "checked_at"),
    _Moment("entry", "missing_since"),
    _Moment("match", "created_at"),
    _Moment("subscriber", "bounced_at"),
    _Moment("subscriber", "moved_at"),
    _Moment("subscription", "heard_at"),
    _Moment("subscription", "asked_at"),
    _Moment("subscription", "renewal_asked_at", forget=True),
    _Moment("subscription", "renewal_reminded_at", forget=True),
    _Moment("enquiry", "at"),
    _Moment("address_change", "asked_at"),
    _Moment("suppression", "asked_at"),
)


def note(session: Session, now: datetime) -> None:
    """Store the present as the newest time ever seen, unless a newer one is known.

    Args:
        session: a writing session.
        now: the time of the real clock, never that of `--now`.
    """
    newest = Installation.newest_time
    statement = update(Installation).where(or_(newest.is_(None), newest < now))
    session.execute(statement.values(newest_time=now))


def is_to_be_noted(session: Session, now: datetime) -> bool:
    """Return whether the newest time that is stored is so old that `note` should be called."""
    newest = newest_time(session)
    return newest is None or now - newest >= _NOTED_EVERY


def newest_time(session: Session) -> datetime | None:
    """Return the newest time at which a step ever ran; None before the first one."""
    return session.scalars(select(Installation.newest_time)).one()


def is_check_due(session: Session, now: datetime) -> bool:
    """Return whether planned times are to be compared with the clock: once an hour.

    It is due at once where the last comparison lies in the future: then the clock was ahead.
    """
    checked_at = session.scalars(select(Installation.plans_checked_at)).one()
    return checked_at is None or not now - _PLANS_CHECKED_EVERY < checked_at <= now


def note_checked(session: Session, now: datetime) -> None:
    """Store that planned times were compared with the clock."""
    session.execute(update(Installation).values(plans_checked_at=now))


def accept(session: Session, now: datetime) -> None:
    """Store the present as the newest time, because a person says that the clock is right."""
    session.execute(update(Installation).values(newest_time=now))


def finding(session: Session, now: datetime) -> str:
    """Return a sentence if the newest time lies more than ten minutes ahead, with the fix.

    Empty if nothing is wrong.
    """
    newest = newest_time(session)
    if newest is None or newest - now <= SLACK:
        return ""
    return (
        f"The clock shows {_words(now)}, but it has shown {_words(newest)} before: one of them is "
        "wrong. Set the clock; if it is right now: notifier clock --accept"
    )


def _words(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def is_before_everything(session: Session, now: datetime) -> bool:
    """Return whether a time lies before everything that is stored here: the clock is behind.

    Then times that seem to lie too far ahead are right, and the clock is wrong.
    """
    statements = (
        select(func.min(Source.created_at)),
        select(Subscriber.created_at).order_by(Subscriber.id).limit(1),
    )
    known: list[datetime] = []
    for statement in statements:
        try:
            moment = session.scalar(statement)
        except (ValueError, TypeError):  # a row that cannot be read tells nothing
            continue
        known += [moment] if moment is not None else []
    return bool(known) and now < min(known) - _EARLIER


def has_impossible_plans(session: Session, now: datetime) -> bool:
    """Return whether something is planned for a time that a wrong clock must have stored."""
    return any(session.scalar(select(exists().where(_is_ahead(moment, now)))) for moment in _PLANS)


def mend(session: Session, now: datetime) -> int:
    """Bring times back that a wrong clock stored; return how many plans were among them.

    A clock that is behind everything mends next polls alone: a poll at a wrong time does no harm,
    and all others are right when the clock is.

    Args:
        session: a writing session.
        now: the present.
    """
    if is_before_everything(session, now):
        return _bring_back(session, [_NEXT_POLL], now)
    mended = _bring_back(session, _PLANS, now)
    _bring_back(session, _PAST, now)
    return mended


def _bring_back(session: Session, moments: Sequence[_Moment], now: datetime) -> int:
    mended = 0
    for moment in moments:
        column = _table(moment).c[moment.column]
        # Some minutes ago, because a time that equals the present can mean "in this very step".
        values = {column: None if moment.forget else now - SLACK}
        statement = update(_table(moment)).where(_is_ahead(moment, now)).values(values)
        mended += cast("CursorResult[object]", session.execute(statement)).rowcount
    return mended


def _is_ahead(moment: _Moment, now: datetime) -> ColumnElement[bool]:
    table = _table(moment)
    column = table.c[moment.column]
    is_ahead = column > now + moment.ahead
    if moment.table == "delivery":
        answered = and_(table.c.first_answer_at > now + SLACK, column > now)
        return and_(or_(is_ahead, answered), table.c.status.in_(DeliveryStatus.WAITING))
    if moment == _NEXT_POLL:
        # A plan is wrong, too, if it was made when the last poll succeeded: in the future.
        return or_(is_ahead, and_(table.c.last_success_at > now + SLACK, column > now))
    return is_ahead


def _table(moment: _Moment) -> Table:
    return Base.metadata.tables[moment.table]
