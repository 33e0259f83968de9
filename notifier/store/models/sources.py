"""Sources, their entries, and the revisions of the entries."""

from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from notifier.enums import Authority, NewsKind, SourceKind
from notifier.store.models.base import Base, MessageJSON
from notifier.store.models.profiles import Profile

# The conditions of indexes that hold few of many sources.
_IS_FAILING = text("failures > 0")
_IS_GONE = text("gone_at IS NOT NULL")
_IS_REPORTED = text("told_as <> ''")
# The condition of an index: a first state always keeps its text.
_MAY_BE_EMPTIED = text("number > 1 AND NOT emptied")


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
    """A watched address and its state. Writer: `watch/sources.py`.

    A removed source keeps its row: its entries are the record of what was sent.

    Attributes:
        etag: the ETag header of the last answer (RFC 9110, 8.8.3).
        last_modified: the Last-Modified header of the last answer (RFC 9110, 8.8.2).
        body_hash: SHA-256 of the last body, 64 hexadecimal digits.
        baselined_at: the time of the first complete poll that listed entries; they are no news.
        empty_since: the time of the first answer, if it listed nothing.
        changed_at: the time of its last new or changed content.
        expected_by: the latest time at which it should publish something, by its own rhythm.
        moved_to: the address of a permanent redirect, until it has lasted long enough.
        moved_seen_at: the time at which that redirect was first seen.
        gone_at: the time at which it answered 410 (Gone); it is not polled any more.
        ttl_minutes: the shortest time between two polls that its document asks for; 0 for none.
        reported_state: the bad `Health` that was reported to the operator; empty for none.
        as_of: the date of a registry's data.
        posts_url: the list of posts of a WordPress site.
        posts_until: the time of the newest edit that was read from that list.
        posts_next_at: the time at which the list is due again.
        failures: how many polls in a row have failed.
        left_out: how many items of its last document were beyond the number that is read.
        poll_counts: successful polls by day, for the last days: ``{"2026-03-02": 48}``.
        failure_counts: failed polls by day, like `poll_counts`.
        paused_at: the time from which a person lets it rest: it is not polled, and alarms nobody.
        paused_by: the operator who did that; empty on the command line.
        last_error: the reason of the last failure, for the operator.
        doubted_at: the time at which its document was first doubted as a whole: a feed with hardly
            any of its items, or the first state of a page with a sign against it.
        requested_whole_at: the time of the last request without validators.
        encoding: the character encoding of the last document.
        reading: the version of our parsers that read the last document; another version reads it
            again, even if it has not changed.
        ended: whether the last document had its end.
    """

    __tablename__ = "source"
    __table_args__ = (
        Index("ix_source_failing", "id", sqlite_where=_IS_FAILING, postgresql_where=_IS_FAILING),
        Index("ix_source_gone", "id", sqlite_where=_IS_GONE, postgresql_where=_IS_GONE),
        Index("ix_source_reported", "id", sqlite_where=_IS_REPORTED, postgresql_where=_IS_REPORTED),
    )

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
    empty_since: Mapped[datetime | None]
    changed_at: Mapped[datetime | None]
    expected_by: Mapped[datetime | None] = mapped_column(index=True)
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
    failure_counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict, server_default="{}")
    paused_at: Mapped[datetime | None]
    paused_by: Mapped[str] = mapped_column(String(40), default="", server_default="")
    last_error: Mapped[str | None] = mapped_column(Text)
    doubted_at: Mapped[datetime | None]
    requested_whole_at: Mapped[datetime | None]
    encoding: Mapped[str | None] = mapped_column(String(40))
    reading: Mapped[int] = mapped_column(default=1, server_default="1")
    ended: Mapped[bool | None]

    profiles: Mapped[list[Profile]] = relationship(
        secondary="source_profile", order_by="Profile.id"
    )


class SourceProfile(Base):
    """A profile that a source is for; a source without a row is for all profiles.

    Writer: `watch/sources.py`.
    """

    __tablename__ = "source_profile"

    source_id: Mapped[int] = mapped_column(
        ForeignKey("source.id", ondelete="CASCADE"), primary_key=True
    )
    profile_id: Mapped[int] = mapped_column(
        ForeignKey("profile.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Entry(Base):
    """An item that a source publishes, under a key that survives edits. Writer: `watch/entries.py`.

    Attributes:
        key: the strongest of its keys, see `watch/keys.py`.
        left_at: the time at which its source no longer listed it.
        checked_at: the time at which its own address was last requested.
        missing_since: the time at which that address first answered that there is no such page.
    """

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("source_id", "key"),
        Index("ix_entry_source_seen", "source_id", "first_seen_at"),
    )

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


class Doubt(Base):
    """An observed state of an entry that is not believed yet. Writer: `watch/doubts.py`.

    Attributes:
        source_id: the entry's source.
        since: the time at which it was first observed.
        hash: SHA-256 of what is doubted, 64 hexadecimal digits.
    """

    __tablename__ = "doubt"

    entry_id: Mapped[int] = mapped_column(
        ForeignKey("entry.id", ondelete="CASCADE"), primary_key=True
    )
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"), index=True)
    since: Mapped[datetime]
    hash: Mapped[str] = mapped_column(String(64))


class EntryAlias(Base):
    """A key by which an entry is recognised: of its guid, its link or its content.

    Writer: `watch/identity.py`; how a key is written: `watch/keys.py`.
    """

    __tablename__ = "entry_alias"

    source_id: Mapped[int] = mapped_column(
        ForeignKey("source.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), index=True)


class Revision(Base):
    """An observed state of an entry. Writer: `watch/entries.py`.

    `number` counts from 1 within the entry and is unique there: two pollers that saw the same state
    cannot both store it, and a return to an older wording is a revision of its own.

    Attributes:
        hash: SHA-256 of the content, 64 hexadecimal digits.
        material: whether the change from the revision before is news.
        baseline: it is of a source's first poll.
        content: of a page ``{"sections": ...}``, of a trial ``{"trial": ..., "fields": ...,
            "lists": ...}``; else empty.
        changes: the differences from the revision before, each with the texts ``what``, ``before``,
            ``after`` and ``note`` (`Change`).
        origin: ``document`` or ``posts``: which document it was read from. A feed's teaser is never
            compared with the whole article.
        as_of: the date of a registry's data.
        held_because: a `HeldBecause`, if this state waits for a person; else empty.
        reading: the version of our parsers that read it (`READING` in `watch/parsers/`): two states
            that were read in different ways may differ without an edit.
        judge_requests: how often it was asked since the last judgement that it be judged for all
            profiles; 0 for a judged one. Writer: `match/unjudged.py`.
        emptied: true after `body` and `content` were removed, because the state is old.
    """

    __tablename__ = "revision"
    __table_args__ = (
        UniqueConstraint("entry_id", "number"),
        # The few that wait, however many are stored.
        Index(
            "ix_revision_unjudged",
            "id",
            sqlite_where=text("judge_requests > 0"),
            postgresql_where=text("judge_requests > 0"),
        ),
        Index(
            "ix_revision_full",
            "observed_at",
            sqlite_where=_MAY_BE_EMPTIED,
            postgresql_where=_MAY_BE_EMPTIED,
        ),
    )

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
    held_because: Mapped[str] = mapped_column(String(20), default="")
    reading: Mapped[int] = mapped_column(default=1, server_default="1")
    judge_requests: Mapped[int] = mapped_column(default=1, server_default="0")
    emptied: Mapped[bool] = mapped_column(default=False, server_default=false())

    entry: Mapped[Entry] = relationship(back_populates="revisions")


class Article(Base):
    """The text of an article's own page, if its feed shows only a teaser.

    Writer: `watch/articles.py`.
    """

    __tablename__ = "article"

    entry_id: Mapped[int] = mapped_column(
        ForeignKey("entry.id", ondelete="CASCADE"), primary_key=True
    )
    text: Mapped[str] = mapped_column(Text)
    fetched_at: Mapped[datetime]


class ArticleRequest(Base):
    """An article's page that is still wanted. Writer: `watch/articles.py`.

    Attributes:
        wanted_since: the time at which it was first wanted.
        next_at: the time at which it is requested next.
        tries: how often it was requested in vain.
    """

    __tablename__ = "article_request"

    entry_id: Mapped[int] = mapped_column(
        ForeignKey("entry.id", ondelete="CASCADE"), primary_key=True
    )
    wanted_since: Mapped[datetime]
    next_at: Mapped[datetime] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(default=0)


class ParsedItems(Base):
    """The parsed items of a large feed's last document. Writer: `watch/parsed_items.py`.

    Attributes:
        items: in a form that `watch/parser_process/` makes and reads alone; it may be deleted.
    """

    __tablename__ = "parsed_items"

    source_id: Mapped[int] = mapped_column(
        ForeignKey("source.id", ondelete="CASCADE"), primary_key=True
    )
    items: Mapped[bytes] = mapped_column(LargeBinary)


class Host(Base):
    """A host whose article pages are requested. Writer: `watch/hosts.py`.

    Attributes:
        name: host name and port, as in an address.
        wait_until: the time until which the host asked to be left alone.
        day: the day of `pages`, ``2026-03-02`` (UTC).
        pages: how many article pages were requested on that day.
        robots: its robots.txt (RFC 9309); None if it was not read yet.
        robots_at: the time at which that was read.
    """

    __tablename__ = "host"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    wait_until: Mapped[datetime | None]
    day: Mapped[str] = mapped_column(String(10), default="")
    pages: Mapped[int] = mapped_column(default=0)
    robots: Mapped[str | None] = mapped_column(Text)
    robots_at: Mapped[datetime | None]
