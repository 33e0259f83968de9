"""Reports that follow no standard: what their words say about each recipient.

Pure. flufl.bounce, Mailman's library, knows the formats of many mail systems; the rest is read from
the words. A mail counts as a report only where a mail system wrote it, or where it says plainly
that a mail was not delivered: what anybody else writes is a reply, whatever it quotes.
"""

import logging
import re
from collections.abc import Iterator, Sequence

from flufl.bounce import scan_message

from notifier.deliver.bounces import other_mails
from notifier.deliver.bounces.diagnostics import Diagnostic, find_reply_code
from notifier.deliver.bounces.failures import ADDRESS, MOST_NAMED, Failure
from notifier.deliver.bounces.incoming_mail import (
    SEARCHED,
    Part,
    outer_parts_of,
    seen_text,
    text_of,
)
from notifier.deliver.bounces.subjects import Parties
from notifier.deliver.bounces.traces import arrival_addresses
from notifier.enums import BounceKind

# The library would log the text of a mail at which one of its detectors fails.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)

# A line that begins with an address and says something about it.
_ADDRESS_LINE = re.compile(rf"(?m)^[ \t]*[<\"]?({ADDRESS.pattern})[>\"]?[ \t]*(?::[ \t]|:?\r?$)")
# The beginning of the returned mail, in a report without MIME parts.
_RETURNED = re.compile(
    r"(?im)^(?:-+ ?(?:original|unsent|this is a copy|below this line|returned|message header"
    r"|the header)[^\n]*|(?:original )?message(?: headers?)? follows?[.:]?$"
    r"|original message headers:?[ \t]{0,8}\r?$|Received: from|Return-Path:|>? ?Message-ID:)"
)
_QUOTED = re.compile(r"(?m)^[ \t]{0,4}[>|][^\n]*\n?")
# The subject of a report of failure, in the words of mail systems.
_FAILED = re.compile(
    r"(?i)undeliver|unable to deliver|returned (?:mail|to sender)|fail(?:ed|ure)"
    r"|not (?:be )?(?:deliver|sent)|delivery (?:status|problem|error|notif|has)|(?:message"
    r"|mail)[^\n]{0,20} (?:bounced|rejected)|could ?n['’]t|could not|unzustellbar"
    r"|nicht (?:zugestellt|zustellbar)|zustell(?:ung|bar)|non (?:remis|d[ée]livr|distribu)"
    r"|[ée]chec|no (?:se pudo|se ha podido|entregad)|n[ãa]o (?:entreg|foi|p[ôo]de)|devuelt"
    r"|devolvid|mancat|non recapit|impossibile|onbestelbaar|niet (?:bezorgd|afgeleverd)"
    r"|(?:inte|ej) levere|oleverer|ikke levere|nie (?:mo[żz]na )?dor[ęe]cz|niedor[ęe]cz"
    r"|niedostarcz|не доставлен|недоставлен|не вдалося|nedoru[čc]|k[ée]zbes[íi]thetetlen"
    r"|sikertelen|iletilemedi|teslim edileme|ei (?:voitu )?toimit|nelivrat|配信不能|配信でき"
    r"|送信でき|エラー|退信|退件|失败|失敗|无法|無法|未送达|배달되지|반송|실패|לא נמסר|تعذر"
)
# The same in the text of a mail that wants no answer.
_FAILED_BODY = re.compile(
    r"(?i)(?:could|can)(?: ?not|n['’]t) be delivered|(?:was|been) not delivered|undeliverable"
    r"|delivery (?:has )?failed"
)
# A full mailbox (RFC 3463, 3.3).
_FULL_CODE = ".2.2"
# The text about one of several recipients ends this many characters after the address. Chosen by
# hand; not measured.
_LONGEST_PASSAGE = 700
# A shorter plain text says nothing beside the HTML text of the same mail. Chosen by hand.
_SHORTEST = 40


def own_text(message: Part, octets: str) -> str:
    """Return the text of a report without the mail that it returns, cut to a limited length.

    Args:
        message: the mail.
        octets: the mail as it is, for one whose parts are broken.
    """
    outer = list(outer_parts_of(message))
    own = "\n".join(text_of(part) for part in outer if part.get_content_type() == "text/plain")
    if len(own.strip()) < _SHORTEST:
        pages = [text_of(part) for part in outer if part.get_content_type() == "text/html"]
        own = "\n".join([own, *map(seen_text, pages)])
    if not own.strip() and not any(part.get_content_type() == "text/html" for part in outer):
        own = octets.partition("\n\n")[2]
    before = _RETURNED.split(own[: 5 * SEARCHED], maxsplit=1)[0]
    return (before if before.strip() else own)[:SEARCHED]


def read(message: Part, body: str) -> Iterator[Failure]:
    """Yield what a mail that follows no standard says; nothing for a mail that is no report.

    Args:
        message: the mail.
        body: its own text, from `own_text`.
    """
    subject = other_mails.subject_of(message)
    if other_mails.is_from_mail_system(message):
        yield from _of_mail_system(message, subject, body)
    else:
        yield from _of_others(message, subject, _QUOTED.sub("", body))


def _of_mail_system(message: Part, subject: str, body: str) -> Iterator[Failure]:
    """Yield what a mail of a mail system says."""
    diagnostic = Diagnostic(body, Parties(arrival_addresses(message)))
    says_code = bool(diagnostic.status or find_reply_code(body))
    failed = bool(_FAILED.search(subject))
    if other_mails.says_delayed(subject, body, is_final=_is_final(diagnostic, body)):
        yield from _delays(message, body, diagnostic)
    elif other_mails.says_arrived(subject, body, is_doubtful=failed):
        yield Failure(BounceKind.NONE)
    elif not (failed or says_code) and (
        other_mails.says_away(subject) or other_mails.says_challenge(subject, body)
    ):
        yield Failure(BounceKind.AUTOREPLY)
    else:
        yield from _judged(body, diagnostic, _recipients(message, body))


def _is_final(diagnostic: Diagnostic, body: str) -> bool:
    """Return whether a text quotes a code of class 5, and none of class 4."""
    return (diagnostic.status or find_reply_code(body)).startswith("5")


def _delays(message: Part, body: str, diagnostic: Diagnostic) -> Iterator[Failure]:
    """Yield the recipients of a warning; a full mailbox is told, although it is still tried."""
    kind = BounceKind.SOFT if diagnostic.status.endswith(_FULL_CODE) else BounceKind.DELAYED
    for recipient in _recipients(message, body):
        yield Failure(kind, recipient, diagnostic.status, still_tried=True)


def _of_others(message: Part, subject: str, body: str) -> Iterator[Failure]:
    """Yield what a mail says whose sender is no mail system: only a plain failure counts."""
    diagnostic = Diagnostic(body, Parties(arrival_addresses(message)))
    is_automatic, null_sender = (
        other_mails.is_automatic(message),
        other_mails.has_null_sender(message),
    )
    away = other_mails.says_away(subject)
    says_failed = null_sender and _FAILED_BODY.search(body[:SEARCHED])
    failed = bool(_FAILED.search(subject) or says_failed)
    unasked = is_automatic or null_sender
    if (
        unasked
        and failed
        and diagnostic.status.startswith(("4", "5"))
        and not (away or other_mails.is_titled_answer(subject))
    ):
        yield from _judged(body, diagnostic, _recipients(message, body))
    elif is_automatic or away or other_mails.says_challenge(subject, body):
        yield Failure(BounceKind.AUTOREPLY)
    elif other_mails.is_answer(message, subject) or (
        not unasked and other_mails.is_of_a_person(message)
    ):
        yield Failure(BounceKind.NONE)
    elif other_mails.says_delayed(subject, body, is_final=_is_final(diagnostic, body)):
        yield from _delays(message, body, diagnostic)
    elif failed or null_sender:
        known = _recipients_of_known_formats(message)
        says_code = diagnostic.status or find_reply_code(body) or (failed and null_sender)
        if known or (failed and says_code and diagnostic.is_conclusive):
            yield from _judged(body, diagnostic, _recipients(message, body))


def _judged(body: str, diagnostic: Diagnostic, recipients: Sequence[str]) -> Iterator[Failure]:
    """Yield the verdict on each recipient, by the passage about it where there is one."""
    for recipient in recipients:
        passage = _passage_about(body, recipient, recipients)
        nearby = diagnostic.about(passage, recipient) if passage else diagnostic
        if not (nearby.is_conclusive or nearby.status):
            nearby = diagnostic
        status = nearby.status or diagnostic.status
        judgement = nearby.judge(status)
        yield Failure(judgement.kind, recipient, status, subject=judgement.subject)


def _recipients(message: Part, body: str) -> list[str]:
    """Return the addresses that a report names; an empty text for a report that names nobody."""
    named_in_lines = {address.lower() for address in _ADDRESS_LINE.findall(body)}
    known = _recipients_of_known_formats(message)
    named = sorted(
        address
        for address in (known | named_in_lines if known else known)
        if ADDRESS.fullmatch(address)
    )
    return (named or sorted(named_in_lines) or [_first_other_address(message, body)])[:MOST_NAMED]


def _first_other_address(message: Part, body: str) -> str:
    """Return the first address in a text that is in neither To nor From; empty if there is none."""
    fields = " ".join(str(message.get(name, "")) for name in ("To", "From"))
    ours = {address.lower() for address in ADDRESS.findall(fields)}
    addresses = (address.lower() for address in ADDRESS.findall(body))
    return next((address for address in addresses if address not in ours), "")


def _recipients_of_known_formats(message: Part) -> set[str]:
    """Return the failed addresses in a format that flufl.bounce knows."""
    try:
        groups = scan_message(message)
    except Exception:  # noqa: BLE001 - its detectors fail on odd mails; then the words decide
        return set()
    return {_plain_address(address) for group in groups for address in group}


def _plain_address(address: object) -> str:
    text = address.decode("utf-8", "replace") if isinstance(address, bytes) else str(address)
    return text.strip().strip("<>").lower()


def _passage_about(body: str, recipient: str, recipients: Sequence[str]) -> str:
    """Return the passage from a recipient's address to the next one; empty if it is not named."""
    lower = body.lower()
    start = lower.find(recipient) if recipient else -1
    if start < 0:
        return ""
    end = start + _LONGEST_PASSAGE
    next_addresses = [
        place
        for other in recipients
        if other != recipient and (place := lower.find(other, start + 1, end)) > 0
    ]
    return body[start : min([*next_addresses, end])]
