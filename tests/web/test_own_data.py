"""People's own data: whoever left or bounced can read and delete it by link while it is stored."""

import json
from datetime import timedelta

import pytest

from notifier.enums import Cadence, SubscriptionStatus, SuppressionCause
from notifier.i18n.catalog import LANGUAGES
from notifier.links import Purpose
from notifier.match import profiles
from notifier.settings.sections import Privacy
from notifier.store.models import Subscriber, Subscription
from notifier.subscribers import lifecycle, subscriptions
from notifier.subscribers.choices import default_choice
from tests.support.forms import (
    add_second_profile,
    erase,
    link_to,
    post,
    subscription_of,
    suppress,
    suppression_of,
    visiting,
)
from tests.support.installation import MONDAY, Installation

ANNA = "anna@example.org"


def leave(installation: Installation, email: str = ANNA) -> None:
    with installation.at(MONDAY).writing() as session:
        person = subscriptions.find_subscriber(session, email)
        subscriptions.end(session, person.subscriptions[0], "link", "subscriber", MONDAY)


def left(installation: Installation) -> None:
    leave(installation)


def bounced(installation: Installation) -> None:
    suppress(installation, ANNA, SuppressionCause.BOUNCED)


def complained(installation: Installation) -> None:
    leave(installation)
    suppress(installation, ANNA, SuppressionCause.COMPLAINED)


def never_again(installation: Installation) -> None:
    leave(installation)
    suppress(installation, ANNA, SuppressionCause.NEVER)


def paused(installation: Installation) -> None:
    with installation.at(MONDAY).writing() as session:
        lifecycle.pause(session.query(Subscription).one(), None, MONDAY)


def pending(installation: Installation) -> None:
    with installation.at(MONDAY).writing() as session:
        session.query(Subscription).one().status = SubscriptionStatus.PENDING


STATES = (left, bounced, complained, never_again, paused, pending)


@pytest.fixture
def anna(installation: Installation) -> str:
    """Anna's link to her preferences."""
    installation.subscribe(ANNA)
    return link_to(installation, Purpose.PREFERENCES, ANNA)


@pytest.mark.parametrize("state", STATES)
def test_everybody_can_download_by_link_what_is_stored_of_them(
    installation: Installation, anna: str, state
):
    state(installation)
    with visiting(installation) as client:
        assert 'value="export"' in client.get(anna).text
        answer = post(client, anna, do="export")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert json.loads(answer.text)["email"] == ANNA


@pytest.mark.parametrize("state", STATES)
def test_everybody_can_delete_by_link_what_is_stored_of_them(
    installation: Installation, anna: str, state
):
    state(installation)
    before = suppression_of(installation, ANNA)
    with visiting(installation) as client:
        assert 'value="erase"' in client.get(anna).text
        assert "Yes, delete everything" in post(client, anna, do="erase").text
        assert "Everything about you is deleted." in post(client, anna, do="erase", sure="yes").text
        assert client.get(anna).status_code == 404
    with installation.at(MONDAY).reading() as session:
        assert session.query(Subscriber).count() == 0
    cause = suppression_of(installation, ANNA).cause
    assert cause is (
        before.cause
        if before and before.cause is not SuppressionCause.LEFT
        else SuppressionCause.ERASED
    )


@pytest.mark.parametrize("do", ["save", "pause", "resume", "follow", "again", "leave", "nonsense"])
def test_those_who_left_change_nothing_else_by_their_old_link(
    installation: Installation, anna: str, do: str
):
    leave(installation)
    with visiting(installation) as client:
        answer = post(client, anna, do=do, every="daily", at="09:00", until="2026-05-01")
    assert answer.status_code == 200
    assert "You are not subscribed." in answer.text
    assert subscription_of(installation, ANNA).status is SubscriptionStatus.ENDED


def test_those_who_left_are_told_until_when_what_is_kept(installation: Installation, anna: str):
    leave(installation)
    unsubscribe = link_to(installation, Purpose.UNSUBSCRIBE, ANNA)
    with visiting(installation) as client:
        for path in (anna, unsubscribe):
            assert "are kept until 2 March 2027" in client.get(path).text
    eight_days_later = MONDAY + timedelta(days=8)
    with visiting(installation, eight_days_later) as client:
        page = client.get(unsubscribe).text
        assert "are kept until 2 March 2027" in page
        assert 'value="export"' not in page, (
            "a link that mail programs know and that never expires opens nobody's data for ever"
        )


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_page_that_confirms_the_end_offers_to_undo_to_download_and_to_delete(
    installation: Installation, code: str
):
    installation.subscribe(ANNA, language=code)
    path = link_to(installation, Purpose.UNSUBSCRIBE, ANNA)
    with visiting(installation) as client:
        page = post(client, path, do="leave").text
        assert f'<html lang="{code}">' in page
        for action in ("undo", "pause", "export", "erase"):
            assert f'<button type="submit" name="do" value="{action}"' in page
        assert json.loads(post(client, path, do="export").text)["email"] == ANNA
        assert post(client, path, do="erase").status_code == 200
        assert subscription_of(installation, ANNA).status is SubscriptionStatus.ENDED
        post(client, path, do="erase", sure="yes")
        assert client.get(path).status_code == 404
    with installation.at(MONDAY).reading() as session:
        assert session.query(Subscriber).count() == 0


@pytest.mark.parametrize("do", ["export", "erase"])
@pytest.mark.parametrize("ended", [True, False], ids=["after a week", "before leaving"])
def test_a_link_to_unsubscribe_opens_the_data_only_in_the_week_after_leaving(
    installation: Installation, anna: str, do: str, *, ended: bool
):
    if ended:
        leave(installation)
    path = link_to(installation, Purpose.UNSUBSCRIBE, ANNA)
    with visiting(installation, MONDAY + timedelta(days=8 if ended else 0)) as client:
        answer = post(client, path, do=do, sure="yes")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert ANNA not in answer.text
    expected = SubscriptionStatus.ENDED if ended else SubscriptionStatus.CONFIRMED
    assert subscription_of(installation, ANNA).status is expected


def test_what_is_kept_is_said_truly(installation: Installation, anna: str):
    """The day on the page is the day on which housekeeping erases the person."""
    leave(installation)
    last = MONDAY + lifecycle.KEPT_AFTER_LEAVING
    with installation.at(MONDAY).reading() as session:
        assert lifecycle.expired_subscribers(session, last - timedelta(seconds=1)) == []
        assert len(lifecycle.expired_subscribers(session, last)) == 1


def test_somebody_who_follows_another_therapy_is_told_that_their_address_stays(
    installation: Installation, anna: str
):
    add_second_profile(installation)
    leave(installation)
    with installation.at(MONDAY).writing() as session:
        profile = profiles.find(session, "tolebrutinib")
        choice = default_choice(Cadence.DAILY, "UTC")
        other = subscriptions.subscribe(session, ANNA, profile, choice, MONDAY)
        subscriptions.confirm(session, other, "link", "subscriber", MONDAY)
    with visiting(installation) as client:
        page = client.get(anna).text
    assert "kept while you are subscribed" in page
    assert "2027" not in page


def test_those_who_did_not_confirm_are_told_that_it_is_48_hours(
    installation: Installation, anna: str
):
    pending(installation)
    with visiting(installation) as client:
        assert "48 hours" in client.get(anna).text


def test_those_who_left_take_it_back_on_the_page_of_their_preferences(
    installation: Installation, anna: str
):
    leave(installation)
    with visiting(installation) as client:
        page = client.get(anna).text
        action = page.partition('action="')[2].partition('"')[0]
        assert "/unsubscribe/" in action
        path = action.removeprefix("..")
        assert "You are subscribed again." in post(client, path, do="undo").text
    assert subscription_of(installation, ANNA).status is SubscriptionStatus.CONFIRMED


@pytest.mark.parametrize(
    ("cause", "runs"),
    [
        (SuppressionCause.COMPLAINED, True),
        (SuppressionCause.BOUNCED, True),
        (SuppressionCause.NEVER, False),
        (SuppressionCause.ASKED, False),
    ],
)
def test_an_end_is_taken_back_with_the_suppression_that_its_owner_may_lift(
    installation: Installation, anna: str, cause: SuppressionCause, *, runs: bool
):
    leave(installation)
    suppress(installation, ANNA, cause)
    with visiting(installation) as client:
        assert ('value="undo"' in client.get(anna).text) is runs
        answer = post(client, link_to(installation, Purpose.UNSUBSCRIBE, ANNA), do="undo")
    assert (answer.status_code == 200) is runs
    assert (suppression_of(installation, ANNA) is None) is runs
    assert (subscription_of(installation, ANNA).status is SubscriptionStatus.CONFIRMED) is runs


@pytest.mark.parametrize(
    ("cause", "lifted"),
    [(SuppressionCause.BOUNCED, True), (SuppressionCause.ASKED, False)],
)
def test_whose_mails_came_back_sees_it_and_can_say_that_the_address_works(
    installation: Installation, anna: str, cause: SuppressionCause, *, lifted: bool
):
    suppress(installation, ANNA, cause)
    with visiting(installation) as client:
        assert 'value="again"' in client.get(anna).text
        assert suppression_of(installation, ANNA) is not None, "a GET changes nothing"
        assert (post(client, anna, do="again").status_code == 200) is lifted
        assert ('value="again"' not in client.get(anna).text) is lifted
    assert (suppression_of(installation, ANNA) is None) is lifted


@pytest.mark.parametrize("path", ["/", "/privacy"])
def test_the_form_and_the_privacy_page_name_controller_contact_and_periods(
    installation: Installation, path: str
):
    installation.change(
        privacy=Privacy(
            controller="Example Society, 1 Example Street, <Example Town>",
            contact="privacy@example.org",
            url="https://www.example.org/privacy",
        )
    )
    with visiting(installation) as client:
        page = client.get(path).text
    assert "Example Society, 1 Example Street, &lt;Example Town&gt;" in page
    assert 'href="mailto:privacy@example.org"' in page
    assert 'href="https://www.example.org/privacy"' in page
    for period in ("48 hours", "a year after you left", "at once", "A fingerprint"):
        assert period in page


def test_without_settings_the_sender_is_named_as_the_controller(installation: Installation):
    sender = installation.at(MONDAY).settings.sender
    with visiting(installation) as client:
        for path in ("/", "/privacy"):
            page = client.get(path).text
            assert f"Responsible for your data: {sender.name}, {sender.postal_address}." in page


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_the_privacy_page_is_in_the_visitors_language(installation: Installation, language: str):
    with visiting(installation) as client:
        answer = client.request("GET", "/privacy", Accept_Language=language)
    assert answer.headers["Content-Language"] == language
    assert "Your rights" not in answer.text


def test_an_erased_person_is_told_nothing_by_their_old_links(installation: Installation, anna: str):
    erase(installation, ANNA)
    with visiting(installation) as client:
        assert client.get(anna).status_code == 404
        assert post(client, anna, do="export").status_code == 404
