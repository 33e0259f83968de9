"""SMTP: messages over kept connections, each answer told as it was given, and written down before the next message ends.

Owns the mail client (smtplib: connecting, TLS, AUTH). The transaction is ours, for speed: where the server offers
PIPELINING (RFC 2920) one write carries the end of a message and the envelope of the next, a round trip a mail; where it
does not, or lies about it, the commands go one by one. An attempt that fails is a value, never an exception; what the
server said is what a person is shown.

A connection ends a message only after its last answer is settled: a crash can repeat one mail a connection, no more.
"""

import re
import smtplib
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from notifier.deliver.outbox import Answer, Outcome
from notifier.settings import Smtp
from notifier.text import clean, shorten

_BARE_DOT = re.compile(rb"(?m)^\.")
_END = b".\r\n"

Settle = Callable[[Sequence[Outcome]], None]


@dataclass(frozen=True)
class Parcel:
    """One message on its way: its envelope, and what makes its RFC 5322 bytes (CRLF line ends) when it is sent."""

    delivery_id: int
    envelope_from: str
    envelope_to: str
    message: Callable[[], bytes]

    @property
    def envelope(self) -> bytes:
        """The commands before the message."""
        return f"MAIL FROM:<{self.envelope_from}>\r\nRCPT TO:<{self.envelope_to}>\r\nDATA\r\n".encode()


class ServerDownError(Exception):
    """No connection to the mail server, or it takes no mail from us; the text says why and what to do."""


class _LiarError(Exception):
    """The server offered PIPELINING and lost what came that way."""


@dataclass
class _Ledger:
    """Where answers wait until they are written down: whoever waits first writes for all that wait.

    The commits of all connections become one that way (group commit), without a clock.
    """

    settle: Settle
    _waiting: list[Outcome] = field(default_factory=list)
    _told: int = 0
    _written: int = 0
    _busy: bool = False
    _error: Exception | None = None
    _turn: threading.Condition = field(default_factory=threading.Condition)

    def tell(self, outcome: Outcome) -> int:
        """Note an answer; returns the number to wait for."""
        with self._turn:
            self._waiting.append(outcome)
            self._told += 1
            return self._told

    def wait(self, number: int) -> None:
        """Until the answer of this number is written down.

        Raises:
            Exception: what kept it from being written, for every connection.
        """
        while True:
            with self._turn:
                while self._busy and self._written < number and self._error is None:
                    self._turn.wait()
                if self._error is not None:
                    raise self._error
                if self._written >= number:
                    return
                self._busy, batch, self._waiting = True, self._waiting, []
            self._write(batch)

    def _write(self, batch: list[Outcome]) -> None:
        error: Exception | None = None
        try:
            self.settle(batch)
        except Exception as raised:  # noqa: BLE001 - whatever it is, it is raised again in every thread that waits
            error = raised
        with self._turn:
            self._error = self._error or error
            self._written += len(batch)
            self._busy = False
            self._turn.notify_all()


class _Queue:
    """The parcels that no connection has taken yet."""

    def __init__(self, parcels: Sequence[Parcel]) -> None:
        self._parcels = deque(parcels)

    def take(self) -> Parcel | None:
        """The next one, if there is one."""
        try:
            return self._parcels.popleft()
        except IndexError:
            return None

    def back(self, parcel: Parcel) -> None:
        """Put one back that was not tried."""
        self._parcels.appendleft(parcel)

    def __len__(self) -> int:
        return len(self._parcels)


class Transport:
    """Sends parcels over as many connections as the settings allow, each used by one thread."""

    def __init__(self, smtp: Smtp) -> None:
        self._smtp = smtp
        self._next_slot = 0.0
        self._pace = threading.Lock()
        self._kept: list[smtplib.SMTP] = []
        self._lockstep = False

    def send(self, parcels: Sequence[Parcel], settle: Settle, start_in: float = 0.0) -> str:
        """Send these, and have each answer written down.

        Args:
            parcels: what is to be sent.
            settle: writes answers down; called by one thread at a time, with one answer or with several.
            start_in: seconds until the first may go, where a rate is kept.

        Returns:
            Why the server cannot be used, or an empty text. Parcels that were not tried for that reason are answered
            as such.

        Raises:
            Exception: what `settle` raised; what was being sent is then known to nobody.
        """
        self._next_slot = max(self._next_slot, time.monotonic() + start_in) if start_in else self._next_slot
        queue, ledger = _Queue(parcels), _Ledger(settle)
        lanes = min(self._smtp.connections, len(parcels))
        with ThreadPoolExecutor(max(lanes, 1), "smtp") as pool:
            running = [pool.submit(self._lane, queue, ledger) for _ in range(lanes)]
            problems = [lane.result() for lane in running]
        problem = next((one for one in problems if one), "") if len(queue) else ""
        if problem:
            last = 0
            while parcel := queue.take():
                last = ledger.tell(Outcome(parcel.delivery_id, Answer.NOT_TRIED, problem))
            ledger.wait(last)
        return problem

    def close(self) -> None:
        """Take leave of the server; connections are kept between calls of `send` until then."""
        while self._kept:
            _quit(self._kept.pop())

    def _lane(self, queue: _Queue, ledger: _Ledger) -> str:
        """Send over one connection until nothing is left; a connection that ends is followed by another."""
        client: smtplib.SMTP | None = None
        try:
            while len(queue):
                client = client or self._kept_one() or self.connect()
                try:
                    if self._lockstep or not client.has_extn("pipelining"):
                        self._one_by_one(client, queue, ledger)
                    else:
                        self._in_a_stream(client, queue, ledger)
                except _LiarError:
                    self._lockstep = True
                if client.sock is None:  # the server hung up: what is left goes over a new connection
                    client = None
        except ServerDownError as error:
            return str(error)
        finally:
            if client is not None and client.sock is not None:
                self._kept.append(client)
        return ""

    def _kept_one(self) -> smtplib.SMTP | None:
        """A connection of before that still answers."""
        while self._kept:
            client = self._kept.pop()
            try:
                if client.noop()[0] == 250:
                    return client
            except (OSError, smtplib.SMTPException):
                pass
            client.close()
        return None

    def _one_by_one(self, client: smtplib.SMTP, queue: _Queue, ledger: _Ledger) -> None:
        while client.sock is not None and (parcel := queue.take()):
            self._keep_pace()
            try:
                outcome = transact(client, parcel)
            except ServerDownError:
                queue.back(parcel)
                raise
            ledger.wait(ledger.tell(outcome))

    def _in_a_stream(self, client: smtplib.SMTP, queue: _Queue, ledger: _Ledger) -> None:
        """Send with the envelope of the next message in the write that ends the one before (RFC 2920, 3.1)."""
        parcel, settled = queue.take(), 0
        if parcel is None:
            return
        self._keep_pace()
        try:
            client.sock.sendall(parcel.envelope)
            while parcel is not None:
                refusal = _answers_to_envelope(client, parcel)
                if refusal is not None:
                    settled = ledger.tell(refusal)
                    parcel = self._following(client, queue, b"RSET\r\n")
                    continue
                _send_body(client, parcel)
                ledger.wait(settled)
                sent, parcel = parcel, self._end(client, parcel, queue, ledger)
                settled = ledger.tell(_answer_to_message(client, sent))
                if client.sock is None and parcel is not None:
                    queue.back(parcel)
                    parcel = None
        except (ServerDownError, _LiarError):
            client.close()  # answers that nobody read are still to come
            if parcel is not None:
                queue.back(parcel)
            raise
        except (OSError, smtplib.SMTPException) as error:
            client.close()
            if parcel is not None:
                said = f"the connection ended before the message was handed over: {_said(error)}"
                settled = ledger.tell(Outcome(parcel.delivery_id, Answer.DEFERRED, said))
        finally:
            if settled:
                ledger.wait(settled)

    def _end(self, client: smtplib.SMTP, parcel: Parcel, queue: _Queue, ledger: _Ledger) -> Parcel | None:
        """End a message, and begin the next with the same write."""
        following = queue.take()
        if following is not None:
            self._keep_pace()
        try:
            client.sock.sendall(_END + (following.envelope if following else b""))
        except OSError:
            client.close()
            if following is not None:
                queue.back(following)
            return None
        return following

    def _following(self, client: smtplib.SMTP, queue: _Queue, before: bytes) -> Parcel | None:
        """Begin another message after one that was refused."""
        parcel = queue.take()
        if client.sock is None:
            if parcel is not None:
                queue.back(parcel)
            return None
        if parcel is not None:
            self._keep_pace()
        try:
            client.sock.sendall(before + (parcel.envelope if parcel else b""))
            client.getreply()
        except (OSError, smtplib.SMTPException):
            client.close()
            if parcel is not None:
                queue.back(parcel)
            return None
        return parcel

    def connect(self) -> smtplib.SMTP:
        """A connection that is secured and logged in as the settings say.

        Raises:
            ServerDownError: with the reason and the setting to look at.
        """
        smtp = self._smtp
        place = f"{smtp.host}:{smtp.port}"
        context = ssl.create_default_context()
        try:
            if smtp.security == "tls":
                client: smtplib.SMTP = smtplib.SMTP_SSL(
                    smtp.host, smtp.port, timeout=smtp.timeout_seconds, context=context
                )
            else:
                client = smtplib.SMTP(smtp.host, smtp.port, timeout=smtp.timeout_seconds)
        except ssl.SSLError as error:
            raise ServerDownError(f"The mail server {place} cannot be trusted: {error}.") from error
        except (OSError, smtplib.SMTPException) as error:
            raise ServerDownError(
                f"The mail server {place} cannot be reached: {_said(error)}. Check smtp.host and smtp.port."
            ) from error
        try:
            if smtp.security == "starttls":
                client.starttls(context=context)
            client.ehlo_or_helo_if_needed()
            if smtp.username:
                client.login(smtp.username, smtp.password or "")
        except smtplib.SMTPNotSupportedError as error:
            _quit(client)
            fix = "set smtp.security to none or tls" if smtp.security == "starttls" else "remove smtp.username"
            raise ServerDownError(f"The mail server {place}: {error} If that is as it should be, {fix}.") from error
        except smtplib.SMTPAuthenticationError as error:
            _quit(client)
            raise ServerDownError(
                f"The mail server {place} refuses the log-in: {_said(error)}. Check smtp.username and smtp.password."
            ) from error
        except (OSError, smtplib.SMTPException) as error:
            client.close()
            raise ServerDownError(f"The mail server {place} gave up during the greeting: {_said(error)}.") from error
        return client

    def _keep_pace(self) -> None:
        if not self._smtp.rate_per_second:
            return
        with self._pace:
            now = time.monotonic()
            slot = max(now, self._next_slot)
            self._next_slot = slot + 1 / self._smtp.rate_per_second
        time.sleep(slot - now)


def _answers_to_envelope(client: smtplib.SMTP, parcel: Parcel) -> Outcome | None:
    """Read the three answers to an envelope that went out whole; None when the message may follow.

    Raises:
        ServerDownError: the sender is refused for good, whoever the recipient is.
        _LiarError: the answers to the later commands do not come, or are out of step.
    """
    refusal: Outcome | None = None
    for step, wanted in (("MAIL FROM", 250), ("RCPT TO", 250), ("DATA", 354)):
        try:
            code, said = client.getreply()
        except smtplib.SMTPServerDisconnected as error:
            if step != "MAIL FROM" and isinstance(error.__context__, TimeoutError):
                raise _LiarError from error
            raise
        if step == "DATA" and code == wanted and refusal is not None:
            client.sock.sendall(_END)  # it waits for a message that has no recipient: an empty one ends that
            client.getreply()
        elif code // 100 != wanted // 100 and refusal is None:
            refusal = _told(client, parcel, step, code, said)
        if client.sock is None:
            return refusal
    return refusal


def _send_body(client: smtplib.SMTP, parcel: Parcel) -> None:
    """Send a message up to the dot that ends it."""
    client.sock.sendall(_stuffed(parcel.message()))


def _stuffed(message: bytes) -> bytes:
    """The message with its dots doubled where they begin a line (RFC 5321, 4.5.2), and ended by a line end."""
    if message.startswith(b".") or b"\n." in message:
        message = _BARE_DOT.sub(b"..", message)
    return message if message.endswith(b"\r\n") else message + b"\r\n"


def _answer_to_message(client: smtplib.SMTP, parcel: Parcel) -> Outcome:
    """What became of a message whose end was sent; nobody knows when the connection ends instead of an answer."""
    if client.sock is None:
        return _lost(parcel, "its end could not be sent")
    try:
        code, said = client.getreply()
    except (OSError, smtplib.SMTPException) as error:
        client.close()
        return _lost(parcel, _said(error))
    return (
        Outcome(parcel.delivery_id, Answer.ACCEPTED)
        if code == 250
        else _told(client, parcel, "the message", code, said)
    )


def _lost(parcel: Parcel, why: str) -> Outcome:
    said = f"the connection ended after the message was handed over: {why}"
    return Outcome(parcel.delivery_id, Answer.UNKNOWN, said)


def transact(client: smtplib.SMTP, parcel: Parcel) -> Outcome:
    """One mail transaction (RFC 5321, 3.3), command by command; a connection that cannot be used any more is closed.

    Raises:
        ServerDownError: the sender is refused for good, whoever the recipient is.
    """
    try:
        client.ehlo_or_helo_if_needed()
        for command in parcel.envelope.decode().splitlines():
            code, said = client.docmd(command)
            if not 200 <= code < 400:
                outcome = _told(client, parcel, command.partition(":")[0], code, said)
                if client.sock is not None:
                    client.rset()
                return outcome
        _send_body(client, parcel)
    except (OSError, smtplib.SMTPException) as error:
        client.close()
        said_last = f"the connection ended before the message was handed over: {_said(error)}"
        return Outcome(parcel.delivery_id, Answer.DEFERRED, said_last)
    try:
        client.sock.sendall(_END)
    except OSError:
        client.close()
    return _answer_to_message(client, parcel)


def _told(client: smtplib.SMTP, parcel: Parcel, step: str, code: int, said: bytes) -> Outcome:
    """A refusal, told without the address: what the server says about a person stays in the database."""
    if code == 421:
        client.close()
    words = shorten(clean(said.decode("utf-8", "replace")).replace(parcel.envelope_to, "(the recipient)"), 300)
    if step == "MAIL FROM" and 500 <= code < 600:
        raise ServerDownError(
            f"The mail server refuses our sender: {code} {words}. Check sender.address and sender.bounce_address."
        )
    answer = Answer.REFUSED if 500 <= code < 600 else Answer.DEFERRED
    return Outcome(parcel.delivery_id, answer, f"the server answered {code} to {step}: {words}")


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {clean(said.decode('utf-8', 'replace') if isinstance(said, bytes) else said)}"
    if isinstance(error, socket.gaierror):
        return "the name cannot be resolved"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def _quit(client: smtplib.SMTP) -> None:
    try:
        client.quit()
    except (OSError, smtplib.SMTPException):
        client.close()
