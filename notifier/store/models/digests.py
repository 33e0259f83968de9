"""Digests and their items: the record of what was sent."""

import secrets
from datetime import datetime

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    and_,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from notifier.enums import Cadence, DigestStatus, Edition, NewsKind
from notifier.store.models.base import Base
from notifier.store.models.matches import Match
from notifier.store.models.profiles import Profile
from notifier.store.models.sources import Revision

# The condition of an index: nearly all digests were sent.
_IS_UNSENT = text("status <> 'sent'")
_IS_OPEN = text("open_until IS NOT NULL")


class Digest(Base):
    """A composed digest for a group of like subscriptions; its body is rendered once.

    Writer: `digest/digests.py`; `digest/drafts.py` what concerns its review, `digest/editing.py`
    what a person changes in it, and `digest/decisions.py` what is decided after a restore.

    Attributes:
        key: part of the URL of its archive page; random, so that nobody can count digests or guess
            one.
        group_key: SHA-256 of edition, language, the snapshot seen before and the items, 64
            hexadecimal digits.
        window: ``"12-40/2026-03-02T08:00Z"``: the position of the first item, the profile's
            position, and the due time in UTC; ``"quiet/2026-03-02"`` for a digest without news.
            That of a draft begins with ``"review/"``.
        page_html: the body with all items, if some did not fit into the mail; else None.
        left_out: how many items did not fit into the mail.
        approved_at: the time at which a person released it though many servers had refused it, or
            after a restore; it is not held for refused mails again.
        recipients: how many deliveries it had when it ended; None before. The number stays when
            the deliveries are removed after their period.
        seen_snapshot: `Variant.seen_snapshot` of its recipients; None for one that was composed
            before this was stored.
        position: of the last match that a reviewed digest may contain; None without review.
        due_at: the time at which the first recipients of a reviewed digest are due; None without
            review.
        open_until: who is due before this time may still get the reviewed digest; None when nobody
            else gets it, and without review.
        remind_at: the time at which the operator is reminded of a draft; None if not.
        reviewed_at: the time at which a person approved the draft, or released a held digest that
            few servers had refused; None again when it is edited, or held before it is sent.
        ended_because: the reason why a draft is void or dropped, a clause; else empty.
        editors_note: the paragraphs that a person put above its items, with an empty line between
            them; empty for none.
    """

    __tablename__ = "digest"
    __table_args__ = (
        UniqueConstraint("profile_id", "cadence", "group_key", "window"),
        Index("ix_digest_unsent", "status", sqlite_where=_IS_UNSENT, postgresql_where=_IS_UNSENT),
        Index("ix_digest_open", "profile_id", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(
        String(32), unique=True, default=lambda: secrets.token_urlsafe(16)
    )
    profile_id: Mapped[int] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"))
    cadence: Mapped[Cadence]
    edition: Mapped[Edition]
    language: Mapped[str] = mapped_column(String(12))
    group_key: Mapped[str] = mapped_column(String(64))
    window: Mapped[str] = mapped_column(String(80))
    status: Mapped[DigestStatus]
    subject: Mapped[str] = mapped_column(Text)
    headline: Mapped[str] = mapped_column(Text)
    body_html: Mapped[str] = mapped_column(Text)
    body_text: Mapped[str] = mapped_column(Text)
    page_html: Mapped[str | None] = mapped_column(Text)
    left_out: Mapped[int] = mapped_column(default=0)
    composed_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    recipients: Mapped[int | None]
    seen_snapshot: Mapped[str | None] = mapped_column(String(64))
    position: Mapped[int | None]
    due_at: Mapped[datetime | None]
    open_until: Mapped[datetime | None]
    remind_at: Mapped[datetime | None]
    reviewed_at: Mapped[datetime | None]
    ended_because: Mapped[str] = mapped_column(Text, default="", server_default="")
    editors_note: Mapped[str] = mapped_column(Text, default="", server_default="")

    profile: Mapped[Profile] = relationship()
    items: Mapped[list["DigestItem"]] = relationship(order_by="DigestItem.rank")


class DigestItem(Base):
    """A match in a digest: which revision was sent, as which kind of news.

    Writer: `digest/item_rows.py`.

    Attributes:
        rank: the place in the digest, from 1.
        earlier: the ids of the revisions before this one whose changes are told with it, in order;
            None for none.
    """

    __tablename__ = "digest_item"

    digest_id: Mapped[int] = mapped_column(
        ForeignKey("digest.id", ondelete="CASCADE"), primary_key=True
    )
    match_id: Mapped[int] = mapped_column(
        ForeignKey("match.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    revision_id: Mapped[int] = mapped_column(
        ForeignKey("revision.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[NewsKind]
    rank: Mapped[int]
    earlier: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))

    match: Mapped[Match] = relationship()
    revision: Mapped[Revision] = relationship()


class Told(Base):
    """An entry that a subscription was sent by deliveries that are not kept any more.

    Writer: `digest/told.py`. It says, beside the deliveries, who gets a later correction.

    Attributes:
        revision_id: the newest state of the entry that was sent. Nothing deletes a state without
            its entry.
    """

    __tablename__ = "told"

    subscription_id: Mapped[int] = mapped_column(
        ForeignKey("subscription.id", ondelete="CASCADE"), primary_key=True
    )
    entry_id: Mapped[int] = mapped_column(
        ForeignKey("entry.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    revision_id: Mapped[int]


def has_status(status: DigestStatus) -> ColumnElement[bool]:
    """Return the SQL condition that a digest has a status other than `sent`, by its own index.

    `sent` stands in the statement and is no parameter: only so the index is used.
    """
    return and_(Digest.status == status, Digest.status != literal_column("'sent'"))
