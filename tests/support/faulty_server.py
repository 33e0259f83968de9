"""A mail server that fails as a test tells it to; what it accepted, it accepted, whatever became of its answer."""

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
    """What it offers, and how it fails.

    Attributes:
        pipelining: whether it says so.
        loses: that it throws away what comes together with a command it answers (a lie about
            PIPELINING).
        answers: an answer by command word (``RCPT``, ``BODY``, …), used up one by one; after that
            all is well.
        drops: hang up instead of answering: at a command word, so often.
        stalls: say nothing at a command word, so often.
        slow: seconds before each answer to a message.
    """

    pipelining: bool = True
    loses: bool = False
    answers: dict[str, list[bytes]] = field(default_factory=dict)
    drops: dict[str, int] = field(default_factory=dict)
    stalls: dict[str, int] = field(default_factory=dict)
    slow: float = 0.0
    port: int = 0
    accepted: list[str] = field(default_factory=list)
    envelopes: list[str] = field(default_factory=list)
    connections: int = 0
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

    def run(self) -> None:  # noqa: C901 - a server is a list of commands
        self._say(b"220 faulty.example.org ESMTP")
        recipient = ""
        while True:
            line = self._line()
            if line is None:
                return
            word = line[:4].upper().decode("ascii", "replace").strip()
            if self._server.fails(self._server.drops, word):
                return
            if self._server.fails(self._server.stalls, word):
                time.sleep(3)
                return
            if self._server.loses:
                self._in = b""
            if word == "EHLO":
                offered = b"250-PIPELINING\r\n" if self._server.pipelining else b""
                offered += b"250-AUTH PLAIN\r\n"
                self._say(b"250-faulty.example.org\r\n" + offered + b"250 8BITMIME")
            elif word == "RCPT":
                recipient = line.decode().partition("<")[2].partition(">")[0]
                said = self._server.answer("RCPT", b"250 ok")
                recipient = recipient if said.startswith(b"250") else ""
                self._say(said)
            elif word == "DATA":
                said = self._server.answer("DATA", b"354 go on")
                self._say(said)
                if said.startswith(b"354") and not self._message(recipient):
                    return
            elif word == "QUIT":
                self._say(b"221 bye")
                return
            else:
                said = self._server.answer(word, b"250 ok")
                self._say(said)
                if said.startswith(b"421"):
                    return

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
        time.sleep(self._server.slow)
        # Some servers ask for the message first, and say only then that there is nobody to get it.
        said = (
            self._server.answer("BODY", b"250 taken") if recipient else b"554 no valid recipients"
        )
        if said.startswith(b"250"):
            found = re.search(rb"(?im)^Message-ID:\s*(\S+)", body)
            with self._server._lock:
                self._server.accepted.append(found[1].decode() if found else "")
                self._server.envelopes.append(recipient)
        if self._server.fails(self._server.drops, "ANSWER"):
            return False
        self._say(said)
        return not said.startswith(b"421")

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
    """Such a server on a free port of the loopback interface."""
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
