"""What is watched and what was seen: sources, entries, their revisions."""

from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from notifier.enums import Authority, NewsKind, SourceKind
from notifier.store.models.base import Base, MessageJSON
from notifier.store.models.profiles import Profile


class Change(TypedDict):
    """A difference between two states of an entry, as `revision.changes` stores it.

    Attributes:
        what: the field of a record, the section of a page, ``headline``, ``heading``, ``text``,
            ``withdrawn`` or ``availability``.
        before: the earlier text; empty for something that was added.
        after: the text of today; empty for something that was removed.
        note: the numbers that changed, or how far a date moved; may be empty.
    """

    what: str
    before: str
    after: str
    note: str


class Source(Base):
    """An address we watch, and how it fares. Writer: `watch/sources.py`.

    A removed one keeps its row, for its entries are the record of what readers were told.
    `expected_by` is the latest time at which its own rhythm has it publish something;
    `reported_state` the bad state that the operator was told of; `as_of` the date of a registry's
    data; `poll_counts` how often it answered on each of the last days (``{"2026-03-02": 48}``);
    `left_out` how many items of its last document were more than are read; `posts_*` belong to a
    WordPress site's list of posts.
    """

    __tablename__ = "source"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[SourceKind]
    url: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    authority: Mapped[Authority]
    created_at: Mapped[datetime]
    etag: Mapped[str | None] = mapped_column(Text)
    last_modified: Mapped[str | None] = mapped_column(Text)
    body_hash: Mapped[str | None] = mapped_column(String(64))
    next_poll_at: Mapped[datetime] = mapped_column(index=True)
    last_success_at: Mapped[datetime | None]
    baselined_at: Mapped[datetime | None]
    changed_at: Mapped[datetime | None]
    expected_by: Mapped[datetime | None]
    moved_to: Mapped[str | None] = mapped_column(Text)
    moved_seen_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    ttl_minutes: Mapped[int] = mapped_column(default=0)
    reported_state: Mapped[str] = mapped_column("told_as", String(20), default="")
    as_of: Mapped[datetime | None]
    posts_url: Mapped[str | None] = mapped_column(Text)
    posts_until: Mapped[datetime | None]
    posts_next_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    left_out: Mapped[int] = mapped_column(default=0)
    poll_counts: Mapped[dict[str, int]] = mapped_column("looks", JSON, default=dict)
    last_error: Mapped[str | None] = mapped_column(Text)

    profiles: Mapped[list[Profile]] = relationship(
        secondary="source_profile", order_by="Profile.id"
    )


class SourceProfile(Base):
    """Which profiles a source feeds; a source without a row feeds them all. Writer: `watch/sources.py`."""

    __tablename__ = "source_profile"

    source_id: Mapped[int] = mapped_column(
        ForeignKey("source.id", ondelete="CASCADE"), primary_key=True
    )
    profile_id: Mapped[int] = mapped_column(
        ForeignKey("profile.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Entry(Base):
    """One thing a source publishes, under a key that survives edits. Writer: `watch/entries.py`.

    `left_at` is when its source no longer listed it, `checked_at` when its own address was last
    asked, `missing_since` when that first answered that there is no such page.
    """

    __tablename__ = "entry"
    __table_args__ = (UniqueConstraint("source_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime | None]
    first_seen_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    missing_since: Mapped[datetime | None]

    source: Mapped[Source] = relationship()
    revisions: Mapped[list["Revision"]] = relationship(
        back_populates="entry", order_by="Revision.number"
    )


class EntryAlias(Base):
    """Another key an entry went by: its guid, its link, its content. Writer: `watch/entries.py`."""

    __tablename__ = "entry_alias"

    source_id: Mapped[int] = mapped_column(
        ForeignKey("source.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), index=True)


class Revision(Base):
    """One observed state of an entry. Writer: `watch/entries.py`.

    `number` counts from 1 within the entry and is its key: two pollers that saw the same state
    cannot both store it, and a publisher who goes back to an older wording is seen to do so.
    `origin` tells which reading it is of: a feed's teaser is never compared with the whole article.
    """

    __tablename__ = "revision"
    __table_args__ = (UniqueConstraint("entry_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"))
    number: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    kind: Mapped[NewsKind]
    material: Mapped[bool]
    baseline: Mapped[bool]
    observed_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    url: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(Text)
    categories: Mapped[list[str]]
    content: Mapped[dict[str, Any]]
    changes: Mapped[list[Change]] = mapped_column(MessageJSON)
    origin: Mapped[str] = mapped_column(String(20), default="document")
    as_of: Mapped[datetime | None]

    entry: Mapped[Entry] = relationship(back_populates="revisions")


class Article(Base):
    """The text of an article's own page, where its feed shows only a teaser. Writer: `watch/articles.py`."""

    __tablename__ = "article"

    entry_id: Mapped[int] = mapped_column(
        ForeignKey("entry.id", ondelete="CASCADE"), primary_key=True
    )
    text: Mapped[str] = mapped_column(Text)
    fetched_at: Mapped[datetime]
