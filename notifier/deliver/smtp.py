"""SMTP: messages over kept connections, each answer told as it was given.

Owns the mail client (smtplib: connecting, TLS, AUTH). An attempt that fails is a value, never an exception; what the
server said is what a person is shown.
"""

import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat

from notifier.deliver.outbox import Answer, Outcome
from notifier.settings import Smtp
from notifier.text import clean, shorten

_BARE_DOT = re.compile(rb"(?m)^\.")


@dataclass(frozen=True)
class Parcel:
    """One message on its way: RFC 5322 bytes with CRLF line ends, and its envelope."""

    delivery_id: int
    envelope_from: str
    envelope_to: str
    message: bytes


class ServerDownError(Exception):
    """No connection to the mail server, or it takes no mail from us; the text says why and what to do."""


class Transport:
    """Sends parcels over as many connections as the settings allow, each used by one thread."""

    def __init__(self, smtp: Smtp) -> None:
        self._smtp = smtp
        self._next_slot = 0.0
        self._pace = threading.Lock()

    def send(self, parcels: Sequence[Parcel], answered: Callable[[Outcome], None]) -> str:
        """Send these; `answered` is called in this thread's stead by the senders, one call at a time.

        Returns:
            Why the server cannot be used, or an empty text. Parcels that were not tried for that reason are answered
            as such.
        """
        lanes = [parcels[start :: self._smtp.connections] for start in range(self._smtp.connections)]
        answering = threading.Lock()

        def one_at_a_time(outcome: Outcome) -> None:
            with answering:
                answered(outcome)

        with ThreadPoolExecutor(self._smtp.connections, "smtp") as pool:
            problems = list(pool.map(self._lane, [lane for lane in lanes if lane], repeat(one_at_a_time)))
        return next((problem for problem in problems if problem), "")

    def _lane(self, parcels: Sequence[Parcel], answered: Callable[[Outcome], None]) -> str:
        client: smtplib.SMTP | None = None
        waiting = list(parcels)
        try:
            while waiting:
                client = client or self.connect()
                self._keep_pace()
                outcome = transact(client, waiting[0])
                answered(outcome)
                waiting.pop(0)
                if client.sock is None:  # the server hung up: what is left goes over a new connection
                    client = None
        except ServerDownError as error:
            for parcel in waiting:
                answered(Outcome(parcel.delivery_id, Answer.NOT_TRIED, str(error)))
            return str(error)
        finally:
            if client is not None:
                _quit(client)
        return ""

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


def transact(client: smtplib.SMTP, parcel: Parcel) -> Outcome:
    """One mail transaction (RFC 5321, 3.3); the connection is closed when it cannot be used for another."""
    begun = False
    try:
        client.ehlo_or_helo_if_needed()
        for command in (f"MAIL FROM:<{parcel.envelope_from}>", f"RCPT TO:<{parcel.envelope_to}>", "DATA"):
            code, said = client.docmd(command)
            if not 200 <= code < 400:
                return _refused(client, parcel, command, code, said)
        begun = True
        client.send(_BARE_DOT.sub(b"..", parcel.message))
        client.send(b".\r\n" if parcel.message.endswith(b"\r\n") else b"\r\n.\r\n")
        code, said = client.getreply()
    except (OSError, smtplib.SMTPException) as error:
        client.close()
        answer = Answer.UNKNOWN if begun else Answer.DEFERRED
        when = "after the message was handed over" if begun else "before the message was handed over"
        return Outcome(parcel.delivery_id, answer, f"the connection ended {when}: {_said(error)}")
    if code == 250:
        return Outcome(parcel.delivery_id, Answer.ACCEPTED)
    return _refused(client, parcel, "the message", code, said)


def _refused(client: smtplib.SMTP, parcel: Parcel, what: str, code: int, said: bytes) -> Outcome:
    """A refusal, told without the address: what the server says about a person stays in the database."""
    if code == 421:
        client.close()
    else:
        try:
            client.rset()
        except (OSError, smtplib.SMTPException):
            client.close()
    step = what.partition(":")[0]
    words = shorten(clean(said.decode("utf-8", "replace")).replace(parcel.envelope_to, "(the recipient)"), 300)
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
