"""A stranger's form changes nothing of anybody's until its owner has said yes."""

from datetime import timedelta
from typing import Any

import pytest

from notifier.admin.profile_import import import_profile
from notifier.enums import Cadence, ConsentEvent, Edition, SubscriptionStatus
from notifier.links import Purpose
from notifier.match import profiles
from notifier.pipeline.run import run_once
from notifier.pipeline.signup_requests import answer_all
from notifier.store.models import Consent, Subscriber, Subscription, Wording
from notifier.subscribers import lifecycle, subscriptions
from tests.support.forms import (
    link_to,
    links_in_mails,
    mails_to,
    post,
    sign_up,
    subscription_of,
    visiting,
)
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of

PETRA = "petra@example.org"
DAY = timedelta(days=1)
STRANGERS_CHOICE = {
    "every": "monthly",
    "day": "31",
    "at": "23:45",
    "time_zone": "Pacific/Auckland",
    "edition": "clinician",
    "language": "fr",
}
# What a form may note without changing anything: the wish itself, and that it was asked.
NOTED = {"wish", "asked_at"}


def everything(made: Installation) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
    """All columns of people and subscriptions, but what only notes the wish; and the length of the ledger."""
    with made.at(MONDAY).reading() as session:
        tables = [
            [
                {
                    attribute.key: getattr(row, attribute.key)
                    for attribute in table.__mapper__.column_attrs
                    if attribute.key not in NOTED
                }
                for row in session.query(table).order_by(table.id)
            ]
            for table in (Subscriber, Subscription)
        ]
        return tables[0], tables[1], session.query(Consent).count()


def leave(made: Installation, moment=MONDAY) -> None:
    with made.at(moment).writing() as session:
        subscriptions.end(session, session.query(Subscription).one(), "link", "subscriber", moment)


def second_profile(made: Installation) -> None:
    with made.at(MONDAY).writing() as session:
        import_profile(
            session, profiles.parse(profiles.bundled_file("tolebrutinib"), "the profile"), MONDAY
        )


def wish_of(made: Installation) -> dict[str, Any] | None:
    with made.at(MONDAY).reading() as session:
        return session.query(Subscription).order_by(Subscription.id.desc()).first().wish


CHANGES = [
    {},
    *({name: value} for name, value in STRANGERS_CHOICE.items()),
    STRANGERS_CHOICE,
    {"every": "immediate"},
]


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_a_form_about_somebody_who_left_changes_nothing_of_theirs(
    any_installation: Installation, changes: dict[str, str]
):
    made = any_installation
    made.subscribe(
        PETRA, every="weekly", on="friday", at="07:30", zone="Europe/Paris", language="de"
    )
    leave(made)
    before = everything(made)
    with visiting(made, MONDAY + DAY) as client:
        sign_up(client, PETRA, **changes)
    run_once(made.at(MONDAY + DAY))
    assert everything(made) == before
    assert wish_of(made) is not None


def test_the_question_and_its_page_show_the_wish_and_the_yes_applies_it(
    any_installation: Installation,
):
    made = any_installation
    made.subscribe(
        PETRA, every="weekly", on="friday", at="07:30", zone="Europe/Paris", language="de"
    )
    leave(made)
    with visiting(made, MONDAY + DAY) as client:
        sign_up(client, PETRA, **{**STRANGERS_CHOICE, "language": "en"})
        run_once(made.at(MONDAY + DAY))
        schedule = "monthly, on the last day of the month at 23:45 (Pacific/Auckland)"
        assert schedule in " ".join(text_of(made.sink.messages[0]).split())
        link = links_in_mails(made, Purpose.CONFIRM)[PETRA]
        assert schedule in client.get(link).text
        assert "Your subscription is confirmed." in client.post(link).text
        assert "Your subscription is confirmed." in client.post(link).text
    with made.at(MONDAY).reading() as session:
        one = session.query(Subscription).one()
        assert (one.status, one.cadence, one.at, one.on) == (
            SubscriptionStatus.CONFIRMED,
            Cadence.MONTHLY,
            "23:45",
            31,
        )
        assert (one.edition, one.subscriber.time_zone, one.subscriber.language) == (
            Edition.CLINICIAN,
            "Pacific/Auckland",
            "en",
        )
        assert (one.wish, one.ended_at, one.confirmed_at) == (None, None, MONDAY + DAY)
        assert one.next_due_at.isoformat() == "2026-03-31T10:45:00+00:00"
        given = session.query(Consent).order_by(Consent.id.desc()).first()
        assert (given.event, given.method) == (ConsentEvent.GIVEN, "link")
        assert session.get(Wording, given.wording_hash).language == "en"


def test_a_wish_that_nobody_confirms_is_forgotten_and_the_person_has_left_still(
    any_installation: Installation,
):
    made = any_installation
    made.subscribe(PETRA)
    leave(made)
    before = everything(made)
    with visiting(made, MONDAY + DAY) as client:
        sign_up(client, PETRA, **STRANGERS_CHOICE)
        run_once(made.at(MONDAY + DAY))
        link = links_in_mails(made, Purpose.CONFIRM)[PETRA]
    run_once(made.at(MONDAY + 2 * DAY))
    assert wish_of(made) is not None
    run_once(made.at(MONDAY + 3 * DAY + timedelta(hours=1)))
    assert wish_of(made) is None
    assert everything(made) == before
    with visiting(made, MONDAY + 3 * DAY - timedelta(hours=1)) as client:
        assert client.post(link).status_code == 410
    assert everything(made) == before


def test_a_wish_does_not_keep_somebody_from_being_forgotten_after_a_year(
    installation: Installation,
):
    made = installation
    made.subscribe(PETRA)
    leave(made)
    late = MONDAY + 365 * DAY - timedelta(hours=1)
    with visiting(made, late) as client:
        sign_up(client, PETRA)
    run_once(made.at(late))
    assert len(made.sink.messages) == 1
    run_once(made.at(MONDAY + 366 * DAY))
    with made.at(MONDAY).reading() as session:
        assert session.query(Subscriber).count() == 0


def test_leaving_can_still_be_taken_back_while_a_wish_waits(any_installation: Installation):
    made = any_installation
    made.subscribe(PETRA, every="daily")
    due = subscription_of(made, PETRA).next_due_at
    leave(made)
    with visiting(made) as client:
        sign_up(client, PETRA, **STRANGERS_CHOICE)
        run_once(made.at(MONDAY))
        undone = post(client, link_to(made, Purpose.UNSUBSCRIBE, PETRA), do="undo")
        assert "You are subscribed again" in undone.text
        client.post(links_in_mails(made, Purpose.CONFIRM)[PETRA])
    one = subscription_of(made, PETRA)
    assert (one.status, one.cadence, one.next_due_at, one.wish) == (
        SubscriptionStatus.CONFIRMED,
        Cadence.DAILY,
        due,
        None,
    )


def test_the_link_to_leave_drops_a_wish_that_waits(any_installation: Installation):
    made = any_installation
    made.subscribe(PETRA)
    leave(made)
    with visiting(made) as client:
        sign_up(client, PETRA)
        answer_all(made.at(MONDAY))
        client.post(link_to(made, Purpose.UNSUBSCRIBE, PETRA))
    assert wish_of(made) is None
    assert mails_to(made) == {}


@pytest.mark.parametrize("status", ["running", "paused"])
@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_a_form_about_somebody_with_another_subscription_leaves_their_zone_and_language(
    installation: Installation, changes: dict[str, str], status: str
):
    made = installation
    made.subscribe(PETRA, every="daily", zone="Europe/Paris", language="de")
    if status == "paused":
        with made.at(MONDAY).writing() as session:
            lifecycle.pause(session.query(Subscription).one(), None, MONDAY)
    second_profile(made)
    people, first, _ = everything(made)
    with visiting(made) as client:
        sign_up(client, PETRA, profile="tolebrutinib", **changes)
        run_once(made.at(MONDAY))
        assert everything(made)[0] == people
        client.post(links_in_mails(made, Purpose.CONFIRM)[PETRA])
    after_people, after, _ = everything(made)
    assert after_people == people
    assert [row for row in after if row["id"] == first[0]["id"]] == first
    new = next(row for row in after if row["id"] != first[0]["id"])
    assert new["status"] is SubscriptionStatus.CONFIRMED
    assert new["cadence"] == changes.get("every", "weekly")


def test_who_left_one_therapy_is_not_changed_by_a_form_about_another(
    any_installation: Installation,
):
    made = any_installation
    made.subscribe(PETRA, zone="Europe/Paris", language="de")
    leave(made)
    second_profile(made)
    people, first, ledger = everything(made)
    with visiting(made) as client:
        sign_up(client, PETRA, profile="tolebrutinib", **STRANGERS_CHOICE)
    run_once(made.at(MONDAY))
    after = everything(made)
    assert (after[0], after[1][:1], after[2]) == (people, first, ledger)
    run_once(made.at(MONDAY + 3 * DAY))
    assert everything(made) == (people, first, ledger)


def test_a_person_who_never_confirmed_is_stored_as_the_newest_form_says(
    any_installation: Installation,
):
    made = any_installation
    with visiting(made) as client:
        sign_up(client, PETRA, every="daily", time_zone="Europe/Paris", language="de")
        answer_all(made.at(MONDAY))
        sign_up(client, PETRA, **STRANGERS_CHOICE)
        answer_all(made.at(MONDAY))
    one = subscription_of(made, PETRA)
    assert (one.status, one.cadence, one.wish) == (
        SubscriptionStatus.PENDING,
        Cadence.MONTHLY,
        None,
    )
    with made.at(MONDAY).reading() as session:
        person = session.query(Subscriber).one()
        assert (person.time_zone, person.language) == ("Pacific/Auckland", "fr")


def test_a_newer_wish_takes_the_place_of_an_older_one(installation: Installation):
    made = installation
    made.subscribe(PETRA)
    leave(made)
    with visiting(made) as client:
        for every in ("daily", "monthly", "immediate"):
            sign_up(client, PETRA, every=every)
    answer_all(made.at(MONDAY))
    assert wish_of(made)["every"] == "immediate"


def test_an_operators_subscribe_still_asks_somebody_who_left(installation: Installation):
    made = installation
    made.subscribe(PETRA)
    leave(made)
    made.subscribe(PETRA, every="monthly", confirmed=False)
    one = subscription_of(made, PETRA)
    assert (one.status, one.cadence, one.wish) == (
        SubscriptionStatus.PENDING,
        Cadence.MONTHLY,
        None,
    )


def test_who_follows_another_therapy_keeps_the_parts_that_they_do_without(
    any_installation: Installation,
):
    made = any_installation
    made.subscribe(PETRA, every="daily")
    second_profile(made)
    with made.at(MONDAY).writing() as session:
        one = session.query(Subscription).one()
        one.hidden, one.urgent = ["trials", "related"], True
    with visiting(made) as client:
        path = link_to(made, Purpose.PREFERENCES, PETRA)
        assert (
            post(client, path, do="follow", profile="tolebrutinib", consent="yes").status_code
            == 200
        )
    with made.at(MONDAY).reading() as session:
        new = session.query(Subscription).order_by(Subscription.id.desc()).first()
        assert (new.status, new.cadence, new.hidden, new.urgent, new.wish) == (
            SubscriptionStatus.CONFIRMED,
            Cadence.DAILY,
            ["trials", "related"],
            True,
            None,
        )
