"""A mail server on loopback that says what a test lets it say: extensions, TLS, log-in, answers."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO


@dataclass
class Talker:
    """The server's abilities, and what it was told.

    Attributes:
        certificate: a file for STARTTLS; None to offer none.
        offers: its extensions besides STARTTLS.
        greeting: its first line; empty for a server that says nothing.
        log_in: the answer to AUTH.
        answers: answers to RCPT and MAIL by a part of the command.
        commands: the commands that it got.
        mails: the mails that it took.
    """

    certificate: Path | None = None
    offers: list[str] = field(
        default_factory=lambda: ["PIPELINING", "SIZE 10000000", "8BITMIME", "AUTH PLAIN"]
    )
    greeting: str = "220 mail.example.org ESMTP"
    log_in: str = "235 welcome"
    answers: dict[str, str] = field(default_factory=dict)
    port: int = 0
    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)

    def talk(self, sock: socket.socket, *, encrypted: bool = False) -> None:
        """Answer one client until it leaves."""
        with sock, sock.makefile("rwb") as stream:
            starts_tls = self._answer_all(stream, encrypted=encrypted)
            if not starts_tls:
                return
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(str(self.certificate))
            wrapped = context.wrap_socket(sock, server_side=True)
        self.talk(wrapped, encrypted=True)

    def _answer_all(self, stream: BinaryIO, *, encrypted: bool) -> bool:
        """Answer commands; return whether the client starts TLS, and does not leave."""

        def say(*lines: str) -> None:
            for line in lines[:-1]:
                stream.write(f"{line[:3]}-{line[4:]}\r\n".encode())
            stream.write(f"{lines[-1]}\r\n".encode())
            stream.flush()

        if not encrypted and self.greeting:
            say(self.greeting)
        refused = False
        while line := stream.readline():
            text = line.decode("utf-8", "replace").strip()
            word = text[:4].upper()
            self.commands.append(text)
            if word == "EHLO":
                offers = list(self.offers)
                if self.certificate and not encrypted:
                    offers.append("STARTTLS")
                say("250 mail.example.org", *(f"250 {offer}" for offer in offers))
            elif word == "STAR":
                say("220 go on")
                return True
            elif word == "DATA" and refused:
                say("554 no valid recipients")
            elif word == "DATA":
                say("354 go on")
                body = b""
                while not body.endswith(b"\r\n.\r\n"):
                    body += stream.readline()
                self.mails.append(body.removesuffix(b".\r\n"))
                say("250 taken")
            elif word == "QUIT":
                say("221 bye")
                return False
            else:
                answer = self._answer(word, text)
                refused = not answer.startswith("2") if word == "RCPT" else refused
                say(answer)
        return False

    def _answer(self, word: str, text: str) -> str:
        if word == "AUTH":
            return self.log_in
        refusals = (answer for part, answer in self.answers.items() if part in text)
        return next(refusals, "250 ok") if word in ("RCPT", "MAIL") else "250 ok"


@contextmanager
def running(certificate: Path | None = None) -> Iterator[Talker]:
    """Start such a server on a free port, and stop it at the end."""
    talker = Talker(certificate)
    listener = socket.create_server(("127.0.0.1", 0))
    talker.port = listener.getsockname()[1]

    def serve(sock: socket.socket) -> None:
        with suppress(OSError, ValueError):
            talker.talk(sock)

    def listen() -> None:
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                threading.Thread(target=serve, args=(sock,), daemon=True).start()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield talker
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
