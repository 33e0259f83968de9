"""Erasure: nothing readable of a person stays in any file; a hash keeps others from writing to them again."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from notifier.cli.main import app
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
from tests.support.forms import link_to, post, sign_up, visiting
from tests.support.installation import MONDAY, SUPPRESSION_KEY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article
from tests.support.visitor import Client
from tests.support.web_server import serving

SECRET = b"unmistakable.person@example.org"


def erase(made: Installation, email: str = SECRET.decode()) -> None:
    deps = made.at(MONDAY)
    with deps.writing() as session:
        privacy.erase(
            session,
            subscriptions.find_subscriber(session, email),
            SuppressionCause.ERASED,
            "erased",
            MONDAY,
        )
    db.scrub(deps.engine)


def files(made: Installation) -> list[Path]:
    path = Path(made.at(MONDAY).engine.url.database)
    return sorted(path.parent.glob(f"{path.name}*"))


def test_an_erased_address_is_in_no_file(installation: Installation):
    made = installation
    made.subscribe(SECRET.decode())
    for number in range(300):
        made.subscribe(f"other{number}@example.org", zone="Europe/Berlin")
    run_once(made.at(MONDAY))
    made.publish([Article("Frexalimab slows lesions")])
    poll.run(made.at(MONDAY))
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


def test_an_erased_address_is_lifted_by_its_owners_own_double_opt_in_alone(
    installation: Installation,
):
    made = installation
    made.subscribe(SECRET.decode())
    erase(made)
    with made.at(MONDAY).reading() as session:
        choice, profile = (
            default_choice(Cadence.DAILY, "UTC"),
            profiles.find(session, None),
        )
        with pytest.raises(NotifierError, match="suppressed"):
            subscriptions.subscribe(session, SECRET.decode(), profile, choice, MONDAY)
    with serving(create(made.at(MONDAY))) as address:
        client = Client(address)
        client.post(
            "/subscribe",
            f"email={SECRET.decode()}&consent=yes".replace("@", "%40"),
            "application/x-www-form-urlencoded",
        )
        run_once(made.at(MONDAY))
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
    run_once(made.at(MONDAY + timedelta(days=364)))
    with made.at(MONDAY).reading() as session:
        assert session.query(Subscriber).count() == 1
    run_once(made.at(MONDAY + timedelta(days=366)))
    with made.at(MONDAY).reading() as session:
        assert session.query(Subscriber).count() == 0
        assert session.query(Suppression).one().cause is SuppressionCause.LEFT


def test_the_ledger_of_consents_can_only_be_added_to(any_installation: Installation):
    any_installation.subscribe("anna@example.org")
    with (
        pytest.raises(DBAPIError, match="append-only"),
        any_installation.at(MONDAY).engine.begin() as connection,
    ):
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


def everything_stored(made: Installation) -> str:
    """Every text and every JSON document in every table, in small letters."""
    with made.at(MONDAY).engine.connect() as connection:
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
def test_an_address_is_erased_from_every_table_however_it_is_written(
    with_key: Installation, stored: str, named: str
):
    made = with_key
    wire = to_ascii_domain(normalize(stored))
    made.subscribe(stored)
    made.subscribe("other@example.org")
    made.sink.refuse_recipient[wire] = f"550 5.7.1 <{wire.upper()}> refused for {wire}"
    with visiting(made) as client:
        post(client, "/link", email=stored)
        post(
            client,
            link_to(made, Purpose.PREFERENCES, "other@example.org"),
            do="address",
            email=stored,
        )
        post(
            client,
            link_to(made, Purpose.PREFERENCES, stored),
            do="address",
            email="third@example.org",
        )
        run_once(made.at(MONDAY))
        sign_up(client, stored)
    with made.at(MONDAY).writing() as session:
        session.query(Subscription).first().trouble = f"no mail could be made for {stored}"
        for number, kind in enumerate(SignupRequestKind):
            signup_requests.ask(
                session, kind, normalize(stored), {"x": stored}, f"198.51.{number}.7", MONDAY
            )
    assert traces(stored) & {trace for trace in traces(stored) if trace in everything_stored(made)}
    assert run_command(made, "subscribers", "erase", named) == 0
    left = everything_stored(made)
    assert [trace for trace in traces(stored) if trace in left] == []
    assert "other@example.org" in left


def test_the_page_erases_as_much_as_the_command(with_key: Installation):
    made = with_key
    made.subscribe("Petra@example.org")
    made.subscribe("other@example.org")
    with visiting(made) as client:
        post(
            client,
            link_to(made, Purpose.PREFERENCES, "other@example.org"),
            do="address",
            email="petra@example.org",
        )
        with made.at(MONDAY).writing() as session:
            signup_requests.ask(
                session, SignupRequestKind.LINK, "PETRA@example.org", None, "198.51.100.7", MONDAY
            )
        answer = post(
            client, link_to(made, Purpose.PREFERENCES, "petra@example.org"), do="erase", sure="yes"
        )
    assert "deleted" in answer.text
    assert "petra" not in everything_stored(made)


def run_command(made: Installation, *arguments: str) -> int:
    """Run a command on the installation's database; gives the exit code."""
    url = made.at(MONDAY).engine.url.render_as_string(hide_password=False)
    environment = {"NOTIFIER_DATABASE_URL": url, "NOTIFIER_SUPPRESSION_KEY": SUPPRESSION_KEY}
    environment["NOTIFIER_SECRET_KEY"] = made.at(MONDAY).settings.secret_key
    return (
        CliRunner()
        .invoke(app, [*arguments, "--now", MONDAY.isoformat()], env=environment)
        .exit_code
    )


def test_an_address_that_is_only_suppressed_can_be_erased(with_key: Installation):
    made = with_key
    with made.at(MONDAY).writing() as session:
        key = subscriptions.hash_of(session, "petra@example.org")
        suppressions.add(session, key, SuppressionCause.BOUNCED, "5.1.1", MONDAY)
    assert run_command(made, "subscribers", "erase", "PETRA@example.org") == 0
    with made.at(MONDAY).reading() as session:
        assert session.query(Suppression).one().cause is SuppressionCause.BOUNCED


def test_an_address_that_only_an_enquiry_names_can_be_erased(with_key: Installation):
    made = with_key
    with made.at(MONDAY).writing() as session:
        signup_requests.ask(
            session, SignupRequestKind.LINK, "Petra@example.org", None, "198.51.100.7", MONDAY
        )
    assert run_command(made, "subscribers", "erase", "petra@example.org") == 0
    assert "petra" not in everything_stored(made)
    with made.at(MONDAY).reading() as session:
        assert session.query(Suppression).one().cause is SuppressionCause.ERASED


def test_an_address_that_was_erased_is_not_erased_again(with_key: Installation):
    with_key.subscribe("petra@example.org")
    assert run_command(with_key, "subscribers", "erase", "petra@example.org") == 0
    assert run_command(with_key, "subscribers", "erase", "petra@example.org") == 1


def test_an_address_that_nothing_names_cannot_be_erased(with_key: Installation):
    assert run_command(with_key, "subscribers", "erase", "petra@example.org") == 1
    with with_key.at(MONDAY).reading() as session:
        assert session.query(Suppression).count() == 0


@pytest.mark.parametrize(
    "cause", [SuppressionCause.NEVER, SuppressionCause.ASKED, SuppressionCause.COMPLAINED]
)
def test_erasing_does_not_weaken_what_the_address_was_suppressed_for(
    with_key: Installation, cause: SuppressionCause
):
    made = with_key
    made.subscribe("petra@example.org")
    with made.at(MONDAY).writing() as session:
        suppressions.add(
            session, subscriptions.hash_of(session, "petra@example.org"), cause, "", MONDAY
        )
    erase(made, "petra@example.org")
    with made.at(MONDAY).reading() as session:
        assert session.query(Suppression).one().cause is cause
