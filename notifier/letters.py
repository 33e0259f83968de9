"""Letters: what one delivery says, to whom.

Owns the joining of a rendered digest with what is one person's: their schedule in words, their links, a line when it
comes late. The sender and the preview both take their mails from here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from notifier.addresses import wire_address
from notifier.deliver.message import Letter, build
from notifier.deliver.smtp import Parcel
from notifier.deps import Deps
from notifier.digest.digests import Rendered, Renderer
from notifier.digest.view import DigestView, headline, subject
from notifier.links import Purpose
from notifier.store.models import Delivery, Digest, Notice, Subscription
from notifier.store.statuses import Cadence, DeliveryKind
from notifier.subscribers import consent
from notifier.subscribers.schedule import in_words

_LATE = timedelta(hours=1)


def renderer(deps: Deps) -> Renderer:
    """The way from a digest's view to its subject and body; composing and previewing share it."""

    def render(view: DigestView, cadence: Cadence) -> Rendered:
        return Rendered(
            subject=subject(view, cadence, discreet=deps.settings.sender.discreet),
            headline=headline(view, discreet=deps.settings.sender.discreet),
            html=deps.templates.render("email/digest.html.j2", {"digest": view}),
            text=deps.templates.render("email/digest.txt.j2", {"digest": view}),
        )

    return render


def parcel(deps: Deps, delivery: Delivery, now: datetime) -> Parcel:
    """A claimed delivery as the bytes and the envelope that go to the mail server."""
    sender = deps.settings.sender
    assert sender.address is not None
    letter = _letter(deps, delivery, now)
    return Parcel(delivery.id, wire_address(sender.address), wire_address(letter.to), message(deps, letter, now))


def message(deps: Deps, letter: Letter, now: datetime) -> bytes:
    """A letter, framed and encoded."""
    return build(letter, deps.settings.sender, deps.templates.mail_page, deps.templates.render, now)


def _letter(deps: Deps, delivery: Delivery, now: datetime) -> Letter:
    if delivery.notice is not None:
        return notice_letter(delivery.notice, delivery.message_id)
    one = delivery.subscription
    assert one is not None
    if delivery.kind is DeliveryKind.CONFIRMATION:
        return _confirmation(deps, one, delivery.message_id, now)
    assert delivery.digest is not None
    return digest_letter(deps, Edition.of(delivery.digest), one, delivery.message_id, now, delivery.due_at)


def notice_letter(notice: Notice, message_id: str) -> Letter:
    """A notice to the operator."""
    paragraphs = [paragraph.splitlines() for paragraph in notice.text.split("\n\n")]
    return Letter(message_id, notice.to, notice.subject, "notice", {"paragraphs": paragraphs})


def _confirmation(deps: Deps, one: Subscription, message_id: str, now: datetime) -> Letter:
    therapy = one.profile.name
    discreet = deps.settings.sender.discreet
    return Letter(
        message_id=message_id,
        to=one.subscriber.email,
        subject="Please confirm your subscription" + ("" if discreet else f" to news about {therapy}"),
        template="confirmation",
        values={
            "therapy": therapy,
            "schedule": in_words(one.cadence, one.at, one.on, one.subscriber.time_zone),
            "confirm_url": deps.links.url(Purpose.CONFIRM, one.link_id, now),
            "wording": consent.WORDING,
        },
    )


@dataclass(frozen=True)
class Edition:
    """A rendered digest, stored or only previewed."""

    rendered: Rendered
    therapy: str
    cadence: Cadence
    composed_at: datetime

    @classmethod
    def of(cls, digest: Digest) -> "Edition":
        """The stored one."""
        rendered = Rendered(digest.subject, digest.headline, digest.body_html, digest.body_text)
        return cls(rendered, digest.profile.name, digest.cadence, digest.composed_at)


def digest_letter(
    deps: Deps, edition: Edition, one: Subscription, message_id: str, now: datetime, due_at: datetime
) -> Letter:
    """One person's digest: the shared body, and what is theirs around it; a late one says when it was due."""
    zone = one.subscriber.time_zone
    late_since = f"{due_at.astimezone(ZoneInfo(zone)):%A, %d %B at %H:%M}" if now - due_at > _LATE else ""
    leave_url = deps.links.url(Purpose.UNSUBSCRIBE, one.link_id, now)
    shared = {
        "headline": edition.rendered.headline,
        "therapy": edition.therapy,
        "cadence": str(edition.cadence),
        "composed_on": edition.composed_at.astimezone(ZoneInfo(zone)).date(),
        "schedule": in_words(one.cadence, one.at, one.on, zone),
        "leave_url": leave_url,
        "late_since": late_since,
    }
    return Letter(
        message_id=message_id,
        to=one.subscriber.email,
        subject=edition.rendered.subject,
        template="mail",
        values={**shared, "body_html": edition.rendered.html, "body_text": edition.rendered.text},
        leave_url=leave_url,
    )
