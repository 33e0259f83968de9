"""Erasure: nothing readable of a person stays in any file; the hash prevents new mails."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from notifier.email_addresses import normalize, to_ascii_domain
from notifier.enums import Cadence, SignupRequestKind, SubscriptionStatus, SuppressionCause
from notifier.errors import NotifierError
from notifier.links import Purpose
from notifier.match import profiles
from notifier.pipeline import poll
from notifier.pipeline.run import run_once
from notifier.store import db, keys
from notifier.store.models import Base, Consent, Delivery, Subscriber, Subscription, Suppression
from notifier.subscribers import privacy, signup_requests, subscriptions, suppressions
from notifier.subscribers.choices import default_choice
from notifier.web.app import create
from tests.support.command_line import run_command
from tests.support.forms import link_to, post, sign_up, visiting
from tests.support.installation import MONDAY, SUPPRESSION_KEY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article
from tests.support.visitor import Client
from tests.support.web_server import serving

SECRET = b"unmistakable.person@example.org"


def erase(installation: Installation, email: str = SECRET.decode()) -> None:
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        privacy.erase(
            session,
            subscriptions.find_subscriber(session, email),
            SuppressionCause.ERASED,
            "erased",
            MONDAY,
        )
    db.scrub(deps.engine)


def files(installation: Installation) -> list[Path]:
    path = Path(installation.at(MONDAY).engine.url.database)
    return sorted(path.parent.glob(f"{path.name}*"))


def test_an_erased_address_is_in_no_file(installation: Installation):
    installation.subscribe(SECRET.decode())
    for number in range(300):
        installation.subscribe(f"other{number}@example.org", zone="Europe/Berlin")
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    poll.run(installation.at(MONDAY))
    assert any(SECRET in file.read_bytes() for file in files(installation))
    erase(installation)
    assert [file for file in files(installation) if SECRET in file.read_bytes()] == []
    assert any(b"other299@example.org" in file.read_bytes() for file in files(installation))


def test_every_row_that_names_a_person_is_deleted_with_them(any_installation: Installation):
    installation = any_installation
    installation.subscribe(SECRET.decode())
    installation.subscribe("anna@example.org")
    erase(installation)
    with installation.at(MONDAY).reading() as session:
        assert session.query(Subscriber).one().email == "anna@example.org"
        assert session.query(Subscription).count() == session.query(Consent).count() == 1
        assert session.query(Delivery).count() == 0
        assert session.query(Suppression).one().cause is SuppressionCause.ERASED


def test_only_the_owners_double_opt_in_lifts_the_suppression_of_an_erasure(
    installation: Installation,
):
    installation.subscribe(SECRET.decode())
    erase(installation)
    with installation.at(MONDAY).reading() as session:
        choice, profile = (
            default_choice(Cadence.DAILY, "UTC"),
            profiles.find(session, None),
        )
        with pytest.raises(NotifierError, match="suppressed"):
            subscriptions.subscribe(session, SECRET.decode(), profile, choice, MONDAY)
    with serving(create(installation.at(MONDAY))) as address:
        client = Client(address)
        client.post(
            "/subscribe",
            f"email={SECRET.decode()}&consent=yes".replace("@", "%40"),
            "application/x-www-form-urlencoded",
        )
        run_once(installation.at(MONDAY))
        (question,) = installation.sink.messages
        client.post(next(line for line in text_of(question).splitlines() if "/confirm/" in line))
    with installation.at(MONDAY).reading() as session:
        assert session.query(Suppression).count() == 0
        assert session.query(Subscription).one().status is SubscriptionStatus.CONFIRMED


def test_a_person_who_left_a_year_ago_is_deleted_except_for_the_hash(installation: Installation):
    installation.subscribe("anna@example.org")
    with installation.at(MONDAY).writing() as session:
        subscriptions.end(session, session.query(Subscription).one(), "link", "subscriber", MONDAY)
    run_once(installation.at(MONDAY + timedelta(days=364)))
    with installation.at(MONDAY).reading() as session:
        assert session.query(Subscriber).count() == 1
    run_once(installation.at(MONDAY + timedelta(days=366)))
    with installation.at(MONDAY).reading() as session:
        assert session.query(Subscriber).count() == 0
        assert session.query(Suppression).one().cause is SuppressionCause.LEFT


def test_the_consent_ledger_is_never_changed(any_installation: Installation):
    any_installation.subscribe("anna@example.org")
    with (
        pytest.raises(DBAPIError, match="append-only"),
        any_installation.at(MONDAY).engine.begin() as connection,
    ):
        connection.execute(text("UPDATE consent SET method = 'forged'"))


def test_the_export_holds_everything_stored_about_a_person(installation: Installation):
    installation.subscribe("anna@example.org")
    with installation.at(MONDAY).reading() as session:
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


@pytest.fixture
def with_key(any_installation: Installation) -> Installation:
    """An installation whose database knows the key of its settings, as commands want it."""
    keys.adopt(any_installation.at(MONDAY).engine, SUPPRESSION_KEY)
    return any_installation


SPELLINGS = [
    ("petra@example.org", "petra@example.org"),
    ("Petra@Example.ORG", "PETRA@EXAMPLE.ORG"),
    ("PETRA.LONG@EXAMPLE.ORG", "petra.long@example.org"),
    ("petra+news@example.org", "Petra+News@example.org"),
    ("petra+a+b@example.org", "petra+a+b@example.org"),
    ("p.e.t.r.a@example.org", "P.e.t.r.a@example.org"),
    ("petra@müller.example.org", "petra@xn--mller-kva.example.org"),
    ("petra@xn--mller-kva.example.org", "PETRA@MÜLLER.example.org"),
    ("petra+x@bücher.example.org", "petra+x@BÜCHER.example.org"),
    ("petra_o-k@example.org", " petra_o-k@example.org "),
    ("p@example.org", "p@EXAMPLE.org"),
]


def everything_stored(installation: Installation) -> str:
    """Every text and every JSON document in every table, in small letters."""
    with installation.at(MONDAY).engine.connect() as connection:
        rows = [
            row
            for table in Base.metadata.sorted_tables
            for row in connection.execute(table.select())
        ]
    return "\n".join(
        str(value) for row in rows for value in row if isinstance(value, (str, dict, list))
    ).casefold()


def traces(email: str) -> set[str]:
    """In which forms an address could stand somewhere, in small letters."""
    local, _, domain = email.strip().casefold().rpartition("@")
    return {
        f"{local}@{domain}",
        f"{local}@{domain.encode().decode('idna') if domain.isascii() else domain}",
        f"{local}@",
    }


@pytest.mark.parametrize(("stored", "named"), SPELLINGS)
def test_an_address_is_erased_from_every_table_in_upper_and_lower_case(
    with_key: Installation, stored: str, named: str
):
    installation = with_key
    wire = to_ascii_domain(normalize(stored))
    installation.subscribe(stored)
    installation.subscribe("other@example.org")
    installation.sink.refuse_recipient[wire] = f"550 5.7.1 <{wire.upper()}> refused for {wire}"
    with visiting(installation) as client:
        post(client, "/link", email=stored)
        post(
            client,
            link_to(installation, Purpose.PREFERENCES, "other@example.org"),
            do="address",
            email=stored,
        )
        post(
            client,
            link_to(installation, Purpose.PREFERENCES, stored),
            do="address",
            email="third@example.org",
        )
        run_once(installation.at(MONDAY))
        sign_up(client, stored)
    with installation.at(MONDAY).writing() as session:
        session.query(Subscription).first().trouble = f"no mail could be made for {stored}"
        for number, kind in enumerate(SignupRequestKind):
            signup_requests.ask(
                session, kind, normalize(stored), {"x": stored}, f"198.51.{number}.7", MONDAY
            )
    assert traces(stored) & {
        trace for trace in traces(stored) if trace in everything_stored(installation)
    }
    assert erase_by_command(installation, named) == 0
    left = everything_stored(installation)
    assert [trace for trace in traces(stored) if trace in left] == []
    assert "other@example.org" in left


def test_the_page_erases_as_much_as_the_command(with_key: Installation):
    installation = with_key
    installation.subscribe("Petra@example.org")
    installation.subscribe("other@example.org")
    with visiting(installation) as client:
        post(
            client,
            link_to(installation, Purpose.PREFERENCES, "other@example.org"),
            do="address",
            email="petra@example.org",
        )
        with installation.at(MONDAY).writing() as session:
            signup_requests.ask(
                session, SignupRequestKind.LINK, "PETRA@example.org", None, "198.51.100.7", MONDAY
            )
        answer = post(
            client,
            link_to(installation, Purpose.PREFERENCES, "petra@example.org"),
            do="erase",
            sure="yes",
        )
    assert "deleted" in answer.text
    assert "petra" not in everything_stored(installation)


def erase_by_command(installation: Installation, email: str) -> int:
    """Run the command that erases an address; return its exit code."""
    command = ("subscribers", "erase", email, "--now", MONDAY.isoformat())
    return run_command(installation, *command).code


def test_an_address_that_is_only_suppressed_can_be_erased(with_key: Installation):
    installation = with_key
    with installation.at(MONDAY).writing() as session:
        key = subscriptions.hash_of(session, "petra@example.org")
        suppressions.add(session, key, SuppressionCause.BOUNCED, "5.1.1", MONDAY)
    assert erase_by_command(installation, "PETRA@example.org") == 0
    with installation.at(MONDAY).reading() as session:
        assert session.query(Suppression).one().cause is SuppressionCause.BOUNCED


def test_an_address_that_only_a_sign_up_request_names_can_be_erased(with_key: Installation):
    installation = with_key
    with installation.at(MONDAY).writing() as session:
        signup_requests.ask(
            session, SignupRequestKind.LINK, "Petra@example.org", None, "198.51.100.7", MONDAY
        )
    assert erase_by_command(installation, "petra@example.org") == 0
    assert "petra" not in everything_stored(installation)
    with installation.at(MONDAY).reading() as session:
        assert session.query(Suppression).one().cause is SuppressionCause.ERASED


def test_an_address_that_was_erased_is_not_erased_again(with_key: Installation):
    with_key.subscribe("petra@example.org")
    assert erase_by_command(with_key, "petra@example.org") == 0
    assert erase_by_command(with_key, "petra@example.org") == 1


def test_an_address_that_nothing_names_cannot_be_erased(with_key: Installation):
    assert erase_by_command(with_key, "petra@example.org") == 1
    with with_key.at(MONDAY).reading() as session:
        assert session.query(Suppression).count() == 0


@pytest.mark.parametrize(
    "cause", [SuppressionCause.NEVER, SuppressionCause.ASKED, SuppressionCause.COMPLAINED]
)
def test_erasing_does_not_weaken_a_suppression(with_key: Installation, cause: SuppressionCause):
    installation = with_key
    installation.subscribe("petra@example.org")
    with installation.at(MONDAY).writing() as session:
        suppressions.add(
            session, subscriptions.hash_of(session, "petra@example.org"), cause, "", MONDAY
        )
    erase_by_command(installation, "petra@example.org")
    with installation.at(MONDAY).reading() as session:
        assert session.query(Suppression).one().cause is cause
