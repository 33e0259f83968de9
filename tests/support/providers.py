"""The mail servers of a simulated year: they answer by the state of each provider and mailbox.

Owns the conversation (RFC 5321, with PIPELINING): greeting, limits of a connection, lost answers.
What a server says to a recipient or a mail is asked of the year. There is one thread for each
connection, and no parsing: a year has ten thousand mails, and aiosmtpd takes most of the time.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_AWAY = "421 4.3.2 The system is away"
# Seconds that the end of a connection may take. Chosen by hand; not measured.
_LONGEST_WAIT = 10
_TOO_MANY = "421 4.7.0 Too many messages in this session"


@dataclass
class Providers:
    """The mail servers.

    Attributes:
        verdict: returns the answer to RCPT TO for an address.
        take: is given a message (recipient, envelope sender, bytes) and returns the answer; an
            empty one is lost: the connection ends.
        away: True while no command but QUIT is served.
        session_limit: the most mails of a connection; 0 for no limit.
        pipelining: whether several commands may come at once (RFC 2920).
    """

    verdict: Callable[[str], str]
    take: Callable[[str, str, bytes], str]
    away: bool = False
    session_limit: int = 0
    pipelining: bool = True
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    talks: list[threading.Thread] = field(default_factory=list)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Answer on a free port of loopback until the end."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
            try:
                yield
            finally:
                with suppress(OSError):  # wakes the thread that waits for a connection
                    listener.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            talk = threading.Thread(target=_Talk(self, connection).run, daemon=True)
            talk.start()
            self.talks = [*filter(threading.Thread.is_alive, self.talks), talk]

    def wait_for_the_last(self) -> None:
        """Wait until all is taken that was sent before the connections ended."""
        for talk in self.talks:
            talk.join(_LONGEST_WAIT)


class _Talk:
    """The conversation on one connection."""

    def __init__(self, server: Providers, sock: socket.socket) -> None:
        self._server, self._sock = server, sock
        self._input, self._output = b"", []
        self._sender = self._recipient = ""
        self._mails, self._is_over = 0, False
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self) -> None:
        with suppress(OSError), self._sock:
            self._say("220 mx.provider.example ESMTP")
            while not self._is_over and (line := self._line()) is not None:
                with self._server.lock:
                    self._answer(line.decode("utf-8", "replace"))
            self._flush()

    def _say(self, answer: str) -> None:
        self._output.append(f"{answer}\r\n".encode())
        self._is_over = self._is_over or answer.startswith(("421", "221"))

    def _flush(self) -> None:
        output, self._output = b"".join(self._output), []
        if output:
            self._sock.sendall(output)

    def _line(self) -> bytes | None:
        """Return the next line; what was answered is sent when no further one has come yet."""
        octets = self._until(b"\r\n")
        return None if octets is None else octets[:-2]

    def _until(self, end: bytes) -> bytes | None:
        while (at := self._input.find(end)) < 0:
            self._flush()
            received = self._sock.recv(65_536)
            if not received:
                return None
            self._input += received
        octets, self._input = self._input[: at + len(end)], self._input[at + len(end) :]
        return octets

    def _answer(self, line: str) -> None:
        word = line[:4].upper()
        if word == "QUIT":
            self._say("221 2.0.0 bye")
        elif self._server.away:
            self._say(_AWAY)
        elif word == "EHLO":
            self._output.append(b"250-mx.provider.example\r\n")
            if self._server.pipelining:
                self._output.append(b"250-PIPELINING\r\n")
            self._say("250 8BITMIME")
        elif word == "MAIL":
            self._begin(line)
        elif word == "RCPT":
            address = line.partition("<")[2].partition(">")[0].lower()
            answer = self._server.verdict(address)
            self._recipient = address if answer.startswith("250") else ""
            self._say(answer)
        elif word == "DATA":
            self._take()
        else:
            self._say("250 2.0.0 ok")

    def _begin(self, line: str) -> None:
        limit = self._server.session_limit
        if limit and self._mails >= limit:
            self._say(_TOO_MANY)
            return
        self._sender, self._recipient = line.partition("<")[2].partition(">")[0], ""
        self._say("250 2.1.0 ok")

    def _take(self) -> None:
        """Take a message, and answer it or end the connection."""
        recipient = self._recipient
        if not recipient:
            self._say("503 5.5.1 No valid recipient")
            return
        self._say("354 go on")
        self._server.lock.release()  # the sender stores other answers before it sends the message
        try:
            octets = self._until(b"\r\n.\r\n")
        finally:
            self._server.lock.acquire()
        if octets is None:
            self._is_over = True
            return
        self._mails += 1
        if answer := self._server.take(recipient, self._sender, octets):
            self._say(answer)
        else:
            self._is_over = True
