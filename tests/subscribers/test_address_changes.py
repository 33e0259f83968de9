"""Changes of address: the page is the same whoever has the new address, and limits hold."""

import json
import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import event

from notifier.email_addresses import mailbox_of
from notifier.enums import Cadence, DeliveryKind, SubscriptionStatus, SuppressionCause
from notifier.links import Purpose
from notifier.match import profiles
from notifier.pipeline import compose, match, poll
from notifier.pipeline.run import run_once
from notifier.pipeline.signup_requests import answer_all
from notifier.store.models import (
    AddressChange,
    Consent,
    Delivery,
    SignupRequest,
    Subscriber,
    Subscription,
)
from notifier.subscribers import address_changes, signup_requests, subscriptions
from notifier.subscribers.choices import default_choice
from notifier.web.app import create
from tests.support.forms import (
    FORM,
    KINDS,
    add_second_profile,
    comparable,
    erase,
    four_kinds,
    link_to,
    links_in_mails,
    mails_to,
    people,
    post,
    sign_up,
    suppress,
    suppression_of,
    visiting,
)
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import html_of, text_of
from tests.support.news_site import Article
from tests.support.visitor import Client
from tests.support.web_server import serving

# Whole visits with a web server on each database; SQLite shows them in the short run.
pytestmark = pytest.mark.postgresql_long

ANNA, NEW = "anna@example.org", "anna@new.example.org"
HOUR = timedelta(hours=1)


def change_to(
    client, installation: Installation, email: str, asker: str = ANNA, network: str = "198.51.100.7"
):
    return post(
        client,
        link_to(installation, Purpose.PREFERENCES, asker),
        network,
        do="address",
        email=email,
    )


def export(client, installation: Installation) -> str:
    return post(client, link_to(installation, Purpose.PREFERENCES, ANNA), do="export").text


def seen_by_the_asker(installation: Installation, email: str) -> str:
    """Return all that a person sees who asks for a new address, with NEW for the address."""
    with visiting(installation) as client:
        before = export(client, installation)
        answer = comparable(change_to(client, installation, email))
        page = comparable(client.get(link_to(installation, Purpose.PREFERENCES, ANNA)))
        exports = [before, export(client, installation)]
        run_once(installation.at(MONDAY))
        exports.append(export(client, installation))
        link = links_in_mails(installation, Purpose.ADDRESS)[ANNA]
        question, agreed = comparable(client.get(link)), comparable(client.post(link))
        exports.append(export(client, installation))
    mails = [
        (
            mail["Subject"],
            " ".join(text_of(mail).split()).replace(email, "NEW"),
            html_of(mail).replace(email, "NEW"),
        )
        for mail in installation.sink.to(ANNA)
    ]
    seen = json.dumps([exports, answer[0], answer[2], page, question, agreed, mails])
    return re.sub(r"/(address|preferences)/[\w.-]+", "/LINK", seen)


@pytest.mark.parametrize("language", ["en", "de"])
def test_page_export_and_mails_are_the_same_for_every_kind_of_new_address(
    any_installation: Installation, language: str
):
    installation = any_installation
    installation.subscribe(ANNA, language=language)
    four_kinds(installation)
    seen = set()
    for kind in KINDS:
        seen.add(seen_by_the_asker(installation, f"{kind}@example.org"))
        installation.sink.messages.clear()
        with installation.at(MONDAY).writing() as session:
            session.query(SignupRequest).delete()
            session.query(AddressChange).delete()
    assert len(seen) == 1


def test_no_export_contains_the_new_address(installation: Installation):
    installation.subscribe(ANNA)
    with visiting(installation) as client:
        change_to(client, installation, NEW)
        document = json.loads(export(client, installation))
    assert document["address_changes"] == [{"asked_at": "2026-03-02T09:00:00+00:00"}]
    assert NEW not in json.dumps(document)


def test_the_page_is_sent_before_the_new_address_is_looked_up(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    installation.subscribe(ANNA)
    looked_up = threading.Event()
    monkeypatch.setattr("notifier.web.mail_requests._answer_by_mail", lambda *_: looked_up.wait(5))
    with visiting(installation) as client:
        assert change_to(client, installation, NEW).status_code == 200
        with installation.at(MONDAY).reading() as session:
            assert session.query(Delivery).count() == 0
            assert session.query(AddressChange).one().email == NEW
        looked_up.set()
    assert mails_to(installation) == {ANNA: 1, NEW: 1}


REQUESTS: dict[str, Callable] = {
    "a sign-up": lambda client, _installation, email: sign_up(client, email),
    "a lost link": lambda client, _installation, email: post(client, "/link", email=email),
    "a change of address": change_to,
}


@pytest.mark.parametrize("request_of", REQUESTS)
def test_the_answer_makes_the_same_queries_for_every_kind_of_address(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch, request_of: str
):
    installation = any_installation
    installation.subscribe(ANNA)
    four_kinds(installation)
    monkeypatch.setattr("notifier.web.mail_requests._answer_by_mail", lambda *_: None)
    statements: list[str] = []
    event.listen(
        installation.at(MONDAY).engine,
        "before_cursor_execute",
        lambda *arguments: statements.append(arguments[2]),
    )
    steps = []
    with visiting(installation) as client:
        REQUESTS[request_of](
            client, installation, "first@example.org"
        )  # what is loaded once is loaded now
        for kind in KINDS:
            statements.clear()
            assert (
                REQUESTS[request_of](client, installation, f"{kind}@example.org").status_code == 200
            )
            steps.append(tuple(statements))
    assert len(set(steps)) == 1
    assert len(steps[0]) > 2


@pytest.mark.parametrize(
    ("cause", "age_in_days", "mailed"),
    [
        (SuppressionCause.BOUNCED, 1, False),
        (SuppressionCause.BOUNCED, 31, True),
        (SuppressionCause.COMPLAINED, 1, True),
        (SuppressionCause.ERASED, 1, True),
        (SuppressionCause.LEFT, 1, True),
        (SuppressionCause.ASKED, 400, False),
        (SuppressionCause.NEVER, 400, False),
    ],
)
def test_a_suppressed_new_address_is_asked_by_the_rules_of_a_sign_up(
    any_installation: Installation, cause: SuppressionCause, age_in_days: int, mailed: bool
):
    installation = any_installation
    installation.subscribe(ANNA)
    suppress(installation, NEW, cause, MONDAY - timedelta(days=age_in_days))
    with visiting(installation) as client:
        change_to(client, installation, NEW)
        assert mails_to(installation) == ({ANNA: 1, NEW: 1} if mailed else {ANNA: 1})
        if not mailed:
            return
        for link in links_in_mails(installation, Purpose.ADDRESS).values():
            client.post(link)
    assert suppression_of(installation, NEW) is None
    assert people(installation) == [NEW]


def test_only_the_mail_to_the_new_address_offers_never_to_write_again(
    installation: Installation,
):
    installation.subscribe(ANNA)
    with visiting(installation) as client:
        change_to(client, installation, NEW)
        run_once(installation.at(MONDAY))
        assert set(links_in_mails(installation, Purpose.NEVER)) == {NEW}
        client.post(links_in_mails(installation, Purpose.NEVER)[NEW])
        for link in links_in_mails(installation, Purpose.ADDRESS).values():
            client.post(link)
    assert people(installation) == [ANNA]


MAILS: dict[str, Callable] = {
    "sign-ups": lambda client, _installation, number: sign_up(
        client, "victim@example.org", f"198.51.{number}.7"
    ),
    "sign-ups with other tags": lambda client, _installation, number: sign_up(
        client, f"Victim+{number}@example.org", f"198.51.{number}.7"
    ),
    "sign-ups with other dots": lambda client, _installation, number: sign_up(
        client,
        f"{'victim'[: number % 6 + 1]}.{'victim'[number % 6 + 1 :]}@example.org".replace(".@", "@"),
        f"198.51.{number}.7",
    ),
    "changes of address": lambda client, installation, number: change_to(
        client,
        installation,
        "victim@example.org",
        f"asker{number}@example.org",
        f"198.51.{number}.7",
    ),
    "changes of address with other tags": lambda client, installation, number: change_to(
        client,
        installation,
        f"vic.tim+{number}@EXAMPLE.org",
        f"asker{number}@example.org",
        f"198.51.{number}.7",
    ),
}


@pytest.mark.parametrize("way", MAILS)
def test_one_mailbox_gets_three_mails_an_hour_however_its_address_is_written(
    any_installation: Installation, way: str
):
    installation = any_installation
    for number in range(8):
        installation.subscribe(f"asker{number}@example.org")
    with visiting(installation) as client:
        for number in range(8):
            assert MAILS[way](client, installation, number).status_code == 200
            mails_to(installation)
    sent = [
        mail["To"]
        for mail in installation.sink.messages
        if mailbox_of(mail["To"]) == "victim@example.org"
    ]
    assert len(sent) == 3
    later = MONDAY + HOUR + timedelta(minutes=1)
    with visiting(installation, later) as client:
        MAILS[way](client, installation, 7)
        mails_to(installation, later)
    assert (
        len(
            [
                mail
                for mail in installation.sink.messages
                if mailbox_of(mail["To"]) == "victim@example.org"
            ]
        )
        == 4
    )


def test_all_kinds_of_mails_count_together_for_one_mailbox(any_installation: Installation):
    installation = any_installation
    installation.subscribe(ANNA)
    with visiting(installation) as client:
        sign_up(client, ANNA)
        mails_to(installation)
        post(client, "/link", email="an.na+x@example.org")  # nobody's address, but the same mailbox
        post(client, "/link", email=ANNA)
        mails_to(installation)
        change_to(client, installation, NEW)
    assert mails_to(installation) == {ANNA: 2, NEW: 1}


def test_a_welcome_counts_for_the_mailbox_too(installation: Installation):
    with visiting(installation) as client:
        sign_up(client, ANNA)
        run_once(installation.at(MONDAY))
        sign_up(client, ANNA)
        post(client, "/link", email=ANNA)
        run_once(installation.at(MONDAY))
        client.post(links_in_mails(installation, Purpose.CONFIRM)[ANNA])
    counted = len(installation.sink.messages)
    assert mails_to(installation) == {ANNA: counted}


def test_a_sixth_change_within_an_hour_is_refused_and_not_stored(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe(ANNA)
    with visiting(installation) as client:
        answers = [
            change_to(client, installation, f"new{n}@example.org", network=f"198.51.{n}.7")
            for n in range(6)
        ]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[-1].headers["Retry-After"] == "3600"
    with installation.at(MONDAY).reading() as session:
        assert session.query(AddressChange).one().email == "new4@example.org"
    with visiting(installation, MONDAY + HOUR + timedelta(seconds=1)) as client:
        assert change_to(client, installation, "new9@example.org").status_code == 200


def test_changes_of_address_count_for_the_network_like_sign_ups(installation: Installation):
    installation.subscribe(ANNA)
    with visiting(installation) as client:
        for number in range(30):
            sign_up(client, f"p{number}@example.org")
        assert change_to(client, installation, NEW).status_code == 429
        assert change_to(client, installation, NEW, network="198.51.101.7").status_code == 200


@pytest.mark.parametrize("target", ["victim@example.org", "vic.tim+news@example.org"])
def test_neither_erasure_nor_a_repeated_change_resets_a_limit(
    any_installation: Installation, target: str
):
    installation = any_installation
    installation.subscribe("victim@example.org")
    with visiting(installation) as client:
        for number in range(3):
            post(client, "/link", f"198.51.{number}.7", email="victim@example.org")
            mails_to(installation)
        erase(installation, "victim@example.org")
        with installation.at(MONDAY).writing() as session:
            session.query(AddressChange).delete()
            session.query(Delivery).delete()
        for number in range(3, 6):
            sign_up(client, target, f"198.51.{number}.7")
    assert mails_to(installation) == {"victim@example.org": 3}


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("198.51.100.7", "::ffff:198.51.100.99", True),
        ("::ffff:198.51.100.7", "::ffff:198.51.101.7", False),
        ("::ffff:c633:6407", "198.51.100.1", True),
        ("2002:c633:6407::1", "198.51.100.1", True),
        ("2002:c633:6407::1", "2002:c633:6507::1", False),
        ("64:ff9b::198.51.100.7", "198.51.100.1", True),
        ("64:ff9b::198.51.100.7", "64:ff9b::198.51.101.7", False),
        ("2001:db8:1:2::3", "2001:db8:1:ffff::9", True),
        ("2001:db8:1::1", "2001:db8:2::1", False),
        ("2001:0:c000:0201:0:3fff:39cc:9bf8", "198.51.100.7", True),
        ("2001:0:4136:e378:8000:63bf:39cc:9bf8", "198.51.100.7", True),
        ("::1", "::2", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("", "", True),
        ("unix", "other", False),
    ],
)
def test_the_network_of_an_address_is_that_of_the_ipv4_address_in_it(
    first: str, second: str, same: bool
):
    assert (signup_requests.network_of(first) == signup_requests.network_of(second)) is same


def test_the_limit_of_a_network_counts_all_notations_of_its_addresses(
    any_installation: Installation,
):
    with visiting(any_installation) as client:
        networks = ["198.51.100.7", "::ffff:198.51.100.8", "2002:c633:6409::1"]
        answers = [
            sign_up(client, f"p{n}@example.org", networks[n % 3]).status_code for n in range(33)
        ]
    assert answers == [200] * 30 + [429] * 3


def agree(client, installation: Installation, old: str = ANNA, new: str = NEW) -> None:
    change_to(client, installation, new, old)
    run_once(installation.at(MONDAY))
    links = links_in_mails(installation, Purpose.ADDRESS)
    client.post(links[new])
    assert "Your address is changed." in client.post(links[old]).text


def standing_of(installation: Installation, email: str) -> dict[str, tuple[str, str]]:
    with installation.at(MONDAY).reading() as session:
        person = subscriptions.find_subscriber(session, email)
        if person is None:
            return {}
        return {
            each.profile.slug: (each.status.value, each.cadence.value)
            for each in person.subscriptions
        }


def follow(
    installation: Installation, email: str, slug: str, every: str, *, running: bool = True
) -> None:
    with installation.at(MONDAY).writing() as session:
        choice = default_choice(Cadence(every), "UTC")
        subscription = subscriptions.subscribe(
            session, email, profiles.find(session, slug), choice, MONDAY
        )
        subscriptions.confirm(session, subscription, "command line", "operator test", MONDAY)
        if not running:
            subscriptions.end(session, subscription, "link", "subscriber", MONDAY)


def test_a_new_address_of_a_stored_person_takes_what_they_lack_and_ends_the_rest(
    any_installation: Installation,
):
    installation = any_installation
    add_second_profile(installation)
    follow(installation, ANNA, "frexalimab", "daily")
    follow(installation, ANNA, "tolebrutinib", "monthly")
    follow(installation, NEW, "frexalimab", "weekly")
    with visiting(installation) as client:
        agree(client, installation)
    assert standing_of(installation, NEW) == {
        "frexalimab": ("confirmed", "weekly"),
        "tolebrutinib": ("confirmed", "monthly"),
    }
    assert standing_of(installation, ANNA) == {"frexalimab": ("ended", "daily")}


def test_a_subscription_that_ended_under_the_new_address_goes_on_with_the_old_choice(
    any_installation: Installation,
):
    installation = any_installation
    add_second_profile(installation)
    follow(installation, ANNA, "frexalimab", "daily")
    follow(installation, NEW, "frexalimab", "weekly", running=False)
    with visiting(installation) as client:
        agree(client, installation)
    assert standing_of(installation, NEW) == {"frexalimab": ("confirmed", "daily")}
    assert standing_of(installation, ANNA) == {"frexalimab": ("ended", "daily")}


def test_people_without_a_common_profile_become_one_and_the_old_address_is_deleted(
    any_installation: Installation,
):
    installation = any_installation
    add_second_profile(installation)
    follow(installation, ANNA, "tolebrutinib", "daily")
    follow(installation, NEW, "frexalimab", "weekly")
    with visiting(installation) as client:
        agree(client, installation)
    assert people(installation) == [NEW]
    assert standing_of(installation, NEW) == {
        "frexalimab": ("confirmed", "weekly"),
        "tolebrutinib": ("confirmed", "daily"),
    }


@pytest.mark.parametrize(
    ("has", "since"),
    [("ended before", -1), ("runs since before", -1), ("runs since after", 2)],
    ids=str,
)
def test_a_digest_that_waits_for_the_old_address_goes_to_the_new_one_once(
    any_installation: Installation, has: str, since: int
):
    installation = any_installation
    run_once(installation.at(MONDAY))
    due = MONDAY + timedelta(days=1)
    follow(installation, ANNA, "frexalimab", "daily")
    signed_up = due + since * timedelta(hours=1)
    if since < 0:
        installation.subscribe(NEW, moment=signed_up)
    installation.publish([Article("Frexalimab slows lesions")])
    for step in (poll, match, compose):
        step.run(installation.at(due))
    if since > 0:
        installation.subscribe(NEW, moment=signed_up)
    with installation.at(due).writing() as session:
        person = subscriptions.find_subscriber(session, NEW)
        if has == "ended before":
            subscriptions.end(session, person.subscriptions[0], "link", "subscriber", due)
    moment = due + timedelta(hours=3)
    with installation.at(moment).writing() as session:
        anna = subscriptions.find_subscriber(session, ANNA)
        change = address_changes.ask(session, anna, NEW, moment)
        address_changes.agree(session, change, address_changes.Side.NEW, moment)
        name = f"old:{change.link_id}"
    link = installation.at(moment).links.url(Purpose.ADDRESS, name, moment)
    with serving(create(installation.at(moment))) as address:
        assert "is changed" in Client(address).post(link).text
    for days in (0, 1, 2):
        run_once(installation.at(moment + timedelta(days=days)))
    digests = [mail for mail in installation.sink.to(NEW) if "lesions" in text_of(mail)]
    assert len(digests) == 1
    assert not installation.sink.to(ANNA)


@pytest.mark.parametrize(
    "running", [True, False], ids=["runs under both", "had ended under the new one"]
)
def test_the_link_in_an_old_mail_ends_the_subscription_of_the_new_address(
    any_installation: Installation, running: bool
):
    installation = any_installation
    follow(installation, ANNA, "frexalimab", "weekly")
    follow(installation, NEW, "frexalimab", "daily", running=running)
    in_an_old_mail = link_to(installation, Purpose.UNSUBSCRIBE, ANNA)
    with visiting(installation) as client:
        agree(client, installation)
        assert standing_of(installation, NEW)["frexalimab"][0] == "confirmed"
        assert (
            client.request("POST", in_an_old_mail, "List-Unsubscribe=One-Click", FORM).status_code
            == 200
        )
    assert standing_of(installation, NEW)["frexalimab"][0] == "ended"


def test_a_new_sign_up_that_waits_does_not_cost_the_ledger_of_the_old_address(
    any_installation: Installation,
):
    installation = any_installation
    add_second_profile(installation)
    follow(installation, ANNA, "tolebrutinib", "daily")
    for email in (ANNA, NEW):
        follow(installation, email, "frexalimab", "daily", running=email == NEW)
    installation.subscribe(ANNA, confirmed=False, profile="frexalimab")
    with installation.at(MONDAY).reading() as session:
        before = session.query(Consent).count()
    with visiting(installation) as client:
        agree(client, installation)
    with installation.at(MONDAY).reading() as session:
        assert session.query(Consent).count() == before
    assert standing_of(installation, ANNA) == {"frexalimab": ("ended", "daily")}
    assert standing_of(installation, NEW) == {
        "frexalimab": ("confirmed", "daily"),
        "tolebrutinib": ("confirmed", "daily"),
    }


def test_a_change_to_the_same_address_in_other_case_changes_only_its_spelling(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe(ANNA)
    with visiting(installation) as client:
        change_to(client, installation, "Anna@example.org")
        run_once(installation.at(MONDAY))
        for mail in list(installation.sink.messages):
            for word in text_of(mail).split():
                if "/address/" in word:
                    client.post(word)
    assert people(installation) == ["Anna@example.org"]
    assert standing_of(installation, ANNA) == {"frexalimab": ("confirmed", "daily")}


def test_a_new_address_that_was_erased_changes_nothing_and_the_page_is_the_same(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe(ANNA)
    installation.subscribe(NEW)
    with visiting(installation) as client:
        change_to(client, installation, NEW)
        run_once(installation.at(MONDAY))
        before = export(client, installation)
        erase(installation, NEW)
        assert export(client, installation) == before
        links = links_in_mails(installation, Purpose.ADDRESS)
        for side in (ANNA, NEW, ANNA):
            assert "has to agree, too" in client.post(links[side]).text
    assert people(installation) == [ANNA]
    with installation.at(MONDAY).reading() as session:
        assert session.query(AddressChange).one().email == ""
        assert session.query(Subscriber).count() == 1


def test_a_waiting_question_is_not_sent_to_an_erased_new_address(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe(ANNA)
    installation.subscribe(NEW)
    with visiting(installation) as client:
        change_to(client, installation, NEW)
        answer_all(installation.at(MONDAY))
    erase(installation, NEW)
    assert mails_to(installation) == {ANNA: 1}
    with installation.at(MONDAY).reading() as session:
        refused = session.query(Delivery).filter(Delivery.kind == DeliveryKind.CHANGE_NEW).one()
        assert refused.error == "the address was erased"
        assert session.query(Subscription).one().status is SubscriptionStatus.CONFIRMED
