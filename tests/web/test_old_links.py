"""Links from before a change of address only unsubscribe, and links to preferences expire."""

import re
from datetime import timedelta

import pytest
from itsdangerous import URLSafeSerializer

from notifier.admin.profile_import import import_profile
from notifier.enums import ConsentEvent, SubscriptionStatus
from notifier.errors import LinkError
from notifier.links import ExpiredLinkError, Links, Purpose
from notifier.match import profiles
from notifier.pipeline import compose, deliver, match, poll
from notifier.pipeline.run import run_once
from notifier.store.models import (
    Consent,
    Delivery,
    RetiredLink,
    SignupRequest,
    Subscriber,
    Subscription,
)
from notifier.subscribers import address_changes, subscriptions
from notifier.subscribers.choices import default_choice
from tests.support.forms import (
    FORM,
    comparable,
    erase,
    link_to,
    links_in_mails,
    mails_to,
    people,
    post,
    subscription_of,
    visiting,
)
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article

pytestmark = pytest.mark.postgresql_long

ANNA, NEW = "anna@example.org", "anna@new.example.org"
DAY = timedelta(days=1)
ONE_CLICK = "List-Unsubscribe=One-Click"


def move(made: Installation) -> None:
    """Change Anna's address, as if both addresses had agreed."""
    with made.at(MONDAY).writing() as session:
        change = address_changes.ask(
            session, subscriptions.find_subscriber(session, ANNA), NEW, MONDAY
        )
        assert not address_changes.agree(session, change, address_changes.Side.OLD, MONDAY)
        assert address_changes.agree(session, change, address_changes.Side.NEW, MONDAY)


def test_a_change_of_address_makes_new_links_for_all_subscriptions_and_stores_its_time(
    any_installation: Installation,
):
    made = any_installation
    made.subscribe(ANNA)
    with made.at(MONDAY).writing() as session:
        import_profile(
            session, profiles.parse(profiles.bundled_file("tolebrutinib"), "the profile"), MONDAY
        )
        choice, profile = (
            default_choice("daily", "UTC"),
            profiles.find(session, "tolebrutinib"),
        )
        second = subscriptions.subscribe(session, ANNA, profile, choice, MONDAY)
        subscriptions.confirm(session, second, "command line", "operator test", MONDAY)
        before = {each.link_id for each in session.query(Subscription)}
    move(made)
    with made.at(MONDAY).reading() as session:
        assert before.isdisjoint(each.link_id for each in session.query(Subscription))
        assert {retired.link_id for retired in session.query(RetiredLink)} == before
        assert session.query(Subscriber).one().moved_at == MONDAY


@pytest.mark.parametrize("purpose", [Purpose.CONFIRM, Purpose.RENEW, Purpose.PREFERENCES])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_old_link_opens_nothing_and_offers_a_new_one(
    any_installation: Installation, purpose: Purpose, method: str
):
    made = any_installation
    made.subscribe(ANNA)
    old = link_to(made, purpose, ANNA)
    move(made)
    with visiting(made) as client:
        for body in (
            "",
            "do=export",
            "do=erase&sure=yes",
            "do=leave",
            "do=address&email=thief@example.org",
            "do=fresh",
        ):
            answer = client.request(
                method, old, body if method == "POST" else "", FORM if method == "POST" else ""
            )
            assert answer.status_code == 404
            assert '<a href="../link">The link to your preferences</a>' in answer.text
            assert "new.example.org" not in answer.text
            assert "Frexalimab" not in answer.text
    assert people(made) == [NEW]
    assert subscription_of(made, NEW).status is SubscriptionStatus.CONFIRMED


def test_the_links_of_the_change_itself_work_only_once(any_installation: Installation):
    made = any_installation
    made.subscribe(ANNA)
    with visiting(made) as client:
        post(client, link_to(made, Purpose.PREFERENCES, ANNA), do="address", email=NEW)
        run_once(made.at(MONDAY))
        links = links_in_mails(made, Purpose.ADDRESS)
        for link in (links[NEW], links[ANNA]):
            client.post(link)
        assert people(made) == [NEW]
        for link in links.values():
            assert client.get(link).status_code == 404
            assert client.post(link).status_code == 404


@pytest.mark.parametrize("body", [ONE_CLICK, "", "do=leave"])
def test_an_old_link_still_unsubscribes_however_often_it_is_used(
    any_installation: Installation, body: str
):
    made = any_installation
    made.subscribe(ANNA)
    old = link_to(made, Purpose.UNSUBSCRIBE, ANNA)
    move(made)
    with visiting(made, MONDAY + 4000 * DAY) as client:
        answers = {comparable(client.post(old, body, FORM)) for _ in range(3)}
    assert len(answers) == 1
    status, _, page = answers.pop()
    assert status == 200
    assert "You are unsubscribed." in page
    for word in ("Frexalimab", "new.example.org", "Undo", "Pause"):
        assert word not in page
    with made.at(MONDAY).reading() as session:
        assert session.query(Subscription).one().status is SubscriptionStatus.ENDED
        events = [entry.event for entry in session.query(Consent).order_by(Consent.id)]
        assert events == [ConsentEvent.GIVEN, ConsentEvent.WITHDRAWN]


@pytest.mark.parametrize(
    "body", ["do=undo", "do=pause", "do=save", "do=erase&sure=yes", "x" * 5000]
)
def test_an_old_link_undoes_nothing_and_pauses_nothing(any_installation: Installation, body: str):
    made = any_installation
    made.subscribe(ANNA)
    old, new_status = link_to(made, Purpose.UNSUBSCRIBE, ANNA), SubscriptionStatus.CONFIRMED
    move(made)
    with visiting(made) as client:
        shown = client.post(old, body, FORM)
        assert "It ends the subscription, and no more." in shown.text
        assert "Undo" not in shown.text
        assert subscription_of(made, NEW).status is new_status
        client.post(old, ONE_CLICK, FORM)
        client.post(old, body, FORM)
        # Whether the subscription still runs is not shown either.
        assert comparable(client.get(old)) == comparable(shown)
    assert subscription_of(made, NEW).status is SubscriptionStatus.ENDED


def test_mails_in_the_outbox_go_to_the_new_address_with_the_new_links(
    any_installation: Installation,
):
    made = any_installation
    made.subscribe(ANNA)
    run_once(made.at(MONDAY))
    made.publish([Article("Frexalimab slows lesions")])
    tuesday = made.at(MONDAY + DAY)
    poll.run(tuesday)
    match.run(tuesday)
    assert compose.run(tuesday) == 1
    old = subscription_of(made, ANNA).link_id
    move(made)
    deliver.run(tuesday)
    (mail,) = made.sink.messages
    assert mail["To"] == NEW
    token = re.search(r"/unsubscribe/([^>]+)>", mail["List-Unsubscribe"])[1]
    link_id = made.at(MONDAY).links.read(Purpose.UNSUBSCRIBE, token, MONDAY)
    assert link_id == subscription_of(made, NEW).link_id != old


def test_a_full_old_mailbox_does_not_hold_back_mails_to_the_new_one(installation: Installation):
    made = installation
    made.subscribe(ANNA)
    with made.at(MONDAY).writing() as session:
        person = session.query(Subscriber).one()
        person.soft_bounces, person.bounced_at, person.held_until = 3, MONDAY, MONDAY + 9 * DAY
    move(made)
    with made.at(MONDAY).reading() as session:
        person = session.query(Subscriber).one()
        assert (person.soft_bounces, person.bounced_at, person.held_until) == (0, None, None)


def test_retired_links_are_erased_with_the_person(any_installation: Installation):
    made = any_installation
    made.subscribe(ANNA)
    old = link_to(made, Purpose.UNSUBSCRIBE, ANNA)
    move(made)
    erase(made, NEW)
    with made.at(MONDAY).reading() as session:
        assert session.query(RetiredLink).count() == 0
    with visiting(made) as client:
        assert client.post(old, ONE_CLICK, FORM).status_code == 200


LINKS = Links("https://news.example.org", "a key that only the tests know")
SERIALIZERS = {
    purpose: URLSafeSerializer("a key that only the tests know", salt=f"notifier.{purpose}")
    for purpose in Purpose
}


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize(
    "link_id",
    ["A08Qv1l1SAUGuG0WsMxwcw", "preview", "old:A08Qv1l1SAUGuG0WsMxwcw", "-dYyO_0b3_k-QWv9sT1aZg"],
)
def test_a_token_has_exactly_the_bytes_that_the_serializer_makes(purpose: Purpose, link_id: str):
    dated = purpose in (Purpose.CONFIRM, Purpose.PREFERENCES)
    payload = [link_id, int(MONDAY.timestamp())] if dated else link_id
    token = LINKS.token(purpose, link_id, MONDAY)
    assert token == SERIALIZERS[purpose].dumps(payload)
    assert LINKS.read(purpose, token, MONDAY) == link_id


@pytest.mark.parametrize(
    ("age", "works"),
    [
        (timedelta(), True),
        (timedelta(days=399), True),
        (timedelta(days=400), True),
        (timedelta(days=400, seconds=1), False),
        (timedelta(days=4000), False),
        (timedelta(days=-1), True),
    ],
)
def test_a_link_to_preferences_works_for_400_days(age: timedelta, works: bool):
    token = LINKS.token(Purpose.PREFERENCES, "id", MONDAY - age)
    if works:
        assert LINKS.read(Purpose.PREFERENCES, token, MONDAY) == "id"
        return
    with pytest.raises(ExpiredLinkError) as refused:
        LINKS.read(Purpose.PREFERENCES, token, MONDAY)
    assert refused.value.link_id == "id"


@pytest.mark.parametrize("age", [timedelta(days=400), timedelta(days=4000), timedelta(days=40000)])
@pytest.mark.parametrize(
    "purpose", [Purpose.UNSUBSCRIBE, Purpose.RENEW, Purpose.ARCHIVE, Purpose.NEVER]
)
def test_links_of_other_purposes_work_for_ever(purpose: Purpose, age: timedelta):
    assert LINKS.read(purpose, LINKS.token(purpose, "id", MONDAY - age), MONDAY) == "id"


@pytest.mark.parametrize("purpose", [Purpose.CONFIRM, Purpose.PREFERENCES])
@pytest.mark.parametrize("payload", ["id", ["id", None], ["id", "1772442000"], ["id", 1.5]])
def test_a_link_that_does_not_say_when_it_was_made_has_expired(purpose: Purpose, payload: object):
    with pytest.raises(ExpiredLinkError):
        LINKS.read(purpose, SERIALIZERS[purpose].dumps(payload), MONDAY)


@pytest.mark.parametrize(
    "payload", [None, 7, [], ["id"], [7, 1772442000], {"id": 1}, ["id", 1, 2], [["id"], 1]]
)
@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_signed_payload_of_another_shape_is_refused(purpose: Purpose, payload: object):
    with pytest.raises(LinkError):
        LINKS.read(purpose, SERIALIZERS[purpose].dumps(payload), MONDAY)


def old_link(made: Installation, *, dated: bool) -> str:
    if dated:
        return link_to(made, Purpose.PREFERENCES, ANNA, MONDAY - 401 * DAY)
    link_id = subscription_of(made, ANNA).link_id
    return f"/preferences/{SERIALIZERS[Purpose.PREFERENCES].dumps(link_id)}"


@pytest.mark.parametrize("dated", [True, False], ids=["401 days old", "without a date"])
def test_an_expired_link_to_preferences_opens_nothing_and_sends_a_new_one(
    any_installation: Installation, dated: bool
):
    made = any_installation
    made.subscribe(ANNA)
    old = old_link(made, dated=dated)
    with visiting(made) as client:
        page = client.get(old)
        assert page.status_code == 410
        assert "This link is older than 400 days." in page.text
        assert "Frexalimab" not in page.text
        for body in (
            "do=export",
            "do=erase&sure=yes",
            "do=leave",
            "do=address&email=x@example.org",
            "",
            "every=daily",
        ):
            assert comparable(client.post(old, body, FORM)) == comparable(page)
        answer = client.post(old, "do=fresh", FORM)
        assert answer.status_code == 200
        assert "Please check your mailbox." in answer.text
        assert "anna" not in answer.text
    assert mails_to(made) == {ANNA: 1}
    assert "The link you asked for" in made.sink.messages[0]["Subject"]
    assert subscription_of(made, ANNA).status is SubscriptionStatus.CONFIRMED
    with visiting(made) as client:
        assert client.get(links_in_mails(made, Purpose.PREFERENCES)[ANNA]).status_code == 200


def test_new_links_are_limited_like_all_mails(any_installation: Installation):
    made = any_installation
    made.subscribe(ANNA)
    old = old_link(made, dated=True)
    with visiting(made) as client:
        answers = []
        for number in range(7):
            answers.append(post(client, old, f"198.51.{number}.7", do="fresh"))
            run_once(made.at(MONDAY))
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert len({answer.text for answer in answers[:5]}) == 1
    assert mails_to(made) == {ANNA: 3}


def test_an_expired_link_from_before_a_change_of_address_sends_nothing(installation: Installation):
    made = installation
    made.subscribe(ANNA)
    old = old_link(made, dated=True)
    move(made)
    with visiting(made) as client:
        assert client.get(old).status_code == 410
        assert client.post(old, "do=fresh", FORM).status_code == 404
    with made.at(MONDAY).reading() as session:
        assert session.query(SignupRequest).count() == session.query(Delivery).count() == 0


def test_the_links_in_a_digest_open_preferences_for_400_days_after_it_was_composed(
    installation: Installation,
):
    made = installation
    made.subscribe(ANNA)
    run_once(made.at(MONDAY))
    made.publish([Article("Frexalimab slows lesions")])
    run_once(made.at(MONDAY + DAY))
    link = re.search(r"https://\S+/preferences/\S+", text_of(made.sink.messages[0])).group()
    with visiting(made, MONDAY + 400 * DAY) as client:
        assert client.get(link).status_code == 200
    with visiting(made, MONDAY + 402 * DAY) as client:
        assert client.get(link).status_code == 410


@pytest.mark.parametrize("do", ["export", "erase"])
def test_a_link_from_before_a_change_of_address_never_opens_the_data(
    installation: Installation, do: str
):
    installation.subscribe(ANNA)
    old = link_to(installation, Purpose.UNSUBSCRIBE, ANNA)
    move(installation)
    with visiting(installation) as client:
        assert 'value="export"' not in post(client, old, do="leave").text
        answer = post(client, old, do=do, sure="yes")
    assert NEW not in answer.text
    assert people(installation) == [NEW]
