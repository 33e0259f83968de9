"""What was told: digests, and what stands in them."""

import secrets
from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from notifier.enums import Cadence, DigestStatus, Edition, NewsKind
from notifier.store.models.base import Base
from notifier.store.models.matches import Match
from notifier.store.models.profiles import Profile
from notifier.store.models.sources import Revision


class Digest(Base):
    """One composed edition, its body rendered once. Writer: `digest/digests.py`.

    `left_out` of its items did not fit into a mail. One without items says that there was nothing
    to say. `approved_at` is when a person let it go on after it was held; it is not held for
    refusals again. `key` stands in the addresses of its archive page: random, so that nobody can
    count digests or guess one. `page_html` is the body with all its items where some did not fit
    into the mail.
    """

    __tablename__ = "digest"
    __table_args__ = (UniqueConstraint("profile_id", "cadence", "group_key", "window"),)

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

    profile: Mapped[Profile] = relationship()
    items: Mapped[list["DigestItem"]] = relationship(order_by="DigestItem.rank")


class DigestItem(Base):
    """That a match stands in a digest, as what, in which revision: the ledger of what was told.

    Writer: `digest/digests.py`.
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

    match: Mapped[Match] = relationship()
    revision: Mapped[Revision] = relationship()
