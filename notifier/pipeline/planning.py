"""Planning: deliveries of rendered digests are stored, and their recipients moved on, in chunks.

Owns the transactions. Each takes a range of subscription ids, so that no other writer waits for
long, and does all for the subscriptions in it: the delivery, the place in the sequence, the next
due time. So a process may end between any two of them: who was not served is due still, and the
next run goes on with the same digest. It must not know what a digest says.
"""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import FromClause, Insert, Update, false
from sqlalchemy.orm import Session

from notifier.deliver import outbox
from notifier.deps import Deps
from notifier.digest import digests
from notifier.digest.told import told
from notifier.store import db
from notifier.store.models import Profile
from notifier.subscribers import due_groups, due_profiles, silent_subscriptions
from notifier.subscribers.due_classes import DueClass, Grouped, History, Outcome
from notifier.subscribers.due_profiles import Due

# How long a transaction should take, in seconds: half of what another writer may have to wait.
# Chosen by hand; bench/planning.py shows the longest.
_TARGET = 0.1
# How many subscriptions the first transaction serves, and the fewest and the most that any serves.
# The first is small, because nobody knows the machine yet and it reads what no cache has: with
# 2,000 it took 249 ms on PostgreSQL on a busy machine of two cores, and each later 1,000 took 130.
_FIRST, _FEWEST, _MOST = 500, 250, 20_000
# How much larger than the last one a transaction may be: one that was quick by chance (on that
# machine 55 ms instead of 100) says little about the next.
_GROWTH = 1.25


class OutdatedError(Exception):
    """A match was stored for the profile after it was read: the rendered digests may lack items."""


@dataclass(frozen=True)
class Plan:
    """The due subscriptions of a profile, and what becomes of them.

    Attributes:
        profile: as it was read with them.
        due: which subscriptions are due.
        history: what they were told and what waits, as they were grouped by it.
        snapshot: the key of the profile's snapshot that the digests show.
        grouped: their classes and schedules.
        outcomes: by class; filled while the digests are stored.
        without_news: the digests only say that there was no news: places and due times stay.
        position: of the last match that the digests may contain; None for the profile's last.
        go_on: prepares the digests in each transaction, and says whether they may be sent still.
    """

    profile: Profile
    due: Due
    history: History
    snapshot: str
    grouped: Grouped
    outcomes: dict[DueClass, Outcome] = field(default_factory=dict)
    without_news: bool = False
    position: int | None = None
    go_on: Callable[[Session, Collection[int]], bool] = digests.go_on


def require_position(session: Session, profile: Profile) -> None:
    """Lock the profile's row, against others who compose for it or match.

    Raises:
        OutdatedError: a match was stored for the profile after it was read, or it was deleted.
    """
    # Sign-ups, whose foreign key asks for the row, need not wait.
    current = session.get(Profile, profile.id, with_for_update={"key_share": True})
    if current is None or current.position != profile.position:
        raise OutdatedError


def lock(session: Session, profile_id: int) -> None:
    """Lock a profile's row, so that only one process stores or releases digests of it."""
    session.get(Profile, profile_id, with_for_update={"key_share": True})


def history(entries: tuple[int, ...], waiting: tuple[int, ...]) -> History:
    """Return the statements about what subscriptions were told, and what waits for them.

    Args:
        entries: the entries that are asked about.
        waiting: the digests that a newer one may contain, which count as not told.
    """
    not_yet = outbox.is_waiting_in(waiting) if waiting else false()
    return History(told(entries, not_yet), entries, (outbox.waiting_rows(waiting),), waiting)


def carry_out(deps: Deps, plan: Plan, now: datetime) -> None:
    """Store the deliveries of a plan, and move its subscriptions on.

    Raises:
        OutdatedError: see `require_position`; what was stored until then stays.
    """
    with deps.reading() as session:
        above, last = plan.due.ids(session)
        change = _change(deps, session, plan, now)
    pace = Pace(last - above, plan.grouped.number)
    part = 0
    while above < last:
        window = above, min(above + pace.step, last)
        parameters = dict(zip(due_profiles.WINDOW, window, strict=True))
        start = outbox.message_id_start(now, part)
        with pace.measured(), deps.writing() as session:
            db.enlarge_cache(session)
            _require(session, plan)
            outbox.lock_waiting(session, plan.history.digests, *window)
            change.carry_out(session, {**parameters, "message_id_start": start})
        above, part = window[1], part + 1
    db.shrink_cache(deps.engine)


def _require(session: Session, plan: Plan) -> None:
    """Lock what the plan rests on.

    Raises:
        OutdatedError: see `require_position`; or a digest may not be sent any more.
    """
    require_position(session, plan.profile)
    used = {each.digest_id for each in plan.outcomes.values() if each.digest_id is not None}
    if not plan.go_on(session, used):
        raise OutdatedError


def _change(deps: Deps, session: Session, plan: Plan, now: datetime) -> db.SetChange:
    """Return what is done for the members of a window that did not change meanwhile."""
    waiting = plan.history.digests

    def ends(members: FromClause) -> Update:
        return outbox.end_merged(members, waiting)

    def sends(members: FromClause) -> Insert:
        return outbox.enqueue_members(session, members, deps.mail_domain, now)

    def moves(members: FromClause) -> Update:
        if plan.without_news:
            return silent_subscriptions.mailed(members, now)
        position = plan.profile.position if plan.position is None else plan.position
        return due_groups.moved(members, position, plan.snapshot, now)

    next_due = {schedule: schedule.next_after(now) for schedule in plan.grouped.schedules}
    selection = due_groups.Selection(plan.due, plan.history, plan.snapshot)
    members = due_groups.members(session, selection, plan.outcomes, next_due)
    return db.SetChange(session, members, [*([ends] if waiting else []), sends, moves])


class Pace:
    """The size of the next transaction, in subscription ids, by how long the last one took."""

    def __init__(self, span: int, number: int) -> None:
        dense = span / max(number, 1)
        self.step, self._fewest, self._most = (
            max(1, int(dense * subscriptions)) for subscriptions in (_FIRST, _FEWEST, _MOST)
        )

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Take the time of a transaction."""
        began = time.monotonic()
        yield
        seconds = max(time.monotonic() - began, 0.001)
        factor = min(_GROWTH, max(0.25, _TARGET / seconds))
        self.step = max(self._fewest, min(int(self.step * factor), self._most))
