"""The services of `deploy/compose.yaml` together: a sign-up reaches the mailbox and is confirmed.

Each runs as a process in network namespaces, without a container engine; see `composed.py`.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.support import composed, namespaces
from tests.support.composed import Deployment
from tests.support.forms import FORM
from tests.support.mail_sink import text_of

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

PASSWORD = "a made-up password: with a colon"
SETTINGS = """
public_url = "https://news.example.org"
secret_key = "only for this test, long enough"
suppression_key = "only for this test, long enough"
[sender]
name = "Example Society"
address = "digest@example.org"
postal_address = "1 Example Street, Exampletown"
[smtp]
host = "mail"
port = 2525
security = "none"
[watch]
allow_private_addresses = true
"""
REQUEST = """
import json, sys
from http.client import HTTPConnection
host, method, path, body, kind = json.loads(sys.argv[1])
connection = HTTPConnection(host, timeout=15)
named = {"Host": "news.example.org", "Content-Type": kind}
connection.request(method, path, body.encode(), named)
answer = connection.getresponse()
print(json.dumps([answer.status, answer.read().decode()]))
"""


class World:
    """The deployment, a mail server that keeps what it gets, and a visitor, both outside."""

    def __init__(self, made: Deployment) -> None:
        self.made = made
        self.mailbox = made.folder / "mailbox"
        for name in ("mail", "visitor"):
            made.nets.add(name, ["outside"])
        command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", "0.0.0.0:2525"]
        handler = ["-c", "aiosmtpd.handlers.Mailbox", str(self.mailbox)]
        self._sink = subprocess.Popen(self._within("mail", [*command, *handler]))

    def _within(self, name: str, command: list[str]) -> list[str]:
        return ["ip", "netns", "exec", self.made.nets.namespace(name), *command]

    def close(self) -> None:
        self._sink.kill()
        self._sink.wait()

    def request(self, method: str, path: str, body: str = "") -> tuple[int, str]:
        """Let the visitor ask the proxy."""
        proxy = self.made.nets.addresses["proxy", "outside"]
        question = json.dumps([proxy, method, path, body, FORM])
        command = self._within("visitor", [sys.executable, "-c", REQUEST, question])
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        status, text = json.loads(done.stdout)
        return status, text

    def reaches(self, name: str, network: str, port: int) -> bool:
        """Return whether the visitor can connect to a service."""
        address = self.made.nets.addresses[name, network]
        code = f"import socket; socket.create_connection(({address!r}, {port}), 2)"
        command = self._within("visitor", [sys.executable, "-c", code])
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def mail(self, number: int, seconds: float = 60) -> EmailMessage:
        """Wait for so many mails; return the last of them."""
        deadline = time.monotonic() + seconds
        while len(files := sorted(self.mailbox.glob("new/*"), key=_age)) < number:
            if time.monotonic() > deadline:
                logs = [each.log.read_text()[-2000:] for each in self.made.containers.values()]
                raise AssertionError(f"{len(files)} of {number} mails came\n" + "\n".join(logs))
            time.sleep(0.2)
        return message_from_bytes(files[number - 1].read_bytes(), policy=policy.default)


def _age(file: Path) -> int:
    return file.stat().st_mtime_ns


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Everything started, in the order of the file."""
    if why := namespaces.why_not():
        pytest.skip(f"THE DEPLOYMENT IS NOT TRIED: {why}")
    if composed.caddy() is None:
        pytest.skip("THE DEPLOYMENT IS NOT TRIED: CADDY CANNOT BE HAD HERE")
    folder = tmp_path_factory.mktemp("deployment")
    folder.chmod(0o755)
    secrets = folder / "secrets"
    secrets.mkdir()
    (secrets / "notifier.toml").write_text(SETTINGS)
    (secrets / "database_password").write_text(PASSWORD)
    escaped = PASSWORD.replace(":", "\\:")
    (secrets / "pgpass").write_text(f"postgres:5432:notifier:notifier:{escaped}\n")
    with composed.deployment(folder, {"SITE_ADDRESS": ":80"}) as made:
        outside = World(made)
        try:
            _start(made)
            yield outside
        finally:
            outside.close()


def _start(made: Deployment) -> None:
    made.start("postgres")
    once = made.start("web", ["init", "--no-poll"])
    assert once.process is not None
    assert once.process.wait(120) == 0, once.log.read_text()
    for name in composed.services():
        if name != "postgres":
            made.start(name)
    for name in composed.services():
        made.wait_healthy(name)


def test_a_sign_up_through_the_proxy_is_mailed_and_confirmed(world: World):
    person = "anna@example.org"
    fields = {"email": person, "consent": "yes", "every": "weekly", "edition": "patient"}
    status, text = world.request("GET", "/")
    assert status == 200, text
    status, text = world.request("POST", "/subscribe", urlencode(fields))
    assert status == 200, text

    mail = world.mail(1)
    assert mail["To"] == person
    link = re.search(r"https://news\.example\.org(/confirm/\S+)", text_of(mail))
    assert link, text_of(mail)
    assert world.request("GET", link[1])[0] == 200
    assert world.request("POST", link[1])[0] == 200
    assert world.mail(2)["To"] == person, "the welcome mail"

    assert not world.reaches("web", "front", 8000), "only the proxy is reached from outside"
    assert not world.reaches("postgres", "store", 5432)


def test_no_service_can_write_to_its_own_programs(world: World):
    for name, container in world.made.containers.items():
        done = container.run(["touch", "/opt/of-mine"])
        assert done.returncode != 0, name
        uid = container.run(["id", "-u"]).stdout.decode().strip()
        assert uid == container.user.partition(":")[0] != "0"
