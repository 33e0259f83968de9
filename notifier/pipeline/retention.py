"""Retention: what is older than its period is removed, a little in each run.

Owns the periods' meaning (`retention` in the settings) and the pace: short transactions with pauses
in which others write, for at most two seconds of a run. Once a day it begins at the oldest rows;
what a run does not finish, the next one does. Before anything is removed, the weeks it belongs to
are counted, and who was told what is stored.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from notifier.deliver import outbox
from notifier.deps import Deps
from notifier.digest import digests, told_before
from notifier.match import unjudged
from notifier.pipeline import departures, weekly_counts
from notifier.pipeline.problems import Problems
from notifier.store import db, heartbeat
from notifier.watch import old_revisions

# All values were chosen by hand; a transaction is aimed at half of the 0.2 s that others may wait.

# Seconds that a run spends here, and that it pauses after each transaction: SQLite tries every
# 0.1 s to get the lock.
_LONGEST_RUN, _PAUSE = 2.0, 0.11
# Seconds that a transaction should take, and rows that it changes.
_LONGEST_TRANSACTION = 0.1
_FEWEST_ROWS, _FIRST_ROWS, _MOST_ROWS = 50, 500, 5000


class _Pace:
    """The size of the transactions, and the end of the run.

    Attributes:
        rows: how many rows the next transaction has.
    """

    def __init__(self) -> None:
        self.rows = _FIRST_ROWS
        self._until = time.monotonic() + _LONGEST_RUN

    def is_over(self) -> bool:
        """Return whether the rest is left to the next run."""
        return time.monotonic() >= self._until

    def run(self, change: Callable[[], object]) -> None:
        """Run one transaction, let others write, and choose the size of the next one."""
        started = time.monotonic()
        change()
        taken = time.monotonic() - started
        if taken > _LONGEST_TRANSACTION:
            self.rows = max(self.rows // 2, _FEWEST_ROWS)
        elif taken < _LONGEST_TRANSACTION / 3:
            self.rows = min(self.rows * 2, _MOST_ROWS)
        time.sleep(_PAUSE)


def run(deps: Deps, problems: Problems | None = None) -> None:
    """Remove what is due; once a day, or until all of it is done."""
    problems = problems if problems is not None else Problems()
    now = deps.now()
    with deps.reading() as session:
        if not heartbeat.is_pruning_due(session, now):
            return
    pace = _Pace()
    is_done = True
    steps: tuple[tuple[str, Callable[[Deps, datetime, _Pace], bool]], ...] = (
        ("Counting past weeks", _count_weeks),
        ("Removing old deliveries", _prune_deliveries),
        ("Removing the texts of old revisions", _empty_revisions),
        ("Removing old records of matching", _forget_examinations),
        ("Completing the journal of departures", _complete_journal),
    )
    for name, step in steps:
        # What fails is tried again a day later, and keeps nothing else waiting.
        with problems.contained(name):
            is_done = step(deps, now, pace) and is_done
    if is_done:
        with deps.writing() as session:
            heartbeat.note_pruned(session, now)
        db.refresh_statistics(deps.engine)


def _complete_journal(deps: Deps, now: datetime, _pace: _Pace) -> bool:
    """Append to the journal of departures what it lacks."""
    departures.complete_daily(deps, now)
    return True


def _count_weeks(deps: Deps, now: datetime, pace: _Pace) -> bool:
    """Count past weeks; return whether all are counted."""
    while weekly_counts.count_next(deps, now):
        if pace.is_over():
            return False
    return True


def _prune_deliveries(deps: Deps, now: datetime, pace: _Pace) -> bool:
    """Remove the deliveries that are old and settled; return whether all are."""
    days = deps.settings.retention.deliveries_days
    with deps.reading() as session:
        counted_until = weekly_counts.counted_until(session)
    if not days or counted_until is None:
        return True
    horizon = min(now - timedelta(days=days), counted_until)
    above = 0
    while not pace.is_over():
        with deps.reading() as session:
            window = outbox.window(session, above, horizon, pace.rows)
        if window is None or not window.has_old:
            return True
        pace.run(partial(_prune_window, deps, window, horizon))
        above = window.last_id
    return False


def _prune_window(deps: Deps, window: outbox.Window, horizon: datetime) -> None:
    with deps.writing() as session:
        old = outbox.lock_old(session, window, horizon)
        if old:
            delivery_ids = [delivery_id for delivery_id, _ in old]
            digests.note_recipients(session, {each for _, each in old if each is not None})
            told_before.keep(session, delivery_ids)
            outbox.remove(session, delivery_ids)


def _empty_revisions(deps: Deps, now: datetime, pace: _Pace) -> bool:
    """Remove the texts of old states; return whether all are removed."""
    days = deps.settings.retention.revisions_days
    if not days:
        return True
    horizon, last = now - timedelta(days=days), None
    while not pace.is_over():
        with deps.reading() as session:
            old = old_revisions.with_text(session, horizon, last, pace.rows)
        if not old:
            return True
        pace.run(partial(_empty, deps, [revision_id for _, revision_id in old]))
        last = old[-1]
    return False


def _empty(deps: Deps, revision_ids: list[int]) -> None:
    with deps.writing() as session:
        old_revisions.empty(session, revision_ids)


def _forget_examinations(deps: Deps, now: datetime, pace: _Pace) -> bool:
    """Remove the old records of when a revision was judged; return whether all are removed."""
    days = deps.settings.retention.examinations_days
    if not days:
        return True
    horizon = now - timedelta(days=days)
    while not pace.is_over():
        with deps.reading() as session:
            old = unjudged.old_examinations(session, horizon, pace.rows)
        if not old:
            return True
        pace.run(partial(_forget, deps, old, horizon))
    return False


def _forget(deps: Deps, revision_ids: Sequence[int], horizon: datetime) -> None:
    with deps.writing() as session:
        unjudged.forget_examinations(session, revision_ids, horizon)
