"""Interruptions: what is looked for between two mails of a list that is being sent.

A person may stop the sending, from any process; and a mail that somebody waits for goes out before
the rest of a digest. Both stand in the database, which is asked at most ten times a second.
"""

import time
from collections.abc import Callable, Sequence

from notifier.deliver import outbox
from notifier.deliver.outbox import stop as outbox_stop
from notifier.deliver.smtp.protocol import OutgoingMessage
from notifier.deps import Deps
from notifier.enums import Lane
from notifier.errors import StoreError

# Seconds between two looks into the database. A look takes a thousandth of a second.
_LOOK_EVERY = 0.1
# When nothing waits any more and a server takes so many seconds for its last answers, further mails
# are claimed meanwhile. Chosen by hand; not measured.
_NOT_IDLE_AFTER = 1.0

# Claims and builds messages before a lane; None for those of all lanes.
Claim = Callable[[int | None], Sequence[OutgoingMessage]]


class Interruptions:
    """The interruptions of one run.

    Args:
        deps: the installation.
        stop: returns True when the process is to stop.
        claim: claims what goes first.
    """

    def __init__(self, deps: Deps, stop: Callable[[], bool], claim: Claim) -> None:
        self._deps, self._stop, self._claim = deps, stop, claim
        self._looked_at = 0.0
        self._is_stopped = False
        self._first_waiting: int | None = None
        self._empty_since: float | None = None

    def stopped(self) -> bool:
        """Return whether no further message is to start."""
        if self._stop():
            return True
        self._look()
        return self._is_stopped

    def arrivals(self, first_lane: int | None) -> Sequence[OutgoingMessage]:
        """Return messages that go before those that wait.

        Args:
            first_lane: the first lane in which something waits; None if nothing does.
        """
        self._look()
        if first_lane is None:
            return self._for_empty_queue()
        self._empty_since = None
        waiting = self._first_waiting
        if self._is_stopped or waiting is None or waiting >= first_lane:
            return ()
        self._first_waiting = None
        return self._claim(first_lane)

    def _for_empty_queue(self) -> Sequence[OutgoingMessage]:
        now = time.monotonic()
        if self._empty_since is None:
            self._empty_since = now
        if self._is_stopped or now - self._empty_since < _NOT_IDLE_AFTER:
            return ()
        self._empty_since = now
        return self._claim(None)

    def _look(self) -> None:
        """Ask the database again if the last answer is old."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_EVERY:
            return
        self._looked_at = now
        try:
            with self._deps.reading() as session:
                self._is_stopped = outbox_stop.stopped_at(session) is not None
                self._first_waiting = outbox.first_waiting_lane(
                    session, self._deps.now(), Lane.OTHERS
                )
        except StoreError:
            # A database that stays away ends the run when the next answer is stored.
            return
