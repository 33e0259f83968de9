"""Forms of strangers: nothing is changed until the owner of the address has confirmed."""

from datetime import timedelta
from typing import Any

import pytest

from notifier.enums import (
    Cadence,
    ConsentEvent,
    Edition,
    SignupRequestKind,
    SubscriptionStatus,
)
from notifier.links import Purpose
from notifier.pipeline.run import run_once
from notifier.pipeline.signup_requests import answer, answer_all
from notifier.store.models import Consent, Subscriber, Subscription, Wording
from notifier.subscribers import lifecycle, signup_requests, subscriptions
from tests.support.forms import (
    add_second_profile,
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

pytestmark = pytest.mark.postgresql_long

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


def everything(
    installation: Installation,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
    """Return all columns except those of the wish, and the number of consents."""
    with installation.at(MONDAY).reading() as session:
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


def leave(installation: Installation, moment=MONDAY) -> None:
    with installation.at(moment).writing() as session:
        subscriptions.end(session, session.query(Subscription).one(), "link", "subscriber", moment)


def wish_of(installation: Installation) -> dict[str, Any] | None:
    with installation.at(MONDAY).reading() as session:
        return session.query(Subscription).order_by(Subscription.id.desc()).first().wish


CHANGES = [
    {},
    *({name: value} for name, value in STRANGERS_CHOICE.items()),
    STRANGERS_CHOICE,
    {"every": "immediate"},
]


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_a_form_about_a_person_who_left_changes_nothing(
    any_installation: Installation, changes: dict[str, str]
):
    installation = any_installation
    installation.subscribe(
        PETRA, every="weekly", on="friday", at="07:30", zone="Europe/Paris", language="de"
    )
    leave(installation)
    before = everything(installation)
    with visiting(installation, MONDAY + DAY) as client:
        sign_up(client, PETRA, **changes)
    run_once(installation.at(MONDAY + DAY))
    assert everything(installation) == before
    assert wish_of(installation) is not None


def test_mail_and_page_show_the_wish_and_the_confirmation_applies_it(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe(
        PETRA, every="weekly", on="friday", at="07:30", zone="Europe/Paris", language="de"
    )
    leave(installation)
    with visiting(installation, MONDAY + DAY) as client:
        sign_up(client, PETRA, **{**STRANGERS_CHOICE, "language": "en"})
        run_once(installation.at(MONDAY + DAY))
        schedule = "monthly, on the last day of the month at 23:45 (Pacific/Auckland)"
        assert schedule in " ".join(text_of(installation.sink.messages[0]).split())
        link = links_in_mails(installation, Purpose.CONFIRM)[PETRA]
        assert schedule in client.get(link).text
        assert "Your subscription is confirmed." in client.post(link).text
        assert "Your subscription is confirmed." in client.post(link).text
    with installation.at(MONDAY).reading() as session:
        subscription = session.query(Subscription).one()
        assert (subscription.status, subscription.cadence, subscription.at, subscription.on) == (
            SubscriptionStatus.CONFIRMED,
            Cadence.MONTHLY,
            "23:45",
            31,
        )
        assert (
            subscription.edition,
            subscription.subscriber.time_zone,
            subscription.subscriber.language,
        ) == (
            Edition.CLINICIAN,
            "Pacific/Auckland",
            "en",
        )
        assert (subscription.wish, subscription.ended_at, subscription.confirmed_at) == (
            None,
            None,
            MONDAY + DAY,
        )
        assert subscription.next_due_at.isoformat() == "2026-03-31T10:45:00+00:00"
        given = session.query(Consent).order_by(Consent.id.desc()).first()
        assert (given.event, given.method) == (ConsentEvent.GIVEN, "link")
        assert session.get(Wording, given.wording_hash).language == "en"


def test_an_unconfirmed_wish_is_deleted_and_the_subscription_stays_ended(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe(PETRA)
    leave(installation)
    before = everything(installation)
    with visiting(installation, MONDAY + DAY) as client:
        sign_up(client, PETRA, **STRANGERS_CHOICE)
        run_once(installation.at(MONDAY + DAY))
        link = links_in_mails(installation, Purpose.CONFIRM)[PETRA]
    run_once(installation.at(MONDAY + 2 * DAY))
    assert wish_of(installation) is not None
    run_once(installation.at(MONDAY + 3 * DAY + timedelta(hours=1)))
    assert wish_of(installation) is None
    assert everything(installation) == before
    with visiting(installation, MONDAY + 3 * DAY - timedelta(hours=1)) as client:
        assert client.post(link).status_code == 410
    assert everything(installation) == before


def test_a_wish_does_not_delay_the_deletion_after_a_year(
    installation: Installation,
):
    installation.subscribe(PETRA)
    leave(installation)
    late = MONDAY + 365 * DAY - timedelta(hours=1)
    with visiting(installation, late) as client:
        sign_up(client, PETRA)
    run_once(installation.at(late))
    assert len(installation.sink.messages) == 1
    run_once(installation.at(MONDAY + 366 * DAY))
    with installation.at(MONDAY).reading() as session:
        assert session.query(Subscriber).count() == 0


def test_unsubscribing_can_be_undone_while_a_wish_waits(any_installation: Installation):
    installation = any_installation
    installation.subscribe(PETRA, every="daily")
    due = subscription_of(installation, PETRA).next_due_at
    leave(installation)
    with visiting(installation) as client:
        sign_up(client, PETRA, **STRANGERS_CHOICE)
        run_once(installation.at(MONDAY))
        undone = post(client, link_to(installation, Purpose.UNSUBSCRIBE, PETRA), do="undo")
        assert "You are subscribed again" in undone.text
        client.post(links_in_mails(installation, Purpose.CONFIRM)[PETRA])
    subscription = subscription_of(installation, PETRA)
    assert (
        subscription.status,
        subscription.cadence,
        subscription.next_due_at,
        subscription.wish,
    ) == (
        SubscriptionStatus.CONFIRMED,
        Cadence.DAILY,
        due,
        None,
    )


def test_the_unsubscribe_link_deletes_a_waiting_wish(any_installation: Installation):
    installation = any_installation
    installation.subscribe(PETRA)
    leave(installation)
    with visiting(installation) as client:
        sign_up(client, PETRA)
        answer_all(installation.at(MONDAY))
        client.post(link_to(installation, Purpose.UNSUBSCRIBE, PETRA))
    assert wish_of(installation) is None
    assert mails_to(installation) == {}


@pytest.mark.parametrize("status", ["running", "paused"])
@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_a_form_does_not_change_zone_and_language_of_another_subscription(
    installation: Installation, changes: dict[str, str], status: str
):
    installation.subscribe(PETRA, every="daily", zone="Europe/Paris", language="de")
    if status == "paused":
        with installation.at(MONDAY).writing() as session:
            lifecycle.pause(session.query(Subscription).one(), None, MONDAY)
    add_second_profile(installation)
    people, first, _ = everything(installation)
    with visiting(installation) as client:
        sign_up(client, PETRA, profile="tolebrutinib", **changes)
        run_once(installation.at(MONDAY))
        assert everything(installation)[0] == people
        client.post(links_in_mails(installation, Purpose.CONFIRM)[PETRA])
    after_people, after, _ = everything(installation)
    assert after_people == people
    assert [row for row in after if row["id"] == first[0]["id"]] == first
    new = next(row for row in after if row["id"] != first[0]["id"])
    assert new["status"] is SubscriptionStatus.CONFIRMED
    assert new["cadence"] == changes.get("every", "weekly")


def test_a_form_does_not_change_the_ended_subscription_to_another_therapy(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe(PETRA, zone="Europe/Paris", language="de")
    leave(installation)
    add_second_profile(installation)
    people, first, ledger = everything(installation)
    with visiting(installation) as client:
        sign_up(client, PETRA, profile="tolebrutinib", **STRANGERS_CHOICE)
    run_once(installation.at(MONDAY))
    after = everything(installation)
    assert (after[0], after[1][:1], after[2]) == (people, first, ledger)
    run_once(installation.at(MONDAY + 3 * DAY))
    assert everything(installation) == (people, first, ledger)


def test_the_newest_form_counts_for_a_person_who_never_confirmed(
    any_installation: Installation,
):
    installation = any_installation
    with visiting(installation) as client:
        sign_up(client, PETRA, every="daily", time_zone="Europe/Paris", language="de")
        answer_all(installation.at(MONDAY))
        sign_up(client, PETRA, **STRANGERS_CHOICE)
        answer_all(installation.at(MONDAY))
    subscription = subscription_of(installation, PETRA)
    assert (subscription.status, subscription.cadence, subscription.wish) == (
        SubscriptionStatus.PENDING,
        Cadence.MONTHLY,
        None,
    )
    with installation.at(MONDAY).reading() as session:
        person = session.query(Subscriber).one()
        assert (person.time_zone, person.language) == ("Pacific/Auckland", "fr")


def test_a_newer_wish_replaces_an_older_one(installation: Installation):
    installation.subscribe(PETRA)
    leave(installation)
    with visiting(installation) as client:
        for every in ("daily", "monthly", "immediate"):
            sign_up(client, PETRA, every=every)
    answer_all(installation.at(MONDAY))
    assert wish_of(installation)["every"] == "immediate"


def test_an_operators_sign_up_asks_a_person_who_left(installation: Installation):
    installation.subscribe(PETRA)
    leave(installation)
    installation.subscribe(PETRA, every="monthly", confirmed=False)
    subscription = subscription_of(installation, PETRA)
    assert (subscription.status, subscription.cadence, subscription.wish) == (
        SubscriptionStatus.PENDING,
        Cadence.MONTHLY,
        None,
    )


def test_a_second_subscription_takes_over_the_hidden_sections(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe(PETRA, every="daily")
    add_second_profile(installation)
    with installation.at(MONDAY).writing() as session:
        subscription = session.query(Subscription).one()
        subscription.hidden, subscription.urgent = ["trials", "related"], True
    with visiting(installation) as client:
        path = link_to(installation, Purpose.PREFERENCES, PETRA)
        assert (
            post(client, path, do="follow", profile="tolebrutinib", consent="yes").status_code
            == 200
        )
    with installation.at(MONDAY).reading() as session:
        new = session.query(Subscription).order_by(Subscription.id.desc()).first()
        assert (new.status, new.cadence, new.hidden, new.urgent, new.wish) == (
            SubscriptionStatus.CONFIRMED,
            Cadence.DAILY,
            ["trials", "related"],
            True,
            None,
        )


def test_of_several_requests_the_last_one_counts_whichever_is_answered_first(
    any_installation: Installation,
):
    """The web server answers each in a thread of its own."""
    installation = any_installation
    installation.subscribe(PETRA)
    leave(installation)
    wish = {"profile": "frexalimab", "at": "08:00", "on": None, "time_zone": "UTC"}
    wish |= {"edition": "patient", "language": "en"}
    with installation.at(MONDAY).writing() as session:
        asked = [
            signup_requests.ask(
                session,
                SignupRequestKind.SUBSCRIBE,
                PETRA,
                {**wish, "every": every},
                "192.0.2.1",
                MONDAY,
            )
            for every in ("daily", "monthly", "immediate")
        ]
    for request_id in reversed(asked):
        answer(installation.at(MONDAY), request_id)
    wish_stored = wish_of(installation)
    assert wish_stored is not None
    assert wish_stored["every"] == "immediate"
