"""The clock step: the newest time is stored, and times that a wrong clock stored are mended.

It runs before all others, so that a run with a wrong clock silences no source and no reader when
the clock is right again. `--now` is no clock: it never becomes the newest time.
"""

import logging
from datetime import datetime

from notifier.deps import Deps
from notifier.store import clock
from notifier.subscribers import impossible_due_times

log = logging.getLogger("notifier")


def run(deps: Deps) -> None:
    """Store the newest time; once an hour, mend what was planned too far ahead."""
    now = deps.now()
    with deps.reading() as session:
        is_new = deps.has_real_clock and clock.is_to_be_noted(session, now)
        is_check_due = clock.is_check_due(session, now)
    if is_new:
        with deps.writing() as session:
            clock.note(session, now)
    if is_check_due:
        _check_plans(deps, now)


def _check_plans(deps: Deps, now: datetime) -> None:
    with deps.reading() as session:
        is_behind = clock.is_before_everything(session, now)
        due_times = () if is_behind else impossible_due_times.find(session, now)
        is_wrong = bool(due_times) or clock.has_impossible_plans(session, now)
    with deps.writing() as session:
        mended = clock.mend(session, now) if is_wrong else 0
        mended += impossible_due_times.mend(session, due_times, now)
        clock.note_checked(session, now)
    if mended:
        log.warning("%d times lay too far ahead: a clock was wrong. They were mended.", mended)
