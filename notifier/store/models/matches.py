"""Matches of profiles with revisions, near misses, and what was judged already."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from notifier.enums import NewsKind, Tier
from notifier.store.models.base import Base, MessageJSON
from notifier.store.models.profiles import Profile
from notifier.store.models.sources import Entry, Revision


class Examination(Base):
    """That a revision was held against the profiles. Writer: `match/matches.py`."""

    __tablename__ = "examination"

    revision_id: Mapped[int] = mapped_column(
        ForeignKey("revision.id", ondelete="CASCADE"), primary_key=True
    )
    examined_at: Mapped[datetime]


class Match(Base):
    """A revision that concerns a profile; `position` orders them within it. Writer: `match/matches.py`.

    `story` is the first match that told the same news; none where nobody else tells it.

    `urgent` ones break the schedule of who asked for that.

    `filed` matches are shown and counted but owed to nobody: a source's first poll, or a past that
    was filed.
    """

    __tablename__ = "match"
    __table_args__ = (
        UniqueConstraint("profile_id", "revision_id", name="uq_match_profile_revision"),
        UniqueConstraint("profile_id", "position", name="uq_match_profile_position"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"))
    revision_id: Mapped[int] = mapped_column(
        ForeignKey("revision.id", ondelete="CASCADE"), index=True
    )
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    kind: Mapped[NewsKind]
    tier: Mapped[Tier]
    score: Mapped[float]
    reasons: Mapped[list[str]] = mapped_column(MessageJSON)
    story: Mapped[int | None] = mapped_column(index=True)
    filed: Mapped[bool]
    urgent: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    profile: Mapped[Profile] = relationship()
    revision: Mapped[Revision] = relationship()
    entry: Mapped[Entry] = relationship()


class NearMiss(Base):
    """A revision that was held back, why, and the tier it would have had. Writer: `match/matches.py`."""

    __tablename__ = "near_miss"
    __table_args__ = (UniqueConstraint("profile_id", "entry_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), index=True)
    revision_id: Mapped[int] = mapped_column(
        ForeignKey("revision.id", ondelete="CASCADE"), index=True
    )
    tier: Mapped[Tier]
    reasons: Mapped[list[str]] = mapped_column(MessageJSON)
    baseline: Mapped[bool]
    held_at: Mapped[datetime]
    released_at: Mapped[datetime | None]

    profile: Mapped[Profile] = relationship()
    entry: Mapped[Entry] = relationship()
    revision: Mapped[Revision] = relationship()
