"""Measure how long a confirmation takes while `notifier run --once` sends a long digest.

    python bench/confirmations.py [--people N] [--signups N] [--databases sqlite postgresql]

Two processes of one installation: `notifier run --once` delivers a digest of 10 KB to a sink that
takes every mail at once, without a rate limit and with the default settings; meanwhile people sign
up through the form of `notifier serve`. Counted are the seconds from sending the form until the
mail server has taken the confirmation. Goal: 2 seconds for each of them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlalchemy import update

from bench.delivery import database, installation
from bench.figures import Figure, alone, missing, show
from bench.workers import Sink, sink
from notifier.store.models import Source
from tests.support import postgres
from tests.support.installation import SUPPRESSION_KEY
from tests.support.mail_sink import free_port

FOLDER = Path(__file__).parents[1]
SIZE = 10_000


def environment(url: str, smtp_port: int, web_port: int) -> dict[str, str]:
    """Return the settings of both processes."""
    settings = {
        "DATABASE_URL": url,
        "PUBLIC_URL": f"http://127.0.0.1:{web_port}",
        "SECRET_KEY": "a key that only the measurement knows",
        "SUPPRESSION_KEY": SUPPRESSION_KEY,
        "SENDER__ADDRESS": "digest@example.org",
        "SENDER__POSTAL_ADDRESS": "1 Example Street",
        "SMTP__PORT": str(smtp_port),
        "SMTP__SECURITY": "none",
        "WEB__PORT": str(web_port),
    }
    ours = {f"NOTIFIER_{name}": value for name, value in settings.items()}
    return {**os.environ, **ours, "PYTHONPATH": str(FOLDER)}


@contextmanager
def running(folder: str, settings: dict[str, str], *command: str) -> Iterator[subprocess.Popen]:
    """Run a command of notifier, and end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "notifier", *command],
        env=settings,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def wait_for(condition, seconds: float = 300) -> None:
    """Wait until something is true."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise SystemExit(f"It took longer than {seconds:.0f} seconds.")
        time.sleep(0.005)


def answers(url: str) -> bool:
    """Return whether a web server is there."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def sign_up(url: str, email: str) -> None:
    """Send the form."""
    fields = {"email": email, "cadence": "weekly", "consent": "yes"}
    body = urllib.parse.urlencode(fields).encode()
    with urllib.request.urlopen(f"{url}/subscribe", body, timeout=60):
        pass


def is_taken(server: Sink, email: str) -> bool:
    """Return whether the mail server has a mail for an address."""
    return any(to == email for _, to in reversed(server.accepted[-20_000:]))


def prepare(url: str, smtp_port: int, people: int) -> None:
    """Fill the database with due mails, and let no source be polled."""
    deps = replace(installation(url, smtp_port, people, SIZE), fixed_now=None)
    with deps.writing() as session:
        session.execute(update(Source).values(next_poll_at=deps.now() + timedelta(minutes=30)))
    deps.engine.dispose()


def measure(kind: str, url: str, people: int, signups: int) -> Figure:
    """Let people sign up while the digest goes out; return the longest wait."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        server = stack.enter_context(sink())
        prepare(url, server.port, people)
        web_port = free_port()
        settings = environment(url, server.port, web_port)
        page = settings["NOTIFIER_PUBLIC_URL"]
        stack.enter_context(running(folder, settings, "serve"))
        wait_for(lambda: answers(page))
        process = stack.enter_context(running(folder, settings, "run", "--once"))
        wait_for(lambda: len(server.accepted) > 100)
        waits: list[float] = []
        for number in range(signups):
            email = f"new{number}@example.org"
            began = time.monotonic()
            sign_up(page, email)
            wait_for(lambda email=email: is_taken(server, email) or process.poll() is not None, 60)
            if not is_taken(server, email):
                break  # the digest was sent before somebody asked
            waits.append(time.monotonic() - began)
        sent = len(server.accepted)
    note = f"{len(waits)} sign-ups; {sent:,} mails were sent when the last one was taken; "
    note += f"load {os.getloadavg()[0]:.0f}."
    if not waits:
        return missing(f"P12 run, {kind}", "The digest was sent before anybody signed up.")
    name = f"P12 run: a confirmation while {people:,} digests go out, {kind}, worst of {signups}"
    return alone(name, [max(waits)], goal="ours <= 2", unit="s", note=note)


def main() -> None:
    """Measure, and print the figures."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--people", type=int, default=200_000)
    options.add_argument("--signups", type=int, default=5)
    options.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    arguments = options.parse_args()
    found = []
    for kind in arguments.databases:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            server = stack.enter_context(postgres.server()) if kind == "postgresql" else None
            url = stack.enter_context(database(folder, server))
            found.append(measure(kind, url, arguments.people, arguments.signups))
    show(found)


if __name__ == "__main__":
    main()
