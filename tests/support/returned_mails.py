"""Builders of mails that come back: each form of report, and each mail that is none.

All servers, people and texts are made up; the words are those of the systems that they imitate.
"""

import base64
import json
import quopri

PERSON = "anna@people.test"
BOUNCE = "bounce+abc@example.org"
SYSTEM = "Mail Delivery System <MAILER-DAEMON@mx.people.test>"
GONE = "550 5.1.1 <anna@people.test>: Recipient address rejected: User unknown"


def mail(
    text: str,
    subject: str = "Undelivered Mail Returned to Sender",
    sender: str = SYSTEM,
    fields: tuple[str, ...] = (),
    kind: str = "text/plain; charset=utf-8",
    return_path: str = "<>",
) -> bytes:
    """A mail with one part."""
    head = [f"From: {sender}", f"To: {BOUNCE}", f"Subject: {subject}", *fields]
    if return_path:
        head.insert(0, f"Return-Path: {return_path}")
    if not any(field.lower().startswith("content-type:") for field in fields):
        head.append(f"Content-Type: {kind}")
    return ("\n".join(head) + "\n\n" + text + "\n").encode("utf-8", "surrogateescape")


def parts(*inner: str, kind: str = "mixed", **given: object) -> bytes:
    """A mail of several parts; each is its fields, an empty line and its text."""
    body = "".join(f"--b1\n{part}\n" for part in inner) + "--b1--\n"
    return mail(body, kind=f'multipart/{kind}; boundary="b1"', **given)  # type: ignore[arg-type]


def text(words: str) -> str:
    return f"Content-Type: text/plain; charset=utf-8\n\n{words}\n"


def report(*groups: str, kind: str = "delivery-status", words: str = "", **given: object) -> bytes:
    """A delivery status notification (RFC 3464, RFC 6533) with these groups of fields."""
    fields = "Reporting-MTA: dns; mx.people.test\n\n" + "\n\n".join(groups)
    status = f"Content-Type: message/{kind}\n\n{fields}\n"
    return parts(text(words or "This is the mail system."), status, kind="report", **given)


def group(action: str, status: str, diagnostic: str = "", recipient: str = PERSON) -> str:
    lines = [f"Final-Recipient: rfc822; {recipient}", f"Action: {action}", f"Status: {status}"]
    return "\n".join([*lines, *([f"Diagnostic-Code: smtp; {diagnostic}"] if diagnostic else [])])


def page(words: str, encoding: str = "base64", **given: object) -> bytes:
    """A report that is an HTML page alone."""
    octets = f"<html><head><style>p {{ }}</style></head><body><p>{words}</p></body></html>".encode()
    packed = base64.encodebytes(octets) if encoding == "base64" else quopri.encodestring(octets)
    fields = ("Content-Type: text/html; charset=utf-8", f"Content-Transfer-Encoding: {encoding}")
    return mail(packed.decode(), fields=fields, **given)  # type: ignore[arg-type]


def event(value: object, **given: object) -> bytes:
    """An event of a sending service, mailed as JSON."""
    given = {"subject": "Notification", "sender": "no-reply@hooks.test", **given}
    return mail(json.dumps(value), return_path="<x@hooks.test>", **given)  # type: ignore[arg-type]


def amazon(kind: str, **facts: object) -> dict[str, object]:
    """A notification of Amazon SES."""
    mailed = {"source": BOUNCE, "destination": [PERSON], "messageId": "0101-abc"}
    return {"notificationType": kind, "mail": mailed, **facts}


def bounced(kind: str, diagnostic: str = "", subtype: str = "General") -> dict[str, object]:
    recipient = {"emailAddress": PERSON, "action": "failed", "status": "5.1.1"}
    if diagnostic:
        recipient["diagnosticCode"] = f"smtp; {diagnostic}"
    return {"bounceType": kind, "bounceSubType": subtype, "bouncedRecipients": [recipient]}


def complaint(fields: str = "Feedback-Type: abuse", returned: str = "", **given: object) -> bytes:
    """A feedback report (RFC 5965)."""
    inner = [
        text("This is an abuse report."),
        f"Content-Type: message/feedback-report\n\n{fields}\n",
    ]
    if returned:
        inner.append(f"Content-Type: message/rfc822\n\n{returned}\n")
    given = {"subject": "FW: News", "sender": "fbl@provider.test", **given}
    return parts(*inner, kind="report; report-type=feedback-report", **given)


def away(subject: str, words: str = "I am away.", *fields: str, **given: object) -> bytes:
    """An automatic reply of a person's mailbox."""
    given = {"sender": f"Anna <{PERSON}>", **given}
    return mail(words, subject=subject, fields=fields, **given)  # type: ignore[arg-type]
