"""Letters: what one delivery says, to whom.

Owns the joining of a rendered digest with what is one person's: their schedule in words, their
links, a line when it comes late. The sender and the preview both take their mails from here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from notifier.deliver.mime.message import (
    ListHeaders,
    MessageSpec,
    MessageTemplate,
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
from notifier.messages import account_mail
from notifier.messages.account_mail import confirmation_spec, operator_alert_spec
from notifier.messages.digest_body import digest_title
from notifier.store.models import Delivery, Digest, Subscription
from notifier.subscribers.choices import schedule_of
from notifier.subscribers.schedule import Schedule
from notifier.text.cleaning import shorten

_LATE = timedelta(hours=1)


class _Shared(NamedTuple):
    """What a digest's recipients with one schedule share."""

    composed: "RenderedDigest"
    schedule: str
    mould: MessageTemplate


class MessageBuilder:
    """Turns deliveries into messages; what many get alike is cast once, and filled for each when it is sent."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._local, _, self._domain = deps.bounce_address.rpartition("@")
        self._composed: dict[int, RenderedDigest] = {}
        self._moulds: dict[tuple[int, date, str], MessageTemplate] = {}
        self._shared: dict[tuple[object, ...], _Shared] = {}

    def outgoing(self, session: Session, claimed: Claimed, now: datetime) -> OutgoingMessage:
        """A claimed delivery as the envelope and the bytes that go to the mail server."""
        if claimed.digest_id is None:
            letter = _letter(self._deps, session.get_one(Delivery, claimed.id), now)
            octets = build_message(self._deps, letter, now)
            return self._parcel(claimed, to_ascii_domain(letter.to), lambda: octets)
        late = now - claimed.due_at > _LATE
        key = (claimed.digest_id, _schedule_of(claimed), claimed.due_at, late)
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = self._share(session, claimed, now)
        return self._parcel(
            claimed, to_ascii_domain(claimed.to), partial(_filled, self._deps, shared, claimed, now)
        )

    def _share(self, session: Session, claimed: Claimed, now: datetime) -> _Shared:
        number = claimed.digest_id
        assert number is not None
        if number not in self._composed:
            self._composed[number] = RenderedDigest.of(self._deps, session.get_one(Digest, number))
        composed = self._composed[number]
        spoken = language_of(composed.language)
        schedule = _schedule_of(claimed).describe(spoken)
        zone = ZoneInfo(claimed.time_zone)
        composed_on, late = (
            composed.composed_at.astimezone(zone).date(),
            _late(composed, claimed.due_at, zone, now),
        )
        made = self._moulds.get((number, composed_on, late))
        if made is None:
            letter = composed.spec(_own(self._deps, composed, schedule, claimed), composed_on, late)
            made = self._moulds[number, composed_on, late] = compile_template(self._deps, letter)
        return _Shared(composed, schedule, made)

    def _parcel(self, claimed: Claimed, to: str, octets: Callable[[], bytes]) -> OutgoingMessage:
        word = self._deps.links.bounce_token(claimed.message_id)
        tag = f"+{word}" if word else ""
        return OutgoingMessage(claimed.id, f"{self._local}{tag}@{self._domain}", to, octets)


def _filled(deps: Deps, shared: _Shared, claimed: Claimed, now: datetime) -> bytes:
    return shared.mould.render(_own(deps, shared.composed, shared.schedule, claimed), now)


def _own(deps: Deps, composed: "RenderedDigest", schedule: str, claimed: Claimed) -> Recipient:
    """What of a digest is one recipient's alone."""
    when = composed.composed_at
    leave_url = deps.links.url(Purpose.UNSUBSCRIBE, claimed.link_id, when)
    personal = {
        "schedule": schedule,
        "leave_url": leave_url,
        "preferences_url": deps.links.url(Purpose.PREFERENCES, claimed.link_id, when),
    }
    return Recipient(
        to_ascii_domain(claimed.to), claimed.message_id, personal, leave_url, claimed.link_id
    )


def compile_template(deps: Deps, letter: MessageSpec) -> MessageTemplate:
    """A letter cast for all who get the same."""
    return compile_message(
        letter, deps.settings.sender, deps.templates.mail_page, deps.templates.render, deps.signers
    )


def build_message(deps: Deps, letter: MessageSpec, now: datetime) -> bytes:
    """A letter, framed, encoded and signed."""
    return compile_template(deps, letter).render(letter.own, now)


def _letter(deps: Deps, delivery: Delivery, now: datetime) -> MessageSpec:
    if delivery.notice is not None:
        return operator_alert_spec(delivery.notice, delivery.message_id)
    if delivery.change is not None:
        return account_mail.address_change_spec(
            deps, delivery.change, delivery.kind, delivery.message_id, now
        )
    one = delivery.subscription
    assert one is not None
    if delivery.kind in account_mail.KINDS:
        return account_mail.account_spec(deps, delivery.kind, one, delivery.message_id, now)
    return confirmation_spec(deps, one, delivery.message_id, now)


def _schedule_of(claimed: Claimed) -> Schedule:
    """Return the schedule in a claimed row, which `deliver` keeps as plain columns."""
    return Schedule(claimed.cadence, claimed.at, claimed.on, claimed.time_zone)


@dataclass(frozen=True)
class RenderedDigest:
    """A rendered digest, stored or only previewed, with what its frame says."""

    rendered: Rendered
    therapy: str
    cadence: Cadence
    language: str
    composed_at: datetime
    archive_url: str
    number: int = 0

    @classmethod
    def of(cls, deps: Deps, digest: Digest) -> "RenderedDigest":
        """The stored one."""
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

    def spec(self, own: Recipient, composed_on: date, late_since: str) -> MessageSpec:
        """One person's digest: the shared body, and what is theirs around it; a late one says when it was due."""
        spoken = language_of(self.language)
        rendered = self.rendered
        return MessageSpec(
            message_id=own.message_id,
            to=own.to,
            subject=rendered.subject,
            template="digest",
            values={
                "headline": rendered.headline,
                "therapy": self.therapy,
                "issue": digest_title(self.cadence, spoken),
                "composed_on": composed_on,
                "late_since": late_since,
                "archive_url": self.archive_url,
                "left_out": rendered.left_out,
                "body_html": rendered.html,
                "body_text": rendered.text,
            },
            personal=own.personal,
            language=spoken.code,
            listing=ListHeaders(
                own.leave_url,
                own.unsubscribe_token,
                self.archive_url,
                f"{self.cadence}:digest:news",
            ),
        )


def _late(composed: RenderedDigest, due_at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """When a digest was due that comes late, in words; empty for one that is on time."""
    return (
        language_of(composed.language).moment(due_at.astimezone(zone))
        if now - due_at > _LATE
        else ""
    )


def digest_spec(
    deps: Deps,
    composed: RenderedDigest,
    one: Subscription,
    message_id: str,
    now: datetime,
    due_at: datetime,
) -> MessageSpec:
    """The digest of one subscription, as the press would make it."""
    person = one.subscriber
    zone = ZoneInfo(person.time_zone)
    claimed = Claimed(
        0,
        message_id,
        due_at,
        composed.number,
        person.email,
        one.link_id,
        one.cadence,
        one.at,
        one.on,
        person.time_zone,
    )
    own = _own(deps, composed, schedule_of(one).describe(language_of(composed.language)), claimed)
    return composed.spec(
        own, composed.composed_at.astimezone(zone).date(), _late(composed, due_at, zone, now)
    )
