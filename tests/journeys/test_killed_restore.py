"""A restore is killed at any of its lines: the old database or the new one is there, whole."""

import random
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from notifier.admin import backup
from notifier.errors import NotifierError
from notifier.store import backup_state, db
from notifier.store.models import Subscriber, Subscription
from notifier.subscribers import subscriptions
from tests.support import postgres_programs
from tests.support.installation import MONDAY, Installation
from tests.support.paths import ROOT
from tests.support.restoring import back_up, put_back, restorable

SEED = 20261126
LEFT, STAYED, NEW = "left@example.org", "stayed@example.org", "new@example.org"
HOUR = timedelta(hours=1)


def restoring(installation: Installation, file: Path, moment: datetime, line: int):
    """Run a restore in a process of its own, which is killed at a line of it."""
    deps = installation.at(moment)
    deps.engine.dispose()
    arguments = (
        deps.settings.database_url,
        str(file),
        str(deps.settings.backup.journal_file),
        moment.isoformat(),
        str(line),
    )
    command = [sys.executable, "-m", "tests.support.restoring_process", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def people(installation: Installation) -> dict[str, str] | None:
    """Who is there with which status; None if the database is refused until the restore is done."""
    deps = installation.at(MONDAY)
    try:
        db.upgrade(deps.engine, create=False)
    except NotifierError:
        return None
    with deps.reading() as session:
        is_restored = backup_state.restored(session) is not None
        rows = session.execute(select(Subscriber.email, Subscription.status).join(Subscription))
        found_people = {email: str(status) for email, status in rows}
    deps.engine.dispose()
    assert is_restored is (NEW not in found_people), "no restored database without its note"
    return found_people


def kind_of(installation: Installation) -> str:
    """The kind of the installation's database."""
    return installation.at(MONDAY).engine.dialect.name


def kill(installation: Installation, folder: Path, number: int, seed: int) -> None:
    """Kill so many restores, each at a line that is chosen at random, and let the last one end."""
    for email in (LEFT, STAYED):
        installation.subscribe(email)
    file = back_up(installation, folder / "monday.backup", MONDAY)
    installation.subscribe(NEW)
    with installation.at(MONDAY + HOUR).writing() as session:
        subscriptions.unsubscribe(session, LEFT, None, "operator test", MONDAY + HOUR)
    old = {LEFT: "ended", STAYED: "confirmed", NEW: "confirmed"}
    new = {LEFT: "ended", STAYED: "confirmed"}
    second = back_up(installation, folder / "later.backup", MONDAY + HOUR)
    moment = MONDAY + 2 * HOUR
    # The first one ends, and tells how many lines there are.
    whole = restoring(installation, second, moment, 0)
    assert whole.returncode == 0, whole.stderr
    lines = int(whole.stdout)
    with installation.at(moment).writing() as session:
        backup_state.end_restore(session)
    assert people(installation) == old
    chance, state = random.Random(seed), old
    for _ in range(number):
        moment += timedelta(minutes=1)
        killed = restoring(installation, file, moment, chance.randint(1, lines))
        assert killed.returncode in (-9, 0), killed.stderr
        current = people(installation)
        assert current in (state, new, None)
        if kind_of(installation) == "sqlite":
            assert current is not None, "the name leads to a database at each moment"
        state = new if current == new else state
    put_back(installation, file, moment + HOUR)
    assert people(installation) == new
    left_behind = [path.name for path in folder.glob(".*.restoring*")]
    assert left_behind == []
    assert backup.check(file).subscriptions == 2


@pytest.fixture
def kept(any_installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    postgres_programs.provide(monkeypatch)
    with restorable(any_installation, tmp_path) as installation:
        yield installation


@pytest.mark.long
@pytest.mark.parametrize("seed", [SEED, SEED + 1])
def test_twelve_kills_leave_one_whole_database(kept: Installation, tmp_path: Path, seed: int):
    kill(kept, tmp_path, 12, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_two_hundred_kills_leave_one_whole_database(kept: Installation, tmp_path: Path, seed: int):
    kill(kept, tmp_path, 20, seed)
