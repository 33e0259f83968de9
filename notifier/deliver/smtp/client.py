"""SMTP client: sends messages over kept connections and reports each answer.

Owns the loop that serves all connections in one thread. The commands and answers on a connection
are `protocol.py`'s. A connection's next message is handed over only after the answer to the one
before was stored. An attempt that fails is a value, never an exception, with the server's words in
it for a person to read.
"""

import logging
import selectors
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence

from notifier.deliver.outbox import Outcome, SendResult
from notifier.deliver.smtp.connection import (
    Client,
    Connection,
    ServerDownError,
    close_politely,
    connect,
    error_text,
    is_alive,
)
from notifier.deliver.smtp.protocol import (
    OutgoingMessage,
    ProtocolError,
    SenderRefusedError,
    SmtpProtocol,
)
from notifier.settings import Smtp
from notifier.text.cleaning import redacted

__all__ = ["ServerDownError", "Settle", "Transport"]

log = logging.getLogger("notifier")

# Seconds that an answer waits for others to be stored in the same transaction. Chosen by hand; not
# measured.
_LONGEST_WAIT = 0.05

Settle = Callable[[Sequence[Outcome]], None]


class Transport:
    """The way to the mail server, over at most as many connections as the settings allow."""

    def __init__(self, smtp: Smtp) -> None:
        self._smtp = smtp
        self._kept: list[Client] = []
        self._pipelining_failed = False
        self._next_start = 0.0

    def send(
        self,
        messages: Sequence[OutgoingMessage],
        settle: Settle,
        start_in: float = 0.0,
        stop: Callable[[], bool] = lambda: False,
    ) -> str:
        """Send messages, and have each answer stored.

        Args:
            messages: the messages.
            settle: stores outcomes: all that came since the last call.
            start_in: seconds until the first message may start, where there is a rate limit.
            stop: returns True when no further message is to start; started ones are finished.

        Returns:
            The reason why the server cannot be used; empty if it can. Messages that were not tried
            are settled as such.

        Raises:
            Exception: an error of `settle`; the outcome of started messages is then unknown.
        """
        if self._smtp.rate_per_second:
            self._next_start = max(self._next_start, time.monotonic() + start_in)
        sending = _Sending(self, deque(messages), settle, stop)
        try:
            problem = sending.run()
        finally:
            sending.leave()
        if not sending.queue:
            return ""
        not_tried = SendResult.NOT_TRIED
        settle([Outcome(outgoing.delivery_id, not_tried, problem) for outgoing in sending.queue])
        return problem

    def close(self) -> None:
        """Close the connections, which are kept from one `send` to the next until then."""
        while self._kept:
            close_politely(self._kept.pop())

    @property
    def timeout(self) -> float:
        """The longest wait for an answer, in seconds."""
        return self._smtp.timeout_seconds

    @property
    def connections(self) -> int:
        """The most connections at the same time."""
        return self._smtp.connections

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
            client = self._kept.pop()
            if is_alive(client):
                return client
            client.close()
        return connect(self._smtp)

    def keep(self, client: Client) -> None:
        """Keep a connection for the next `send`."""
        self._kept.append(client)


class _Sending:
    """One call of `Transport.send`: the messages that have not started, and the connections."""

    def __init__(
        self,
        transport: Transport,
        queue: deque[OutgoingMessage],
        settle: Settle,
        stop: Callable[[], bool],
    ) -> None:
        self._transport, self.queue, self._settle, self._stop = transport, queue, settle, stop
        self._selector = selectors.DefaultSelector()
        self._connections: list[Connection] = []
        self._answered: list[Connection] = []
        self._answered_since = 0.0
        self._silence_checked_at = 0.0
        self._problem = ""
        self._pause = 0.0
        self._unbuilt: list[Outcome] = []

    def run(self) -> str:
        """Send until nothing is left; return the reason why the server cannot be used, if any."""
        while True:
            self._open_connections()
            self._start_idle()
            if self._unbuilt:
                unbuilt, self._unbuilt = self._unbuilt, []
                self._settle(unbuilt)
            if all(connection.protocol.idle for connection in self._connections):
                if self._over or not self.queue:
                    return self._problem
                time.sleep(min(self._pause, 1.0))
                continue
            progressed = self._wait()
            # Answers that arrive without waiting are stored together.
            waited = time.monotonic() - self._answered_since
            if self._answered and (not progressed or waited > _LONGEST_WAIT):
                self._settle_answered()
            self._drop_silent()

    @property
    def _over(self) -> bool:
        """True when no further message is to start."""
        return bool(self._problem) or self._stop()

    def _open_connections(self) -> None:
        """Open as many connections as are useful; fewer, if the server accepts no more."""
        wanted = min(self._transport.connections, len(self._connections) + len(self.queue))
        while self.queue and len(self._connections) < wanted and not self._over:
            try:
                client = self._transport.open()
            except ServerDownError as error:
                if not self._connections:
                    self._problem = str(error)
                return
            assert client.sock is not None
            client.sock.setblocking(False)
            pipelining = self._transport.pipelining(client)
            protocol = SmtpProtocol(self._next_message, pipelining=pipelining)
            connection = Connection(client, client.sock, protocol)
            self._connections.append(connection)
            self._selector.register(connection.sock, selectors.EVENT_READ, connection)
            self._start(connection)

    def _next_message(self) -> OutgoingMessage | None:
        """Take the next message from the queue; None if none is left, or none may start yet.

        Its bytes are built before its envelope is sent, so that one that cannot be built disturbs
        no connection.
        """
        if not self.queue or self._over:
            return None
        while self.queue:
            self._pause = self._transport.seconds_until_allowed()
            if self._pause:
                return None
            outgoing = self.queue.popleft()
            try:
                octets = outgoing.message()
            except Exception as error:  # noqa: BLE001 - one mail stops no other
                self._note_unbuilt(outgoing, error)
                continue
            return outgoing._replace(message=_constant(octets))
        return None

    def _note_unbuilt(self, outgoing: OutgoingMessage, error: Exception) -> None:
        trace = redacted("".join(traceback.format_exception(error)))
        log.error("Delivery %d cannot be built:\n%s", outgoing.delivery_id, trace)
        text = f"the mail cannot be built: an unexpected error ({type(error).__name__})"
        self._unbuilt.append(Outcome(outgoing.delivery_id, SendResult.DEFERRED, text))

    def _start_idle(self) -> None:
        if self.queue:
            idle = [connection for connection in self._connections if connection.protocol.idle]
            for connection in idle:
                self._start(connection)

    def _start(self, connection: Connection) -> None:
        if connection.protocol.begin():
            connection.active_at = time.monotonic()
            self._advance(connection)

    def _wait(self) -> bool:
        """Advance the connections that are ready, after a short wait at most.

        There is no wait while an answer is to be stored.

        Returns:
            True if a connection was ready.
        """
        longest = self._pause or min(self._transport.timeout / 4, 1.0)
        ready = self._selector.select(0.0 if self._answered else longest)
        for key, events in ready:
            self._advance(key.data, readable=bool(events & selectors.EVENT_READ))
        return bool(ready)

    def _advance(self, connection: Connection, *, readable: bool = False) -> None:
        """Read and write what is possible on a connection; settle what its end means."""
        protocol = connection.protocol
        try:
            if readable:
                connection.active_at = time.monotonic()
                connection.read()
            connection.write()
        except SenderRefusedError as error:
            self._problem = (
                f"The mail server refuses our sender: {error}. "
                "Check sender.address and sender.bounce_address."
            )
            self._end(connection, protocol.abandon())
            return
        except (OSError, ProtocolError) as error:
            self._end(connection, protocol.broken(error_text(error)))
            return
        if protocol.over:
            self._end(connection, protocol.broken("the server closed it"))
            return
        if protocol.outcomes and connection not in self._answered:
            self._answered_since = self._answered_since if self._answered else time.monotonic()
            self._answered.append(connection)
        if bool(connection.waiting) is not connection.watches_writing:
            connection.watches_writing = bool(connection.waiting)
            write = selectors.EVENT_WRITE if connection.watches_writing else 0
            self._selector.modify(connection.sock, selectors.EVENT_READ | write, connection)

    def _end(self, connection: Connection, untried: OutgoingMessage | None) -> None:
        """Close a connection, settle its outcomes, and put an untried message back."""
        if untried is not None:
            self.queue.appendleft(untried)
        self._connections.remove(connection)
        self._selector.unregister(connection.sock)
        connection.client.close()
        if connection in self._answered:
            self._answered.remove(connection)
        if connection.protocol.outcomes:
            outcomes, connection.protocol.outcomes = connection.protocol.outcomes, []
            self._settle(outcomes)

    def _settle_answered(self) -> None:
        """Store the answers on all connections together, then let the connections continue."""
        answered, self._answered = self._answered, []
        self._settle(
            [outcome for connection in answered for outcome in connection.protocol.outcomes]
        )
        for connection in answered:
            connection.protocol.outcomes = []
            connection.protocol.settled()
            self._advance(connection)

    def _drop_silent(self) -> None:
        """Give up connections on which the server has been silent for too long.

        A server that answers the first of several commands and not the others has lost them: from
        then on it gets one command at a time.
        """
        now = time.monotonic()
        if now - self._silence_checked_at < min(self._transport.timeout / 4, 1.0):
            return
        self._silence_checked_at, limit = now, now - self._transport.timeout
        for connection in [*self._connections]:
            protocol = connection.protocol
            if protocol.idle or connection.active_at >= limit:
                continue
            if protocol.pending in ("RCPT TO", "DATA") and protocol.pipelining:
                self._transport.disable_pipelining()
                self._end(connection, protocol.abandon())
            else:
                self._end(connection, protocol.broken("no answer in time"))

    def leave(self) -> None:
        """Keep the idle connections, and close the others."""
        for connection in self._connections:
            if connection.protocol.idle and not connection.waiting:
                connection.sock.settimeout(self._transport.timeout)
                self._transport.keep(connection.client)
            else:
                connection.client.close()
        self._selector.close()


def _constant(octets: bytes) -> Callable[[], bytes]:
    return lambda: octets
