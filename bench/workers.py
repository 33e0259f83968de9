"""Several workers on one PostgreSQL: two and four beside one, one killed, a sign-up meanwhile.

    python bench/workers.py [--full] [--mails 1200] [--rounds 3]

- Rate: one worker, two and four, in turn, send the same digest to a mail server that takes 100 ms
  for each mail, as a distant one does. So the workers wait for their own connections and not for
  the processor, which here they share with the database and the mail server. Goal: two send at
  least 1.6 times as many a second.
- The same with a mail server that answers at once: then the processor limits them all.
- A worker is killed in the middle: the seconds until all mails are sent, less those that the rest
  takes at the rate of one worker; mails lost; mails repeated. Goals: 60 seconds, none lost.
- A confirmation while a long digest goes out without a rate limit: the time from the commit of the
  sign-up to the mail server's answer, ten times, the worst. Goal: 2 seconds. With --full the digest
  is for a million.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlalchemy import delete, text, update

from bench.delivery import installation
from bench.figures import Figure, alone, alternate, compared, show
from notifier import worker
from notifier.deliver import outbox
from notifier.deps import Deps
from notifier.enums import Cadence, DeliveryKind, DeliveryStatus
from notifier.match import profiles
from notifier.store.models import Delivery
from notifier.subscribers import choices, subscriptions
from tests.support import postgres

SIZE, CONNECTIONS = 10_000, 4
SECONDS_A_MAIL = 0.1
ASKED = 10


@dataclass
class Sink:
    """A mail server on loopback that answers each mail after a while.

    Attributes:
        seconds: how long it takes for a mail.
        accepted: the time of each answer, with the recipient.
    """

    seconds: float = 0.0
    port: int = 0
    accepted: list[tuple[float, str]] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        recipient = ""
        writer.write(b"220 sink ESMTP\r\n")
        try:
            while line := await reader.readline():
                word = line[:4].upper().strip()
                if word == b"EHLO":
                    writer.write(b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
                elif word == b"RCPT":
                    recipient = line.decode().partition("<")[2].partition(">")[0]
                    writer.write(b"250 ok\r\n")
                elif word == b"DATA":
                    writer.write(b"354 go on\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                    if self.seconds:
                        await asyncio.sleep(self.seconds)
                    self.accepted.append((time.monotonic(), recipient))
                    writer.write(b"250 taken\r\n")
                elif word == b"QUIT":
                    writer.write(b"221 bye\r\n")
                    return
                else:
                    writer.write(b"250 ok\r\n")
        except (OSError, asyncio.IncompleteReadError):
            pass  # its client was killed
        finally:
            writer.close()


@contextmanager
def sink() -> Iterator[Sink]:
    """Run a mail server in a thread."""
    running, ready = Sink(), threading.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        server = await asyncio.start_server(running.talk, "127.0.0.1", 0, limit=2**24)
        running.port = server.sockets[0].getsockname()[1]
        ready.set()

    def run() -> None:
        loop.run_until_complete(serve())
        loop.run_forever()

    threading.Thread(target=run, daemon=True).start()
    ready.wait()
    yield running
    loop.call_soon_threadsafe(loop.stop)


class Bench:
    """One database with a digest for so many people, sent again and again.

    Args:
        deps: the installation.
        mails: how many people get the digest.
        server: the mail server.
    """

    def __init__(self, deps: Deps, mails: int, server: Sink) -> None:
        self.deps, self.mails, self.server = deps, mails, server

    def again(self) -> None:
        """Make the digest due for everybody once more."""
        self.server.accepted.clear()
        with self.deps.engine.begin() as connection:
            connection.execute(delete(Delivery).where(Delivery.digest_id.is_(None)))
            values = {"status": DeliveryStatus.PENDING, "attempts": 0, "leased_until": None}
            connection.execute(update(Delivery).values(**values, next_attempt_at=Delivery.due_at))
            connection.execute(text("UPDATE digest SET status = 'approved'"))
            connection.execute(text("DELETE FROM procrastinate_periodic_defers"))
            connection.execute(text("DELETE FROM procrastinate_jobs"))

    def start(self) -> subprocess.Popen[bytes]:
        """Start a worker."""
        url = self.deps.engine.url.render_as_string(hide_password=False)
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.support.working_process", url),
                *(str(self.server.port), "0", f"connections={CONNECTIONS}"),
            ],
            cwd=Path(__file__).parents[1],
        )

    def wait(self, mails: int) -> None:
        """Wait until so many mails were accepted."""
        while len(self.server.accepted) < mails:
            time.sleep(0.02)

    @contextmanager
    def working(self, number: int) -> Iterator[list[subprocess.Popen[bytes]]]:
        """Let so many workers send; end them at the end."""
        processes = [self.start() for _ in range(number)]
        try:
            yield processes
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait()

    def rate(self, workers: int, seconds: float) -> float:
        """Return the mails a second of so many workers, once all of them send."""
        self.server.seconds = seconds
        self.again()
        with self.working(workers):
            # From the second tenth to the ninth: all have started, and none is without work.
            self.wait(self.mails * 9 // 10)
        times = [at for at, _ in self.server.accepted]
        first, last = self.mails * 3 // 10, self.mails * 9 // 10 - 1
        return (last - first) / (times[last] - times[first])


def rates(bench: Bench, rounds: int) -> list[Figure]:
    """Compare one worker with two and with four."""
    cases: dict[str, Callable[[], float]] = {
        "one": lambda: bench.rate(1, SECONDS_A_MAIL),
        "two": lambda: bench.rate(2, SECONDS_A_MAIL),
        "four": lambda: bench.rate(4, SECONDS_A_MAIL),
        "one, at once": lambda: bench.rate(1, 0.0),
        "two, at once": lambda: bench.rate(2, 0.0),
    }
    measured = alternate(cases, rounds)
    cores = os.cpu_count()
    return [
        alone("P11: one worker, 100 ms a mail", measured["one"], unit="mails/s", at={"workers": 1}),
        compared(
            "P11: two workers, 100 ms a mail",
            measured["two"],
            measured["one"],
            against="one worker",
            goal="ratio >= 1.6",
            unit="mails/s",
            at={"workers": 2},
        ),
        compared(
            "Four workers, 100 ms a mail",
            measured["four"],
            measured["one"],
            against="one worker",
            unit="mails/s",
            note=f"Six processes and PostgreSQL share {cores} cores.",
            at={"workers": 4},
        ),
        compared(
            "Two workers, a mail server that answers at once",
            measured["two, at once"],
            measured["one, at once"],
            against="one worker",
            unit="mails/s",
            note=f"The {cores} cores, shared with PostgreSQL and the mail server, limit it.",
        ),
    ]


def killed(bench: Bench) -> list[Figure]:
    """Kill one of two workers in the middle."""
    bench.server.seconds = SECONDS_A_MAIL
    bench.again()
    first = bench.start()
    second = bench.start()
    bench.wait(bench.mails // 2)
    first.kill()
    first.wait()
    died, left = time.monotonic(), bench.mails - len(bench.server.accepted)
    while _unsent(bench):
        time.sleep(0.1)
    took = time.monotonic() - died - left * SECONDS_A_MAIL / CONNECTIONS
    second.terminate()
    second.wait()
    recipients = [recipient for _, recipient in bench.server.accepted]
    lost = bench.mails - len(set(recipients))
    repeated = len(recipients) - len(set(recipients))
    return [
        alone("P11: seconds more after a kill", [took], goal="ours <= 60", unit="s"),
        alone("P11: mails lost by a kill", [float(lost)], goal="ours <= 0", unit="mails"),
        alone(
            "P11: mails repeated by a kill",
            [float(repeated)],
            goal=f"ours <= {CONNECTIONS}",
            unit="mails",
        ),
    ]


def _unsent(bench: Bench) -> bool:
    with bench.deps.reading() as session:
        waits = session.query(Delivery.id).where(Delivery.status != DeliveryStatus.SENT)
        return waits.first() is not None


def confirmations(bench: Bench) -> list[Figure]:
    """Ask for confirmations while the digest goes out."""
    bench.server.seconds = 0.0
    bench.again()
    deps = replace(bench.deps, fixed_now=None, waker=worker.wake)
    waits: list[float] = []
    with bench.working(2):
        bench.wait(bench.mails // 10)
        for number in range(ASKED):
            email = f"new{number}-{time.monotonic_ns()}@example.org"
            with deps.writing() as session:
                profile = profiles.find(session, None)
                choice = choices.default_choice(Cadence.WEEKLY, "UTC")
                asked = subscriptions.subscribe(session, email, profile, choice, deps.now())
                outbox.enqueue_own(
                    session,
                    DeliveryKind.CONFIRMATION,
                    [asked.id],
                    deps.mail_domain,
                    deps.now(),
                )
            began = time.monotonic()
            while not any(to == email for _, to in reversed(bench.server.accepted[-5000:])):
                time.sleep(0.01)
            waits.append(time.monotonic() - began)
            time.sleep(0.3)
        still = _unsent(bench)
    name = f"P12: a confirmation while {bench.mails:,} digests go out, worst of {ASKED}"
    note = "" if still else "The digest was sent before the last of them was asked for."
    return [alone(name, [max(waits)], goal="ours <= 2", unit="s", note=note)]


@contextmanager
def benched(stack: ExitStack, server_url: str, mails: int) -> Iterator[Bench]:
    """Give a bench of its own database."""
    server = stack.enter_context(sink())
    url = stack.enter_context(postgres.database(server_url))
    deps = installation(url, server.port, mails, SIZE)
    worker.create_tables(deps.engine)
    with deps.engine.begin() as connection:  # the people were stored with numbers of their own
        for table in ("subscriber", "subscription"):
            newest = f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"
            connection.execute(text(newest))
    yield Bench(deps, mails, server)
    deps.engine.dispose()


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="a million people for P12")
    parser.add_argument("--mails", type=int, default=1_200)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with ExitStack() as stack:
        server_url = stack.enter_context(postgres.server())
        figures: list[Figure] = []
        with benched(stack, server_url, options.mails) as bench:
            figures += rates(bench, options.rounds)
            figures += killed(bench)
        with benched(stack, server_url, 1_000_000 if options.full else 50_000) as long:
            figures += confirmations(long)
        show(figures)


if __name__ == "__main__":
    main()
