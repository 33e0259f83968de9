"""Digest mails and the building of messages: one delivery becomes the bytes for its recipient.

Owns the joining of a rendered digest with the values of one person: the schedule in words, the
links, a line in a late digest. Sending and previewing both build their mails here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.deliver.mime.message import (
    ListHeaders,
    MessageSpec,
    MessageTemplate,
    PersonalMessage,
    Recipient,
    compile_message,
)
from notifier.deliver.outbox import Claimed
from notifier.deliver.smtp.protocol import OutgoingMessage
from notifier.deps import Deps
from notifier.digest.digests import Rendered
from notifier.digest.view import LONGEST_NAME
from notifier.email_addresses import to_ascii_domain
from notifier.enums import Cadence
from notifier.i18n.catalog import language_of
from notifier.links import Purpose
from notifier.messages import account_mail, draft_mail, note_mail
from notifier.messages.digest_body import digest_title
from notifier.store.models import Delivery, Digest, Subscription
from notifier.subscribers.schedule import Schedule
from notifier.text import times
from notifier.text.cleaning import shorten

# A digest that is sent later than this after it was due says when it was due. Chosen by hand; not
# measured.
_LATE_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class RenderedDigest:
    """A rendered digest, stored or only previewed, with the values of the frame around its body.

    Attributes:
        rendered: subject, headline and bodies.
        therapy: the name of the profile, shortened.
        cadence: the cadence of its recipients.
        language: the language, as a code: ``en``.
        composed_at: the time at which it was composed.
        archive_url: its page in the archive.
        digest_id: the id of the stored digest; 0 for a preview.
    """

    rendered: Rendered
    therapy: str
    cadence: Cadence
    language: str
    composed_at: datetime
    archive_url: str
    digest_id: int = 0

    @classmethod
    def from_stored(cls, deps: Deps, digest: Digest) -> "RenderedDigest":
        """Return a stored digest."""
        return cls(
            Rendered(
                digest.subject, digest.headline, digest.body_html, digest.body_text, digest.left_out
            ),
            shorten(digest.profile.name, LONGEST_NAME),
            digest.cadence,
            digest.language,
            digest.composed_at,
            deps.links.archive_url(digest.key),
            digest.id,
        )

    def spec(self, recipient: Recipient, composed_on: date, late_since: str) -> MessageSpec:
        """Return the mail to one recipient: the shared body with their values around it.

        Args:
            recipient: the recipient's values.
            composed_on: the day of composing, in the recipient's time zone.
            late_since: the time at which a late digest was due, in words; empty if it is on time.
        """
        language = language_of(self.language)
        return MessageSpec(
            message_id=recipient.message_id,
            to=recipient.to,
            subject=self.rendered.subject,
            template="digest",
            values={
                "headline": self.rendered.headline,
                "therapy": self.therapy,
                "issue": digest_title(self.cadence, language),
                "composed_on": composed_on,
                "late_since": late_since,
                "archive_url": self.archive_url,
                "left_out": self.rendered.left_out,
                "body_html": self.rendered.html,
                "body_text": self.rendered.text,
            },
            personal=recipient.personal,
            language=language.code,
            list_headers=ListHeaders(
                recipient.leave_url,
                recipient.unsubscribe_token,
                self.archive_url,
                f"{self.cadence}:digest:news",
            ),
        )

    def late_since(self, due_at: datetime, zone: ZoneInfo, now: datetime) -> str:
        """Return the time at which a late digest was due, in words; empty if it is on time."""
        if now - due_at <= _LATE_AFTER:
            return ""
        return language_of(self.language).moment(due_at.astimezone(zone))


class _Shared(NamedTuple):
    """The values that all recipients of a digest with the same schedule share."""

    digest: RenderedDigest
    schedule: str
    template: MessageTemplate


class MessageBuilder:
    """A builder of messages from deliveries.

    A digest is compiled once for all recipients who get the same. Their own values are filled in
    when the message is sent.
    """

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._bounce_local, _, self._bounce_domain = deps.bounce_address.rpartition("@")
        self._digests: dict[int, RenderedDigest] = {}
        self._templates: dict[tuple[int, date, str], MessageTemplate] = {}
        self._shared: dict[tuple[object, ...], _Shared] = {}

    def outgoing(self, session: Session, claimed: Claimed, now: datetime) -> OutgoingMessage:
        """Return a claimed delivery with its envelope, ready for the mail server.

        Args:
            session: a reading session.
            claimed: the delivery.
            now: the date of the message.

        Raises:
            NoResultFound: the delivery is gone, because its recipient was erased since the claim.
        """
        if claimed.digest_id is None:
            held = Delivery.id == claimed.id, Delivery.claim == claimed.claim
            delivery = session.scalars(select(Delivery).where(*held)).one()
            spec = _spec_of(self._deps, delivery, now)
            octets = build_message(self._deps, spec, now)
            return self._with_envelope(claimed, to_ascii_domain(spec.to), lambda: octets)
        late = now - claimed.due_at > _LATE_AFTER
        # The values of `_schedule_of`, which would take longer to make and to hash.
        schedule = claimed.cadence, claimed.at, claimed.on, claimed.time_zone
        key = (claimed.digest_id, schedule, claimed.due_at, late)
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = self._share(session, claimed.digest_id, claimed, now)
        recipient = partial(_recipient, self._deps, shared.digest, shared.schedule, claimed)
        message = PersonalMessage(shared.template, recipient, now)
        return self._with_envelope(claimed, to_ascii_domain(claimed.to), message)

    def _share(self, session: Session, digest_id: int, claimed: Claimed, now: datetime) -> _Shared:
        """Return what a recipient shares with others, from the database and the templates."""
        if digest_id not in self._digests:
            stored = session.get_one(Digest, digest_id)
            self._digests[digest_id] = RenderedDigest.from_stored(self._deps, stored)
        digest = self._digests[digest_id]
        language = language_of(digest.language)
        schedule = _schedule_of(claimed).describe(language)
        zone = times.zone_or_utc(claimed.time_zone)
        composed_on = digest.composed_at.astimezone(zone).date()
        late_since = digest.late_since(claimed.due_at, zone, now)
        template = self._templates.get((digest_id, composed_on, late_since))
        if template is None:
            recipient = _recipient(self._deps, digest, schedule, claimed)
            spec = digest.spec(recipient, composed_on, late_since)
            template = compile_template(self._deps, spec)
            self._templates[digest_id, composed_on, late_since] = template
        return _Shared(digest, schedule, template)

    def _with_envelope(
        self, claimed: Claimed, to: str, message: Callable[[], bytes]
    ) -> OutgoingMessage:
        tagged = self._deps.settings.sender.bounce_tags
        token = self._deps.links.bounce_token(claimed.message_id) if tagged else ""
        tag = f"+{token}" if token else ""
        envelope_from = f"{self._bounce_local}{tag}@{self._bounce_domain}"
        return OutgoingMessage(claimed.attempt, envelope_from, to, message, claimed.lane)


def _recipient(deps: Deps, digest: RenderedDigest, schedule: str, claimed: Claimed) -> Recipient:
    """Return the values of a digest that belong to one recipient alone.

    Links are valid from the time of composing, so that every attempt sends the same ones.
    """
    composed_at = digest.composed_at
    leave_url = deps.links.url(Purpose.UNSUBSCRIBE, claimed.link_id, composed_at)
    personal = {
        "schedule": schedule,
        "leave_url": leave_url,
        "preferences_url": deps.links.url(Purpose.PREFERENCES, claimed.link_id, composed_at),
    }
    return Recipient(
        to_ascii_domain(claimed.to), claimed.message_id, personal, leave_url, claimed.link_id
    )


def compile_template(deps: Deps, spec: MessageSpec) -> MessageTemplate:
    """Compile a mail for all recipients who share its values."""
    return compile_message(
        spec, deps.settings.sender, deps.templates.mail_page, deps.templates.render, deps.signers
    )


def build_message(deps: Deps, spec: MessageSpec, now: datetime) -> bytes:
    """Return a mail rendered, encoded and signed, for its recipient alone."""
    return compile_template(deps, spec).render(spec.recipient, now)


def _schedule_of(claimed: Claimed) -> Schedule:
    """Return the schedule in a claimed row, which `deliver` keeps as plain columns."""
    return Schedule(claimed.cadence, claimed.at, claimed.on, claimed.time_zone)


def _spec_of(deps: Deps, delivery: Delivery, now: datetime) -> MessageSpec:
    """Return the mail of a delivery that is not a digest."""
    message_id = delivery.message_id
    notice = delivery.notice
    if notice is not None and notice.digest is not None:
        return draft_mail.draft_spec(deps, notice, notice.digest, message_id)
    if notice is not None:
        return account_mail.operator_alert_spec(notice, message_id)
    if delivery.change is not None:
        return account_mail.address_change_spec(
            deps, delivery.change, delivery.kind, message_id, now
        )
    subscription = delivery.subscription
    assert subscription is not None
    if delivery.note is not None:
        return note_mail.note_spec(deps, delivery.note, subscription, message_id, now)
    if delivery.kind in account_mail.KINDS:
        return account_mail.account_spec(deps, delivery.kind, subscription, message_id, now)
    return account_mail.confirmation_spec(deps, subscription, message_id, now)


def digest_spec(
    deps: Deps,
    digest: RenderedDigest,
    subscription: Subscription,
    message_id: str,
    now: datetime,
    due_at: datetime,
) -> MessageSpec:
    """Return the digest mail of one subscription, as `MessageBuilder` builds it.

    Args:
        deps: the installation.
        digest: the rendered digest.
        subscription: the subscription; it need not be stored.
        message_id: the Message-ID, with angle brackets.
        now: the time of sending.
        due_at: the time at which the digest was due.
    """
    subscriber = subscription.subscriber
    zone = times.zone_or_utc(subscriber.time_zone)
    claimed = Claimed(
        0,
        message_id,
        due_at,
        digest.digest_id,
        subscriber.email,
        subscription.link_id,
        subscription.cadence,
        subscription.at,
        subscription.on,
        subscriber.time_zone,
    )
    schedule = _schedule_of(claimed).describe(language_of(digest.language))
    return digest.spec(
        _recipient(deps, digest, schedule, claimed),
        digest.composed_at.astimezone(zone).date(),
        digest.late_since(due_at, zone, now),
    )
