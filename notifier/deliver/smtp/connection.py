"""Connections to the mail server: TCP, TLS and log-in, then reading and writing without waiting.

The only file that imports the mail client (smtplib). The answer to a failed log-in is shown without
user name and password, because some servers repeat them.
"""

import smtplib
import socket
import ssl
import time
from collections import deque
from dataclasses import dataclass, field

from notifier.deliver.redaction import safe, without_secrets
from notifier.deliver.smtp.protocol import SmtpProtocol
from notifier.settings import Smtp

Client = smtplib.SMTP

_CHUNK = 65_536
_NOT_READY = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class ServerDownError(Exception):
    """A mail server that cannot be used. The message says why, and which setting to check."""


@dataclass(eq=False)
class Connection:
    """A connection without waiting, its protocol, and the bytes that wait to be written.

    Attributes:
        client: the connected and logged-in mail client.
        sock: its socket.
        protocol: the state of the protocol on this connection.
        waiting: the bytes that the server has not taken yet.
        active_at: the time of the last sign of life, by `time.monotonic()`.
        watches_writing: True while the loop waits for the socket to become writable.
    """

    client: Client
    sock: socket.socket
    protocol: SmtpProtocol
    waiting: deque[memoryview] = field(default_factory=deque)
    active_at: float = field(default_factory=time.monotonic)
    watches_writing: bool = False

    def write(self) -> None:
        """Send as many of the waiting bytes as the server takes now."""
        if octets := self.protocol.output():
            self.waiting.append(memoryview(octets))
        while self.waiting:
            piece = self.waiting[0]
            try:
                sent = self.sock.send(piece)
            except _NOT_READY:
                return
            self.active_at = time.monotonic()  # the server takes our bytes: it is alive
            if sent < len(piece):
                self.waiting[0] = piece[sent:]
                return
            self.waiting.popleft()

    def read(self) -> None:
        """Pass the bytes that have arrived to the protocol.

        Raises:
            OSError: the server closed the connection.
        """
        while True:
            try:
                octets = self.sock.recv(_CHUNK)
            except _NOT_READY:
                return
            if not octets:
                raise ConnectionResetError("the server hung up")
            self.protocol.received(octets)
            if len(octets) < _CHUNK and not (
                isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()
            ):
                return


def connect(smtp: Smtp) -> Client:
    """Return a connection that is encrypted and logged in as the settings say.

    Raises:
        ServerDownError: with the reason, and the setting to check.
    """
    client = _open(smtp)
    server = f"The mail server {smtp.host}:{smtp.port}"
    try:
        _log_in(client, smtp)
    except smtplib.SMTPNotSupportedError as error:
        close_politely(client)
        # STARTTLS never falls back to a connection without encryption: a server that usually
        # offers it and does not now may be somebody else's.
        fix = (
            "If the server has a port for TLS (465), set smtp.security to tls; "
            "none is only for a server on this machine."
            if smtp.security == "starttls"
            else "If the server needs no log-in, remove smtp.username."
        )
        raise ServerDownError(f"{server}: {_text_without_secrets(error, smtp)} {fix}") from error
    except smtplib.SMTPAuthenticationError as error:
        close_politely(client)
        raise ServerDownError(
            f"{server} refuses the log-in: {_text_without_secrets(error, smtp)}. "
            "Check smtp.username and smtp.password."
        ) from None  # the library's error repeats the server's answer
    except (OSError, smtplib.SMTPException) as error:
        client.close()
        raise ServerDownError(
            f"{server} ended the connection during the greeting: "
            f"{_text_without_secrets(error, smtp)}."
        ) from None
    return client


def _open(smtp: Smtp) -> Client:
    """Open the connection, encrypted from the beginning if the settings say so.

    Raises:
        ServerDownError: the server cannot be reached or trusted.
    """
    timeout = smtp.timeout_seconds
    try:
        if smtp.security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=timeout, context=context)
        return smtplib.SMTP(smtp.host, smtp.port, timeout=timeout)
    except ssl.SSLError as error:
        raise ServerDownError(
            f"The mail server {smtp.host}:{smtp.port} cannot be trusted: {safe(str(error))}."
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        raise ServerDownError(
            f"The mail server {smtp.host}:{smtp.port} cannot be reached: {error_text(error)}. "
            "Check smtp.host and smtp.port."
        ) from error


def _log_in(client: Client, smtp: Smtp) -> None:
    if smtp.security == "starttls":
        client.starttls(context=ssl.create_default_context())
    assert client.sock is not None
    # The end of a message is a small write after a large one: Nagle's algorithm would delay it by
    # 40 ms.
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.ehlo_or_helo_if_needed()
    if smtp.username:
        client.login(smtp.username, smtp.password or "")


def is_alive(client: Client) -> bool:
    """Return whether the server still answers on a connection (NOOP)."""
    try:
        return client.noop()[0] == 250
    except (OSError, smtplib.SMTPException):
        return False


def close_politely(client: Client) -> None:
    """Send QUIT and close a connection."""
    try:
        client.quit()
    except (OSError, smtplib.SMTPException):
        client.close()


def error_text(error: Exception) -> str:
    """Return the text of an error as one line without addresses."""
    return safe(_raw_text(error))


def _text_without_secrets(error: Exception, smtp: Smtp) -> str:
    """Return the text of an error before or during the log-in."""
    return without_secrets(_raw_text(error), smtp.password, smtp.username)


def _raw_text(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        answer = error.smtp_error
        text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
        return f"{error.smtp_code} {text}"
    if isinstance(error, socket.gaierror):
        return "the name cannot be resolved"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    system_text = error.strerror if isinstance(error, OSError) else None
    return system_text or str(error) or type(error).__name__
