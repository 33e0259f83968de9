"""Letters: what one delivery says, to whom.

Owns the joining of a rendered digest with what is one person's: their schedule in words, their links, a line when it
comes late. The sender and the preview both take their mails from here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from notifier import notes
from notifier.addresses import wire_address
from notifier.deliver.dialogue import Parcel
from notifier.deliver.message import Letter, Listing, Mould, Own, cast
from notifier.deliver.outbox import Claimed
from notifier.deps import Deps
from notifier.digest.digests import Rendered, Renderer
from notifier.digest.quiet import QuietView
from notifier.digest.view import LONGEST_NAME, DigestView, headline, subject
from notifier.language import Language, language
from notifier.links import Purpose
from notifier.said import mark
from notifier.store.models import Delivery, Digest, Notice, Subscription
from notifier.store.statuses import Cadence
from notifier.subscribers import consent
from notifier.subscribers.choices import choice_to_confirm
from notifier.subscribers.schedule import in_words
from notifier.text import shorten

# Gmail shows no more than 102 KB of a mail and hides the way to leave below that: a digest ends well before.
LARGEST = 90_000

_LATE = timedelta(hours=1)
_ISSUES = {
    Cadence.IMMEDIATE: "",
    Cadence.DAILY: mark("daily digest"),
    Cadence.WEEKLY: mark("weekly digest"),
    Cadence.MONTHLY: mark("monthly digest"),
}


def renderer(deps: Deps) -> Renderer:
    """The way from a digest's view to its subject and body; composing and previewing share it."""

    def render(view: DigestView) -> Rendered:
        whole_html = whole(deps, view)
        shown, html = _fitting(deps, view, whole_html)
        return Rendered(
            subject=subject(view, discreet=deps.settings.sender.discreet),
            headline=headline(view, discreet=deps.settings.sender.discreet),
            html=html,
            text=deps.templates.render("email/digest_body.txt.j2", {"digest": shown}, view.variant.language),
            left_out=shown.left_out,
            page=whole_html if shown is not view else None,
        )

    return render


def rendered_quiet(deps: Deps, view: QuietView) -> Rendered:
    """A month without news, rendered."""
    code = view.variant.language
    return Rendered(
        subject=view.subject,
        headline=view.headline,
        html=deps.templates.render("email/no_news.html.j2", {"quiet": view}, code),
        text=deps.templates.render("email/no_news.txt.j2", {"quiet": view}, code),
    )


def whole(deps: Deps, view: DigestView) -> str:
    """The body of a digest with all its items, for a page that has room for them."""
    return deps.templates.render("email/digest_body.html.j2", {"digest": view}, view.variant.language)


def issue(cadence: Cadence, spoken: Language) -> str:
    """What a digest of this cadence is called; empty for those that come with the news."""
    return spoken.phrase(_ISSUES[cadence]) if _ISSUES[cadence] else ""


def _fitting(deps: Deps, view: DigestView, html: str) -> tuple[DigestView, str]:
    """The digest with as many of its items as a mail may hold, and its body; one item alone can be too long, too."""
    shown = view
    # Style takes up to twice the room of what it is written into; most digests are nowhere near.
    while len(html) * 3 > LARGEST and (size := _size(deps, shown, html)) > LARGEST:
        number = shown.count - shown.left_out
        if number == 1:
            shown = view.in_short()
            return shown, whole(deps, shown)
        shown = view.first(max(1, min(number - 1, number * LARGEST // size)))
        html = whole(deps, shown)
    return shown, html


def _size(deps: Deps, view: DigestView, html: str) -> int:
    """How many bytes the HTML of a mail has that holds this body, its style written into the elements."""
    address = "https://a-rather-long-name.example.org/unsubscribe/" + "x" * 60
    values = {
        "language": view.variant.language,
        "subject": subject(view, discreet=False),
        "sender_name": deps.settings.sender.name,
        "postal_address": deps.settings.sender.postal_address or "",
        "headline": headline(view, discreet=True),
        "therapy": view.therapy,
        "issue": "",
        "composed_on": view.composed_on,
        "late_since": "Wednesday 30 September, 08:00",
        "archive_url": address,
        "left_out": view.count,
        "body_html": html,
        "schedule": "monthly, on the last day of the month at 08:00 (America/Argentina/ComodRivadavia)",
        "leave_url": address,
        "preferences_url": address,
    }
    return len(deps.templates.mail_page("email/digest.html.j2", values, view.variant.language).encode())


class _Shared(NamedTuple):
    """What a digest's recipients with one schedule share."""

    composed: "Composed"
    schedule: str
    mould: Mould


class Press:
    """Turns deliveries into messages; what many get alike is cast once, and filled for each when it is sent."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._local, _, self._domain = deps.bounce_address.rpartition("@")
        self._composed: dict[int, Composed] = {}
        self._moulds: dict[tuple[int, date, str], Mould] = {}
        self._shared: dict[tuple[object, ...], _Shared] = {}

    def parcel(self, session: Session, claimed: Claimed, now: datetime) -> Parcel:
        """A claimed delivery as the envelope and the bytes that go to the mail server."""
        if claimed.digest_id is None:
            letter = _letter(self._deps, session.get_one(Delivery, claimed.id), now)
            octets = message(self._deps, letter, now)
            return self._parcel(claimed, wire_address(letter.to), lambda: octets)
        late, schedule = now - claimed.due_at > _LATE, (claimed.cadence, claimed.at, claimed.on, claimed.time_zone)
        key = (claimed.digest_id, *schedule, claimed.due_at, late)
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = self._share(session, claimed, now)
        return self._parcel(claimed, wire_address(claimed.to), partial(_filled, self._deps, shared, claimed, now))

    def _share(self, session: Session, claimed: Claimed, now: datetime) -> _Shared:
        number = claimed.digest_id
        assert number is not None
        if number not in self._composed:
            self._composed[number] = Composed.of(self._deps, session.get_one(Digest, number))
        composed = self._composed[number]
        spoken = language(composed.language)
        schedule = in_words(claimed.cadence, claimed.at, claimed.on, claimed.time_zone, spoken)
        zone = ZoneInfo(claimed.time_zone)
        composed_on, late = composed.composed_at.astimezone(zone).date(), _late(composed, claimed.due_at, zone, now)
        made = self._moulds.get((number, composed_on, late))
        if made is None:
            letter = composed.letter(_own(self._deps, composed, schedule, claimed), composed_on, late)
            made = self._moulds[number, composed_on, late] = mould(self._deps, letter)
        return _Shared(composed, schedule, made)

    def _parcel(self, claimed: Claimed, to: str, octets: Callable[[], bytes]) -> Parcel:
        word = self._deps.links.bounce_token(claimed.message_id)
        tag = f"+{word}" if word else ""
        return Parcel(claimed.id, f"{self._local}{tag}@{self._domain}", to, octets)


def _filled(deps: Deps, shared: _Shared, claimed: Claimed, now: datetime) -> bytes:
    return shared.mould.fill(_own(deps, shared.composed, shared.schedule, claimed), now)


def _own(deps: Deps, composed: "Composed", schedule: str, claimed: Claimed) -> Own:
    """What of a digest is one recipient's alone."""
    when = composed.composed_at
    leave_url = deps.links.url(Purpose.UNSUBSCRIBE, claimed.link_id, when)
    personal = {
        "schedule": schedule,
        "leave_url": leave_url,
        "preferences_url": deps.links.url(Purpose.PREFERENCES, claimed.link_id, when),
    }
    return Own(wire_address(claimed.to), claimed.message_id, personal, leave_url, claimed.link_id)


def mould(deps: Deps, letter: Letter) -> Mould:
    """A letter cast for all who get the same."""
    return cast(letter, deps.settings.sender, deps.templates.mail_page, deps.templates.render, deps.signers)


def message(deps: Deps, letter: Letter, now: datetime) -> bytes:
    """A letter, framed, encoded and signed."""
    return mould(deps, letter).fill(letter.own, now)


def _letter(deps: Deps, delivery: Delivery, now: datetime) -> Letter:
    if delivery.notice is not None:
        return notice_letter(delivery.notice, delivery.message_id)
    if delivery.change is not None:
        return notes.change_letter(deps, delivery.change, delivery.kind, delivery.message_id, now)
    one = delivery.subscription
    assert one is not None
    if delivery.kind in notes.KINDS:
        return notes.letter(deps, delivery.kind, one, delivery.message_id, now)
    return confirmation_letter(deps, one, delivery.message_id, now)


def notice_letter(notice: Notice, message_id: str) -> Letter:
    """A notice to the operator."""
    paragraphs = [paragraph.splitlines() for paragraph in notice.text.split("\n\n")]
    return Letter(message_id, notice.to, notice.subject, "operator_alert", {"paragraphs": paragraphs})


def confirmation_letter(deps: Deps, one: Subscription, message_id: str, now: datetime) -> Letter:
    """The question whether it was they who subscribed, with the choice that their yes begins."""
    choice, person = choice_to_confirm(one), one.subscriber
    spoken = language(choice.language)
    plain = spoken.phrase("Please confirm your subscription")
    therapy = one.profile.name
    named = spoken.phrase("Please confirm your subscription to news about %(therapy)s", therapy=therapy)
    return Letter(
        message_id=message_id,
        to=person.email,
        subject=plain if deps.settings.sender.discreet else named,
        template="confirmation",
        values={"therapy": therapy, "wording": consent.wording(spoken)},
        personal={
            "schedule": in_words(choice.cadence, choice.at, choice.on, choice.time_zone, spoken),
            "confirm_url": deps.links.url(Purpose.CONFIRM, one.link_id, now),
            "never_url": deps.links.url(Purpose.NEVER, person.address_hash, now),
        },
        language=spoken.code,
    )


def _schedule(one: Subscription, spoken: Language) -> str:
    return in_words(one.cadence, one.at, one.on, one.subscriber.time_zone, spoken)


@dataclass(frozen=True)
class Composed:
    """A rendered digest, stored or only previewed, with what its frame says."""

    rendered: Rendered
    therapy: str
    cadence: Cadence
    language: str
    composed_at: datetime
    archive_url: str
    number: int = 0

    @classmethod
    def of(cls, deps: Deps, digest: Digest) -> "Composed":
        """The stored one."""
        return cls(
            Rendered(digest.subject, digest.headline, digest.body_html, digest.body_text, digest.left_out),
            shorten(digest.profile.name, LONGEST_NAME),
            digest.cadence,
            digest.language,
            digest.composed_at,
            deps.links.archived(digest.key),
            digest.id,
        )

    def letter(self, own: Own, composed_on: date, late_since: str) -> Letter:
        """One person's digest: the shared body, and what is theirs around it; a late one says when it was due."""
        spoken = language(self.language)
        rendered = self.rendered
        return Letter(
            message_id=own.message_id,
            to=own.to,
            subject=rendered.subject,
            template="digest",
            values={
                "headline": rendered.headline,
                "therapy": self.therapy,
                "issue": issue(self.cadence, spoken),
                "composed_on": composed_on,
                "late_since": late_since,
                "archive_url": self.archive_url,
                "left_out": rendered.left_out,
                "body_html": rendered.html,
                "body_text": rendered.text,
            },
            personal=own.personal,
            language=spoken.code,
            listing=Listing(own.leave_url, own.leave_word, self.archive_url, f"{self.cadence}:digest:news"),
        )


def _late(composed: Composed, due_at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """When a digest was due that comes late, in words; empty for one that is on time."""
    return language(composed.language).moment(due_at.astimezone(zone)) if now - due_at > _LATE else ""


def digest_letter(
    deps: Deps, composed: Composed, one: Subscription, message_id: str, now: datetime, due_at: datetime
) -> Letter:
    """The digest of one subscription, as the press would make it."""
    person = one.subscriber
    zone = ZoneInfo(person.time_zone)
    claimed = Claimed(
        0, message_id, due_at, composed.number, person.email, one.link_id, one.cadence, one.at, one.on, person.time_zone
    )
    own = _own(deps, composed, _schedule(one, language(composed.language)), claimed)
    return composed.letter(own, composed.composed_at.astimezone(zone).date(), _late(composed, due_at, zone, now))
