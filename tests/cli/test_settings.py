"""`notifier settings`."""

from pathlib import Path

import pytest

from notifier.settings import Settings
from tests.test_docs import keys

FILE = """\
secret_key = "a key that nobody may read"
database_url = "postgresql://notifier:pa55word@db.example.org/notifier"

[smtp]
port = 587
password = "pa55word"

[watch]
proxy = "http://me:pa55word@proxy.example.org:3128"
"""


@pytest.fixture
def listed(notifier, home: Path, monkeypatch: pytest.MonkeyPatch):
    """The settings by key, with a file and a variable."""
    (home / "notifier.toml").write_text(FILE)
    monkeypatch.setenv("NOTIFIER_SMTP__CONNECTIONS", "8")
    return {row["key"]: row for row in notifier("settings", "--json").json}


def test_every_setting_is_listed(listed):
    assert set(listed) == set(keys(Settings))
    assert listed["smtp.warm_up"]["variable"] == "NOTIFIER_SMTP__WARM_UP"


@pytest.mark.parametrize(
    ("key", "value", "default", "origin"),
    [
        ("smtp.port", 587, 25, "file"),
        ("smtp.connections", 8, 4, "environment"),
        ("smtp.host", "127.0.0.1", "127.0.0.1", "default"),
        ("sender.address", None, None, "default"),
        ("secret_key", "(hidden)", None, "file"),
        ("suppression_key", "", None, "default"),
        ("smtp.password", "(hidden)", None, "file"),
        ("smtp.allow_plaintext_password", False, False, "default"),
        ("watch.proxy", "http://me:(hidden)@proxy.example.org:3128", None, "file"),
    ],
)
def test_a_setting_has_its_value_default_and_origin(
    listed, key: str, value: object, default: object, origin: str
):
    row = listed[key]
    assert (row["value"], row["default"], row["origin"]) == (value, default, origin)


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["for people", "json"])
def test_no_secret_is_shown(notifier, listed, options: tuple[str, ...]):
    shown = notifier("settings", *options)
    assert "pa55word" not in shown.out
    assert "nobody may read" not in shown.out
    assert "postgresql://notifier:(hidden)@db.example.org/notifier" in shown.out


def test_people_read_a_line_for_each_setting(notifier, listed, home: Path):
    lines = notifier("settings").out.splitlines()
    assert lines[0] == f"# {home}/notifier.toml"
    (port,) = [line for line in lines if line.startswith("smtp.port = ")]
    assert port.split() == ["smtp.port", "=", "587", "#", "notifier.toml;", "default:", "25"]
    (number,) = [line for line in lines if line.startswith("smtp.connections = ")]
    assert "# NOTIFIER_SMTP__CONNECTIONS; default: 4" in number


def test_a_value_from_a_file_of_its_own_has_the_variable_that_names_the_file(
    notifier, home: Path, monkeypatch: pytest.MonkeyPatch
):
    (home / "smtp_password").write_text("pa55word\n")
    monkeypatch.setenv("NOTIFIER_SMTP__PASSWORD_FILE", str(home / "smtp_password"))
    rows = {row["key"]: row for row in notifier("settings", "--json").json}
    assert rows["smtp.password"] == {
        "key": "smtp.password",
        "value": "(hidden)",
        "default": None,
        "origin": "environment",
        "variable": "NOTIFIER_SMTP__PASSWORD_FILE",
    }
    lines = notifier("settings").out.splitlines()
    (line,) = [line for line in lines if line.startswith("smtp.password = ")]
    assert line.endswith("# NOTIFIER_SMTP__PASSWORD_FILE")


def test_without_a_file_all_defaults_are_shown(notifier):
    shown = notifier("settings")
    assert shown.code == 0
    assert "there is no such file" in shown.out
    assert "smtp.port = 25" in shown.out


def test_a_wrong_setting_is_refused(notifier, home: Path):
    (home / "notifier.toml").write_text("[smtp]\nprot = 1\n")
    refused = notifier("settings")
    assert (refused.code, "Did you mean port?" in refused.err) == (2, True)
