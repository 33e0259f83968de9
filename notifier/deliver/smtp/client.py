"""SMTP: messages over kept connections, each answer written down before the connection's next message ends.

Owns the mail client (smtplib: connecting, TLS, AUTH) and the loop that serves all connections in
one thread; what is said on them is `dialogue.py`'s. An attempt that fails is a value, never an
exception; what the server said is what a person is shown.
"""

import logging
import selectors
import smtplib
import socket
import ssl
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from notifier.deliver.outbox import Outcome, SendResult
from notifier.deliver.redaction import safe, without_secrets
from notifier.deliver.smtp.protocol import (
    OutgoingMessage,
    ProtocolError,
    SenderRefusedError,
    SmtpProtocol,
)
from notifier.settings import Smtp
from notifier.text.cleaning import redacted

log = logging.getLogger("notifier")

_CHUNK = 65_536
# How long an answer waits for others to be written down with it, in seconds, while connections go
# on.
_LONGEST_WAIT = 0.05
_BUSY = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

Settle = Callable[[Sequence[Outcome]], None]


class ServerDownError(Exception):
    """No connection to the mail server, or it takes no mail from us; the text says why and what to do."""


@dataclass(eq=False)
class _Connection:
    """A connection, its dialogue, and what waits to be written."""

    client: smtplib.SMTP
    sock: socket.socket
    dialogue: SmtpProtocol
    waiting: deque[memoryview] = field(default_factory=deque)
    heard_at: float = 0.0
    watched: bool = False

    def write(self) -> None:
        """Send as much as the other side takes."""
        if octets := self.dialogue.output():
            self.waiting.append(memoryview(octets))
        while self.waiting:
            piece = self.waiting[0]
            try:
                sent = self.sock.send(piece)
            except _BUSY:
                return
            self.heard_at = time.monotonic()  # it takes what we say: it is there
            if sent < len(piece):
                self.waiting[0] = piece[sent:]
                return
            self.waiting.popleft()

    def read(self) -> None:
        """Take what the other side said.

        Raises:
            OSError: it hung up.
        """
        while True:
            try:
                octets = self.sock.recv(_CHUNK)
            except _BUSY:
                return
            if not octets:
                raise ConnectionResetError("the server hung up")
            self.dialogue.received(octets)
            if len(octets) < _CHUNK and not (
                isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()
            ):
                return


class Transport:
    """Sends parcels over as many connections as the settings allow."""

    def __init__(self, smtp: Smtp) -> None:
        self._smtp = smtp
        self._kept: list[smtplib.SMTP] = []
        self._one_by_one = False
        self._next_slot = 0.0

    def send(
        self,
        parcels: Sequence[OutgoingMessage],
        settle: Settle,
        start_in: float = 0.0,
        stop: Callable[[], bool] = lambda: False,
    ) -> str:
        """Send these, and have each answer written down.

        Args:
            parcels: what is to be sent.
            settle: writes answers down, all that came since it was called last.
            start_in: seconds until the first may go, where a rate is kept.
            stop: whether to begin no further one; what is under way is finished.

        Returns:
            Why the server cannot be used, or an empty text. Parcels that were not tried are
            answered as such.

        Raises:
            Exception: what `settle` raised; what is being sent at that moment is known to nobody.
        """
        if self._smtp.rate_per_second:
            self._next_slot = max(self._next_slot, time.monotonic() + start_in)
        sending = _Sending(self, deque(parcels), settle, stop)
        try:
            problem = sending.run()
        finally:
            sending.leave()
        if sending.queue:
            settle(
                [
                    Outcome(parcel.delivery_id, SendResult.NOT_TRIED, problem)
                    for parcel in sending.queue
                ]
            )
            return problem
        return ""

    def close(self) -> None:
        """Take leave of the server; until then connections are kept from one `send` to the next."""
        while self._kept:
            _quit(self._kept.pop())

    @property
    def timeout(self) -> float:
        """How long an answer may take, in seconds."""
        return self._smtp.timeout_seconds

    @property
    def connections(self) -> int:
        """How many are used at the most."""
        return self._smtp.connections

    def pipelining(self, client: smtplib.SMTP) -> bool:
        """Whether commands may go together: offered, and not found to be a lie before."""
        return (
            not self._one_by_one
            and not self._smtp.rate_per_second
            and client.has_extn("pipelining")
        )

    def distrust(self) -> None:
        """The server lost what came together: from now on the commands go one by one."""
        self._one_by_one = True

    def slot(self) -> float:
        """Seconds until the next message may begin; the place is taken when it is 0."""
        if not self._smtp.rate_per_second:
            return 0.0
        now = time.monotonic()
        if self._next_slot > now:
            return self._next_slot - now
        self._next_slot = max(now, self._next_slot) + 1 / self._smtp.rate_per_second
        return 0.0

    def open(self) -> smtplib.SMTP:
        """A connection: one that was kept and still answers, or a new one.

        Raises:
            ServerDownError: with the reason and the setting to look at.
        """
        while self._kept:
            client = self._kept.pop()
            try:
                if client.noop()[0] == 250:
                    return client
            except (OSError, smtplib.SMTPException):
                pass
            client.close()
        return self.connect()

    def keep(self, client: smtplib.SMTP) -> None:
        """Keep a connection for the next time."""
        self._kept.append(client)

    def connect(self) -> smtplib.SMTP:
        """A connection that is secured and logged in as the settings say.

        Raises:
            ServerDownError: with the reason and the setting to look at.
        """
        smtp = self._smtp
        place = f"{smtp.host}:{smtp.port}"
        try:
            if smtp.security == "tls":
                client: smtplib.SMTP = smtplib.SMTP_SSL(
                    smtp.host,
                    smtp.port,
                    timeout=smtp.timeout_seconds,
                    context=ssl.create_default_context(),
                )
            else:
                client = smtplib.SMTP(smtp.host, smtp.port, timeout=smtp.timeout_seconds)
        except ssl.SSLError as error:
            raise ServerDownError(
                f"The mail server {place} cannot be trusted: {safe(str(error))}."
            ) from error
        except (OSError, smtplib.SMTPException) as error:
            raise ServerDownError(
                f"The mail server {place} cannot be reached: {_said(error)}. Check smtp.host and smtp.port."
            ) from error
        try:
            if smtp.security == "starttls":
                client.starttls(context=ssl.create_default_context())
            assert client.sock is not None
            # The end of a message is a small write after a large one: Nagle's algorithm would let
            # it wait for 40 ms.
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.ehlo_or_helo_if_needed()
            if smtp.username:
                client.login(smtp.username, smtp.password or "")
        except smtplib.SMTPNotSupportedError as error:
            _quit(client)
            # A server that usually offers encryption and does not now may be somebody else's.
            fix = (
                "Where it has a port for TLS (465), set smtp.security to tls; none is for a server on this machine."
                if smtp.security == "starttls"
                else "If it wants no log-in, remove smtp.username."
            )
            raise ServerDownError(
                f"The mail server {place}: {_without_log_in(error, smtp)} {fix}"
            ) from error
        except smtplib.SMTPAuthenticationError as error:
            _quit(client)
            raise ServerDownError(
                f"The mail server {place} refuses the log-in: {_without_log_in(error, smtp)}. "
                "Check smtp.username and smtp.password."
            ) from None  # what the library raised repeats the server's answer
        except (OSError, smtplib.SMTPException) as error:
            client.close()
            raise ServerDownError(
                f"The mail server {place} gave up during the greeting: {_without_log_in(error, smtp)}."
            ) from None
        return client


class _Sending:
    """One call of `send`: the parcels that no connection has taken yet, and the connections."""

    def __init__(
        self,
        transport: Transport,
        queue: deque[OutgoingMessage],
        settle: Settle,
        stop: Callable[[], bool],
    ) -> None:
        self._transport, self.queue, self._settle, self._stop = transport, queue, settle, stop
        self._selector = selectors.DefaultSelector()
        self._lines: list[_Connection] = []
        self._told: list[_Connection] = []
        self._told_at = 0.0
        self._looked_at = 0.0
        self._problem = ""
        self._nap = 0.0
        self._unbuilt: list[Outcome] = []

    def run(self) -> str:
        """Send until nothing is left; returns why the server cannot be used, if so."""
        while True:
            self._open_lines()
            self._start_idle()
            if self._unbuilt:
                unbuilt, self._unbuilt = self._unbuilt, []
                self._settle(unbuilt)
            if all(line.dialogue.idle for line in self._lines):
                if self._over or not self.queue:
                    return self._problem
                time.sleep(min(self._nap, 1.0))
                continue
            moved = self._wait()
            # An answer is written down with as many others as come without waiting for them.
            if self._told and (not moved or time.monotonic() - self._told_at > _LONGEST_WAIT):
                self._settle_told()
            self._drop_silent()

    @property
    def _over(self) -> bool:
        """Whether no further message is to begin."""
        return bool(self._problem) or self._stop()

    def _open_lines(self) -> None:
        """As many connections as there is use for; fewer, where the server wants fewer."""
        wanted = min(self._transport.connections, len(self._lines) + len(self.queue))
        while self.queue and len(self._lines) < wanted and not self._over:
            try:
                client = self._transport.open()
            except ServerDownError as error:
                if not self._lines:
                    self._problem = str(error)
                return
            assert client.sock is not None
            client.sock.setblocking(False)
            dialogue = SmtpProtocol(self._following, pipelining=self._transport.pipelining(client))
            line = _Connection(client, client.sock, dialogue, heard_at=time.monotonic())
            self._lines.append(line)
            self._selector.register(line.sock, selectors.EVENT_READ, line)
            self._start(line)

    def _following(self) -> OutgoingMessage | None:
        if not self.queue or self._over:
            return None
        while self.queue:
            self._nap = self._transport.slot()
            if self._nap:
                return None
            parcel = self.queue.popleft()
            # Made before its envelope is sent: a message that cannot be made then breaks no
            # dialogue.
            try:
                message = parcel.message()
            except Exception as error:  # noqa: BLE001 - one mail stops no other
                trace = redacted(traceback.format_exc())
                log.error("Delivery %d cannot be built:\n%s", parcel.delivery_id, trace)  # noqa: TRY400 - redacted
                said = f"the mail cannot be built: an unexpected error ({type(error).__name__})"
                self._unbuilt.append(Outcome(parcel.delivery_id, SendResult.DEFERRED, said))
                continue
            return parcel._replace(message=_ready(message))
        return None

    def _start_idle(self) -> None:
        if self.queue:
            for line in [one for one in self._lines if one.dialogue.idle]:
                self._start(line)

    def _start(self, line: _Connection) -> None:
        if line.dialogue.begin():
            line.heard_at = time.monotonic()
            self._go_on(line)

    def _wait(self) -> bool:
        """Until a connection can go on, for a moment at the most, and for none while an answer is to be written down.

        Returns:
            Whether one went on.
        """
        ready = self._selector.select(
            0.0 if self._told else self._nap or min(self._transport.timeout / 4, 1.0)
        )
        for key, events in ready:
            self._go_on(key.data, hear=bool(events & selectors.EVENT_READ))
        return bool(ready)

    def _go_on(self, line: _Connection, *, hear: bool = False) -> None:
        """Let a connection go on; what ends it is told."""
        try:
            if hear:
                line.heard_at = time.monotonic()
                line.read()
            line.write()
        except SenderRefusedError as error:
            self._problem = f"The mail server refuses our sender: {error}. Check sender.address and sender.bounce_address."
            self._end(line, line.dialogue.given_up())
            return
        except (OSError, ProtocolError) as error:
            self._end(line, line.dialogue.broken(_said(error)))
            return
        if line.dialogue.over:
            self._end(line, line.dialogue.broken("the server closed it"))
            return
        if line.dialogue.outcomes and line not in self._told:
            self._told_at = self._told_at if self._told else time.monotonic()
            self._told.append(line)
        if bool(line.waiting) is not line.watched:
            line.watched = bool(line.waiting)
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if line.watched else 0)
            self._selector.modify(line.sock, wanted, line)

    def _end(self, line: _Connection, untried: OutgoingMessage | None) -> None:
        if untried is not None:
            self.queue.appendleft(untried)
        self._lines.remove(line)
        self._selector.unregister(line.sock)
        line.client.close()
        if line in self._told:
            self._told.remove(line)
        if line.dialogue.outcomes:
            told, line.dialogue.outcomes = line.dialogue.outcomes, []
            self._settle(told)

    def _settle_told(self) -> None:
        """Write down the answers of all connections together; then what waited for it goes on."""
        told, self._told = self._told, []
        self._settle([outcome for line in told for outcome in line.dialogue.outcomes])
        for line in told:
            line.dialogue.outcomes = []
            line.dialogue.settled()
            self._go_on(line)

    def _drop_silent(self) -> None:
        """Give up connections that say nothing for too long.

        One that answered the first of several commands and not the others has lost them: it is
        talked to otherwise.
        """
        now = time.monotonic()
        if now - self._looked_at < min(self._transport.timeout / 4, 1.0):
            return
        self._looked_at, limit = now, now - self._transport.timeout
        for line in [one for one in self._lines if not one.dialogue.idle and one.heard_at < limit]:
            if line.dialogue.pending in ("RCPT TO", "DATA") and line.dialogue.pipelining:
                self._transport.distrust()
                self._end(line, line.dialogue.given_up())
            else:
                self._end(line, line.dialogue.broken("no answer in time"))

    def leave(self) -> None:
        """Keep the connections that are at rest, close the others."""
        for line in self._lines:
            if line.dialogue.idle and not line.waiting:
                line.sock.settimeout(self._transport.timeout)
                self._transport.keep(line.client)
            else:
                line.client.close()
        self._selector.close()


def _ready(message: bytes) -> Callable[[], bytes]:
    return lambda: message


def _said(error: Exception) -> str:
    return safe(_words(error))


def _without_log_in(error: Exception, smtp: Smtp) -> str:
    """What a server says before it knows who we are: an odd one repeats what it was given."""
    return without_secrets(_words(error), smtp.password, smtp.username)


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    if isinstance(error, socket.gaierror):
        return "the name cannot be resolved"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (
        (error.strerror if isinstance(error, OSError) else None)
        or str(error)
        or type(error).__name__
    )


def _quit(client: smtplib.SMTP) -> None:
    try:
        client.quit()
    except (OSError, smtplib.SMTPException):
        client.close()
