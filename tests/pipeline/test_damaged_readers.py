"""A row that cannot be read keeps nobody from leaving by mail, nor an address from its end."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from notifier.enums import BounceKind, ConsentEvent, DeliveryStatus
from notifier.pipeline import bounces, compose, deliver
from notifier.store.models import Consent, Delivery
from tests.cli.test_damaged_rows import DAMAGED as OF_ANY_KIND
from tests.support.beginnings import ANNA, BEN, send_a_digest
from tests.support.forms import add_second_profile
from tests.support.installation import MONDAY, Installation
from tests.support.reports import (
    GONE,
    a_complaint,
    a_report,
    an_unsubscribe_mail,
    envelope_sender,
)
from tests.support.returned_mails import mail

TUESDAY = MONDAY + timedelta(days=1)

DAMAGED = {
    **{name: statement for name, statement in OF_ANY_KIND.items() if name != "address"},
    "last sign-up": "UPDATE subscription SET asked_at='xyz'",
    "renewal": "UPDATE subscription SET renewed_at='xyz'",
    "first sign-up": "UPDATE subscription SET created_at='xyz'",
    "last mail": "UPDATE subscription SET heard_at='xyz'",
    "change of address": "UPDATE subscriber SET moved_at='xyz'",
    "last bounce": "UPDATE subscriber SET bounced_at='xyz', soft_bounces='many'",
    "pause after a bounce": "UPDATE subscriber SET held_until='xyz'",
}


def run_sql(installation: Installation, statement: str) -> list[tuple]:
    with installation.at(TUESDAY).writing() as session:
        result = session.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []


def damage(installation: Installation, statement: str) -> None:
    """Damage Anna's row, who subscribed first."""
    run_sql(installation, f"{statement} WHERE id=1")


def statuses(installation: Installation) -> list[str]:
    """Return the status of each subscription, in the order of the sign-ups."""
    return [row[0] for row in run_sql(installation, "SELECT status FROM subscription ORDER BY id")]


def withdrawals(installation: Installation) -> list[tuple[int, str, str]]:
    with installation.at(TUESDAY).reading() as session:
        ended = session.query(Consent).where(Consent.event == ConsentEvent.WITHDRAWN)
        return [(each.subscription_id, each.method, each.attested_by) for each in ended]


@pytest.fixture
def sent(installation: Installation) -> Installation:
    """Anna and Ben were sent a digest."""
    installation.prepare(send_a_digest)
    return installation


def by_token(sent: Installation) -> bytes:
    ((token,),) = run_sql(sent, "SELECT link_id FROM subscription WHERE id=1")
    return an_unsubscribe_mail(f"unsubscribe {token}")


def by_retired_token(sent: Installation) -> bytes:
    token = "r" * 22
    columns = "(link_id, subscription_id, retired_at)"
    run_sql(sent, f"INSERT INTO retired_link {columns} VALUES ('{token}', 1, '{TUESDAY}')")
    return an_unsubscribe_mail(f"unsubscribe {token}")


def by_answer(sent: Installation) -> bytes:
    fields = (f"In-Reply-To: {sent.sink.to(ANNA)[0]['Message-ID']}",)
    return mail("unsubscribe", subject="Re: News", sender=ANNA, fields=fields, return_path="")


@pytest.mark.parametrize("wish", [by_token, by_retired_token, by_answer])
@pytest.mark.parametrize("statement", DAMAGED.values(), ids=DAMAGED)
def test_whoever_wants_to_leave_by_mail_can(
    sent: Installation, wish: Callable[[Installation], bytes], statement: str
):
    damage(sent, statement)
    wishes = wish(sent)
    done = bounces.read(sent.at(TUESDAY), [wishes, wishes])
    assert (done.kinds, done.unsubscribed) == ({BounceKind.UNSUBSCRIBE: 1}, 1)
    assert statuses(sent) == ["ended", "confirmed"]
    assert withdrawals(sent) == [(1, "mail", "subscriber")]
    assert suppressed(sent) == []


@pytest.mark.parametrize("statement", DAMAGED.values(), ids=DAMAGED)
def test_a_complaint_suppresses_the_address_and_ends_all_of_the_person(
    sent: Installation, statement: str
):
    add_second_profile(sent)
    sent.subscribe(ANNA, profile="tolebrutinib")
    damage(sent, statement)
    done = bounces.read(sent.at(TUESDAY), [a_complaint(envelope_sender(sent))])
    assert (done.kinds, done.suppressed, done.unsubscribed) == ({BounceKind.COMPLAINT: 1}, 1, 2)
    assert statuses(sent) == ["ended", "confirmed", "ended"]
    assert sorted(withdrawals(sent)) == [
        (1, "complaint", "mail provider"),
        (3, "complaint", "mail provider"),
    ]
    assert suppressed(sent) == [("complained",)]


@pytest.mark.parametrize("statement", DAMAGED.values(), ids=DAMAGED)
def test_a_report_that_the_address_is_gone_suppresses_it(sent: Installation, statement: str):
    damage(sent, statement)
    done = bounces.read(sent.at(TUESDAY), [a_report(envelope_sender(sent), *GONE)])
    assert (done.kinds, done.suppressed) == ({BounceKind.HARD: 1}, 1)
    assert suppressed(sent) == [("bounced",)]


@pytest.mark.parametrize("statement", DAMAGED.values(), ids=DAMAGED)
def test_a_report_that_the_mailbox_is_full_holds_mails_back(sent: Installation, statement: str):
    damage(sent, statement)
    full = a_report(envelope_sender(sent), "5.2.2", "552 5.2.2 mailbox full")
    assert bounces.read(sent.at(TUESDAY), [full]).held == 1
    ((number, held_until),) = run_sql(
        sent, "SELECT soft_bounces, held_until FROM subscriber WHERE id=1"
    )
    assert (number, held_until[:13]) == (1, "2026-03-03 11")


def suppressed(installation: Installation) -> list[tuple]:
    """Return the causes of Anna's suppression; nobody else's address is suppressed."""
    return run_sql(
        installation,
        "SELECT cause FROM suppression LEFT JOIN subscriber"
        f" ON suppression.address_hash = subscriber.address_hash AND email = '{ANNA}'",
    )


@pytest.mark.parametrize(
    "kind",
    ["last sign-up", "renewal", "first sign-up", "creation", "change of address", "last bounce"],
)
def test_a_refusal_of_a_reader_whose_row_is_damaged_is_stored_and_suppresses(
    installation: Installation, kind: str
):
    due = installation.discover(2)
    compose.run(installation.at(due))
    damage(installation, DAMAGED[kind])
    installation.sink.refuse_recipient["person0@example.org"] = "550 5.1.1 no such user"
    deliver.run(installation.at(due))
    with installation.at(due).reading() as session:
        refused, accepted = session.query(Delivery).order_by(Delivery.subscription_id)
    assert (refused.status, refused.ended_because) == (DeliveryStatus.FAILED, "suppressed")
    assert accepted.status is DeliveryStatus.SENT
    assert run_sql(installation, "SELECT cause FROM suppression") == [("bounced",)]


@pytest.mark.parametrize("wish", [by_token, by_answer])
def test_an_unknown_word_is_no_hindrance_on_any_database(
    any_installation: Installation, wish: Callable[[Installation], bytes]
):
    any_installation.prepare(send_a_digest)
    damage(any_installation, DAMAGED["cadence"])
    done = bounces.read(any_installation.at(TUESDAY), [wish(any_installation)])
    assert done.unsubscribed == 1
    assert statuses(any_installation) == ["ended", "confirmed"]
    complaint = a_complaint(envelope_sender(any_installation, BEN))
    damage(any_installation, "UPDATE subscription SET edition='robot'")
    assert bounces.read(any_installation.at(TUESDAY), [complaint]).unsubscribed == 1
