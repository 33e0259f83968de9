"""A row that cannot be read hides nobody from lists and exports."""

import csv
import io
from pathlib import Path

import pytest
from sqlalchemy import select, text

from notifier.enums import SignupRequestKind, SuppressionCause
from notifier.store.models import Subscriber
from notifier.subscribers import signup_requests, suppressions
from tests.support.command_line import run_command
from tests.support.installation import MONDAY, Installation

# Values that no version of this program writes: other tools', or of a faulty disk.
DAMAGED = {
    "cadence": "UPDATE subscription SET cadence='hourly'",
    "status": "UPDATE subscription SET status='lost'",
    "edition": "UPDATE subscription SET edition='robot'",
    "time of day": "UPDATE subscription SET at='25:99'",
    "day": """UPDATE subscription SET cadence='weekly', "on"=99""",
    "day in words": """UPDATE subscription SET cadence='weekly', "on"='monday'""",
    "hidden sections": "UPDATE subscription SET hidden='[broken'",
    "waiting choice": "UPDATE subscription SET wish='{broken'",
    "due time": "UPDATE subscription SET next_due_at='tomorrow'",
    "end of a pause": "UPDATE subscription SET paused_until='never'",
    "confirmation": "UPDATE subscription SET confirmed_at=''",
    "language": "UPDATE subscriber SET language='xx'",
    "time zone": "UPDATE subscriber SET time_zone='No/Where'",
    "creation": "UPDATE subscriber SET created_at='long ago'",
    "address": "UPDATE subscriber SET email='no address'",
}


@pytest.fixture
def damaged(installation: Installation) -> Installation:
    """An installation with a damaged person for each way, and one who is whole."""
    installation.adopt()
    for number, statement in enumerate(DAMAGED.values(), 1):
        installation.subscribe(f"person{number}@example.org")
        with installation.at(MONDAY).writing() as session:
            session.execute(text(f"{statement} WHERE id={number}"))
    installation.subscribe("whole@example.org")
    return installation


def test_the_list_shows_everybody(damaged: Installation):
    listed = run_command(damaged, "subscribers", "list", "--json")
    assert listed.code == 0
    people = listed.json
    assert [person["id"] for person in people] == [*range(1, len(DAMAGED) + 2)]
    assert people[-1]["email"] == "whole@example.org"
    assert people[0]["subscriptions"][0]["cadence"] == "hourly"
    assert "cannot be read" in people[0]["subscriptions"][0]["trouble"]
    table = run_command(damaged, "subscribers", "list")
    assert table.code == 0
    assert table.out.count("@example.org") == len(DAMAGED)


def test_the_export_has_everybody(damaged: Installation):
    exported = run_command(damaged, "subscribers", "export")
    assert exported.code == 0
    lines = list(csv.DictReader(io.StringIO(exported.out)))
    assert len(lines) == len(DAMAGED) + 1
    assert (lines[0]["every"], lines[0]["status"]) == ("hourly", "confirmed")
    assert lines[1]["status"] == "lost"
    assert (lines[-1]["email"], lines[-1]["every"]) == ("whole@example.org", "daily")


def test_the_export_calls_a_damaged_suppressed_person_suppressed(damaged: Installation):
    assert run_command(damaged, "subscribers", "list").code == 0  # the database takes its key
    with damaged.at(MONDAY).writing() as session:
        known = select(Subscriber.address_hash).where(Subscriber.id == 1)
        suppressions.add(session, session.scalars(known).one(), SuppressionCause.ASKED, "", MONDAY)
    exported = run_command(damaged, "subscribers", "export").out
    (line,) = [line for line in exported.splitlines() if line.startswith("person1@")]
    assert "suppressed" in line


@pytest.mark.parametrize("statement", DAMAGED.values(), ids=DAMAGED)
def test_one_damaged_person_is_shown(installation: Installation, statement: str):
    installation.adopt()
    assert run_command(installation, "subscribers", "list").code == 0  # it takes its key
    installation.subscribe("anna@example.org")
    with installation.at(MONDAY).writing() as session:
        session.execute(text(statement))
    shown = run_command(installation, "subscribers", "show", "anna@example.org", "--json")
    assert shown.code == 0
    assert [each["profile"] for each in shown.json["subscriptions"]] == ["frexalimab"]
    assert [each["event"] for each in shown.json["consent"]] == ["given"]
    assert run_command(installation, "subscribers", "show", "anna@example.org").code == 0
    assert run_command(installation, "subscribers", "show", "ben@example.org").code == 1


@pytest.mark.parametrize("statement", DAMAGED.values(), ids=DAMAGED)
def test_a_list_is_imported_beside_a_damaged_person(
    installation: Installation, tmp_path: Path, statement: str
):
    installation.adopt()
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text("email\nanna@example.org\n")
    assert run_command(installation, "subscribers", "import", str(first), "--confirmed").code == 0
    with installation.at(MONDAY).writing() as session:
        session.execute(text(statement))
    second.write_text("email,status\nanna@example.org,unsubscribed\nben@example.org,confirmed\n")
    done = run_command(installation, "subscribers", "import", str(second), "--confirmed", "--json")
    assert done.code == 0
    assert [line["result"] for line in done.json["lines"]] == ["left", "added"]
    with installation.at(MONDAY).reading() as session:
        assert session.scalars(text("SELECT status FROM subscription ORDER BY id")).all() == [
            "ended",
            "confirmed",
        ]


@pytest.mark.parametrize(
    "statement",
    [
        *DAMAGED.values(),
        "UPDATE enquiry SET kind='riddle'",
        "UPDATE enquiry SET wish='{broken'",
        "UPDATE enquiry SET at='long ago'",
    ],
)
def test_everybody_can_be_erased_beside_a_damaged_row_and_with_one(
    installation: Installation, statement: str
):
    installation.adopt()
    assert run_command(installation, "subscribers", "list").code == 0  # it takes its key
    deps = installation.at(MONDAY)
    for name in ("anna", "ben"):
        installation.subscribe(f"{name}@example.org")
        with deps.writing() as session:
            wish = {"profile": "frexalimab"}
            kind = SignupRequestKind.SUBSCRIBE
            signup_requests.ask(session, kind, f"{name}@example.org", wish, "192.0.2.1", MONDAY)
    with deps.writing() as session:
        session.execute(text(f"{statement} WHERE id=1"))
    for name in ("ben", "anna"):
        erased = run_command(
            installation, "subscribers", "erase", f"{name}@example.org", "--now", MONDAY.isoformat()
        )
        assert erased.code == 0
    with deps.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM subscriber")) == 0
        assert session.scalar(text("SELECT count(*) FROM enquiry WHERE email IS NOT NULL")) == 0
