"""The words of the pages about digests: names, states and times, for an editor."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from notifier.digest.evidence import snapshot_key
from notifier.enums import Cadence, DigestStatus, Edition, EndReason, NewsKind, Tier
from notifier.i18n.catalog import ENGLISH_NAMES
from notifier.store.models import Digest
from notifier.subscribers.readers_ahead import Waiting
from notifier.web.operator import words
from notifier.web.operator.words import Clock
from notifier.web.responses import PAGE_HEADERS

CADENCES = {
    Cadence.IMMEDIATE: "As soon as there is news",
    Cadence.DAILY: "Daily",
    Cadence.WEEKLY: "Weekly",
    Cadence.MONTHLY: "Monthly",
}
EDITIONS = {Edition.PATIENT: "patients", Edition.CLINICIAN: "clinicians"}
_KINDS = {
    NewsKind.NEW: "news",
    NewsKind.CORRECTED: "correction",
    NewsKind.WITHDRAWN: "withdrawal",
    NewsKind.TRIAL_CHANGE: "change of a trial",
    NewsKind.PAGE_CHANGE: "change of a page",
}
_TIERS = {Tier.ABOUT: "about the therapy", Tier.MENTION: "mentions it", Tier.RELATED: "related"}
_ENDS = {
    EndReason.LEFT: "left before it was sent",
    EndReason.SUPPRESSED: "are not mailed any more: their address does not work, or they said so",
    EndReason.MERGED: "got it as part of a newer digest",
    EndReason.EXPIRED: "would have got links that are too old",
    EndReason.DROPPED: "were left out by a person",
}
# The views of a mail, and their names.
VIEWS = {"desktop": "Desktop", "phone": "Phone", "dark": "Dark", "text": "Text"}
# A page that shows a mail in a frame, which has a policy of its own (`web/mail_views.py`).
FRAMING_HEADERS = {
    "Content-Security-Policy": (f"{PAGE_HEADERS['Content-Security-Policy']}; frame-src 'self'")
}


@dataclass(frozen=True)
class State:
    """The state of a digest in words.

    Attributes:
        text: a few words.
        look: a class of the style sheet: `warn` where a decision is needed, `good`, `wrong`, or
            empty.
    """

    text: str
    look: str = ""


def language(code: str) -> str:
    """Return the English name of a language."""
    return ENGLISH_NAMES.get(code, code)


def readers(digest: Digest) -> str:
    """Return ``Patients, German``."""
    return f"{EDITIONS[digest.edition].capitalize()}, {language(digest.language)}"


def kind_of(kind: NewsKind, tier: Tier) -> str:
    """Return what an item is: ``news, about the therapy``."""
    return f"{_KINDS[kind]}, {_TIERS.get(tier, '')}".rstrip(", ")


def state_of(digest: Digest, clock: Clock, now: datetime, planned: int) -> State:
    """Return the state of a digest in words.

    Args:
        digest: the digest.
        clock: for its times.
        now: when.
        planned: how many mails it has.
    """
    if digest.status is DigestStatus.DRAFT:
        return State("Waits for your approval", "warn")
    if digest.status is DigestStatus.HELD:
        return State("Held: nobody is sent it", "warn")
    if digest.status is DigestStatus.APPROVED and not planned:
        is_ahead = digest.due_at is not None and digest.due_at > now
        when = f" on {clock.short(digest.due_at)}" if is_ahead and digest.due_at else " now"
        return State(f"Approved; goes out{when}", "good")
    others = {
        DigestStatus.COMPOSING: State("Is being prepared"),
        DigestStatus.APPROVED: State("Is being sent", "good"),
        DigestStatus.SENT: State("Sent", "good"),
        DigestStatus.FAILED: State("Reached nobody", "wrong"),
        DigestStatus.DROPPED: State("Dropped: not sent this time"),
        DigestStatus.VOID: State("Not sent: composed anew, or nobody waits for it"),
    }
    return others[digest.status]


def ended(reasons: Mapping[EndReason, int]) -> list[tuple[str, int]]:
    """Return the reasons why mails were ended before they were sent, with how many were."""
    return [(_ENDS[reason], number) for reason, number in sorted(reasons.items())]


def expected(digest: Digest, waiting: Waiting) -> str:
    """Return how many readers a draft may have, in words."""
    snapshot = snapshot_key(digest.profile.document)
    seen = digest.seen_snapshot
    known = seen if seen in (None, "", snapshot) else "earlier"
    readers_now = waiting.number(digest.edition, digest.language, known)
    if not waiting.is_complete:
        return f"{readers_now:,} readers or more"
    return words.readers(readers_now)
