"""Patience with a server that refuses sessions: when the next connection is opened, and how many.

Owns the pauses, and when one mail is to blame. What a refusal is, `session_limits.py` decides;
connections are not known here.
"""

import time
from typing import NamedTuple

from notifier.deliver.outbox import Attempt

# Seconds before the next connection, after each refusal of a new connection with nothing accepted
# in between; then the run ends. Chosen by hand; not measured.
_PAUSES = (0.5, 1.0, 2.0)
# Seconds without a connection after a run that ended so, twice as long after each further one, and
# the longest such rest. Chosen by hand; not measured.
_FIRST_REST, _LONGEST_REST = 20.0, 600.0
# A mail that new connections refused so often, while others took mails in between, waits for its
# next attempt as any deferred mail does. Chosen by hand; not measured.
_MOST_REFUSALS = 3


class Patience:
    """The limits that a server's refusals of sessions set for the next connection and run.

    Args:
        connections: the most connections at the same time.

    Attributes:
        connections: the most connections that are useful now.
        reason: the answer after which the server was left alone; empty before.
    """

    def __init__(self, connections: int) -> None:
        self._most = self.connections = connections
        self._pauses = 0
        self._rests = 0
        self._reopen_at = 0.0
        self._rest_until = 0.0
        self.reason = ""

    def begin_run(self) -> None:
        """Begin a run: as many connections as the settings allow are tried again."""
        self.connections, self._pauses, self._reopen_at = self._most, 0, 0.0

    @property
    def rests(self) -> bool:
        """True while the server is left alone."""
        return time.monotonic() < self._rest_until

    def seconds_until_open(self) -> float:
        """Return the seconds until a connection may be opened."""
        return max(self._reopen_at - time.monotonic(), 0.0)

    def note_accepted(self) -> None:
        """Note that the server accepted a mail: what it refused before is over."""
        self._pauses = self._rests = 0

    def note_refused(self, reason: str, others: int) -> bool:
        """Note that a new connection was refused before it could send anything.

        Args:
            reason: the server's answer.
            others: how many other connections are open.

        Returns:
            True if no further connection is to be opened in this run.
        """
        self.connections = max(1, others)
        if others:
            return False
        if self._pauses < len(_PAUSES):
            self._reopen_at = time.monotonic() + _PAUSES[self._pauses]
            self._pauses += 1
            return False
        rest = min(_FIRST_REST * 2 ** min(self._rests, 10), _LONGEST_REST)
        self._rests += 1
        self._rest_until, self.reason = time.monotonic() + rest, reason
        return True


class _Refusal(NamedTuple):
    """The refusals of new connections that one mail met.

    Attributes:
        times: how many.
        worked_before: how many connections had worked before the first of them.
    """

    times: int
    worked_before: int


class Blame:
    """The mails of a run that new connections refused: is it the mail, or the server?

    Attributes:
        worked: the number of connections on which a mail was accepted.
    """

    def __init__(self) -> None:
        self._refusals: dict[Attempt, _Refusal] = {}
        self.worked = 0

    def note_refused(self, attempt: Attempt) -> bool:
        """Note that a new connection was refused with a mail; return whether the mail is to blame.

        It is when it alone meets such refusals, while others are accepted.
        """
        before = self._refusals.get(attempt, _Refusal(0, self.worked))
        refusal = self._refusals[attempt] = before._replace(times=before.times + 1)
        return refusal.times >= _MOST_REFUSALS and self.worked > refusal.worked_before
