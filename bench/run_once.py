"""Measure `notifier run --once` as a process of its own, beside smtp-source, as ratios in one run.

    python bench/run_once.py [--people N] [--size BYTES] [--connections N] [--rounds N]
                             [--databases sqlite postgresql] [--keys none ed25519 rsa]
                             [--faults]

News is published on a site on loopback, and one process polls it, matches, composes a digest for
all people and delivers it: everything is counted, from the start of Python to its end. smtp-source
sends as many fixed messages of the same size over 8 connections to the same sink; the two take
turns. Goals: 0.8 × smtp-source, 0.35 × with RSA-2048, 0.6 × with Ed25519, 100 MB.

--connections 0 leaves `smtp.connections` at its default. With --faults, a sink of our own answers
to four domains with 4xx, with 5xx, slowly, and to a tenth of the sessions with a limit of mails;
smtp-source, which stops at a refusal, then sends to the healthy domain only. PostgreSQL is started
as for the tests. Prints one JSON document: a list of figures. Processor time (user and system, of
the run with its children) stands in the notes, because other work on the machine spoils the rest.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.delivery import sink, tool
from bench.faulty_sink import DOMAINS
from bench.faulty_sink import YARDSTICK as SENDER
from bench.figures import Figure, alone, compared, show
from notifier.admin.profile_import import import_profile
from notifier.deliver.mime import dkim_keys
from notifier.deps import Deps
from notifier.enums import Cadence, Edition, SubscriptionStatus
from notifier.pipeline import match, poll
from notifier.store import db, keys
from notifier.store.models import Profile
from notifier.subscribers import bulk
from tests.support import news_site, postgres
from tests.support.installation import bundled_profile, settings_for

FOLDER = Path(__file__).parents[1]
YARDSTICK = 8
GOALS = {"none": "ratio >= 0.8", "ed25519": "ratio >= 0.6", "rsa": "ratio >= 0.35"}
NAMES = {"none": "unsigned", "ed25519": "Ed25519", "rsa": "RSA-2048"}
# One article adds about so many bytes to a mail; the list is cut to reach --size.
_BYTES_PER_ITEM = 2_400
_TEXT = "In a made-up study of frexalimab, the {0} was counted after twelve weeks. "
_WORDS = ("lesion", "relapse", "cohort", "antibody", "dose", "cell", "nerve", "trial", "scan")


class Run:
    """One installation and what its run cost."""

    def __init__(self, folder: Path, url: str, site: news_site.Site, smtp_port: int) -> None:
        self.folder, self.site, self.url = folder, site, url
        self.deps = Deps(settings_for(smtp_port), db.make_engine(url))
        db.upgrade(self.deps.engine)
        # Otherwise the run, as the first one with a key, would hash all addresses anew.
        keys.adopt(self.deps.engine, self.deps.settings.suppression_key)
        self.feed = f"{site.address}/feed/"
        self.now = self.deps.now()

    def prepare(self, people: int, items: int, domains: tuple[str, ...]) -> None:
        """Poll an empty past, subscribe everybody, and publish what they are owed."""
        old = [news_site.Article("Weather in Exampletown", "Mild. " * 40)]
        self.site.put("/feed/", news_site.rss(old))
        with self.deps.writing() as session:
            profile = bundled_profile().model_copy(update={"pages": (), "sources": (self.feed,)})
            import_profile(session, profile, self.now)
        poll.run(self.deps)
        match.run(self.deps)
        with self.deps.writing() as session:
            profile = session.query(Profile).one()
            for start in range(0, people, 10_000):
                numbers = range(start, min(start + 10_000, people))
                self._subscribe(session, profile, numbers, domains)
        self.deps.engine.dispose()
        words = [_WORDS[number % len(_WORDS)] + _WORDS[number // 3] for number in range(items)]
        news = [
            news_site.Article(
                f"Frexalimab {word} {number * 37} of the study", _TEXT.format(word) * 4
            )
            for number, word in enumerate(words)
        ]
        self.site.put("/feed/", news_site.rss(news + old))

    def _subscribe(self, session, profile: Profile, numbers: range, domains) -> None:
        due = self.now - timedelta(minutes=1)
        person = {"language": "en", "time_zone": "UTC", "created_at": self.now}
        bulk.insert_subscribers(
            session,
            [
                {
                    **person,
                    "id": n + 1,
                    "email": f"person{n}@{domains[n % len(domains)]}",
                    "address_hash": f"{n:064x}",
                }
                for n in numbers
            ],
        )
        common = {
            "profile_id": profile.id,
            "cadence": Cadence.DAILY,
            "at": f"{due:%H:%M}",
            "on": None,
            "edition": Edition.PATIENT,
            "status": SubscriptionStatus.CONFIRMED,
            "position": profile.position,
            "seen_snapshot": "",
            "hidden": [],
            "urgent": False,
            "created_at": self.now,
            "next_due_at": due,
        }
        rows = [
            {**common, "id": n + 1, "subscriber_id": n + 1, "link_id": f"link{n:018}"}
            for n in numbers
        ]
        bulk.insert_subscriptions(session, rows)

    def measure(self, smtp_port: int, connections: int, key: str) -> "Cost":
        """Run `notifier run --once` as a process of its own."""
        settings = self.deps.settings
        sender = settings.sender
        environment = {
            **os.environ,
            "PYTHONPATH": str(FOLDER),
            "NOTIFIER_DATABASE_URL": self.url,
            "NOTIFIER_PUBLIC_URL": settings.public_url,
            "NOTIFIER_SECRET_KEY": settings.secret_key,
            "NOTIFIER_SUPPRESSION_KEY": settings.suppression_key,
            "NOTIFIER_SENDER__NAME": sender.name,
            "NOTIFIER_SENDER__ADDRESS": sender.address,
            "NOTIFIER_SENDER__POSTAL_ADDRESS": sender.postal_address,
            "NOTIFIER_SMTP__PORT": str(smtp_port),
            "NOTIFIER_SMTP__SECURITY": "none",
            "NOTIFIER_WATCH__ALLOW_PRIVATE_ADDRESSES": "true",
            "NOTIFIER_WATCH__INTERVAL_MINUTES": "1",
        }
        if connections:
            environment["NOTIFIER_SMTP__CONNECTIONS"] = str(connections)
        if key != "none":
            file = self.folder / "key.pem"
            file.write_bytes(dkim_keys.new_key(key))
            environment["NOTIFIER_DKIM__DOMAIN"] = "example.org"
            environment["NOTIFIER_DKIM__PRIVATE_KEY_FILE"] = str(file)
        make_due(self.deps)
        command = [sys.executable, "-m", "notifier", "run", "--once"]
        return Cost.of(command, environment, self.folder)


def make_due(deps: Deps) -> None:
    """Let the site be polled now."""
    from sqlalchemy import update

    from notifier.store.models import Source

    with deps.writing() as session:
        session.execute(update(Source).values(next_poll_at=deps.now() - timedelta(minutes=1)))
    deps.engine.dispose()


class Cost:
    """The cost of a process: seconds, seconds of processor time, peak memory in MB."""

    def __init__(self, seconds: float, cpu: float, peak: float, child_peak: float, said: str):
        self.seconds, self.cpu, self.peak, self.child_peak = seconds, cpu, peak, child_peak
        self.said = said

    @classmethod
    def of(cls, command: list[str], environment: dict[str, str], folder: Path) -> "Cost":
        """Run a command to its end."""
        started = time.perf_counter()
        with (folder / "said.txt").open("w+", encoding="utf-8") as said:
            process = subprocess.Popen(
                command, env=environment, cwd=folder, stdout=said, stderr=said
            )
            peaks: dict[int, float] = {}
            ended = threading.Event()
            watcher = threading.Thread(target=_watch, args=(process.pid, peaks, ended))
            watcher.start()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            ended.set()
            watcher.join()
            said.seek(0)
            words = said.read()
        children = [peak for pid, peak in peaks.items() if pid != process.pid]
        return cls(
            seconds,
            usage.ru_utime + usage.ru_stime,
            peaks.get(process.pid, 0.0),
            max(children, default=0.0),
            f"exit {process.returncode}: {words}",
        )


def _watch(pid: int, peaks: dict[int, float], ended: threading.Event) -> None:
    """Keep the peak memory of a process and of its children, by process id, in MB."""
    while not ended.wait(0.05):
        for each in (pid, *_children(pid)):
            try:
                status = Path(f"/proc/{each}/status").read_text(encoding="ascii", errors="replace")
            except OSError:
                continue
            if "VmHWM:" in status:
                peaks[each] = int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _children(pid: int) -> list[int]:
    """Return the children of all threads of a process."""
    words = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            words += file.read_text(encoding="ascii").split()
    return [int(word) for word in words]


@contextmanager
def faulty_sink() -> Iterator[int]:
    """Start our own sink in a process of its own; give its port."""
    command = [sys.executable, str(Path(__file__).with_name("faulty_sink.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        port = int(running.stdout.readline())
        try:
            yield port
        finally:
            running.terminate()


def smtp_source(program: str, port: int, people: int, size: int, domain: str) -> float:
    """Return the mails per second of smtp-source."""
    counts = ["-s", str(YARDSTICK), "-m", str(people), "-l", str(size)]
    to = ["-f", SENDER.decode(), "-t", f"person@{domain}", f"127.0.0.1:{port}"]
    started = time.perf_counter()
    subprocess.run([program, "-d", *counts, *to], check=True)
    return people / (time.perf_counter() - started)


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'bench.db'}"
        return
    with postgres.server() as server, postgres.database(server) as url:
        yield url


def one_run(options, kind: str, key: str, sinks) -> tuple[Cost, float]:
    """Measure one run, then smtp-source to the same sink; return both."""
    domains = DOMAINS if options.faults else ("example.com",)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(database(kind, folder))
        site = stack.enter_context(news_site.running())
        port = stack.enter_context(sinks())
        run = Run(folder, url, site, port)
        run.prepare(options.people, max(options.size // _BYTES_PER_ITEM, 1), domains)
        cost = run.measure(port, options.connections, key)
        with run.deps.reading() as session:
            sent = _sent(session)
        run.deps.engine.dispose()
        if not options.faults and sent != options.people:
            raise SystemExit(f"{sent} of {options.people} were sent: {cost.said}")
        source = tool(None, "smtp-source")
        base = smtp_source(source, port, options.people, options.size, domains[0])
    return cost, base


def _sent(session) -> int:
    from sqlalchemy import func, select

    from notifier.enums import DeliveryStatus
    from notifier.store.models import Delivery

    sent = select(func.count(Delivery.id)).where(Delivery.status == DeliveryStatus.SENT)
    return session.scalar(sent)


def measured(options, kind: str, key: str) -> list[Figure]:
    """Measure one case several times; return its figures."""
    program = tool(None, "smtp-sink")
    sinks = faulty_sink if options.faults else (lambda: sink(program))
    costs, bases = [], []
    for _ in range(options.rounds):
        cost, base = one_run(options, kind, key, sinks)
        costs.append(cost)
        bases.append(base)
        print(f"{kind} {key}: {cost.seconds:.1f} s, {base:.0f}/s", file=sys.stderr)
    rates = [options.people / cost.seconds for cost in costs]
    cpu = statistics.median(cost.cpu for cost in costs) * 1e6 / options.people
    title = f"P0 {kind}, {options.people:,} people, {options.size // 1000} KB, {NAMES[key]}"
    title += ", default connections" if not options.connections else ""
    title += ", faults" if options.faults else ""
    note = f"{cpu:.0f} µs of processor time a mail, with the child; load {os.getloadavg()[0]:.1f}"
    at = {"people": options.people, "database": kind, "key": key}
    goal = "" if options.faults else GOALS[key]
    against = {"against": "smtp-source", "goal": goal, "unit": "mails/s", "note": note}
    memory = {"parent": [cost.peak for cost in costs], "child": [c.child_peak for c in costs]}
    return [
        compared(title, rates, bases, **against, at=at),
        *(
            alone(f"{title}: {who}'s memory", peaks, goal="ours <= 100", unit="MB", at=at)
            for who, peaks in memory.items()
        ),
    ]


def main() -> None:
    """Measure, and print the figures."""
    options = argparse.ArgumentParser()
    options.add_argument("--people", type=int, default=20_000)
    options.add_argument("--size", type=int, default=25_000)
    options.add_argument("--connections", type=int, default=8)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    options.add_argument("--keys", nargs="+", default=["none", "ed25519", "rsa"])
    options.add_argument("--faults", action="store_true")
    arguments = options.parse_args()
    show(
        figure
        for kind in arguments.databases
        for key in arguments.keys
        for figure in measured(arguments, kind, key)
    )


if __name__ == "__main__":
    main()
