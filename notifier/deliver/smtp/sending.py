"""Sending: the loop that serves all connections in one thread, until nothing is left to send.

The commands and answers on a connection are `protocol.py`'s. A connection's next message is handed
over only after the answer to the one before was stored. A refusal of the session is charged to the
connection: its messages go out over another one, or later (`patience.py`).
"""

import logging
import selectors
import time
import traceback
from collections.abc import Callable, Sequence

from notifier.deliver.outbox import Outcome, SendResult
from notifier.deliver.smtp.connection import (
    Client,
    Connection,
    ServerBusyError,
    ServerDownError,
    error_text,
)
from notifier.deliver.smtp.openings import Openings
from notifier.deliver.smtp.patience import Blame
from notifier.deliver.smtp.protocol import (
    OutgoingMessage,
    ProtocolError,
    SenderRefusedError,
    SessionRefusedError,
    SmtpProtocol,
)
from notifier.deliver.smtp.queue import Queue
from notifier.deliver.smtp.server import Server
from notifier.enums import Lane, WaitReason
from notifier.text.cleaning import redacted

log = logging.getLogger("notifier")

# Seconds that an answer waits for others to be stored in the same transaction. Chosen by hand; not
# measured.
_LONGEST_WAIT = 0.05
# Seconds to wait for the answer to the end of a message (RFC 5321, 4.5.3.2.6): whoever waits less
# sends again what the server took.
LONGEST_END = 600.0
# Seconds that started messages have after a stop; an answer that did not come then is unknown.
# Chosen by hand: systemd kills a service after 90 seconds.
LONGEST_STOP = 60.0
# Seconds after which the loop looks for a stop and for arrivals, when nothing else happens.
_LOOK_EVERY = 0.1

_NEEDS_SMTPUTF8 = (
    "the address has letters before the @ that only SMTPUTF8 (RFC 6531) could carry, which is not "
    "used: subscribe another address"
)

Settle = Callable[[Sequence[Outcome]], None]
# Returns messages that became due meanwhile, and go before those that wait. The argument is the
# first lane in which something waits; None if nothing does.
Arrivals = Callable[[int | None], Sequence[OutgoingMessage]]


def nothing_arrives(_first_lane: int | None) -> Sequence[OutgoingMessage]:
    """Return no messages."""
    return ()


class Sending:
    """One call of `Transport.send`: the messages that have not started, and the connections.

    Attributes:
        waits_because: the reason why what was not tried waits, if the server refuses us; else None.
    """

    def __init__(
        self,
        server: Server,
        queue: Queue,
        settle: Settle,
        stop: Callable[[], bool],
        arrivals: Arrivals,
    ) -> None:
        self._server, self.queue, self._settle, self._stop = server, queue, settle, stop
        self._arrivals = arrivals
        self._patience = server.patience
        self._selector = selectors.DefaultSelector()
        self._openings = Openings(server.open)
        self._selector.register(self._openings.signal, selectors.EVENT_READ)
        self._connections: list[Connection] = []
        self._answered: list[Connection] = []
        self._answered_since = 0.0
        self._silence_checked_at = 0.0
        self._problem = ""
        self.waits_because: WaitReason | None = None
        self._pause = 0.0
        self._stopped_at: float | None = None
        self._blame = Blame()
        # Outcomes of messages that are on no connection.
        self._loose: list[Outcome] = []

    def run(self) -> str:
        """Send until nothing is left; return the reason why the server cannot be used, if any."""
        self._patience.begin_run()
        if self._patience.rests:
            self._leave_alone(self._patience.reason)
            return self._problem
        while True:
            self._collect_connections()
            self._open_connections()
            self._start_idle()
            if self._loose:
                loose, self._loose = self._loose, []
                self._settle(loose)
            if all(connection.protocol.idle for connection in self._connections) and (
                self._over or not self.queue
            ):
                return self._problem
            progressed = self._wait()
            # Answers that arrive without waiting are stored together.
            waited = time.monotonic() - self._answered_since
            if self._answered and (not progressed or waited > _LONGEST_WAIT):
                self._settle_answered()
            self._drop_silent()
            if not self._over:
                self.queue.add(self._arrivals(self.queue.first_lane))

    @property
    def _over(self) -> bool:
        """True when no further message is to start."""
        return bool(self._problem) or self._stop()

    def _open_connections(self) -> None:
        """Open as many connections as are useful; the others when the first one is open."""
        if self._over or not self.queue or self._patience.seconds_until_open():
            return
        wanted = min(self._patience.connections, len(self._connections) + len(self.queue))
        if not self._connections:
            wanted = min(wanted, 1)
        for _ in range(wanted - len(self._connections) - self._openings.number):
            self._openings.start()

    def _collect_connections(self) -> None:
        """Take the connections that were opened; fewer are wanted, if the server accepts no more.

        Raises:
            Exception: an unexpected error of opening.
        """
        for result in self._openings.collect():
            if isinstance(result, Client):
                self._add(result)
            elif isinstance(result, ServerBusyError) and (self._blame.worked or self._connections):
                self._slow_down(str(result))
            elif not isinstance(result, ServerDownError):
                raise result
            elif self._connections:
                self._patience.connections = len(self._connections)
            else:
                self._problem = str(result)

    def _add(self, client: Client) -> None:
        assert client.sock is not None
        client.sock.setblocking(False)
        pipelining = self._server.pipelining(client)
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
            self._pause = self._server.seconds_until_allowed()
            if self._pause:
                return None
            outgoing = self.queue.take(first_lane_last=self._serves_first_lane)
            if not outgoing.envelope_to.isascii():
                self._loose.append(Outcome(outgoing.attempt, SendResult.REFUSED, _NEEDS_SMTPUTF8))
                continue
            try:
                octets = outgoing.message()
            except Exception as error:  # noqa: BLE001 - one mail stops no other
                self._note_unbuilt(outgoing, error)
                continue
            return outgoing._replace(message=_constant(octets))
        return None

    @property
    def _serves_first_lane(self) -> bool:
        """True if a connection has a message of the first lane, and the others need not take any.

        With a rate limit, the next place is always that of the first lane.
        """
        return (
            self.queue.first_lane == Lane.ASKED
            and not self._server.is_limited
            and any(connection.protocol.carries(Lane.ASKED) for connection in self._connections)
        )

    def _note_unbuilt(self, outgoing: OutgoingMessage, error: Exception) -> None:
        trace = redacted("".join(traceback.format_exception(error)))
        log.error("Delivery %d cannot be built:\n%s", outgoing.attempt.delivery_id, trace)
        text = f"the mail cannot be built: an unexpected error ({type(error).__name__})"
        self._loose.append(Outcome(outgoing.attempt, SendResult.DEFERRED, text))

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
        longest = min(self._server.timeout / 4, self._pause or _LOOK_EVERY, _LOOK_EVERY)
        if not self._connections and not self._openings.number:
            longest = min(self._patience.seconds_until_open(), _LOOK_EVERY)
        ready = self._selector.select(0.0 if self._answered else longest)
        for key, events in ready:
            if key.data is not None:
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
        except (SenderRefusedError, SessionRefusedError) as error:
            self._end_refused(connection, error)
            return
        except (OSError, ProtocolError) as error:
            self._end(connection, _listed(protocol.broken(error_text(error))))
            return
        if protocol.over:
            self._end(connection, _listed(protocol.broken("the server closed it")))
            return
        if protocol.outcomes and connection not in self._answered:
            self._answered_since = self._answered_since if self._answered else time.monotonic()
            self._answered.append(connection)
        if bool(connection.waiting) is not connection.watches_writing:
            connection.watches_writing = bool(connection.waiting)
            write = selectors.EVENT_WRITE if connection.watches_writing else 0
            self._selector.modify(connection.sock, selectors.EVENT_READ | write, connection)

    def _end_refused(
        self, connection: Connection, error: SenderRefusedError | SessionRefusedError
    ) -> None:
        """Close a connection on which the server takes no further mail, and judge what follows.

        Where it took mails before, a new connection may do: also after a refusal of our sender,
        which was accepted until then.
        """
        fresh = connection.is_fresh
        untried = connection.protocol.abandon(error.answer)
        self._end(connection, [other for other in untried if other is not error.outgoing])
        if isinstance(error, SenderRefusedError) and fresh:
            from notifier.deliver.bounces.advice import advice_for_sender  # slow to import

            self.queue.put_back(error.outgoing)
            advice = advice_for_sender(error.answer)
            self._problem = f"The mail server refuses our sender: {error.answer}. {advice}"
            self.waits_because = WaitReason.OURS
            return
        if fresh:
            self._queue_again(error.outgoing, error.answer)
            self._slow_down(error.answer)
        else:
            self.queue.put_back(error.outgoing)

    def _queue_again(self, outgoing: OutgoingMessage, answer: str) -> None:
        """Put a message that a new connection refused behind the others of its lane.

        A message that alone meets such refusals waits for its next attempt as any deferred message
        does.
        """
        if self._blame.note_refused(outgoing.attempt):
            text = f"the server answered {answer}"
            self._loose.append(Outcome(outgoing.attempt, SendResult.DEFERRED, text))
        else:
            self.queue.add([outgoing])

    def _slow_down(self, answer: str) -> None:
        """Use fewer connections, or pause, or end the run, because new connections are refused."""
        if self._patience.note_refused(answer, len(self._connections) + self._openings.number):
            self._leave_alone(answer)

    def _leave_alone(self, answer: str) -> None:
        """End the run, because the server refuses sessions."""
        from notifier.deliver.smtp.refusals import told_of_session  # slow to import

        self._problem, self.waits_because = told_of_session(answer)

    def _end(self, connection: Connection, untried: Sequence[OutgoingMessage]) -> None:
        """Close a connection, settle its outcomes, and put untried messages back."""
        for outgoing in reversed(untried):
            self.queue.put_back(outgoing)
        self._connections.remove(connection)
        self._selector.unregister(connection.sock)
        connection.client.close()
        if connection in self._answered:
            self._answered.remove(connection)
        if connection.protocol.outcomes:
            self._store([connection])

    def _settle_answered(self) -> None:
        """Store the answers on all connections together, then let the connections continue."""
        answered, self._answered = self._answered, []
        self._store(answered)
        for connection in answered:
            connection.protocol.settled()
            self._advance(connection)

    def _store(self, answered: Sequence[Connection]) -> None:
        outcomes = [outcome for connection in answered for outcome in connection.protocol.outcomes]
        self._settle(outcomes)
        for connection in answered:
            connection.protocol.outcomes = []
            if connection.protocol.accepted and not connection.has_worked:
                connection.has_worked = True
                self._blame.worked += 1
                self._patience.note_accepted()

    def _drop_silent(self) -> None:
        """Give up connections on which the server has been silent for too long.

        A server that answers the first of several commands and not the others has lost them: from
        then on it gets one command at a time.
        """
        now = time.monotonic()
        if now - self._silence_checked_at < min(self._server.timeout / 4, 1.0):
            return
        self._silence_checked_at = now
        if self._stopped_at is None and self._stop():
            self._stopped_at = now
        stopped = self._stopped_at is not None and now - self._stopped_at > LONGEST_STOP
        for connection in [*self._connections]:
            protocol = connection.protocol
            ending = protocol.pending == "END" and not connection.waiting
            longest = LONGEST_END if ending else self._server.timeout
            if protocol.idle or not (stopped or now - connection.active_at > longest):
                continue
            if stopped:
                self._end(connection, protocol.abandon("no answer before the stop"))
            elif protocol.pending in ("RCPT TO", "DATA") and protocol.pipelining:
                self._server.disable_pipelining()
                self._end(connection, protocol.abandon("no answer in time"))
            else:
                self._end(connection, _listed(protocol.broken("no answer in time")))

    def leave(self) -> None:
        """Keep the idle connections, and close the others."""
        for client in self._openings.close():
            self._server.keep(client)
        for connection in self._connections:
            if connection.protocol.idle and not connection.waiting:
                connection.sock.settimeout(self._server.timeout)
                connection.client.mails_taken += connection.protocol.accepted
                self._server.keep(connection.client)
            else:
                connection.client.close()
        self._selector.close()


def _listed(outgoing: OutgoingMessage | None) -> list[OutgoingMessage]:
    return [] if outgoing is None else [outgoing]


def _constant(octets: bytes) -> Callable[[], bytes]:
    return lambda: octets
