"""Reports: a mail that came back to us becomes a verdict (RFC 3464, 3463, 5965, and the many that follow none of them).

Pure. What follows the standards is read by them; for the rest flufl.bounce (Mailman's) knows the shapes of many
systems. Only what says that the address or its domain is gone is `hard`: a full mailbox, a policy or suspected spam
passes, or is ours to mend, and costs nobody their mails for good.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses

from flufl.bounce import scan_message

from notifier.store.statuses import BounceKind

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.-])([45]\d\d)[ -](?:#?[245]\.\d|\S)")
_ADDRESS = re.compile(r"[A-Za-z0-9_.+=/&'#$%!*?^`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_LEAVE = re.compile(r"(?i)^\s*unsubscribe[ +_]+([\w-]{10,64})\s*$")
_TOKEN = re.compile(r"(?i)\+([0-9a-f]{1,16}-[0-9a-f]{12})@")
_MESSAGE_ID = re.compile(r"(?im)^Message-ID:\s*(<[^<>\s]+>)")
_AWAY = re.compile(
    r"(?i)out of (?:the )?office|vacation|auto(?:matic|mated)?[ -]?(?:reply|response|antwort)|abwesen|absence"
    r"|away from my (?:mail|e-mail|desk)|on holiday|r[ée]ponse automatique|respuesta autom"
)
# The address or its domain is gone.
_GONE = re.compile(
    r"(?i)user (?:is )?unknown|unknown (?:e-?mail )?(?:user|recipient|address|account|mailbox|local)"
    r"|no such (?:user|recipient|mailbox|address|person|domain|account|name|local|e-?mail)"
    r"|(?:user|recipient|address|account|mailbox|e-?mail account|domain)[^\n]{0,80}? (?:does|did|do) ?(?:not|n't) exist"
    r"|(?:user|recipient|address|account|mailbox|alias)[^\n]{0,60}? (?:was |is |could )?(?:not"
    r"|n't) (?:be )?(?:found|known|listed)"
    r"|(?:not|n't) a (?:valid|known|local) (?:mailbox|user|recipient|address|account)|not our customer"
    r"|invalid (?:mailbox|recipient|user|address|local)|mailbox not found|mailbox unavailable or access denied"
    r"|(?:is|was) not (?:a )?(?:known|recogni[sz]ed|valid) |(?:isn't|is not) (?:listed|in)[^\n]{0,40}(?:directory|name)"
    r"|recipient (?:address )?(?:unknown|rejected: (?:user|undeliverable|address|invalid|no such|access denied))"
    r"|no (?:mailbox|account|user) (?:here|by that|with that|found)|this user doesn't have|bad destination mailbox"
    r"|host (?:is )?unknown|unknown host|(?:host|domain)[^\n]{0,60}not found|name or service not known|NXDOMAIN"
    r"|domain (?:name )?(?:is )?(?:unknown|invalid|not exist)|unrouteable (?:mail )?(?:address|domain)|unresolvable"
    r"|has moved|no longer (?:exists|valid|in use|available|works|here|on server|with)|undeliverable address"
    r"|requested action not taken: mailbox unavailable|recipient address rejected\.?\s*$|non-accepted domain"
    r"|domain (?:is )?not reachable|find a mail exchanger|name service error"
    r"|address (?:unknown|error)|all relevant MX records point to non-existent|can't resolve|cannot resolve"
    r"|couldn't find any host named|recipnotfound|not listed in|deactivated|account (?:is )?(?:closed"
    r"|deleted)|inactive user|addressee unknown|invalid final delivery userid"
    r"|\b(?:adresse|compte|bo[iî]te|utilisateur|destinataire|postfach|konto|empf[äa]nger|benutzer|cuenta|buz[oó]n|usuario"
    r"|direcci[oó]n|conta|endere[cç]o|usu[aá]rio|indirizzo|casella|utente)\b[^\n]{0,80} (?:n['’]existe pas"
    r"|existiert nicht|no existe|n[aã]o existe|non esiste)|unbekannter (?:benutzer|empf[äa]nger)"
)
# What passes, whatever class its number has.
_PASSES = re.compile(
    r"(?i)quota|mailbox (?:is )?(?:too )?full|mailbox size|over ?(?:the )?(?:storage|limit)|exceed"
    r"|too (?:large|big|many|long)"
    r"|spam|blacklist|blocklist|black list|blocked|\bRBL\b|reputation|policy|not (?:allowed|permitted"
    r"|authorized)|prohibit"
    r"|content|virus|greylist|try again|temporar|later|timed? ?out|time-?out|expired|connection refused|unreachable"
    r"|loop|at a rate|too many hops|insufficient|disk|system (?:error|full)|DMARC|SPF|DKIM|reverse|PTR"
    r"|authenticat|relaying|relay (?:not|denied|access)"
    r"|rejected due|refused|denied|restricted|suspended|disabled|maintenance|out of memory|unable to connect|suspend"
)
# The mailbox is there, and full: whatever else is said.
_FULL = re.compile(
    r"(?i)mailbox (?:is )?(?:too )?full|over ?quota|quota exceeded|exceeded[^\n]{0,30}quota|mailbox size limit"
)
# Lines that begin with an address, and say something of it.
_NAMED = re.compile(rf"(?m)^[ \t]*[<\"]?({_ADDRESS.pattern})[>\"]?[ \t]*(?::[ \t]|:?\r?$)")
_GONE_CODES = {(1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (2, 1), (4, 4)}


@dataclass(frozen=True)
class Failure:
    """What a report says of one recipient.

    Attributes:
        kind: the verdict.
        recipient: the address, in lower case; empty where the report names nobody.
        status: the enhanced status code (RFC 3463), or an empty text.
        said: the words it goes by.
    """

    kind: BounceKind
    recipient: str = ""
    status: str = ""
    said: str = ""


@dataclass(frozen=True)
class Report:
    """A mail that came back.

    Attributes:
        failures: what it says, of each recipient; one `not_a_bounce` for any other mail.
        tokens: words of ours in its envelope addresses, by which the delivery is known.
        message_ids: of the mails it is about.
        leave_words: of a mail that asks to end a subscription.
    """

    failures: tuple[Failure, ...]
    tokens: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    leave_words: tuple[str, ...] = ()


def read(octets: bytes) -> Report:
    """Judge a mail; anything that is none, or broken, is `not_a_bounce`."""
    message = message_from_bytes(octets)
    text = octets.decode("utf-8", "replace")
    failures = tuple(_failures(message, text)) or (Failure(BounceKind.NONE),)
    found = _LEAVE.match(_decoded(message.get("Subject", "")))
    addresses = " ".join(str(value) for name in _ADDRESSED for value in message.get_all(name, []))
    own = {str(message.get("Message-ID", "")).strip()}
    return Report(
        failures,
        tuple(dict.fromkeys(_TOKEN.findall(f"{addresses} {text}"))),
        tuple(one for one in dict.fromkeys(_MESSAGE_ID.findall(text)) if one not in own),
        (found[1],) if found else (),
    )


_ADDRESSED = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")


def _decoded(value: object) -> str:
    try:
        return str(make_header(decode_header(str(value))))
    except (LookupError, ValueError, UnicodeError):
        return str(value)


def _failures(message: Message, text: str) -> Iterator[Failure]:
    if (kind := _feedback(message)) is not None:
        yield Failure(kind, _complainer(message), said="feedback report")
        return
    reported = list(_delivery_status(message))
    if reported:
        yield from reported
        return
    notified = list(_notifications(text))
    if notified:
        yield from notified
        return
    if _automatic(message):
        yield Failure(BounceKind.AUTOREPLY)
        return
    yield from _unstructured(message, text)


def _parts(message: Message, kind: str) -> Iterator[Message]:
    return (part for part in message.walk() if part.get_content_type() == kind)


def _feedback(message: Message) -> BounceKind | None:
    """The verdict of a feedback report (RFC 5965), where it is one."""
    if "complaint about message from" in _decoded(message.get("Subject", "")).lower():
        return BounceKind.COMPLAINT  # Microsoft's own form: the mail itself is attached
    for part in _parts(message, "message/feedback-report"):
        fields = _fields(_text(part))
        sort = fields.get("feedback-type", "abuse").lower()
        return BounceKind.NONE if sort in ("auth-failure", "not-spam") else BounceKind.COMPLAINT
    return None


def _complainer(message: Message) -> str:
    for part in _parts(message, "message/feedback-report"):
        fields = _fields(_text(part))
        for name in ("original-rcpt-to", "removal-recipient"):
            if found := _ADDRESS.search(fields.get(name, "")):
                return found.group().lower()
    for part in (*_parts(message, "message/rfc822"), *_parts(message, "text/rfc822-headers")):
        if found := re.search(r"(?im)^To:[^\n]*?([^\s<>,;]+@[^\s<>,;]+)", _text(part)):
            return found[1].lower()
    return ""


def _delivery_status(message: Message) -> Iterator[Failure]:
    """What a delivery status notification says, of each recipient (RFC 3464)."""
    notes = " ".join(_text(part) for part in _parts(message, "text/plain"))[:20_000]
    for part in _parts(message, "message/delivery-status"):
        for block in _blocks(_text(part)):
            fields = _fields(block)
            if "final-recipient" not in fields and "action" not in fields:
                continue
            action = fields.get("action", "failed").partition(";")[0].strip().lower()
            named = (
                fields.get("final-recipient")
                or fields.get("original-recipient")
                or fields.get("x-actual-recipient", "")
            )
            recipient = named.rpartition(";")[2].strip().strip("<>").lower()
            diagnostic = fields.get("diagnostic-code", "").partition(";")[2].strip()
            status = _status(fields.get("status", "") + " ", diagnostic)
            if action == "delayed":
                yield Failure(BounceKind.DELAYED, recipient, status, diagnostic)
            elif action in ("delivered", "relayed", "expanded") or status.startswith("2"):
                yield Failure(BounceKind.NONE, recipient, status, diagnostic)
            else:
                said = diagnostic if _telling(diagnostic) else f"{diagnostic} {notes}"
                yield Failure(verdict(status, said), recipient, status, diagnostic[:300])


def _notifications(text: str) -> Iterator[Failure]:
    """What Amazon SES says in JSON (its notification contents), where such a message is forwarded as a mail."""
    sort = re.search(r'"notificationType"\s*:\s*"(Bounce|Complaint)"', text)
    if sort is None:
        return
    kind = BounceKind.COMPLAINT
    if sort[1] == "Bounce":
        kind = BounceKind.HARD if re.search(r'"bounceType"\s*:\s*"Permanent"', text) else BounceKind.SOFT
    status = re.search(r'"status"\s*:\s*"([245]\.\d+\.\d+)"', text)
    for address in dict.fromkeys(re.findall(r'"emailAddress"\s*:\s*"([^"]+)"', text)):
        yield Failure(kind, address.lower(), status[1] if status else "")


def _blocks(text: str) -> Iterator[str]:
    """The groups of fields, one a recipient; some systems leave out the empty line between two."""
    for block in re.split(r"\r?\n[ \t]*\r?\n", text):
        recipients = len(re.findall(r"(?im)^Final-Recipient:", block))
        yield from re.split(r"(?i)\n(?=Final-Recipient:)", block) if recipients > 1 else (block,)


def _status(first: str, diagnostic: str) -> str:
    """The more telling of two status codes: the one in the server's own words, where it has one."""
    for text in (diagnostic, first):
        found = [one for one in _STATUS.finditer(text) if not (one[2] == "0" and one[3] == "0")]
        if found:
            return found[-1].group()
    found_any = _STATUS.search(f"{first} {diagnostic}")
    return found_any.group() if found_any else ""


def status_in(said: str) -> str:
    """The enhanced status code that stands in a server's words; empty where there is none."""
    return _status("", said)


def _telling(said: str) -> bool:
    return bool(_GONE.search(said) or _PASSES.search(said))


def verdict(status: str, said: str) -> BounceKind:
    """Hard only for what says that address or domain is gone; what the words say beats the number."""
    if status.startswith("4") or status.endswith((".1.7", ".1.8")) or _FULL.search(said):
        return BounceKind.SOFT  # for now, or for what is wrong with the sender
    gone, passes = _GONE.search(said), _PASSES.search(said)
    if gone and not (passes and passes.start() < gone.start()):
        return BounceKind.HARD
    if passes:
        return BounceKind.SOFT
    parts = _STATUS.search(status)
    if parts and parts[1] == "5" and (int(parts[2]), int(parts[3])) in _GONE_CODES:
        return BounceKind.HARD
    return BounceKind.HARD if gone else BounceKind.SOFT


def _automatic(message: Message) -> bool:
    """Whether somebody's program answered that they are away (RFC 3834)."""
    submitted = str(message.get("Auto-Submitted", "")).strip().lower()
    if submitted.startswith("auto-replied") or message.get("X-Autoreply") or message.get("X-Autorespond"):
        return not _bounced(message)
    if str(message.get("Precedence", "")).strip().lower() in ("auto_reply", "auto-reply"):
        return True
    return bool(_AWAY.search(_decoded(message.get("Subject", "")))) and not _bounced(message)


def _bounced(message: Message) -> bool:
    sender = str(message.get("From", "")).lower()
    return "mailer-daemon" in sender or "postmaster" in sender or message.get_content_type() == "multipart/report"


def _unstructured(message: Message, text: str) -> Iterator[Failure]:
    """What follows no standard: who is named by a shape that is known, or in the words of a mail system."""
    shapes = _shapes(message)
    body = _body(message, text)
    shapes |= {one.lower() for one in _NAMED.findall(body)} if shapes else set()
    named = sorted(one for one in shapes if _ADDRESS.fullmatch(one))
    if not named and not (_bounced(message) or _from_a_machine(message)):
        return
    if not named and not _bounced(message) and not _telling(body) and not _STATUS.search(body):
        return
    if not named:
        named = sorted({one.lower() for one in _NAMED.findall(body)})
    if not named:
        ours = {
            address.lower() for _, address in getaddresses([str(message.get("To", "")), str(message.get("From", ""))])
        }
        others = [one.lower() for one in _ADDRESS.findall(body) if one.lower() not in ours]
        named = others[:1] or [""]
    for recipient in named:
        said = _about(body, recipient, named)
        status = _status("", said) or _status("", body)
        yield Failure(verdict(status, said), recipient, status)


def _shapes(message: Message) -> set[str]:
    """Whom a mail names in a shape that flufl.bounce knows."""
    try:
        found = scan_message(message)
    except Exception:  # noqa: BLE001 - its detectors trip over odd mails; such a mail is judged by its words
        return set()
    return {_plain_address(one) for group in found for one in group}


def _from_a_machine(message: Message) -> bool:
    subject = _decoded(message.get("Subject", "")).lower()
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
    return str(message.get("Return-Path", "")).strip() == "<>" or any(word in subject for word in words)


def _plain_address(one: object) -> str:
    return (one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one)).strip().strip("<>").lower()


def _body(message: Message, text: str) -> str:
    """The words of the mail itself, without the mail that it returns."""
    own = "\n".join(_text(part) for part in _parts(message, "text/plain")) or text.partition("\n\n")[2]
    cut = re.split(
        r"(?im)^(?:-+ ?(?:original|unsent|this is a copy|below this line|returned|message header|the header)[^\n]*"
        r"|Received: from|Return-Path:|>? ?Message-ID:)",
        own,
        maxsplit=1,
    )[0]
    return (cut if cut.strip() else own)[:20_000]


def _about(body: str, recipient: str, named: Sequence[str]) -> str:
    """What is said behind a recipient's name, up to the next one's; else everything."""
    lower = body.lower()
    at = lower.find(recipient) if recipient else -1
    if at < 0:
        return body
    ends = [place for one in named if one != recipient and (place := lower.find(one, at + 1)) > 0]
    near = body[at : min([*ends, at + 700])]
    return near if _telling(near) or _STATUS.search(near) else body


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if isinstance(payload, bytes):
        return payload.decode("utf-8", "replace")
    inner = part.get_payload()
    if isinstance(inner, list):
        return "\n\n".join(one.as_string() if isinstance(one, Message) else str(one) for one in inner)
    return str(inner)


def _fields(block: str) -> dict[str, str]:
    """Header fields by their name in lower case, unfolded."""
    lines = re.sub(r"\r?\n[ \t]+", " ", block).splitlines()
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
