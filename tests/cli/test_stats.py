"""`notifier stats`: counts, small plots, and JSON."""

import os
import subprocess
import sys

import pytest

from notifier.cli import plots
from tests.support import news_site as sites
from tests.support.command_line import LATER, NOW
from tests.support.news_site import Article, Site
from tests.support.paths import ROOT


@pytest.fixture
def sent(ready, site: Site):
    ready("subscribe", "anna@example.org", "--confirmed", "--every", "daily", *NOW)
    ready("run", "--once", *NOW)
    site.put("/feed/", sites.rss([Article("Frexalimab calms the disease")]))
    ready("run", "--once", *LATER)
    return ready


def test_the_json_document_has_the_promised_fields(sent):
    document = sent("stats", "--json", *LATER).json
    assert document["sources"]["healthy"] == 1
    assert document["entries"] == 1
    assert document["matches"]["about"] == 1
    assert document["subscribers"]["confirmed"] == 1
    assert document["deliveries"]["sent"] == 1
    (week,) = document["weeks"]
    assert (week["week"], week["delivered"], week["confirmed"]) == ("2026-03-02", 1, 1)
    assert "anna" not in str(document)


def test_the_text_fits_into_80_columns_and_has_a_plot_of_each_series(
    sent, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "80")
    out = sent("stats", "--now", "2026-05-20T09:00Z").out
    assert max(map(len, out.splitlines())) <= 80
    assert "subscriptions 1 confirmed" in out
    (line,) = [line for line in out.splitlines() if line.startswith("  delivered")]
    assert "█▁▁▁▁▁▁▁▁▁▁▁" in line
    assert "1 in all" in line


def test_many_weeks_are_gathered_in_few_columns(sent, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = sent("stats", "--since", "2026-03-01", "--now", "2028-05-20T09:00Z").out
    assert "a column for 4 weeks" in out
    assert max(map(len, out.splitlines())) <= 80


def test_an_installation_in_which_nothing_happened_says_so(ready):
    result = ready("stats", *NOW)
    assert result.code == 0
    assert "Nothing has happened yet" in result.out


@pytest.mark.parametrize(
    ("values", "blocks", "ascii_plot"),
    [
        ([], "", ""),
        ([0, 0], "▁▁", "__"),
        ([0, 1, 50, 100], "▁▂▅█", "_.:#"),
        ([None, 3], " █", " #"),
        ([7], "█", "#"),
    ],
    ids=["none", "nothing", "a little is seen", "unknown", "one"],
)
def test_a_plot_is_a_row_of_characters(values: list, blocks: str, ascii_plot: str):
    assert plots.row(values) == blocks
    assert len(plots.row(values, plots.ASCII)) == len(ascii_plot)
    assert plots.row(values, plots.ASCII)[-1:] == ascii_plot[-1:]


def test_groups_are_summed_from_the_newest():
    assert plots.gathered([1, 2, 3, 4, 5], 2) == [1, 5, 9]
    assert plots.gathered([1, 2, 3, 4], 2, last=True) == [2, 4]
    assert plots.gathered([None, None, 3], 2) == [None, 3]
    assert plots.gathered([1, 2], 1) == [1, 2]


@pytest.mark.long
def test_a_terminal_that_cannot_show_blocks_gets_plain_characters(sent, home):
    command = [sys.executable, "-m", "notifier", "stats", *LATER]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, cwd=home, env=environment, capture_output=True, check=True)
    assert b"#" in result.stdout
    assert b"\\u25" not in result.stdout
