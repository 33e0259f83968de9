"""Reports: a mail that came back to us becomes a verdict (RFC 3464, 3463, 5965, and the many that follow none of them).

Pure. What follows the standards is read by them; for the rest flufl.bounce (Mailman's) knows the
shapes of many systems. Only what says that the address or its domain is gone is `hard`: a full
mailbox, a policy or suspected spam passes, or is ours to mend, and costs nobody their mails for
good.

What a mail says is written by strangers: every expression here takes linear time, or sees a bounded
text.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from flufl.bounce import scan_message

from notifier.deliver.bounces.incoming_mail import (
    LARGEST,
    SEARCHED,
    Part,
    decoded,
    parsed,
    parts,
    readable,
    text_of,
)
from notifier.enums import BounceKind

# It would log what a mail holds when one of its detectors trips.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)

_STATUS = re.compile(r"(?a)(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?a)(?<![\d.-])([45]\d\d)(?![\d.])")
_LOCAL = r"[A-Za-z0-9_.+=/&'#$%!*?^`{|}~-]"
_ADDRESS = re.compile(
    rf"(?<!{_LOCAL}){_LOCAL}{{1,64}}@[A-Za-z0-9-]{{1,63}}(?:\.[A-Za-z0-9-]{{1,63}}){{1,20}}"
)
_LEAVE = re.compile(r"(?ai)^\s*unsubscribe[ +_]+([\w-]{16,64})\s*$")
_TOKEN = re.compile(r"(?i)\+([a-z2-7]{38})@")
# Our own have this form: 128 random bits in hexadecimal digits.
_MESSAGE_ID = re.compile(r"(?i)<([0-9a-f]{32}@[a-z0-9.-]{1,255})>")
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
# Where a mail that is returned begins, in a report without parts.
_RETURNED = re.compile(
    r"(?im)^(?:-+ ?(?:original|unsent|this is a copy|below this line|returned|message header|the header)[^\n]*"
    r"|Received: from|Return-Path:|>? ?Message-ID:)"
)
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
        envelope_tokens: words like ours in the addresses that the mail itself was sent to.
        tokens: such words anywhere else, where a returned mail stands.
        message_ids: identifiers of the form of ours that stand in it, without the mail's own.
        unsubscribe_tokens: of a mail that asks to end a subscription.
    """

    failures: tuple[Failure, ...]
    envelope_tokens: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    unsubscribe_tokens: tuple[str, ...] = ()


# Where a mail says which address it arrived at.
_ADDRESSED = (
    "To",
    "Delivered-To",
    "X-Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "X-Envelope-To",
    "X-RCPT-To",
)
# So many recipients, words and identifiers of one mail are looked at.
_MOST_NAMED = 100
# A group of fields in a report has no more lines, and no longer ones.
_MOST_LINES, _LONGEST_FIELD = 200, 2_000


def read(octets: bytes) -> Report:
    """Judge a mail; anything that is none, or broken, is `not_a_bounce`.

    Raises:
        UnreadableMailError: it exceeds what any real report has.
    """
    message = parsed(octets)
    text = octets[:LARGEST].decode("utf-8", "replace")
    failures = tuple(islice(_failures(message, text), _MOST_NAMED)) or (Failure(BounceKind.NONE),)
    leave = _LEAVE.match(decoded(message.get("Subject", "")))
    addresses = " ".join(
        readable(value) for name in _ADDRESSED for value in message.get_all(name, [])
    )
    bodies = "\n".join([text, *_encoded_texts(message)])
    own = _distinct(_MESSAGE_ID.findall(readable(message.get("Message-ID", ""))))
    return Report(
        failures,
        _distinct(_TOKEN.findall(addresses)),
        _distinct(_TOKEN.findall(bodies)),
        tuple(f"<{name}>" for name in _distinct(_MESSAGE_ID.findall(bodies)) if name not in own),
        (leave[1],) if leave else (),
    )


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    """The words in lower case, each once: servers change the case of addresses (RFC 5321, 2.4)."""
    return tuple(islice(dict.fromkeys(word.lower() for word in words), _MOST_NAMED))


def _encoded_texts(message: Part) -> Iterator[str]:
    """The texts whose words cannot be found in the mail as it stands."""
    for part in parts(message):
        encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
        if encoding in ("base64", "quoted-printable") and not part.is_multipart():
            yield text_of(part)


def _failures(message: Part, text: str) -> Iterator[Failure]:
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


def _feedback(message: Part) -> BounceKind | None:
    """The verdict of a feedback report (RFC 5965), where it is one."""
    if "complaint about message from" in decoded(message.get("Subject", "")).lower():
        return BounceKind.COMPLAINT  # Microsoft's own form: the mail itself is attached
    for part in parts(message, "message/feedback-report"):
        fields = _fields(text_of(part))
        sort = fields.get("feedback-type", "abuse").lower()
        return BounceKind.NONE if sort in ("auth-failure", "not-spam") else BounceKind.COMPLAINT
    return None


def _complainer(message: Part) -> str:
    for part in parts(message, "message/feedback-report"):
        fields = _fields(text_of(part))
        for name in ("original-rcpt-to", "removal-recipient"):
            if found := _ADDRESS.search(fields.get(name, "")):
                return found.group().lower()
    for part in (*parts(message, "message/rfc822"), *parts(message, "text/rfc822-headers")):
        if address := _ADDRESS.search(_fields(text_of(part)[:SEARCHED]).get("to", "")):
            return address.group().lower()
    return ""


def _delivery_status(message: Part) -> Iterator[Failure]:
    """What a delivery status notification says, of each recipient (RFC 3464)."""
    notes = _Words(" ".join(text_of(part) for part in parts(message, "text/plain")))
    for part in parts(message, "message/delivery-status"):
        for block in _blocks(text_of(part)):
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
                own = _Words(diagnostic)
                yield Failure(
                    _verdict(status, own if own.telling else notes), recipient, status, diagnostic
                )


def _notifications(text: str) -> Iterator[Failure]:
    """What Amazon SES says in JSON (its notification contents), where such a message is forwarded as a mail."""
    sort = re.search(r'"notificationType"\s*:\s*"(Bounce|Complaint)"', text)
    if sort is None:
        return
    kind = BounceKind.COMPLAINT
    if sort[1] == "Bounce":
        kind = (
            BounceKind.HARD
            if re.search(r'"bounceType"\s*:\s*"Permanent"', text)
            else BounceKind.SOFT
        )
    status = re.search(r'"status"\s*:\s*"([245]\.\d{1,3}\.\d{1,3})"', text)
    for address in dict.fromkeys(re.findall(r'"emailAddress"\s*:\s*"([^"]{1,320})"', text)):
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


def code_of(status: str, said: str) -> str:
    """The reason of a failure in a code: the enhanced status (``5.1.1``), else the reply code (``550``), else empty."""
    code = _CODE.search(said[:SEARCHED])
    return status or (code[1] if code else "")


class _Words:
    """What somebody says of a failure, each expression searched for once, in a bounded text."""

    def __init__(self, text: str) -> None:
        self._text = text[:SEARCHED]

    @cached_property
    def gone(self) -> re.Match[str] | None:
        return _GONE.search(self._text)

    @cached_property
    def passes(self) -> re.Match[str] | None:
        return _PASSES.search(self._text)

    @cached_property
    def full(self) -> bool:
        return bool(_FULL.search(self._text))

    @cached_property
    def status(self) -> str:
        return _status("", self._text)

    @property
    def telling(self) -> bool:
        return bool(self.gone or self.passes)


def verdict(status: str, said: str) -> BounceKind:
    """Hard only for what says that address or domain is gone; what the words say beats the number."""
    return _verdict(status, _Words(said))


def _verdict(status: str, words: _Words) -> BounceKind:
    if status.startswith("4") or status.endswith((".1.7", ".1.8")) or words.full:
        return BounceKind.SOFT  # for now, or for what is wrong with the sender
    gone, passes = words.gone, words.passes
    if gone and not (passes and passes.start() < gone.start()):
        return BounceKind.HARD
    if passes:
        return BounceKind.SOFT
    code = _STATUS.search(status)
    if code and code[1] == "5" and (int(code[2]), int(code[3])) in _GONE_CODES:
        return BounceKind.HARD
    return BounceKind.HARD if gone else BounceKind.SOFT


def _automatic(message: Part) -> bool:
    """Whether somebody's program answered that they are away (RFC 3834)."""
    submitted = str(message.get("Auto-Submitted", "")).strip().lower()
    if (
        submitted.startswith("auto-replied")
        or message.get("X-Autoreply")
        or message.get("X-Autorespond")
    ):
        return not _bounced(message)
    if str(message.get("Precedence", "")).strip().lower() in ("auto_reply", "auto-reply"):
        return True
    return bool(_AWAY.search(decoded(message.get("Subject", "")))) and not _bounced(message)


def _bounced(message: Part) -> bool:
    sender = str(message.get("From", "")).lower()
    return (
        "mailer-daemon" in sender
        or "postmaster" in sender
        or message.get_content_type() == "multipart/report"
    )


def _unstructured(message: Part, text: str) -> Iterator[Failure]:
    """What follows no standard: who is named by a shape that is known, or in the words of a mail system."""
    shapes = _shapes(message)
    body = _body(message, text)
    words = _Words(body)
    shapes |= {one.lower() for one in _NAMED.findall(body)} if shapes else set()
    named = sorted(one for one in shapes if _ADDRESS.fullmatch(one))
    if not named and not (_bounced(message) or _from_a_machine(message)):
        return
    if not named and not _bounced(message) and not words.telling and not words.status:
        return
    if not named:
        named = sorted({one.lower() for one in _NAMED.findall(body)})
    if not named:
        fields = " ".join(str(message.get(name, "")) for name in ("To", "From"))
        ours = {address.lower() for address in _ADDRESS.findall(fields)}
        others = [one.lower() for one in _ADDRESS.findall(body) if one.lower() not in ours]
        named = others[:1] or [""]
    for recipient in named[:_MOST_NAMED]:
        near = _about(body, recipient, named[:_MOST_NAMED]) or words
        yield Failure(
            _verdict(near.status or words.status, near), recipient, near.status or words.status
        )


def _shapes(message: Part) -> set[str]:
    """Whom a mail names in a shape that flufl.bounce knows."""
    try:
        found = scan_message(message)
    except Exception:  # noqa: BLE001 - its detectors trip over odd mails; such a mail is judged by its words
        return set()
    return {_plain_address(one) for group in found for one in group}


def _from_a_machine(message: Part) -> bool:
    subject = decoded(message.get("Subject", "")).lower()
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


def _plain_address(one: object) -> str:
    return (
        (one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one))
        .strip()
        .strip("<>")
        .lower()
    )


def _body(message: Part, text: str) -> str:
    """The words of the mail itself, without the mail that it returns."""
    own = (
        "\n".join(text_of(part) for part in parts(message, "text/plain"))
        or text.partition("\n\n")[2]
    )
    cut = _RETURNED.split(own[: 5 * SEARCHED], maxsplit=1)[0]
    return (cut if cut.strip() else own)[:SEARCHED]


def _about(body: str, recipient: str, named: Sequence[str]) -> _Words | None:
    """What is said behind a recipient's name, up to the next one's; None where that tells nothing."""
    lower = body.lower()
    at = lower.find(recipient) if recipient else -1
    if at < 0:
        return None
    ends = [
        place
        for one in named
        if one != recipient and (place := lower.find(one, at + 1, at + 700)) > 0
    ]
    near = _Words(body[at : min([*ends, at + 700])])
    return near if near.telling or near.status else None


def _fields(block: str) -> dict[str, str]:
    """Header fields by their name in lower case, unfolded and cut to a length that real ones have."""
    lines = re.sub(r"\r?\n[ \t]+", " ", block).splitlines()
    pairs = (line[:_LONGEST_FIELD].partition(":") for line in lines[:_MOST_LINES] if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
