"""Sign-up: the same answer for every address, a confirmation by mail, and limits."""

import re
import threading
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier.enums import Cadence, Edition, SubscriptionStatus, SuppressionCause
from notifier.match import profiles
from notifier.pipeline.run import run_once
from notifier.pipeline.signup_requests import answer_all
from notifier.store.models import (
    Consent,
    Delivery,
    SignupRequest,
    Subscriber,
    Subscription,
    Wording,
)
from notifier.subscribers import subscriptions, suppressions
from notifier.web.app import create
from tests.support.forms import FORM
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.visitor import Answer, Client
from tests.support.web_server import serving

WISH = {
    "email": "petra@example.org",
    "every": "weekly",
    "weekday": "friday",
    "at": "07:30",
    "time_zone": "Europe/Berlin",
    "edition": "clinician",
    "language": "de",
    "consent": "yes",
}


def sign_up(client: Client, network: str = "198.51.100.7", **changes: str) -> Answer:
    body = urlencode(
        {name: value for name, value in {**WISH, **changes}.items() if value is not None}
    )
    return client.request("POST", "/subscribe", body, FORM, X_Forwarded_For=network)


def link_in(mail, purpose: str) -> str:
    return re.search(rf"https://\S+/{purpose}/\S+", text_of(mail)).group()


def test_a_sign_up_is_confirmed_by_mail_and_welcomed(installation: Installation, client: Client):
    answer = sign_up(client)
    assert answer.status_code == 200
    answer_all(installation.at(MONDAY))
    with installation.at(MONDAY).reading() as session:
        one = session.query(Subscription).one()
        assert one.status is SubscriptionStatus.PENDING
        assert (one.cadence, one.on, one.at, one.edition) == (
            Cadence.WEEKLY,
            4,
            "07:30",
            Edition.CLINICIAN,
        )
        assert (one.subscriber.time_zone, one.subscriber.language) == ("Europe/Berlin", "de")
        assert session.query(Consent).count() == 0
    run_once(installation.at(MONDAY))
    (question,) = installation.sink.messages
    assert question["To"] == "petra@example.org"

    client.post(link_in(question, "confirm"))
    run_once(installation.at(MONDAY + timedelta(minutes=1)))
    welcome = installation.sink.messages[1]
    assert welcome["Subject"] == "Willkommen: Ihr Abonnement ist bestätigt"
    assert "Die erste Sendung kann am Freitag, 6. März 2026, 07:30 kommen." in " ".join(
        text_of(welcome).split()
    )
    assert client.get(link_in(welcome, "preferences")).status_code == 200
    with installation.at(MONDAY).reading() as session:
        ledger = session.query(Consent).one()
        assert session.get(Wording, ledger.wording_hash).text.startswith("Ich möchte Nachrichten")


def test_the_answer_is_the_same_whether_an_address_is_known_or_not(
    installation: Installation, client: Client
):
    installation.subscribe("anna@example.org")
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        key = subscriptions.hash_of(session, "gone@example.org")
        suppressions.add(session, key, SuppressionCause.BOUNCED, "no such user", MONDAY)
    answers = {
        sign_up(client, email=f"{name}@example.org").text for name in ("anna", "new", "gone")
    }
    assert len(answers) == 1
    links = {
        client.post("/link", f"email={name}%40example.org", FORM).text
        for name in ("anna", "nobody", "gone")
    }
    assert len(links) == 1
    run_once(deps)
    mails = sorted((mail["To"], mail["Subject"]) for mail in installation.sink.messages)
    assert mails == [
        ("anna@example.org", "The link you asked for"),
        ("anna@example.org", "You are subscribed already"),
        ("new@example.org", "Bitte bestätigen Sie Ihr Abonnement"),
    ]


def test_a_stranger_cannot_change_what_somebody_chose(installation: Installation, client: Client):
    installation.subscribe("petra@example.org", every="daily", zone="Europe/Paris")
    sign_up(client)
    with installation.at(MONDAY).reading() as session:
        one = session.query(Subscription).one()
        assert (one.cadence, one.subscriber.time_zone, one.subscriber.language) == (
            Cadence.DAILY,
            "Europe/Paris",
            "en",
        )


def test_the_page_answers_before_the_address_is_looked_up(
    installation: Installation, client: Client, monkeypatch: pytest.MonkeyPatch
):
    asked = threading.Event()
    monkeypatch.setattr("notifier.web.mail_requests._answer_by_mail", lambda *_: asked.wait(5))
    assert sign_up(client).status_code == 200
    with installation.at(MONDAY).reading() as session:
        assert session.query(SignupRequest).one().email == "petra@example.org"
        assert session.query(Subscriber).count() == 0
    asked.set()
    run_once(installation.at(MONDAY))
    assert len(installation.sink.messages) == 1
    with installation.at(MONDAY).reading() as session:
        answered = session.query(SignupRequest).one()
        assert (answered.email, answered.wish) == (None, None)


def test_a_program_that_fills_in_every_field_gets_the_usual_answer_and_nothing_is_stored(
    installation: Installation, client: Client
):
    page = client.get("/").text
    hidden = re.search(r'<input name="(\w+)" type="text" tabindex="-1" aria-hidden="true"', page)[1]
    assert (
        sign_up(client, **{hidden: "https://spam.example.org"}).text
        == sign_up(client, language="de").text
    )
    with installation.at(MONDAY).reading() as session:
        assert session.query(SignupRequest).count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", ""),
        ("email", "a@b"),
        ("email", "petra@example.org\r\nBcc: x@example.org"),
        ("email", "ü" * 5000 + "@example.org"),
        ("consent", "no"),
        ("every", "hourly"),
        ("at", "25:00"),
        ("weekday", "someday"),
        ("time_zone", "../../etc/passwd"),
        ("edition", "doctor"),
        ("language", "tlh"),
        ("profile", "nothing"),
    ],
)
def test_an_error_is_shown_beside_its_field_and_nothing_is_stored(
    installation: Installation, client: Client, field: str, value: str
):
    answer = sign_up(client, **{field: value})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert 'aria-invalid="true"' in answer.text or field == "profile"
    with installation.at(MONDAY).reading() as session:
        assert session.query(SignupRequest).count() == 0


def test_an_address_gets_three_mails_an_hour_and_no_more(
    installation: Installation, client: Client
):
    deps = installation.at(MONDAY)
    for _ in range(6):
        assert sign_up(client).status_code == 200
        run_once(deps)
    assert len(installation.sink.messages) == 3
    later = installation.at(MONDAY + timedelta(minutes=61))
    with serving(create(later)) as address:
        sign_up(Client(address))
    run_once(later)
    assert len(installation.sink.messages) == 4


def test_one_network_is_limited_and_the_next_one_is_not(installation: Installation, client: Client):
    answers = [sign_up(client, f"198.51.100.{n}", email=f"p{n}@example.org") for n in range(33)]
    assert [one.status_code for one in answers] == [200] * 30 + [429] * 3
    assert answers[-1].headers["Retry-After"] == "3600"
    assert sign_up(client, "198.51.101.1").status_code == 200
    run_once(installation.at(MONDAY + timedelta(hours=2)))
    with installation.at(MONDAY).reading() as session:
        assert session.query(SignupRequest).count() == 0


@pytest.mark.parametrize("networks", [pytest.param(200, marks=pytest.mark.long), 1])
def test_two_hundred_at_once_from_as_many_networks_lose_none_and_from_one_are_limited(
    installation: Installation, client: Client, networks: int
):
    answers: list[int] = []

    def one(number: int) -> None:
        place = f"10.{number % networks}.0.1"
        answers.append(sign_up(client, place, email=f"p{number}@example.org").status_code)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = 200 if networks == 200 else 30
    assert sorted(answers) == [200] * taken + [429] * (200 - taken)
    answer_all(installation.at(MONDAY))
    with installation.at(MONDAY).reading() as session:
        assert session.query(Subscription).count() == taken
        assert session.query(Delivery).count() == taken


def test_a_sign_up_that_nobody_confirms_is_deleted_after_48_hours(
    installation: Installation, client: Client
):
    sign_up(client)
    run_once(installation.at(MONDAY))
    run_once(installation.at(MONDAY + timedelta(hours=47)))
    with installation.at(MONDAY).reading() as session:
        assert session.query(Subscriber).count() == 1
    run_once(installation.at(MONDAY + timedelta(hours=49)))
    with installation.at(MONDAY).reading() as session:
        assert session.query(Subscriber).count() == session.query(Delivery).count() == 0


def test_those_who_left_and_do_not_confirm_a_new_sign_up_stay_unsubscribed(
    installation: Installation, client: Client
):
    installation.subscribe("petra@example.org")
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        subscriptions.end(session, session.query(Subscription).one(), "link", "subscriber", MONDAY)
    sign_up(client)
    run_once(deps)
    run_once(installation.at(MONDAY + timedelta(hours=50)))
    with deps.reading() as session:
        assert session.query(Subscription).one().status is SubscriptionStatus.ENDED


def test_without_a_public_profile_nobody_can_sign_up(installation: Installation, client: Client):
    with installation.at(MONDAY).writing() as session:
        one = session.query(Subscription).first()
        assert one is None
        stored = profiles.find(session, None)
        stored.document = {**stored.document, "public": False}
    assert "Nobody can sign up here" in client.get("/").text
    assert sign_up(client).status_code in (200, 422)
    with installation.at(MONDAY).reading() as session:
        assert session.query(SignupRequest).count() == 0


def test_a_form_of_a_million_characters_is_refused(client: Client):
    assert sign_up(client, email="x" * 1_000_000).status_code == 413
    assert client.post("/link", "email=" + "x" * 1_000_000, FORM).status_code == 413


ROUTES = (
    "/",
    "/subscribe",
    "/link",
    "/confirm/x",
    "/preferences/x",
    "/unsubscribe/x",
    "/renew/x",
    "/address/x",
)
ROUTES += (
    "/archive",
    "/archive/x",
    "/archive/99999999999999999999",
    "/feeds/x.atom",
    "/style.css",
    "/page.js",
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE"]),
    st.sampled_from(ROUTES),
    st.dictionaries(
        st.sampled_from([*WISH, "do", "sure", "until", "website", "profile", "show"]),
        TEXT,
        max_size=6,
    ),
    st.sampled_from(
        [
            FORM,
            "multipart/form-data; boundary=b",
            "application/json",
            "text/plain",
            "",
            "x/y; charset=z",
        ]
    ),
)
def test_no_request_makes_a_page_fail(
    client: Client, method: str, route: str, form: dict[str, str], kind: str
):
    answer = client.request(method, route, urlencode(form), kind)
    assert answer.status_code < 500
    assert "set-cookie" not in answer.headers
    assert "Traceback" not in answer.text
