"""No refusal repeats a secret of the settings, and no password is sent in plain text."""

import json
import re
import socketserver
import threading
from base64 import b64encode
from pathlib import Path
from urllib.parse import unquote

import pytest
from sqlalchemy import Engine

from notifier.cli.main import exit_code_of
from notifier.deliver.outbox import Attempt, Outcome, SendResult
from notifier.deliver.smtp.client import Transport
from notifier.deliver.smtp.protocol import OutgoingMessage
from notifier.errors import SettingsError, StoreError
from notifier.pipeline import poll
from notifier.pipeline.run import to_json
from notifier.settings import Smtp, Watch, load
from notifier.store import db
from notifier.watch import sources
from tests.support.command_line import call, forget_settings
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import free_port

CANARY = "cAnArY-7f3e"
KEY = "a suppression key of the tests"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, without settings from outside."""
    forget_settings(monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Wrong settings files with a secret in them, by what is wrong.
WRONG_FILES = {
    "a number instead of the key": "secret_key = {number}",
    "a list instead of the key": 'secret_key = ["{canary}"]',
    "a table instead of the key": 'secret_key = {{ value = "{canary}" }}',
    "a list of old keys": 'secret_key_previous = ["{canary}"]',
    "a table of suppression keys": 'suppression_key = {{ old = "{canary}" }}',
    "a number instead of the password": "[smtp]\npassword = {number}",
    "a list of passwords": '[smtp]\npassword = ["{canary}"]',
    "a password of two lines": '[smtp]\npassword = "{canary}\\nx"',
    "a user name of two lines": '[smtp]\nusername = "{canary}\\nx"',
    "the password as the whole section": 'smtp = "{canary}"',
    "the password in a list of sections": '[[smtp]]\npassword = "{canary}"',
    "a wrong neighbour of the password": '[smtp]\npassword = "{canary}"\nport = "{canary}"',
    "an unknown neighbour of the password": '[smtp]\npassword = "{canary}"\nprot = "{canary}"',
    "a misspelt key of the password": '[smtp]\npasword = "{canary}"',
    "the password in the security": '[smtp]\nsecurity = "{canary}"',
    "the password as a rate": '[smtp]\ndomain_rates = {{ "example.com" = "{canary}" }}',
    "the password as the time limit": '[smtp]\ntimeout_seconds = "{canary}"',
    "the password as yes or no": '[smtp]\nallow_plaintext_password = "{canary}"',
    "a proxy of another kind with a password":
        '[watch]\nproxy = "socks5://user:{canary}@proxy.example.org"',
    "a proxy with a wrong port":
        '[watch]\nproxy = "http://user:x@proxy.example.org:{canary}"',
    "a proxy with a wrong name":
        '[watch]\nproxy = "http://user:{canary}@proxy\u2100.example.org"',
    "a proxy with two lines": '[watch]\nproxy = "http://user:{canary}@proxy.example.org\\n/x"',
    "a public address with a wrong port": 'public_url = "https://news.example.org:{canary}"',
    "a proxy with half an address": '[watch]\nproxy = "http://user:{canary}@[::1"',
    "a proxy in a list": '[watch]\nproxy = ["http://user:{canary}@proxy.example.org"]',
    "a password in the public address": 'public_url = "https://user:{canary}@news.example.org"',
    "a token in the public address": 'public_url = "https://news.example.org/?token={canary}"',
    "a list of databases": 'database_url = ["postgresql://u:{canary}@db.example.org/x"]',
    "the sender's address": '[sender]\naddress = "{canary}"',
    "a name of two lines": '[sender]\nname = "{canary}\\nx"',
    "a list id": '[sender]\nlist_id = "{canary}"',
    "a time zone": '[schedule]\ntime_zone = "{canary}"',
    "a signing key in a text": '[dkim]\nalso = "{canary}"',
    "a signing domain": '[dkim]\ndomain = "{canary}"',
    "a selector":
        '[dkim]\ndomain = "example.org"\nprivate_key_file = "x.pem"\nselector = "{canary}_"',
    "a key file that is a list": '[dkim]\nprivate_key_file = ["{canary}"]',
    "an open text": 'secret_key = "{canary}',
    "a value without quotation marks": "[smtp]\npassword = {canary}",
    "a key twice": 'secret_key = "{canary}"\nsecret_key = "{canary}2"',
    "a section twice": '[smtp]\npassword = "{canary}"\n[smtp]\n',
    "a control character": 'secret_key = "{canary}\x01"',
    "a wrong escape": 'secret_key = "{canary}\\q"',
    "a number of five thousand digits": 'secret_key = "{canary}"\nx = ' + "1" * 5000,
    "a thousand brackets": 'secret_key = "{canary}"\nx = ' + "[" * 3000,
}  # fmt: skip


def refused(capsys: pytest.CaptureFixture, caplog: pytest.LogCaptureFixture, *args: str) -> str:
    """Return what a refused command prints and logs."""
    assert call(*args) == 2
    out, err = capsys.readouterr()
    return f"{out}{err}{caplog.text}"


@pytest.mark.parametrize("content", WRONG_FILES.values(), ids=WRONG_FILES.keys())
def test_a_wrong_settings_file_is_refused_without_its_secrets(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    caplog: pytest.LogCaptureFixture,
    content: str,
):
    if "suppression_key" not in content:
        monkeypatch.setenv("NOTIFIER_SUPPRESSION_KEY", KEY)
    number = "7359135781"
    (home / "notifier.toml").write_text(content.format(canary=CANARY, number=number))
    words = refused(capsys, caplog, "sources", "list")
    assert CANARY not in words
    assert number not in words
    assert "Traceback" not in words
    assert re.search(r"^Error: .+\n  .+", words), words


@pytest.mark.parametrize(
    "variable",
    [
        "SECRET_KEY__X", "SMTP", "SMTP__PORT", "SMTP__SECURITY", "SMTP__PASSWORT",
        "SMTP__DOMAIN_RATES", "SMTP__HOST__X", "SENDER", "SENDER__ADDRESS", "WATCH",
        "WATCH__PROXY", "WATCH__MAX_BYTES", "DKIM", "DKIM__ALSO", "PUBLIC_URL", "DATABASE_URL",
        "DATABASE_URL__X", "OPERATOR", "SCHEDULE__TIME_ZONE", "WEB", "WEB__PORT", "TEMPLATES",
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["{}", '["{}"]', '{{"password": "{}"}}', '{{"password": ["{}"]}}'])
def test_a_wrong_variable_is_refused_without_its_secret(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    caplog: pytest.LogCaptureFixture,
    variable: str,
    form: str,
):
    monkeypatch.setenv("NOTIFIER_SUPPRESSION_KEY", KEY)
    monkeypatch.setenv("NOTIFIER_SMTP__PASSWORD", CANARY)
    monkeypatch.setenv(f"NOTIFIER_{variable}", form.format(CANARY))
    if (variable, form[:2]) == ("SMTP", "{{"):
        monkeypatch.setenv("NOTIFIER_SMTP__PORT", "none")  # a section may be given whole
    assert CANARY not in refused(capsys, caplog, "sources", "list")


def test_no_error_of_the_settings_has_the_value_in_its_trace(home: Path):
    for content in WRONG_FILES.values():
        (home / "notifier.toml").write_text(content.format(canary=CANARY, number="7359135781"))
        with pytest.raises(SettingsError) as error:
            load(home / "notifier.toml", {})
        chain: BaseException | None = error.value
        while chain is not None:
            assert CANARY not in f"{chain} {chain.args}"
            chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)


@pytest.mark.parametrize(
    "url",
    [
        CANARY,
        f"mysql://user:{CANARY}@db.example.org/x",
        f"postgresql://user:{CANARY}@db.example.org:many/x",
        f"postgresql://user:x@{CANARY}@127.0.0.1:9/x",
        f"postgresql://user:{CANARY}@127.0.0.1:9/x",
        f"postgresql://user@127.0.0.1:9/x?password={CANARY}",
        f"postgresql://user@127.0.0.1:9/x?sslpassword={CANARY}",
        f"postgresql://user:{CANARY}@127.0.0.1:9/x?colour={CANARY}",
        f"postgresql://user:{CANARY}@127.0.0.1:9/x?sslmode=odd",
        f"postgresql://user:{CANARY}@name.invalid/x",
        f"postgresql+odd://user:{CANARY}@127.0.0.1/x",
        f"postgresql+asyncpg://user:{CANARY}@127.0.0.1/x",
        f"sqlite://user:{CANARY}@host/x.db",
        f"sqlite:///x.db?timeout={CANARY}",
        f"sqlite:///x.db?colour={CANARY}",
        f"sqlite+pysqlcipher://:{CANARY}@/x.db",
    ],
)
@pytest.mark.parametrize("command", [("sources", "list"), ("init", "--no-poll")])
def test_an_unusable_database_is_reported_without_its_password(
    home: Path,
    capsys: pytest.CaptureFixture,
    caplog: pytest.LogCaptureFixture,
    url: str,
    command: tuple[str, ...],
):
    (home / "notifier.toml").write_text(f'database_url = "{url}"\nsuppression_key = "{KEY}"\n')
    assert call(*command) in (1, 2)
    out, err = capsys.readouterr()
    assert CANARY not in f"{out}{err}{caplog.text}"
    assert "Traceback" not in err
    assert err.startswith(("Warning: every user", "Error: "))


def test_a_server_that_refuses_the_password_is_reported_without_it(engine: Engine):
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no passwords")
    wrong = engine.url.set(database=f"{engine.url.database}_none", password=CANARY)
    with pytest.raises(StoreError) as error:
        db.upgrade(db.make_engine(wrong.render_as_string(hide_password=False)))
    assert CANARY not in error.value.problem
    assert "cannot be used" in error.value.problem


@pytest.mark.parametrize(
    "host",
    [
        "mail.example.org",
        "10.0.0.5",
        "192.168.1.1",
        "::2",
        "localhost.example.org",
        "127.0.0.1.example.org",
        "128.0.0.1",
    ],
)
@pytest.mark.parametrize("where", ["file", "environment"])
def test_a_password_is_not_sent_in_plain_text(home: Path, host: str, where: str):
    content = f'[smtp]\nhost = "{host}"\nsecurity = "none"\nusername = "u"\n'
    given = {"NOTIFIER_SMTP__PASSWORD": CANARY} if where == "environment" else {}
    (home / "notifier.toml").write_text(content + ("" if given else f'password = "{CANARY}"\n'))
    with pytest.raises(SettingsError, match=r"could read smtp\.password") as error:
        load(home / "notifier.toml", given)
    assert "smtp.allow_plaintext_password" in error.value.fix
    assert "starttls" in error.value.fix
    assert exit_code_of(error.value) == 2
    assert CANARY not in f"{error.value.problem} {error.value.fix}"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1.2.3",
        "::1",
        "[::1]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "::ffff:127.0.0.1",
    ],
)
def test_a_password_may_be_sent_in_plain_text_to_this_machine(host: str):
    assert Smtp(host=host, security="none", username="u", password="x").password == "x"


def test_a_password_is_sent_in_plain_text_if_the_operator_allows_it():
    allowed = Smtp(
        host="mail.example.org", security="none", password="x", allow_plaintext_password=True
    )
    assert allowed.security == "none"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_password_over_an_encrypted_connection_needs_no_permission(security: str):
    assert (
        Smtp(host="mail.example.org", security=security, username="u", password="x").security
        == security
    )


def test_without_a_password_nothing_is_refused():
    assert Smtp(host="mail.example.org", security="none").password is None
    assert Smtp(host="mail.example.org", security="none", password="").password == ""


class RefusingProxy(socketserver.StreamRequestHandler):
    """A proxy that answers every request with a fixed text, HTTP or not."""

    answer = b""
    asked: list[bytes]

    def handle(self) -> None:
        while line := self.rfile.readline().strip():
            self.asked.append(line)
        self.wfile.write(self.answer)


@pytest.mark.parametrize("password", [CANARY, f"{CANARY}%40%2F%20x"])
@pytest.mark.parametrize(
    "url", ["https://herald.example.org/feed/", "http://herald.example.org/feed/"]
)
@pytest.mark.parametrize(
    "answer",
    [
        (
            b"HTTP/1.1 407 Proxy Authentication Required\r\n"
            b"Proxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"
        ),
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
        b"",
        b"nonsense\r\n\r\n",
        None,
    ],
    ids=["407", "502", "nothing", "nonsense", "no proxy there"],
)
def test_a_proxy_that_refuses_is_reported_without_its_password(
    installation: Installation,
    capsys: pytest.CaptureFixture,
    caplog: pytest.LogCaptureFixture,
    password: str,
    url: str,
    answer: bytes | None,
):
    asked: list[bytes] = []
    handler = type("Answering", (RefusingProxy,), {"answer": answer or b"", "asked": asked})
    with socketserver.TCPServer(("127.0.0.1", 0), handler) as proxy:
        port = proxy.server_address[1] if answer is not None else free_port()
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        installation.change(
            watch=Watch(proxy=f"http://user:{password}@127.0.0.1:{port}", timeout_seconds=2)
        )
        with installation.at(MONDAY).writing() as session:
            sources.add(session, url, MONDAY)
        try:
            results = poll.run(installation.at(MONDAY), [url], force=True)
        finally:
            proxy.shutdown()
            thread.join()
    assert results[0].error
    if answer is not None:
        log_in = b64encode(f"user:{unquote(password)}".encode())
        assert b"Proxy-Authorization: Basic " + log_in in asked
    words = json.dumps(to_json(results))
    assert CANARY not in f"{words}{capsys.readouterr()}{caplog.text}"


@pytest.mark.parametrize(
    "offer",
    [
        b"250 AUTH PLAIN LOGIN\r\n",
        b"250-AUTH PLAIN LOGIN\r\n250 XSTARTTLS\r\n",
        b"250-AUTH PLAIN\r\n250 STARTTL\r\n",
    ],
)
def test_a_server_whose_offer_of_starttls_was_removed_gets_no_password(offer: bytes):
    """An attacker on the way can remove the offer (RFC 3207, 6)."""
    said: list[bytes] = []

    class Stripped(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 mail.example.org\r\n")
            while line := self.rfile.readline():
                said.append(line)
                self.wfile.write(
                    b"250-mail.example.org\r\n" + offer
                    if line[:4].upper() == b"EHLO"
                    else b"221 bye\r\n"
                )

    outcomes: list[Outcome] = []
    with socketserver.TCPServer(("127.0.0.1", 0), Stripped) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        smtp = Smtp(
            port=server.server_address[1],
            username="u",
            password=CANARY,
            timeout_seconds=5,
            connections=1,
        )
        transport = Transport(smtp)
        parcel = OutgoingMessage(
            Attempt(1, "claim"),
            "digest@example.org",
            "anna@example.org",
            lambda: b"Subject: x\r\n\r\nx\r\n",
        )
        problem = transport.send([parcel], outcomes.extend)
        transport.close()
        server.shutdown()
        thread.join()
    assert "STARTTLS" in problem
    assert CANARY not in problem
    assert [outcome.answer for outcome in outcomes] == [SendResult.NOT_TRIED]
    assert not [line for line in said if line.upper().startswith((b"AUTH", b"MAIL", b"DATA"))]
