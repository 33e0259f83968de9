"""Erasure in SQLite's files: no readable byte stays, and writers do not wait meanwhile."""

import random
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, insert

from notifier.enums import (
    Cadence,
    DeliveryKind,
    DeliveryStatus,
    Edition,
    SubscriptionStatus,
    SuppressionCause,
)
from notifier.errors import StoreError
from notifier.links import Purpose
from notifier.pipeline import housekeeping
from notifier.store import db
from notifier.store.db import deleted_rows
from notifier.store.models import Delivery, Profile, Subscriber, Subscription
from notifier.subscribers import address_changes, privacy, subscriptions
from notifier.web.app import create
from tests.support.effort import measured
from tests.support.installation import MONDAY, Installation
from tests.support.visitor import Client
from tests.support.web_server import serving

SECRET = "unmistakable.person"


def erase(installation: Installation, email: str) -> None:
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        privacy.erase(
            session,
            subscriptions.find_subscriber(session, email),
            SuppressionCause.ERASED,
            "erased",
            MONDAY,
        )


def holding(installation: Installation, words: str = SECRET) -> list[str]:
    """The names of SQLite's files that hold these words."""
    path = Path(installation.at(MONDAY).engine.url.database)
    return [
        file.name
        for file in sorted(path.parent.glob(f"{path.name}*"))
        if words.encode() in file.read_bytes()
    ]


def test_every_connection_overwrites_what_is_deleted(installation: Installation):
    engine = installation.at(MONDAY).engine
    with engine.connect() as first, engine.connect() as second:
        assert {
            connection.exec_driver_sql("PRAGMA secure_delete").scalar()
            for connection in (first, second)
        } == {1}


def changed_many_times(installation: Installation, seed: int) -> list[str]:
    """Change long texts of many people, so that rows are moved between pages; return addresses."""
    chance = random.Random(seed)
    many(installation.at(MONDAY).engine, 300)
    with installation.at(MONDAY).writing() as session:
        people = session.query(Subscriber).order_by(Subscriber.id).all()
        for number, person in enumerate(people):
            person.email = f"unmistakable{number:04d}@{'x' * chance.choice([1, 40, 200])}.example"
        session.flush()
        for _ in range(300):
            person = chance.choice(people)
            name = person.email.partition("@")[0]
            person.email = f"{name}@{'w' * chance.choice([1, 40, 150, 240])}.example"
            person.time_zone = "y" * chance.randrange(60)
            session.flush()
        return [person.email for person in people]


@pytest.mark.parametrize("seed", range(3))
def test_a_copy_of_the_files_that_is_made_later_holds_nothing_of_the_erased(
    installation: Installation, tmp_path: Path, seed: int
):
    """Copied as files, by SQLite's backup, and by VACUUM INTO."""
    addresses = random.Random(seed).sample(changed_many_times(installation, seed), 100)
    engine = installation.at(MONDAY).engine
    with installation.at(MONDAY).writing() as session:
        traces = []
        for address in addresses:
            person = session.query(Subscriber).filter(Subscriber.email == address).one()
            traces += privacy.addresses_of(session, person.address_hash)
            privacy.erase(session, person, SuppressionCause.ERASED, "erased", MONDAY)
    db.scrub(engine, traces)
    path = Path(engine.url.database)
    with sqlite3.connect(path) as source, sqlite3.connect(tmp_path / "backup.db") as target:
        source.backup(target)
        source.execute("VACUUM INTO ?", (str(tmp_path / "vacuum.db"),))
    copies = [*path.parent.glob(f"{path.name}*"), *tmp_path.glob("*.db")]
    names = [address.partition("@")[0].encode() for address in addresses]
    for copy in copies:
        octets = copy.read_bytes()
        assert [name for name in names if name in octets] == [], copy.name


def test_the_file_is_written_anew_only_if_a_trace_is_left(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    engine = installation.at(MONDAY).engine
    installation.subscribe(f"{SECRET}@example.org")
    written = []
    monkeypatch.setattr(deleted_rows, "_write_anew", lambda _: written.append(1) or True)
    db.scrub(engine, ["nobody@example.org"])
    assert written == []
    db.scrub(engine, [f"{SECRET}@example.org".upper()])
    assert written == [1]


@pytest.mark.parametrize("seed", range(6))
def test_an_address_that_was_changed_before_is_in_no_file_after_erasure(
    installation: Installation, seed: int
):
    """Other rows grow and shrink meanwhile, so that pages of the file are split and joined."""
    chance = random.Random(seed)
    many(installation.at(MONDAY).engine, 300)
    installation.subscribe(f"{SECRET}.first@example.org")
    with installation.at(MONDAY).writing() as session:
        person = subscriptions.find_subscriber(session, f"{SECRET}.first@example.org")
        others = session.query(Subscriber).filter(Subscriber.id != person.id).all()
        for round_number in range(200):
            chance.choice(
                others
            ).email = f"{'o' * chance.choice([3, 20, 60])}@{'x' * chance.choice([1, 150])}.example"
            if round_number in (20, 120):
                person.email = f"{SECRET}.{'y' * chance.randrange(5, 120)}@example.org"
            session.flush()
        leaving = [person.id for person in chance.sample(others, 30)]
        session.execute(delete(Subscriber).where(Subscriber.id.in_(leaving)))
    assert holding(installation) != []
    with installation.at(MONDAY).writing() as session:
        person = session.query(Subscriber).filter(Subscriber.email.startswith(SECRET)).one()
        privacy.erase(session, person, SuppressionCause.ERASED, "erased", MONDAY)
    db.scrub(installation.at(MONDAY).engine)
    assert holding(installation) == []


def test_a_changed_address_leaves_the_files_at_once_because_erasure_would_not_know_it(
    installation: Installation,
):
    installation.subscribe(f"{SECRET}@example.org")
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        person = subscriptions.find_subscriber(session, f"{SECRET}@example.org")
        change = address_changes.ask(session, person, "anna@new.example.org", MONDAY)
        address_changes.agree(session, change, address_changes.Side.NEW, MONDAY)
        link = deps.links.url(Purpose.ADDRESS, f"old:{change.link_id}", MONDAY)
    assert holding(installation) != []
    with serving(create(deps)) as address:
        assert "is changed" in Client(address).post(link).text
    assert holding(installation) == []


def test_a_change_of_spelling_only_does_not_write_the_files_anew(installation: Installation):
    installation.subscribe(f"{SECRET}@example.org")
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        person = subscriptions.find_subscriber(session, f"{SECRET}@example.org")
        change = address_changes.ask(session, person, f"{SECRET.upper()}@Example.org", MONDAY)
        address_changes.agree(session, change, address_changes.Side.NEW, MONDAY)
        made = address_changes.agree(session, change, address_changes.Side.OLD, MONDAY)
    assert made == address_changes.Made()


def test_a_long_text_about_somebody_is_in_no_file_after_erasure(installation: Installation):
    installation.subscribe("anna@example.org")
    with installation.at(MONDAY).writing() as session:
        session.query(Subscription).one().trouble = f"{SECRET} " * 2000  # fills overflow pages
    assert holding(installation) != []
    erase(installation, "anna@example.org")
    db.scrub(installation.at(MONDAY).engine)
    assert holding(installation) == []


def test_an_address_that_is_deleted_a_year_after_leaving_is_in_no_file(
    installation: Installation,
):
    installation.subscribe(f"{SECRET}@example.org")
    with installation.at(MONDAY).writing() as session:
        subscriptions.end(session, session.query(Subscription).one(), "link", "subscriber", MONDAY)
    assert holding(installation) != []
    housekeeping.run(installation.at(MONDAY + timedelta(days=366)))
    assert holding(installation) == []


def test_a_long_reader_is_reported_and_makes_no_writer_wait(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(deleted_rows, "_EMPTYING_ATTEMPTS", 8)
    installation.subscribe(f"{SECRET}@example.org")
    engine = installation.at(MONDAY).engine
    with sqlite3.connect(engine.url.database) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM subscriber").fetchone()
        erase(installation, f"{SECRET}@example.org")
        problems: list[StoreError] = []
        waits = []
        scrubbing = threading.Thread(target=lambda: problems.append(_problem_of_scrub(engine)))
        scrubbing.start()
        while scrubbing.is_alive():
            with measured() as effort:
                installation.subscribe(f"other{len(waits)}@example.org")
            waits.append(effort.elapsed)
        reader.rollback()
    assert "run the same command again" in problems[0].fix
    assert max(waits) < 1
    db.scrub(engine)
    assert holding(installation) == []
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == db.BUSY_TIMEOUT_MS


def _problem_of_scrub(engine: Engine) -> StoreError:
    with pytest.raises(StoreError) as refused:
        db.scrub(engine)
    return refused.value


def many(engine: Engine, people: int) -> None:
    """So many people with a subscription and a delivery each, in one transaction."""
    with db.writing(engine) as session:
        profile = session.query(Profile).one().id
        session.execute(
            insert(Subscriber),
            [
                {
                    "id": number,
                    "email": f"person{number}@example.org",
                    "address_hash": f"hash{number}",
                    "language": "en",
                    "time_zone": "Europe/Berlin",
                    "created_at": MONDAY,
                }
                for number in range(1000, 1000 + people)
            ],
        )
        session.execute(
            insert(Subscription),
            [
                {
                    "id": number,
                    "subscriber_id": number,
                    "profile_id": profile,
                    "cadence": Cadence.DAILY,
                    "at": "08:00",
                    "edition": Edition.PATIENT,
                    "status": SubscriptionStatus.CONFIRMED,
                    "link_id": f"link{number}",
                    "created_at": MONDAY,
                }
                for number in range(1000, 1000 + people)
            ],
        )
        session.execute(
            insert(Delivery),
            [
                {
                    "kind": DeliveryKind.WELCOME,
                    "subscription_id": number,
                    "message_id": f"<{number}@example.org>",
                    "status": DeliveryStatus.SENT,
                    "created_at": MONDAY,
                    "due_at": MONDAY,
                    "next_attempt_at": MONDAY,
                    "attempts": 1,
                    "given_up_at": MONDAY,
                }
                for number in range(1000, 1000 + people)
            ],
        )


@pytest.mark.long
def test_one_click_succeeds_within_a_second_while_somebody_is_erased_from_a_large_database(
    any_installation: Installation,
):
    installation = any_installation
    deps = installation.at(MONDAY)
    many(deps.engine, 50_000)
    for number in range(3):
        installation.subscribe(f"{SECRET}{number}@example.org")
    ended = threading.Event()

    def erase_all() -> None:
        try:
            for number in range(3):
                erase(installation, f"{SECRET}{number}@example.org")
                db.scrub(deps.engine)
        finally:
            ended.set()

    waits = []
    one_click = "List-Unsubscribe=One-Click"
    with serving(create(deps)) as address:
        client = Client(address)
        erasing = threading.Thread(target=erase_all)
        erasing.start()
        while not ended.is_set() or len(waits) < 5:
            link = deps.links.token(Purpose.UNSUBSCRIBE, f"link{1000 + len(waits)}", MONDAY)
            with measured() as effort:
                answer = client.post(f"/unsubscribe/{link}", one_click, "text/plain")
            waits.append(effort.elapsed)
            assert answer.status_code == 200
        erasing.join()
    assert max(waits) < 1
    with deps.reading() as session:
        assert session.query(Subscriber).filter(Subscriber.email.startswith(SECRET)).count() == 0
    if deps.engine.dialect.name == "sqlite":
        assert holding(installation) == []
