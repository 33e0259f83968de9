"""Parser of mails that came back: the failures, tokens and Message-IDs in them.

Pure. Owns the order in which a mail is tried: a complaint (`complaints.py`), a report that follows
the standards (`status_parts.py`), an event of a sending service (`notifications.py`), a receipt,
and what the words say (`prose.py`). `diagnostics.py` decides whether a failure is hard or soft;
`traces.py` finds what is ours in the mail.

The mails are written by strangers: every expression takes linear time, or reads a text of limited
length.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from notifier.deliver.bounces import (
    complaints,
    notifications,
    other_mails,
    prose,
    status_parts,
    traces,
)
from notifier.deliver.bounces.failures import MOST_NAMED, Failure
from notifier.deliver.bounces.incoming_mail import (
    LARGEST,
    Part,
    outer_parts_of,
    parse_mail,
    parts_of,
    text_of,
)
from notifier.enums import BounceKind

# The most mails inside a mail that are tried as reports. Chosen by hand; not measured.
_MOST_INNER = 3


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
        unsubscribe_tokens: what may be the token of a mail that asks to end a subscription.
        leave_links: of a complaint, the signed tokens of links to leave in the returned mail.
        leave_mails: of a complaint, the tokens in its List-Unsubscribe's mail address.
        leaves_in_words: the sender of a mail that asks to end a subscription without a token.
    """

    failures: tuple[Failure, ...]
    envelope_tokens: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    unsubscribe_tokens: tuple[str, ...] = ()
    leave_links: tuple[str, ...] = ()
    leave_mails: tuple[str, ...] = ()
    leaves_in_words: str = ""


def read(octets: bytes) -> Report:
    """Parse a mail; one that is not a report, or is broken, is `not_a_bounce`.

    Raises:
        UnreadableMailError: the mail exceeds limits that no real report reaches.
    """
    message = parse_mail(octets)
    text = octets[:LARGEST].decode("utf-8", "replace")
    recognised = tuple(islice(_failures(message, text), MOST_NAMED))
    failures = recognised or (Failure(BounceKind.NONE),)
    texts = traces.texts_of(message, text)
    complained = any(failure.kind is BounceKind.COMPLAINT for failure in failures)
    reported = any(failure.kind is not BounceKind.NONE for failure in failures)
    return Report(
        failures,
        traces.envelope_tokens(message),
        traces.tokens(texts),
        traces.message_ids(message, texts),
        traces.wishes_to_leave(message, in_text=not reported),
        traces.leave_links(texts) if complained else (),
        traces.leave_mails(texts) if complained else (),
        leaves_in_words="" if reported else traces.who_asks_to_leave(message),
    )


def _failures(message: Part, text: str) -> Iterator[Failure]:
    """Yield the failures of a mail from the first of its formats that is recognised."""
    body = prose.own_text(message, text)
    if complaint := complaints.read(message, body):
        yield complaint
        return
    reported = list(islice(status_parts.read(message, body), MOST_NAMED))
    if not reported and other_mails.is_receipt(message):
        yield Failure(BounceKind.AUTOREPLY)
        return
    if not reported and not other_mails.quotes_others(message):
        reported = notifications.read(_decoded_text(message, text)) or list(
            islice(status_parts.read_in_text(body), MOST_NAMED)
        )
    reported = reported or list(prose.read(message, body))
    if _says_something(reported):
        yield from reported
        return
    for inner in _inner_reports(message):
        yield from prose.read(inner, prose.own_text(inner, ""))
    yield from reported


def _says_something(failures: list[Failure]) -> bool:
    return any(failure.kind is not BounceKind.NONE for failure in failures)


def _inner_reports(message: Part) -> Iterator[Part]:
    """Yield the mails of mail systems that a mail holds, for example one that was forwarded."""
    inner = (part for part in parts_of(message) if part.get_content_type() == "message/rfc822")
    held = (part.get_payload() for part in inner)
    mails = (mail[0] for mail in held if isinstance(mail, list) and mail)
    reports = (
        mail for mail in mails if isinstance(mail, Part) and other_mails.is_from_mail_system(mail)
    )
    yield from islice(reports, _MOST_INNER)


def _decoded_text(message: Part, text: str) -> str:
    """Return the decoded texts of a mail, in which a service's events may stand."""
    parts = [
        text_of(part)
        for part in outer_parts_of(message)
        if part.get_content_maintype() in ("text", "application")
    ]
    return "\n".join(parts) or text.partition("\n\n")[2]
