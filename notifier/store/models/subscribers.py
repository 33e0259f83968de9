"""Who is told, and by what right: subscribers, subscriptions, consent, suppressions."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from notifier.enums import (
    Cadence,
    ConsentEvent,
    Edition,
    SignupRequestKind,
    SubscriptionStatus,
    SuppressionCause,
)
from notifier.store.models.base import Base, LenientJSON
from notifier.store.models.profiles import Profile


class Subscriber(Base):
    """A person's address, language and time zone. Writer: `subscribers/subscriptions.py`.

    `soft_bounces` is how often their mail came back for a reason that passes, lately; until
    `held_until` they are sent nothing. `moved_at` is when the address was last changed: what was
    sent before that went to another mailbox.
    """

    __tablename__ = "subscriber"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320))
    address_hash: Mapped[str] = mapped_column(String(64), unique=True)
    language: Mapped[str] = mapped_column(String(12))
    time_zone: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    soft_bounces: Mapped[int] = mapped_column(default=0)
    bounced_at: Mapped[datetime | None]
    held_until: Mapped[datetime | None]
    moved_at: Mapped[datetime | None]

    subscriptions: Mapped[list["Subscription"]] = relationship(
        back_populates="subscriber", order_by="Subscription.id"
    )


class Subscription(Base):
    """Subscriber × profile. Writer: `subscribers/subscriptions.py`.

    `position` is how far in the profile's match sequence this person has been served: what lies
    above is owed. `seen_snapshot` is the snapshot of the profile that they were shown last,
    `last_mailed_at` the time of their last mail. `link_id` stands in signed links in place of
    anything that says who or what. `hidden` are the parts of a digest that they do not want,
    `urgent` lets what cannot wait break the schedule. `asked_at` is when they last asked to be
    written to, `paused_until` the end of a pause (None: until they say so); the `renew…` times
    belong to the question whether they still want it. `wish` is the choice of a sign-up that its
    owner has not confirmed yet, where an older subscription stays as it is until then. `trouble`
    says why this person could not be served, for the operator.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "profile_id"),
        Index("ix_subscription_due", "status", "next_due_at"),
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
    wish: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    trouble: Mapped[str | None] = mapped_column(Text)

    subscriber: Mapped[Subscriber] = relationship(back_populates="subscriptions")
    profile: Mapped[Profile] = relationship()


class RetiredLink(Base):
    """A link id from before a change of address: it only unsubscribes. Writer: `subscribers/address_changes.py`."""

    __tablename__ = "retired_link"

    link_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    subscription_id: Mapped[int] = mapped_column(
        ForeignKey("subscription.id", ondelete="CASCADE"), index=True
    )
    retired_at: Mapped[datetime]


class Consent(Base):
    """The dated record of what was agreed to, in which wording, attested by whom. Writer: `subscribers/consent.py`."""

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
    """A text that was agreed to, under the hash that the ledger names it by. Writer: `subscribers/consent.py`."""

    __tablename__ = "wording"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(12))
    text: Mapped[str] = mapped_column(Text)


class SignupRequest(Base):
    """What somebody asked for through a public form. Writer: `subscribers/signup_requests.py`.

    Address and wish are forgotten as soon as it is answered; the rest stays an hour, for the
    limits. `network`, `target` and `asker` are keyed hashes: of where it came from, of the mailbox
    that is written to (tags and dots left out), and of who asked, where that is known.
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
    wish: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    at: Mapped[datetime]
    answered_at: Mapped[datetime | None] = mapped_column(index=True)


class AddressChange(Base):
    """A new address that somebody wants, until both the old and the new one have said yes.

    Writer: `subscribers/address_changes.py`.
    """

    __tablename__ = "address_change"

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
    """An address that is not mailed, known only by its hash, and why. Writer: `subscribers/suppressions.py`.

    `reason` is a code (``5.1.1``) or an operator's own words, never what a stranger wrote.
    `asked_at` is when the owner of a suppressed address was last asked by mail whether a sign-up
    was theirs.
    """

    __tablename__ = "suppression"

    address_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    cause: Mapped[SuppressionCause] = mapped_column(default=SuppressionCause.ASKED)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
