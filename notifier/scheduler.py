"""The clock loop: asks the database what is due, again and again, until it is told to stop.

It holds no plan of its own: a restart loses nothing, and a second loop beside it does nothing
twice.
"""

import logging
import signal
import threading
from collections.abc import Callable
from types import FrameType

from notifier.deps import Deps
from notifier.errors import StoreError
from notifier.pipeline.run import Report, run_once

TICK_SECONDS = 30.0

log = logging.getLogger("notifier")


def run(deps: Deps, tell: Callable[[Report], None], tick: float = TICK_SECONDS) -> None:
    """Run all steps every `tick` seconds until SIGTERM or SIGINT; mails that are under way are finished first.

    A database that is locked or away is waited for, and a step that fails is tried again with the
    next run; that it is not set who writes is raised.
    """
    stop = threading.Event()

    def asked(number: int, _frame: FrameType | None) -> None:
        log.info("stopping on %s", signal.Signals(number).name)
        stop.set()

    before = {number: signal.signal(number, asked) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        while not stop.is_set():
            try:
                _tell_if_worth_it(run_once(deps, stop.is_set), tell)
            except StoreError as error:
                log.warning("%s %s", error.problem, error.fix)
            stop.wait(tick)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell_if_worth_it(report: Report, tell: Callable[[Report], None]) -> None:
    """Say what happened when something did; a quiet minute is not worth a line."""
    if (
        report.composed
        or report.sent.answers
        or report.failed
        or any(one.new or one.changed for one in report.polled)
    ):
        tell(report)
