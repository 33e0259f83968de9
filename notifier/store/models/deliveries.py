"""The outbox: deliveries, mails to the operator, rate limits, bounce reports."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from notifier.enums import BounceKind, DeliveryKind, DeliveryStatus
from notifier.store.models.base import Base
from notifier.store.models.digests import Digest
from notifier.store.models.subscribers import AddressChange, Subscription


class Notice(Base):
    """A mail to the operator. Writer: `deliver/operator_mail.py`."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    to: Mapped[str] = mapped_column(String(320))
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


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
    (`notice_id`).

    Attributes:
        digest_id: the digest that is sent; None for all other messages.
        message_id: the Message-ID header (RFC 5322, 3.6.4) of every attempt, ``<32 hexadecimal
            digits@domain>``.
        due_at: the time at which it had to go out; it never moves.
        next_attempt_at: the earliest time of the next attempt.
        given_up_at: the time after which there are no more attempts.
        leased_until: the end of the lease of the process that sends it; None if none does.
        error: the reason of the last failure, without addresses.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("digest_id", "subscription_id"),
        Index("ix_delivery_open", "status", "next_attempt_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[DeliveryKind]
    digest_id: Mapped[int | None] = mapped_column(ForeignKey("digest.id", ondelete="CASCADE"))
    subscription_id: Mapped[int | None] = mapped_column(
        ForeignKey("subscription.id", ondelete="CASCADE"), index=True
    )
    notice_id: Mapped[int | None] = mapped_column(
        ForeignKey("notice.id", ondelete="CASCADE"), unique=True
    )
    change_id: Mapped[int | None] = mapped_column(
        ForeignKey("address_change.id", ondelete="CASCADE"), index=True
    )
    message_id: Mapped[str] = mapped_column(String(320), unique=True)
    status: Mapped[DeliveryStatus]
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    given_up_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None] = mapped_column(index=True)
    error: Mapped[str | None] = mapped_column(Text)

    subscription: Mapped[Subscription | None] = relationship()
    notice: Mapped[Notice | None] = relationship()
    change: Mapped[AddressChange | None] = relationship()
    digest: Mapped[Digest | None] = relationship()
