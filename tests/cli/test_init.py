"""`notifier init`."""

import json
from pathlib import Path


def test_init_makes_everything_once_and_nothing_twice(notifier, home: Path):
    first = notifier("init")
    assert first.code == 0
    assert "Loaded the profile Frexalimab with 8 sources" in first.out
    assert (home / "notifier.toml").stat().st_mode & 0o077 == 0
    before = (home / "notifier.toml").read_bytes()
    listed = notifier("sources", "list", "--json").out
    assert notifier("init").code == 0
    assert (home / "notifier.toml").read_bytes() == before
    assert notifier("sources", "list", "--json").out == listed
    assert {source["kind"] for source in json.loads(listed)} == {"feed", "page", "registry"}


def test_init_with_a_wrong_option_writes_nothing(notifier, home: Path):
    assert notifier("init", "--now", "tomorrow").code == 2
    assert list(home.iterdir()) == []


def test_init_does_not_bring_back_a_source_that_was_removed(notifier):
    notifier("init")
    notifier("sources", "remove", "1")
    notifier("init")
    assert len(notifier("sources", "list", "--json").json) == 7
