"""Preferences: who holds the link of a mail chooses when and in which words they are written to."""

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier.demo import serving
from notifier.links import Purpose
from notifier.store.models import Subscription
from notifier.store.statuses import Cadence, Edition
from notifier.subscribers import subscriptions
from notifier.web.app import create
from tests.conftest import MONDAY, Installation
from tests.visitor import Answer, Client

FORM = "application/x-www-form-urlencoded"
CHOICE = {
    "every": "monthly",
    "at": "19:30",
    "weekday": "monday",
    "day": "31",
    "time_zone": "America/New_York",
    "edition": "clinician",
    "language": "fr",
}


@pytest.fixture
def client(installation: Installation) -> Iterator[Client]:
    with serving(create(installation.at(MONDAY))) as address:
        yield Client(address)


def link(made: Installation, purpose: Purpose = Purpose.PREFERENCES) -> str:
    deps = made.at(MONDAY)
    with deps.reading() as session:
        return f"/preferences/{deps.links.token(purpose, session.query(Subscription).one().link_id, MONDAY)}"


def state(made: Installation) -> tuple:
    with made.at(MONDAY).reading() as session:
        one = session.query(Subscription).one()
        person = one.subscriber
        return (one.cadence, one.at, one.on, person.time_zone, one.edition, person.language, one.next_due_at)


def send(client: Client, path: str, **changes: str) -> Answer:
    return client.post(path, urlencode({**CHOICE, **changes}), FORM)


def test_the_form_shows_what_is_chosen(installation: Installation, client: Client):
    installation.subscribe("anna@example.org", every="weekly", on="friday", at="07:15", zone="Europe/Berlin")
    page = client.get(link(installation)).text
    for chosen in (
        '<option value="weekly" selected>',
        '<option value="friday" selected>',
        'value="07:15"',
        "<option selected>Europe/Berlin",
        '<option value="patient" selected>',
        '<option value="en" selected>',
    ):
        assert chosen in page
    assert "anna" not in page


def test_a_choice_is_taken_and_the_next_digest_is_planned_by_it(installation: Installation, client: Client):
    installation.subscribe("anna@example.org")
    answer = send(client, link(installation))
    assert answer.status_code == 200
    assert "Enregistré." in answer.text
    assert "chaque mois, le dernier jour à 19:30 (America/New_York)" in answer.text
    due = datetime.fromisoformat("2026-03-31T23:30:00+00:00")
    new_york = "America/New_York"
    assert state(installation) == (Cadence.MONTHLY, "19:30", 31, new_york, Edition.CLINICIAN, "fr", due)
    assert send(client, link(installation)).status_code == 200


def test_news_at_once_need_no_day(installation: Installation, client: Client):
    installation.subscribe("anna@example.org", every="weekly", on="friday")
    assert "as soon as there is news" in send(client, link(installation), every="immediate", language="en").text
    assert state(installation)[:3] == (Cadence.IMMEDIATE, "19:30", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"every": "hourly"},
        {"at": "25:00"},
        {"at": ""},
        {"day": "32"},
        {"every": "weekly", "weekday": "someday"},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"edition": "doctor"},
        {"language": "tlh"},
    ],
    ids=str,
)
def test_a_wrong_choice_changes_nothing_and_is_told_beside_the_form(
    installation: Installation, client: Client, wrong: dict[str, str]
):
    installation.subscribe("anna@example.org")
    before = state(installation)
    answer = send(client, link(installation), **wrong)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "<form" in answer.text
    assert state(installation) == before


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.sampled_from(list(CHOICE)), st.text(max_size=60), max_size=4), st.text(max_size=20))
def test_no_form_brings_the_page_to_fall(installation: Installation, client: Client, form: dict[str, str], kind: str):
    installation.subscribe("anna@example.org")
    path = link(installation)
    assert send(client, path, **form).status_code in (200, 422)
    printable = "".join(char for char in kind if " " <= char <= "~")
    assert client.post(path, urlencode(form), f"multipart/form-data; {printable}").status_code in (200, 400, 422)


def test_a_link_of_another_purpose_opens_no_preferences(installation: Installation, client: Client):
    installation.subscribe("anna@example.org")
    before = state(installation)
    for path in (link(installation, Purpose.UNSUBSCRIBE), link(installation)[:-2], "/preferences/x"):
        assert client.get(path).status_code == 404
        assert send(client, path).status_code == 404
    assert state(installation) == before


def test_who_left_finds_that_they_left(installation: Installation, client: Client):
    installation.subscribe("anna@example.org")
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        subscriptions.end(session, session.query(Subscription).one(), "link", "subscriber", MONDAY)
    before = state(installation)
    assert "You are not subscribed." in client.get(link(installation)).text
    assert "You are not subscribed." in send(client, link(installation)).text
    assert state(installation) == before
