"""Complaints: reports of a mail provider that a reader called a mail of ours spam (RFC 5965).

Pure. Reads feedback reports, as a part or written into the text, and the older forms of Microsoft
and SpamCop. It does not know whom a complaint is about: that is proven by `reports.py`.
"""

import re

from notifier.deliver.bounces.failures import ADDRESS, Failure, fields_of
from notifier.deliver.bounces.incoming_mail import (
    SEARCHED,
    Part,
    decoded_field,
    parts_of,
    text_of,
)
from notifier.enums import BounceKind

# Reports about our signatures, and about a mail that was wrongly called spam (RFC 5965, 7.3;
# RFC 6591; RFC 6430).
_NO_COMPLAINTS = ("auth-failure", "not-spam", "dmarc", "dkim", "false-positive")
_TYPE_IN_TEXT = re.compile(r"(?im)^[ \t]{0,8}feedback-type[ \t]*:[ \t]*([\w-]{1,40})")
_FIELDS_IN_TEXT = re.compile(
    r"(?im)^[ \t]{0,8}(?:feedback-type|user-agent|version|original-(?:mail-from|rcpt-to)"
    r"|source-ip|arrival-date|reported-domain|removal-recipient)[ \t]*:"
)
# Reports without machine-readable fields: Microsoft's and AOL's return the mail as a part,
# SpamCop's as text.
_OLDER_FORMS = re.compile(
    r"(?i)^(?:complaint about message from |client tos notification|\[?spamcop \()"
)
_RETURNED = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")


def read(message: Part, own_text: str) -> Failure | None:
    """Return the statement of a feedback report; None for any other mail.

    Args:
        message: the mail.
        own_text: what the mail says itself, without the mail that it returns.
    """
    for part in parts_of(message, "message/feedback-report"):
        fields = fields_of(text_of(part))
        return _complaint(message, fields, fields.get("feedback-type", "abuse"))
    in_text = _TYPE_IN_TEXT.search(own_text)
    if in_text is not None and len(_FIELDS_IN_TEXT.findall(own_text)) > 1:
        return _complaint(message, fields_of(own_text[in_text.start() :]), in_text[1])
    report_type = str(message.get_param("report-type", "")).lower()
    if message.get_content_type() == "multipart/report" and report_type == "feedback-report":
        return _complaint(message, {}, "abuse")
    if message.get("X-Apple-Unsubscribe"):  # the button of a mail program, without our token
        return Failure(
            BounceKind.COMPLAINT, _first_address(decoded_field(message, "From")), text="opt-out"
        )
    subject = decoded_field(message, "Subject").strip()
    if _OLDER_FORMS.match(subject) and (_returned(message) or "spamcop" in subject.lower()):
        return _complaint(message, {}, "abuse")
    return None


def _complaint(message: Part, fields: dict[str, str], feedback_type: str) -> Failure:
    kind = feedback_type.partition(";")[0].strip().lower()
    if kind.startswith(_NO_COMPLAINTS):
        return Failure(BounceKind.NONE, text="feedback report")
    return Failure(BounceKind.COMPLAINT, _recipient(message, fields), text="feedback report")


def _recipient(message: Part, fields: dict[str, str]) -> str:
    """Return the address that complained, where the report names it."""
    for name in ("original-rcpt-to", "removal-recipient"):
        if address := ADDRESS.search(fields.get(name, "")):
            return address.group().lower()
    for part in _returned(message):
        if address := ADDRESS.search(fields_of(text_of(part)[:SEARCHED]).get("to", "")):
            return address.group().lower()
    return ""


def _first_address(text: str) -> str:
    address = ADDRESS.search(text)
    return address[0].lower() if address else ""


def _returned(message: Part) -> list[Part]:
    return [part for part in parts_of(message) if part.get_content_type() in _RETURNED]
