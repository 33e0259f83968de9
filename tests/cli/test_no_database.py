"""A command that needs the database and finds none exits with 2, and makes none."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from notifier.store import db
from tests.support.command_line import Result
from tests.support.installation import SUPPRESSION_KEY

COMMANDS = [
    "run --once",
    "poll",
    "serve --port 0",
    "clock",
    "subscribe anna@example.org",
    "unsubscribe anna@example.org",
    "subscribers list",
    "subscribers export",
    "sources list",
    "sources add https://news.example.org",
    "entries list",
    "matches list",
    "profiles list",
    "digests list",
    "deliveries list",
    "preview",
    "backtest",
]


def assert_refused(result: Result) -> None:
    assert result.code == 2
    assert "no database of notifier" in result.err
    assert "notifier init" in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_without_settings_is_refused_and_makes_no_file(
    notifier, home: Path, command: str
):
    assert_refused(notifier(*command.split()))
    assert list(home.iterdir()) == []


def test_a_database_that_was_moved_away_is_not_made_again(ready, home: Path):
    (home / "subscribers.db").rename(home / "elsewhere.db")
    assert_refused(ready("run", "--once"))
    assert not (home / "subscribers.db").exists()


@pytest.mark.parametrize("url", ["sqlite:///away/subscribers.db", "sqlite:///typo.db"])
def test_a_path_that_does_not_exist_is_refused(
    notifier, home: Path, monkeypatch: pytest.MonkeyPatch, url: str
):
    monkeypatch.setenv("NOTIFIER_DATABASE_URL", url)
    monkeypatch.setenv("NOTIFIER_SUPPRESSION_KEY", SUPPRESSION_KEY)
    assert_refused(notifier("deliveries", "list"))
    assert list(home.iterdir()) == []


def test_an_empty_file_is_no_database(notifier, home: Path, monkeypatch: pytest.MonkeyPatch):
    (home / "subscribers.db").touch()
    monkeypatch.setenv("NOTIFIER_SUPPRESSION_KEY", SUPPRESSION_KEY)
    assert_refused(notifier("sources", "list"))


def test_an_empty_database_of_a_server_is_refused_and_filled_by_init(
    notifier, postgres_url: str, monkeypatch: pytest.MonkeyPatch
):
    engine = db.make_engine(postgres_url)
    drop_all(engine)
    monkeypatch.setenv("NOTIFIER_DATABASE_URL", postgres_url)
    monkeypatch.setenv("NOTIFIER_SUPPRESSION_KEY", SUPPRESSION_KEY)
    assert_refused(notifier("sources", "list"))
    assert notifier("init", "--no-poll").code == 0
    assert notifier("sources", "list").code == 0
    drop_all(engine)
    db.upgrade(engine)
    engine.dispose()


def drop_all(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))


@pytest.mark.parametrize("command", ["--help", "dkim --help"])
def test_what_needs_no_database_works_without_one(notifier, home: Path, command: str):
    assert notifier(*command.split()).code == 0
    assert list(home.iterdir()) == []


def test_init_makes_the_database(notifier, home: Path):
    assert notifier("init", "--no-poll").code == 0
    assert (home / "subscribers.db").exists()
    assert notifier("subscribers", "list").code == 0
