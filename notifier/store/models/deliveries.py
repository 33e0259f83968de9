"""The outbox: deliveries, mails to the operator, rate limits, bounce reports."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from notifier.enums import BounceKind, DeliveryKind, DeliveryStatus, EndReason, Lane
from notifier.store.models.base import Base
from notifier.store.models.digests import Digest
from notifier.store.models.subscribers import AddressChange, Subscriber, Subscription

# The conditions of indexes that hold few of very many rows. Nearly all deliveries are sent digests:
# each index that holds these, too, makes planning and sending slower.
_IS_OPEN = text("status IN ('pending', 'sending', 'uncertain')")
_IS_STOPPED = text("ended_because IN ('left', 'suppressed')")
_IS_LOST = text("status IN ('failed', 'suppressed')")
_IS_OF_CHANGE = text("change_id IS NOT NULL")
_IS_OF_NOTE = text("note_id IS NOT NULL")
_IS_OF_NOTICE = text("notice_id IS NOT NULL")
_WAS_SENT = text("sent_at IS NOT NULL")
_IS_REFUSED = text("waits_because <> '' AND waits_because <> 'warm_up'")
_WAITS_FOR_WARM_UP = text("waits_because = 'warm_up'")
_IS_UNREPORTED = text("status = 'failed' AND NOT reported")


class Notice(Base):
    """A mail to the operator. Writer: `deliver/operator_mail.py`.

    Attributes:
        digest_id: the draft that is shown below the text; None for any other mail.
    """

    __tablename__ = "notice"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    digest_id: Mapped[int | None] = mapped_column(ForeignKey("digest.id", ondelete="SET NULL"))
    to: Mapped[str] = mapped_column(String(320))
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]

    digest: Mapped[Digest | None] = relationship()


class Note(Base):
    """A text that follows a digest, to exactly those who got it. Writer: `digest/notes.py`.

    Attributes:
        text: paragraphs, with an empty line between them.
        text_hash: SHA-256 of the text, 64 hexadecimal digits: the same text is one note.
    """

    __tablename__ = "note"
    __table_args__ = (
        UniqueConstraint("digest_id", "text_hash"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    digest_id: Mapped[int] = mapped_column(ForeignKey("digest.id", ondelete="CASCADE"))
    text: Mapped[str] = mapped_column(Text)
    text_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]

    digest: Mapped[Digest] = relationship()


class HeldSuppression(Base):
    """A suppression by a bounce of the last day, or one that waits for a person.

    It waits where too many would be suppressed at once; the address is then not suppressed.

    Writer: `subscribers/held_suppressions.py`.

    Attributes:
        address_hash: HMAC-SHA256 of the address, 64 hexadecimal digits (`store/keys.py`).
        provider: the domain of the address, as far as it names a provider.
        code: the status code (``5.1.1``) or reply code (``550``) of the refusal.
        at: the time of the bounce.
        held_at: the time since which it waits; None while the address is suppressed.
        delivery_id: the mail that bounced.
    """

    __tablename__ = "held_suppression"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscriber.id", ondelete="CASCADE"), index=True
    )
    address_hash: Mapped[str] = mapped_column(String(64), unique=True)
    provider: Mapped[str] = mapped_column(String(255))
    code: Mapped[str] = mapped_column(String(20), default="")
    at: Mapped[datetime]
    held_at: Mapped[datetime | None]
    delivery_id: Mapped[int | None] = mapped_column(
        ForeignKey("delivery.id", ondelete="SET NULL"), index=True
    )

    subscriber: Mapped[Subscriber] = relationship()


class RateLimit(Base):
    """The time of the next mail to a limited domain, or of the next mail at all.

    Writer: `deliver/outbox/rate_limits.py`.

    Attributes:
        key: the domain; empty for the limit of all mails.
        next_at: the earliest time of the next mail.
    """

    __tablename__ = "pace"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    next_at: Mapped[datetime]


class WarmUp(Base):
    """The mails that a provider was given on a day while the volume of a new sender grows.

    Writer: `deliver/outbox/warm_up.py`.

    Attributes:
        key: the provider (`email_addresses.provider_of`); empty for the row whose day is the first.
        day: the start of the day, in UTC.
        number: how many mails.
    """

    __tablename__ = "warm_up"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    day: Mapped[datetime]
    number: Mapped[int]


class BounceReport(Base):
    """A bounce report that was read; the same report again changes nothing.

    Writer: `deliver/bounces/reports.py`.

    Attributes:
        hash: SHA-256 of the report, 64 hexadecimal digits.
    """

    __tablename__ = "bounce_report"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[BounceKind]
    read_at: Mapped[datetime]


class Alarm(Base):
    """A failure that lasts and was reported to the operator. Writer: `deliver/alerts.py`."""

    __tablename__ = "alarm"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    detail: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]


class Delivery(Base):
    """One message to send, with its attempts. Writer: `deliver/outbox/`.

    It is for a subscription, for a change of address (`change_id`), or for the operator
    (`notice_id`). A note about a digest (`note_id`) is for the subscription that got it.

    Attributes:
        digest_id: the digest that is sent; None for all other messages.
        message_id: the Message-ID header (RFC 5322, 3.6.4) of every attempt, ``<32 hexadecimal
            digits@domain>``.
        due_at: the time at which it had to go out; it never moves.
        next_attempt_at: the earliest time of the next attempt.
        given_up_at: the time after which there are no more attempts.
        leased_until: the end of the lease of the process that sends it; None if none does.
        error: the reason of the last failure, without addresses.
        address_hash: of the address that it was sent to, set when it is claimed; empty before.
        claim: random, 32 hexadecimal digits; names the claim that may settle it.
        lane: the order of sending, from 0 (`enums.Lane`).
        first_answer_at: the time at which a mail server first put it off; patience counts from it.
        uncertain_times: how often the connection broke before the answer; at least 1 if a process
            died that had claimed it. It may have arrived unless this is 0.
        waits_because: the reason why it waits and is not given up (`enums.WaitReason`), or empty.
        ended_because: the reason why it was suppressed (`enums.EndReason`), or empty; of a digest
            whose refusal suppressed its address, this, too.
        reported: whether the operator was told that it was given up, or need not be.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("digest_id", "subscription_id"),
        Index(
            "uq_delivery_note_id",
            "note_id",
            "subscription_id",
            unique=True,
            sqlite_where=_IS_OF_NOTE,
            postgresql_where=_IS_OF_NOTE,
        ),
        Index(
            "uq_delivery_notice_id",
            "notice_id",
            unique=True,
            sqlite_where=_IS_OF_NOTICE,
            postgresql_where=_IS_OF_NOTICE,
        ),
        Index(
            "ix_delivery_lane",
            "status",
            "lane",
            "next_attempt_at",
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
        Index(
            "ix_delivery_lost",
            "status",
            "next_attempt_at",
            sqlite_where=_IS_LOST,
            postgresql_where=_IS_LOST,
        ),
        Index(
            "ix_delivery_unfinished", "digest_id", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN
        ),
        Index(
            "ix_delivery_change_id",
            "change_id",
            sqlite_where=_IS_OF_CHANGE,
            postgresql_where=_IS_OF_CHANGE,
        ),
        Index("ix_delivery_sent_at", "sent_at", sqlite_where=_WAS_SENT, postgresql_where=_WAS_SENT),
        Index(
            "ix_delivery_stopped",
            "subscription_id",
            sqlite_where=_IS_STOPPED,
            postgresql_where=_IS_STOPPED,
        ),
        Index(
            "ix_delivery_refused", "status", sqlite_where=_IS_REFUSED, postgresql_where=_IS_REFUSED
        ),
        Index(
            "ix_delivery_warm_up",
            "digest_id",
            sqlite_where=_WAITS_FOR_WARM_UP,
            postgresql_where=_WAITS_FOR_WARM_UP,
        ),
        Index(
            "ix_delivery_unreported",
            "status",
            "next_attempt_at",
            sqlite_where=_IS_UNREPORTED,
            postgresql_where=_IS_UNREPORTED,
        ),
        # The number of a deleted row is never given again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[DeliveryKind]
    digest_id: Mapped[int | None] = mapped_column(ForeignKey("digest.id", ondelete="CASCADE"))
    subscription_id: Mapped[int | None] = mapped_column(
        ForeignKey("subscription.id", ondelete="CASCADE"), index=True
    )
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id", ondelete="CASCADE"))
    change_id: Mapped[int | None] = mapped_column(
        ForeignKey("address_change.id", ondelete="CASCADE")
    )
    note_id: Mapped[int | None] = mapped_column(ForeignKey("note.id", ondelete="CASCADE"))
    message_id: Mapped[str] = mapped_column(String(320), unique=True)
    status: Mapped[DeliveryStatus]
    address_hash: Mapped[str] = mapped_column(String(64), default="")
    claim: Mapped[str] = mapped_column(String(32), default="")
    lane: Mapped[int] = mapped_column(default=Lane.OTHERS)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    given_up_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    first_answer_at: Mapped[datetime | None]
    uncertain_times: Mapped[int] = mapped_column(default=0)
    waits_because: Mapped[str] = mapped_column(String(20), default="")
    ended_because: Mapped[str] = mapped_column(String(20), default="")
    reported: Mapped[bool] = mapped_column(default=False, server_default=false())

    subscription: Mapped[Subscription | None] = relationship()
    notice: Mapped[Notice | None] = relationship()
    change: Mapped[AddressChange | None] = relationship()
    digest: Mapped[Digest | None] = relationship()
    note: Mapped["Note | None"] = relationship()


def is_unfinished() -> ColumnElement[bool]:
    """Return the SQL condition that a delivery was not settled for good, as its indexes have it.

    SQLite needs it in each branch of an OR. The statuses are no parameters of the statement, nor
    are those of the conditions below: only so the index of these rows is used.
    """
    return Delivery.status.in_(_literals(DeliveryStatus.OPEN))


def is_lost() -> ColumnElement[bool]:
    """Return the SQL condition that a delivery ended and was not sent, as its index has it."""
    return Delivery.status.in_(_literals(DeliveryStatus.LOST))


def is_stopped() -> ColumnElement[bool]:
    """Return the SQL condition that a delivery ended for a reason that may pass, by its own index.

    Its address was suppressed, or its subscription ended.
    """
    return Delivery.ended_because.in_(_literals((EndReason.LEFT, EndReason.SUPPRESSED)))


def _literals(words: Iterable[str]) -> list[ColumnElement[str]]:
    return [literal_column(f"'{word}'") for word in sorted(words)]
