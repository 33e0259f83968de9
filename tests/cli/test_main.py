"""The command line as a whole: settings, errors, exit codes, the clock, the start."""

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from freezegun import freeze_time


def test_the_settings_file_may_be_named_before_or_after_the_command(notifier, home: Path):
    (home / "elsewhere").mkdir()
    config = str(home / "elsewhere" / "x.toml")
    assert notifier("--config", config, "init", "--no-poll").code == 0
    assert (home / "elsewhere" / "subscribers.db").exists()
    assert not (home / "subscribers.db").exists()
    assert len(notifier("profiles", "list", "--json", "--config", config).json) == 1


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["subscribe", "not an address"], "is not a usable e-mail address"),
        (["subscribe", "a@example.org", "--time-zone", "Mars/Olympus"], "no time zone"),
        (["subscribe", "a@example.org", "--at", "25:00"], "not a time of day"),
        (["subscribe", "a@example.org", "--every", "hourly"], "immediate, daily, weekly, monthly"),
        (["subscribe", "a@example.org", "--on", "someday"], "not a weekday"),
        (["subscribe", "a@example.org", "--now", "yesterday"], "ISO 8601"),
        (["subscribe"], "Missing argument"),
        (["sources", "add", "ftp://x"], "cannot be watched"),
        (["sources", "add", "https://x.example.org/", "--kind", "podcast"], "feed, page, registry"),
        (["preview", "--since", "soon"], "12h, 30d or 4w"),
        (["preview", "--language", "tlh"], "Choose one of: en, de, fr, es."),
        (["preview", "--edition", "doctor"], "Choose one of: patient, clinician."),
        (["preview", "--since", "30d", "--send-to", "nobody"], "is not a usable e-mail address"),
        (["subscribe", "x@example.org", "--language", "klingon"], "Choose one of: en, de, fr, es."),
        (
            ["subscribe", "x@example.org", "--edition", "short"],
            "Choose one of: patient, clinician.",
        ),
        (["explain"], "no text to judge"),
        (["explain", "--body", "/nowhere/at/all"], "cannot be read"),
        (["profiles", "import", "/nowhere.toml"], "cannot be read"),
        (["nonsense"], "No such command"),
        (["run", "--nonsense"], "No such option"),
    ],
)
def test_a_wrong_call_says_what_to_do_and_exits_with_2(ready, args: list[str], expected: str):
    result = ready(*args)
    assert result.code == 2
    assert expected in " ".join(re.sub(r"[│╭╰─╮╯]", " ", result.err).split())
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["sources", "remove", "99"], "There is no source 99"),
        (["entries", "show", "99"], "There is no entry 99"),
        (["digests", "show", "99"], "There is no digest 99"),
        (["profiles", "show", "nothing"], "There is no profile nothing"),
        (["preview", "--to", "nobody@example.org"], "no confirmed subscription"),
        (["subscribers", "show", "nobody@example.org"], "Nobody is stored"),
    ],
)
def test_something_that_does_not_exist_is_reported_with_exit_code_1(
    ready, args: list[str], expected: str
):
    result = ready(*args)
    assert result.code == 1
    assert expected in result.err


def test_a_wrong_setting_is_refused_at_start(notifier, home: Path):
    notifier("init", "--no-poll")
    config = home / "notifier.toml"
    config.write_text(config.read_text().replace("port = 25", 'port = "many"'))
    result = notifier("run", "--once")
    assert result.code == 2
    assert "Wrong setting smtp.port in notifier.toml" in result.err
    assert "many" not in result.err  # whatever was put there


@pytest.mark.long
def test_a_locked_database_is_reported(ready, home: Path):
    holder = sqlite3.connect(home / "subscribers.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    result = ready("subscribe", "anna@example.org")
    holder.close()
    assert result.code == 1
    assert "locked by another program" in result.err
    assert ready("subscribe", "anna@example.org").code == 0


def test_a_database_of_a_newer_notifier_is_refused(ready, home: Path):
    with sqlite3.connect(home / "subscribers.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    result = ready("sources", "list")
    assert result.code == 1
    assert "newer notifier" in result.err


def test_without_now_the_real_clock_counts(ready):
    with freeze_time("2026-07-01 12:00:00"):
        result = ready(
            "subscribe", "anna@example.org", "--every", "monthly", "--on", "31", "--confirmed"
        )
    assert "2026-07-31T08:00:00+00:00" in result.out


@pytest.mark.parametrize("command", ["--help", "sources --help", "subscribe --help", "--version"])
def test_help_and_version_load_no_heavy_package(command: str):
    code = (
        "import sys; from notifier.__main__ import main; sys.argv[1:] = sys.argv[1].split()\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'sqlalchemy', 'aiohttp', 'feedparser', 'jinja2', 'lxml', 'starlette'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, command], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
