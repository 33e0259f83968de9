"""What a tick with nothing due costs as the store grows: milliseconds and statements of each step.

    python bench/tick.py [--postgresql] [--sizes 1000,1000000] [--profiles 5000] [--keep FOLDER]

A database is filled by SQL (`tests/support/big_store.py`): subscribers, five deliveries to each,
as many entries as subscribers, profiles and sources; nothing is due. Then every step of `notifier
run --once` runs `--rounds` times in this process; the first round, which loads modules and fills
caches, is left out. Goal: 50 ms for all steps at a million subscribers.

The output is a list of figures: for each size the medians of all steps together in milliseconds,
with those of the smallest size for comparison. Processor time of this process, statements and the
slowest step stand in the note; `--details` prints each step and the slowest statements instead.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlalchemy import event

from bench import figures
from bench.figures import Figure
from notifier.pipeline import retention
from notifier.pipeline.problems import Problems
from notifier.pipeline.run import steps
from notifier.store import db, heartbeat
from tests.support import big_store, mail_sink, news_site, postgres
from tests.support.installation import MONDAY, Installation

NOW = MONDAY + timedelta(days=400)
SLOWEST_SHOWN = 12
STATEMENT_SHOWN = 300
GOAL_FROM = 100_000  # subscribers; the goal itself is for a million


@contextmanager
def filled(url, sizes):
    """Give an installation with a filled database; one that was filled before is used again."""
    engine = db.make_engine(url)
    db.upgrade(engine)
    with news_site.running() as site, mail_sink.running() as sink:
        installation = Installation(engine, site, sink)
        operator = installation.at(NOW).settings.operator
        installation.change(operator=operator.model_copy(update={"address": "ops@example.org"}))
        with installation.at(NOW).reading() as session:
            is_filled = (
                session.connection().exec_driver_sql("SELECT count(*) FROM profile").scalar()
            )
        seconds = 0.0
        if not is_filled:
            installation.adopt()
            started = time.monotonic()
            big_store.fill(engine, sizes, NOW)
            seconds = time.monotonic() - started
        yield installation, seconds
    engine.dispose()


class Statements:
    """Counts and times the statements of an engine."""

    def __init__(self, engine):
        self.number = 0
        self.seconds = defaultdict(list)
        event.listen(engine, "before_cursor_execute", self._begin)
        event.listen(engine, "after_cursor_execute", self._end)

    def _begin(self, *_):
        self._started = time.perf_counter()

    def _end(self, _connection, _cursor, statement, *_):
        self.number += 1
        self.seconds[" ".join(statement.split())].append(time.perf_counter() - self._started)


def measure(installation, rounds, without):
    """Run every step of an idle tick but those left out; return the medians of each."""
    deps = installation.at(NOW)
    statements = Statements(deps.engine)
    with deps.reading() as session:
        is_due = heartbeat.is_pruning_due(session, NOW)
    while is_due:  # the first weeks are counted in several runs
        retention.run(deps)
        with deps.reading() as session:
            is_due = heartbeat.is_pruning_due(session, NOW)
    wall, processor, numbers = defaultdict(list), defaultdict(list), {}
    for number in range(rounds + 1):
        problems = Problems()
        if number == 1:
            statements.seconds.clear()
        for name, run in steps(deps, problems).items():
            if name in without:
                continue
            before = statements.number, time.perf_counter(), time.process_time()
            run()
            if number:
                wall[name].append(time.perf_counter() - before[1])
                processor[name].append(time.process_time() - before[2])
                numbers[name] = statements.number - before[0]
        assert not problems.lines, problems.lines
    slowest = sorted(statements.seconds.items(), key=lambda each: -sum(each[1]))
    return {
        "ms": {name: round(statistics.median(values) * 1000, 2) for name, values in wall.items()},
        "cpu_ms": {
            name: round(statistics.median(values) * 1000, 2) for name, values in processor.items()
        },
        "statements": numbers,
        "total_ms": round(sum(map(statistics.median, wall.values())) * 1000, 1),
        "total_cpu_ms": round(sum(map(statistics.median, processor.values())) * 1000, 1),
        "total_statements": sum(numbers.values()),
        "slowest": [
            {"ms_a_run": round(sum(values) / rounds * 1000, 2), "sql": statement[:STATEMENT_SHOWN]}
            for statement, values in slowest[:SLOWEST_SHOWN]
        ],
    }


def url_for(arguments, size, stack):
    """Return the address of the database of one size."""
    if arguments.database:
        return arguments.database
    if arguments.postgresql:
        server = stack.enter_context(postgres.server())
        return stack.enter_context(postgres.database(server))
    folder = arguments.keep or stack.enter_context(tempfile.TemporaryDirectory())
    Path(folder).mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{Path(folder) / f'store-{size}.db'}"


def figure(measured, smallest, size, database):
    """Return the figure of one size."""
    slowest = max(measured["ms"], key=measured["ms"].get)
    note = (
        f"{measured['total_statements']} statements, {measured['total_cpu_ms']:.0f} ms of this "
        f"process; the slowest step is {slowest} ({measured['ms'][slowest]:.1f} ms)."
    )
    total, least = measured["total_ms"], smallest["total_ms"]
    return Figure(
        f"P10 {size:,} subscribers, {database}",
        goal="ours <= 50" if size >= GOAL_FROM else "",
        unit="ms",
        ours=total,
        base=least,
        against="the smallest store",
        ratio=total / least,
        note=note,
        at={"subscribers": size, "database": database},
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--sizes", default="1000,10000,100000,1000000", help="of subscribers")
    parser.add_argument("--entries", type=int, help="default: as many as subscribers")
    parser.add_argument("--profiles", type=int, default=5000)
    parser.add_argument("--sources", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--without", default="", help="steps that are left out, with commas")
    parser.add_argument("--database", help="the address of an empty or an earlier filled database")
    parser.add_argument("--keep", help="a folder for SQLite's files, which are used again")
    parser.add_argument("--details", action="store_true", help="each step, no figures")
    arguments = parser.parse_args()
    results = {}
    for size in [int(each) for each in arguments.sizes.split(",")]:
        entries = arguments.entries or size
        sizes = big_store.Sizes(
            subscribers=size,
            profiles=min(arguments.profiles, size),
            sources=min(arguments.sources, entries),
            entries=entries,
            matches=max(entries // 5, 1),
        )
        with ExitStack() as stack:
            url = url_for(arguments, size, stack)
            installation, seconds = stack.enter_context(filled(url, sizes))
            results[size] = measure(installation, arguments.rounds, arguments.without.split(","))
            print(f"{size}: filled in {seconds:.0f} s", file=sys.stderr)
    database = "SQLite" if url.startswith("sqlite") else "PostgreSQL"
    if arguments.details:
        print(json.dumps({"database": database, "sizes": results}, indent=1))
        return
    smallest = results[min(results)]
    figures.show(figure(results[size], smallest, size, database) for size in results)


if __name__ == "__main__":
    main()
