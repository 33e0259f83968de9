"""Erasure: nothing readable of a person stays in any file; a hash keeps others from writing to them again."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from notifier import pipeline
from notifier.demo import serving
from notifier.errors import NotifierError
from notifier.match import profiles
from notifier.store import db
from notifier.store.models import Consent, Delivery, Subscriber, Subscription, Suppression
from notifier.store.statuses import Cadence, SubscriptionStatus, SuppressionCause
from notifier.subscribers import privacy, subscriptions
from notifier.web.app import create
from tests.conftest import MONDAY, Installation
from tests.sink import text_of
from tests.site import Article
from tests.visitor import Client

SECRET = b"unmistakable.person@example.org"


def erase(made: Installation, email: str = SECRET.decode()) -> None:
    deps = made.at(MONDAY)
    with deps.writing() as session:
        privacy.erase(session, subscriptions.find_subscriber(session, email), SuppressionCause.ERASED, "erased", MONDAY)
    db.scrub(deps.engine)


def files(made: Installation) -> list[Path]:
    path = Path(made.at(MONDAY).engine.url.database)
    return sorted(path.parent.glob(f"{path.name}*"))


def test_an_erased_address_is_in_no_file(installation: Installation):
    made = installation
    made.subscribe(SECRET.decode())
    for number in range(300):
        made.subscribe(f"other{number}@example.org", zone="Europe/Berlin")
    pipeline.run_once(made.at(MONDAY))
    made.publish([Article("Frexalimab slows lesions")])
    pipeline.poll(made.at(MONDAY))
    assert any(SECRET in file.read_bytes() for file in files(made))
    erase(made)
    assert [file for file in files(made) if SECRET in file.read_bytes()] == []
    assert any(b"other299@example.org" in file.read_bytes() for file in files(made))


def test_everything_that_names_a_person_goes_with_them(any_installation: Installation):
    made = any_installation
    made.subscribe(SECRET.decode())
    made.subscribe("anna@example.org")
    erase(made)
    with made.at(MONDAY).reading() as session:
        assert session.query(Subscriber).one().email == "anna@example.org"
        assert session.query(Subscription).count() == session.query(Consent).count() == 1
        assert session.query(Delivery).count() == 0
        assert session.query(Suppression).one().cause is SuppressionCause.ERASED


def test_an_erased_address_is_lifted_by_its_owners_own_double_opt_in_alone(installation: Installation):
    made = installation
    made.subscribe(SECRET.decode())
    erase(made)
    with made.at(MONDAY).reading() as session:
        choice, profile = subscriptions.usual(Cadence.DAILY, "UTC"), profiles.find(session, None)
        with pytest.raises(NotifierError, match="suppressed"):
            subscriptions.subscribe(session, SECRET.decode(), profile, choice, MONDAY)
    with serving(create(made.at(MONDAY))) as address:
        client = Client(address)
        client.post(
            "/subscribe",
            f"email={SECRET.decode()}&consent=yes".replace("@", "%40"),
            "application/x-www-form-urlencoded",
        )
        pipeline.run_once(made.at(MONDAY))
        (question,) = made.sink.messages
        client.post(next(line for line in text_of(question).splitlines() if "/confirm/" in line))
    with made.at(MONDAY).reading() as session:
        assert session.query(Suppression).count() == 0
        assert session.query(Subscription).one().status is SubscriptionStatus.CONFIRMED


def test_who_left_a_year_ago_is_forgotten_but_for_the_hash(installation: Installation):
    from datetime import timedelta

    made = installation
    made.subscribe("anna@example.org")
    with made.at(MONDAY).writing() as session:
        subscriptions.end(session, session.query(Subscription).one(), "link", "subscriber", MONDAY)
    pipeline.run_once(made.at(MONDAY + timedelta(days=364)))
    with made.at(MONDAY).reading() as session:
        assert session.query(Subscriber).count() == 1
    pipeline.run_once(made.at(MONDAY + timedelta(days=366)))
    with made.at(MONDAY).reading() as session:
        assert session.query(Subscriber).count() == 0
        assert session.query(Suppression).one().cause is SuppressionCause.LEFT


def test_the_ledger_of_consents_can_only_be_added_to(any_installation: Installation):
    any_installation.subscribe("anna@example.org")
    with pytest.raises(DBAPIError, match="append-only"), any_installation.at(MONDAY).engine.begin() as connection:
        connection.execute(text("UPDATE consent SET method = 'forged'"))


def test_the_export_holds_everything_that_is_stored_of_a_person(installation: Installation):
    made = installation
    made.subscribe("anna@example.org")
    with made.at(MONDAY).reading() as session:
        person = subscriptions.find_subscriber(session, "anna@example.org")
        document = json.loads(json.dumps(privacy.export(session, person)))
        held = {column.name for column in Subscription.__table__.columns} - {
            "id",
            "subscriber_id",
            "profile_id",
            "link_id",
        }
    named = {
        "hidden": "hidden_sections",
        "position": "place_in_the_news",
        "heard_at": "last_written_to_at",
        "introduced": None,
        "renewal_reminded_at": None,
    }
    for column in held:
        key = named.get(column, column)
        assert key is None or key in document["subscriptions"][0], column
