"""Notifications of sending services: events in JSON, as a service mails them or a hook forwards.

Pure. Reads the events of Amazon SES (also inside SNS), Mailgun, Postmark, SparkPost, SendGrid,
Brevo, Mandrill and Mailjet. The service's word for the event counts where its quotation of the
recipient's server decides nothing (`diagnostics.py`).
"""

import json
import re
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any

from notifier.deliver.bounces.diagnostics import STATUS_CODE, Diagnostic, choose_status
from notifier.deliver.bounces.failures import ADDRESS, MOST_NAMED, Failure
from notifier.deliver.bounces.subjects import Parties, Subject
from notifier.enums import BounceKind

# The characters of a text in which events are looked for, the objects of one that are visited, and
# the levels of JSON inside a string of JSON. Chosen by hand; not measured.
_LONGEST, _MOST_OBJECTS, _MOST_LEVELS = 200_000, 1_000, 2
_JSON = json.JSONDecoder(strict=False)
_SIGNS = re.compile(
    r'(?i)"(?:notificationType|eventType|RecordType|event|event-data|message_event|bounceType)'
    r'\\?"\s*:'
)
_EVENTS = {
    # Amazon SES, in notificationType or eventType.
    "complaint": BounceKind.COMPLAINT,
    "deliverydelay": BounceKind.DELAYED,
    "delivery": BounceKind.NONE,
    "reject": BounceKind.SOFT,
    # Postmark, in its RecordType and Type.
    "hardbounce": BounceKind.HARD,
    "softbounce": BounceKind.SOFT,
    "transient": BounceKind.DELAYED,
    "spamnotification": BounceKind.SOFT,
    "spamcomplaint": BounceKind.COMPLAINT,
    "autoresponder": BounceKind.AUTOREPLY,
    "challengeverification": BounceKind.AUTOREPLY,
    "addresschange": BounceKind.AUTOREPLY,
    "blocked": BounceKind.SOFT,
    "dnserror": BounceKind.SOFT,
    "bademailaddress": BounceKind.HARD,
    # Mailgun, SparkPost, SendGrid, Brevo, Mandrill and Mailjet, in event or type.
    "failed": BounceKind.HARD,
    "complained": BounceKind.COMPLAINT,
    "bounce": BounceKind.HARD,
    "bounced": BounceKind.HARD,
    "out_of_band": BounceKind.HARD,
    "policy_rejection": BounceKind.SOFT,
    "spam_complaint": BounceKind.COMPLAINT,
    "spamreport": BounceKind.COMPLAINT,
    "spam": BounceKind.COMPLAINT,
    "hard_bounce": BounceKind.HARD,
    "soft_bounce": BounceKind.SOFT,
    "invalid_email": BounceKind.HARD,
    "dropped": BounceKind.SOFT,
    "delay": BounceKind.DELAYED,
    "deferred": BounceKind.DELAYED,
    "deferral": BounceKind.DELAYED,
    "delivered": BounceKind.NONE,
}
_EVENT_KEYS = ("notificationtype", "eventtype", "event", "type", "recordtype")
_ADDRESS_KEYS = ("emailaddress", "recipient", "email", "rcpt_to")
_TEXT_KEYS = ("diagnosticcode", "description", "details", "raw_reason", "reason", "error", "diag")
# Words of a service, beside the event, that say that a failure passes or is not about the address.
_PASSES = re.compile(
    r"(?i)^(?:transient|undetermined|temporary|soft|blocked|suppressed"
    r"|onaccountsuppressionlist|policy|content|suppress-.*|mailboxfull|messagetoolarge"
    r"|contentrejected|attachmentrejected)$"
)
# The events by which Brevo, Mailjet and Mandrill say that they did not send a mail at all: nearly
# always because their own list holds the address back, which bounced or complained before.
_HELD_BACK = frozenset(("blocked", "reject"))
# The words of SparkPost's own answer for such an address (554 5.7.1).
_SUPPRESSED = re.compile(r"(?i)address was suppressed due to (?:customer|system) policy")
# What Mailjet says a failure is related to, where that is neither the address nor its domain.
_RELATED = {
    "content": Subject.CONTENT,
    "spam": Subject.CONTENT,
    "policy": Subject.POLICY,
    "system": Subject.LOAD,
}
# Words of a service that say that a failure is about us, where it quotes no server.
_ABOUT_US = {
    "blocked": Subject.POLICY,
    "policy": Subject.POLICY,
    "policy_rejection": Subject.POLICY,
    "content": Subject.CONTENT,
    "contentrejected": Subject.CONTENT,
    "attachmentrejected": Subject.CONTENT,
    "messagetoolarge": Subject.CONTENT,
    "spamnotification": Subject.CONTENT,
    "reject": Subject.CONTENT,
    "invalid-sender": Subject.SENDER,
    "unsigned": Subject.SENDER,
    "rule": Subject.POLICY,
    "test-mode-limit": Subject.LOAD,
}
_QUALIFYING_KEYS = ("bouncetype", "bouncesubtype", "severity", "type", "reason", "bounce_type")


def read(text: str) -> list[Failure]:
    """Return what the events in a text say; empty for a text without any.

    Args:
        text: the decoded text of the mail.
    """
    text = text[:_LONGEST]
    if not _SIGNS.search(text):
        return []
    document = _document(text)
    if document is not None:
        statements = (
            failure for event, record in _events(document) for failure in _of_event(event, record)
        )
        if failures := list(islice(dict.fromkeys(statements), MOST_NAMED)):
            return failures
    return _of_amazon(text)


def _document(text: str) -> object:
    """Return the first object or list of JSON in a text; None if there is none."""
    for start in [text.find(sign) for sign in ("{", "[")]:
        if start < 0:
            continue
        try:
            document, _ = _JSON.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if document:
            return document
    return None


def _events(document: object) -> Iterator[tuple[BounceKind, dict[str, Any]]]:
    """Yield the outermost objects that are events, also those in strings of JSON."""
    waiting = deque([(document, 0)])
    for _ in range(_MOST_OBJECTS):
        if not waiting:
            return
        value, level = waiting.popleft()
        if isinstance(value, dict):
            event = _event_of(value)
            if event is not None:
                yield event, value
            else:
                waiting.extend((child, level) for child in islice(value.values(), MOST_NAMED))
        elif isinstance(value, list):
            waiting.extend((child, level) for child in value[:MOST_NAMED])
        elif isinstance(value, str) and value.lstrip()[:1] == "{" and level < _MOST_LEVELS:
            waiting.append((_document(value), level + 1))


def _of_event(event: BounceKind, record: dict[str, Any]) -> Iterator[Failure]:
    """Yield what an event says about each address that it names."""
    facts = _flattened(record)
    if facts.get("complaintfeedbacktype") == ["not-spam"]:
        event = BounceKind.NONE
    recipients = [part for part in _inner_objects(record) if _addresses(_own_words(part))]
    if not recipients:
        yield Failure(event)
    for part in recipients:
        own = _flattened(part)
        text = _text_in(own) or _text_in(facts)
        status = choose_status(" ".join(own.get("status") or facts.get("status", [])) + " ", text)
        for address in _addresses(_own_words(part)):
            diagnostic = Diagnostic(text, Parties(recipient=address.lower()))
            kind = event
            if event is BounceKind.HARD:
                kind = _verdict(facts, diagnostic, status, text)
            subject = diagnostic.refusal(status).subject
            if kind is BounceKind.SOFT:
                subject = _subject_of(subject, facts, text)
            yield Failure(kind, address, status, text, subject=subject)


def _subject_of(quoted: Subject, facts: dict[str, list[str]], text: str) -> Subject:
    """Return whom a failure is about that may pass; `UNKNOWN` if nothing says it.

    Args:
        quoted: the subject of the words that the service quotes. They count where a server may
            have said them.
        facts: the event.
        text: these words.
    """
    if (related := _related_to_us(facts)) is not None:
        return related
    if quoted is not Subject.UNKNOWN and not _is_held_back(facts, text):
        return quoted
    keys = (*_QUALIFYING_KEYS, *_EVENT_KEYS)
    words = {word.lower() for key in keys for word in facts.get(key, [])}
    # Beside a bounce, "blocked" says that a server refused us; as the event, that none was asked.
    words -= _event_words(facts) & _HELD_BACK
    return next((_ABOUT_US[word] for word in _ABOUT_US if word in words), Subject.UNKNOWN)


def _related_to_us(facts: dict[str, list[str]]) -> Subject | None:
    """Return the subject that Mailjet names for a failure; None where it is about the address."""
    related = (word.lower() for word in facts.get("error_related_to", []))
    return next((_RELATED[word] for word in related if word in _RELATED), None)


def _is_held_back(facts: dict[str, list[str]], text: str) -> bool:
    """Return whether the service itself held a mail back: no server saw it or said anything."""
    return bool(_event_words(facts) & _HELD_BACK or _SUPPRESSED.search(text))


def _event_words(facts: dict[str, list[str]]) -> set[str]:
    return {word.lower() for word in facts.get("event", [])}


def _inner_objects(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    waiting: deque[object] = deque([record])
    for _ in range(_MOST_OBJECTS):
        if not waiting:
            return
        value = waiting.popleft()
        if isinstance(value, dict):
            yield value
            waiting.extend(islice(value.values(), MOST_NAMED))
        elif isinstance(value, list):
            waiting.extend(value[:MOST_NAMED])


def _own_words(record: dict[str, Any]) -> dict[str, str]:
    """Return the texts that stand directly in an object, by their keys in lower case."""
    return {
        key.lower(): value
        for key, value in islice(record.items(), MOST_NAMED)
        if isinstance(value, str)
    }


def _addresses(words: dict[str, str]) -> list[str]:
    named = [words[key] for key in _ADDRESS_KEYS if "@" in words.get(key, "")]
    return [address[0].lower() for name in named if (address := ADDRESS.search(name))]


def _text_in(facts: dict[str, list[str]]) -> str:
    """Return the words of the recipient's server, or of the service about it."""
    quoted = [word for key in _TEXT_KEYS for word in facts.get(key, []) if " " in word]
    return quoted[0] if quoted else " ".join(facts.get("message", []))


def _event_of(record: dict[str, Any]) -> BounceKind | None:
    """Return the kind of the event that an object is; None for an object that is no event."""
    keys = {key.lower(): value for key, value in record.items() if isinstance(value, str)}
    words = [keys[key].lower() for key in _EVENT_KEYS if key in keys]
    if not words:
        return None
    # Postmark's records have a type beside "Bounce", which says more.
    kinds = [_EVENTS[word] for word in words if word in _EVENTS]
    if "recordtype" in keys or "typecode" in {key.lower() for key in record}:
        kind = _EVENTS.get(keys.get("type", "").lower())
        return kind or (kinds[-1] if kinds else None)
    return kinds[0] if kinds else None


def _verdict(
    facts: dict[str, list[str]], diagnostic: Diagnostic, status: str, text: str
) -> BounceKind:
    """Return the verdict on a bounce: by the server's words, then by those of the service."""
    if "temporary" in facts.get("severity", []):  # Mailgun goes on trying, and says how it ended
        return BounceKind.DELAYED
    qualified = [word for key in _QUALIFYING_KEYS for word in facts.get(key, [])]
    if any(_PASSES.match(word) for word in qualified) or facts.get("hard_bounce") == ["False"]:
        return BounceKind.SOFT
    if _related_to_us(facts) is not None or _is_held_back(facts, text):
        return BounceKind.SOFT
    if diagnostic.is_conclusive or status.startswith("4"):
        return diagnostic.judge(status).kind
    return BounceKind.HARD


def _flattened(record: dict[str, Any]) -> dict[str, list[str]]:
    """Return the texts, numbers and truths of an object and those inside it, by their last key."""
    facts: dict[str, list[str]] = {}
    waiting: deque[tuple[str, object]] = deque([("", record)])
    for _ in range(_MOST_OBJECTS):
        if not waiting:
            break
        key, value = waiting.popleft()
        if isinstance(value, dict):
            inner = islice(value.items(), MOST_NAMED)
            waiting.extend((str(name).lower(), child) for name, child in inner)
        elif isinstance(value, list):
            waiting.extend((key, child) for child in value[:MOST_NAMED])
        elif isinstance(value, str | int) and value != "":
            facts.setdefault(key, []).append(str(value))
    return facts


def _of_amazon(text: str) -> list[Failure]:
    """Return the failures in Amazon SES's notification that a mail program broke."""
    text = text.replace('\\"', '"')
    notification = re.search(r'"(?:notification|event)Type"\s*:\s*"(Bounce|Complaint)"', text)
    if notification is None:
        return []
    kind = BounceKind.COMPLAINT
    if notification[1] == "Bounce":
        permanent = re.search(r'"bounceType"\s*:\s*"Permanent"', text)
        kind = BounceKind.HARD if permanent else BounceKind.SOFT
    status = re.search(r'"status"\s*:\s*"([245]\.\d{1,3}\.\d{1,3})"', text)
    addresses = dict.fromkeys(re.findall(r'"emailAddress"\s*:\s*"([^"]{1,320})"', text))
    code = status[1] if status and STATUS_CODE.fullmatch(status[1]) else ""
    return [Failure(kind, address.lower(), code) for address in islice(addresses, MOST_NAMED)]
