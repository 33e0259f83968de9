"""`notifier docs`."""

from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def test_every_document_is_listed_with_its_title(notifier):
    shown = notifier("docs").out
    for path in DOCS.glob("*.md"):
        title = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        assert f"  {path.stem:<14} {title}" in shown
    assert "  readme         notifier" in shown


@pytest.mark.parametrize("name", ["settings", "SETTINGS", "docs/settings.md", "settings.md"])
def test_a_page_is_printed_whole(notifier, name: str):
    assert notifier("docs", name).out == (DOCS / "settings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "fix"),
    [("runing", "Did you mean running?"), ("xyz", "architecture, "), ("../NOTICE", "readme")],
)
def test_a_page_that_does_not_exist_is_refused_with_those_there_are(notifier, name: str, fix: str):
    refused = notifier("docs", name)
    assert refused.code == 2
    assert fix in refused.err
