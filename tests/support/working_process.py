"""A worker of its own process, which the fault tests kill, cut off, and give a wrong clock."""

import signal
import sys
import threading
import time
from datetime import timedelta

from procrastinate import periodic

from notifier import deps as composition_root
from notifier import worker
from notifier.deps import Deps
from notifier.settings import Smtp
from notifier.store import db
from tests.support.installation import settings_for


class _ShiftedTime:
    """The module `time` on a machine whose clock is wrong."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def time(self) -> float:
        return time.time() + self._seconds  # noqa: TID251 - it is the clock that is shifted

    def __getattr__(self, name: str):
        return getattr(time, name)


def shift_clock(seconds: float) -> None:
    """Let this process's clock be wrong by so many seconds."""
    periodic.time = _ShiftedTime(seconds)
    shown = composition_root._local_now
    composition_root._local_now = lambda: shown() + timedelta(seconds=seconds)


def main() -> None:
    """Work until SIGTERM: database, port of the mail server, seconds that the clock is ahead."""
    database, port, ahead, settings = (
        sys.argv[1],
        int(sys.argv[2]),
        float(sys.argv[3]),
        sys.argv[4:],
    )
    shift_clock(ahead)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    values = {name: float(value) for name, value in (each.split("=") for each in settings)}
    connections = int(values.pop("connections", 4))
    concurrency = int(values.pop("concurrency", 2))
    smtp = Smtp(port=port, security="none", connections=connections, timeout_seconds=5, **values)
    deps = Deps(settings_for(port, smtp=smtp), db.make_engine(database))
    worker.Worker(deps, stop, concurrency).run()


if __name__ == "__main__":
    main()
