"""Mails that come back, written by hand: reports, complaints, and mails that break a parser."""

from notifier.store.models import Subscriber, Suppression
from tests.support.installation import MONDAY, Installation

# The first fields of a mail from a mail system.
HEAD = (
    b"From: MAILER-DAEMON@mx.example.org\nTo: bounce@example.org\nSubject: Mail delivery failed\n"
)
# The status and the diagnostic text of a report about an address that does not exist.
GONE = ("5.1.1", "550 5.1.1 user unknown")


def a_report(
    to: str,
    status: str,
    diagnostic: str,
    action: str = "failed",
    recipient: str = "anna@example.org",
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
Diagnostic-Code: smtp; {diagnostic}

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


def an_unsubscribe_mail(subject: str) -> bytes:
    """A mail to the address of List-Unsubscribe."""
    return f"From: whoever@example.net\nTo: office@example.org\nSubject: {subject}\n\n".encode()


def nested_parts(levels: int) -> bytes:
    """A mail of parts within parts; 4000 levels are 178 KB."""
    inner = (
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level)
        for level in range(levels)
    )
    return HEAD + b"".join(inner)


def envelope_sender(installation: Installation, recipient: str = "anna@example.org") -> str:
    """Return the envelope sender of the first mail that a recipient got."""
    return next(sender for sender, to in installation.sink.envelopes if to == recipient)


def suppressed_addresses(installation: Installation) -> set[str]:
    with installation.at(MONDAY).reading() as session:
        people = {person.address_hash: person.email for person in session.query(Subscriber)}
        return {people[row.address_hash] for row in session.query(Suppression)}
