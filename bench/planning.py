"""How long a digest for a million subscribers takes to plan, besides its rendering, and its memory.

    python bench/planning.py [--people 1000000] [--database sqlite|postgresql] [--case plain]

Fills a database by SQL, and composes one digest for all. Prints figures: the seconds of the step
without the rendering, beside a bare INSERT ... SELECT of the same deliveries into a table without
indexes in the same run; and the largest memory of the process. The note holds the processor time
(on PostgreSQL that of the server, too) and the longest transaction. Goals at a million: 5 s and
120 MB on SQLite, 15 s on PostgreSQL. Cases:

- plain: everybody is owed the same new items.
- told: a correction is owed to the half that was told of the entry.
- merging: a digest from before waits for everybody (the mail server was away), and is merged.

`--growth` measures 1,000 to the given number of people, each in a database of its own.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlalchemy import Engine, event, text

from bench import figures
from bench.figures import Figure, peak_mb
from notifier.deps import Deps
from notifier.pipeline import compose, match, poll
from notifier.store import db
from tests.support import mail_sink, news_site, postgres
from tests.support.installation import MONDAY, Installation, settings_for

TUESDAY = MONDAY + timedelta(days=1)
WEDNESDAY = MONDAY + timedelta(days=2)
MILLION = 1_000_000
CASES = ("plain", "told", "merging")
FIRST = news_site.Article("Frexalimab slows lesions", "It slowed new lesions by 80 percent.")
CORRECTED = news_site.Article("Frexalimab slows lesions", "It slowed new lesions by 60 percent.")
SECOND = news_site.Article("Frexalimab again", slug="again")


def fill(engine: Engine, people: int) -> None:
    """Add people with a daily subscription, by one statement each."""
    is_sqlite = engine.dialect.name == "sqlite"
    numbers = (
        f"(WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {people})"
        " SELECT i FROM n)"
        if is_sqlite
        else f"generate_series(2, {people}) AS n(i)"
    )
    random = "lower(hex(randomblob(16)))" if is_sqlite else "md5(random()::text)"
    with engine.begin() as connection:
        for table, own in (
            ("subscriber", {"email": "'p' || i || '@example.org'", "address_hash": random}),
            ("subscription", {"subscriber_id": "i", "link_id": random}),
        ):
            row = connection.execute(text(f"SELECT * FROM {table} WHERE id = 1")).mappings().one()
            names = [name for name in row if name != "id" and name not in own]
            copied = ", ".join(f't."{name}"' for name in names)
            into = ", ".join(f'"{name}"' for name in ("id", *own, *names))
            connection.execute(
                text(
                    f"INSERT INTO {table} ({into}) SELECT i, {', '.join(own.values())}, {copied} "
                    f"FROM {numbers} CROSS JOIN {table} AS t WHERE t.id = 1 ORDER BY i"
                )
            )
    tidy(engine)


def tidy(engine: Engine) -> None:
    """Do what the database does by itself in a quiet hour."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            connection.exec_driver_sql("VACUUM ANALYZE")
            connection.exec_driver_sql("CHECKPOINT")


class Times:
    """The transactions of a run: when they began, and how long each took."""

    def __init__(self, engine: Engine) -> None:
        self.lengths: list[float] = []
        self._began: dict[int, float] = {}
        event.listen(engine, "begin", self._begin)
        event.listen(engine, "commit", self._end)

    def _begin(self, connection: Any) -> None:
        self._began[id(connection.connection.dbapi_connection)] = time.perf_counter()

    def _end(self, connection: Any) -> None:
        began = self._began.pop(id(connection.connection.dbapi_connection), None)
        if began is not None:
            self.lengths.append(time.perf_counter() - began)


def processor_seconds(deps: Deps) -> float:
    """Return the processor time of this process, and of the server's processes."""
    own = time.process_time()
    if deps.engine.dialect.name == "sqlite":
        return own
    with deps.reading() as session:
        pids = session.execute(text("SELECT pid FROM pg_stat_activity")).scalars().all()
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return own + ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def rendering_timed(seconds: list[float]) -> Iterator[None]:
    """Add up how long the rendering takes."""
    real = compose.digests.compose

    def timed(*words: Any) -> Any:
        began = time.perf_counter()
        try:
            return real(*words)
        finally:
            seconds.append(time.perf_counter() - began)

    compose.digests.compose = timed  # type: ignore[assignment]
    try:
        yield
    finally:
        compose.digests.compose = real


def bare(engine: Engine) -> float:
    """Return the seconds of a bare INSERT ... SELECT of as many deliveries; it is rolled back."""
    random = (
        "lower(hex(randomblob(16)))" if engine.dialect.name == "sqlite" else "gen_random_uuid()"
    )
    writer = engine.execution_options(sqlite_begin="IMMEDIATE")
    with writer.connect() as connection:
        connection.execute(text("CREATE TABLE bare AS SELECT * FROM delivery WHERE 1 = 0"))
        connection.commit()
        began = time.perf_counter()
        connection.execute(
            text(
                "INSERT INTO bare (digest_id, subscription_id, message_id, status, due_at) "
                f"SELECT 1, id, {random}, 'pending', next_due_at FROM subscription"
            )
        )
        connection.commit()
        ended = time.perf_counter()
        connection.execute(text("DROP TABLE bare"))
        connection.commit()
    return ended - began


def prepare(deps: Installation, case: str, people: int, engine: Engine) -> Deps:
    """Store subscriptions, news, and what the case needs; return when the digest is due."""
    deps.adopt()
    deps.subscribe("p1@example.org")
    fill(engine, people)
    poll.run(deps.at(MONDAY))
    deps.publish([FIRST])
    poll.run(deps.at(TUESDAY))
    match.run(deps.at(TUESDAY))
    if case == "plain":
        return deps.at(TUESDAY)
    compose.run(deps.at(TUESDAY))
    if case == "told":
        half = "UPDATE delivery SET status = CASE WHEN subscription_id % 2 = 0 THEN 'sent'"
        with engine.begin() as connection:
            connection.execute(text(f"{half} ELSE 'failed' END"))
            connection.execute(text("UPDATE digest SET status = 'sent'"))
        deps.publish([CORRECTED])
    else:
        deps.publish([FIRST, SECOND])
    poll.run(deps.at(WEDNESDAY))
    match.run(deps.at(WEDNESDAY))
    tidy(engine)
    return deps.at(WEDNESDAY)


def measure(kind: str, people: int, case: str) -> dict[str, Any]:
    """Measure one case, in a process of its own for its memory."""
    with ExitStack() as stack:
        if kind == "postgresql":
            url = stack.enter_context(postgres.database(stack.enter_context(postgres.server())))
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url = f"sqlite:///{folder}/subscribers.db"
        engine = db.make_engine(url)
        db.upgrade(engine)
        site = stack.enter_context(news_site.running())
        sink = stack.enter_context(mail_sink.running())
        deps = prepare(Installation(engine, site, sink), case, people, engine)
        stack.callback(engine.dispose)
        bare_seconds = bare(engine)
        command = [sys.executable, __file__, "--url", url, "--now", deps.now().isoformat()]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        shape = {"people": people, "database": kind, "case": case}
        return shape | json.loads(done.stdout) | {"bare_insert_seconds": round(bare_seconds, 3)}


def plan(url: str, now: datetime) -> dict[str, Any]:
    """Compose what is due in a database, and return how that went."""
    engine = db.make_engine(url)
    deps = Deps(settings_for(1), engine, now)
    assert deps.templates
    times, rendering = Times(engine), []
    at_first = round(peak_mb())
    before, began = processor_seconds(deps), time.perf_counter()
    with rendering_timed(rendering):
        composed = compose.run(deps)
    seconds = time.perf_counter() - began - sum(rendering)
    processor = processor_seconds(deps) - before - sum(rendering)
    latest = "SELECT count(*) FROM delivery WHERE digest_id = (SELECT max(id) FROM digest)"
    with deps.reading() as session:
        planned = session.execute(text(latest)).scalar()
    engine.dispose()
    return {
        "digests": composed,
        "deliveries": planned,
        "seconds": round(seconds, 2),
        "processor_seconds": round(processor, 2),
        "rendering_seconds": round(sum(rendering), 2),
        "transactions": len(times.lengths),
        "longest_transaction": round(max(times.lengths), 3),
        "median_transaction": round(statistics.median(times.lengths), 3),
        "megabytes": round(peak_mb()),
        "megabytes_before": at_first,
        "load": round(os.getloadavg()[0], 1),
    }


def figures_of(found: dict[str, Any]) -> list[Figure]:
    """Return the figures of one measurement."""
    people, case = found["people"], found["case"]
    database = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[found["database"]]
    title = f"P6 {people:,} subscribers, {database}"
    title += "" if case == "plain" else f", {case}"
    at = {"people": people, "database": database, "case": case}
    note = (
        f"{found['processor_seconds']} s of processor time, {found['transactions']} transactions, "
        f"the longest {found['longest_transaction'] * 1000:.0f} ms."
    )
    has_goal = people == MILLION and case == "plain"
    most = 5 if database == "SQLite" else 15
    seconds, base = found["seconds"], found["bare_insert_seconds"]
    return [
        Figure(
            f"{title}: planning besides rendering",
            goal=f"ours <= {most}" if has_goal else "",
            unit="s",
            ours=seconds,
            base=base,
            against="a bare INSERT … SELECT",
            ratio=seconds / max(base, 0.001),
            note=note,
            at=at,
        ),
        Figure(
            f"{title}: memory",
            goal="ours <= 120" if database == "SQLite" and case == "plain" else "",
            unit="MB",
            ours=found["megabytes"],
            at=at,
        ),
    ]


def main() -> None:
    """Read the arguments and print what was measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--case", choices=CASES, default="plain")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--url", help="of the process that it starts")
    parser.add_argument("--now", type=datetime.fromisoformat, help="likewise")
    options = parser.parse_args()
    if options.url:
        print(json.dumps(plan(options.url, options.now)))
        return
    small = (1_000, 10_000, 100_000) if options.growth else ()
    sizes = [*(size for size in small if size < options.people), options.people]
    figures.show(
        figure
        for size in sizes
        for figure in figures_of(measure(options.database, size, options.case))
    )


if __name__ == "__main__":
    main()
