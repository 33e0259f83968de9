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


@pytest.mark.parametrize(
    ("zone", "until", "end"),
    [
        ("America/Los_Angeles", "2026-04-01", "2026-04-01T07:00:00+00:00"),
        ("Pacific/Auckland", "2026-04-01", "2026-03-31T11:00:00+00:00"),
        ("America/Los_Angeles", "2026-04-01T08:00:00Z", "2026-04-01T08:00:00+00:00"),
    ],
)
def test_a_pause_ends_with_the_day_of_the_person(
    ready, home: Path, zone: str, until: str, end: str
):
    address = "anna@example.org"
    ready("subscribe", address, "--confirmed", "--time-zone", zone, *NOW)
    assert ready("subscribers", "pause", address, "--until", until, *NOW).code == 0
    assert ready("subscribers", "export", address).json["subscriptions"][0]["paused_until"] == end
    (home / "list.csv").write_text(
        f"email,time_zone,status,paused_until\nben@example.org,{zone},paused,{until}\n"
    )
    assert ready("subscribers", "import", "list.csv", "--confirmed", *NOW).code == 0
    exported = ready("subscribers", "export", "ben@example.org").json
    assert exported["subscriptions"][0]["paused_until"] == end


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


def subscription_of(ready, email: str = "anna@example.org") -> dict:
    (person,) = [
        row for row in ready("subscribers", "list", "--json").json if row["email"] == email
    ]
    return {**person, **person["subscriptions"][0]}


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        (["--every", "daily"], {"cadence", "schedule", "next_due_at"}),
        (["--at", "18:30"], {"schedule", "next_due_at"}),
        (["--on", "friday"], {"schedule", "next_due_at"}),
        (["--time-zone", "America/New_York"], {"schedule", "time_zone", "next_due_at"}),
        (["--edition", "clinician"], {"edition"}),
        (["--language", "fr"], {"language"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_named_of_a_choice_changes_and_nothing_else(
    ready, options: list[str], changed: set[str]
):
    ready("subscribe", "anna@example.org", "--confirmed", "--on", "wednesday", *NOW)
    before = subscription_of(ready)
    result = ready("subscribers", "edit", "anna@example.org", *options, *NOW)
    assert (result.code, result.out.startswith("anna@example.org: frexalimab")) == (0, True)
    after = subscription_of(ready)
    del before["subscriptions"], after["subscriptions"]
    assert {key for key in after if after[key] != before[key]} == changed
    assert ready("deliveries", "list", "--json").json == []


def test_a_sign_up_that_waits_for_its_confirmation_may_be_edited_and_waits_on(ready):
    ready("subscribe", "anna@example.org", *NOW)
    assert ready("subscribers", "edit", "anna@example.org", "--every", "monthly", *NOW).code == 0
    assert (subscription_of(ready)["cadence"], subscription_of(ready)["status"]) == (
        "monthly",
        "pending",
    )
    assert len(ready("deliveries", "list", "--json").json) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["anna@example.org"], 2, "Nothing was named"),
        (["anna@example.org", "--at", "25:00"], 2, "not a time of day"),
        (["anna@example.org", "--every", "daily", "--on", "monday"], 2, "--on"),
        (["anna@example.org", "--every", "daily", "--profile", "x"], 1, "There is no profile x"),
        (["nobody@example.org", "--every", "daily"], 1, "notifier subscribe nobody@example.org"),
        (["gone@example.org", "--every", "daily"], 1, "has no subscription that could be changed"),
        (["anna", "--every", "daily"], 2, "is not a usable e-mail address"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_change_of_a_choice_is_refused(ready, arguments: list[str], code: int, words: str):
    for email in ("anna@example.org", "gone@example.org"):
        ready("subscribe", email, "--confirmed", *NOW)
    ready("unsubscribe", "gone@example.org", *NOW)
    before = ready("subscribers", "list", "--json").json
    result = ready("subscribers", "edit", *arguments, *NOW)
    assert result.code == code
    assert words in result.err
    assert ready("subscribers", "list", "--json").json == before
