"""The words of the pages about digests: names, states and times, for an editor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from notifier.deps import Deps
from notifier.digest.evidence import snapshot_key
from notifier.enums import Cadence, DigestStatus, Edition, EndReason, NewsKind, Tier
from notifier.i18n.catalog import ENGLISH, ENGLISH_NAMES
from notifier.store.models import Digest
from notifier.subscribers.readers_ahead import Waiting
from notifier.text import times
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


class Clock:
    """The times of a page, in the time zone of the installation."""

    def __init__(self, deps: Deps) -> None:
        self.zone_name = deps.settings.schedule.time_zone
        self._zone = times.zone_or_utc(self.zone_name)

    def full(self, moment: datetime) -> str:
        """Return ``Monday, 2 March 2026, 08:00 (UTC)``."""
        return f"{ENGLISH.moment(moment.astimezone(self._zone))} ({self.zone_name})"

    def short(self, moment: datetime) -> str:
        """Return ``Mon 2 Mar 2026, 08:00``."""
        local = moment.astimezone(self._zone)
        return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"

    def labels(self, moments: Sequence[datetime]) -> list[str]:
        """Return short labels for moments in a row: without the day where all are of one day."""
        local = [moment.astimezone(self._zone) for moment in moments]
        if len({each.date() for each in local}) == 1:
            return [f"{each:%H:%M}" for each in local]
        return [f"{each.day} {each:%b, %H:%M}" for each in local]


def language(code: str) -> str:
    """Return the English name of a language."""
    return ENGLISH_NAMES.get(code, code)


def readers(digest: Digest) -> str:
    """Return ``Patients, German``."""
    return f"{EDITIONS[digest.edition].capitalize()}, {language(digest.language)}"


def kind_of(kind: NewsKind, tier: Tier) -> str:
    """Return what an item is: ``news, about the therapy``."""
    return f"{_KINDS[kind]}, {_TIERS.get(tier, '')}".rstrip(", ")


def number(count: int, singular: str, plural: str = "") -> str:
    """Return ``1 reader``, ``1,234 readers``."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


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
    return [(_ENDS[reason], count) for reason, count in sorted(reasons.items())]


def expected(digest: Digest, waiting: Waiting) -> str:
    """Return how many readers a draft may have, in words."""
    snapshot = snapshot_key(digest.profile.document)
    seen = digest.seen_snapshot
    known = seen if seen in (None, "", snapshot) else "earlier"
    count = waiting.number(digest.edition, digest.language, known)
    return number(count, "reader") if waiting.is_complete else f"{count:,} readers or more"
