"""Reports of failure count in every form that mail systems and services give them."""

import base64
import json

import pytest

from notifier.deliver.bounces import parser
from notifier.enums import BounceKind
from tests.support.returned_mails import (
    GONE,
    PERSON,
    amazon,
    away,
    bounced,
    complaint,
    event,
    group,
    mail,
    page,
    parts,
    report,
    text,
)

EXCHANGE = "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@people.test>"


def without_status(bounce: dict[str, object]) -> dict[str, object]:
    """What Amazon SES says where no server gave a status."""
    return {**bounce, "bouncedRecipients": [{"emailAddress": PERSON}]}


# Reports that a mail was not delivered because its address does not exist.
HARD = {
    "Postfix": report(group("failed", "5.1.1", GONE)),
    "no empty line between the message's and the recipient's fields": parts(
        text("Failed."),
        "Content-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.people.test\n" + group("failed", "5.1.1", GONE),
        kind="report",
    ),
    "an action in capitals with a comment": report(group("FAILED (permanently)", "5.1.1", GONE)),
    "a diagnostic text without a type": report(
        group("failed", "5.0.0") + "\nDiagnostic-Code: The user does not exist here."
    ),
    "RFC 6533": report(group("failed", "5.1.1", GONE), kind="global-delivery-status"),
    "the status in base64": parts(
        text("Failed."),
        "Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(
            f"Reporting-MTA: dns; x.test\n\n{group('failed', '5.1.1', GONE)}\n".encode()
        ).decode(),
        kind="report",
    ),
    "the status in quoted-printable": parts(
        text("Failed."),
        "Content-Type: message/global-delivery-status\n"
        "Content-Transfer-Encoding: quoted-printable\n\nReporting-MTA: dns; x.test\n\n"
        + group("failed", "5.1.1", GONE).replace("@", "=40"),
        kind="report",
    ),
    "in a mixed mail, without multipart/report": parts(
        text("Failed."),
        f"Content-Type: message/delivery-status\n\n{group('failed', '5.1.1', GONE)}",
    ),
    "forwarded as an attachment": parts(
        text("Please see the attached mail."),
        "Content-Type: message/rfc822\n\n" + report(group("failed", "5.1.1", GONE)).decode(),
        sender="Office <office@example.org>",
        subject="Fwd: Undelivered Mail",
    ),
    "its prose, forwarded as an attachment": parts(
        text("see below"),
        "Content-Type: message/rfc822\n\n" + mail(f"<{PERSON}>: {GONE}").decode(),
        sender="Gateway <gateway@example.org>",
        subject="report",
    ),
    "the fields written into the text": mail(
        f"The following could not be delivered.\n\n{group('failed', '5.1.1', GONE)}\n"
    ),
    "the fields, indented": mail(
        "Delivery report\n\n  Final-Recipient: rfc822; anna@people.test\n  Action: failed\n"
        "  Status: 5.1.1\n  Diagnostic-Code: smtp; 550 5.1.1 the mailbox that was\n"
        "    named does not exist\n"
    ),
    "Exchange Online, HTML in base64": page(
        f"Your message to {PERSON} couldn't be delivered. 550 5.1.10 "
        "RESOLVER.ADR.RecipientNotFound;"
        " Recipient not found by SMTP address lookup",
        subject="Undeliverable: News",
        sender=EXCHANGE,
    ),
    "Exchange Online, HTML in quoted-printable": page(
        f"<b>anna</b> wasn't found.<br>{PERSON}<br>550 5.1.1 User unknown",
        "quoted-printable",
        subject="Undeliverable: News",
        sender=EXCHANGE,
    ),
    "HTML beside an empty text": parts(
        text(""),
        f"Content-Type: text/html\n\n<p>{PERSON}</p><p>550 5.1.1 User unknown</p>",
        kind="alternative",
        subject="Undeliverable: News",
        sender=EXCHANGE,
    ),
    "Domino": mail(
        f"Your message\n\n  Subject: News\n\nwas not delivered to:\n\n  {PERSON}\n\nbecause:\n\n"
        f"  User anna ({PERSON}) not listed in Domino Directory\n",
        subject=f"DELIVERY FAILURE: User anna ({PERSON}) not listed in Domino Directory",
        sender="Postmaster@people.test",
    ),
    "DragonFly": mail(
        "This is the DragonFly Mail Agent v0.13 at df.people.test.\n\n"
        f"There was an error delivering your mail to <{PERSON}>.\n\n"
        "mx.people.test [192.0.2.25] did not like our RCPT TO:\n"
        f"550 5.1.1 <{PERSON}>... User Unknown\n\nOriginal message follows.\n",
        subject="Mail delivery failed",
        sender="MAILER-DAEMON <>",
        return_path="",
    ),
    "Exim": mail(
        "This message was created automatically by mail delivery software.\n\n"
        "A message that you sent could not be delivered to one or more of its\nrecipients. This is "
        f"a permanent error. The following address(es) failed:\n\n  {PERSON}\n"
        "    host mx.people.test [192.0.2.25]\n    SMTP error from remote mail server "
        "after RCPT TO:"
        f"<{PERSON}>:\n    550 5.1.1 User unknown\n",
        subject="Mail delivery failed: returning message to sender",
        fields=(f"X-Failed-Recipients: {PERSON}", "Auto-Submitted: auto-replied"),
    ),
    "a server that says that nothing needs to be done": mail(
        f"{PERSON}\n550 5.1.1 User unknown\nNo action is required on your part.\n",
        subject="Undeliverable: News: trial delayed",
    ),
    "Exim under another name": mail(
        "A message that you sent could not be delivered. This is a permanent error.\n\n"
        f"  {PERSON}\n    550 5.1.1 User unknown\n",
        subject="Mail delivery failed",
        sender="Support <support@people.test>",
        fields=(f"X-Failed-Recipients: {PERSON}", "Auto-Submitted: auto-replied"),
    ),
    "a server that speaks of the fields of the message": report(
        group("failed", "5.1.10"),
        words="This report relates to a message you sent with the following header fields:\n"
        "  Subject: News\n\nYour message cannot be delivered.\n"
        "Reason: host/domain does not accept mail",
    ),
    "DragonFly, an address of its server's own": mail(
        f"There was an error delivering your mail to <{PERSON}>.\n\nmx.people.test [192.0.2.25] did"
        f" not like our RCPT TO:\n550 5.1.2 <{PERSON}>: Bad destination system address.\n\n"
        "Message headers follow.\n\nSubject: News about spam\n",
        subject="Mail delivery failed",
        sender="MAILER-DAEMON <>",
    ),
    "an address behind the reader's own": report(
        group("failed", "5.1.1", "550 5.1.1 <old@elsewhere.test>... User unknown")
        + "\nX-Actual-Recipient: rfc822; old@elsewhere.test"
    ),
    "qmail": mail(
        "Hi. This is the qmail-send program at mx.people.test.\nI'm afraid I wasn't able "
        "to deliver "
        "your message to the following addresses.\nThis is a permanent error; I've given up. Sorry "
        f"it didn't work out.\n\n<{PERSON}>:\nSorry, no mailbox here by that name. (#5.1.1)\n",
        subject="failure notice",
    ),
    "sendmail": mail(
        "The original message was received at Thu, 1 Jan 2026 08:00:00 GMT\n\n"
        f"   ----- The following addresses had permanent fatal errors -----\n<{PERSON}>\n"
        "    (reason: 550 5.1.1 User unknown)\n\n   ----- Transcript of session follows -----\n"
        f"... while talking to mx.people.test.:\n>>> RCPT To:<{PERSON}>\n<<< 550 5.1.1 User "
        "unknown\n",
        subject="Returned mail: see transcript for details",
        sender="Mail Delivery Subsystem <MAILER-DAEMON@mx.people.test>",
    ),
    "Courier": mail(
        "This is a delivery status notification from mx.people.test, running the Courier mail "
        f"server.\n\nUNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be "
        f"delivered:\n\n<{PERSON}>:\n    mx.people.test [192.0.2.25]:\n"
        f"    <<< 550 5.1.1 User <{PERSON}> unknown\n",
        subject="NOTICE: mail delivery status.",
        sender='"Courier mail server at mx.people.test" <postmaster@people.test>',
    ),
    "Yahoo": mail(
        f"Sorry, we were unable to deliver your message to the following address.\n\n<{PERSON}>:\n"
        "552 5.1.1 This user doesn't have an account here (anna@people.test) [0]\n",
        subject="Failure Notice",
        sender="MAILER-DAEMON@yahoo.test",
    ),
    "mail.ru": mail(
        "Это письмо создано автоматически\nсервером Mail.Ru, отвечать на него не нужно.\n\n"
        "К сожалению, Ваше письмо не может быть доставлено одному или нескольким получателям:\n\n"
        f"**********************\n\n{PERSON}\nSMTP error from remote mail server after RCPT TO:"
        f"<{PERSON}>: 550 5.1.1 no such user\n",
        subject="Ваше сообщение не доставлено. Mail failure.",
        sender="mailer-daemon@corp.mail.test",
        fields=("Auto-Submitted: auto-replied",),
    ),
    "a gateway that calls itself no-reply": mail(
        f"Your message could not be delivered.\n\n{PERSON}\n550 5.1.1 User unknown\n",
        subject="Undeliverable: News",
        sender="no-reply@gateway.people.test",
        fields=("Auto-Submitted: auto-generated",),
    ),
    "Amazon SES": event(amazon("Bounce", bounce=bounced("Permanent"))),
    "Amazon SES, with the server's words": event(
        amazon("Bounce", bounce=bounced("Permanent", GONE))
    ),
    "Amazon SES by eventType": event({"eventType": "Bounce", "bounce": bounced("Permanent", GONE)}),
    "Amazon SNS around SES": event(
        {
            "Type": "Notification",
            "TopicArn": "arn:aws:sns:eu-west-1:1:bounces",
            "Message": json.dumps(amazon("Bounce", bounce=bounced("Permanent", GONE))),
        }
    ),
    "Amazon SNS with a footer, broken lines": mail(
        '{"notificationType":"Bounce","bounce":{"bounceType":"Permanent",\n"bouncedRecipients":'
        f'[{{"emailAddress":"{PERSON}","status":"5.1.1"}}]}}}}\n\n--\nIf you wish to stop receiving'
        " notifications from this topic, please click https://sns.test/unsubscribe.html\n",
        subject="AWS Notification Message",
        sender="AWS Notifications <no-reply@sns.amazonaws.test>",
        return_path="<x@amazonses.test>",
    ),
    "Mailgun": event(
        {
            "event-data": {
                "event": "failed",
                "severity": "permanent",
                "recipient": PERSON,
                "delivery-status": {"code": 550, "message": GONE},
            }
        }
    ),
    "Postmark": event(
        {
            "RecordType": "Bounce",
            "Type": "HardBounce",
            "TypeCode": 1,
            "Email": PERSON,
            "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist",
        }
    ),
    "SparkPost": event(
        {"msys": {"message_event": {"type": "bounce", "rcpt_to": PERSON, "raw_reason": GONE}}}
    ),
    "SendGrid": event(
        [{"event": "bounce", "type": "bounce", "email": PERSON, "reason": GONE, "status": "5.1.1"}]
    ),
    "Brevo": event({"event": "hard_bounce", "email": PERSON, "reason": "user unknown"}),
    "Mandrill": event([{"event": "hard_bounce", "msg": {"email": PERSON, "diag": GONE}}]),
    "Mailjet": event(
        {"event": "bounce", "email": PERSON, "hard_bounce": True, "error": "user unknown"}
    ),
}


@pytest.mark.parametrize("form", HARD)
def test_a_report_that_the_address_does_not_exist_counts_in_every_form(form: str):
    (failure,) = parser.read(HARD[form]).failures
    assert (failure.kind, failure.recipient) == (BounceKind.HARD, PERSON)


NOT_DELIVERED = "Delivery has failed to these recipients or groups"
SOFT = {
    "a full mailbox": report(group("failed", "5.2.2", "552 5.2.2 mailbox full")),
    "given up after days": report(group("failed", "4.4.7", "expired")),
    "DragonFly gave up": mail(
        "This is the DragonFly Mail Agent v0.13 at df.people.test.\n\n"
        f"There was an error delivering your mail to <{PERSON}>.\n\n"
        "Could not deliver for the last 432000 seconds. Giving up.\n",
        subject="Mail delivery failed",
        sender="MAILER-DAEMON <>",
    ),
    "qmail gave up": mail(
        "Hi. This is the qmail-send program at mx.people.test.\n\n"
        f"<{PERSON}>:\nSorry, I couldn't find a mail exchanger that answers. (#4.4.1)\n"
        "I'm not going to try again; this message has been in the queue too long.\n",
        subject="failure notice",
    ),
    "Exim gave up": mail(
        "A message that you sent could not be delivered to one or more of its\nrecipients. This is "
        f"a permanent error. The following address(es) failed:\n\n  {PERSON}\n"
        "    retry timeout exceeded\n",
        subject="Mail delivery failed: returning message to sender",
    ),
    "a full mailbox in German": mail(
        f"{NOT_DELIVERED}:\n{PERSON}\nDas Postfach ist voll. 552 5.2.2 mailbox full\n",
        subject="Unzustellbar: News",
        sender="postmaster@people.test",
    ),
    "Amazon SES, transient": event(
        amazon("Bounce", bounce=bounced("Transient", "", "MailboxFull"))
    ),
    "Amazon SES, our fault": event(
        amazon("Bounce", bounce=bounced("Permanent", "550 5.7.1 blocked for spam"))
    ),
    "SendGrid, blocked": event([{"event": "bounce", "type": "blocked", "email": PERSON}]),
    "Mailjet, soft": event({"event": "bounce", "email": PERSON, "hard_bounce": False}),
}


@pytest.mark.parametrize("form", SOFT)
def test_a_report_of_a_failure_that_may_pass_is_soft(form: str):
    (failure,) = parser.read(SOFT[form]).failures
    assert (failure.kind, failure.recipient) == (BounceKind.SOFT, PERSON)
    assert not failure.still_tried


def mailjet(name: str, related_to: str, error: str, **facts: object) -> bytes:
    """An event of Mailjet, with the words of its table of errors."""
    why = {"error_related_to": related_to, "error": error}
    return event({"event": name, "email": PERSON, "MessageID": 1379, **why, **facts})


ABOUT_US = {
    "Amazon SES, content": event(
        amazon("Bounce", bounce=without_status(bounced("Transient", "", "ContentRejected")))
    ),
    "Amazon SES, attachment": event(
        amazon("Bounce", bounce=without_status(bounced("Transient", "", "AttachmentRejected")))
    ),
    "SendGrid, blocked": event([{"event": "bounce", "type": "blocked", "email": PERSON}]),
    "Postmark, blocked": event(
        {"RecordType": "Bounce", "Type": "Blocked", "TypeCode": 100_006, "Email": PERSON}
    ),
    "Mailjet, blocked for our text": mailjet("blocked", "content", "error in template language"),
    "Mailjet, blocked as spam": mailjet("blocked", "spam", "content blocked"),
    "Mailjet, refused as spam": mailjet("bounce", "spam", "sender blocked", hard_bounce=True),
    "Mailjet, refused by a rule": mailjet("bounce", "spam", "policy issue", hard_bounce=True),
    "Mailjet, a fault of its own": mailjet("bounce", "system", "system issue", hard_bounce=True),
    "Mandrill, a sender that is not ours": event(
        [{"event": "reject", "msg": {"email": PERSON, "reject": {"reason": "invalid-sender"}}}]
    ),
    "SparkPost, policy": event(
        {"msys": {"message_event": {"type": "policy_rejection", "rcpt_to": PERSON}}}
    ),
    "Postmark, spam": event(
        {"RecordType": "Bounce", "Type": "SpamNotification", "TypeCode": 512, "Email": PERSON}
    ),
}


@pytest.mark.parametrize("form", ABOUT_US)
def test_a_service_that_says_that_our_text_was_refused_says_nothing_about_the_reader(form: str):
    (failure,) = parser.read(ABOUT_US[form]).failures
    assert (failure.kind, failure.recipient) == (BounceKind.SOFT, PERSON)
    assert failure.evidence.is_about_us


READERS_OWN = {
    "Amazon SES, a full mailbox": event(
        amazon("Bounce", bounce=without_status(bounced("Transient", "", "MailboxFull")))
    ),
    "Amazon SES, general": event(amazon("Bounce", bounce=without_status(bounced("Transient")))),
    "Mailjet, soft": event({"event": "bounce", "email": PERSON, "hard_bounce": False}),
    "Mailjet, quota": mailjet("bounce", "recipient", "quota exceeded", hard_bounce=False),
    "Brevo, blocked": event({"event": "blocked", "email": PERSON}),
    "Brevo, blocked with a reason": event(
        {"event": "blocked", "email": PERSON, "reason": "blocked : due to blacklist user"}
    ),
    "Brevo, blocked with its own word": event(
        {"event": "Blocked", "email": PERSON, "reason": "blocked"}
    ),
    "Mailjet, blocked after bounces": mailjet("blocked", "mailjet", "preblocked"),
    "Mailjet, blocked as it names the reader": mailjet("blocked", "recipient", "preblocked"),
    "Mailjet, blocked as gone": mailjet("blocked", "recipient", "user unknown"),
    "Mailjet, blocked for its domain": mailjet("blocked", "domain", "relay/access denied"),
    "Mailjet, blocked without more": event({"event": "blocked", "email": PERSON}),
    "Mandrill, rejected after bounces": event(
        [{"event": "reject", "msg": {"email": PERSON, "reject": {"reason": "hard-bounce"}}}]
    ),
    "Mandrill, rejected without more": event([{"event": "reject", "msg": {"email": PERSON}}]),
    "SparkPost, suppressed": event(
        {
            "msys": {
                "message_event": {
                    "type": "bounce",
                    "rcpt_to": PERSON,
                    "raw_reason": "554 5.7.1 [internal] recipient address was suppressed due to "
                    "customer policy",
                }
            }
        }
    ),
    "Mailgun, suppressed": event(
        {
            "event-data": {
                "event": "failed",
                "severity": "permanent",
                "reason": "suppress-bounce",
                "recipient": PERSON,
                "delivery-status": {
                    "code": 605,
                    "message": "Not delivering to previously bounced address",
                },
            }
        }
    ),
}


@pytest.mark.parametrize("form", READERS_OWN)
def test_a_service_that_names_no_reason_of_ours_speaks_of_the_reader(form: str):
    (failure,) = parser.read(READERS_OWN[form]).failures
    assert (failure.kind, failure.evidence.is_about_us) == (BounceKind.SOFT, False)


EXCHANGE_WORDS = (
    "Delivery has failed to these recipients or groups:\n\n{person}\nThe server has tried to "
    "deliver this message, without success, and has stopped trying.\n\nDiagnostic information for "
    "administrators:\n\nGenerating server: relay.people.test\n\nOriginal message headers:\n\n"
    "X-Spam-Status: No, policy DKIM SPF virus\nReceived: from mx.example.org (192.0.2.1)\n"
)


@pytest.mark.parametrize("heading", ["Original message headers:", "Original Message Headers"])
def test_the_header_that_exchange_repeats_is_no_part_of_its_words(heading: str):
    words = EXCHANGE_WORDS.format(person=PERSON).replace("Original message headers:", heading)
    expired = report(group("failed", "4.4.7", "550 4.4.7 QUEUE.Expired"), words=words)
    (failure,) = parser.read(expired).failures
    assert (failure.kind, failure.evidence.is_about_us) == (BounceKind.SOFT, False)
    gone = report(group("failed", "5.1.1", "550 5.1.1 not listed"), words=words)
    (failure,) = parser.read(gone).failures
    assert failure.kind is BounceKind.HARD


COMPLAINTS = {
    "abuse": complaint(f"Feedback-Type: abuse\nOriginal-Rcpt-To: {PERSON}"),
    "opt-out": complaint(f"Feedback-Type: opt-out\nRemoval-Recipient: {PERSON}"),
    "opt-out-list": complaint(f"Feedback-Type: opt-out-list\nRemoval-Recipient: {PERSON}"),
    "in capitals": complaint(f"FEEDBACK-TYPE: ABUSE\nORIGINAL-RCPT-TO: <{PERSON}>"),
    "an unknown type": complaint(f"Feedback-Type: other\nOriginal-Rcpt-To: rfc822;{PERSON}"),
    "with the returned mail": complaint(returned=f"To: {PERSON}\nSubject: News\n\nNews"),
    "fields in base64": parts(
        text("Complaint."),
        "Content-Type: message/feedback-report\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(
            f"Feedback-Type: opt-out\nOriginal-Rcpt-To: {PERSON}\n".encode()
        ).decode(),
        kind="report",
        sender="fbl@provider.test",
    ),
    "fields in the text": mail(
        f"A complaint.\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: {PERSON}\n",
        subject="Abuse report",
        sender="fbl@provider.test",
    ),
    "Microsoft": parts(
        f"Content-Type: message/rfc822\n\nTo: {PERSON}\nSubject: News\n\nNews",
        subject="complaint about message from 192.0.2.1",
        sender="staff@hotmail.test",
    ),
    "Amazon SES": event(
        amazon("Complaint", complaint={"complainedRecipients": [{"emailAddress": PERSON}]})
    ),
    "Mailgun": event({"event-data": {"event": "complained", "recipient": PERSON}}),
    "Postmark": event({"RecordType": "SpamComplaint", "Type": "SpamComplaint", "Email": PERSON}),
    "SendGrid": event([{"event": "spamreport", "email": PERSON}]),
    "the button of Apple's mail program, without our word": mail(
        "Apple Mail sent this email to unsubscribe.",
        subject="unsubscribe",
        sender=PERSON,
        fields=("X-Apple-Unsubscribe: true", "Auto-Submitted: auto-replied"),
    ),
}


@pytest.mark.parametrize("form", COMPLAINTS)
def test_a_complaint_counts_in_every_form(form: str):
    (failure,) = parser.read(COMPLAINTS[form]).failures
    assert (failure.kind, failure.recipient) == (BounceKind.COMPLAINT, PERSON)


def test_a_reply_about_a_complaint_is_no_complaint():
    reply = away("Re: complaint about message from the clinic", "Feedback follows.")
    assert parser.read(reply).failures[0].kind is not BounceKind.COMPLAINT


BEN = "ben@people.test"
TWO = {
    "groups without an empty line": report(
        "\n".join((group("failed", "5.1.1", GONE), group("failed", "4.2.2", "452 full", BEN)))
    ),
    "groups that begin with the original recipient": report(
        f"Original-Recipient: rfc822; {PERSON}\n{group('failed', '5.1.1', GONE)}\n"
        f"Original-Recipient: rfc822; {BEN}\n{group('failed', '5.2.2', '552 full', BEN)}"
    ),
    "groups that begin with the action": report(
        f"Action: failed\nStatus: 5.1.1\nFinal-Recipient: rfc822; {PERSON}\nDiagnostic-Code: smtp; "
        f"{GONE}\nAction: failed\nStatus: 5.2.2\nFinal-Recipient: rfc822; {BEN}"
    ),
    "prose": mail(
        "Hi. This is the qmail-send program at mx.people.test.\nI'm afraid I wasn't able "
        "to deliver "
        "your message to the following addresses.\nThis is a permanent error; I've given up.\n\n"
        f"<{PERSON}>:\n550 5.1.1 user unknown\n\n<{BEN}>:\n552 5.2.2 mailbox full\n",
        subject="failure notice",
    ),
    "Amazon SES": event(
        amazon(
            "Bounce",
            bounce={
                "bounceType": "Permanent",
                "bouncedRecipients": [
                    {"emailAddress": PERSON, "status": "5.1.1", "diagnosticCode": f"smtp; {GONE}"},
                    {
                        "emailAddress": BEN,
                        "status": "5.2.2",
                        "diagnosticCode": "smtp; 552 5.2.2 mailbox full",
                    },
                ],
            },
        )
    ),
}


@pytest.mark.parametrize("form", TWO)
def test_a_report_about_two_recipients_is_read_for_each(form: str):
    verdicts = {failure.recipient: failure.kind for failure in parser.read(TWO[form]).failures}
    assert verdicts == {PERSON: BounceKind.HARD, BEN: BounceKind.SOFT}


def test_an_address_outside_ascii_is_read_from_its_escaped_form():
    (failure,) = parser.read(
        report(
            group("failed", "5.1.1", GONE).replace(PERSON, r"j\x{00F6}rg@people.test"),
            kind="global-delivery-status",
        )
    ).failures
    assert failure.recipient == "jörg@people.test"


@pytest.mark.parametrize(
    ("charset", "words"),
    [
        ("koi8-r", "Пользователь не найден"),
        ("iso-2022-jp", "ユーザーが見つかりません"),
        ("windows-1252", "Das Postfach gehört niemandem"),
        ("iso-8859-1", "L'utilisateur n'existe pas"),
        ("gb2312", "用户不存在"),
        ("utf-16", "no such user"),
        ("x-nonsense", "no such user"),
    ],
)
def test_a_report_is_read_in_its_own_charset(charset: str, words: str):
    known = "utf-8" if charset == "x-nonsense" else charset
    octets = base64.encodebytes(f"{PERSON}\n550 5.1.1 {words}\n".encode(known)).decode()
    returned = mail(
        octets,
        fields=(
            f"Content-Type: text/plain; charset={charset}",
            "Content-Transfer-Encoding: base64",
        ),
    )
    (failure,) = parser.read(returned).failures
    assert (failure.recipient, failure.status) == (PERSON, "5.1.1")


def test_the_text_of_the_returned_mail_is_no_part_of_the_report():
    returned = "Subject: News\n\nThe user unknown to many no longer exists: no such user."
    bounce = parts(
        text("Your message could not be delivered."),
        f"Content-Type: message/delivery-status\n\n{group('failed', '5.0.0')}",
        f"Content-Type: message/rfc822\n\n{returned}",
        kind="report",
    )
    assert parser.read(bounce).failures[0].kind is BounceKind.SOFT


def test_a_mail_of_a_mail_system_without_any_known_word_is_soft():
    strange = mail(f"xyzzy {PERSON}", subject="qwerty")
    assert parser.read(strange).failures[0].kind is BounceKind.SOFT
