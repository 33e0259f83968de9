"""Parser of mails that came back: the failures, tokens and Message-IDs in them.

Pure. Reports that follow the standards (RFC 3464, 3463, 5965) are read by them. For the others
flufl.bounce, Mailman's library, knows the formats of many mail systems. Whether a failure is hard
or soft is decided by `diagnostics.py`.

The mails are written by strangers: every expression takes linear time, or reads a text of limited
length.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from flufl.bounce import scan_message

from notifier.deliver.bounces.diagnostics import Diagnostic, choose_status, find_reply_code
from notifier.deliver.bounces.incoming_mail import (
    LARGEST,
    SEARCHED,
    Part,
    decode_header_field,
    header_text,
    parse_mail,
    parts_of,
    text_of,
)
from notifier.deliver.bounces.policy import Evidence, Stage, judge
from notifier.deliver.bounces.subjects import Parties, Subject
from notifier.enums import BounceKind

# The library would log the text of a mail at which one of its detectors fails.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)

_LOCAL = r"[A-Za-z0-9_.+=/&'#$%!*?^`{|}~-]"
_ADDRESS = re.compile(
    rf"(?<!{_LOCAL}){_LOCAL}{{1,64}}@[A-Za-z0-9-]{{1,63}}(?:\.[A-Za-z0-9-]{{1,63}}){{1,20}}"
)
_UNSUBSCRIBE = re.compile(r"(?ai)^\s*unsubscribe[ +_]+([\w-]{16,64})\s*$")
_TOKEN = re.compile(r"(?i)\+([a-z2-7]{38})@")
# Our Message-IDs have this form: 128 random bits as hexadecimal digits.
_MESSAGE_ID = re.compile(r"(?i)<([0-9a-f]{32}@[a-z0-9.-]{1,255})>")
# The subject of an automatic reply. Set on the real bounces that `diagnostics.py` names.
_AWAY = re.compile(
    r"(?i)out of (?:the )?office|vacation|auto(?:matic|mated)?[ -]?(?:reply|response|antwort)"
    r"|abwesen|absence|away from my (?:mail|e-mail|desk)|on holiday|r[ée]ponse automatique"
    r"|respuesta autom"
)
# A line that begins with an address and says something about it.
_ADDRESS_LINE = re.compile(rf"(?m)^[ \t]*[<\"]?({_ADDRESS.pattern})[>\"]?[ \t]*(?::[ \t]|:?\r?$)")
# The beginning of the returned mail, in a report without MIME parts.
_RETURNED = re.compile(
    r"(?im)^(?:-+ ?(?:original|unsent|this is a copy|below this line|returned|message header"
    r"|the header)[^\n]*|Received: from|Return-Path:|>? ?Message-ID:)"
)
# The header fields that hold the address at which a mail arrived.
_ARRIVED_AT = (
    "To",
    "Delivered-To",
    "X-Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "X-Envelope-To",
    "X-RCPT-To",
)
# The most recipients, tokens and identifiers of one mail that are read. Chosen by hand; not
# measured.
_MOST_NAMED = 100
# The most lines of a group of fields, and the longest field in characters. Chosen by hand; not
# measured.
_MOST_LINES, _LONGEST_FIELD = 200, 2_000
# The text about one of several recipients ends this many characters after the address. Chosen by
# hand; not measured.
_LONGEST_PASSAGE = 700


@dataclass(frozen=True)
class Failure:
    """The statement of a report about one recipient.

    Attributes:
        kind: the verdict.
        recipient: the address, in lower case; empty where the report names nobody.
        status: the enhanced status code (RFC 3463), for example ``5.1.1``; empty if there is none.
        text: the diagnostic text; empty if there is none.
        subject: whom or what it is about.
    """

    kind: BounceKind
    recipient: str = ""
    status: str = ""
    text: str = ""
    subject: Subject = Subject.UNKNOWN

    @property
    def evidence(self) -> Evidence:
        """The data of the failure for the bounce policy."""
        code = find_reply_code(self.text)
        return Evidence(self.kind, self.status, code, reported=True, subject=self.subject)


@dataclass(frozen=True)
class Report:
    """A mail that came back.

    Attributes:
        failures: at least one; a single `not_a_bounce` for a mail that is not a report.
        envelope_tokens: texts in the form of our signed tokens, in the addresses at which the mail
            arrived, in lower case.
        tokens: such texts anywhere in the mail, for example in the returned mail.
        message_ids: identifiers in the form of ours in the mail, with angle brackets, without the
            identifier of the mail itself.
        unsubscribe_tokens: the token of a mail that asks to end a subscription.
    """

    failures: tuple[Failure, ...]
    envelope_tokens: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    unsubscribe_tokens: tuple[str, ...] = ()


def read(octets: bytes) -> Report:
    """Parse a mail; one that is not a report, or is broken, is `not_a_bounce`.

    Raises:
        UnreadableMailError: the mail exceeds limits that no real report reaches.
    """
    message = parse_mail(octets)
    text = octets[:LARGEST].decode("utf-8", "replace")
    failures = tuple(islice(_failures(message, text), _MOST_NAMED)) or (Failure(BounceKind.NONE),)
    unsubscribe = _UNSUBSCRIBE.match(decode_header_field(message.get("Subject", "")))
    addresses = " ".join(
        header_text(value) for name in _ARRIVED_AT for value in message.get_all(name, [])
    )
    texts = "\n".join([text, *_encoded_texts(message)])
    own_ids = _distinct(_MESSAGE_ID.findall(header_text(message.get("Message-ID", ""))))
    other_ids = [name for name in _distinct(_MESSAGE_ID.findall(texts)) if name not in own_ids]
    return Report(
        failures,
        _distinct(_TOKEN.findall(addresses)),
        _distinct(_TOKEN.findall(texts)),
        tuple(f"<{name}>" for name in other_ids),
        (unsubscribe[1],) if unsubscribe else (),
    )


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    """Return each word once, in lower case: servers change the case of addresses."""
    return tuple(islice(dict.fromkeys(word.lower() for word in words), _MOST_NAMED))


def _encoded_texts(message: Part) -> Iterator[str]:
    """Yield the decoded texts of parts in base64 or quoted-printable."""
    for part in parts_of(message):
        encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
        if encoding in ("base64", "quoted-printable") and not part.is_multipart():
            yield text_of(part)


def _failures(message: Part, text: str) -> Iterator[Failure]:
    """Yield the failures of a mail from the first of its formats that is recognised."""
    if (kind := _feedback_kind(message)) is not None:
        yield Failure(kind, _complaining_recipient(message), text="feedback report")
        return
    reported = list(_delivery_status(message))
    if reported:
        yield from reported
        return
    notified = list(_amazon_notification(text))
    if notified:
        yield from notified
        return
    if _is_automatic_reply(message):
        yield Failure(BounceKind.AUTOREPLY)
        return
    yield from _unstructured(message, text)


def _feedback_kind(message: Part) -> BounceKind | None:
    """Return the verdict on a feedback report (RFC 5965); None for any other mail."""
    if "complaint about message from" in decode_header_field(message.get("Subject", "")).lower():
        return BounceKind.COMPLAINT  # Microsoft's own format: the mail itself is attached
    for part in parts_of(message, "message/feedback-report"):
        feedback_type = _fields(text_of(part)).get("feedback-type", "abuse").lower()
        if feedback_type in ("auth-failure", "not-spam"):
            return BounceKind.NONE
        return BounceKind.COMPLAINT
    return None


def _complaining_recipient(message: Part) -> str:
    for part in parts_of(message, "message/feedback-report"):
        fields = _fields(text_of(part))
        for name in ("original-rcpt-to", "removal-recipient"):
            if address := _ADDRESS.search(fields.get(name, "")):
                return address.group().lower()
    for part in (*parts_of(message, "message/rfc822"), *parts_of(message, "text/rfc822-headers")):
        if address := _ADDRESS.search(_fields(text_of(part)[:SEARCHED]).get("to", "")):
            return address.group().lower()
    return ""


def _delivery_status(message: Part) -> Iterator[Failure]:
    """Yield the failure of each recipient in a delivery status notification (RFC 3464)."""
    ours = _own_addresses(message)
    text = " ".join(text_of(part) for part in parts_of(message, "text/plain"))
    notes = Diagnostic(text, Parties(ours))
    for part in parts_of(message, "message/delivery-status"):
        for group in _recipient_groups(text_of(part)):
            fields = _fields(group)
            if "final-recipient" in fields or "action" in fields:
                yield _failure_of_group(fields, notes, ours)


def _own_addresses(message: Part) -> tuple[str, ...]:
    """Return the addresses at which a report arrived: those of our envelope."""
    values = (header_text(value) for name in _ARRIVED_AT for value in message.get_all(name, []))
    return _distinct(_ADDRESS.findall(" ".join(values)))


def _failure_of_group(fields: dict[str, str], notes: Diagnostic, ours: tuple[str, ...]) -> Failure:
    """Return the failure in the per-recipient fields of a notification (RFC 3464, 2.3)."""
    action = fields.get("action", "failed").partition(";")[0].strip().lower()
    named = (
        fields.get("final-recipient")
        or fields.get("original-recipient")
        or fields.get("x-actual-recipient", "")
    )
    recipient = named.rpartition(";")[2].strip().strip("<>").lower()
    text = fields.get("diagnostic-code", "").partition(";")[2].strip()
    status = choose_status(fields.get("status", "") + " ", text)
    if action == "delayed":
        return Failure(BounceKind.DELAYED, recipient, status, text)
    if action in ("delivered", "relayed", "expanded") or status.startswith("2"):
        return Failure(BounceKind.NONE, recipient, status, text)
    diagnostic = Diagnostic(text, Parties(ours, recipient))
    clearer = notes if notes.is_clear and not diagnostic.is_clear else diagnostic
    refusal = clearer.refusal(status)
    if refusal.stage is Stage.REPORT:
        refusal = refusal._replace(stage=notes.stage)
    judgement = judge(refusal)
    return Failure(judgement.kind, recipient, status, text, judgement.subject)


def _amazon_notification(text: str) -> Iterator[Failure]:
    """Yield the failures in Amazon SES's notification contents (JSON), forwarded as a mail."""
    notification = re.search(r'"notificationType"\s*:\s*"(Bounce|Complaint)"', text)
    if notification is None:
        return
    kind = BounceKind.COMPLAINT
    if notification[1] == "Bounce":
        permanent = re.search(r'"bounceType"\s*:\s*"Permanent"', text)
        kind = BounceKind.HARD if permanent else BounceKind.SOFT
    status = re.search(r'"status"\s*:\s*"([245]\.\d{1,3}\.\d{1,3})"', text)
    for address in dict.fromkeys(re.findall(r'"emailAddress"\s*:\s*"([^"]{1,320})"', text)):
        yield Failure(kind, address.lower(), status[1] if status else "")


def _recipient_groups(text: str) -> Iterator[str]:
    """Yield the groups of fields, one per recipient; some systems omit the empty line between."""
    for block in re.split(r"\r?\n[ \t]*\r?\n", text):
        recipients = len(re.findall(r"(?im)^Final-Recipient:", block))
        yield from re.split(r"(?i)\n(?=Final-Recipient:)", block) if recipients > 1 else (block,)


def _is_automatic_reply(message: Part) -> bool:
    """Return whether a program answered that somebody is away (RFC 3834)."""
    submitted = str(message.get("Auto-Submitted", "")).strip().lower()
    if (
        submitted.startswith("auto-replied")
        or message.get("X-Autoreply")
        or message.get("X-Autorespond")
    ):
        return not _is_from_mail_system(message)
    if str(message.get("Precedence", "")).strip().lower() in ("auto_reply", "auto-reply"):
        return True
    subject = decode_header_field(message.get("Subject", ""))
    return bool(_AWAY.search(subject)) and not _is_from_mail_system(message)


def _is_from_mail_system(message: Part) -> bool:
    sender = str(message.get("From", "")).lower()
    return (
        "mailer-daemon" in sender
        or "postmaster" in sender
        or message.get_content_type() == "multipart/report"
    )


def _unstructured(message: Part, text: str) -> Iterator[Failure]:
    """Yield the failures in a report that follows no standard, from its words."""
    known_formats = _recipients_of_known_formats(message)
    body = _own_text(message, text)
    ours = _own_addresses(message)
    diagnostic = Diagnostic(body, Parties(ours))
    named_in_lines = {address.lower() for address in _ADDRESS_LINE.findall(body)}
    if known_formats:
        known_formats |= named_in_lines
    recipients = sorted(address for address in known_formats if _ADDRESS.fullmatch(address))
    from_mail_system = _is_from_mail_system(message)
    if not recipients:
        if not (from_mail_system or _looks_like_report(message)):
            return
        if not (from_mail_system or diagnostic.is_conclusive or diagnostic.status):
            return
        recipients = sorted(named_in_lines) or [_first_other_address(message, body)]
    recipients = recipients[:_MOST_NAMED]
    for recipient in recipients:
        nearby = _passage_about(body, recipients, Parties(ours, recipient)) or diagnostic
        status = nearby.status or diagnostic.status
        judgement = judge(nearby.refusal(status))
        yield Failure(judgement.kind, recipient, status, subject=judgement.subject)


def _first_other_address(message: Part, body: str) -> str:
    """Return the first address in a text that is in neither To nor From; empty if there is none."""
    fields = " ".join(str(message.get(name, "")) for name in ("To", "From"))
    ours = {address.lower() for address in _ADDRESS.findall(fields)}
    addresses = (address.lower() for address in _ADDRESS.findall(body))
    return next((address for address in addresses if address not in ours), "")


def _recipients_of_known_formats(message: Part) -> set[str]:
    """Return the failed addresses in a format that flufl.bounce knows."""
    try:
        groups = scan_message(message)
    except Exception:  # noqa: BLE001 - its detectors fail on odd mails; then the words decide
        return set()
    return {_plain_address(address) for group in groups for address in group}


def _looks_like_report(message: Part) -> bool:
    subject = decode_header_field(message.get("Subject", "")).lower()
    words = (
        "undeliver",
        "returned mail",
        "failure",
        "not delivered",
        "delivery",
        "could not",
        "unzustellbar",
        "rejected",
    )
    return str(message.get("Return-Path", "")).strip() == "<>" or any(
        word in subject for word in words
    )


def _plain_address(address: object) -> str:
    text = address.decode("utf-8", "replace") if isinstance(address, bytes) else str(address)
    return text.strip().strip("<>").lower()


def _own_text(message: Part, text: str) -> str:
    """Return the text of a report without the mail that it returns."""
    own = (
        "\n".join(text_of(part) for part in parts_of(message, "text/plain"))
        or text.partition("\n\n")[2]
    )
    before = _RETURNED.split(own[: 5 * SEARCHED], maxsplit=1)[0]
    return (before if before.strip() else own)[:SEARCHED]


def _passage_about(body: str, recipients: Sequence[str], parties: Parties) -> Diagnostic | None:
    """Return the passage from a recipient's address to the next one; None if it says nothing."""
    recipient = parties.recipient
    lower = body.lower()
    start = lower.find(recipient) if recipient else -1
    if start < 0:
        return None
    end = start + _LONGEST_PASSAGE
    next_addresses = [
        place
        for other in recipients
        if other != recipient and (place := lower.find(other, start + 1, end)) > 0
    ]
    passage = Diagnostic(body[start : min([*next_addresses, end])], parties)
    return passage if passage.is_conclusive or passage.status else None


def _fields(block: str) -> dict[str, str]:
    """Return header fields by their names in lower case, unfolded and cut to a limited length."""
    lines = re.sub(r"\r?\n[ \t]+", " ", block).splitlines()
    pairs = (line[:_LONGEST_FIELD].partition(":") for line in lines[:_MOST_LINES] if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
