"""Measure the cost of a delivery on the whole path, beside other senders, as ratios in one run.

    python bench/delivery.py [--people N] [--rounds N] [--sizes 40000 10000] [--postgresql]
    python bench/delivery.py --flatness 1000 10000 100000

The whole path: a delivery is claimed from the database, its links are signed, its message is joined
and sent, and its acceptance is committed before the connection's next message is handed over (the
disk is waited for every 50 ms). Other senders to the same sink: Postfix's smtp-source (the
yardstick), smtplib with a message built for each recipient, aiosmtplib, rss2email and Mailman 3;
they send fewer mails. dkimpy signs and sends nothing, and bare signatures show what signing costs
at the least. Sizes are those of whole messages.

--flatness delivers to lists of these lengths, each in its own process, and measures its memory.
Goals: at least 0.9 × smtp-source at 40 KB, 0.85 × at 10 KB; with DKIM 0.4 × (RSA-2048) and 0.75 ×
(Ed25519); 10 × rss2email, 50 × Mailman's personalised delivery.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import figures, peers, senders
from bench.figures import Figure, alone, alternate, compared, missing
from notifier.admin.profile_import import import_profile
from notifier.deliver import outbox
from notifier.deliver.mime import dkim_keys
from notifier.deps import Deps
from notifier.enums import (
    Cadence,
    DeliveryKind,
    DeliveryStatus,
    DigestStatus,
    Edition,
    SubscriptionStatus,
)
from notifier.match import profiles
from notifier.messages import digest_mail
from notifier.store import db, keys
from notifier.store.models import Delivery, Digest, Profile
from notifier.subscribers import bulk
from tests.support import postgres
from tests.support.installation import settings_for

NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)
CONNECTIONS = 32
DEFAULT = 0  # as many connections as the settings have by default
# Goals by size of the mail; a size without goals stands for itself.
PLAIN_GOALS = {40_000: "ratio >= 0.9", 10_000: "ratio >= 0.85"}
SIGNED_GOALS = {"ed25519": "ratio >= 0.75", "rsa": "ratio >= 0.4"}
KEYS = {"ed25519": "Ed25519", "rsa": "RSA-2048"}


def tool(_folder: str | None, name: str) -> str:
    """Return the path of a program of Postfix."""
    return peers.postfix(name)


@contextmanager
def sink(program: str) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    running = subprocess.Popen(
        [program, *user, f"127.0.0.1:{port}", "100"], stderr=subprocess.DEVNULL
    )
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.05)
    try:
        yield port
    finally:
        running.terminate()
        running.wait()


def installation(url: str, port: int, people: int, size: int) -> Deps:
    """Fill an empty database with a due mail of `size` bytes, headers included, for each person."""
    with tempfile.TemporaryDirectory() as name:
        least, some = (_size_of_a_mail(f"sqlite:///{name}/{body}.db", body) for body in (0, 6000))
    body = round((size - least) * 6000 / (some - least))
    return _installation(url, port, people, body)


def _size_of_a_mail(url: str, body: int) -> int:
    deps = _installation(url, 25, 1, body)
    with deps.writing() as session:
        (claimed,) = outbox.claim_due(session, NOW, outbox.ClaimOptions(1))
        return len(digest_mail.MessageBuilder(deps).outgoing(session, claimed, NOW).message())


def _installation(url: str, port: int, people: int, body: int) -> Deps:
    settings = settings_for(port)
    engine = db.make_engine(url)
    db.upgrade(engine)
    keys.adopt(engine, settings.suppression_key)
    deps = Deps(settings, engine, NOW)
    with deps.writing() as session:
        import_profile(session, profiles.parse(profiles.bundled_file(), "the bundled profile"), NOW)
        profile = session.query(Profile).one()
        digest = Digest(
            profile_id=profile.id,
            cadence=Cadence.DAILY,
            edition=Edition.PATIENT,
            language="en",
            group_key="bench",
            window="bench",
            status=DigestStatus.APPROVED,
            subject="Your daily digest: 12 items",
            headline="12 items in this digest",
            body_html=f"<tr><td>{'<p>Nothing of it is true.</p>' * (body // 2 // 30)}</td></tr>",
            body_text="Nothing of it is true.\n" * (body // 2 // 23),
            composed_at=NOW,
        )
        session.add(digest)
        session.flush()
        for start in range(0, people, 10_000):
            _enqueue(session, profile.id, digest.id, range(start, min(start + 10_000, people)))
        _count_on(session)
    return deps


def _count_on(session) -> None:
    """Let PostgreSQL number new rows after those that were stored with numbers."""
    from sqlalchemy import text

    if session.get_bind().dialect.name == "postgresql":
        for table in ("subscriber", "subscription"):
            sequence = f"pg_get_serial_sequence('{table}', 'id')"
            session.execute(text(f"SELECT setval({sequence}, max(id)) FROM {table}"))


def _enqueue(session, profile_id: int, digest_id: int, numbers: range) -> None:
    from sqlalchemy import insert

    bulk.insert_subscribers(
        session,
        [
            {
                "id": n + 1,
                "email": f"person{n}@example.com",
                "address_hash": f"{n:064x}",
                "language": "en",
                "time_zone": "UTC",
                "created_at": NOW,
            }
            for n in numbers
        ],
    )
    common = {"profile_id": profile_id, "cadence": Cadence.DAILY, "at": "08:00", "on": None}
    common |= {
        "edition": Edition.PATIENT,
        "status": SubscriptionStatus.CONFIRMED,
        "position": 0,
        "seen_snapshot": "",
    }
    common |= {"hidden": [], "urgent": False, "created_at": NOW}
    bulk.insert_subscriptions(
        session,
        [
            {**common, "id": n + 1, "subscriber_id": n + 1, "link_id": f"link{n:018}"}
            for n in numbers
        ],
    )
    delivery = {
        "kind": DeliveryKind.DIGEST,
        "digest_id": digest_id,
        "status": DeliveryStatus.PENDING,
        "attempts": 0,
    }
    delivery |= {"created_at": NOW, "due_at": NOW, "next_attempt_at": NOW, "given_up_at": NOW}
    rows = [
        {**delivery, "subscription_id": n + 1, "message_id": f"<{n:032x}@example.org>"}
        for n in numbers
    ]
    session.execute(insert(Delivery), rows)


@contextmanager
def database(folder: Path, server: str | None) -> Iterator[str]:
    """Give the URL of an empty database: a file, or on a PostgreSQL server."""
    if server is None:
        yield f"sqlite:///{folder / 'bench.db'}"
    else:
        with postgres.database(server) as url:
            yield url


class Sending:
    """What all runs of this file share: the sink, and the kind of database."""

    def __init__(self, people: int, server: str | None) -> None:
        self.people, self.server = people, server
        self.source, self.sink_program = tool(None, "smtp-source"), tool(None, "smtp-sink")

    def sink(self):
        """Return a new sink, a context that gives its port."""
        return sink(self.sink_program)

    def whole_path(self, size: int, connections: int, key: str = "") -> dict[str, float]:
        """Deliver from a process of its own; return what it says of its cost."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            port = stack.enter_context(self.sink())
            url = stack.enter_context(database(folder, self.server))
            installation(url, port, self.people, size).engine.dispose()
            arguments = [url, str(port), str(connections)]
            if key:
                (folder / "key.pem").write_bytes(dkim_keys.new_key(key))
                arguments.append(str(folder / "key.pem"))
            ours = Path(__file__).with_name("delivering.py")
            command = [sys.executable, str(ours), *arguments]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
            stored = _stored_bytes(url)
        result = {**json.loads(done.stdout), "stored": stored}
        assert result["accepted"] == self.people, result
        return result

    def rate(self, size: int, connections: int, key: str = "") -> float:
        """Return the mails per second of the whole path."""
        return self.people / self.whole_path(size, connections, key)["seconds"]


def _stored_bytes(url: str) -> int:
    """Return the size of a database on disk, with its indexes."""
    engine = db.make_engine(url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            size = Path(str(engine.url.database)).stat().st_size
        else:
            query = "SELECT pg_database_size(current_database())"
            size = connection.exec_driver_sql(query).scalar_one()
    engine.dispose()
    return size


def signatures(key: str, times: int = 2_000) -> float:
    """Return the bare signatures per second of one core, of a hash and nothing else."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding

    private = serialization.load_pem_private_key(dkim_keys.new_key(key), None)
    scheme = (padding.PKCS1v15(), hashes.SHA256()) if key == "rsa" else ()
    took = figures.seconds(lambda: [private.sign(b"x" * 600, *scheme) for _ in range(times)])
    return times / took


Case = Callable[[], float]


def our_cases(sending: Sending, size: int) -> dict[str, Case]:
    """Return the runs of notifier and of the yardstick."""
    cases: dict[str, Case] = {
        "smtp-source": lambda: senders.smtp_source(
            sending.source, sending.sink(), sending.people, size
        ),
        "default settings": lambda: sending.rate(size, DEFAULT),
        f"{CONNECTIONS} connections": lambda: sending.rate(size, CONNECTIONS),
    }
    for key, name in KEYS.items():
        cases[name] = lambda key=key: sending.rate(size, DEFAULT, key)
        cases[f"bare {name}"] = lambda key=key: signatures(key)
    return cases


def other_cases(
    sending: Sending, size: int, folder: Path
) -> tuple[dict[str, Case], dict[str, str]]:
    """Return the runs of other programs, and why some are missing."""
    few = max(sending.people // 40, 100)
    key = folder / "rsa.pem"
    key.write_bytes(dkim_keys.new_key("rsa"))
    runs: dict[str, Callable[[peers.Peer], float]] = {
        "aiosmtplib": lambda peer: senders.with_aiosmtplib(peer.python, sending.sink(), few, size),
        "rss2email": lambda peer: senders.with_rss2email(
            peer.program("r2e"), sending.sink(), few, size
        ),
        "mailman": lambda peer: senders.with_mailman(peer.python, sending.sink(), few, size),
        "dkimpy": lambda peer: senders.with_dkimpy(peer.python, key, few, size),
    }
    cases: dict[str, Case] = {"smtplib": lambda: senders.plain_smtplib(sending.sink(), few, size)}
    lacking = {}
    for name, run in runs.items():
        try:
            peer = peers.installed(name)
        except peers.MissingPeerError as error:
            lacking[name] = str(error)
        else:
            cases[name] = lambda run=run, peer=peer: run(peer)
    return cases, lacking


class Labels:
    """The names of the figures of one size and one kind of database."""

    def __init__(self, size: int, postgresql: bool) -> None:
        self.size = size
        self.ending = f", {size // 1000} KB{', PostgreSQL' if postgresql else ''}"
        self.at = {
            "size": f"{size // 1000} KB",
            "database": "PostgreSQL" if postgresql else "SQLite",
        }

    def compared(self, name: str, ours: list[float], base: list[float], **more) -> Figure:
        """Return a figure in mails a second."""
        return compared(f"{name}{self.ending}", ours, base, unit="mails/s", at=self.at, **more)


def beside_the_yardstick(rates: dict[str, list[float]], labels: Labels) -> list[Figure]:
    """Return the figures of P1 and P2: ratios to smtp-source."""
    source = {"base": rates["smtp-source"], "against": "smtp-source"}
    plain = {"goal": PLAIN_GOALS.get(labels.size, "")}
    many = f"{CONNECTIONS} connections"
    found = [
        labels.compared("P1 default settings", rates["default settings"], **source, **plain),
        labels.compared(f"P1 {many}", rates[many], **source),
    ]
    for key, name in KEYS.items():
        goal = SIGNED_GOALS[key]
        note = f"Bare {name} signatures on one core: {max(rates[f'bare {name}']):,.0f} a second."
        found.append(labels.compared(f"P2 {name}", rates[name], **source, goal=goal, note=note))
    return found


def beside_others(
    rates: dict[str, list[float]], lacking: dict[str, str], labels: Labels
) -> list[Figure]:
    """Return the figures of P3 and of other libraries: ratios of notifier to them."""
    goals = {"rss2email": "ratio >= 10", "mailman": "ratio >= 50"}
    titles = {"dkimpy": "RSA-2048, beside signing alone with dkimpy", "mailman": "beside Mailman 3"}
    found = []
    for name in ("smtplib", "aiosmtplib", "rss2email", "mailman", "dkimpy"):
        title = titles.get(name, f"beside {name}")
        title, goal = (f"P3 {title}", goals[name]) if name in goals else (title, "")
        ours = rates["RSA-2048" if name == "dkimpy" else "default settings"]
        if name in rates:
            found.append(labels.compared(title, ours, rates[name], against=name, goal=goal))
        else:
            found.append(missing(f"{title}{labels.ending}", lacking[name], goal=goal))
    return found


def one_size(sending: Sending, size: int, rounds: int) -> list[Figure]:
    """Measure all senders of one size of mail in turn."""
    with tempfile.TemporaryDirectory() as folder:
        others, lacking = other_cases(sending, size, Path(folder))
        rates = alternate({**our_cases(sending, size), **others}, rounds)
    labels = Labels(size, postgresql=sending.server is not None)
    return beside_the_yardstick(rates, labels) + beside_others(rates, lacking, labels)


def flatness(lengths: list[int], server: str | None) -> list[Figure]:
    """Return cost and memory of a delivery for growing lists (10 KB, no signature)."""
    found = []
    name = "PostgreSQL" if server else "SQLite"
    for people in lengths:
        result = Sending(people, server).whole_path(10_000, DEFAULT)
        at, title = {"people": people, "database": name}, f"P7 {people:,} people, {name}"
        wall, cpu = (result[part] / people * 1e6 for part in ("seconds", "cpu"))
        stored = result["stored"] / people
        timed = {"unit": "µs/mail"}
        found += [
            alone(f"{title}: a delivery", [wall], **timed, at={**at, "time": "elapsed"}),
            alone(f"{title}: processor time", [cpu], **timed, at={**at, "time": "processor"}),
            alone(f"{title}: memory", [result["peak"]], unit="MB", goal="ours <= 100", at=at),
            alone(f"{title}: stored", [stored], unit="bytes/person", at=at),
        ]
    return found


def main() -> None:
    """Measure, and print the figures."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--people", type=int, default=30_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--sizes", type=int, nargs="+", default=[40_000, 10_000])
    options.add_argument("--flatness", type=int, nargs="+", help="lengths of lists")
    options.add_argument("--postgresql", action="store_true")
    arguments = options.parse_args()
    with ExitStack() as stack:
        server = stack.enter_context(postgres.server()) if arguments.postgresql else None
        if arguments.flatness:
            figures.show(flatness(arguments.flatness, server))
            return
        sending = Sending(arguments.people, server)
        figures.show(
            figure
            for size in arguments.sizes
            for figure in one_size(sending, size, arguments.rounds)
        )


if __name__ == "__main__":
    main()
