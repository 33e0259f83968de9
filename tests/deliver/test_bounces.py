"""Mails that come back: who is gone is written to no more, who is full is waited for, an auto-reply judges nobody."""

import csv
from collections import defaultdict
from datetime import timedelta
from email.message import EmailMessage
from mailbox import Maildir
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.deliver.bounces import mailbox, parser
from notifier.enums import BounceKind, DeliveryStatus, SubscriptionStatus, SuppressionCause
from notifier.pipeline import bounces
from notifier.pipeline.run import run_once
from notifier.store.models import BounceReport, Delivery, Subscriber, Subscription, Suppression
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article
from tests.support.paths import SHARED

TUESDAY = MONDAY + timedelta(days=1)
CORPUS = SHARED / "corpora" / "bounces"


def a_report(
    to: str, status: str, said: str, action: str = "failed", recipient: str = "anna@example.org"
) -> bytes:
    """A delivery status notification (RFC 3464), written by hand."""
    return f"""Return-Path: <>
From: Mail Delivery System <mailer-daemon@mx.example.org>
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I am sorry to inform you that your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {said}

--b--
""".encode()


def a_complaint(to: str) -> bytes:
    """A feedback report (RFC 5965), written by hand."""
    return f"""From: feedback@provider.example.org
To: {to}
Subject: FW: Your digest
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1

--b--
""".encode()


@pytest.fixture
def sent(installation: Installation) -> Installation:
    """Anna and Ben were sent a digest."""
    made = installation
    made.subscribe("anna@example.org")
    made.subscribe("ben@example.org")
    run_once(made.at(MONDAY))
    made.publish([Article("Frexalimab slows lesions")])
    run_once(made.at(TUESDAY))
    assert len(made.sink.messages) == 2
    return made


def envelope(made: Installation, recipient: str = "anna@example.org") -> str:
    return next(sender for sender, to in made.sink.envelopes if to == recipient)


def standing(made: Installation) -> dict[str, SuppressionCause]:
    with made.at(TUESDAY).reading() as session:
        people = {one.address_hash: one.email for one in session.query(Subscriber)}
        return {people[one.address_hash]: one.cause for one in session.query(Suppression)}


def test_each_mail_has_an_envelope_sender_that_says_nothing_of_its_reader(sent: Installation):
    senders = {sender for sender, _ in sent.sink.envelopes}
    assert len(senders) == 2
    for sender in senders:
        assert sender.startswith("bounce+")
        assert sender.endswith("@example.org")
        assert "anna" not in sender
        assert len(sender.partition("@")[0]) <= 64


def test_who_is_gone_is_suppressed_whatever_address_the_report_names(sent: Installation):
    mail = a_report(
        envelope(sent), "5.1.1", "550 5.1.1 user unknown", recipient="someone.else@example.net"
    )
    assert bounces.read(sent.at(TUESDAY), [mail]).suppressed == 1
    assert standing(sent) == {"anna@example.org": SuppressionCause.BOUNCED}
    again = bounces.read(sent.at(TUESDAY), [mail])
    assert (again.known, again.suppressed) == (1, 0)


def test_without_our_word_the_message_id_tells_who_it_is_and_a_named_address_does_not(
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
    assert standing(sent) == {"anna@example.org": SuppressionCause.BOUNCED}


def test_a_forged_word_means_nobody(sent: Installation):
    local, _, domain = envelope(sent).partition("@")
    forged = a_report(f"{local[:-12]}{'a' * 12}@{domain}", "5.1.1", "550 user unknown")
    assert bounces.read(sent.at(TUESDAY), [forged]).suppressed == 0


def test_a_full_mailbox_holds_mails_back_twice_as_long_each_time_and_then_gets_the_digest_again(
    sent: Installation,
):
    made = sent
    full = "552 5.2.2 mailbox full"
    assert bounces.read(made.at(TUESDAY), [a_report(envelope(made), "5.2.2", full)]).held == 1
    assert standing(made) == {}
    run_once(made.at(TUESDAY + timedelta(hours=1)))
    assert len(made.sink.to("anna@example.org")) == 1
    run_once(made.at(TUESDAY + timedelta(hours=2, minutes=1)))
    first, again = made.sink.to("anna@example.org")
    assert first["Message-ID"] == again["Message-ID"]
    later = TUESDAY + timedelta(hours=3)
    bounces.read(made.at(later), [a_report(envelope(made), "5.2.2", f"{full} again")])
    with made.at(later).reading() as session:
        held = session.query(Subscriber).filter_by(email="anna@example.org").one().held_until
    assert held == later + timedelta(hours=4)


def test_what_came_meanwhile_is_in_the_first_digest_after_the_wait(sent: Installation):
    made = sent
    bounces.read(
        made.at(TUESDAY),
        [a_report(envelope(made), "4.2.2", "452 4.2.2 over quota") for _ in range(1)],
    )
    with made.at(TUESDAY).writing() as session:
        session.query(Subscriber).filter_by(email="anna@example.org").one().held_until = (
            TUESDAY + timedelta(days=2)
        )
    made.publish([Article("Frexalimab slows lesions"), Article("Frexalimab again, meanwhile")])
    run_once(made.at(TUESDAY + timedelta(days=1)))
    assert len(made.sink.to("ben@example.org")) == 2
    assert not any("meanwhile" in mail.as_string() for mail in made.sink.to("anna@example.org"))
    run_once(made.at(TUESDAY + timedelta(days=2, minutes=1)))
    assert any("meanwhile" in mail.as_string() for mail in made.sink.to("anna@example.org"))


def test_a_mailbox_that_stays_full_is_given_up_and_a_quiet_week_forgives_one(sent: Installation):
    made, moment = sent, TUESDAY
    for number in range(7):
        bounces.read(
            made.at(moment), [a_report(envelope(made), "5.2.2", f"552 mailbox full {number}")]
        )
        moment += timedelta(days=3)
    assert standing(made) == {}
    moment += timedelta(days=8)
    bounces.read(
        made.at(moment), [a_report(envelope(made), "5.2.2", "552 mailbox full, after a while")]
    )
    assert standing(made) == {}
    bounces.read(
        made.at(moment), [a_report(envelope(made), "5.2.2", "552 mailbox full, once more")]
    )
    assert standing(made) == {"anna@example.org": SuppressionCause.BOUNCED}


def test_a_complaint_ends_everything(sent: Installation):
    done = bounces.read(sent.at(TUESDAY), [a_complaint(envelope(sent))])
    assert (done.suppressed, done.unsubscribed) == (1, 1)
    assert standing(sent) == {"anna@example.org": SuppressionCause.COMPLAINED}


@pytest.mark.parametrize(
    "headers",
    [
        {"Subject": "Out of office: back on Monday", "Auto-Submitted": "auto-replied"},
        {"Subject": "Abwesenheitsnotiz"},
        {"Subject": "Re: Your digest", "X-Autoreply": "yes"},
        {"Subject": "A question about your digest"},
    ],
)
def test_an_answer_changes_nothing(sent: Installation, headers: dict[str, str]):
    mail = EmailMessage()
    mail["From"], mail["To"] = "anna@example.org", envelope(sent)
    for name, value in headers.items():
        mail[name] = value
    mail.set_content("The user unknown to many does not exist in the office. 550 5.1.1")
    done = bounces.read(sent.at(TUESDAY), [mail.as_bytes()])
    assert (done.suppressed, done.held, done.unsubscribed) == (0, 0, 0)


def test_a_delay_is_no_bounce(sent: Installation):
    mail = a_report(envelope(sent), "4.4.1", "connection timed out", action="delayed")
    assert bounces.read(sent.at(TUESDAY), [mail]).kinds == {BounceKind.DELAYED: 1}
    with sent.at(TUESDAY).reading() as session:
        assert {one.status for one in session.query(Delivery)} == {DeliveryStatus.SENT}


def test_a_mail_to_the_address_of_the_header_ends_the_subscription(sent: Installation):
    header = sent.sink.to("anna@example.org")[0]["List-Unsubscribe"]
    subject = header.partition("subject=")[2].partition(">")[0].replace("%20", " ")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "whoever@example.net", "office@example.org", subject
    assert bounces.read(sent.at(TUESDAY), [mail.as_bytes()]).unsubscribed == 1
    with sent.at(TUESDAY).reading() as session:
        ended = [
            one.subscriber.email
            for one in session.query(Subscription)
            if one.status is SubscriptionStatus.ENDED
        ]
    assert ended == ["anna@example.org"]


def test_a_maildir_is_read_once(sent: Installation, tmp_path: Path):
    box = Maildir(tmp_path / "box", create=True)
    box.add(a_report(envelope(sent), "5.1.1", "550 user unknown"))
    assert bounces.read(sent.at(TUESDAY), mailbox.from_maildir(tmp_path / "box")).suppressed == 1
    assert list(mailbox.from_maildir(tmp_path / "box")) == []
    assert len(box) == 1


def test_a_mail_server_can_pipe_a_mail(
    sent: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    import io
    import sys

    from notifier.cli.main import run

    deps = sent.at(TUESDAY)
    config = tmp_path / "notifier.toml"
    keys = {key: getattr(deps.settings, key) for key in ("secret_key", "suppression_key")}
    lines = {"database_url": deps.engine.url, **keys, "public_url": "https://example.org"}
    config.write_text("".join(f'{key} = "{value}"\n' for key, value in lines.items()))
    mail = a_report(envelope(sent), "5.1.1", "550 user unknown")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(mail)))
    monkeypatch.setenv("NOTIFIER_CONFIG", str(config))
    assert run(["bounces", "read", "-", "--now", TUESDAY.isoformat()]) == 0
    assert "Suppressed 1," in capsys.readouterr().out
    assert standing(sent) == {"anna@example.org": SuppressionCause.BOUNCED}


def test_a_report_keeps_no_address(sent: Installation):
    bounces.read(sent.at(TUESDAY), [a_report(envelope(sent), "5.1.1", "550 user unknown")])
    with sent.at(TUESDAY).reading() as session:
        (kept,) = session.query(BounceReport)
        assert (len(kept.hash), kept.kind) == (64, BounceKind.HARD)


@given(st.binary(max_size=400))
def test_any_bytes_are_judged_without_falling(octets: bytes):
    assert parser.read(octets).failures
    assert parser.read(
        b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n" + octets
    ).failures


@pytest.mark.parametrize(
    "said",
    [
        "553 5.3.0 <anna@example.org>... Addressee unknown",
        "L'adresse de messagerie n'existe pas.",
        "Das Postfach existiert nicht.",
        "La cuenta no existe.",
        "Invalid final delivery userid",
    ],
)
def test_who_is_gone_is_understood_in_other_words(said: str):
    mail = f"""From: postmaster@mx.example.org
To: bounce@example.org
Subject: Undeliverable mail

This message could not be delivered to:
anna@example.org
{said}
""".encode()
    (found,) = parser.read(mail).failures
    assert (found.kind, found.recipient) == (BounceKind.HARD, "anna@example.org")


def test_prose_about_two_people_is_read_for_each():
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
    found = {one.recipient: (one.kind, one.status) for one in parser.read(mail).failures}
    assert found == {
        "anna@example.org": (BounceKind.HARD, "5.1.1"),
        "ben@example.org": (BounceKind.SOFT, "5.2.2"),
    }


def rows() -> dict[str, list[dict[str, str]]]:
    found = defaultdict(list)
    with (CORPUS / "expected.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            found[row["file"]].append(row)
    return found


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of bounces is not here")
def test_real_reports_are_judged_as_careful_readers_judge_them():
    wrong, forbidden = [], []
    for file, expected in rows().items():
        failures = parser.read((CORPUS / file).read_bytes()).failures
        for number, row in enumerate(expected):
            named = [
                one
                for one in failures
                if row["recipient"] and one.recipient == row["recipient"].lower()
            ]
            found = (named or failures[number : number + 1] or failures[:1])[0]
            if row["strict"] == "yes" and found.kind != row["kind"]:
                wrong.append(file)
            if "+dsn" in row["oracle"]:
                assert named, f"{file} names {row['recipient']}"
            if row["kind"] not in ("hard", "soft") and found.kind is BounceKind.HARD:
                forbidden.append(file)
    assert wrong == []
    assert forbidden == []
