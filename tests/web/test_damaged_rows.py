"""A row that cannot be read keeps nobody from leaving; who can open their choice can mend it."""

import pytest
from sqlalchemy import text

from notifier.enums import ConsentEvent, SuppressionCause
from notifier.links import Purpose
from notifier.store.models import Consent
from notifier.subscribers import address_changes, subscriptions, suppressions
from tests.cli.test_damaged_rows import DAMAGED
from tests.support.forms import FORM, link_to, visiting
from tests.support.installation import MONDAY, Installation
from tests.support.visitor import Client

ANNA = "anna@example.org"
# The damages of a choice; of others the object of a row cannot be made.
OF_A_CHOICE = ("time of day", "day", "day in words", "hidden sections", "time zone", "language")


def damage(made: Installation, statement: str) -> None:
    with made.at(MONDAY).writing() as session:
        session.execute(text(statement))


def stored(made: Installation, columns: str) -> tuple:
    with made.at(MONDAY).reading() as session:
        return tuple(session.execute(text(f"SELECT {columns} FROM subscription")).one())


def withdrawals(made: Installation) -> list[tuple[str, str]]:
    with made.at(MONDAY).reading() as session:
        ended = session.query(Consent).where(Consent.event == ConsentEvent.WITHDRAWN)
        return [(entry.method, entry.attested_by) for entry in ended]


@pytest.mark.parametrize("statement", DAMAGED.values(), ids=DAMAGED)
def test_whoever_wants_to_leave_can(installation: Installation, client: Client, statement: str):
    installation.adopt()
    installation.subscribe(ANNA)
    link = link_to(installation, Purpose.UNSUBSCRIBE, ANNA)
    damage(installation, statement)
    page = client.get(link)
    assert (page.status_code, "Unsubscribe me" in page.text) == (200, True)
    assert stored(installation, "status") != ("ended",)
    for _ in range(2):
        left = client.post(link, "List-Unsubscribe=One-Click", FORM)
        assert (left.status_code, "You are unsubscribed." in left.text) == (200, True)
    assert stored(installation, "status, wish") == ("ended", None)
    assert withdrawals(installation) == [("link", "subscriber")]
    assert client.get(link).status_code == 200


def test_a_link_from_before_a_change_of_address_ends_a_damaged_row_too(installation: Installation):
    installation.adopt()
    installation.subscribe(ANNA)
    old_link = link_to(installation, Purpose.UNSUBSCRIBE, ANNA)
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        person = subscriptions.find_subscriber(session, ANNA)
        change = address_changes.ask(session, person, "anna@new.example.org", MONDAY)
        for side in address_changes.Side:
            address_changes.agree(session, change, side, MONDAY)
    damage(installation, DAMAGED["cadence"])
    with visiting(installation) as client:
        assert "Unsubscribe me" in client.get(old_link).text
        assert "You are unsubscribed." in client.post(old_link).text
    assert stored(installation, "status") == ("ended",)


@pytest.mark.parametrize("statement", DAMAGED.values(), ids=DAMAGED)
def test_whoever_wants_no_mail_ever_is_heard(
    installation: Installation, client: Client, statement: str
):
    installation.adopt()
    installation.subscribe(ANNA)
    deps = installation.at(MONDAY)
    with deps.reading() as session:
        key = subscriptions.hash_of(session, ANNA)
    damage(installation, statement)
    link = f"/never/{deps.links.token(Purpose.NEVER, key, MONDAY)}"
    assert client.post(link).status_code == 200
    assert stored(installation, "status") == ("ended",)
    with deps.reading() as session:
        assert suppressions.of(session, key).cause is SuppressionCause.NEVER


def test_a_damaged_wish_is_confirmed_as_what_is_stored(installation: Installation, client: Client):
    installation.adopt()
    installation.subscribe(ANNA, confirmed=False)
    link = link_to(installation, Purpose.CONFIRM, ANNA)
    damage(installation, DAMAGED["waiting choice"])
    assert "daily, at 08:00 (UTC)" in client.get(link).text
    assert "Your subscription is confirmed." in client.post(link).text
    assert stored(installation, "status, cadence, wish") == ("confirmed", "daily", None)


def test_what_is_no_wish_to_leave_ends_no_damaged_row(installation: Installation, client: Client):
    installation.adopt()
    installation.subscribe(ANNA)
    link = link_to(installation, Purpose.UNSUBSCRIBE, ANNA)
    damage(installation, DAMAGED["cadence"])
    for action in ("do=undo", "do=pause", "do=export", "do=something", "x=1"):
        assert client.post(link, action, FORM).status_code == 200
    assert stored(installation, "status") == ("confirmed",)


@pytest.mark.parametrize("kind", OF_A_CHOICE)
def test_the_preferences_show_usual_values_for_damaged_ones_and_store_what_is_chosen(
    installation: Installation, client: Client, kind: str
):
    installation.adopt()
    installation.subscribe(ANNA)
    link = link_to(installation, Purpose.PREFERENCES, ANNA)
    damage(installation, DAMAGED[kind])
    page = client.get(link)
    assert (page.status_code, 'value="08:00"' in page.text) == (200, True)
    saved = client.post(
        link,
        "every=weekly&at=09:30&weekday=friday&time_zone=Europe/Berlin&edition=patient&language=en"
        "&sections=yes",
        FORM,
    )
    assert "Saved." in saved.text
    assert stored(installation, 'cadence, at, "on"') == ("weekly", "09:30", 4)
