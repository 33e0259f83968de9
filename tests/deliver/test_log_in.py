"""The log-in: user name and password go out in UTF-8, by each method that a server may offer."""

import base64
import hashlib
import hmac
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pydantic import ValidationError

from notifier.deliver.smtp.connection import ServerDownError, Step, close_politely, connect
from notifier.settings import Smtp

CHALLENGE = b"<1896.697170952@mx.example.org>"


class Server:
    """A server that offers the methods that it is given, and keeps the credentials it gets."""

    def __init__(self, methods: str, password: str) -> None:
        self.methods, self.password, self.got = methods, password, []
        self.hangs_up = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def talk(self) -> None:
        sock, _ = self._listener.accept()
        self._listener.close()
        with sock, sock.makefile("rwb") as lines:

            def say(text: bytes) -> None:
                lines.write(text + b"\r\n")
                lines.flush()

            def ask(prompt: bytes) -> bytes:
                say(b"334 " + base64.b64encode(prompt))
                return base64.b64decode(lines.readline())

            say(b"220 mx.example.org")
            for line in lines:
                word, _, rest = line.decode().strip().partition(" ")
                if word.upper() == "EHLO":
                    say(b"250-mx.example.org")
                    say(f"250 AUTH {self.methods}".encode() if self.methods else b"250 8BITMIME")
                elif word.upper() == "AUTH":
                    answer = self._log_in(rest, ask)
                    say(answer)
                    if self.hangs_up and answer.startswith(b"5"):
                        return
                else:
                    say(b"221 bye")
                    return

    def _log_in(self, rest: str, ask) -> bytes:
        method, _, first = rest.partition(" ")
        if method == "PLAIN":
            _, user, given = base64.b64decode(first).split(b"\0")
        elif method == "LOGIN":
            user, given = ask(b"Username:"), ask(b"Password:")
        else:
            user, _, digest = ask(CHALLENGE).partition(b" ")
            good = hmac.new(self.password.encode(), CHALLENGE, hashlib.md5).hexdigest()
            given = self.password.encode() if digest == good.encode() else b"wrong"
        self.got.append((method, user.decode(), given.decode()))
        if given.decode() == self.password:
            return b"235 2.7.0 welcome"
        return b"535 5.7.8 wrong: " + base64.b64encode(given)


@contextmanager
def serving(methods: str, password: str) -> Iterator[Server]:
    server = Server(methods, password)
    thread = threading.Thread(target=server.talk, daemon=True)
    thread.start()
    yield server
    thread.join(5)


def smtp(server: Server, username: str, password: str) -> Smtp:
    return Smtp(
        port=server.port, security="none", username=username, password=password, timeout_seconds=5
    )


@pytest.mark.parametrize("method", ["PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("digest", "plain-Password1"),
        ("digest", "Grüße-€-ß"),
        ("büro@münchen.example", "pass word with spaces"),
        ("дайджест", "пароль-7"),
        ("ニュース", "秘密の言葉"),
        ("digest", "🔑 key"),
    ],
)
def test_user_name_and_password_arrive_as_they_are_set(method: str, username: str, password: str):
    with serving(method, password) as server:
        close_politely(connect(smtp(server, username, password)))
    assert server.got == [(method, username, password)]


def test_the_next_method_is_tried_when_one_is_refused():
    with serving("CRAM-MD5 PLAIN", "gut-ä") as server:
        server.password = "gut-ä"
        close_politely(connect(smtp(server, "digest", "gut-ä")))
    assert server.got[-1][2] == "gut-ä"


def test_a_refused_log_in_names_the_settings_and_shows_no_password():
    with serving("PLAIN LOGIN", "right-pass") as server, pytest.raises(ServerDownError) as raised:
        connect(smtp(server, "digest", "wröng-pass-1"))
    assert "smtp.username" in str(raised.value)
    encoded = base64.b64encode("wröng-pass-1".encode()).decode()
    assert "wröng-pass-1" not in str(raised.value)
    assert encoded not in str(raised.value)
    assert len(server.got) == 2


@pytest.mark.parametrize("methods", ["PLAIN", "PLAIN LOGIN", "CRAM-MD5 PLAIN LOGIN"])
def test_a_refused_log_in_is_told_where_the_server_hangs_up_after_it(methods: str):
    with serving(methods, "right-pass") as server:
        server.hangs_up = True
        with pytest.raises(ServerDownError, match="refuses the log-in: 535") as raised:
            connect(smtp(server, "digest", "wrong-pass-1"))
    assert raised.value.step is Step.LOG_IN
    assert "Check smtp.username and smtp.password." in str(raised.value)


@pytest.mark.parametrize("methods", ["", "GSSAPI NTLM"])
def test_a_server_without_a_known_log_in_is_reported(methods: str):
    refusal = pytest.raises(ServerDownError, match=r"remove smtp\.username")
    with serving(methods, "x") as server, refusal:
        connect(smtp(server, "digest", "x"))


@pytest.mark.parametrize("secret", ["two\nlines", "nul\x00", "line\u2028end", "\ud800"])
def test_a_password_with_control_characters_is_refused(secret: str):
    with pytest.raises(ValidationError, match="without control characters"):
        Smtp(password=secret)
