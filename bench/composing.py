"""How long a sign-up waits while digests are composed, beside the same sign-up without, in one run.

    python bench/composing.py [--postgresql] [--rounds 3] [--members 25]

20 groups of 80 items are due: cadences, editions and languages make 20 variants. Three processes
share one database: the pages (the real application), the composing step, and this one, which sends
the sign-up form (POST /subscribe) again and again and takes the time of each answer. Four cases:

- alone: nothing else runs.
- rendering: as many digests of as many items are rendered and nothing is read or stored, for the
  share of the processor.
- composing: the step as it is. Goal: no longer than while rendering.
- rendering in a transaction: the same rendering while a write transaction is open, as a check that
  the measurement would show such a wait. PostgreSQL locks rows, not the database: there it shows
  nothing.

With `--postgresql` the database is on a server that is found or started as for the tests.
"""

import argparse
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from select import select as wait_until_readable
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlalchemy import delete, select, update

from bench import figures
from bench.figures import Figure
from notifier.deps import Deps
from notifier.enums import DeliveryKind
from notifier.pipeline import compose, match, poll
from notifier.store import db
from notifier.store.models import Delivery, Digest, DigestItem, Subscription
from notifier.web.app import create
from tests.support import mail_sink, news_site, postgres
from tests.support.forms import FORM
from tests.support.installation import MONDAY, Installation, settings_for
from tests.support.mails import TEMPLATES, a_digest, an_item
from tests.support.visitor import Client
from tests.support.web_server import serving

GROUPS, ITEMS = 20, 80
TUESDAY = MONDAY + timedelta(days=1)
PAUSE_SECONDS = 0.01
CASES = ("alone", "rendering", "composing", "rendering in a transaction")

# What a visitor sends; the address of each is another.
FIELDS = {
    "consent": "yes",
    "every": "weekly",
    "at": "08:00",
    "weekday": "monday",
    "time_zone": "UTC",
    "edition": "patient",
    "language": "en",
}


def prepare(url: str, members: int) -> None:
    """Store 80 matches and 20 groups of subscriptions that are due on Tuesday."""
    engine = db.make_engine(url)
    db.upgrade(engine)
    with news_site.running() as site, mail_sink.running() as sink:
        installation = Installation(engine, site, sink)
        installation.adopt()
        variants = itertools.product(
            ("daily", "weekly", "monthly"), ("patient", "clinician"), ("en", "de", "fr", "es")
        )
        for group, (every, edition, language) in enumerate(itertools.islice(variants, GROUPS)):
            on = {"weekly": "tuesday", "monthly": "3"}.get(every)
            for member in range(members):
                installation.subscribe(
                    f"reader{member}.{group}@example.org",
                    every,
                    on=on,
                    edition=edition,
                    language=language,
                )
        installation.publish([news_site.Article("Weather in Exampletown", "Mild.")])
        poll.run(installation.at(MONDAY))
        match.run(installation.at(MONDAY))
        summary = "A made-up text about frexalimab that is as long as a summary may be. " * 5
        installation.publish(
            [
                news_site.Article(
                    f"Frexalimab headline number {n:02} of many", summary, slug=f"{n}"
                )
                for n in range(ITEMS)
            ]
        )
        poll.run(installation.at(TUESDAY))
        assert match.run(installation.at(TUESDAY)) == ITEMS
    engine.dispose()


def serve(url: str) -> None:
    """Serve the pages until the standard input ends."""
    deps = Deps(settings_for(1), db.make_engine(url), TUESDAY)
    with serving(create(deps)) as address:
        print(address, flush=True)
        sys.stdin.read()


def work(url: str) -> None:
    """Do what each line of the standard input names, and answer with a line."""
    deps = Deps(settings_for(1), db.make_engine(url), TUESDAY)
    with deps.reading() as session:
        before = [
            (row.id, row.position, row.next_due_at, row.seen_snapshot, row.last_mailed_at)
            for row in session.query(Subscription)
        ]
    for line in sys.stdin:
        case = line.strip()
        if case == "reset":
            reset(deps, before)
        elif case == "rendering":
            render()
        elif case == "composing":
            assert compose.run(deps) == GROUPS
        else:
            render_in_transaction(deps)
        print("done", flush=True)


def reset(deps: Deps, before: list[tuple[int, int, datetime | None, str, datetime | None]]) -> None:
    """Make every digest owed again."""
    with deps.writing() as session:
        session.execute(delete(Delivery).where(Delivery.kind == DeliveryKind.DIGEST))
        session.execute(delete(DigestItem))
        session.execute(delete(Digest))
        for subscription_id, position, due_at, snapshot, mailed_at in before:
            session.execute(
                update(Subscription)
                .where(Subscription.id == subscription_id)
                .values(
                    position=position,
                    next_due_at=due_at,
                    seen_snapshot=snapshot,
                    last_mailed_at=mailed_at,
                )
            )


def render() -> None:
    """Render as many digests as are composed, of as many items."""
    text = "A made-up text about frexalimab that is as long as a summary may be. " * 5
    items = [an_item(title=f"Frexalimab headline {n}", summary=text) for n in range(ITEMS)]
    for _ in range(GROUPS):
        for template in ("email/digest_body.html.j2", "email/digest_body.txt.j2"):
            TEMPLATES.render(template, {"digest": a_digest(*items)})


def render_in_transaction(deps: Deps) -> None:
    """Render the same while a write transaction is open."""
    with deps.writing() as session:
        session.execute(select(1))  # the first statement begins the transaction
        render()


@contextmanager
def child(role: str, url: str) -> Iterator[subprocess.Popen[str]]:
    """Run this file in a role of its own process."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--role", role, "--url", url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def ask(process: subprocess.Popen[str], case: str) -> None:
    """Name a piece of work to the composing process."""
    assert process.stdin is not None
    process.stdin.write(f"{case}\n")
    process.stdin.flush()


class Visitors:
    """People who sign up one after the other, each from a network of their own."""

    def __init__(self, address: str) -> None:
        self._client = Client(address)
        self._number = 0

    def sign_up(self) -> float:
        """Send the form; return how many seconds the answer took."""
        self._number += 1
        number = self._number
        body = urlencode({**FIELDS, "email": f"visitor{number}@example.org"})
        network = f"10.{number >> 8 & 255}.{number & 255}.1"
        began = time.perf_counter()
        answer = self._client.request("POST", "/subscribe", body, FORM, X_Forwarded_For=network)
        seconds = time.perf_counter() - began
        # 503: the database was locked for longer than a connection waits; the time counts all the
        # same.
        assert answer.status_code in (200, 503), answer.text
        return seconds


@dataclass
class Measured:
    """The answers of one case, in seconds, and how long its work took."""

    answers: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)


def measure(visitors: Visitors, worker: subprocess.Popen[str], case: str, times: Measured) -> None:
    """Sign people up while the worker does its part; alone, fifty of them."""
    assert worker.stdout is not None
    ask(worker, "reset")
    worker.stdout.readline()
    if case == "alone":
        for _ in range(50):
            times.answers.append(visitors.sign_up())
            time.sleep(PAUSE_SECONDS)
        return
    began = time.perf_counter()
    ask(worker, case)
    while not _answered(worker):
        times.answers.append(visitors.sign_up())
        time.sleep(PAUSE_SECONDS)
    times.work.append(time.perf_counter() - began)


def _answered(worker: subprocess.Popen[str]) -> bool:
    readable, _, _ = wait_until_readable([worker.stdout], [], [], 0)
    if not readable or worker.stdout is None:
        return False
    if not worker.stdout.readline():
        raise RuntimeError("The composing process ended; its error is above.")
    return True


def report(results: dict[str, Measured], database: str) -> list[Figure]:
    """Return a figure for each case: the median answer beside that of sign-ups alone."""
    alone = statistics.median(results["alone"].answers)
    found = []
    for case, times in results.items():
        if case == "alone":
            continue
        note = f"{len(times.answers)} sign-ups; the slowest took {max(times.answers) * 1e3:.0f} ms"
        note += f", alone {max(results['alone'].answers) * 1e3:.0f} ms; "
        note += f"the work took {statistics.median(times.work):.1f} s."
        median = statistics.median(times.answers)
        figure = Figure(
            f"Sign-up on {database}, {case}",
            unit="ms",
            ours=median * 1e3,
            base=alone * 1e3,
            against="a sign-up alone",
            ratio=median / alone,
            note=note,
        )
        found.append(figure)
    return found


def run(url: str, rounds: int, members: int) -> None:
    """Measure all cases in turn, round after round, on one database."""
    prepare(url, members)
    results = {case: Measured() for case in CASES}
    with child("serve", url) as server, child("work", url) as worker:
        assert server.stdout is not None
        visitors = Visitors(server.stdout.readline().strip())
        for _ in range(5):
            visitors.sign_up()
        for _ in range(rounds):
            for case in CASES:
                measure(visitors, worker, case, results[case])
    figures.show(report(results, "PostgreSQL" if url.startswith("postgresql") else "SQLite"))


def main() -> None:
    """Read the arguments, find a database, and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--members", type=int, default=25, help="subscriptions of a group")
    parser.add_argument("--role", choices=("serve", "work"), help="for the processes it starts")
    parser.add_argument("--url", help="the database of such a process")
    arguments = parser.parse_args()
    if arguments.role:
        (serve if arguments.role == "serve" else work)(arguments.url)
        return
    with ExitStack() as stack:
        if arguments.postgresql:
            server = stack.enter_context(postgres.server())
            url = stack.enter_context(postgres.database(server))
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url = f"sqlite:///{folder}/subscribers.db"
        run(url, arguments.rounds, arguments.members)


if __name__ == "__main__":
    main()
