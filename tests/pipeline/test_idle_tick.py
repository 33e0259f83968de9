"""A tick with nothing due costs the same however much is stored (SQLite counts its own steps)."""

import shutil
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event

from notifier.pipeline import measurements, monitoring, retention, unsent
from notifier.pipeline.problems import Problems
from notifier.pipeline.run import steps
from notifier.store import db
from tests.support import big_store
from tests.support.installation import MONDAY, Installation

NOW = MONDAY + timedelta(days=400)
SMALL = big_store.Sizes(subscribers=200, profiles=20, sources=20, entries=200, matches=100)
LARGE = big_store.Sizes(subscribers=2000, profiles=200, sources=200, entries=2000, matches=1000)
# Instructions of SQLite's machine that a step may cost more in a store of ten times the size: those
# of deeper indexes.
DEEPER = 1.2
# Planning has tests of its own.
ELSEWHERE = {"compose"}


@contextmanager
def counted(engine: Engine):
    """Count the instructions of SQLite's machine, in tens."""
    count = Counter()

    def add() -> None:
        count["tens"] += 1

    def watch(connection, *_) -> None:
        connection.set_progress_handler(add, 10)

    event.listen(engine, "checkout", watch)
    yield count
    event.remove(engine, "checkout", watch)


def costs(installation: Installation, sizes: big_store.Sizes) -> Counter:
    """The cost of each step of a tick with nothing due, in a store of a size."""
    operator = installation.at(NOW).settings.operator
    installation.change(operator=operator.model_copy(update={"address": "ops@example.org"}))
    deps = installation.at(NOW)
    big_store.fill(deps.engine, sizes, NOW)
    costs = Counter()
    for tick in ("first", "measured"):
        problems = Problems()
        for name, run in steps(deps, problems).items():
            with counted(deps.engine) as count:
                run()
            if tick == "measured":
                costs[name] = count["tens"]
        assert problems.lines == []
    with counted(deps.engine) as count, deps.reading() as session:
        monitoring.checks(session, NOW)
    costs["/healthz"] = count["tens"]
    with counted(deps.engine) as count, deps.reading() as session:
        numbers = measurements.read(session, NOW, db.newest_migration())
    assert numbers.deliveries["sent"] > sizes.subscribers * 4
    costs["/metrics"] = count["tens"]
    with counted(deps.engine) as count:
        unsent.owe_again(deps, NOW)
    costs["what is owed again"] = count["tens"]
    return costs


@pytest.fixture(autouse=True)
def _in_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first tick remove and count all that is old."""
    monkeypatch.setattr(retention, "_LONGEST_RUN", 60.0)
    monkeypatch.setattr(retention, "_PAUSE", 0.0)


@pytest.fixture
def small(installation: Installation) -> Counter:
    return costs(installation, SMALL)


def test_no_step_of_an_idle_tick_costs_more_in_a_larger_store(
    small: Counter, adopted, tmp_path, site, sink
):
    path = tmp_path / "large.db"
    shutil.copy(adopted, path)
    engine = db.make_engine(f"sqlite:///{path}")
    large = costs(Installation(engine, site, sink), LARGE)
    engine.dispose()
    grown = {
        name: (small[name], large[name])
        for name in large
        if name not in (*ELSEWHERE, "/metrics") and large[name] > small[name] * DEEPER + 20
    }
    assert grown == {}
    # The sources are counted, at most twenty instructions each: there are thousands, not millions.
    more = LARGE.sources - SMALL.sources
    assert large["/metrics"] <= small["/metrics"] * DEEPER + 2 * more
