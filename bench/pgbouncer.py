"""Try what works through PgBouncer in transaction mode, with our own PostgreSQL behind it.

    python bench/pgbouncer.py

In this mode a client has a connection to the server only for a transaction, so whatever a session
keeps is lost: prepared statements (before PgBouncer 1.21), locks of a session, LISTEN. Each figure
is 1 if it works and 0 if it does not, with the error as its note. Two server connections are shared
by all clients, so that they do change hands.
"""

import os
import pwd
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import psycopg
from sqlalchemy.engine import make_url

from bench import figures, peers
from bench.figures import Figure, missing
from tests.support import postgres
from tests.support.mail_sink import free_port

ROOT = Path(__file__).parents[1]
SETTINGS = """[databases]
* = host={host} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
ignore_startup_parameters = extra_float_digits
logfile = {folder}/log
"""


class NotWorkingError(Exception):
    """Something is lost between two transactions; the text says what."""


@contextmanager
def bouncer(program: str, server: str) -> Iterator[str]:
    """Start PgBouncer before a server; give the address of its databases, to be completed."""
    with tempfile.TemporaryDirectory(prefix="pgb") as name:
        folder, port = Path(name), free_port()
        host = make_url(server).query.get("host") or make_url(server).host
        file = folder / "pgbouncer.ini"
        file.write_text(SETTINGS.format(host=host, port=port, folder=folder))
        user = _user(Path(str(host)))
        if user:
            os.chown(folder, user["user"], -1)
        with subprocess.Popen([program, "-q", str(file)], stderr=subprocess.DEVNULL, **user) as run:
            _wait_for(port)
            try:
                yield f"postgresql://postgres@127.0.0.1:{port}/"
            finally:
                run.kill()


def _user(host: Path) -> dict[str, Any]:
    """Return the user to run as if root runs this: the server's own, who may reach its socket."""
    if os.geteuid() != 0:
        return {}
    owner = host.stat().st_uid if host.is_dir() else pwd.getpwnam("nobody").pw_uid
    return {"user": owner, "extra_groups": []}


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise NotWorkingError("PgBouncer does not start")


def prepared(url: str, threshold: int | None) -> None:
    """Repeat one statement over four clients, until psycopg would prepare it."""
    with ExitStack() as stack:
        clients = [
            stack.enter_context(psycopg.connect(url, prepare_threshold=threshold, autocommit=True))
            for _ in range(4)
        ]
        for number in range(15):
            for client in clients:
                client.execute("SELECT %s::int + 1", (number,))
                with client.transaction():
                    client.execute("SELECT %s::int + 2", (number,))


def locks_of_a_transaction(url: str) -> None:
    """Take a lock that ends with the transaction; another client must not get it meanwhile."""
    with _client(url) as one, _client(url) as other:
        with one.transaction():
            one.execute("SELECT pg_advisory_xact_lock(7)")
            if _value(other, "SELECT pg_try_advisory_xact_lock(7)"):
                raise NotWorkingError("two clients held one lock")
        if not _value(other, "SELECT pg_try_advisory_xact_lock(7)"):
            raise NotWorkingError("the lock outlived its transaction")


def locks_of_a_session(url: str) -> None:
    """Take a lock that ends with the session, and ask for it from another client."""
    with _client(url) as one, _client(url) as other:
        one.execute("SELECT pg_advisory_lock(8)")
        if _value(other, "SELECT pg_try_advisory_lock(8)"):
            raise NotWorkingError("two clients held one lock")


def rows_that_others_hold(url: str) -> None:
    """Skip rows that another client has locked."""
    with _client(url) as one, _client(url) as other, one.transaction():
        one.execute("SELECT 1 FROM tried WHERE id = 1 FOR UPDATE")
        with other.transaction():
            rows = other.execute("SELECT id FROM tried ORDER BY id FOR UPDATE SKIP LOCKED")
            if [row[0] for row in rows] != [2]:
                raise NotWorkingError("a locked row was given to another client")


def listening(url: str) -> None:
    """Listen on one client and notify from another."""
    with _client(url) as one, _client(url) as other:
        one.execute("LISTEN tried")
        with other.transaction():  # keeps the server connection of the first one busy
            other.execute("SELECT 1")
        other.execute("NOTIFY tried")
        if not list(one.notifies(timeout=3, stop_after=1)):
            raise NotWorkingError("a notification did not come within 3 s")


DAEMON = """
import sys
from datetime import UTC, datetime
from notifier.deps import Deps
from notifier.pipeline.run import run_once
from notifier.settings import load

settings = load(None)
from notifier.store import db
deps = Deps(settings, db.make_engine(settings.database_url))
db.upgrade(deps.engine)
for _ in range(8):
    report = run_once(deps)
    if report.problems:
        sys.exit("; ".join(report.problems))
"""


def commands(url: str) -> None:
    """Make the tables, and let two daemons run all steps eight times: psycopg prepares after five.

    There is nothing to poll, so that the runs are quick and need no network.
    """
    with _client(url.partition("?")[0]) as client:
        client.execute("DROP TABLE IF EXISTS tried")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "NOTIFIER_DATABASE_URL": url,
        "NOTIFIER_SECRET_KEY": "only for this measurement",
        "NOTIFIER_SUPPRESSION_KEY": "only for this measurement",
        "NOTIFIER_SENDER__ADDRESS": "digest@example.org",
        "NOTIFIER_SENDER__POSTAL_ADDRESS": "1 Example Street",
    }
    with tempfile.TemporaryDirectory() as folder:
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", DAEMON],
                cwd=folder,
                env=environment,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        endings = [process.communicate(timeout=120)[1] for process in processes]
    for process, said in zip(processes, endings, strict=True):
        if process.returncode or "prepared statement" in said:
            raise NotWorkingError(said.strip().splitlines()[-1])


def _client(url: str) -> psycopg.Connection:
    return psycopg.connect(url, autocommit=True, prepare_threshold=None)


def _value(client: psycopg.Connection, query: str) -> object:
    row = client.execute(query).fetchone()
    return row and row[0]


def tried(name: str, attempt: Callable[[], None]) -> Figure:
    """Return 1 or 0, and why it is 0."""
    try:
        attempt()
    except (NotWorkingError, psycopg.Error) as error:
        words = str(error).strip().splitlines()[0]
        return Figure(f"PgBouncer: {name}", unit="works", ours=0.0, note=words)
    return Figure(f"PgBouncer: {name}", unit="works", ours=1.0)


def measure(url: str) -> list[Figure]:
    """Try everything through a URL of PgBouncer."""
    with _client(url) as client:
        client.execute("CREATE TABLE tried (id int)")
        client.execute("INSERT INTO tried VALUES (1), (2)")
    attempts: dict[str, Callable[[], None]] = {
        "rows that others hold are skipped (claims)": lambda: rows_that_others_hold(url),
        "advisory locks of a transaction (schema, turns)": lambda: locks_of_a_transaction(url),
        "advisory locks of a session (not used by notifier)": lambda: locks_of_a_session(url),
        "prepared statements, as psycopg makes them by default": lambda: prepared(url, 5),
        "without prepared statements": lambda: prepared(url, None),
        "LISTEN, by which a job wakes a worker at once": lambda: listening(url),
        "two daemons of notifier as they are": lambda: commands(url),
        "two daemons with prepare_threshold=none in database_url": lambda: commands(
            f"{url}?prepare_threshold=none"
        ),
    }
    return [tried(name, attempt) for name, attempt in attempts.items()]


def main() -> None:
    """Start both servers, try, and print the figures."""
    with ExitStack() as stack:
        try:
            program = peers.pgbouncer()
            server = stack.enter_context(postgres.server())
        except (peers.MissingPeerError, postgres.NoPostgresError) as error:
            figures.show([missing("PgBouncer", str(error))])
            return
        database = make_url(stack.enter_context(postgres.database(server))).database
        figures.show(measure(stack.enter_context(bouncer(program, server)) + str(database)))


if __name__ == "__main__":
    main()
