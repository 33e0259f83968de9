"""The data map in docs/privacy.md: each of its rows is true."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from notifier.admin import person
from notifier.deliver import outbox
from notifier.deliver.bounces import reports
from notifier.enums import (
    BounceKind,
    DeliveryKind,
    DeliveryStatus,
    SignupRequestKind,
    SuppressionCause,
)
from notifier.operators.actions import Actor
from notifier.pipeline import housekeeping, retention
from notifier.pipeline.notices import enqueue_for_operator
from notifier.pipeline.run import run_once
from notifier.store import db
from notifier.store.models import Base, Delivery, Notice, Subscription
from notifier.subscribers import address_changes, signup_requests, subscriptions
from tests.support.forms import erase, subscription_of, suppress
from tests.support.installation import MONDAY, Installation
from tests.support.paths import ROOT

ANNA, NEW = "anna.mertens@example.org", "anna.new@example.org"
YEAR = timedelta(days=365)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _in_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run remove all that is old."""
    monkeypatch.setattr(retention, "_LONGEST_RUN", 60.0)
    monkeypatch.setattr(retention, "_PAUSE", 0.0)


def rows() -> dict[str, list[str]]:
    """The rows of the data map by the name of the table."""
    page = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    table = page.partition("## The data map")[2].partition("Nothing is stored about visits")[0]
    cells = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]
    return {re.match(r"`(\w+)`", first)[1]: [first, *rest] for first, *rest in cells}


def stored(installation: Installation, table: str) -> list[str]:
    """Every row of a table as one text."""
    with installation.at(MONDAY).engine.connect() as connection:
        return [str(tuple(row)) for row in connection.execute(text(f'SELECT * FROM "{table}"'))]


def kept_for(
    installation: Installation, table: str, period: timedelta, began: timedelta = timedelta()
) -> None:
    """Check that the rows of a table go after a period, and not before."""
    moment = MONDAY + began + period
    housekeeping.run(installation.at(moment - timedelta(minutes=1)))
    assert stored(installation, table) != []
    housekeeping.run(installation.at(moment + timedelta(minutes=1)))
    assert stored(installation, table) == []


def leave(installation: Installation) -> None:
    with installation.at(MONDAY).writing() as session:
        person = subscriptions.find_subscriber(session, ANNA)
        subscriptions.end(session, person.subscriptions[0], "link", "subscriber", MONDAY)


def check_with_the_person(installation: Installation, table: str) -> None:
    """Kept until they are erased, or a year after their last subscription ended."""
    installation.subscribe(ANNA)
    run_once(installation.at(MONDAY))
    with installation.at(MONDAY).writing() as session:
        subscription = session.query(Subscription).one()
        outbox.enqueue_own(session, DeliveryKind.WELCOME, [subscription.id], "x.example", MONDAY)
    housekeeping.run(installation.at(MONDAY + 3 * YEAR))
    assert stored(installation, table) != []
    leave(installation)
    kept_for(installation, table, YEAR)
    installation.subscribe("ben@example.org")
    erase(installation, "ben@example.org")
    assert stored(installation, table) == []


def check_unconfirmed(installation: Installation, table: str) -> None:
    """An unconfirmed subscription is kept for 48 hours."""
    check_with_the_person(installation, table)
    installation.subscribe(NEW, confirmed=False)
    kept_for(installation, table, timedelta(hours=48))


def check_wording(installation: Installation, table: str) -> None:
    """Nothing of a person, for ever."""
    installation.subscribe(ANNA)
    before = stored(installation, table)
    assert before != []
    assert not any("anna" in row for row in before)
    erase(installation, ANNA)
    housekeeping.run(installation.at(MONDAY + 3 * YEAR))
    assert stored(installation, table) == before


def ask_for_change(installation: Installation) -> None:
    installation.subscribe(ANNA)
    with installation.at(MONDAY).writing() as session:
        person = subscriptions.find_subscriber(session, ANNA)
        address_changes.ask(session, person, NEW, MONDAY)


def check_address_change(installation: Installation, table: str) -> None:
    """The new address, for 48 hours."""
    ask_for_change(installation)
    assert NEW in stored(installation, table)[0]
    kept_for(installation, table, timedelta(hours=48))


def check_retired_link(installation: Installation, table: str) -> None:
    """Random ids only, as long as the subscription."""
    ask_for_change(installation)
    with installation.at(MONDAY).writing() as session:
        change = address_changes.by_link(
            session,
            session.execute(text("SELECT link_id FROM address_change")).scalar_one(),
            MONDAY,
        )
        for side in address_changes.Side:
            address_changes.agree(session, change, side, MONDAY)
    assert stored(installation, table) != []
    assert not any("anna" in row for row in stored(installation, table))
    erase(installation, NEW)
    assert stored(installation, table) == []


def check_enquiry(installation: Installation, table: str) -> None:
    """Address and choice until it is answered, then hashes only, for an hour."""
    with installation.at(MONDAY).writing() as session:
        signup_requests.ask(
            session, SignupRequestKind.LINK, ANNA, {"x": "y"}, "198.51.100.7", MONDAY
        )
    assert ANNA in stored(installation, table)[0]
    run_once(installation.at(MONDAY))
    (row,) = stored(installation, table)
    assert "anna" not in row
    assert "198.51" not in row
    kept_for(installation, table, HOUR)


def check_bounce_report(installation: Installation, table: str) -> None:
    """A hash and a kind, for ever."""
    with installation.at(MONDAY).writing() as session:
        reports.store_kind(session, reports.hash_of(ANNA.encode()), BounceKind.HARD, MONDAY)
    before = stored(installation, table)
    assert "anna" not in before[0]
    housekeeping.run(installation.at(MONDAY + 3 * YEAR))
    assert stored(installation, table) == before


def check_notice(installation: Installation, table: str) -> None:
    """No address of a subscriber, for 30 days after it was sent or given up."""
    operator = installation.at(MONDAY).settings.operator
    installation.change(operator=operator.model_copy(update={"address": "ops@office.example"}))
    installation.subscribe(ANNA)
    with installation.at(MONDAY).writing() as session:
        enqueue_for_operator(installation.at(MONDAY), session, "a subject", "a text", MONDAY)
        session.flush()
        session.query(Delivery).update({"status": DeliveryStatus.SENT, "sent_at": MONDAY})
        assert session.query(Notice).count() == 1
    assert not any(ANNA in row for row in stored(installation, table))
    kept_for(installation, table, timedelta(days=30))


def check_suppression(installation: Installation, table: str) -> None:
    """A hash, the cause and a code, for ever."""
    suppress(installation, ANNA, SuppressionCause.BOUNCED)
    before = stored(installation, table)
    assert "anna" not in before[0]
    housekeeping.run(installation.at(MONDAY + 3 * YEAR))
    assert stored(installation, table) == before


def told_on_tuesday(installation: Installation) -> None:
    installation.discover(1)
    run_once(installation.at(MONDAY + timedelta(days=1)))
    assert len(installation.sink.messages) == 1


def check_delivery(installation: Installation, table: str) -> None:
    """Kept for 400 days, and no longer than the subscription."""
    told_on_tuesday(installation)
    made = MONDAY + timedelta(days=1)
    retention.run(installation.at(made + timedelta(days=400)))
    assert stored(installation, table) != []
    retention.run(installation.at(made + timedelta(days=401, minutes=1)))
    assert stored(installation, table) == []


def check_told(installation: Installation, table: str) -> None:
    """Ids only, as long as the subscription."""
    assert set(Base.metadata.tables[table].columns.keys()) == {
        "subscription_id",
        "entry_id",
        "revision_id",
    }
    told_on_tuesday(installation)
    retention.run(installation.at(MONDAY + 3 * YEAR))
    assert stored(installation, table) != []
    erase(installation, "person0@example.org")
    assert stored(installation, table) == []


def check_weekly_count(installation: Installation, table: str) -> None:
    """Nothing of a person, for ever."""
    assert set(Base.metadata.tables[table].columns.keys()) == {"week", "name", "number"}
    told_on_tuesday(installation)
    retention.run(installation.at(MONDAY + timedelta(days=30)))
    before = stored(installation, table)
    erase(installation, "person0@example.org")
    retention.run(installation.at(MONDAY + timedelta(days=31)))
    assert before != []
    assert set(before) <= set(stored(installation, table))


def check_goes_with(installation: Installation, table: str) -> None:
    """No address among its columns, and its rows go with the row that they belong to."""
    columns = Base.metadata.tables[table].columns
    assert not {"email", "address", "name"} & set(columns.keys())
    parents = {
        key.column.table.name: key.ondelete for key in Base.metadata.tables[table].foreign_keys
    }
    expected = {"note": {"digest": "CASCADE"}, "held_suppression": {"subscriber": "CASCADE"}}
    assert parents.items() >= expected[table].items()


def check_operator_action(installation: Installation, table: str) -> None:
    installation.subscribe(ANNA)
    number = subscription_of(installation, ANNA).subscriber_id
    person.look_up(installation.at(MONDAY), ANNA, Actor("eve", MONDAY))
    (row,) = stored(installation, table)
    assert f"subscriber {number}" in row
    assert ANNA not in row
    erase(installation, ANNA)
    assert stored(installation, table) == [row]


CHECKS: dict[str, Callable[[Installation, str], None]] = {
    "subscriber": check_with_the_person,
    "subscription": check_unconfirmed,
    "consent": check_with_the_person,
    "wording": check_wording,
    "delivery": check_delivery,
    "told": check_told,
    "weekly_count": check_weekly_count,
    "retired_link": check_retired_link,
    "enquiry": check_enquiry,
    "address_change": check_address_change,
    "bounce_report": check_bounce_report,
    "note": check_goes_with,
    "notice": check_notice,
    "held_suppression": check_goes_with,
    "suppression": check_suppression,
    "operator_action": check_operator_action,
}


@pytest.mark.parametrize("table", CHECKS)
def test_a_row_of_the_data_map_is_true(installation: Installation, table: str):
    CHECKS[table](installation, table)


def test_every_row_of_the_data_map_is_checked():
    assert set(rows()) == set(CHECKS)


def test_the_data_map_has_every_table_about_people():
    """Those that erasure cleans, and those that refer to one of them."""
    about_people = set(db.PERSONAL_TABLES)
    for table in Base.metadata.sorted_tables:
        if any(
            key.column.table.name in ("subscriber", "subscription") for key in table.foreign_keys
        ):
            about_people.add(table.name)
    assert about_people - set(rows()) == set()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("subscriber", "a year after their last subscription ended"),
        ("subscription", "unconfirmed: 48 hours"),
        ("enquiry", "an hour"),
        ("address_change", "48 hours"),
        ("notice", "30 days after"),
        ("suppression", "for ever"),
        ("wording", "for ever"),
        ("delivery", "400 days"),
        ("told", "as `subscription`"),
        ("weekly_count", "for ever"),
        ("bounce_report", "for ever"),
    ],
)
def test_the_periods_that_are_checked_are_those_of_the_page(table: str, words: str):
    assert words in rows()[table][-1]


def test_the_consent_of_somebody_who_changed_their_address_is_kept(installation: Installation):
    ask_for_change(installation)
    assert subscription_of(installation, ANNA).confirmed_at == MONDAY
