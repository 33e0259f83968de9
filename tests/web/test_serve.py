"""The running server: the proxies that it trusts, what it logs, and how it stops."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from notifier.settings import Web
from notifier.store.models import SignupRequest
from tests.support.forms import FORM, sign_up
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import free_port
from tests.support.visitor import Client

# The log takes every line but those of SQLAlchemy, which show the values of each statement.
SERVE = """
import logging
import sys
from datetime import datetime
from notifier.deps import Deps
from notifier.settings import Settings
from notifier.store import db
from notifier.web.app import serve

logging.basicConfig(level=logging.DEBUG)
logging.getLogger("sqlalchemy").setLevel(logging.WARNING)
settings = Settings.model_validate_json(sys.stdin.read())
now = datetime.fromisoformat(sys.argv[1])
serve(Deps(settings, db.make_engine(settings.database_url), now), "127.0.0.1", int(sys.argv[2]))
"""


@contextmanager
def served(made: Installation) -> Iterator[tuple[Client, subprocess.Popen[str]]]:
    """Run `serve` in a process of its own, as `notifier serve` does."""
    deps, port = made.at(MONDAY), free_port()
    database = deps.engine.url.render_as_string(hide_password=False)
    settings = deps.settings.model_copy(update={"database_url": database})
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, MONDAY.isoformat(), str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(settings.model_dump_json())
        process.stdin.close()
        client = Client(f"http://127.0.0.1:{port}")
        _wait_until_served(client, process)
        yield client, process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _wait_until_served(client: Client, process: subprocess.Popen[str]) -> None:
    for _ in range(600):
        assert process.poll() is None
        try:
            client.get("/style.css")
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the server does not answer")


@pytest.mark.parametrize(
    ("trusted_proxies", "networks"),
    [
        pytest.param("127.0.0.1", 2, id="the proxy is trusted"),
        pytest.param("192.0.2.1", 1, id="another one is", marks=pytest.mark.long),
    ],
)
def test_only_a_trusted_proxy_states_the_address_of_a_visitor(
    installation: Installation, trusted_proxies: str, networks: int
):
    installation.change(web=Web(trusted_proxies=trusted_proxies))
    with served(installation) as (client, _):
        for network in ("198.51.100.7", "203.0.113.7"):
            assert sign_up(client, "anna@example.org", network).status_code == 200
    with installation.at(MONDAY).reading() as session:
        assert len({request.network for request in session.query(SignupRequest)}) == networks


def test_requests_are_not_logged_and_the_server_stops_when_it_is_told_to(
    installation: Installation,
):
    with served(installation) as (client, process):
        assert client.get("/unsubscribe/secret-link").status_code == 404
        answer = client.post("/preferences/secret-link", "email=anna%40example.org", FORM)
        assert answer.status_code == 404
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        assert process.stdout is not None
        output = process.stdout.read()
    assert process.returncode in (0, -signal.SIGTERM)
    for word in ("secret-link", "anna", "GET", "127.0.0.1"):
        assert word not in output
