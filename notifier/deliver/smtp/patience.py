"""Patience with a server that refuses sessions: when the next connection is opened, and how many.

Owns the pauses. What a refusal is, `session_limits.py` decides; connections are not known here.
"""

import time

# Seconds before the next connection, after each refusal of a new connection with nothing accepted
# in between; then the run ends. Chosen by hand; not measured.
_PAUSES = (0.5, 1.0, 2.0)
# Seconds without a connection after a run that ended so, twice as long after each further one, and
# the longest such rest. Chosen by hand; not measured.
_FIRST_REST, _LONGEST_REST = 20.0, 600.0


class Patience:
    """What a server's refusals of sessions mean for the next connection, over several runs.

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
