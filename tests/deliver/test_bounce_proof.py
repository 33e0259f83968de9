"""Proof: only a report that identifies a mail that we sent lately has consequences."""

import base64
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from alembic import command
from sqlalchemy import Engine, text

from notifier.deliver.bounces import parser, reports
from notifier.deliver.outbox import new_message_id
from notifier.enums import (
    BounceKind,
    DeliveryKind,
    DeliveryStatus,
    SubscriptionStatus,
    SuppressionCause,
)
from notifier.links import TOKEN_LENGTH, Links
from notifier.pipeline import bounces, deliver, housekeeping
from notifier.pipeline.run import run_once
from notifier.settings import Operator, Settings
from notifier.store import db
from notifier.store.models import (
    BounceReport,
    Delivery,
    Notice,
    RetiredLink,
    Subscriber,
    Subscription,
    Suppression,
)
from tests.support.beginnings import send_a_digest
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article
from tests.support.reports import (
    GONE,
    a_complaint,
    a_report,
    an_unsubscribe_mail,
    envelope_sender,
    suppressed_addresses,
)

pytestmark = pytest.mark.postgresql_long

TUESDAY = MONDAY + timedelta(days=1)
PLAIN = "bounce@example.org"


def owe_a_digest(installation: Installation, *people: str) -> None:
    for person in people:
        installation.subscribe(person)
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    run_once(installation.at(TUESDAY))


@pytest.fixture
def sent(any_installation: Installation) -> Installation:
    """Anna and Ben were sent a digest, on each kind of database."""
    any_installation.prepare(send_a_digest)
    return any_installation


def message_id(installation: Installation, recipient: str = "anna@example.org") -> str:
    return installation.sink.to(recipient)[0]["Message-ID"]


def ended(installation: Installation) -> set[str]:
    with installation.at(TUESDAY).reading() as session:
        rows = session.query(Subscription).filter_by(status=SubscriptionStatus.ENDED)
        return {subscription.subscriber.email for subscription in rows}


def untouched(installation: Installation) -> bool:
    """Return whether nobody was suppressed, unsubscribed or held back."""
    with installation.at(TUESDAY).reading() as session:
        held = session.query(Subscriber).filter(Subscriber.held_until.is_not(None)).count()
    return not suppressed_addresses(installation) and not ended(installation) and held == 0


def change_delivery(installation: Installation, **values: object) -> None:
    with installation.at(TUESDAY).writing() as session:
        session.query(Delivery).filter_by(message_id=message_id(installation)).update(values)


def a_returned_mail(to: str, fields: str) -> bytes:
    """A report with the fields of the mail that it returns (RFC 3462)."""
    returned = f"--b\nContent-Type: text/rfc822-headers\n\n{fields}\n\n--b--\n".encode()
    return a_report(to, *GONE).replace(b"--b--\n", returned)


def exim(recipient: str) -> bytes:
    return f"""From: Mail Delivery System <Mailer-Daemon@mx.example.org>
To: {PLAIN}
X-Failed-Recipients: {recipient}
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.
A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {recipient}
    host mx.example.org [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<{recipient}>:
    550 5.1.1 user unknown
""".encode()


def qmail(recipient: str) -> bytes:
    return f"""From: MAILER-DAEMON@mx.example.org
To: {PLAIN}
Subject: failure notice

Hi. This is the qmail-send program at mx.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{recipient}>:
550 5.1.1 no such user
""".encode()


def prose(recipient: str) -> bytes:
    return (
        f"From: postmaster@mx.example.org\nTo: {PLAIN}\nSubject: Undeliverable\n\n"
        f"{recipient}\nuser unknown\n"
    ).encode()


def amazon(kind: str) -> Callable[[str], bytes]:
    notification = '{"notificationType": "%s", "bounceType": "Permanent", "emailAddress": "%s"}'
    return lambda recipient: (
        f"From: ses@example.com\nTo: {PLAIN}\n\n{notification % (kind, recipient)}\n".encode()
    )


def feedback(field: str) -> Callable[[str], bytes]:
    return lambda recipient: a_complaint(PLAIN).replace(
        b"Version: 1", f"Version: 1\n{field}: {recipient}".encode()
    )


def microsoft(recipient: str) -> bytes:
    return f"""From: staff@hotmail.com
To: {PLAIN}
Subject: complaint about message from 192.0.2.1
Content-Type: multipart/mixed; boundary="b"

--b
Content-Type: message/rfc822

To: {recipient}
Subject: your digest

--b--
""".encode()


FORGED: dict[str, Callable[[str], bytes]] = {
    "a delivery report": lambda recipient: a_report(PLAIN, *GONE, recipient=recipient),
    "in capitals": lambda recipient: a_report(PLAIN, *GONE, recipient=recipient.upper()),
    "a full mailbox": lambda recipient: a_report(
        PLAIN, "5.2.2", "552 5.2.2 mailbox full", recipient=recipient
    ),
    "a delay": lambda recipient: a_report(
        PLAIN, "4.4.1", "timed out", action="delayed", recipient=recipient
    ),
    "Exim's": exim,
    "qmail's": qmail,
    "prose": prose,
    "a bounce of Amazon": amazon("Bounce"),
    "a complaint of Amazon": amazon("Complaint"),
    "a complaint by Original-Rcpt-To": feedback("Original-Rcpt-To"),
    "a complaint by Removal-Recipient": feedback("Removal-Recipient"),
    "a complaint of Microsoft": microsoft,
    "a complaint without a name": lambda _recipient: a_complaint(PLAIN),
    "to the address of somebody": lambda recipient: a_report(recipient, *GONE, recipient=recipient),
    "with an old counter": lambda recipient: a_report(
        "bounce+1-0123456789ab@example.org", *GONE, recipient=recipient
    ),
    "with a foreign Message-ID": lambda recipient: a_returned_mail(
        PLAIN, f"To: {recipient}\nMessage-ID: {new_message_id('example.org')}"
    ),
}


@pytest.mark.parametrize("form", FORGED)
def test_a_forged_report_is_counted_and_changes_nothing(sent: Installation, form: str):
    mails = [FORGED[form](recipient) for recipient in ("anna@example.org", "ben@example.org")]
    done = bounces.read(sent.at(TUESDAY), dict.fromkeys(mails))
    kind = BounceKind.UNPROVEN_COMPLAINT if "complaint" in form else BounceKind.UNPROVEN
    assert done.kinds == {kind: len({*mails})}
    assert (done.suppressed, done.held, done.unsubscribed) == (0, 0, 0)
    assert untouched(sent)


@pytest.mark.long
def test_two_hundred_guessed_addresses_stay_as_they_are(installation: Installation):
    for number in range(200):
        installation.subscribe(f"person{number}@example.org")
    mails = [
        a_report(PLAIN, *GONE, recipient=f"person{number}@example.org") for number in range(200)
    ]
    done = bounces.read(installation.at(TUESDAY), mails)
    assert (done.suppressed, done.kinds) == (0, {BounceKind.UNPROVEN: 200})
    assert untouched(installation)


ENVELOPE_FIELDS = (
    "To",
    "Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "X-Envelope-To",
    "X-Delivered-To",
    "X-RCPT-To",
)


@pytest.mark.parametrize("field", ENVELOPE_FIELDS)
@pytest.mark.parametrize("case", [str, str.upper])
def test_our_token_in_the_envelope_address_is_proof_in_upper_and_lower_case(
    sent: Installation, field: str, case: Callable[[str], str]
):
    mail = a_report("someone@example.net", *GONE).replace(
        b"To: someone@example.net", f"{field}: <{case(envelope_sender(sent))}>".encode()
    )
    assert bounces.read(sent.at(TUESDAY), [mail]).suppressed == 1
    assert suppressed_addresses(sent) == {"anna@example.org"}


@pytest.mark.parametrize(
    "fields",
    [
        "Message-ID: {message_id}",
        "Message-Id: {message_id}",
        "Message-ID:\n {message_id}",
        "Return-Path: <{envelope}>",
        "X-Sender: {envelope}",
        "References: <x@example.net> {message_id}",
        "Received: from x by y for z; Mon\nMessage-ID: {message_id}\nReturn-Path: <{envelope}>",
    ],
)
def test_the_message_id_in_the_returned_mail_is_proof(sent: Installation, fields: str):
    filled = fields.format(message_id=message_id(sent), envelope=envelope_sender(sent))
    assert bounces.read(sent.at(TUESDAY), [a_returned_mail(PLAIN, filled)]).suppressed == 1
    assert suppressed_addresses(sent) == {"anna@example.org"}


def test_a_message_id_in_an_encoded_text_is_proof(sent: Installation):

    inner = f"The user is unknown.\n\nMessage-ID: {message_id(sent)}\n".encode()
    mail = (
        f"From: mailer-daemon@mx.example.org\nTo: {PLAIN}\nSubject: Undeliverable\n"
        "Content-Type: text/plain\n"
        "Content-Transfer-Encoding: base64\n\n"
    ).encode() + base64.encodebytes(inner)
    assert bounces.read(sent.at(TUESDAY), [mail]).suppressed == 1


def test_a_complaint_that_returns_our_mail_ends_that_persons_subscriptions_alone(
    sent: Installation,
):
    returned = f"To: ben@example.org\nMessage-ID: {message_id(sent)}\n\nx\n"
    mail = a_complaint(PLAIN).replace(
        b"--b--", f"--b\nContent-Type: message/rfc822\n\n{returned}\n--b--".encode()
    )
    done = bounces.read(sent.at(TUESDAY), [mail])
    assert (done.suppressed, done.unsubscribed) == (1, 1)
    assert suppressed_addresses(sent) == ended(sent) == {"anna@example.org"}


def test_a_proven_report_acts_only_on_the_recipient_of_the_delivery(sent: Installation):
    mail = a_report(envelope_sender(sent), *GONE, recipient="ben@example.org")
    bounces.read(sent.at(TUESDAY), [mail])
    assert suppressed_addresses(sent) == {"anna@example.org"}


def test_of_several_recipients_in_a_report_only_ours_counts(sent: Installation):
    more = b"\nFinal-Recipient: rfc822; anna@example.org\nAction: failed\nStatus: 4.2.2\n\n--b--"
    mail = a_report(envelope_sender(sent), *GONE, recipient="ben@example.org").replace(
        b"--b--", more
    )
    done = bounces.read(sent.at(TUESDAY), [mail])
    assert (done.kinds, suppressed_addresses(sent)) == ({BounceKind.SOFT: 1}, set())


@pytest.mark.parametrize(
    "named", ["rfc822; anna@xn--bcher-kva.example", "utf-8; anna@bücher.example"]
)
def test_an_international_domain_is_recognised_among_several_recipients(
    installation: Installation, named: str
):
    owe_a_digest(installation, "anna@bücher.example")
    sender = envelope_sender(installation, "anna@xn--bcher-kva.example")
    more = f"\nFinal-Recipient: {named}\nAction: failed\nStatus: 5.1.1\n\n--b--".encode()
    other = a_report(sender, "2.0.0", "250 taken", "relayed", "b@example.net")
    bounces.read(installation.at(TUESDAY), [other.replace(b"--b--", more)])
    assert suppressed_addresses(installation) == {"anna@bücher.example"}


def test_one_failed_address_of_several_behind_an_alias_suppresses_nobody(
    sent: Installation,
):
    more = b"\nFinal-Recipient: rfc822; b@example.net\nAction: delayed\nStatus: 4.4.1\n\n--b--"
    mail = a_report(envelope_sender(sent), *GONE, recipient="a@example.net").replace(b"--b--", more)
    bounces.read(sent.at(TUESDAY), [mail])
    assert untouched(sent)


def test_the_token_in_the_envelope_counts_more_than_tokens_in_the_body(sent: Installation):
    mail = a_returned_mail(
        envelope_sender(sent), f"Message-ID: {message_id(sent, 'ben@example.org')}"
    )
    bounces.read(sent.at(TUESDAY), [mail])
    assert suppressed_addresses(sent) == {"anna@example.org"}


@pytest.mark.parametrize(
    ("to", "fields"),
    [
        (PLAIN, "Message-ID: {anna_id}\nReferences: {ben_id}"),
        (PLAIN, "Return-Path: <{anna}>\nX-Other: <{ben}>"),
        (PLAIN, "Return-Path: <{anna}>\nMessage-ID: {ben_id}"),
        ("{anna}, {ben}", "Subject: x"),
    ],
)
def test_a_report_that_names_several_of_our_mails_proves_nothing(
    sent: Installation, to: str, fields: str
):
    values = {
        "anna": envelope_sender(sent),
        "ben": envelope_sender(sent, "ben@example.org"),
        "anna_id": message_id(sent),
        "ben_id": message_id(sent, "ben@example.org"),
    }
    done = bounces.read(
        sent.at(TUESDAY), [a_returned_mail(to.format(**values), fields.format(**values))]
    )
    assert done.kinds == {BounceKind.UNPROVEN: 1}
    assert untouched(sent)


@pytest.mark.parametrize(
    "status", [DeliveryStatus.PENDING, DeliveryStatus.FAILED, DeliveryStatus.SUPPRESSED]
)
def test_a_report_about_a_mail_that_was_never_sent_proves_nothing(
    sent: Installation, status: DeliveryStatus
):
    change_delivery(sent, status=status, sent_at=None)
    assert bounces.read(sent.at(TUESDAY), [a_report(envelope_sender(sent), *GONE)]).kinds == {
        BounceKind.UNPROVEN: 1
    }
    assert untouched(sent)


@pytest.mark.parametrize("status", [DeliveryStatus.UNCERTAIN, DeliveryStatus.SENDING])
def test_a_report_about_an_uncertain_delivery_is_accepted(
    sent: Installation, status: DeliveryStatus
):
    change_delivery(sent, status=status, sent_at=None)
    assert bounces.read(sent.at(TUESDAY), [a_report(envelope_sender(sent), *GONE)]).suppressed == 1


@pytest.mark.parametrize(("days", "people"), [(35, 1), (35.1, 0), (400, 0)])
def test_a_report_after_five_weeks_proves_nothing(sent: Installation, days: float, people: int):
    later = TUESDAY + timedelta(days=days)
    assert (
        bounces.read(sent.at(later), [a_report(envelope_sender(sent), *GONE)]).suppressed == people
    )
    mail = a_complaint(envelope_sender(sent)) + b"\n"
    assert bounces.read(sent.at(later), [mail]).unsubscribed == people


@pytest.mark.parametrize(
    "mail", [lambda to: a_report(to, *GONE), a_complaint, lambda to: a_report(to, "5.2.2", "full")]
)
def test_a_report_about_the_old_address_has_no_consequence_after_a_change(
    sent: Installation, mail: Callable[[str], bytes]
):
    with sent.at(TUESDAY).writing() as session:
        session.query(Subscriber).filter_by(email="anna@example.org").update(
            {"email": "anna@example.net", "moved_at": TUESDAY + timedelta(hours=1)}
        )
    done = bounces.read(sent.at(TUESDAY + timedelta(hours=2)), [mail(envelope_sender(sent))])
    assert (done.suppressed, done.held, done.unsubscribed, BounceKind.UNPROVEN in done.kinds) == (
        0,
        0,
        0,
        False,
    )
    assert untouched(sent)


def test_a_report_about_the_new_address_counts_after_a_change(sent: Installation):
    with sent.at(TUESDAY).writing() as session:
        session.query(Subscriber).update({"moved_at": MONDAY})
    assert bounces.read(sent.at(TUESDAY), [a_report(envelope_sender(sent), *GONE)]).suppressed == 1


def test_a_bounce_stores_a_code_as_the_reason_and_a_complaint_stores_none(sent: Installation):
    bounces.read(
        sent.at(TUESDAY),
        [a_report(envelope_sender(sent), "5.1.1", "550 5.1.1 anna@example.org (Anna A.) unknown")],
    )
    bounces.read(sent.at(TUESDAY), [a_complaint(envelope_sender(sent, "ben@example.org"))])
    with sent.at(TUESDAY).reading() as session:
        stored = {row.cause: row.reason for row in session.query(Suppression)}
    assert stored == {SuppressionCause.BOUNCED: "5.1.1", SuppressionCause.COMPLAINED: ""}


@pytest.mark.parametrize(
    ("status", "diagnostic", "code"),
    [("", "550 user unknown", "550"), ("", "no such user", ""), ("5.1.10", "gone", "5.1.10")],
)
def test_the_reason_is_the_enhanced_code_or_the_reply_code_or_empty(
    sent: Installation, status: str, diagnostic: str, code: str
):
    bounces.read(sent.at(TUESDAY), [a_report(envelope_sender(sent), status, diagnostic)])
    with sent.at(TUESDAY).reading() as session:
        assert [row.reason for row in session.query(Suppression)] == [code]


OLD_REASONS = {
    ("bounced", "mails to it come back: 5.1.1 smtp; 550 5.1.1 user anna unknown"): "5.1.1",
    ("bounced", "the server answered 550 to RCPT TO: user anna unknown"): "550",
    ("bounced", "mails to it come back"): "",
    ("complained", "its owner called a mail unwanted"): "",
    ("asked", "she told us on the phone"): "she told us on the phone",
}


def test_an_upgrade_keeps_only_the_codes_in_older_reasons(engine: Engine):
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
        config = db.alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0005")
        insert = text(
            "INSERT INTO suppression (address_hash, cause, reason, at)"
            " VALUES (:key, :cause, :reason, :at)"
        )
        for number, (cause, reason) in enumerate(OLD_REASONS):
            row = {
                "key": f"h{number}",
                "cause": cause,
                "reason": reason,
                "at": "2026-03-02 09:00:00+00:00",
            }
            connection.execute(insert, row)
        connection.commit()
        connection.invalidate()
    db.upgrade(engine)
    with db.reading(engine) as session:
        stored = [
            row.reason for row in session.query(Suppression).order_by(Suppression.address_hash)
        ]
    assert stored == list(OLD_REASONS.values())


def test_a_mail_that_two_readers_read_has_one_consequence(sent: Installation):
    mail = a_report(envelope_sender(sent), "5.2.2", "552 mailbox full")
    deps, mail_hash = sent.at(TUESDAY), reports.hash_of(mail)
    for number in range(2):
        with deps.writing() as session:
            report = parser.read(mail)
            verdict = reports.record(
                session, mail_hash, report, deps.links, deps.mail_domain, TUESDAY
            )
            if verdict is not None:
                bounces.apply_verdict(session, verdict, TUESDAY)
        assert (verdict is None) is (number == 1)
    with deps.reading() as session:
        assert session.query(Subscriber).filter_by(email="anna@example.org").one().soft_bounces == 1


def test_a_retired_link_still_ends_the_subscription_by_mail(sent: Installation):
    token = "r" * 22
    with sent.at(TUESDAY).writing() as session:
        anna = session.query(Subscription).order_by(Subscription.id).first()
        session.add(RetiredLink(link_id=token, subscription_id=anna.id, retired_at=TUESDAY))
    assert (
        bounces.read(sent.at(TUESDAY), [an_unsubscribe_mail(f"unsubscribe {token}")]).unsubscribed
        == 1
    )
    assert ended(sent) == {"anna@example.org"}


def test_unsubscribe_tokens_are_128_random_bits(sent: Installation):
    with sent.at(TUESDAY).reading() as session:
        tokens = {subscription.link_id for subscription in session.query(Subscription)}
    assert len(tokens) == 2
    assert all(re.fullmatch(r"[\w-]{22}", token) for token in tokens)


@pytest.mark.parametrize(
    "subject", ["unsubscribe", "unsubscribe 1", "unsubscribe %", "unsubscribe " + "x" * 22, "un"]
)
def test_a_guessed_unsubscribe_token_ends_no_subscription(sent: Installation, subject: str):
    assert bounces.read(sent.at(TUESDAY), [an_unsubscribe_mail(subject)]).unsubscribed == 0
    assert untouched(sent)


def test_tokens_in_envelope_senders_are_random_and_short_enough_for_every_server(
    sent: Installation,
):
    first, second = envelope_sender(sent), envelope_sender(sent, "ben@example.org")
    tokens = [sender.partition("+")[2].partition("@")[0] for sender in (first, second)]
    assert all(re.fullmatch(rf"[a-z2-7]{{{TOKEN_LENGTH}}}", token) for token in tokens)
    assert sum(a != b for a, b in zip(*tokens, strict=True)) > TOKEN_LENGTH // 2
    assert len(first.partition("@")[0]) <= 64


def test_every_changed_character_makes_a_token_invalid():
    links = Links("https://news.example.org", "a key that only the tests know")
    token = links.bounce_token(new_message_id("example.org"))
    assert links.parse_bounce_token(token.upper()) == links.parse_bounce_token(token) is not None
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    changed = [
        f"{token[:n]}{alphabet[alphabet.index(token[n]) - 1]}{token[n + 1 :]}"
        for n in range(len(token))
    ]
    changed += [
        "",
        token[:-1],
        f"{token}a",
        "a" * TOKEN_LENGTH,
        "é" * TOKEN_LENGTH,
        "0" * TOKEN_LENGTH,
        "+" * TOKEN_LENGTH,
    ]
    assert [links.parse_bounce_token(token) for token in changed] == [None] * len(changed)


def test_a_token_stays_valid_after_our_domain_changed(sent: Installation):
    mail = a_report(envelope_sender(sent), *GONE)
    sender = sent.at(TUESDAY).settings.sender.model_copy(
        update={"address": "digest@new.example.org"}
    )
    sent.change(sender=sender)
    assert bounces.read(sent.at(TUESDAY), [mail]).suppressed == 1


@pytest.mark.parametrize(
    ("local", "fits"), [("b" * 25, True), ("b" * 26, False), ("b" * 60, False)]
)
def test_a_bounce_address_too_long_for_the_token_is_refused_with_the_reason(local: str, fits: bool):
    values = {"sender": {"bounce_address": f"{local}@example.org"}}
    if fits:
        assert Settings.model_validate(values).sender.bounce_address == f"{local}@example.org"
        assert len(local) + 1 + TOKEN_LENGTH == 64
    else:
        with pytest.raises(ValueError, match="may have 25 characters before the @"):
            Settings.model_validate(values)


def notices(installation: Installation) -> list[Notice]:
    with installation.at(TUESDAY).reading() as session:
        return (
            session.query(Notice)
            .filter(Notice.subject.contains("prove nothing"))
            .order_by(Notice.id)
            .all()
        )


def test_the_operator_is_mailed_once_a_day_without_the_text_of_forged_reports(sent: Installation):
    sent.change(operator=Operator(address="operator@example.org"))

    def forged(number: int) -> bytes:
        return a_report(
            PLAIN, "5.1.1", f"550 secret words {number}", recipient="victim@example.net"
        )

    bounces.read(sent.at(TUESDAY), [forged(1), forged(2)])
    bounces.read(sent.at(TUESDAY + timedelta(hours=1)), [forged(3)])
    bounces.read(sent.at(TUESDAY + timedelta(hours=23)), [forged(4)])
    (first,) = notices(sent)
    assert "2 since the last such mail to you" in first.text
    assert "bounce+test@example.org" in first.text
    bounces.read(sent.at(TUESDAY + timedelta(hours=25)), [forged(4)])
    bounces.read(sent.at(TUESDAY + timedelta(hours=26)), [forged(5)])
    _, second = notices(sent)
    assert "2 since the last such mail to you" in second.text
    for notice in notices(sent):
        assert not re.search("victim|secret words|example.net|anna|ben", notice.text)
    deliver.run(sent.at(TUESDAY + timedelta(hours=26)))
    assert len(sent.sink.to("operator@example.org")) == 2


def test_the_operator_gets_no_mail_without_forged_reports(sent: Installation):
    sent.change(operator=Operator(address="operator@example.org"))
    bounces.read(
        sent.at(TUESDAY),
        [
            a_report(envelope_sender(sent), *GONE),
            an_unsubscribe_mail("unsubscribe x"),
            b"Subject: hello\n\nhello",
        ],
    )
    assert notices(sent) == []


def test_a_notice_is_kept_for_30_days_after_it_was_sent(sent: Installation):
    sent.change(operator=Operator(address="operator@example.org"))
    bounces.read(sent.at(TUESDAY), [a_report(PLAIN, *GONE)])
    went_out = TUESDAY + timedelta(days=2)
    run_once(sent.at(went_out))
    for days, number in ((29, 1), (30, 0), (30, 0)):
        housekeeping.run(sent.at(went_out + timedelta(days=days)))
        with sent.at(TUESDAY).reading() as session:
            deliveries = session.query(Delivery).filter_by(kind=DeliveryKind.NOTICE).count()
        assert (len(notices(sent)), deliveries) == (number, number)


@pytest.mark.parametrize("status", [DeliveryStatus.PENDING, DeliveryStatus.SENDING])
def test_a_notice_that_was_not_sent_yet_is_kept(sent: Installation, status: DeliveryStatus):

    sent.change(operator=Operator(address="operator@example.org"))
    bounces.read(sent.at(TUESDAY), [a_report(PLAIN, *GONE)])
    with sent.at(TUESDAY).writing() as session:
        session.query(Delivery).filter_by(kind=DeliveryKind.NOTICE).update({"status": status})
    housekeeping.run(sent.at(TUESDAY + timedelta(days=100)))
    assert len(notices(sent)) == 1


@pytest.mark.parametrize(
    "status", [DeliveryStatus.FAILED, DeliveryStatus.SUPPRESSED, DeliveryStatus.UNCERTAIN]
)
def test_a_notice_that_failed_expires_too(sent: Installation, status: DeliveryStatus):

    sent.change(operator=Operator(address="operator@example.org"))
    bounces.read(sent.at(TUESDAY), [a_report(PLAIN, *GONE)])
    with sent.at(TUESDAY).writing() as session:
        session.query(Delivery).filter_by(kind=DeliveryKind.NOTICE).update({"status": status})
    housekeeping.run(sent.at(TUESDAY + timedelta(days=31)))
    assert notices(sent) == []


def test_of_a_report_only_hash_kind_and_time_are_stored(sent: Installation):
    mails = [
        a_report(PLAIN, *GONE),
        a_report(envelope_sender(sent), *GONE),
        b"Subject: hello\n\nhello",
    ]
    bounces.read(sent.at(TUESDAY), mails)
    with sent.at(TUESDAY).reading() as session:
        kinds = sorted(row.kind for row in session.query(BounceReport))
    assert kinds == sorted([BounceKind.UNPROVEN, BounceKind.HARD, BounceKind.NONE])
    assert bounces.read(sent.at(TUESDAY), mails).known == 3
