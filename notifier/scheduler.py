"""The scheduler: runs the pipeline again and again until it is stopped.

It has no schedule of its own, because the database knows what is due. So a restart loses nothing,
and a second scheduler does nothing twice.
"""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

from notifier.deps import Deps
from notifier.errors import StoreError
from notifier.pipeline.run import Report, run_once
from notifier.store import db

# Chosen by hand; not measured.
TICK_SECONDS = 30.0

log = logging.getLogger("notifier")


def run(
    deps: Deps,
    print_report: Callable[[Report], None],
    tick: float = TICK_SECONDS,
    stop: threading.Event | None = None,
) -> None:
    """Run all steps every `tick` seconds until SIGTERM or SIGINT.

    Mails that are being sent are finished first. A database that is locked or cannot be reached is
    tried again, and so is a step that fails.

    Args:
        deps: the installation.
        print_report: called after each run in which something happened.
        tick: seconds from the end of a run to the next one.
        stop: set by these signals; None where nothing listens to them yet.

    Raises:
        SettingsError: the sender is not set.
        NewerSchemaError: a newer version upgraded the schema meanwhile.
    """
    with stopping() if stop is None else nullcontext(stop) as stopped:
        while not stopped.is_set():
            try:
                db.require_known_schema(deps.engine)
                report = run_once(deps, stopped.is_set)
                if _is_eventful(report):
                    print_report(report)
            except db.NewerSchemaError:
                raise
            except StoreError as error:
                log.warning("%s %s", error.problem, error.fix)
            stopped.wait(tick)


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """Let SIGTERM and SIGINT set an event instead of ending the process."""
    stop = threading.Event()

    def stop_soon(number: int, _frame: FrameType | None) -> None:
        log.info("stopping on %s", signal.Signals(number).name)
        stop.set()

    previous = {
        number: signal.signal(number, stop_soon) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _is_eventful(report: Report) -> bool:
    """Return whether anything happened: most runs find nothing to do, and need no line."""
    return bool(
        report.composed
        or report.sent.answers
        or report.failed
        or any(result.new or result.changed for result in report.polled)
    )
