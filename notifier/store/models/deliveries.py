"""What is owed: deliveries, and notices to the operator."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from notifier.enums import BounceKind, DeliveryKind, DeliveryStatus
from notifier.store.models.base import Base
from notifier.store.models.digests import Digest
from notifier.store.models.subscribers import AddressChange, Subscription


class Notice(Base):
    """What the operator is told by mail, once. Writer: `deliver/operator_mail.py`."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    to: Mapped[str] = mapped_column(String(320))
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class RateLimit(Base):
    """The time at which the next mail may go to a limited domain, or at all (an empty key).

    Writer: `deliver/outbox/rate_limits.py`.
    """

    __tablename__ = "pace"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    next_at: Mapped[datetime]


class BounceReport(Base):
    """That a report was read, known by its hash: read again it changes nothing. Writer: `deliver/bounces/reports.py`."""

    __tablename__ = "bounce_report"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[BounceKind]
    read_at: Mapped[datetime]


class Alarm(Base):
    """What is broken at the moment and was told to the operator. Writer: `deliver/alerts.py`."""

    __tablename__ = "alarm"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    detail: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]


class Delivery(Base):
    """One message owed to one subscription, or for a change of address, or a notice to the operator, with its attempts.

    Writer: `deliver/outbox/`. `due_at` is when it was owed and never moves; `next_attempt_at` does,
        until
    `given_up_at`.
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
