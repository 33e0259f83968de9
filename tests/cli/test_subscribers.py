"""`notifier subscribers`."""

from pathlib import Path

import pytest

from tests.support.command_line import NOW


def test_a_list_is_imported_with_a_report_and_exported_again(ready, home: Path):
    (home / "list.csv").write_text(
        "\ufeffemail;every\nanna@example.org;daily\nwrong;daily\n", encoding="utf-8"
    )
    dry = ready("subscribers", "import", "list.csv", "--confirmed", "--dry-run", *NOW)
    assert dry.code == 1
    assert "line 3: invalid" in dry.out
    assert "Nothing was stored" in dry.out
    assert ready("subscribers", "list", "--json").json == []
    report = ready("subscribers", "import", "list.csv", "--confirmed", "--json", *NOW).json
    assert (report["added"], report["invalid"], report["lines"][0]) == (
        1,
        1,
        {"line": 2, "result": "added", "reason": ""},
    )
    assert (
        ready("subscribers", "export")
        .out.splitlines()[1]
        .startswith("anna@example.org,frexalimab,daily,08:00,")
    )
    assert ready("subscribers", "export", "--format", "jsonl", "--out", "all.jsonl").code == 0
    assert (home / "all.jsonl").stat().st_mode & 0o077 == 0
    again = ready("subscribers", "import", "all.jsonl", "--confirmed", *NOW)
    assert "1 known" in again.out


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("none.csv", None, "cannot be read"),
        ("office.xlsx", b"PK\x03\x04 and so on", "save it as CSV"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(1, 200)), "not text"),
        ("names.csv", b"name\nanna\n", "--column email=name"),
    ],
)
def test_a_file_that_is_not_a_list_is_refused_with_the_fix(
    ready, home: Path, name: str, content: bytes | None, expected: str
):
    if content is not None:
        (home / name).write_bytes(content)
    refused = ready("subscribers", "import", name, *NOW)
    assert refused.code == 2
    assert expected in refused.err


def test_a_person_is_paused_resumed_exported_and_erased(ready):
    ready("subscribe", "anna@example.org", "--confirmed", "--every", "daily", *NOW)
    assert (
        "Paused 1 subscription"
        in ready("subscribers", "pause", "anna@example.org", "--until", "2026-04-01", *NOW).out
    )
    (person,) = ready("subscribers", "list", "--json").json
    assert person["subscriptions"][0]["status"] == "paused"
    assert (
        ready("subscribers", "pause", "anna@example.org", "--until", "2020-01-01", *NOW).code == 2
    )
    assert ready("subscribers", "resume", "anna@example.org", *NOW).code == 0
    assert ready("subscribers", "resume", "anna@example.org", *NOW).code == 1
    held = ready("subscribers", "export", "anna@example.org").json
    assert (held["email"], held["consent"][0]["event"]) == ("anna@example.org", "given")
    assert "is erased" in ready("subscribers", "erase", "anna@example.org", *NOW).out
    assert ready("subscribers", "erase", "anna@example.org", *NOW).code == 1
    assert ready("subscribers", "export", "anna@example.org").code == 1
    refused = ready("subscribe", "anna@example.org", "--confirmed", *NOW)
    assert refused.code == 1
    assert "suppressed: erased" in refused.err
