"""Subscriptions: sign-up, confirmation and end, each recorded in the consent ledger."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from notifier.cli.main import exit_code_of
from notifier.email_addresses import normalize
from notifier.enums import (
    Cadence,
    ConsentEvent,
    SignupRequestKind,
    SubscriptionStatus,
    SuppressionCause,
)
from notifier.errors import AddressError
from notifier.match import profiles
from notifier.store import db
from notifier.store.models import Consent, Profile, Subscriber
from notifier.subscribers import (
    address_changes,
    consent,
    due_times,
    signup_requests,
    subscriptions,
    suppressions,
)
from notifier.subscribers.address_changes import UnknownChangeError
from notifier.subscribers.choices import Choice
from notifier.subscribers.schedule import Schedule
from notifier.subscribers.signup_requests import RequestLimit, TooManyError
from notifier.subscribers.subscriptions import SuppressedError, UnknownLinkError
from tests.support.installation import MONDAY, SUPPRESSION_KEY

WEEKLY = Choice(Schedule(Cadence.WEEKLY, "08:00", 0, "Europe/Berlin"))
DAILY = Choice(Schedule(Cadence.DAILY, "07:30", None, "America/New_York"))


@pytest.fixture
def profile_id(engine: Engine) -> int:
    with db.writing(engine, SUPPRESSION_KEY) as session:
        return profiles.save(session, profiles.parse(profiles.bundled_file(), "bundled"), MONDAY).id


def test_a_subscription_waits_until_it_is_confirmed(engine: Engine, profile_id: int):
    with db.writing(engine, SUPPRESSION_KEY) as session:
        profile = session.get_one(Profile, profile_id)
        subscription = subscriptions.subscribe(session, "anna@example.org", profile, WEEKLY, MONDAY)
        assert (subscription.status, subscription.next_due_at) == (SubscriptionStatus.PENDING, None)
        assert subscriptions.confirm(session, subscription, "link", "subscriber", MONDAY)
        assert subscription.status is SubscriptionStatus.CONFIRMED
        assert subscription.next_due_at == MONDAY + timedelta(days=6, hours=22)
        assert not subscriptions.confirm(session, subscription, "link", "subscriber", MONDAY)
        assert [each.event for each in consent.of(session, [subscription.id])] == [
            ConsentEvent.GIVEN
        ]


def test_an_address_is_the_same_person_however_it_is_written(engine: Engine, profile_id: int):
    with db.writing(engine, SUPPRESSION_KEY) as session:
        profile = session.get_one(Profile, profile_id)
        for email in ("Anna@Example.ORG", " anna@example.org "):
            subscriptions.subscribe(session, email, profile, WEEKLY, MONDAY)
        assert session.query(Subscriber).count() == 1


def test_a_second_sign_up_applies_the_new_choice_and_keeps_the_consent(
    engine: Engine, profile_id: int
):
    with db.writing(engine, SUPPRESSION_KEY) as session:
        profile = session.get_one(Profile, profile_id)
        subscription = subscriptions.subscribe(session, "anna@example.org", profile, WEEKLY, MONDAY)
        subscriptions.confirm(session, subscription, "link", "subscriber", MONDAY)
        again = subscriptions.subscribe(session, "anna@example.org", profile, DAILY, MONDAY)
        assert again.id == subscription.id
        assert (again.status, again.cadence) == (SubscriptionStatus.CONFIRMED, Cadence.DAILY)
        assert again.next_due_at == MONDAY + timedelta(hours=3, minutes=30)


def test_a_subscription_ends_at_once_and_the_ledger_records_it(engine: Engine, profile_id: int):
    with db.writing(engine, SUPPRESSION_KEY) as session:
        profile = session.get_one(Profile, profile_id)
        subscription = subscriptions.subscribe(session, "anna@example.org", profile, WEEKLY, MONDAY)
        subscriptions.confirm(session, subscription, "link", "subscriber", MONDAY)
        assert subscriptions.unsubscribe(session, "ANNA@example.org", None, "operator", MONDAY) == 1
        assert subscriptions.unsubscribe(session, "anna@example.org", None, "operator", MONDAY) == 0
        assert subscription.status is SubscriptionStatus.ENDED
        assert due_times.next_of(subscription) is None
        assert [each.event for each in session.query(Consent)] == [
            ConsentEvent.GIVEN,
            ConsentEvent.WITHDRAWN,
        ]


def test_a_person_who_comes_back_must_confirm_again(engine: Engine, profile_id: int):
    with db.writing(engine, SUPPRESSION_KEY) as session:
        profile = session.get_one(Profile, profile_id)
        subscription = subscriptions.subscribe(session, "anna@example.org", profile, WEEKLY, MONDAY)
        subscriptions.confirm(session, subscription, "link", "subscriber", MONDAY)
        subscriptions.end(session, subscription, "link", "subscriber", MONDAY)
        profile.position = 40
        again = subscriptions.subscribe(session, "anna@example.org", profile, WEEKLY, MONDAY)
        assert again.status is SubscriptionStatus.PENDING
        subscriptions.confirm(session, again, "link", "subscriber", MONDAY)
        assert again.position == 40


def test_a_suppressed_address_cannot_be_subscribed(engine: Engine, profile_id: int):
    with db.writing(engine, SUPPRESSION_KEY) as session:
        profile = session.get_one(Profile, profile_id)
        key = subscriptions.hash_of(session, "anna@example.org")
        assert suppressions.add(session, key, SuppressionCause.COMPLAINED, "complained", MONDAY)
        assert not suppressions.add(session, key, SuppressionCause.ASKED, "asked", MONDAY)
        with pytest.raises(SuppressedError, match="suppressed: complained") as refused:
            subscriptions.subscribe(session, "ANNA@example.org", profile, WEEKLY, MONDAY)
        assert (refused.value.cause, refused.value.reason) == (
            SuppressionCause.ASKED,
            "complained; asked",
        )
        assert suppressions.lift(session, key)
        subscriptions.subscribe(session, "anna@example.org", profile, WEEKLY, MONDAY)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@b",
        "a@@example.org",
        "a b@example.org",
        "a@example.org\nBcc: b@example.org",
        "@example.org",
        "a@-example.org",
        "a@example..org",
        "żółw@example.org",
        "a" * 65 + "@example.org",
        '"x"@y',
    ],
)
def test_a_text_that_is_not_an_address_is_refused_with_the_reason(
    engine: Engine, profile_id: int, address: str
):
    with pytest.raises(AddressError) as refused, db.writing(engine, SUPPRESSION_KEY) as session:
        subscriptions.subscribe(
            session, address, session.get_one(Profile, profile_id), WEEKLY, MONDAY
        )
    assert exit_code_of(refused.value) == 2
    assert refused.value.address == address
    assert refused.value.reason
    with db.reading(engine, SUPPRESSION_KEY) as session:
        assert session.query(Subscriber).count() == 0


@pytest.mark.parametrize(
    "text",
    [
        "\u200banna@example.org",
        "anna@example.org\u200b",
        "\u202aanna@example.org\u202c",
        "\u2068anna@example.org\u2069",
        "\u200eanna@example.org\u200f ",
        "\ufeffanna@example.org",
        "\u2060anna@example.org\u2060",
        "anna@\u200bexample.\u200borg",
        "an\u00adna@exam\u00adple.org",
        "anna\u200b@example.org",
        " \u200b\u00a0anna@example.org\u200d",
        "\u200canna@example.org",
    ],
)
def test_characters_that_nobody_sees_are_left_out_of_an_address(text: str):
    assert normalize(text) == "anna@example.org"


@pytest.mark.parametrize(
    "text",
    ["an na@example.org", "anna\u200c@example.org", "\u202eanna@example.org", "\u200b@\u200b", ""],
)
def test_what_is_no_address_without_them_either_is_refused(text: str):
    with pytest.raises(AddressError):
        normalize(text)


def test_an_international_domain_is_accepted(engine: Engine, profile_id: int):
    with db.writing(engine, SUPPRESSION_KEY) as session:
        subscription = subscriptions.subscribe(
            session, "anna@müller.example.org", session.get_one(Profile, profile_id), WEEKLY, MONDAY
        )
        assert subscription.subscriber.email == "anna@müller.example.org"


def test_a_new_time_zone_moves_all_of_a_persons_digests(engine: Engine, profile_id: int):
    with db.writing(engine, SUPPRESSION_KEY) as session:
        profile = session.get_one(Profile, profile_id)
        other = profiles.save(
            session,
            profiles.parse(profiles.bundled_file().replace('"frexalimab"', '"other"', 1), "other"),
            MONDAY,
        )
        subscription = subscriptions.subscribe(session, "anna@example.org", profile, WEEKLY, MONDAY)
        subscriptions.confirm(session, subscription, "link", "subscriber", MONDAY)
        subscriptions.subscribe(session, "anna@example.org", other, DAILY, MONDAY)
        assert subscription.next_due_at == MONDAY + timedelta(hours=4)


def test_errors_of_links_hold_the_id_of_the_link(engine: Engine):
    with db.reading(engine, SUPPRESSION_KEY) as session:
        with pytest.raises(UnknownLinkError) as unknown:
            subscriptions.by_link(session, "an-id")
        assert unknown.value.link_id == "an-id"
        with pytest.raises(UnknownChangeError) as missing:
            address_changes.by_link(session, "an-id", MONDAY)
        assert (missing.value.link_id, missing.value.expired) == ("an-id", False)


def test_the_error_says_that_a_change_of_address_expired(engine: Engine, profile_id: int):
    with db.writing(engine, SUPPRESSION_KEY) as session:
        profile = session.get_one(Profile, profile_id)
        subscription = subscriptions.subscribe(session, "anna@example.org", profile, WEEKLY, MONDAY)
        change = address_changes.ask(
            session, subscription.subscriber, "anna@new.example.org", MONDAY
        )
        late = MONDAY + address_changes.CHANGE_WAITS + timedelta(seconds=1)
        with pytest.raises(UnknownChangeError) as expired:
            address_changes.by_link(session, change.link_id, late)
        assert expired.value.expired


@pytest.mark.parametrize(
    ("times", "asker", "limit"),
    [
        (signup_requests.PER_NETWORK, "", RequestLimit.NETWORK),
        (signup_requests.PER_ASKER, "somebody", RequestLimit.ASKER),
    ],
)
def test_a_request_beyond_a_limit_names_the_limit(
    engine: Engine, times: int, asker: str, limit: RequestLimit
):
    kind, email, visitor = SignupRequestKind.LINK, "anna@example.org", "198.51.100.7"
    with db.writing(engine, SUPPRESSION_KEY) as session:
        for _ in range(times):
            signup_requests.ask(session, kind, email, None, visitor, MONDAY, asker)
        with pytest.raises(TooManyError) as refused:
            signup_requests.ask(session, kind, email, None, visitor, MONDAY, asker)
    assert (refused.value.limit, refused.value.period) == (limit, signup_requests.LIMIT_PERIOD)
