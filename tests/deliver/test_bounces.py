"""Mails that come back: suppression, holding back, unsubscribing, and automatic replies."""

import csv
import io
import sys
from collections import defaultdict
from datetime import datetime, timedelta
from email.message import EmailMessage
from mailbox import Maildir
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.cli.main import run
from notifier.deliver import alerts
from notifier.deliver.bounces import mailbox, parser
from notifier.enums import (
    BounceKind,
    Cadence,
    DeliveryStatus,
    SubscriptionStatus,
    SuppressionCause,
)
from notifier.pipeline import bounces
from notifier.pipeline.run import run_once
from notifier.store.models import BounceReport, Delivery, Subscriber, Subscription, Suppression
from tests.support.beginnings import send_a_digest
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article
from tests.support.paths import SHARED
from tests.support.reports import a_complaint, a_report, envelope_sender

TUESDAY = MONDAY + timedelta(days=1)
CORPUS = SHARED / "corpora" / "bounces"


@pytest.fixture
def sent(installation: Installation) -> Installation:
    """Anna and Ben were sent a digest."""
    installation.prepare(send_a_digest)
    return installation


def suppressions(installation: Installation) -> dict[str, SuppressionCause]:
    with installation.at(TUESDAY).reading() as session:
        people = {person.address_hash: person.email for person in session.query(Subscriber)}
        return {people[row.address_hash]: row.cause for row in session.query(Suppression)}


def test_each_mail_has_an_envelope_sender_that_says_nothing_of_its_reader(sent: Installation):
    senders = {sender for sender, _ in sent.sink.envelopes}
    assert len(senders) == 2
    for sender in senders:
        assert sender.startswith("bounce+")
        assert sender.endswith("@example.org")
        assert "anna" not in sender
        assert len(sender.partition("@")[0]) <= 64


def test_without_bounce_tags_the_envelope_sender_is_the_plain_address(installation: Installation):
    sender = installation.at(MONDAY).settings.sender
    installation.change(sender=sender.model_copy(update={"bounce_tags": False}))
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    run_once(installation.at(TUESDAY))
    assert installation.sink.envelopes == [("bounce@example.org", "anna@example.org")]


def test_a_hard_report_suppresses_the_recipient_of_the_delivery_whatever_address_it_names(
    sent: Installation,
):
    mail = a_report(
        envelope_sender(sent),
        "5.1.1",
        "550 5.1.1 user unknown",
        recipient="someone.else@example.net",
    )
    assert bounces.read(sent.at(TUESDAY), [mail]).suppressed == 1
    assert suppressions(sent) == {"anna@example.org": SuppressionCause.BOUNCED}
    again = bounces.read(sent.at(TUESDAY), [mail])
    assert (again.known, again.suppressed) == (1, 0)


def test_without_our_token_only_the_message_id_identifies_the_recipient(
    sent: Installation,
):
    plain = a_report("bounce@example.org", "5.1.1", "550 no such user", recipient="Ben@Example.org")
    done = bounces.read(sent.at(TUESDAY), [plain])
    assert (done.suppressed, done.kinds) == (0, {BounceKind.UNPROVEN: 1})
    with sent.at(TUESDAY).reading() as session:
        anna = session.query(Delivery).order_by(Delivery.id).first().message_id
    returned = a_report(
        "bounce@example.org", "5.1.1", "550 no such user", recipient="x@example.net"
    )
    returned += f"\nMessage-ID: {anna}\n".encode()
    assert bounces.read(sent.at(TUESDAY), [returned]).suppressed == 1
    assert suppressions(sent) == {"anna@example.org": SuppressionCause.BOUNCED}


def test_a_forged_token_identifies_nobody(sent: Installation):
    local, _, domain = envelope_sender(sent).partition("@")
    forged = a_report(f"{local[:-12]}{'a' * 12}@{domain}", "5.1.1", "550 user unknown")
    summary = bounces.read(sent.at(TUESDAY), [forged])
    assert summary.kinds == {BounceKind.UNPROVEN: 1}
    assert (summary.suppressed, summary.held) == (0, 0)
    assert suppressions(sent) == {}


def test_a_full_mailbox_holds_mails_back_twice_as_long_each_time_and_then_gets_the_digest_again(
    sent: Installation,
):
    full = "552 5.2.2 mailbox full"
    assert (
        bounces.read(sent.at(TUESDAY), [a_report(envelope_sender(sent), "5.2.2", full)]).held == 1
    )
    assert suppressions(sent) == {}
    run_once(sent.at(TUESDAY + timedelta(hours=1)))
    assert len(sent.sink.to("anna@example.org")) == 1
    run_once(sent.at(TUESDAY + timedelta(hours=2, minutes=1)))
    first, again = sent.sink.to("anna@example.org")
    assert first["Message-ID"] == again["Message-ID"]
    later = TUESDAY + timedelta(hours=3)
    bounces.read(sent.at(later), [a_report(envelope_sender(sent), "5.2.2", f"{full} again")])
    with sent.at(later).reading() as session:
        held = session.query(Subscriber).filter_by(email="anna@example.org").one().held_until
    assert held == later + timedelta(hours=4)


@pytest.mark.parametrize(
    ("status", "diagnostic"),
    [
        ("4.4.1", "connect to mx.people.test[192.0.2.9]:25: Connection timed out"),
        ("4.4.7", "550 4.4.7 QUEUE.Expired; message expired"),
        ("5.4.6", "554 5.4.6 too many hops, this message is looping"),
    ],
)
def test_a_readers_server_that_was_not_reached_for_days_is_the_readers_matter_alone(
    sent: Installation, status: str, diagnostic: str
):
    report = a_report(envelope_sender(sent), status, diagnostic)
    assert bounces.read(sent.at(TUESDAY), [report]).held == 1
    with sent.at(TUESDAY).reading() as session:
        assert alerts.refused_for_us(session) is None
    run_once(sent.at(TUESDAY + timedelta(hours=2, minutes=1)))
    assert len(sent.sink.to("anna@example.org")) == 2


def test_news_during_a_hold_is_in_the_first_digest_after_it(sent: Installation):
    bounces.read(
        sent.at(TUESDAY),
        [a_report(envelope_sender(sent), "4.2.2", "452 4.2.2 over quota")],
    )
    with sent.at(TUESDAY).writing() as session:
        session.query(Subscriber).filter_by(email="anna@example.org").one().held_until = (
            TUESDAY + timedelta(days=2)
        )
    sent.publish([Article("Frexalimab slows lesions"), Article("Frexalimab again, meanwhile")])
    run_once(sent.at(TUESDAY + timedelta(days=1)))
    assert len(sent.sink.to("ben@example.org")) == 2
    assert not any("meanwhile" in mail.as_string() for mail in sent.sink.to("anna@example.org"))
    run_once(sent.at(TUESDAY + timedelta(days=2, minutes=1)))
    assert any("meanwhile" in mail.as_string() for mail in sent.sink.to("anna@example.org"))


def test_the_eighth_full_mailbox_suppresses_and_a_week_without_one_is_forgotten(sent: Installation):
    def returned(number: int, moment: datetime) -> None:
        report = a_report(envelope_sender(sent), "5.2.2", f"552 mailbox full {number}")
        bounces.read(sent.at(moment), [report])

    moment = TUESDAY
    for number in range(7):
        returned(number, moment)
        moment += timedelta(days=3)
    assert suppressions(sent) == {}
    moment += timedelta(days=8)
    returned(7, moment)
    assert suppressions(sent) == {}
    returned(8, moment + timedelta(hours=1))
    assert suppressions(sent) == {"anna@example.org": SuppressionCause.BOUNCED}


def soft_bounces(installation: Installation) -> int:
    with installation.at(TUESDAY).reading() as session:
        return session.query(Subscriber).filter_by(email="anna@example.org").one().soft_bounces


def send_nine_digests(installation: Installation) -> None:
    """Send Anna a digest on each of nine days."""
    installation.subscribe("anna@example.org", every=Cadence.DAILY)
    run_once(installation.at(MONDAY))
    for day in range(1, 10):
        installation.publish([Article(f"Frexalimab: news of day {n}") for n in range(day)])
        run_once(installation.at(MONDAY + timedelta(days=day)))


@pytest.fixture
def daily(installation: Installation) -> list[str]:
    """Anna got a digest on each of nine days; the envelope senders, oldest first."""
    installation.prepare(send_nine_digests)
    senders = [sender for sender, to in installation.sink.envelopes if to == "anna@example.org"]
    assert len(senders) == 9
    return senders


NINTH = MONDAY + timedelta(days=9)


@pytest.mark.parametrize(
    ("status", "diagnostic"),
    [
        ("4.2.2", "452 4.2.2 mailbox full"),
        pytest.param("4.4.1", "timed out", marks=pytest.mark.long),
    ],
)
def test_mails_that_were_under_way_together_are_one_full_mailbox_however_they_come_back(
    installation: Installation, daily: list[str], status: str, diagnostic: str
):
    for number, sender in enumerate(daily):
        came_at = NINTH + timedelta(hours=5 * (number + 1))
        report = a_report(sender, status, f"{diagnostic} ({number})")
        assert bounces.read(installation.at(came_at), [report]).held == 1
    assert soft_bounces(installation) == 2  # the last one is the newest mail: that may be tried
    assert suppressions(installation) == {}


def test_mails_that_were_sent_after_the_last_return_count_each(
    installation: Installation, daily: list[str]
):
    moment = NINTH + timedelta(hours=1)
    for number in range(8):
        sender = daily[-1]
        report = a_report(sender, "5.2.2", f"552 5.2.2 mailbox full ({number})")
        bounces.read(installation.at(moment), [report])
        assert soft_bounces(installation) == number + 1
        run_once(installation.at(moment + timedelta(hours=65)))
        moment += timedelta(hours=66)
    assert suppressions(installation) == {"anna@example.org": SuppressionCause.BOUNCED}


def test_a_complaint_suppresses_and_ends_the_subscription(sent: Installation):
    done = bounces.read(sent.at(TUESDAY), [a_complaint(envelope_sender(sent))])
    assert (done.suppressed, done.unsubscribed) == (1, 1)
    assert suppressions(sent) == {"anna@example.org": SuppressionCause.COMPLAINED}


@pytest.mark.parametrize(
    "headers",
    [
        {"Subject": "Out of office: back on Monday", "Auto-Submitted": "auto-replied"},
        {"Subject": "Abwesenheitsnotiz"},
        {"Subject": "Re: Your digest", "X-Autoreply": "yes"},
        {"Subject": "A question about your digest"},
    ],
)
def test_a_reply_or_an_automatic_reply_changes_nothing(sent: Installation, headers: dict[str, str]):
    mail = EmailMessage()
    mail["From"], mail["To"] = "anna@example.org", envelope_sender(sent)
    for name, value in headers.items():
        mail[name] = value
    mail.set_content("The user unknown to many does not exist in the office. 550 5.1.1")
    done = bounces.read(sent.at(TUESDAY), [mail.as_bytes()])
    assert (done.suppressed, done.held, done.unsubscribed) == (0, 0, 0)


def test_a_delayed_mail_is_not_a_bounce(sent: Installation):
    mail = a_report(envelope_sender(sent), "4.4.1", "connection timed out", action="delayed")
    assert bounces.read(sent.at(TUESDAY), [mail]).kinds == {BounceKind.DELAYED: 1}
    with sent.at(TUESDAY).reading() as session:
        assert {delivery.status for delivery in session.query(Delivery)} == {DeliveryStatus.SENT}


def test_a_mail_to_the_address_in_list_unsubscribe_ends_the_subscription(sent: Installation):
    header = sent.sink.to("anna@example.org")[0]["List-Unsubscribe"]
    subject = header.partition("subject=")[2].partition(">")[0].replace("%20", " ")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "whoever@example.net", "office@example.org", subject
    assert bounces.read(sent.at(TUESDAY), [mail.as_bytes()]).unsubscribed == 1
    with sent.at(TUESDAY).reading() as session:
        ended = [
            subscription.subscriber.email
            for subscription in session.query(Subscription)
            if subscription.status is SubscriptionStatus.ENDED
        ]
    assert ended == ["anna@example.org"]


def test_a_maildir_is_read_once(sent: Installation, tmp_path: Path):
    box = Maildir(tmp_path / "box", create=True)
    box.add(a_report(envelope_sender(sent), "5.1.1", "550 user unknown"))
    assert bounces.read(sent.at(TUESDAY), mailbox.from_maildir(tmp_path / "box")).suppressed == 1
    assert list(mailbox.from_maildir(tmp_path / "box")) == []
    assert len(box) == 1


def test_a_mail_server_can_pipe_a_mail(
    sent: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):

    deps = sent.at(TUESDAY)
    config = tmp_path / "notifier.toml"
    keys = {key: getattr(deps.settings, key) for key in ("secret_key", "suppression_key")}
    lines = {"database_url": deps.engine.url, **keys, "public_url": "https://example.org"}
    config.write_text("".join(f'{key} = "{value}"\n' for key, value in lines.items()))
    mail = a_report(envelope_sender(sent), "5.1.1", "550 user unknown")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(mail)))
    monkeypatch.setenv("NOTIFIER_CONFIG", str(config))
    assert run(["bounces", "read", "-", "--now", TUESDAY.isoformat()]) == 0
    assert "Suppressed 1," in capsys.readouterr().out
    assert suppressions(sent) == {"anna@example.org": SuppressionCause.BOUNCED}


def test_no_address_of_a_report_is_stored(sent: Installation):
    bounces.read(sent.at(TUESDAY), [a_report(envelope_sender(sent), "5.1.1", "550 user unknown")])
    with sent.at(TUESDAY).reading() as session:
        (kept,) = session.query(BounceReport)
        assert (len(kept.hash), kept.kind) == (64, BounceKind.HARD)


@given(st.binary(max_size=400))
def test_any_bytes_can_be_parsed(octets: bytes):
    assert parser.read(octets).failures
    assert parser.read(
        b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n" + octets
    ).failures


@pytest.mark.parametrize(
    "text",
    [
        "553 5.3.0 <anna@example.org>... Addressee unknown",
        "L'adresse de messagerie n'existe pas.",
        "Das Postfach existiert nicht.",
        "La cuenta no existe.",
        "Invalid final delivery userid",
    ],
)
def test_a_missing_mailbox_is_recognised_in_other_phrasings(text: str):
    mail = f"""From: postmaster@mx.example.org
To: bounce@example.org
Subject: Undeliverable mail

This message could not be delivered to:
anna@example.org
{text}
""".encode()
    (failure,) = parser.read(mail).failures
    assert (failure.kind, failure.recipient) == (BounceKind.HARD, "anna@example.org")


def test_prose_about_two_recipients_is_judged_for_each():
    mail = b"""From: MAILER-DAEMON@mx.example.org
To: bounce@example.org
Subject: Mail delivery failed: returning message to sender

One address failed for good, one may work later.

"anna@example.org":
SMTP error from remote server after RCPT command:
5.1.1 <anna@example.org>... User Unknown
"ben@example.org":
SMTP error from remote server after RCPT command:
5.2.2 <ben@example.org>... Mailbox Full
"""
    failures = parser.read(mail).failures
    assert {failure.recipient: (failure.kind, failure.status) for failure in failures} == {
        "anna@example.org": (BounceKind.HARD, "5.1.1"),
        "ben@example.org": (BounceKind.SOFT, "5.2.2"),
    }


def rows() -> dict[str, list[dict[str, str]]]:
    by_file = defaultdict(list)
    with (CORPUS / "expected.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            by_file[row["file"]].append(row)
    return by_file


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of bounces is not here")
def test_real_reports_get_the_verdict_of_the_corpus():
    wrong, forbidden = [], []
    for file, expected in rows().items():
        failures = parser.read((CORPUS / file).read_bytes()).failures
        for number, row in enumerate(expected):
            named = [
                failure
                for failure in failures
                if row["recipient"] and failure.recipient == row["recipient"].lower()
            ]
            failure = (named or failures[number : number + 1] or failures[:1])[0]
            if row["strict"] == "yes" and failure.kind != row["kind"]:
                wrong.append(file)
            if "+dsn" in row["oracle"]:
                assert named, f"{file} names {row['recipient']}"
            if row["kind"] not in ("hard", "soft") and failure.kind is BounceKind.HARD:
                forbidden.append(file)
    assert wrong == []
    assert forbidden == []
