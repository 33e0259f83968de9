"""The clock of the database server, for processes on several machines.

Leases, rates and due times are compared by all of them: a machine whose clock is minutes off would
take over mails that another one is sending. So the server's clock counts, whatever the machine's
own shows.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

# Seconds between two readings; in between, the process counts by itself. Chosen by hand; not
# measured.
_READ_EVERY = 60.0


class ServerClock:
    """The server's time, counted on from the last reading.

    Args:
        engine: of a PostgreSQL database.
        local: returns the machine's own time, which counts while the server cannot be reached.
    """

    def __init__(self, engine: Engine, local: Callable[[], datetime]) -> None:
        self._engine, self._local = engine, local
        self._lock = threading.Lock()
        self._time: datetime | None = None
        self._read_at = 0.0

    def now(self) -> datetime:
        """Return the current time, aware UTC."""
        with self._lock:
            if self._time is None or time.monotonic() - self._read_at > _READ_EVERY:
                self._read()
            if self._time is None:
                return self._local()
            return self._time + timedelta(seconds=time.monotonic() - self._read_at)

    def _read(self) -> None:
        began = time.monotonic()
        try:
            with self._engine.connect() as connection:
                shown = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        except DBAPIError:
            # Whatever needs the time needs the database, too, and reports what is wrong with it.
            return
        self._time, self._read_at = shown.astimezone(UTC), (began + time.monotonic()) / 2
