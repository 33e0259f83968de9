"""Openings: connections that are being opened, each in a thread of its own.

A server may let one connection wait for minutes (RFC 5321, 4.5.3.2.1) while others are served.
"""

import threading
from collections import deque
from collections.abc import Callable

from notifier.deliver.smtp.connection import Client, make_bell


class Openings:
    """The attempts to open a connection that have not been collected yet.

    Args:
        open_one: returns a connection, or raises an error; called in the threads.

    Attributes:
        number: how many attempts have not been collected.
        signal: a socket that becomes readable when an attempt has ended.
    """

    def __init__(self, open_one: Callable[[], Client]) -> None:
        self._open_one = open_one
        self._lock = threading.Lock()
        self._ended: deque[Client | Exception] = deque()
        self._is_closed = False
        self.signal, self._bell = make_bell()
        self.signal.setblocking(False)
        self.number = 0

    def start(self) -> None:
        """Start one more attempt."""
        self.number += 1
        threading.Thread(target=self._attempt, name="connect", daemon=True).start()

    def _attempt(self) -> None:
        try:
            result: Client | Exception = self._open_one()
        except Exception as error:  # noqa: BLE001 - the thread that collects it raises it
            result = error
        with self._lock:
            if not self._is_closed:
                self._ended.append(result)
                self._bell.send(b".")
                return
        if isinstance(result, Client):
            result.close()

    def collect(self) -> list[Client | Exception]:
        """Return what the attempts that have ended since the last call brought."""
        with self._lock:
            if not self._ended:
                return []
            self.signal.recv(4096)
            ended = list(self._ended)
            self._ended.clear()
        self.number -= len(ended)
        return ended

    def close(self) -> list[Client]:
        """End the use; return connections that are open and not collected.

        Attempts that still wait for the server close what they get.
        """
        with self._lock:
            self._is_closed = True
            self._bell.close()
            self.signal.close()
            return [client for client in self._ended if isinstance(client, Client)]
