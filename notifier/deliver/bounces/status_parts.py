"""Delivery status notifications: what their fields say about each recipient (RFC 3464, RFC 6533).

Pure. The fields are read where the standards put them, and where a gateway wrote them into the
text. Whose fault a failure is decides `policy.py`.
"""

import re
from collections.abc import Iterator

from notifier.deliver.bounces.diagnostics import Diagnostic, choose_status
from notifier.deliver.bounces.failures import Failure, fields_of
from notifier.deliver.bounces.incoming_mail import Part, parts_of, text_of
from notifier.deliver.bounces.policy import Stage, judge
from notifier.deliver.bounces.subjects import Parties
from notifier.deliver.bounces.traces import arrival_addresses
from notifier.enums import BounceKind

_TYPES = ("message/delivery-status", "message/global-delivery-status")
# A field that each group has once: its second one begins the next group, because some systems omit
# the empty line between.
_ONCE = re.compile(r"(?i)(original-recipient|final-recipient|action|status)[ \t]*:")
_IN_TEXT = re.compile(r"(?im)^([ \t>]{0,8})(?:action|(?:final|original)-recipient)[ \t]*:")
_IN_TEXT_TOO = re.compile(r"(?im)^[ \t>]{0,8}final-recipient[ \t]*:")
# A character outside ASCII in an address (RFC 6533, 3).
_ESCAPED = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_ARRIVES = ("deliver", "relay", "expan", "succe")
_WAITS = ("delay", "defer", "queue", "transient")
# The most lines of a status that are read: far more than those of a hundred recipients. Chosen by
# hand; not measured.
_MOST_LINES = 5_000


def read(message: Part, own_text: str) -> Iterator[Failure]:
    """Yield the statement about each recipient of a delivery status notification.

    Args:
        message: the mail.
        own_text: what the mail system wrote for people, which counts where the fields say little.
    """
    notes = Diagnostic(own_text, Parties(arrival_addresses(message)))
    for content_type in _TYPES:
        for part in parts_of(message, content_type):
            yield from _of_fields(text_of(part), notes)


def read_in_text(own_text: str) -> Iterator[Failure]:
    """Yield the same from a text into which a gateway wrote the fields."""
    begin = _IN_TEXT.search(own_text)
    if begin is None or not _IN_TEXT_TOO.search(own_text):
        return
    indented = len(begin[1])
    lines = own_text[begin.start() :].splitlines()
    fields = "\n".join(
        line[indented:] if not line[:indented].strip(" \t>") else line for line in lines
    )
    yield from _of_fields(fields, Diagnostic(own_text[: begin.start()]))


def _of_fields(text: str, notes: Diagnostic) -> Iterator[Failure]:
    for group in _recipient_groups(text):
        fields = fields_of(group)
        if "final-recipient" in fields or "action" in fields:
            yield _failure_of_group(fields, notes)


def _recipient_groups(text: str) -> Iterator[str]:
    """Yield the groups of fields, one for each recipient."""
    group: list[str] = []
    names: set[str] = set()
    for line in text.splitlines()[:_MOST_LINES]:
        once = _ONCE.match(line)
        name = once[1].lower() if once else ""
        if not line.strip() or name in names:
            yield "\n".join(group)
            group, names = [], set()
        if line.strip():
            group.append(line)
        if name:
            names.add(name)
    yield "\n".join(group)


def _failure_of_group(fields: dict[str, str], notes: Diagnostic) -> Failure:
    """Return the statement in the per-recipient fields of a notification (RFC 3464, 2.3)."""
    action = fields.get("action", "failed").partition(";")[0].strip().lower()
    named = (
        fields.get("final-recipient")
        or fields.get("original-recipient")
        or fields.get("x-actual-recipient", "")
    )
    recipient = _address(named.rpartition(";")[2])
    kind_of_code, _, words = fields.get("diagnostic-code", "").partition(";")
    text = words.strip() or kind_of_code.strip()
    status = choose_status(fields.get("status", "") + " ", text)
    if action.startswith(_WAITS):
        return Failure(BounceKind.DELAYED, recipient, status, text)
    if action.startswith(_ARRIVES) or status.startswith("2"):
        return Failure(BounceKind.NONE, recipient, status, text)
    actual = _address(fields.get("x-actual-recipient", "").rpartition(";")[2])
    diagnostic = notes.about(text, actual if actual and actual in text.lower() else recipient)
    clearer = notes if notes.is_clear and not diagnostic.is_clear else diagnostic
    refusal = clearer.refusal(status)
    if refusal.stage is Stage.REPORT:
        refusal = refusal._replace(stage=notes.stage)
    judgement = judge(refusal)
    return Failure(judgement.kind, recipient, status, text, subject=judgement.subject)


def _address(named: str) -> str:
    """Return an address in lower case, with its escaped characters (RFC 6533, 3)."""
    plain = _ESCAPED.sub(lambda escaped: _character(escaped[1]), named)
    return plain.strip().strip("<>").lower()


def _character(digits: str) -> str:
    number = int(digits, 16)
    return chr(number) if number < 0x11_0000 and not 0xD800 <= number < 0xE000 else ""
