"""`notifier work` and `notifier db`: what they refuse, what they say, and with which exit code."""

import json
import shutil
from pathlib import Path

import pytest
from alembic import command

from notifier.store import db
from tests.support.command_line import Result


@pytest.fixture
def initialised_home(home: Path, initialised: Path) -> Path:
    """A folder as `init` makes it."""
    shutil.copytree(initialised, home, dirs_exist_ok=True)
    return home


def taken_back(folder: Path, schema: str) -> None:
    """Take the schema of the folder's database back to an older version's."""
    engine = db.make_engine(f"sqlite:///{folder / 'subscribers.db'}")
    with engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
        config = db.alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, schema)
        connection.commit()
        connection.invalidate()
    engine.dispose()


def test_on_sqlite_work_says_what_to_do(initialised_home: Path, notifier):
    result: Result = notifier("work")
    assert result.code == 2
    assert "needs PostgreSQL" in result.err
    assert "notifier run" in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize("kinds", ["sweep", "poll,sweep", ","])
def test_work_of_an_unknown_kind_is_refused(initialised_home: Path, notifier, kinds: str):
    result: Result = notifier("work", "--only", kinds)
    assert result.code == 2
    assert "poll, compose, deliver" in result.err


@pytest.mark.parametrize(
    "url",
    ["postgresql://someone:secret@127.0.0.1:1/none", "postgresql://someone@/none?host=/nowhere"],
    ids=["nothing listens", "no socket"],
)
def test_work_without_a_server_says_so_without_a_password(
    initialised_home: Path, notifier, monkeypatch: pytest.MonkeyPatch, url: str
):
    monkeypatch.setenv("NOTIFIER_DATABASE_URL", url)
    result: Result = notifier("work")
    assert result.code == 1
    assert "Check database_url and the server behind it." in result.err
    assert "secret" not in result.err
    assert "Traceback" not in result.err


def test_status_shows_both_schemas_and_changes_nothing(initialised_home: Path, notifier):
    newest = db.newest_migration()
    result: Result = notifier("db", "status", "--json")
    assert result.code == 0
    assert json.loads(result.out) == {
        "database": "sqlite",
        "schema": newest,
        "newest": newest,
        "ok": True,
        "backed_up_at": None,
        "backup_file": None,
    }
    taken_back(initialised_home, "0007")
    result = notifier("db", "status", "--json")
    assert result.code == 1
    assert json.loads(result.out)["schema"] == "0007"
    result = notifier("db", "status")
    assert result.code == 1
    assert "notifier db upgrade" in result.out


def test_upgrade_upgrades_once(initialised_home: Path, notifier):
    taken_back(initialised_home, "0007")
    result: Result = notifier("db", "upgrade")
    assert (result.code, result.out) == (0, f"The schema is {db.newest_migration()} now.\n")
    result = notifier("db", "upgrade")
    assert (result.code, result.out) == (
        0,
        f"Nothing to do: the schema is {db.newest_migration()}.\n",
    )


def test_without_a_database_neither_makes_one(home: Path, notifier, initialised: Path):
    settings = (initialised / "notifier.toml").read_text(encoding="utf-8")
    (home / "notifier.toml").write_text(settings, encoding="utf-8")
    for verb in ("status", "upgrade"):
        result: Result = notifier("db", verb)
        assert result.code == 2
        assert "notifier init" in result.err
    assert not (home / "subscribers.db").exists()
