"""The preferences: what a subscriber can change, download and end with the link of a mail."""

import json
import re
from datetime import datetime, timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier.admin.profile_import import import_profile
from notifier.enums import Cadence, Edition, SubscriptionStatus
from notifier.i18n.catalog import LANGUAGES
from notifier.links import Purpose
from notifier.match import profiles
from notifier.pipeline.run import run_once
from notifier.settings.sections import Privacy
from notifier.store.models import AddressChange, Consent, Subscriber, Subscription
from notifier.subscribers import subscriptions
from notifier.text import times
from tests.support.forms import FORM, link_to, links_in_mails, people, visiting
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article
from tests.support.visitor import Answer, Client

OLD, NEW = "anna@example.org", "anna@new.example.org"
CHOICE = {
    "every": "monthly",
    "at": "19:30",
    "weekday": "monday",
    "day": "31",
    "time_zone": "America/New_York",
    "edition": "clinician",
    "language": "fr",
}


def link(made: Installation, purpose: Purpose = Purpose.PREFERENCES) -> str:
    deps = made.at(MONDAY)
    with deps.reading() as session:
        link_id = session.query(Subscription).one().link_id
    return f"/preferences/{deps.links.token(purpose, link_id, MONDAY)}"


def state(made: Installation) -> tuple:
    with made.at(MONDAY).reading() as session:
        one = session.query(Subscription).one()
        person = one.subscriber
        return (
            one.cadence,
            one.at,
            one.on,
            person.time_zone,
            one.edition,
            person.language,
            one.next_due_at,
        )


def send(client: Client, path: str, **changes: str) -> Answer:
    return client.post(path, urlencode({**CHOICE, **changes}), FORM)


def test_saving_moves_nobody_whose_zone_this_machine_alone_knows(
    installation: Installation, client: Client, monkeypatch: pytest.MonkeyPatch
):
    installation.subscribe("anna@example.org", zone="Europe/Berlin")
    monkeypatch.setattr(times, "zone_names", lambda: frozenset({"Africa/Abidjan", "UTC"}))
    assert "<option selected>Europe/Berlin" in client.get(link(installation)).text
    assert send(client, link(installation), time_zone="Europe/Berlin").status_code == 200
    assert state(installation)[3] == "Europe/Berlin"


def test_the_form_shows_what_is_chosen(installation: Installation, client: Client):
    installation.subscribe(
        "anna@example.org", every="weekly", on="friday", at="07:15", zone="Europe/Berlin"
    )
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


def test_a_choice_is_stored_and_the_next_digest_is_scheduled_by_it(
    installation: Installation, client: Client
):
    installation.subscribe("anna@example.org")
    answer = send(client, link(installation))
    assert answer.status_code == 200
    assert "Enregistré." in answer.text
    assert "chaque mois, le dernier jour à 19:30 (America/New_York)" in answer.text
    due = datetime.fromisoformat("2026-03-31T23:30:00+00:00")
    new_york = "America/New_York"
    assert state(installation) == (
        Cadence.MONTHLY,
        "19:30",
        31,
        new_york,
        Edition.CLINICIAN,
        "fr",
        due,
    )
    assert send(client, link(installation)).status_code == 200


def test_an_immediate_digest_needs_no_day(installation: Installation, client: Client):
    installation.subscribe("anna@example.org", every="weekly", on="friday")
    assert (
        "as soon as there is news"
        in send(client, link(installation), every="immediate", language="en").text
    )
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
def test_a_wrong_choice_changes_nothing_and_the_page_says_so(
    installation: Installation, client: Client, wrong: dict[str, str]
):
    installation.subscribe("anna@example.org")
    before = state(installation)
    answer = send(client, link(installation), **wrong)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "<form" in answer.text
    assert state(installation) == before


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    st.dictionaries(st.sampled_from(list(CHOICE)), st.text(max_size=60), max_size=4),
    st.text(max_size=20),
)
def test_no_form_makes_the_page_fail(
    installation: Installation, client: Client, form: dict[str, str], kind: str
):
    installation.subscribe("anna@example.org")
    path = link(installation)
    assert send(client, path, **form).status_code in (200, 422)
    printable = "".join(char for char in kind if " " <= char <= "~")
    assert client.post(path, urlencode(form), f"multipart/form-data; {printable}").status_code in (
        200,
        400,
        422,
    )


def test_a_link_of_another_purpose_opens_no_preferences(installation: Installation, client: Client):
    installation.subscribe("anna@example.org")
    before = state(installation)
    for path in (
        link(installation, Purpose.UNSUBSCRIBE),
        link(installation)[:-2],
        "/preferences/x",
    ):
        assert client.get(path).status_code == 404
        assert send(client, path).status_code == 404
    assert state(installation) == before


def test_those_who_left_see_that_they_are_not_subscribed(
    installation: Installation, client: Client
):
    installation.subscribe("anna@example.org")
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        subscriptions.end(session, session.query(Subscription).one(), "link", "subscriber", MONDAY)
    before = state(installation)
    assert "You are not subscribed." in client.get(link(installation)).text
    assert "You are not subscribed." in send(client, link(installation)).text
    assert state(installation) == before


def stored(made: Installation) -> Subscription:
    with made.at(MONDAY).reading() as session:
        return session.query(Subscription).order_by(Subscription.id).first()


def do(client: Client, path: str, what: str, **fields: str) -> Answer:
    return client.post(path, urlencode({"do": what, **fields}), FORM)


def test_hidden_sections_are_left_out_and_the_therapy_never_is(
    installation: Installation, client: Client
):
    made = installation
    made.subscribe("anna@example.org")
    run_once(made.at(MONDAY))
    send(
        client,
        link(made),
        every="daily",
        at="08:00",
        language="en",
        time_zone="UTC",
        sections="yes",
        show="trials",
    )
    assert stored(made).hidden == ["page", "mention", "related"]
    assert 'id="show-trials" value="trials" checked' in client.get(link(made)).text
    made.publish(
        [
            Article("Frexalimab slows lesions"),
            Article("Another CD40L antibody reports lupus results"),
        ]
    )
    run_once(made.at(MONDAY + timedelta(days=1)))
    (mail,) = made.sink.messages
    assert "Frexalimab slows lesions" in text_of(mail)
    assert "Another CD40L antibody" not in text_of(mail)


def test_a_form_without_the_boxes_leaves_them_unchanged(installation: Installation, client: Client):
    installation.subscribe("anna@example.org")
    send(client, link(installation), sections="yes", urgent="yes")
    assert (stored(installation).hidden, stored(installation).urgent) == (
        ["trials", "page", "mention", "related"],
        True,
    )
    send(client, link(installation))
    assert (stored(installation).hidden, stored(installation).urgent) == (
        ["trials", "page", "mention", "related"],
        True,
    )


def test_a_pause_ends_by_the_day_in_the_subscribers_time_zone(
    installation: Installation, client: Client
):
    installation.subscribe("anna@example.org", zone="Pacific/Auckland")
    assert (
        "Paused until 20 March 2026."
        in do(client, link(installation), "pause", until="2026-03-20").text
    )
    assert stored(installation).paused_until == datetime.fromisoformat("2026-03-19T11:00:00+00:00")
    assert "You will get your digests again." in do(client, link(installation), "resume").text
    assert stored(installation).status is SubscriptionStatus.CONFIRMED
    for wrong in ("", "yesterday", "2026-03-01", "2036-01-01", "2026-02-30"):
        assert do(client, link(installation), "pause", until=wrong).status_code == 422
    assert stored(installation).status is SubscriptionStatus.CONFIRMED


def test_subscribers_can_download_everything_that_is_stored_about_them(
    installation: Installation, client: Client
):
    installation.subscribe("anna@example.org")
    answer = do(client, link(installation), "export")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    document = json.loads(answer.text)
    assert document["email"] == "anna@example.org"
    assert document["subscriptions"][0]["therapy"] == "Frexalimab"
    assert document["consent"][0]["wording"].startswith("I want to receive a digest")


def test_erasing_asks_once_and_then_leaves_nothing(installation: Installation, client: Client):
    installation.subscribe("anna@example.org")
    path = link(installation)
    assert "Yes, delete everything" in do(client, path, "erase").text
    assert stored(installation) is not None
    assert "deleted" in do(client, path, "erase", sure="yes").text
    assert stored(installation) is None
    assert client.get(path).status_code == 404
    assert do(client, path, "erase", sure="yes").status_code == 404


def test_another_therapy_is_followed_only_with_a_consent_of_its_own(
    installation: Installation, client: Client
):
    installation.subscribe("anna@example.org")
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        import_profile(
            session, profiles.parse(profiles.bundled_file("tolebrutinib"), "the profile"), MONDAY
        )
    path = link(installation)
    assert do(client, path, "follow", profile="tolebrutinib").status_code == 422
    assert do(client, path, "follow", profile="nothing", consent="yes").status_code == 422
    assert (
        "You follow Tolebrutinib, too."
        in do(client, path, "follow", profile="tolebrutinib", consent="yes").text
    )
    with deps.reading() as session:
        both = session.query(Subscription).all()
        assert [one.status for one in both] == [SubscriptionStatus.CONFIRMED] * 2
        assert session.query(Consent).count() == 2
    assert "Preferences: Tolebrutinib" in client.get(path).text


def test_a_new_address_takes_the_old_ones_place_when_both_have_agreed(
    installation: Installation, client: Client
):
    made = installation
    made.subscribe("anna@example.org")
    answer = do(client, link(made), "address", email="anna@new.example.org")
    assert "both addresses" in answer.text
    run_once(made.at(MONDAY))
    links = {
        mail["To"]: re.search(r"https://\S+/address/\S+", text_of(mail)).group()
        for mail in made.sink.messages
    }
    assert set(links) == {"anna@example.org", "anna@new.example.org"}
    for where in links.values():
        assert client.get(where).status_code == 200
    assert "has to agree, too" in client.post(links["anna@new.example.org"]).text
    with made.at(MONDAY).reading() as session:
        assert session.query(Subscriber).one().email == "anna@example.org"
    assert "Your address is changed." in client.post(links["anna@example.org"]).text
    with made.at(MONDAY).reading() as session:
        assert session.query(Subscriber).one().email == "anna@new.example.org"
        assert subscriptions.find_subscriber(session, "anna@new.example.org") is not None
    assert client.post(links["anna@example.org"]).status_code == 404


def test_a_change_of_address_expires_48_hours_after_it_was_requested(
    installation: Installation, client: Client
):
    made = installation
    made.subscribe(OLD)
    assert do(client, link(made), "address", email=NEW).status_code == 200
    run_once(made.at(MONDAY))
    links = links_in_mails(made, Purpose.ADDRESS)
    assert set(links) == {OLD, NEW}
    with visiting(made, MONDAY + timedelta(hours=48)) as visitor:
        assert visitor.get(links[NEW]).status_code == 200
        assert "has to agree, too" in visitor.post(links[OLD]).text
    with visiting(made, MONDAY + timedelta(hours=48, seconds=1)) as visitor:
        for answer in (visitor.get(links[NEW]), visitor.post(links[NEW])):
            assert answer.status_code == 404
            assert "There is no change of address to agree to any more." in answer.text
    assert people(made) == [OLD]
    run_once(made.at(MONDAY + timedelta(hours=49)))
    with made.at(MONDAY).reading() as session:
        assert session.query(AddressChange).count() == 0


def test_the_page_does_not_show_whether_a_new_address_is_known(
    installation: Installation, client: Client
):
    installation.subscribe("ben@example.org")
    path = link(installation)
    answers = {
        do(client, path, "address", email=f"{name}@example.org").text for name in ("ben", "new")
    }
    assert len(answers) == 1
    assert do(client, path, "address", email="nobody").status_code == 422


@pytest.mark.parametrize(
    ("email", "shown"),
    [
        ("anna@example.org", "a…a@example.org"),
        ("petra.meier+news@example.org", "p…s@example.org"),
        ("bo@example.org", "b…@example.org"),
        ("x@example.org", "x…@example.org"),
    ],
)
def test_the_preferences_tell_their_owner_which_mailbox_and_nobody_else_the_address(
    installation: Installation, email: str, shown: str
):
    installation.subscribe(email)
    with visiting(installation) as client:
        page = client.get(link_to(installation, Purpose.PREFERENCES, email)).text
    assert f"We write to {shown}." in page
    assert email not in page


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_preferences_name_a_way_for_those_who_lost_the_old_mailbox(
    installation: Installation, code: str
):
    installation.change(privacy=Privacy(contact="help@example.org"))
    installation.subscribe("anna@example.org", language=code)
    with visiting(installation) as client:
        page = client.get(link_to(installation, Purpose.PREFERENCES, "anna@example.org")).text
        form = client.get(f"/link?language={code}").text
    part = page.partition('value="address"')[2].partition("<h2>")[0]
    assert f'href="../?profile=frexalimab&amp;language={code}"' in part
    for text in (part, form):
        assert 'href="mailto:help@example.org"' in text
