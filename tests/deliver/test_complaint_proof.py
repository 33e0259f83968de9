"""Complaints and wishes to leave end the mails of whoever holds our link, and of nobody else."""

from datetime import timedelta

import pytest

from notifier.enums import BounceKind, SubscriptionStatus, SuppressionCause
from notifier.pipeline import bounces
from notifier.pipeline.run import run_once
from notifier.settings import Operator
from notifier.store.models import (
    Delivery,
    Notice,
    RetiredLink,
    Subscriber,
    Subscription,
    Suppression,
)
from tests.support.beginnings import send_a_digest
from tests.support.installation import MONDAY, Installation
from tests.support.reports import GONE, a_report, envelope_sender, suppressed_addresses
from tests.support.returned_mails import complaint, mail

pytestmark = pytest.mark.postgresql_long

TUESDAY = MONDAY + timedelta(days=1)
ANNA, BEN = "anna@example.org", "ben@example.org"


@pytest.fixture
def sent(any_installation: Installation) -> Installation:
    """Anna and Ben were sent a digest, on each kind of database."""
    any_installation.prepare(send_a_digest)
    return any_installation


def leave_header(installation: Installation, person: str = ANNA) -> str:
    return installation.sink.to(person)[0]["List-Unsubscribe"]


def redacted(header: str) -> bytes:
    """A complaint in which everything but one header field is blacked out."""
    return complaint(
        "Feedback-Type: abuse\nOriginal-Rcpt-To: redacted",
        f"To: redacted\nMessage-ID: redacted\nList-Unsubscribe: {header}\n\nredacted",
    )


def token(installation: Installation, person: str = ANNA) -> str:
    return leave_header(installation, person).partition("unsubscribe%20")[2].rstrip(">")


def ended(installation: Installation) -> set[str]:
    with installation.at(TUESDAY).reading() as session:
        rows = session.query(Subscription).filter_by(status=SubscriptionStatus.ENDED)
        return {subscription.subscriber.email for subscription in rows}


def test_a_complaint_is_proven_by_our_link_to_leave(sent: Installation):
    done = bounces.read(sent.at(TUESDAY), [redacted(leave_header(sent))])
    assert (done.suppressed, done.unsubscribed) == (1, 1)
    assert suppressed_addresses(sent) == ended(sent) == {ANNA}
    with sent.at(TUESDAY).reading() as session:
        assert session.query(Suppression).one().cause is SuppressionCause.COMPLAINED


@pytest.mark.parametrize("kept", [0, 1])
def test_one_of_the_two_ways_to_leave_is_enough(sent: Installation, kept: int):
    ways = leave_header(sent).replace("\r\n", "").split(",")
    bounces.read(sent.at(TUESDAY), [redacted(ways[kept])])
    assert ended(sent) == {ANNA}


def test_a_complaint_with_the_links_of_two_people_proves_nothing(sent: Installation):
    both = f"{leave_header(sent)}, {leave_header(sent, BEN)}"
    done = bounces.read(sent.at(TUESDAY), [redacted(both)])
    assert done.kinds == {BounceKind.UNPROVEN_COMPLAINT: 1}
    assert ended(sent) == set()


def test_a_link_with_a_wrong_signature_proves_nothing(sent: Installation):
    link = leave_header(sent).partition(">")[0]
    done = bounces.read(sent.at(TUESDAY), [redacted(f"{link[:-3]}xyz>")])
    assert done.kinds == {BounceKind.UNPROVEN_COMPLAINT: 1}
    assert ended(sent) == suppressed_addresses(sent) == set()


def test_a_link_to_leave_proves_no_report_of_failure(sent: Installation):
    report = a_report("bounce@example.org", *GONE) + f"\n{leave_header(sent)}\n".encode()
    assert bounces.read(sent.at(TUESDAY), [report]).kinds == {BounceKind.UNPROVEN: 1}
    assert suppressed_addresses(sent) == set()


def test_a_link_from_before_a_change_of_address_says_nothing_about_the_new_one(
    sent: Installation,
):
    old = leave_header(sent)
    with sent.at(TUESDAY).writing() as session:
        anna = session.query(Subscription).filter(Subscription.link_id == token(sent)).one()
        session.add(RetiredLink(link_id=anna.link_id, subscription_id=anna.id, retired_at=TUESDAY))
        anna.link_id = "n" * 22
    done = bounces.read(sent.at(TUESDAY), [redacted(old)])
    assert done.kinds == {BounceKind.UNPROVEN_COMPLAINT: 1}
    assert suppressed_addresses(sent) == set()


def test_a_verdict_counts_only_for_the_address_that_the_mail_went_to(sent: Installation):
    with sent.at(TUESDAY).writing() as session:
        for delivery in session.query(Delivery):
            delivery.address_hash = "of another address"
    mails = [a_report(envelope_sender(sent), *GONE), redacted(leave_header(sent))]
    done = bounces.read(sent.at(TUESDAY), mails)
    assert (done.suppressed, done.unsubscribed) == (0, 0)


def test_an_old_complaint_proves_nothing(sent: Installation):
    done = bounces.read(sent.at(TUESDAY + timedelta(days=40)), [redacted(leave_header(sent))])
    assert done.kinds == {BounceKind.UNPROVEN_COMPLAINT: 1}


def test_the_operator_is_told_of_complaints_that_name_nobody_once_a_day(sent: Installation):
    sent.change(operator=Operator(address="operator@example.org"))
    for number in range(3):
        unknown = complaint(f"Feedback-Type: abuse\nSource-IP: 192.0.2.{number}")
        bounces.read(sent.at(TUESDAY + timedelta(hours=number)), [unknown])
    with sent.at(TUESDAY).reading() as session:
        (notice,) = session.query(Notice).filter(Notice.subject.contains("name nobody"))
    assert "1 since the last such mail" in notice.text
    assert "notifier unsubscribe ADDRESS" in notice.text
    later = complaint("Feedback-Type: abuse\nSource-IP: 192.0.2.9")
    bounces.read(sent.at(TUESDAY + timedelta(hours=25)), [later])
    with sent.at(TUESDAY).reading() as session:
        notices = session.query(Notice).filter(Notice.subject.contains("name nobody"))
        assert "3 since the last such mail" in max(notices, key=lambda each: each.id).text


@pytest.mark.parametrize(
    "subject",
    [
        "Re: unsubscribe {}",
        "[EXTERN] unsubscribe {}",
        "***SPAM*** unsubscribe {}",
        "unsubscribe%20{}",
        "UNSUBSCRIBE   {}",
    ],
)
def test_a_wish_to_leave_ends_one_subscription_in_whatever_dress(sent: Installation, subject: str):
    wish = mail("", subject=subject.format(token(sent)), sender="whoever@example.net")
    assert bounces.read(sent.at(TUESDAY), [wish]).unsubscribed == 1
    assert ended(sent) == {ANNA}
    assert suppressed_addresses(sent) == set()


@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_a_wish_to_leave_counts_where_a_program_changed_the_case(sent: Installation, case):
    wish = mail("", subject=case(f"unsubscribe {token(sent)}"), sender="whoever@example.net")
    assert bounces.read(sent.at(TUESDAY), [wish]).unsubscribed == 1
    assert ended(sent) == {ANNA}


def test_a_wish_to_leave_without_a_known_token_is_told_to_the_operator(sent: Installation):
    sent.change(operator=Operator(address="operator@example.org"))
    wish = mail("", subject="unsubscribe " + "x" * 22, sender="whoever@example.net")
    done = bounces.read(sent.at(TUESDAY), [wish])
    assert done.kinds == {BounceKind.UNPROVEN_COMPLAINT: 1}
    assert ended(sent) == set()
    with sent.at(TUESDAY).reading() as session:
        assert session.query(Notice).filter(Notice.subject.contains("name nobody")).count() == 1


def answer(sent: Installation, sender: str, field: str = "In-Reply-To") -> bytes:
    """An answer to Anna's digest that says nothing but "unsubscribe"."""
    mail_id = sent.sink.to(ANNA)[0]["Message-ID"]
    fields = (f"{field}: {mail_id}",)
    words = "unsubscribe\n\n> The news"
    return mail(words, subject="Re: News", sender=sender, fields=fields, return_path="")


@pytest.mark.parametrize("field", ["In-Reply-To", "References"])
@pytest.mark.parametrize("sender", [ANNA, f"Anna A. <{ANNA.upper()}>", f'"{BEN}" <{ANNA}>'])
def test_a_reader_who_answers_a_digest_with_a_wish_to_leave_leaves(
    sent: Installation, sender: str, field: str
):
    assert bounces.read(sent.at(TUESDAY), [answer(sent, sender, field)]).unsubscribed == 1
    assert ended(sent) == {ANNA}
    assert suppressed_addresses(sent) == set()


@pytest.mark.parametrize(
    "sender",
    [
        *(BEN, "whoever@example.net", "no address", f'"{ANNA}" <{BEN}>', f"{ANNA} <{BEN}>"),
        *(f"{ANNA}, {BEN}", f"{ANNA}\nFrom: {BEN}", f"Friends: {ANNA};", f"{BEN} ({ANNA})"),
    ],
)
def test_nobody_ends_another_readers_subscription_by_an_answer(sent: Installation, sender: str):
    sent.change(operator=Operator(address="operator@example.org"))
    done = bounces.read(sent.at(TUESDAY), [answer(sent, sender)])
    assert done.kinds == {BounceKind.UNPROVEN_COMPLAINT: 1}
    assert ended(sent) == set()
    with sent.at(TUESDAY).reading() as session:
        assert session.query(Notice).filter(Notice.subject.contains("name nobody")).count() == 1


def test_a_wish_to_leave_that_answers_no_mail_of_ours_is_told_to_the_operator(sent: Installation):
    wish = mail("Please!", subject="Unsubscribe", sender=ANNA, return_path=f"<{ANNA}>")
    assert bounces.read(sent.at(TUESDAY), [wish]).kinds == {BounceKind.UNPROVEN_COMPLAINT: 1}
    assert ended(sent) == set()


def test_a_warning_about_a_full_mailbox_sends_nothing_again(sent: Installation):
    warning = mail(
        "THIS IS A WARNING MESSAGE ONLY.\nMessage will be retried for 2 more days\n450 4.2.2 full\n"
    ).replace(b"bounce+abc@example.org", envelope_sender(sent).encode())
    done = bounces.read(sent.at(TUESDAY), [warning])
    assert (done.kinds, done.held) == ({BounceKind.DELAYED: 1}, 0)
    with sent.at(TUESDAY).reading() as session:
        assert session.query(Subscriber).filter(Subscriber.held_until.is_not(None)).count() == 0
    run_once(sent.at(TUESDAY + timedelta(hours=5)))
    assert len(sent.sink.to(ANNA)) == 1
