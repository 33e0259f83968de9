"""The mail server as it is known: connections that are kept, its faults, and the pace of sending.

Lives as long as the process sends, over many runs. Messages and commands are not known here.
"""

import time

from notifier.deliver.smtp.connection import Client, close_politely, connect, is_alive
from notifier.deliver.smtp.patience import Patience
from notifier.settings import Smtp


class Server:
    """The mail server of the settings.

    Attributes:
        patience: what its refusals of sessions mean for the next connection.
    """

    def __init__(self, smtp: Smtp) -> None:
        self._smtp = smtp
        self._kept: list[Client] = []
        self._pipelining_failed = False
        self._next_start = 0.0
        self.patience = Patience(smtp.connections)

    def start_later(self, seconds: float) -> None:
        """Let no message start for a time, where there is a rate limit."""
        if self.is_limited:
            self._next_start = max(self._next_start, time.monotonic() + seconds)

    def close(self) -> None:
        """Close the connections, which are kept from one run to the next until then."""
        while self._kept:
            close_politely(self._kept.pop())

    @property
    def is_limited(self) -> bool:
        """True if there is a limit for the number of mails a second."""
        return bool(self._smtp.rate_per_second)

    @property
    def timeout(self) -> float:
        """The longest wait for an answer, in seconds."""
        return self._smtp.timeout_seconds

    def pipelining(self, client: Client) -> bool:
        """Return whether to send several commands at once (RFC 2920).

        The server must offer it, and must not have failed with it before. With a rate limit
        messages start one by one anyway.
        """
        return (
            not self._pipelining_failed
            and not self._smtp.rate_per_second
            and client.has_extn("pipelining")
        )

    def disable_pipelining(self) -> None:
        """Send one command at a time from now on, because the server lost some."""
        self._pipelining_failed = True

    def seconds_until_allowed(self) -> float:
        """Return the seconds until the next message may start; 0 reserves its place."""
        if not self._smtp.rate_per_second:
            return 0.0
        now = time.monotonic()
        if self._next_start > now:
            return self._next_start - now
        self._next_start = max(now, self._next_start) + 1 / self._smtp.rate_per_second
        return 0.0

    def open(self) -> Client:
        """Return a kept connection that still answers, or a new one.

        Raises:
            ServerDownError: with the reason, and the setting to check.
        """
        while self._kept:
            try:
                client = self._kept.pop()
            except IndexError:  # another thread took the last one
                break
            if is_alive(client):
                return client
            client.close()
        return connect(self._smtp)

    def keep(self, client: Client) -> None:
        """Keep a connection for the next `send`."""
        self._kept.append(client)
