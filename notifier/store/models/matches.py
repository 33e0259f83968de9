"""Matches of revisions with profiles, near misses, and the record of what was matched."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from notifier.enums import HeldBecause, NewsKind, Tier
from notifier.store.models.base import Base, MessageJSON
from notifier.store.models.profiles import Profile
from notifier.store.models.sources import Entry, Revision


class Examination(Base):
    """A revision that was matched against all profiles. Writer: `match/matches.py`."""

    __tablename__ = "examination"

    revision_id: Mapped[int] = mapped_column(
        ForeignKey("revision.id", ondelete="CASCADE"), primary_key=True
    )
    examined_at: Mapped[datetime]


class Match(Base):
    """A revision that concerns a profile. Writer: `match/matches.py`.

    What a person decides: `match/dropping.py`, and for `story` `match/joining.py`.

    Attributes:
        position: its number in the profile's sequence of matches, from 1.
        score: 0 to 1.
        reasons: sentences that can be translated.
        story: the id of the first match with the same news; None if there is no other. A person may
            join and separate.
        filed: shown and counted, but sent to nobody: it is of a source's first poll, or of a past
            that was only filed.
        urgent: sent at once to subscribers who chose that.
        dropped_because: the reason why a person dropped it; empty if nobody did. A dropped match
            is filed.
        filed_before: it was filed before a person dropped it.
        restored_at: the time at which a person took back that it was dropped: it has a new place
            since, so whoever was sent it before that is not owed it again.
    """

    __tablename__ = "match"
    __table_args__ = (
        UniqueConstraint("profile_id", "revision_id", name="uq_match_profile_revision"),
        UniqueConstraint("profile_id", "position", name="uq_match_profile_position"),
        Index(
            "ix_match_owed",
            "profile_id",
            "position",
            sqlite_where=text("filed IS 0"),
            postgresql_where=text("filed IS false"),
        ),
        Index("ix_match_profile_id", "profile_id", "created_at"),
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
    dropped_because: Mapped[str] = mapped_column(Text, default="")
    filed_before: Mapped[bool] = mapped_column(default=False, server_default=false())
    restored_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    profile: Mapped[Profile] = relationship()
    revision: Mapped[Revision] = relationship()
    entry: Mapped[Entry] = relationship()


class StoryKeys(Base):
    """The keys by which a recent report is found. Writer: `match/recent_news.py`.

    A row may be deleted at any time: it is made again from the text.

    Attributes:
        form: the version of the keys (`match/stories/fingerprint.py`).
        made_at: the time from which the report is recent.
        document: its page, papers, trial and headline, as `Keys.to_json` writes them.
        runs: the hashes of the runs of words in its text, 8 bytes each.
    """

    __tablename__ = "story_keys"

    revision_id: Mapped[int] = mapped_column(
        ForeignKey("revision.id", ondelete="CASCADE"), primary_key=True
    )
    form: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(index=True)
    document: Mapped[dict[str, Any]]
    runs: Mapped[bytes] = mapped_column(LargeBinary)


class NearMiss(Base):
    """A match that waits for a person. Writer: `match/held.py`.

    It was a doubtful match when this table was named; the other reasons came later.

    Attributes:
        tier: the tier that it would have had.
        score: 0 to 1; 0 for a doubtful one.
        because: why it is held.
        kind: the kind of news that it would be.
        reasons: sentences that can be translated.
        baseline: it is of a source's first poll.
        reported_at: the time at which the operator was told of it.
        released_at: the time at which a person made it a match.
        dropped_because: the reason why a person dropped it; empty if nobody did.
    """

    __tablename__ = "near_miss"
    __table_args__ = (
        UniqueConstraint("profile_id", "revision_id", name="uq_near_miss_profile_revision"),
        Index("ix_near_miss_reported", "reported_at", "baseline"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), index=True)
    revision_id: Mapped[int] = mapped_column(
        ForeignKey("revision.id", ondelete="CASCADE"), index=True
    )
    tier: Mapped[Tier]
    score: Mapped[float] = mapped_column(default=0.0)
    reasons: Mapped[list[str]] = mapped_column(MessageJSON)
    because: Mapped[HeldBecause] = mapped_column(default=HeldBecause.DOUBTFUL)
    kind: Mapped[NewsKind] = mapped_column(default=NewsKind.NEW)
    baseline: Mapped[bool]
    held_at: Mapped[datetime]
    reported_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    dropped_because: Mapped[str] = mapped_column(Text, default="")

    profile: Mapped[Profile] = relationship()
    entry: Mapped[Entry] = relationship()
    revision: Mapped[Revision] = relationship()
