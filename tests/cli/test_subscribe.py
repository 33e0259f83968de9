"""`notifier subscribe` and `notifier unsubscribe`."""

import os
import pwd
import sqlite3
from pathlib import Path

import pytest

from tests.support.command_line import LATER, NOW
from tests.support.mail_sink import Sink


def test_a_person_is_asked_confirmed_and_unsubscribed(ready, sink: Sink):
    result = ready(
        "subscribe",
        "anna@example.org",
        "--every",
        "weekly",
        "--on",
        "friday",
        "--time-zone",
        "Europe/Paris",
    )
    assert "weekly, on Friday at 08:00 (Europe/Paris), pending" in result.out
    assert ready("run", "--once").code == 0
    assert sink.messages[0]["Subject"] == "Please confirm your subscription"
    again = ready("subscribe", "anna@example.org", "--confirmed")
    assert "confirmed" in again.out
    shown = ready("subscribers", "show", "anna@example.org", "--json").json
    assert shown["consent"][0]["attested_by"].startswith("operator ")
    assert ready("unsubscribe", "anna@example.org", "--profile", "frexalimab").out.startswith(
        "Ended 1 subscription of"
    )
    gone = ready("unsubscribe", "anna@example.org")
    assert gone.code == 1
    assert "nothing was ended" in gone.err


def test_a_suppressed_address_is_refused_until_it_is_unsuppressed(ready):
    ready("subscribers", "suppress", "anna@example.org", "--reason", "complained")
    refused = ready("subscribe", "anna@example.org")
    assert refused.code == 1
    assert "suppressed: complained" in refused.err
    assert ready("subscribers", "unsuppress", "anna@example.org").code == 0
    assert ready("subscribe", "anna@example.org").code == 0


def test_a_subscription_takes_an_edition_and_a_language(ready):
    result = ready(
        "subscribe", "anna@example.org", "--edition", "clinician", "--language", "de", *NOW
    )
    assert result.code == 0
    (person,) = ready("subscribers", "list", "--json").json
    assert (person["language"], person["subscriptions"][0]["edition"]) == ("de", "clinician")


def test_one_address_gets_at_most_three_confirmation_mails_an_hour(ready, sink: Sink):
    for _ in range(3):
        assert ready("subscribe", "anna@example.org", *NOW).code == 0
        ready("run", "--once", *NOW)
    refused = ready("subscribe", "anna@example.org", *NOW)
    assert refused.code == 1
    assert "within the hour" in refused.err
    assert len(sink.messages) == 3


FIRST = {
    "--every": "monthly",
    "--on": "17",
    "--at": "19:45",
    "--time-zone": "America/Bogota",
    "--edition": "clinician",
    "--language": "fr",
}


def shown(ready) -> dict[str, object]:
    """Return what is stored for Anna, one value for each option."""
    person = ready("subscribers", "show", "anna@example.org", "--json").json
    (subscription,) = person["subscriptions"]
    return {
        "language": person["language"],
        "edition": subscription["edition"],
        "schedule": subscription["schedule"],
        "status": subscription["status"],
        "next_due_at": subscription["next_due_at"],
    }


@pytest.fixture
def installed_sql(home: Path):
    """Change the database as no command does."""

    def execute(statement: str) -> None:
        with sqlite3.connect(home / "subscribers.db") as connection:
            connection.execute(statement)
        connection.close()

    return execute


@pytest.fixture
def subscribed(ready):
    words = [word for pair in FIRST.items() for word in pair]
    assert ready("subscribe", "anna@example.org", *words, "--confirmed", *NOW).code == 0
    return ready


def test_subscribing_again_without_options_changes_nothing(subscribed):
    before = shown(subscribed)
    assert before["schedule"] == "monthly, on day 17 of the month at 19:45 (America/Bogota)"
    assert subscribed("subscribe", "Anna@Example.org", *LATER).code == 0
    assert subscribed("subscribe", "anna@example.org", "--confirmed", *LATER).code == 0
    assert shown(subscribed) == before


NAMED = {
    "the time": (["--at", "6:05"], {"schedule": "monthly, on day 17 of the month at 06:05"}),
    "the day": (["--on", "31"], {"schedule": "monthly, on the last day of the month at 19:45"}),
    "the zone": (["--time-zone", "Asia/Tokyo"], {"schedule": "(Asia/Tokyo)"}),
    "the edition": (["--edition", "patient"], {"edition": "patient"}),
    "the language": (["--language", "de"], {"language": "de"}),
    "a daily digest": (["--every", "daily"], {"schedule": "daily, at 19:45 (America/Bogota)"}),
    "a weekly digest": (["--every", "weekly"], {"schedule": "weekly, on Monday at 19:45"}),
    "news at once": (["--every", "immediate"], {"schedule": "as soon as there is news"}),
}


@pytest.mark.parametrize(("options", "expected"), NAMED.values(), ids=NAMED)
def test_subscribing_again_changes_what_is_named_and_nothing_else(
    subscribed, options: list[str], expected: dict[str, str]
):
    before = shown(subscribed)
    assert subscribed("subscribe", "anna@example.org", *options, *NOW).code == 0
    after = shown(subscribed)
    for name, part in expected.items():
        assert part in str(after[name])
    moving = {"schedule": {"schedule", "next_due_at"}}
    changing = set().union(*(moving.get(name, {name}) for name in expected))
    assert {name for name in before if before[name] != after[name]} <= changing


def test_a_day_that_does_not_fit_the_stored_cadence_is_refused(subscribed):
    refused = subscribed("subscribe", "anna@example.org", "--on", "friday", *NOW)
    assert refused.code == 2
    assert "not a day of a month" in refused.err


def test_a_damaged_choice_is_stored_again_with_what_can_be_read(subscribed, installed_sql):
    installed_sql("UPDATE subscription SET at='25:99', \"on\"=99")
    installed_sql("UPDATE subscriber SET time_zone='No/Where', language='xx'")
    assert subscribed("subscribe", "anna@example.org", *NOW).code == 0
    again = shown(subscribed)
    assert again["schedule"] == "monthly, on day 1 of the month at 08:00 (UTC)"
    assert (again["language"], again["edition"]) == ("en", "clinician")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["anna@example.org"], 0),
        (["ANNA@example.org"], 0),
        (["anna@example.org", "--profile", "frexalimab"], 0),
        (["bob@example.org"], 1),
        (["no address"], 2),
    ],
)
def test_unsubscribe_says_by_its_exit_code_whether_it_ended_anything(subscribed, words, code):
    done = subscribed("unsubscribe", *words)
    assert done.code == code
    assert ("Ended 1 subscription" in done.out) is (code == 0)


@pytest.mark.parametrize(
    "damage",
    ["cadence='hourly'", "status='lost'", "edition='robot'", "created_at='long ago'", "wish='{'"],
)
def test_a_damaged_subscription_can_be_ended(subscribed, installed_sql, damage: str):
    installed_sql(f"UPDATE subscription SET {damage}")
    assert subscribed("unsubscribe", "anna@example.org", *NOW).out.startswith("Ended 1 subscrip")
    assert subscribed("unsubscribe", "anna@example.org", *NOW).code == 1


def test_an_operator_whose_user_has_no_name_is_named_by_the_number(ready, monkeypatch):
    def nameless(uid: int) -> pwd.struct_passwd:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", nameless)
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    assert ready("subscribe", "anna@example.org", "--confirmed", *NOW).code == 0
    ledger = ready("subscribers", "show", "anna@example.org").out
    assert f"attested by operator {os.getuid()}" in ledger
    assert ready("unsubscribe", "anna@example.org", *NOW).code == 0
