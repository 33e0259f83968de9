"""A mail server that fails in the ways that a test chooses.

A message that it accepted stays accepted, even if its answer is lost.
"""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field

Line = Callable[[bytes], bytes | None]


@dataclass
class Faulty:
    """The server's abilities, its faults, and what it accepted.

    Attributes:
        pipelining: whether it offers PIPELINING (RFC 2920).
        loses: whether it drops the commands that arrive together with the one it answers, although
            it offers PIPELINING.
        answers: answers by command (``RCPT``, ``BODY``, ...), each used once; after that it answers
            normally.
        drops: how often it closes the connection instead of answering, by command.
        stalls: how often it does not answer, by command.
        slow: seconds before each answer to a message.
        per_session: the most mails of a connection; 0 means no limit.
        in_all: the most mails, until the test raises it; 0 means no limit.
        too_many: the command at which more mails are refused, and the answer.
        refused: answers to RCPT by address, used again and again.
        greetings: seconds before each greeting, for the first connections.
        arrived: how many messages came whole, answered or not.
        greeted_by: the names that clients gave in EHLO.
    """

    pipelining: bool = True
    loses: bool = False
    answers: dict[str, list[bytes]] = field(default_factory=dict)
    drops: dict[str, int] = field(default_factory=dict)
    stalls: dict[str, int] = field(default_factory=dict)
    slow: float = 0.0
    per_session: int = 0
    in_all: int = 0
    too_many: tuple[str, bytes] = ("MAIL", b"451 4.7.1 mails per session limit exceeded")
    refused: dict[str, bytes] = field(default_factory=dict)
    greetings: list[float] = field(default_factory=list)
    port: int = 0
    accepted: list[str] = field(default_factory=list)
    envelopes: list[str] = field(default_factory=list)
    connections: int = 0
    arrived: int = 0
    greeted_by: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, sock: socket.socket) -> None:
        with self._lock:
            self.connections += 1
        try:
            _Talk(self, sock).run()
        except OSError:
            pass
        finally:
            sock.close()

    def fails(self, at: dict[str, int], word: str) -> bool:
        with self._lock:
            if at.get(word, 0) <= 0:
                return False
            at[word] -= 1
            return True

    def answer(self, word: str, usual: bytes) -> bytes:
        with self._lock:
            waiting = self.answers.get(word)
            return waiting.pop(0) if waiting else usual


class _Talk:
    def __init__(self, server: Faulty, sock: socket.socket) -> None:
        self._server, self._sock, self._in = server, sock, b""
        self._taken, self._recipient = 0, ""

    def _refuses(self, word: str) -> bool:
        """Say that there are too many mails, if this is the command at which that is said."""
        server = self._server
        at, answer = server.too_many
        if word != at or not (
            (server.per_session and self._taken >= server.per_session)
            or (server.in_all and len(server.accepted) >= server.in_all)
        ):
            return False
        self._say(answer)
        return True

    def run(self) -> None:
        with self._server._lock:
            patience = self._server.greetings.pop(0) if self._server.greetings else 0.0
        time.sleep(patience)
        self._say(b"220 faulty.example.org ESMTP")
        while (line := self._line()) is not None:
            word = line[:4].upper().decode("ascii", "replace").strip()
            if self._server.fails(self._server.drops, word):
                return
            if self._server.fails(self._server.stalls, word):
                time.sleep(3)
                return
            if self._server.loses:
                self._in = b""
            if not self._goes_on(word, line):
                return

    def _goes_on(self, word: str, line: bytes) -> bool:
        """Answer a command; return whether the connection goes on."""
        if self._refuses(word):
            self._recipient = "" if word == "RCPT" else self._recipient
            return not self._server.too_many[1].startswith(b"421")
        if word == "EHLO":
            self._server.greeted_by.append(line[5:].decode().strip())
            offered = b"250-PIPELINING\r\n" if self._server.pipelining else b""
            offered += b"250-AUTH PLAIN\r\n"
            self._say(b"250-faulty.example.org\r\n" + offered + b"250 8BITMIME")
            return True
        if word == "DATA":
            answer = self._server.answer("DATA", b"354 go on")
            self._say(answer)
            return not answer.startswith(b"354") or self._message(self._recipient)
        usual = b"221 bye" if word == "QUIT" else b"250 ok"
        if word == "RCPT":
            self._recipient = line.decode().partition("<")[2].partition(">")[0]
            usual = self._server.refused.get(self._recipient, usual)
        answer = self._server.answer(word, usual)
        if word == "RCPT" and not answer.startswith(b"250"):
            self._recipient = ""
        self._say(answer)
        return not answer.startswith((b"421", b"221"))

    def _message(self, recipient: str) -> bool:
        body = b""
        while not (body.endswith(b"\r\n.\r\n") or body == b".\r\n"):
            at = self._in.find(b"\r\n.\r\n")
            if at >= 0:
                body, self._in = self._in[: at + 5], self._in[at + 5 :]
                break
            if self._in == b".\r\n":
                body, self._in = self._in, b""
                break
            chunk = self._sock.recv(65536)
            if not chunk:
                return False
            self._in += chunk
        if self._server.fails(self._server.drops, "BODY"):
            return False
        with self._server._lock:
            self._server.arrived += 1
        time.sleep(self._server.slow)
        if self._refuses("BODY"):
            return not self._server.too_many[1].startswith(b"421")
        # Some servers accept DATA first and report only then that there is no valid recipient.
        answer = (
            self._server.answer("BODY", b"250 taken") if recipient else b"554 no valid recipients"
        )
        if answer.startswith(b"2"):
            self._taken += 1
            message_id = re.search(rb"(?im)^Message-ID:\s*(\S+)", body)
            with self._server._lock:
                self._server.accepted.append(message_id[1].decode() if message_id else "")
                self._server.envelopes.append(recipient)
        if self._server.fails(self._server.drops, "ANSWER"):
            return False
        self._say(answer)
        return not answer.startswith(b"421")

    def _line(self) -> bytes | None:
        while b"\r\n" not in self._in:
            chunk = self._sock.recv(65536)
            if not chunk:
                return None
            self._in += chunk
        line, _, self._in = self._in.partition(b"\r\n")
        return line

    def _say(self, text: bytes) -> None:
        self._sock.sendall(text + b"\r\n")


@contextmanager
def running(**faults) -> Iterator[Faulty]:
    """Start such a server on a free port of loopback, and stop it at the end."""
    server = Faulty(**deepcopy(faults))
    listener = socket.create_server(("127.0.0.1", 0))
    server.port = listener.getsockname()[1]

    def listen() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=server.serve, args=(sock,), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield server
    finally:
        listener.close()
