"""Due subscriptions in groups: the database counts them, and no object is made for any of them.

Owns by what due subscriptions are grouped, and the statement that moves all of a group. It must not
know what a digest says: which entries somebody was told, and which digests wait, are given to it as
statements. A class is everything that decides which items a subscription is owed, and in which
words; a schedule is everything that decides when it is due next. Whatever of these changed since
they were read matches no class or schedule any more, and is left for the next run.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    FromClause,
    Integer,
    RowMapping,
    Select,
    String,
    Subquery,
    Update,
    and_,
    case,
    cast,
    distinct,
    func,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from notifier.store import db
from notifier.store.models import Subscriber, Subscription, UTCDateTime
from notifier.subscribers.due_classes import (
    BITS,
    EARLIER,
    DueClass,
    Earliest,
    Grouped,
    History,
    NextDue,
    Outcome,
    StoredSchedule,
)
from notifier.subscribers.due_profiles import Due, in_window
from notifier.subscribers.due_subscriptions import RETRY_AFTER


class Selection(NamedTuple):
    """Due subscriptions, as they are grouped.

    Attributes:
        due: which are due.
        history: what they were told, and what waits for them.
        snapshot: the key of the profile's current snapshot.
    """

    due: Due
    history: History
    snapshot: str


def read(session: Session, due: Due, history: History, snapshot: str) -> Grouped:
    """Group the due subscriptions of a profile.

    Args:
        session: a reading session.
        due: which.
        history: what they were told, and what waits for them.
        snapshot: the key of the profile's current snapshot.
    """
    grouped = Grouped()
    statement = _Statement(session, Selection(due, history, snapshot))
    by_class = statement.grouped()
    for window in due.windows(session):
        for row in session.execute(by_class, window).mappings():
            statement.note(row, grouped)
    return grouped


class _Statement:
    """The due subscriptions of a window of ids, with the columns by which they are grouped."""

    def __init__(self, session: Session, selection: "Selection") -> None:
        due, history, snapshot = selection
        self._session, self._due = session, due
        self._told = self._sets("told", history.told_entries, "entry_id", history.entries)
        self._waiting = self._sets("waiting", history.waiting_digests, "digest_id", history.digests)
        self.keys: dict[str, ColumnElement[Any]] = {
            "position": type_coerce(Subscription.position, Integer),
            "cadence": type_coerce(Subscription.cadence, String),
            "edition": type_coerce(Subscription.edition, String),
            "language": type_coerce(Subscriber.language, String),
            "seen": case(
                (Subscription.seen_snapshot.in_(("", snapshot)), Subscription.seen_snapshot),
                else_=EARLIER,
            ),
            "hidden": cast(type_coerce(Subscription.hidden, String), String),
            **self._words(self._told),
            **self._words(self._waiting),
        }
        self.schedule: dict[str, ColumnElement[Any]] = {
            "cadence": self.keys["cadence"],
            "at": type_coerce(Subscription.at, String),
            "on": func.coalesce(cast(type_coerce(Subscription.on, String), String), ""),
            "time_zone": type_coerce(Subscriber.time_zone, String),
        }
        self.due_at = due.due_at()
        self.waiting_due_at: ColumnElement[Any] = (
            literal(None, UTCDateTime()) if self._waiting is None else self._waiting.c.due_at
        )

    def _sets(
        self, name: str, pairs: Sequence[Select[Any]], member: str, ids: Sequence[int]
    ) -> Subquery | None:
        """Return for each subscription of the window the set of its pairs, a bit for each member.

        Returns:
            None if there are no members.
        """
        if not ids:
            return None
        bits = db.rows_as_table(
            self._session,
            f"{name}_bits",
            {"member": Integer(), "word": Integer(), "bit": BigInteger()},
            [(each, place // BITS, 1 << place % BITS) for place, each in enumerate(ids)],
        )
        windows = (
            statement.where(*in_window(statement.selected_columns["subscription_id"]))
            for statement in pairs
        )
        each = union_all(*windows).subquery(f"{name}_pairs")
        words = [
            cast(func.sum(distinct(case((bits.c.word == word, bits.c.bit)))), BigInteger).label(
                f"{name}_{word}"
            )
            for word in range((len(ids) - 1) // BITS + 1)
        ]
        earliest = [func.min(each.c.due_at).label("due_at")] if "due_at" in each.c else []
        return (
            select(each.c.subscription_id, *words, *earliest)
            .join(bits, bits.c.member == each.c[member])
            .group_by(each.c.subscription_id)
            .subquery(name)
        )

    @staticmethod
    def _words(sets: Subquery | None) -> dict[str, ColumnElement[Any]]:
        columns = () if sets is None else sets.c
        return {
            column.name: func.coalesce(column, 0)
            for column in columns
            if column.name not in ("subscription_id", "due_at")
        }

    def _from(self, *columns: ColumnElement[Any]) -> Select[Any]:
        statement = self._due.select(*columns)
        for sets in (self._told, self._waiting):
            if sets is not None:
                statement = statement.outerjoin(sets, sets.c.subscription_id == Subscription.id)
        return statement

    def grouped(self) -> Select[Any]:
        """Return the classes with the schedules, and their earliest due times."""
        keys = [column.label(name) for name, column in self.keys.items()]
        schedule = [column.label(f"schedule_{name}") for name, column in self.schedule.items()]
        return self._from(
            *keys,
            *schedule,
            func.count().label("number"),
            func.min(self.due_at, type_=UTCDateTime()).label("due_at"),
            func.min(self.waiting_due_at, type_=UTCDateTime()).label("waiting_due_at"),
        ).group_by(*self.keys.values(), *self.schedule.values())

    def note(self, values: RowMapping, grouped: Grouped) -> None:
        """Add a row of `grouped` to the groups."""
        due_class = DueClass(
            values["position"],
            values["cadence"],
            values["edition"],
            values["language"],
            values["seen"],
            values["hidden"],
            tuple(values[name] for name in self.keys if name.startswith("told_")),
            tuple(values[name] for name in self.keys if name.startswith("waiting_")),
        )
        grouped.number += values["number"]
        grouped.members[due_class] += values["number"]
        own, waiting = values["due_at"], values["waiting_due_at"]
        known = grouped.classes.get(due_class)
        if known is not None:
            own = min(own, known.own)
            waiting = min(filter(None, (waiting, known.waiting)), default=None)
        grouped.classes[due_class] = Earliest(own, waiting)
        schedule = (values[f"schedule_{name}"] for name in StoredSchedule._fields)
        grouped.schedules.add(StoredSchedule(*schedule))

    def members(self, outcomes: Mapping[DueClass, Outcome], next_due: NextDue) -> Select[Any]:
        """Return the members of classes with what becomes of them; lock them."""
        classes, schedules = self._classes(outcomes), self._schedules(next_due)
        due = self._due_rows().c
        trouble = func.coalesce(schedules.c.trouble, classes.c.trouble)
        earlier = and_(classes.c.merges, due.waiting_due_at < due.due_at)
        same_class = (classes.c[name] == due[name] for name in self.keys)
        same_schedule = (schedules.c[name] == due[f"schedule_{name}"] for name in self.schedule)
        return (
            select(
                due.subscription_id,
                case((trouble.is_(None), classes.c.digest_id)).label("digest_id"),
                classes.c.lane.label("lane"),
                and_(classes.c.covers, trouble.is_(None)).label("covers"),
                and_(classes.c.merges, trouble.is_(None)).label("merges"),
                case((earlier, due.waiting_due_at), else_=due.due_at).label("due_at"),
                schedules.c.next_due_at.label("next_due_at"),
                trouble.label("trouble"),
            )
            .join(classes, and_(*same_class))
            .join(schedules, and_(*same_schedule))
        )

    def _due_rows(self) -> FromClause:
        """Return the due subscriptions with all by which they are grouped; lock them.

        PostgreSQL expects hardly any row of the later joins, and would then look up in turn, for
        each row, what everybody was told: where that plays a part, these rows are found first.
        """
        rows = self._from(
            Subscription.id.label("subscription_id"),
            *(column.label(name) for name, column in self.keys.items()),
            *(column.label(f"schedule_{name}") for name, column in self.schedule.items()),
            self.due_at.label("due_at"),
            self.waiting_due_at.label("waiting_due_at"),
        ).with_for_update(of=Subscription, skip_locked=True)
        if self._told is None and self._waiting is None:
            return rows.subquery("due")
        return rows.cte("due").prefix_with("MATERIALIZED")

    def _classes(self, outcomes: Mapping[DueClass, Outcome]) -> CTE:
        columns: dict[str, TypeEngine[Any]] = {name: _type_of(name) for name in self.keys}
        columns |= {"digest_id": Integer(), "lane": Integer()}
        columns |= {"covers": Boolean(), "merges": Boolean(), "trouble": String()}
        return db.rows_as_table(
            self._session,
            "classes",
            columns,
            [
                (*due_class[:6], *due_class.told_entries, *due_class.waiting_digests, *outcome)
                for due_class, outcome in outcomes.items()
            ],
        )

    def _schedules(self, next_due: NextDue) -> CTE:
        parts: dict[str, TypeEngine[Any]] = {name: String() for name in StoredSchedule._fields}
        return db.rows_as_table(
            self._session,
            "schedules",
            parts | {"next_due_at": UTCDateTime(), "trouble": String()},
            [(*schedule, moment, text or None) for schedule, (moment, text) in next_due.items()],
        )


def _type_of(name: str) -> Integer | String:
    if name == "position":
        return Integer()
    return BigInteger() if name.startswith(("told_", "waiting_")) else String()


def members(
    session: Session,
    selection: Selection,
    outcomes: Mapping[DueClass, Outcome],
    next_due: NextDue,
) -> Select[Any]:
    """Return the due subscriptions that belong to a class and a schedule still.

    Args:
        session: tells the kind of database; PostgreSQL locks the rows.
        selection: which subscriptions.
        outcomes: what becomes of each class.
        next_due: the next due time of each schedule, or why there is none.

    Returns:
        Rows with `subscription_id`, `digest_id`, `lane`, `covers`, `merges`, `due_at`,
        `next_due_at` and `trouble`, of the window in the parameters `due_profiles.WINDOW`.
    """
    return _Statement(session, selection).members(outcomes, next_due)


def moved(members: FromClause, position: int, snapshot: str, now: datetime) -> Update:
    """Return the statement that moves the members' places and due times.

    Args:
        members: the rows of `members`.
        position: of the last match in the profile's sequence that was composed.
        snapshot: the key of the profile's snapshot that the digests show.
        now: when.
    """
    gets_digest = members.c.digest_id.is_not(None)
    has_trouble = members.c.trouble.is_not(None)
    is_covered = and_(
        or_(gets_digest, members.c.covers.is_(True)), Subscription.position < position
    )
    next_due_at = case(
        (has_trouble, literal(now + RETRY_AFTER, UTCDateTime())), else_=members.c.next_due_at
    )
    changes = or_(
        gets_digest,
        is_covered,
        has_trouble,
        Subscription.trouble.is_not(None),
        Subscription.next_due_at.is_distinct_from(members.c.next_due_at),
    )
    return (
        update(Subscription)
        .where(Subscription.id == members.c.subscription_id, changes)
        .values(
            position=case((is_covered, position), else_=Subscription.position),
            seen_snapshot=case((gets_digest, snapshot), else_=Subscription.seen_snapshot),
            last_mailed_at=case(
                (gets_digest, literal(now, UTCDateTime())), else_=Subscription.last_mailed_at
            ),
            next_due_at=next_due_at,
            trouble=members.c.trouble,
        )
    )
