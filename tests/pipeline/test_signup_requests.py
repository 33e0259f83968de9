"""Sign-ups of suppressed addresses: the page is the same for all, and the rules for mails hold."""

from datetime import timedelta

import pytest

from notifier.enums import ConsentEvent, SubscriptionStatus, SuppressionCause
from notifier.links import Purpose
from notifier.pipeline.run import run_once
from notifier.pipeline.signup_requests import answer_all
from notifier.settings import Privacy
from notifier.store.models import Consent, Subscriber, Subscription
from notifier.subscribers import subscriptions, suppressions
from tests.support.forms import (
    KINDS,
    add_second_profile,
    comparable,
    four_kinds,
    link_to,
    links_in_mails,
    mails_to,
    post,
    sign_up,
    subscription_of,
    suppress,
    suppression_of,
    visiting,
)
from tests.support.installation import MONDAY, Installation, settings_for
from tests.support.mail_sink import html_of, text_of

pytestmark = pytest.mark.postgresql_long

PETRA = "petra@example.org"
DAY = timedelta(days=1)


@pytest.mark.parametrize("path", ["/subscribe", "/link"])
def test_the_page_after_a_form_is_byte_for_byte_the_same_for_every_kind_of_address(
    any_installation: Installation, path: str
):
    four_kinds(any_installation)
    with visiting(any_installation) as client:
        answers = [
            post(client, path, f"198.51.{number}.7", email=f"{kind}@example.org", consent="yes")
            for number, kind in enumerate(KINDS)
        ]
    assert len({comparable(answer) for answer in answers}) == 1
    assert answers[0].status_code == 200


@pytest.mark.parametrize("path", ["/subscribe", "/link"])
def test_the_page_after_a_form_names_a_contact_if_no_mail_comes(
    installation: Installation, path: str
):
    with visiting(installation) as client:
        text = post(client, path, email=PETRA, consent="yes").text
    assert "No mail within an hour? Write to" in text
    assert '<a href="mailto:office@example.org">office@example.org</a>' in text


@pytest.mark.parametrize(
    ("contact", "reply_to", "address", "shown"),
    [
        (
            "data@example.org",
            "office@example.org",
            "digest@example.org",
            'href="mailto:data@example.org"',
        ),
        (
            "https://example.org/contact",
            "office@example.org",
            None,
            'href="https://example.org/contact"',
        ),
        (None, "office@example.org", "digest@example.org", 'href="mailto:office@example.org"'),
        (None, None, "digest@example.org", 'href="mailto:digest@example.org"'),
        (None, None, None, ""),
    ],
)
def test_the_contact_is_the_setting_or_the_reply_address_or_the_sender_or_nothing(
    installation: Installation,
    contact: str | None,
    reply_to: str | None,
    address: str | None,
    shown: str,
):
    sender = settings_for(25).sender.model_copy(update={"reply_to": reply_to, "address": address})
    installation.change(sender=sender, privacy=Privacy(contact=contact))
    with visiting(installation) as client:
        text = sign_up(client, PETRA).text
    assert shown in text
    assert ("No mail within an hour?" in text) is bool(shown)


@pytest.mark.parametrize(
    "contact", ["nobody", "http://example.org", "https://", "javascript:alert(1)", "https://x/?a=b"]
)
def test_a_contact_that_is_neither_an_address_nor_https_is_refused(contact: str):
    with pytest.raises(ValueError, match="contact"):
        Privacy(contact=contact)


@pytest.mark.parametrize(
    ("cause", "age_in_days", "asked"),
    [
        (None, 0, True),
        (SuppressionCause.ERASED, 0, True),
        (SuppressionCause.ERASED, 400, True),
        (SuppressionCause.LEFT, 0, True),
        (SuppressionCause.BOUNCED, 0, False),
        (SuppressionCause.BOUNCED, 29, False),
        (SuppressionCause.BOUNCED, 30, True),
        (SuppressionCause.BOUNCED, 400, True),
        (SuppressionCause.COMPLAINED, 0, True),
        (SuppressionCause.COMPLAINED, 400, True),
        (SuppressionCause.ASKED, 0, False),
        (SuppressionCause.ASKED, 400, False),
        (SuppressionCause.NEVER, 0, False),
        (SuppressionCause.NEVER, 400, False),
    ],
)
def test_whether_a_suppressed_address_is_asked_depends_on_the_cause_and_its_age(
    any_installation: Installation, cause: SuppressionCause | None, age_in_days: int, asked: bool
):
    installation = any_installation
    if cause is not None:
        suppress(installation, PETRA, cause, MONDAY - age_in_days * DAY - timedelta(minutes=1))
    with visiting(installation) as client:
        sign_up(client, PETRA)
    assert mails_to(installation) == ({PETRA: 1} if asked else {})


@pytest.mark.parametrize("cause", [SuppressionCause.BOUNCED, SuppressionCause.COMPLAINED])
def test_an_address_that_bounced_or_complained_is_asked_once_in_thirty_days(
    any_installation: Installation, cause: SuppressionCause
):
    installation = any_installation
    suppress(installation, PETRA, cause, MONDAY - 100 * DAY)
    for days, mails in ((0, 1), (1, 1), (15, 1), (29, 1), (30, 2), (31, 2)):
        with visiting(installation, MONDAY + days * DAY) as client:
            sign_up(client, PETRA)
        assert mails_to(installation, MONDAY + days * DAY) == {PETRA: mails}, days


@pytest.mark.parametrize(
    "cause",
    [
        SuppressionCause.ERASED,
        SuppressionCause.LEFT,
        SuppressionCause.BOUNCED,
        SuppressionCause.COMPLAINED,
    ],
)
def test_the_owners_confirmation_lifts_the_suppression(
    any_installation: Installation, cause: SuppressionCause
):
    installation = any_installation
    suppress(installation, PETRA, cause, MONDAY - 100 * DAY)
    with visiting(installation) as client:
        sign_up(client, PETRA)
        run_once(installation.at(MONDAY))
        assert client.post(links_in_mails(installation, Purpose.CONFIRM)[PETRA]).status_code == 200
    assert suppression_of(installation, PETRA) is None
    assert subscription_of(installation, PETRA).status is SubscriptionStatus.CONFIRMED


@pytest.mark.parametrize("cause", [SuppressionCause.ASKED, SuppressionCause.NEVER])
def test_an_older_link_does_not_lift_what_only_the_operator_lifts(
    any_installation: Installation, cause: SuppressionCause
):
    installation = any_installation
    with visiting(installation) as client:
        sign_up(client, PETRA)
        run_once(installation.at(MONDAY))
        suppress(installation, PETRA, cause)
        answer = client.post(links_in_mails(installation, Purpose.CONFIRM)[PETRA])
    assert answer.status_code == 410
    assert "No mail is sent to this address" in answer.text
    assert suppression_of(installation, PETRA).cause is cause
    assert subscription_of(installation, PETRA).status is SubscriptionStatus.PENDING


@pytest.mark.parametrize(
    "later",
    [
        SuppressionCause.BOUNCED,
        SuppressionCause.COMPLAINED,
        SuppressionCause.ASKED,
        SuppressionCause.NEVER,
    ],
)
def test_a_waiting_question_is_not_sent_if_the_address_was_suppressed(
    any_installation: Installation, later: SuppressionCause
):
    installation = any_installation
    suppress(installation, PETRA, SuppressionCause.COMPLAINED, MONDAY - 100 * DAY)
    with visiting(installation) as client:
        sign_up(client, PETRA)
        answer_all(installation.at(MONDAY))
    hour_later = MONDAY + timedelta(hours=1)
    if later is SuppressionCause.BOUNCED:
        with installation.at(MONDAY).writing() as session:
            suppressions.lift(session, subscriptions.hash_of(session, PETRA))
    suppress(installation, PETRA, later, hour_later)
    assert mails_to(installation, hour_later) == {}


@pytest.mark.parametrize(
    ("first", "second", "stays"),
    [
        (SuppressionCause.ERASED, SuppressionCause.ASKED, SuppressionCause.ASKED),
        (SuppressionCause.BOUNCED, SuppressionCause.NEVER, SuppressionCause.NEVER),
        (SuppressionCause.COMPLAINED, SuppressionCause.ASKED, SuppressionCause.ASKED),
        (SuppressionCause.NEVER, SuppressionCause.ERASED, SuppressionCause.NEVER),
        (SuppressionCause.NEVER, SuppressionCause.BOUNCED, SuppressionCause.NEVER),
        (SuppressionCause.ASKED, SuppressionCause.COMPLAINED, SuppressionCause.ASKED),
        (SuppressionCause.ASKED, SuppressionCause.LEFT, SuppressionCause.ASKED),
        (SuppressionCause.COMPLAINED, SuppressionCause.BOUNCED, SuppressionCause.COMPLAINED),
        (SuppressionCause.ERASED, SuppressionCause.BOUNCED, SuppressionCause.BOUNCED),
        (SuppressionCause.LEFT, SuppressionCause.ERASED, SuppressionCause.ERASED),
    ],
)
def test_a_later_cause_never_weakens_a_suppression(
    any_installation: Installation,
    first: SuppressionCause,
    second: SuppressionCause,
    stays: SuppressionCause,
):
    suppress(any_installation, PETRA, first)
    suppress(any_installation, PETRA, second)
    assert suppression_of(any_installation, PETRA).cause is stays


@pytest.mark.parametrize(
    ("cause", "text", "stored"),
    [
        (SuppressionCause.BOUNCED, "5.1.1", "5.1.1"),
        (SuppressionCause.BOUNCED, "550", "550"),
        (
            SuppressionCause.BOUNCED,
            "the server answered 550 to RCPT TO: 5.1.1 <PETRA@EXAMPLE.ORG> unknown",
            "5.1.1",
        ),
        (SuppressionCause.BOUNCED, "mails to it come back: petra@example.org: user unknown", ""),
        (SuppressionCause.BOUNCED, "550 rejected by 192.0.2.5", "550"),
        (SuppressionCause.BOUNCED, "refused at 5.1.1.9 for petra+news@example.org", ""),
        (
            SuppressionCause.ASKED,
            "phone call of petra@example.org, 3 March",
            "phone call of (an address) 3 March",
        ),
        (SuppressionCause.ASKED, "PETRA@EXAMPLE.ORG", "(an address)"),
        (SuppressionCause.ASKED, "\x1b[2Jasked", "[2Jasked"),
        (SuppressionCause.ASKED, "x" * 5000, "x" * 200),
    ],
)
def test_a_stored_reason_is_a_code_or_a_text_without_addresses(
    installation: Installation, cause: SuppressionCause, text: str, stored: str
):
    with installation.at(MONDAY).writing() as session:
        suppressions.add(session, subscriptions.hash_of(session, PETRA), cause, text, MONDAY)
    assert suppression_of(installation, PETRA).reason == stored


def never_link(installation: Installation, client, email: str = PETRA) -> str:
    sign_up(client, email)
    run_once(installation.at(MONDAY))
    return links_in_mails(installation, Purpose.NEVER)[email]


def test_the_link_never_to_write_again_is_in_both_parts_of_a_confirmation(
    installation: Installation,
):
    with visiting(installation) as client:
        link = never_link(installation, client)
    (mail,) = installation.sink.messages
    assert link in text_of(mail)
    assert f'href="{link}"' in html_of(mail)
    assert "petra" not in link


def test_the_link_never_to_write_again_asks_first_and_acts_by_post_repeatedly(
    any_installation: Installation,
):
    installation = any_installation
    with visiting(installation) as client:
        link = never_link(installation, client)
        page = client.get(link)
        assert page.status_code == 200
        assert "Never write to this address again?" in page.text
        assert client.request("HEAD", link).status_code == 200
        assert suppression_of(installation, PETRA) is None
        answers = {comparable(client.post(link)) for _ in range(3)}
        assert len(answers) == 1
        assert "We will never write to this address again." in answers.pop()[2]
        assert comparable(client.get(link)) == comparable(page)
    assert suppression_of(installation, PETRA).cause is SuppressionCause.NEVER
    with installation.at(MONDAY).reading() as session:
        assert session.query(Subscriber).count() == 0


def test_after_never_no_form_causes_a_mail_until_the_operator_lifts_it(
    any_installation: Installation,
):
    installation = any_installation
    with visiting(installation) as client:
        client.post(never_link(installation, client))
        for number in range(5):
            sign_up(client, PETRA, f"198.51.{number}.7")
            post(client, "/link", email=PETRA)
    later = MONDAY + 400 * DAY
    with visiting(installation, later) as client:
        sign_up(client, PETRA)
        assert mails_to(installation, later) == {PETRA: 1}
        with installation.at(later).writing() as session:
            assert suppressions.lift(session, subscriptions.hash_of(session, PETRA))
        sign_up(client, PETRA)
    assert mails_to(installation, later) == {PETRA: 2}


def test_never_works_after_the_sign_up_was_deleted(installation: Installation):
    with visiting(installation) as client:
        link = never_link(installation, client)
    run_once(installation.at(MONDAY + 3 * DAY))
    with visiting(installation, MONDAY + 30 * DAY) as client:
        assert client.post(link).status_code == 200
    assert suppression_of(installation, PETRA).cause is SuppressionCause.NEVER


def test_never_ends_running_and_waiting_subscriptions_and_records_it(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe(PETRA)
    with installation.at(MONDAY).writing() as session:
        subscription = session.query(Subscription).one()
        key = subscription.subscriber.address_hash
    with visiting(installation) as client:
        client.post(f"/never/{installation.at(MONDAY).links.token(Purpose.NEVER, key, MONDAY)}")
    with installation.at(MONDAY).reading() as session:
        assert session.query(Subscription).one().status is SubscriptionStatus.ENDED
        ledger = session.query(Consent).order_by(Consent.id).all()
        assert [(entry.event, entry.method) for entry in ledger][1:] == [
            (ConsentEvent.WITHDRAWN, "never")
        ]


def test_never_keeps_the_ledger_of_somebody_who_had_confirmed_before_and_was_signed_up_again(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe(PETRA)
    add_second_profile(installation)
    with installation.at(MONDAY).writing() as session:
        subscriptions.unsubscribe(session, PETRA, None, "operator test", MONDAY)
        key = subscriptions.hash_of(session, PETRA)
    installation.subscribe(PETRA, confirmed=False, profile="frexalimab")
    installation.subscribe(PETRA, confirmed=False, profile="tolebrutinib")
    link = f"/never/{installation.at(MONDAY).links.token(Purpose.NEVER, key, MONDAY)}"
    with visiting(installation) as client:
        for _ in range(2):
            assert client.post(link).status_code == 200
    with installation.at(MONDAY).reading() as session:
        left = session.query(Subscription).one()
        assert (left.profile.slug, left.status) == ("frexalimab", SubscriptionStatus.ENDED)
        ledger = session.query(Consent).order_by(Consent.id).all()
        assert [(entry.event, entry.method) for entry in ledger] == [
            (ConsentEvent.GIVEN, "command line"),
            (ConsentEvent.WITHDRAWN, "command line"),
            (ConsentEvent.WITHDRAWN, "never"),
        ]
    assert suppression_of(installation, PETRA).cause is SuppressionCause.NEVER


@pytest.mark.parametrize("other", [purpose for purpose in Purpose if purpose is not Purpose.NEVER])
def test_the_link_never_to_write_again_does_nothing_else(
    installation: Installation, other: Purpose
):
    installation.subscribe("anna@example.org")
    with visiting(installation) as client:
        token = never_link(installation, client).rpartition("/")[2]
        assert client.get(f"/{other}/{token}").status_code == 404
        assert client.post(f"/{other}/{token}").status_code in (404, 405)
        other_token = installation.at(MONDAY).links.token(
            other, subscription_of(installation, "anna@example.org").link_id, MONDAY
        )
        assert client.post(f"/never/{other_token}").status_code == 404
    assert subscription_of(installation, "anna@example.org").status is SubscriptionStatus.CONFIRMED
    assert (
        suppression_of(installation, PETRA)
        is suppression_of(installation, "anna@example.org")
        is None
    )


def test_a_suppressed_address_cannot_subscribe_to_more_on_the_preferences_page(
    installation: Installation,
):
    installation.subscribe(PETRA)
    add_second_profile(installation)
    suppress(installation, PETRA, SuppressionCause.ASKED)
    with visiting(installation) as client:
        answer = post(
            client,
            link_to(installation, Purpose.PREFERENCES, PETRA),
            do="follow",
            profile="tolebrutinib",
            consent="yes",
        )
    assert answer.status_code == 422
    assert "No mail is sent to this address" in answer.text
    assert suppression_of(installation, PETRA).cause is SuppressionCause.ASKED
