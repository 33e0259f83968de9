"""Measure what a batch of new entries costs to match as the store grows.

    python bench/matching_growth.py [--postgresql] [--entries 10000 100000 1000000]

A database is filled by SQL (`tests/support/big_store.py`) with entries, a fifth of them matched,
and 5,000 therapies of 20 terms. Then 200 new entries, each about one therapy, are matched
`--rounds` times; the first round, which prepares the terms, is a figure of its own, and so is a run
with nothing to match. Times are processor time of this process, which other programs do not spoil;
what a PostgreSQL server spends is not in it, so there the wall time is given as well.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlalchemy import insert

from bench import figures
from bench.figures import Figure, alone
from bench.matching import random_terms, random_word
from notifier.deps import Deps
from notifier.pipeline import match
from notifier.store import db
from notifier.store.models import Entry, Revision, Term
from tests.support import big_store, mail_sink, news_site, postgres
from tests.support.installation import MONDAY, Installation

PROFILES, NEW, WORDS = 5_000, 200, 300
NOW = MONDAY + timedelta(days=400)


def give_terms(deps: Deps, chance: random.Random) -> list[str]:
    """Give every therapy but the bundled one its terms; return a name of each."""
    names, rows = [], []
    for profile_id in range(2, PROFILES + 1):
        name = f"{random_word(chance)}{random_word(chance)}mab"
        names.append(name)
        specs = {(spec.kind, spec.text) for spec in random_terms(chance)} | {("name", name)}
        rows += [
            {"profile_id": profile_id, "kind": kind, "text": text, "also": []}
            for kind, text in sorted(specs)
        ]
    with deps.writing() as session:
        session.connection().execute(insert(Term), rows)
        session.connection().exec_driver_sql("DELETE FROM source_profile")
    return names


def store_news(deps: Deps, chance: random.Random, names: list[str], first_id: int) -> None:
    """Store new entries as a poll does."""
    entries, revisions = [], []
    for number in range(first_id, first_id + NEW):
        words = [random_word(chance) for _ in range(WORDS)]
        title = f"{chance.choice(names)} {' '.join(words[:8])}"
        url = f"https://news.example.org/new/{number}"
        entries.append(
            {
                "id": number,
                "source_id": 1 + number % PROFILES,
                "key": f"new {number}",
                "url": url,
                "title": title,
                "first_seen_at": NOW,
            }
        )
        revisions.append(
            {
                "id": number,
                "entry_id": number,
                "number": 1,
                "hash": f"{number:064}",
                "kind": "new",
                "material": True,
                "baseline": False,
                "observed_at": NOW,
                "url": url,
                "title": title,
                "summary": "",
                "body": " ".join(words),
                "author": "",
                "categories": [],
                "content": {},
                "changes": [],
            }
        )
    with deps.writing() as session:
        session.connection().execute(insert(Entry), entries)
        session.connection().execute(insert(Revision), revisions)


def milliseconds(work: Callable[[], object], *, wall: bool) -> float:
    """Return the processor time of a call in this process, or its wall time."""
    clock = time.perf_counter if wall else time.process_time
    began = clock()
    work()
    return (clock() - began) * 1000


def measure(url: str, count: int, rounds: int) -> Iterator[Figure]:
    """Fill a database with so many entries, and match new ones in it."""
    engine = db.make_engine(url)
    db.upgrade(engine)
    with news_site.running() as site, mail_sink.running() as sink:
        installation = Installation(engine, site, sink)
        installation.adopt()
        sizes = big_store.Sizes(1, PROFILES, PROFILES, count, max(count // 5, 1))
        big_store.fill(engine, sizes, NOW)
        deps = installation.at(NOW)
        chance = random.Random(7)
        names = give_terms(deps, chance)
        wall = engine.dialect.name != "sqlite"
        at: dict[str, str | float] = {"entries": count, "database": engine.dialect.name}
        runs = []
        for number in range(rounds + 1):
            store_news(deps, chance, names, count + 1 + number * NEW)
            runs.append(milliseconds(lambda: match.run(deps), wall=wall))
        idle = [milliseconds(lambda: match.run(deps), wall=wall) for _ in range(rounds)]
    engine.dispose()
    store = f"{count:,} in the store, {engine.dialect.name}"
    yield alone(f"Matching {NEW} new entries, {store}", runs[1:], unit="ms", at=at)
    yield alone(f"Preparing the terms and matching them, {store}", runs[:1], unit="ms", at=at)
    yield alone(f"Matching with nothing new, {store}", idle, unit="ms", at=at)


def main() -> None:
    """Measure each size of the store, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    measured: list[Figure] = []
    for count in sorted(options.entries):
        with ExitStack() as stack:
            if options.postgresql:
                server = stack.enter_context(postgres.server())
                url = stack.enter_context(postgres.database(server))
            else:
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                url = f"sqlite:///{folder}/subscribers.db"
            measured += measure(url, count, options.rounds)
    figures.show(measured)


if __name__ == "__main__":
    main()
