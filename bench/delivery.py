"""Measure the cost of a delivery on the whole path, beside other senders, as ratios in one run.

    python bench/delivery.py [--postfix DIR] [--rss2email FILE] [--mailman PYTHON] [--people N]
                             [--rounds N] [--flatness N ...]

The whole path: a delivery is claimed from the database (SQLite, WAL), its links are signed, its
message is joined and sent, and its acceptance is committed before the connection's next message is
handed over (the disk is waited for every 50 ms). Other senders to the same sink: Postfix's
smtp-source (the yardstick), smtplib with a message built for each recipient, aiosmtplib if it is
installed, rss2email if its program r2e is named, and Mailman 3 if the Python of its installation is
named. Goals: at least 0.9 × smtp-source at 40 KB, 0.85 × at 10 KB; with DKIM 0.4 × (RSA-2048) and
0.75 × (Ed25519); 10 × rss2email, 50 × Mailman's personalised delivery. Sizes are those of whole
messages.

--flatness delivers to lists of these lengths, each in its own process, and prints its memory.

smtp-source and smtp-sink are in Debian's package postfix; --postfix names a folder into which it
was unpacked.
"""

import argparse
import asyncio
import importlib.util
import json
import os
import shutil
import smtplib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

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
from notifier.store import db
from notifier.store.models import Delivery, Digest, Profile
from notifier.subscribers import bulk
from tests.support.installation import settings_for

NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)
CONNECTIONS = 32
YARDSTICK = 8


def tool(folder: str | None, name: str) -> str:
    path = f"{folder}/usr/sbin" if folder else None
    program = shutil.which(name, path=path) or shutil.which(name)
    if program is None:
        raise SystemExit(
            f"{name} is not installed: unpack Debian's package postfix, and name the folder with "
            "--postfix."
        )
    return program


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


def installation(folder: Path, port: int, people: int, size: int) -> Deps:
    """Create a database with a due mail of `size` bytes, headers included, for each person."""
    with tempfile.TemporaryDirectory() as name:
        least, some = (_size_of_a_mail(Path(name) / str(body), body) for body in (0, 6000))
    body = round((size - least) * 6000 / (some - least))
    return _installation(folder, port, people, body)


def _size_of_a_mail(folder: Path, body: int) -> int:
    folder.mkdir()
    deps = _installation(folder, 25, 1, body)
    with deps.writing() as session:
        (claimed,) = outbox.claim_due(session, NOW, outbox.ClaimOptions(1))
        return len(digest_mail.MessageBuilder(deps).outgoing(session, claimed, NOW).message())


def _installation(folder: Path, port: int, people: int, body: int) -> Deps:
    settings = settings_for(port)
    engine = db.make_engine(f"sqlite:///{folder / 'bench.db'}")
    db.upgrade(engine)
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
    return deps


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


def whole_path(program: str, people: int, size: int, key: str = "") -> tuple[float, float]:
    """Deliver from a process of its own; return mails per second, and its peak memory in MB."""
    with tempfile.TemporaryDirectory() as name, sink(program) as port:
        folder = Path(name)
        installation(folder, port, people, size)
        arguments = [str(folder / "bench.db"), str(port), str(CONNECTIONS)]
        if key:
            (folder / "key.pem").write_bytes(dkim_keys.new_key(key))
            arguments.append(str(folder / "key.pem"))
        ours = Path(__file__).with_name("delivering.py")
        done = subprocess.run([sys.executable, ours, *arguments], check=True, capture_output=True)
    result = json.loads(done.stdout)
    assert result["accepted"] == people, result
    return people / result["seconds"], result["peak"]


def smtp_source(source: str, program: str, people: int, body: int) -> float:
    with sink(program) as port:
        started = time.perf_counter()
        arguments = [
            "-d",
            "-s",
            str(YARDSTICK),
            "-m",
            str(people),
            "-l",
            str(body),
            f"127.0.0.1:{port}",
        ]
        subprocess.run([source, *arguments], check=True)
        return people / (time.perf_counter() - started)


def _message(number: int, body: int) -> bytes:
    from email.message import EmailMessage

    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = (
        "digest@example.org",
        f"person{number}@example.com",
        "Your digest",
    )
    mail.set_content("Nothing of it is true.\n" * (body // 23), cte="quoted-printable")
    return mail.as_bytes()


def plain_smtplib(program: str, people: int, body: int) -> float:
    with sink(program) as port:
        started = time.perf_counter()
        with smtplib.SMTP("127.0.0.1", port) as client:
            for n in range(people):
                client.sendmail("digest@example.org", f"person{n}@example.com", _message(n, body))
        return people / (time.perf_counter() - started)


def aio(program: str, people: int, body: int) -> float:
    import aiosmtplib

    async def lane(port: int, numbers: range) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for n in numbers:
                await client.sendmail(
                    "digest@example.org", [f"person{n}@example.com"], _message(n, body)
                )

    async def everything(port: int) -> None:
        await asyncio.gather(
            *(lane(port, range(start, people, CONNECTIONS)) for start in range(CONNECTIONS))
        )

    with sink(program) as port:
        started = time.perf_counter()
        asyncio.run(everything(port))
        return people / (time.perf_counter() - started)


def rss2email(r2e: str, program: str, mails: int, size: int) -> float:
    """Return the mails per second of a feed whose entries are mailed one by one.

    The start of the program and its reading of the feed are not counted.
    """
    entry = (
        "<item><title>Made up</title><link>https://herald.example.org/{0}</link><guid>{0}</guid>"
        "<description>{1}</description></item>"
    )
    text = "Nothing of it is true. " * (size // 23)

    def run(folder: Path, port: int, number: int) -> float:
        feed = folder / f"{number}.xml"
        items = "".join(entry.format(n, text) for n in range(number))
        feed.write_text(f'<rss version="2.0"><channel><title>Herald</title>{items}</channel></rss>')
        config = folder / f"{number}.cfg"
        config.write_text(
            "[DEFAULT]\nfrom = digest@example.org\nto = anna@example.org\nemail-protocol = smtp\n"
            f"smtp-server = 127.0.0.1\nsmtp-port = {port}\nsmtp-auth = False\nhtml-mail = True\n"
        )
        command = [r2e, "-c", str(config), "-d", str(folder / f"{number}.json")]
        subprocess.run([*command, "add", "herald", feed.as_uri()], check=True, capture_output=True)
        started = time.perf_counter()
        subprocess.run([*command, "run"], check=True, capture_output=True)
        return time.perf_counter() - started

    with tempfile.TemporaryDirectory() as name, sink(program) as port:
        return mails / (run(Path(name), port, mails + 1) - run(Path(name), port, 1))


def mailman(python: str, program: str, mails: int, size: int) -> float:
    """Return the mails per second of Mailman 3 with a personalised mail for each recipient."""
    with sink(program) as port:
        command = [
            python,
            Path(__file__).with_name("with_mailman.py"),
            str(port),
            str(mails),
            str(size),
        ]
        return float(
            subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1]
        )


def flatness(program: str, lengths: list[int]) -> None:
    """Print the cost of a delivery and the peak memory for growing lists (10 KB, no signature)."""
    for people in lengths:
        rate, peak = whole_path(program, people, 10_000)
        print(f"{people:>9,} people: {1e6 / rate:.0f} µs a delivery, {peak:.0f} MB at the most")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--postfix")
    options.add_argument("--rss2email")
    options.add_argument("--mailman")
    options.add_argument("--people", type=int, default=30_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--flatness", type=int, nargs="+")
    arguments = options.parse_args()
    if arguments.postfix:
        os.environ["LD_LIBRARY_PATH"] = f"{arguments.postfix}/usr/lib/postfix"
    source, program = tool(arguments.postfix, "smtp-source"), tool(arguments.postfix, "smtp-sink")
    if arguments.flatness:
        flatness(program, arguments.flatness)
        return
    people, few = arguments.people, max(arguments.people // 40, 100)
    for body in (40_000, 10_000):
        runs = {
            "smtp-source": lambda body=body: smtp_source(source, program, people, body),
            "notifier, whole path": lambda body=body: whole_path(program, people, body)[0],
            "notifier, Ed25519": lambda body=body: whole_path(program, people, body, "ed25519")[0],
            "notifier, RSA-2048": lambda body=body: whole_path(program, people, body, "rsa")[0],
            "smtplib, one connection": lambda body=body: plain_smtplib(program, few, body),
        }
        if importlib.util.find_spec("aiosmtplib"):
            runs["aiosmtplib"] = lambda body=body: aio(program, few, body)
        if arguments.rss2email:
            runs["rss2email"] = lambda body=body: rss2email(arguments.rss2email, program, few, body)
        if arguments.mailman:
            runs["Mailman 3"] = lambda body=body: mailman(arguments.mailman, program, few, body)
        rates: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(arguments.rounds):
            for name, run in runs.items():
                rates[name].append(run())
        yardstick = statistics.median(rates["smtp-source"])
        print(
            f"{body // 1000} KB, {people} mails, {CONNECTIONS} connections "
            f"({YARDSTICK} of smtp-source):"
        )
        for name, measured in rates.items():
            rate = statistics.median(measured)
            print(f"  {name:<26} {rate:>7,.0f}/s = {rate / yardstick:.2f} × smtp-source")


if __name__ == "__main__":
    main()
