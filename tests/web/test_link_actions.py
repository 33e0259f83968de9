"""The pages behind links: a GET shows, a POST acts, and a link does only what it was made for."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from freezegun import freeze_time
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from notifier.deliver import outbox
from notifier.deps import Deps
from notifier.enums import DeliveryKind, SubscriptionStatus
from notifier.links import Links, Purpose
from notifier.pipeline.run import run_once
from notifier.store.models import Base, Consent, Subscription
from tests.support.forms import links_in_mails, post, subscription_of
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article
from tests.support.visitor import Client


def path(deps: Deps, purpose: Purpose, moment: datetime = MONDAY) -> str:
    """The link that a mail to the only subscriber would hold."""
    with deps.reading() as session:
        link_id = session.query(Subscription).one().link_id
    return f"/{purpose}/{deps.links.token(purpose, link_id, moment)}"


def status(deps: Deps) -> SubscriptionStatus:
    with deps.reading() as session:
        return session.query(Subscription).one().status


def test_a_confirmation_is_shown_by_get_and_given_by_post(
    installation: Installation, client: Client
):
    deps = installation.at(MONDAY)
    installation.subscribe("anna@example.org", confirmed=False)
    link = path(deps, Purpose.CONFIRM)

    page = client.get(link)
    assert page.status_code == 200
    assert "Yes, I agree and subscribe" in page.text
    assert status(deps) is SubscriptionStatus.PENDING

    assert "Your subscription is confirmed." in client.post(link).text
    assert status(deps) is SubscriptionStatus.CONFIRMED
    assert client.post(link).status_code == 200
    with deps.reading() as session:
        (ledger,) = session.query(Consent)
        assert (ledger.method, ledger.attested_by, len(ledger.wording_hash)) == (
            "link",
            "subscriber",
            64,
        )


MULTIPART = (
    '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (MULTIPART, "multipart/form-data; boundary=b"),
        ("", ""),
        ("do=leave", "application/x-www-form-urlencoded"),
        ("list-unsubscribe=one-click", "text/plain"),
    ],
    ids=["one-click", "one-click multipart", "a bare POST", "the button", "another spelling"],
)
def test_one_post_unsubscribes_however_often_it_is_sent(
    installation: Installation, client: Client, body: str, kind: str
):
    deps = installation.at(MONDAY)
    installation.subscribe("anna@example.org")
    link = path(deps, Purpose.UNSUBSCRIBE)
    for _ in range(3):
        answer = client.post(link, body, kind)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
        assert status(deps) is SubscriptionStatus.ENDED
    with deps.reading() as session:
        assert session.query(Consent).count() == 2


@pytest.mark.parametrize("body", ["x=y", "do=nothing", "x" * 10_000])
def test_any_other_body_ends_nothing(installation: Installation, client: Client, body: str):
    deps = installation.at(MONDAY)
    installation.subscribe("anna@example.org")
    answer = client.post(path(deps, Purpose.UNSUBSCRIBE), body, "application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert "Unsubscribe me" in answer.text
    assert status(deps) is SubscriptionStatus.CONFIRMED


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("purpose", [Purpose.CONFIRM, Purpose.UNSUBSCRIBE, Purpose.PREFERENCES])
def test_a_link_scanner_changes_nothing(
    installation: Installation, client: Client, method: str, purpose: Purpose
):
    deps = installation.at(MONDAY)
    installation.subscribe("anna@example.org", confirmed=purpose is not Purpose.CONFIRM)
    before = status(deps)
    assert client.request(method, path(deps, purpose)).status_code == 200
    assert status(deps) is before


def rows(deps: Deps) -> dict[str, list]:
    """Return every row of the database, by table."""
    with deps.reading() as session:
        return {
            table.name: session.execute(select(table)).all()
            for table in Base.metadata.sorted_tables
        }


def test_no_get_changes_the_database(installation: Installation, client: Client):
    deps = installation.at(MONDAY)
    installation.subscribe("anna@example.org")
    link_id = subscription_of(installation, "anna@example.org").link_id
    post(client, path(deps, Purpose.PREFERENCES), do="address", email="new@example.org")
    run_once(deps)
    change = links_in_mails(installation, Purpose.ADDRESS)["new@example.org"]
    links = [f"/{purpose}/{deps.links.token(purpose, link_id, MONDAY)}" for purpose in Purpose]
    expired = path(deps, Purpose.PREFERENCES, MONDAY - timedelta(days=401))
    before = rows(deps)
    statuses = {}
    for address in (*links, change, expired, "/", "/link", "/archive", "/feeds/frexalimab.atom"):
        for method in ("GET", "HEAD"):
            statuses[address] = client.request(method, address).status_code
        assert rows(deps) == before, address
    # The link that expired; those to a digest and to a change of address hold another kind of id.
    assert sorted(status for status in statuses.values() if status != 200) == [404, 404, 410]


def test_a_link_does_only_what_it_was_made_for(installation: Installation, client: Client):
    deps = installation.at(MONDAY)
    installation.subscribe("anna@example.org", confirmed=False)
    token = path(deps, Purpose.UNSUBSCRIBE).rpartition("/")[2]
    assert client.post(f"/confirm/{token}").status_code == 404
    assert status(deps) is SubscriptionStatus.PENDING


def test_a_link_to_confirm_works_for_48_hours_and_one_to_unsubscribe_for_ever(
    installation: Installation, client: Client
):
    deps = installation.at(MONDAY)
    installation.subscribe("anna@example.org", confirmed=False)
    old = path(deps, Purpose.CONFIRM, MONDAY - timedelta(hours=48, seconds=1))
    assert "older than 48 hours" in client.post(old).text
    assert status(deps) is SubscriptionStatus.PENDING
    assert client.post(path(deps, Purpose.CONFIRM, MONDAY - timedelta(hours=47))).status_code == 200
    assert (
        client.post(path(deps, Purpose.UNSUBSCRIBE, MONDAY - timedelta(days=4000))).status_code
        == 200
    )
    assert status(deps) is SubscriptionStatus.ENDED


def test_a_link_made_with_the_previous_key_still_works():
    old = Links("https://news.example.org", "the previous key of the tests")
    new = Links(
        "https://news.example.org", "the present key of the tests", "the previous key of the tests"
    )
    assert (
        new.read(Purpose.UNSUBSCRIBE, old.token(Purpose.UNSUBSCRIBE, "id", MONDAY), MONDAY) == "id"
    )
    name = "0123456789abcdef" * 2
    message_id = f"<{name}@example.org>"
    assert (
        new.parse_bounce_token(old.bounce_token(message_id))
        == new.parse_bounce_token(new.bounce_token(message_id))
        == name
    )
    assert old.parse_bounce_token(new.bounce_token(message_id)) is None


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.sampled_from(list(Purpose))
)
def test_a_forged_link_gets_a_page_and_changes_nothing(
    client: Client, token: str, purpose: Purpose
):
    if purpose is Purpose.ARCHIVE and not token:
        return  # the address of the archive itself
    for method in ("GET", "POST"):
        answer = client.request(method, f"/{purpose}/{quote(token, safe='')}")
        if not token or token.endswith("/"):  # a slash too many leads on
            assert answer.status_code in (308, 404, 405)
            continue
        assert answer.status_code in (404, 405)
        assert "<h1>" in answer.text


def test_the_page_of_a_link_that_was_cut_says_so(installation: Installation, client: Client):
    installation.subscribe("anna@example.org")
    answer = client.get(path(installation.at(MONDAY), Purpose.UNSUBSCRIBE)[:-4])
    assert answer.status_code == 404
    assert "This link is not complete." in answer.text


@pytest.mark.parametrize("address", ["/unsubscribe/", "/nothing", "/confirm", "/confirm/a/b/c"])
def test_every_answer_is_a_page_that_passes_no_address_on(client: Client, address: str):
    answer = client.get(address)
    assert answer.status_code == 404
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert "<h1>" in answer.text


def test_a_wrong_method_is_answered_with_a_page(client: Client):
    answer = client.request("PUT", "/confirm/x")
    assert answer.status_code == 405
    assert "<h1>" in answer.text


def test_the_style_sheet_is_served(client: Client):
    answer = client.get("/style.css")
    assert answer.headers["content-type"].startswith("text/css")


def test_somebody_confirms_gets_a_digest_and_unsubscribes(
    installation: Installation, client: Client
):
    made = installation
    deps = made.at(MONDAY)
    made.subscribe("anna@example.org", confirmed=False)
    with deps.writing() as session:
        one = session.query(Subscription).one()
        outbox.enqueue_asked(session, DeliveryKind.CONFIRMATION, one, deps.mail_domain, MONDAY)
    run_once(deps)
    (question,) = made.sink.messages
    (confirm,) = re.findall(r"https://\S+/confirm/\S+", text_of(question))
    client.post(confirm)
    made.publish([Article("Frexalimab slows lesions")])
    run_once(made.at(MONDAY + timedelta(days=1)))
    by_subject = {mail["Subject"]: mail for mail in made.sink.messages}
    assert "Welcome: your subscription is confirmed" in by_subject
    digest = by_subject["Your daily digest: 1 item"]
    leave = re.search(r"<(https://[^>]+)>", digest["List-Unsubscribe"]).group(1)

    client.post(leave, "List-Unsubscribe=One-Click", "application/x-www-form-urlencoded")

    made.publish([Article("Frexalimab slows lesions"), Article("Frexalimab again")])
    run_once(made.at(MONDAY + timedelta(days=2)))
    assert len(made.sink.messages) == 3


def test_the_clock_of_the_pages_is_the_real_one(installation: Installation):
    deps = replace(installation.at(MONDAY), fixed_now=None)
    with freeze_time("2026-03-09 12:00:00", real_asyncio=True):
        assert deps.now() == datetime(2026, 3, 9, 12, tzinfo=UTC)
