"""Subscribers, subscriptions, consent, suppressions, and requests that wait for an answer."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from notifier.enums import (
    Cadence,
    ConsentEvent,
    Edition,
    SignupRequestKind,
    SubscriptionStatus,
    SuppressionCause,
)
from notifier.store.models.base import Base, LenientJSON, LenientObject
from notifier.store.models.profiles import Profile

# The conditions of indexes that hold few of very many rows.
_HAS_TROUBLE = text("trouble IS NOT NULL")
_HAS_WISH = text("wish IS NOT NULL")
_HAS_PAUSE = text("paused_until IS NOT NULL")
_HAS_ENDED = text("status = 'ended'")


class Subscriber(Base):
    """A person: address, language, time zone. Writer: `subscribers/`.

    Attributes:
        email: the address in its normal form (`email_addresses.normalize`).
        address_hash: HMAC-SHA256 of the address, 64 hexadecimal digits (`store/keys.py`).
        language: a code of `i18n.catalog.LANGUAGES`.
        time_zone: an IANA name, ``Europe/Berlin``.
        soft_bounces: how many mails came back lately for a reason that passes.
        bounced_at: the time of the last of them.
        bounced_hash: the hash of the address that they were about; they end with it.
        held_until: until then no mail is sent; None for no limit.
        moved_at: the time at which the address was last changed: mails from before it went to
            another mailbox.
    """

    __tablename__ = "subscriber"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320))
    address_hash: Mapped[str] = mapped_column(String(64), unique=True)
    language: Mapped[str] = mapped_column(String(12))
    time_zone: Mapped[str] = mapped_column(String(64), index=True)
    created_at: Mapped[datetime]
    soft_bounces: Mapped[int] = mapped_column(default=0)
    bounced_at: Mapped[datetime | None]
    bounced_hash: Mapped[str] = mapped_column(String(64), default="")
    held_until: Mapped[datetime | None]
    moved_at: Mapped[datetime | None]

    subscriptions: Mapped[list["Subscription"]] = relationship(
        back_populates="subscriber", order_by="Subscription.id"
    )


class Subscription(Base):
    """A subscriber's subscription to a profile. Writer: `subscribers/`.

    Attributes:
        at: the wall time of a digest in the subscriber's time zone, ``"HH:MM"``.
        on: the weekday (0 is Monday, 6 is Sunday) if `cadence` is weekly, the day of the month (1
            to 31) if it is monthly, else None.
        link_id: random; signed links contain it instead of anything about the person.
        position: the last position of the profile's matches that this subscription was served with;
            matches after it are still to be sent.
        next_due_at: the time of the next digest, or of one that is overdue; None if nothing is
            scheduled. During a pause and after the end it is kept, and not used.
        seen_snapshot: the key of the profile's snapshot that was sent last; empty for none.
        last_mailed_at: the time of the last mail.
        hidden: the sections that are left out (`digest/selection.py`, `OPTIONAL`).
        urgent: urgent matches are sent at once, whatever the schedule.
        paused_until: the end of a pause; None for a pause without an end.
        renewed_at: the time of the last renewal.
        renewal_asked_at: the time at which renewal was asked for; None if there is no question.
        renewal_reminded_at: the time of the reminder.
        asked_at: the time at which the subscriber last requested the subscription.
        wish: a requested choice that is not confirmed yet, as JSON (`subscribers/choices.py`); the
            stored one stays in use until then.
        trouble: the reason why no digest could be composed, for the operator; None if there is
            none.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "profile_id"),
        Index("ix_subscription_due", "status", "cadence", "next_due_at", "profile_id"),
        Index(
            "ix_subscription_prompt",
            "profile_id",
            "position",
            sqlite_where=text("cadence = 'immediate' OR urgent IS 1"),
            postgresql_where=text("cadence = 'immediate' OR urgent"),
        ),
        Index(
            "ix_subscription_trouble",
            "id",
            sqlite_where=_HAS_TROUBLE,
            postgresql_where=_HAS_TROUBLE,
        ),
        Index("ix_subscription_wish", "id", sqlite_where=_HAS_WISH, postgresql_where=_HAS_WISH),
        Index(
            "ix_subscription_paused",
            "status",
            "paused_until",
            sqlite_where=_HAS_PAUSE,
            postgresql_where=_HAS_PAUSE,
        ),
        Index(
            "ix_subscription_ended",
            "ended_at",
            sqlite_where=_HAS_ENDED,
            postgresql_where=_HAS_ENDED,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    profile_id: Mapped[int] = mapped_column(
        ForeignKey("profile.id", ondelete="CASCADE"), index=True
    )
    cadence: Mapped[Cadence]
    at: Mapped[str] = mapped_column(String(5))
    on: Mapped[int | None]
    edition: Mapped[Edition]
    status: Mapped[SubscriptionStatus]
    link_id: Mapped[str] = mapped_column(String(32), unique=True)
    position: Mapped[int] = mapped_column(default=0)
    next_due_at: Mapped[datetime | None]
    seen_snapshot: Mapped[str] = mapped_column("introduced", String(16), default="")
    last_mailed_at: Mapped[datetime | None] = mapped_column("heard_at")
    hidden: Mapped[list[str]] = mapped_column(LenientJSON, default=list)
    urgent: Mapped[bool] = mapped_column(default=False)
    paused_until: Mapped[datetime | None]
    renewed_at: Mapped[datetime | None]
    renewal_asked_at: Mapped[datetime | None]
    renewal_reminded_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    wish: Mapped[dict[str, Any] | None] = mapped_column(LenientObject)
    trouble: Mapped[str | None] = mapped_column(Text)

    subscriber: Mapped[Subscriber] = relationship(back_populates="subscriptions")
    profile: Mapped[Profile] = relationship()


class RetiredLink(Base):
    """A link id from before a change of address; it can only unsubscribe.

    Writer: `subscribers/address_changes.py`.
    """

    __tablename__ = "retired_link"

    link_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    subscription_id: Mapped[int] = mapped_column(
        ForeignKey("subscription.id", ondelete="CASCADE"), index=True
    )
    retired_at: Mapped[datetime]


class Consent(Base):
    """A dated record of consent that was given or withdrawn. Writer: `subscribers/consent.py`.

    Attributes:
        method: how, for example ``link``, ``preferences``, ``import``, ``mail``; `consent.record`
            has the list.
        attested_by: ``subscriber``, or the name of who attests that the person agreed.
        wording_hash: SHA-256 of the text that was agreed to, 64 hexadecimal digits.
    """

    __tablename__ = "consent"

    id: Mapped[int] = mapped_column(primary_key=True)
    subscription_id: Mapped[int] = mapped_column(
        ForeignKey("subscription.id", ondelete="CASCADE"), index=True
    )
    event: Mapped[ConsentEvent]
    method: Mapped[str] = mapped_column(String(40))
    attested_by: Mapped[str] = mapped_column(Text)
    wording_version: Mapped[str] = mapped_column(String(20))
    wording_hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class Wording(Base):
    """A text that was agreed to, under its SHA-256. Writer: `subscribers/consent.py`."""

    __tablename__ = "wording"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(12))
    text: Mapped[str] = mapped_column(Text)


class SignupRequest(Base):
    """A request through a public form. Writer: `subscribers/signup_requests.py`.

    `email` and `wish` are removed when it is answered; the rest is kept for an hour, to count
    requests.

    Attributes:
        network: keyed hash of the visitor's network.
        target: keyed hash of the mailbox that gets the mail (tags and dots left out).
        asker: keyed hash of the subscriber who asks; empty if that is not known.
        wish: a choice as JSON (`subscribers/choices.py`) with its ``profile``, or a change of
            address: ``{"change": link_id}``.
    """

    __tablename__ = "enquiry"
    __table_args__ = (
        Index("ix_enquiry_network", "network", "at"),
        Index("ix_enquiry_target", "target", "at"),
        Index("ix_enquiry_asker", "asker", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[SignupRequestKind]
    network: Mapped[str] = mapped_column(String(64))
    target: Mapped[str] = mapped_column(String(64), default="")
    asker: Mapped[str] = mapped_column(String(64), default="")
    email: Mapped[str | None] = mapped_column(String(320))
    wish: Mapped[dict[str, Any] | None] = mapped_column(LenientObject)
    at: Mapped[datetime]
    answered_at: Mapped[datetime | None] = mapped_column(index=True)


class AddressChange(Base):
    """A requested new address, until both the old and the new one have confirmed it.

    Writer: `subscribers/address_changes.py`.

    Attributes:
        email: the new address in its normal form.
        link_id: random; the signed links in both mails contain it.
        by_old_at: the time at which the old address confirmed.
        by_new_at: the time at which the new address confirmed.
    """

    __tablename__ = "address_change"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscriber.id", ondelete="CASCADE"), unique=True
    )
    email: Mapped[str] = mapped_column(String(320))
    address_hash: Mapped[str] = mapped_column(String(64))
    link_id: Mapped[str] = mapped_column(String(32), unique=True)
    asked_at: Mapped[datetime]
    by_old_at: Mapped[datetime | None]
    by_new_at: Mapped[datetime | None]

    subscriber: Mapped[Subscriber] = relationship()


class Suppression(Base):
    """An address that gets no mail, known only by its hash. Writer: `subscribers/suppressions.py`.

    Attributes:
        address_hash: HMAC-SHA256 of the address, 64 hexadecimal digits (`store/keys.py`).
        reason: a status code (``5.1.1``) or the operator's own words, never a text of a stranger.
        asked_at: the time at which the owner was last asked by mail whether a sign-up was theirs.
    """

    __tablename__ = "suppression"

    address_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    cause: Mapped[SuppressionCause] = mapped_column(default=SuppressionCause.ASKED)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
