"""Connections to the mail server: TCP, TLS and log-in, then reading and writing without waiting.

The only file that imports the mail client (smtplib), whose own log-in cannot send other characters
than ASCII. The answer to a failed log-in is shown without user name and password, because some
servers repeat them.
"""

import base64
import hmac
import smtplib
import socket
import ssl
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from notifier.deliver.redaction import safe, without_secrets
from notifier.deliver.smtp.protocol import SmtpProtocol
from notifier.settings import Smtp

# The longest wait for the greeting, in seconds (RFC 5321, 4.5.3.2.1).
GREETING_SECONDS = 300.0

_CHUNK = 65_536
_NUL = b"\0"
_NOT_READY = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Step(StrEnum):
    """A step on the way to a connection that can be used."""

    CONNECT = "connect"
    ENCRYPT = "encrypt"
    LOG_IN = "log in"


class ServerDownError(Exception):
    """A mail server that cannot be used. The message says why, and which setting to check.

    Attributes:
        step: the step that failed.
    """

    def __init__(self, text: str, step: Step = Step.CONNECT) -> None:
        super().__init__(text)
        self.step = step


class ServerBusyError(ServerDownError):
    """A mail server that takes no further connection at the moment."""


class Client(smtplib.SMTP):
    """The mail client, which waits for a slow greeting.

    Args:
        smtp: host, port, name and patience.
        greeting_seconds: the longest wait for the greeting.
        options: further ones of the library.

    Attributes:
        mails_taken: the number of mails that the server accepted on this connection.
    """

    mails_taken = 0
    _is_greeted = False

    def __init__(self, smtp: Smtp, greeting_seconds: float, **options: Any) -> None:
        self._greeting_seconds = greeting_seconds
        super().__init__(
            smtp.host, smtp.port, smtp.helo_name, timeout=smtp.timeout_seconds, **options
        )

    def getreply(self) -> tuple[int, bytes]:
        """Read an answer; the first one, the greeting, may take longer."""
        if self._is_greeted or self.sock is None:
            return super().getreply()
        self._is_greeted = True
        self.sock.settimeout(self._greeting_seconds)
        answer = super().getreply()
        self.sock.settimeout(self.timeout)
        return answer


class _TlsClient(Client, smtplib.SMTP_SSL):
    """The same over TLS from the first byte on."""


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
        has_worked: True when the acceptance of a mail on it was stored.
    """

    client: Client
    sock: socket.socket
    protocol: SmtpProtocol
    waiting: deque[memoryview] = field(default_factory=deque)
    active_at: float = field(default_factory=time.monotonic)
    watches_writing: bool = False
    has_worked: bool = False

    @property
    def is_fresh(self) -> bool:
        """True while the server has accepted no mail on it."""
        return not (self.client.mails_taken or self.protocol.accepted)

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


def connect(smtp: Smtp, greeting_seconds: float | None = None) -> Client:
    """Return a connection that is encrypted and logged in as the settings say.

    Args:
        smtp: the settings.
        greeting_seconds: the longest wait for the greeting; None for that of the protocol.

    Raises:
        ServerDownError: with the reason, and the setting to check.
    """
    client = _open(smtp, greeting_seconds or GREETING_SECONDS)
    server = f"The mail server {smtp.host}:{smtp.port}"
    try:
        _log_in(client, smtp)
    except smtplib.SMTPNotSupportedError as error:
        lacks_tls = smtp.security == "starttls" and not isinstance(client.sock, ssl.SSLSocket)
        close_politely(client)
        # STARTTLS never falls back to a connection without encryption: a server that usually
        # offers it and does not now may be somebody else's.
        fix = (
            "If the server has a port for TLS (465), set smtp.security to tls; "
            "none is only for a server on this machine."
            if lacks_tls
            else "If the server needs no log-in, remove smtp.username."
        )
        text = f"{server}: {_text_without_secrets(error, smtp)} {fix}"
        raise ServerDownError(text, Step.ENCRYPT if lacks_tls else Step.LOG_IN) from error
    except smtplib.SMTPAuthenticationError as error:
        close_politely(client)
        raise ServerDownError(
            f"{server} refuses the log-in: {_text_without_secrets(error, smtp)}. "
            "Check smtp.username and smtp.password.",
            Step.LOG_IN,
        ) from None  # the library's error repeats the server's answer
    except ssl.SSLCertVerificationError as error:
        client.close()
        raise _untrusted(smtp, error) from error
    except (OSError, smtplib.SMTPException) as error:
        client.close()
        raise ServerDownError(
            f"{server} ended the connection during the greeting: "
            f"{_text_without_secrets(error, smtp)}.",
            Step.ENCRYPT if isinstance(error, ssl.SSLError) else Step.CONNECT,
        ) from None
    return client


def certificate_expires(client: Client) -> datetime | None:
    """Return the time until which the server's certificate is valid; None without encryption."""
    certificate = client.sock.getpeercert() if isinstance(client.sock, ssl.SSLSocket) else None
    until = certificate.get("notAfter") if certificate else None
    if not isinstance(until, str):
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC)


def _open(smtp: Smtp, greeting_seconds: float) -> Client:
    """Open the connection, encrypted from the beginning if the settings say so.

    Raises:
        ServerDownError: the server cannot be reached or trusted.
    """
    try:
        if smtp.security == "tls":
            context = ssl.create_default_context()
            return _TlsClient(smtp, greeting_seconds, context=context)
        return Client(smtp, greeting_seconds)
    except ssl.SSLError as error:
        raise _untrusted(smtp, error) from error
    except smtplib.SMTPConnectError as error:
        kind = ServerBusyError if 400 <= error.smtp_code < 500 else ServerDownError
        raise kind(
            f"The mail server {smtp.host}:{smtp.port} takes no connection: {error_text(error)}."
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        raise ServerDownError(
            f"The mail server {smtp.host}:{smtp.port} cannot be reached: {error_text(error)}. "
            "Check smtp.host and smtp.port."
        ) from error


def _untrusted(smtp: Smtp, error: ssl.SSLError) -> ServerDownError:
    """Return the error that a server does not prove who it is, or does not speak TLS here."""
    fix = (
        " Check that smtp.host is the name in its certificate; SSL_CERT_FILE can name one of your"
        " own."
        if isinstance(error, ssl.SSLCertVerificationError)
        else ""
    )
    return ServerDownError(
        f"The mail server {smtp.host}:{smtp.port} cannot be trusted: {safe(str(error))}.{fix}",
        Step.ENCRYPT,
    )


def _log_in(client: Client, smtp: Smtp) -> None:
    if smtp.security == "starttls":
        client.starttls(context=ssl.create_default_context())
    assert client.sock is not None
    # The end of a message is a small write after a large one: Nagle's algorithm would delay it by
    # 40 ms.
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.ehlo_or_helo_if_needed()
    if smtp.username:
        _authenticate(client, smtp.username, smtp.password or "")


def _authenticate(client: Client, username: str, password: str) -> None:
    """Log in by the first method that the server offers and accepts (RFC 4954).

    User name and password are sent in UTF-8 (RFC 4616, 2).

    Raises:
        smtplib.SMTPNotSupportedError: the server offers no log-in, or none that is known here.
        smtplib.SMTPAuthenticationError: the server accepts none.
    """
    methods = {
        "CRAM-MD5": _log_in_by_challenge,
        "PLAIN": _log_in_plainly,
        "LOGIN": _log_in_by_turns,
    }
    offered = str(client.esmtp_features.get("auth", "")).upper().split()
    usable = [method for name, method in methods.items() if name in offered]
    if not usable:
        raise smtplib.SMTPNotSupportedError(
            "It offers no log-in." if not offered else "It offers none of the known log-ins."
        )
    code, answer = 0, b""
    for log_in in usable:
        try:
            code, answer = log_in(client, username.encode(), password.encode())
        except smtplib.SMTPServerDisconnected:
            if not code:
                raise
            break  # after a refusal some servers hang up: the refusal is what counts
        if code in (235, 503):  # 503: already logged in (RFC 4954, 4)
            return
    raise smtplib.SMTPAuthenticationError(code, answer)


def _log_in_plainly(client: Client, username: bytes, password: bytes) -> tuple[int, bytes]:
    return client.docmd("AUTH", f"PLAIN {_encoded(_NUL + username + _NUL + password)}")


def _log_in_by_turns(client: Client, username: bytes, password: bytes) -> tuple[int, bytes]:
    code, answer = client.docmd("AUTH", "LOGIN")
    for credential in (username, password):
        if code != 334:
            break
        code, answer = client.docmd(_encoded(credential))
    return code, answer


def _log_in_by_challenge(client: Client, username: bytes, password: bytes) -> tuple[int, bytes]:
    """Log in by CRAM-MD5 (RFC 2195)."""
    code, answer = client.docmd("AUTH", "CRAM-MD5")
    if code != 334:
        return code, answer
    try:
        response = hmac.new(password, base64.b64decode(answer), "md5").hexdigest()
    except ValueError:  # a challenge that is no base64, or a Python without MD5
        return client.docmd("*")  # RFC 4954, 4: the log-in is cancelled
    return client.docmd(_encoded(username + b" " + response.encode()))


def _encoded(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def make_bell() -> tuple[socket.socket, socket.socket]:
    """Return two sockets: what is sent into the second wakes who waits for the first."""
    return socket.socketpair()


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
