"""All tables.

Owns the shape of what is stored and the unique keys that make each step safe to repeat. It knows no room: who may
write a table is named beside it, and anyone may read.
"""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Enum, ForeignKey, Index, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from notifier.store.statuses import (
    Authority,
    Cadence,
    ConsentEvent,
    DeliveryKind,
    DeliveryStatus,
    DigestStatus,
    Edition,
    NewsKind,
    SourceKind,
    SubscriptionStatus,
    TermKind,
    Tier,
)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC time; a naive one is refused, because nobody can say what it meant."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _choice(kind: type[StrEnum]) -> Enum:
    """A status as its text, checked by Python and by no database type, so that a new one needs no rebuilt table."""
    return Enum(kind, native_enum=False, length=20, values_callable=lambda members: [str(one) for one in members])


class Base(DeclarativeBase):
    """The ground of all tables; constraints get predictable names, which SQLite's batch migrations need."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: UTCDateTime(),
        dict[str, Any]: JSON(),
        list[str]: JSON(),
        list[dict[str, Any]]: JSON(),
        StrEnum: _choice(StrEnum),
    }


class Installation(Base):
    """One row: the salt by which addresses are recognised after erasure. Written by the first migration."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True)
    salt: Mapped[str] = mapped_column(String(64))


class Source(Base):
    """An address we watch, and how it fares. Writer: `watch/sources.py`.

    One that was removed keeps its row, for its entries are the record of what readers were told. `expected_by` is when
    its own rhythm has it publish something at the latest; `told_as` the bad state that the operator was told of;
    `as_of` the date of a registry's data; `posts_*` belong to a WordPress site's list of posts.
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
    told_as: Mapped[str] = mapped_column(String(20), default="")
    as_of: Mapped[datetime | None]
    posts_url: Mapped[str | None] = mapped_column(Text)
    posts_until: Mapped[datetime | None]
    posts_next_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(Text)

    profiles: Mapped[list["Profile"]] = relationship(secondary="source_profile", order_by="Profile.id")


class SourceProfile(Base):
    """Which profiles a source feeds; a source without a row feeds them all. Writer: `watch/sources.py`."""

    __tablename__ = "source_profile"

    source_id: Mapped[int] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"), primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), primary_key=True, index=True)


class Entry(Base):
    """One thing a source publishes, under a key that survives edits. Writer: `watch/entries.py`.

    `left_at` is when its source no longer listed it, `checked_at` when its own address was last asked, `missing_since`
    when that first answered that there is no such page.
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
    revisions: Mapped[list["Revision"]] = relationship(back_populates="entry", order_by="Revision.number")


class EntryAlias(Base):
    """Another key an entry went by: its guid, its link, its content. Writer: `watch/entries.py`."""

    __tablename__ = "entry_alias"

    source_id: Mapped[int] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), index=True)


class Revision(Base):
    """One observed state of an entry. Writer: `watch/entries.py`.

    `number` counts from 1 within the entry and is its key: two pollers that saw the same state cannot both store it,
    and a publisher who goes back to an older wording is seen to do so. `origin` tells which reading it is of: a feed's
    teaser is never compared with the whole article.
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
    changes: Mapped[list[dict[str, Any]]]
    origin: Mapped[str] = mapped_column(String(20), default="document")
    as_of: Mapped[datetime | None]

    entry: Mapped[Entry] = relationship(back_populates="revisions")


class Article(Base):
    """The text of an article's own page, where its feed shows only a teaser. Writer: `watch/articles.py`."""

    __tablename__ = "article"

    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    fetched_at: Mapped[datetime]


class Profile(Base):
    """The stored therapy profile; `position` is the last one given in its match sequence.

    Writer: `match/profiles.py`, and `match/matches.py` for the position.
    """

    __tablename__ = "profile"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text)
    stage: Mapped[str] = mapped_column(Text)
    stage_as_of: Mapped[date | None]
    document: Mapped[dict[str, Any]]
    imported_at: Mapped[datetime]
    position: Mapped[int] = mapped_column(default=0)

    terms: Mapped[list["Term"]] = relationship(
        back_populates="profile", cascade="all, delete-orphan", order_by="Term.id"
    )


class ProfileRevision(Base):
    """One imported state of a profile, numbered from 1. Writer: `match/profiles.py`."""

    __tablename__ = "profile_revision"

    profile_id: Mapped[int] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]
    imported_at: Mapped[datetime]


class Term(Base):
    """One thing to look for, with its kind and its other spellings. Writer: `match/profiles.py`."""

    __tablename__ = "term"
    __table_args__ = (UniqueConstraint("profile_id", "kind", "text"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"))
    kind: Mapped[TermKind]
    text: Mapped[str] = mapped_column(Text)
    also: Mapped[list[str]]

    profile: Mapped[Profile] = relationship(back_populates="terms")


class Examination(Base):
    """That a revision was held against the profiles. Writer: `match/matches.py`."""

    __tablename__ = "examination"

    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id", ondelete="CASCADE"), primary_key=True)
    examined_at: Mapped[datetime]


class Match(Base):
    """A revision that concerns a profile; `position` orders them within it. Writer: `match/matches.py`.

    `story` is the first match that told the same news; none where nobody else tells it.

    `filed` matches are shown and counted but owed to nobody: a source's first poll, or a past that was filed.
    """

    __tablename__ = "match"
    __table_args__ = (
        UniqueConstraint("profile_id", "revision_id", name="uq_match_profile_revision"),
        UniqueConstraint("profile_id", "position", name="uq_match_profile_position"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"))
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id", ondelete="CASCADE"), index=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    kind: Mapped[NewsKind]
    tier: Mapped[Tier]
    score: Mapped[float]
    reasons: Mapped[list[str]]
    story: Mapped[int | None] = mapped_column(index=True)
    filed: Mapped[bool]
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
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id", ondelete="CASCADE"), index=True)
    tier: Mapped[Tier]
    reasons: Mapped[list[str]]
    baseline: Mapped[bool]
    held_at: Mapped[datetime]
    released_at: Mapped[datetime | None]

    profile: Mapped[Profile] = relationship()
    entry: Mapped[Entry] = relationship()
    revision: Mapped[Revision] = relationship()


class Digest(Base):
    """One composed edition, its body rendered once. Writer: `digest/digests.py`."""

    __tablename__ = "digest"
    __table_args__ = (UniqueConstraint("profile_id", "cadence", "group_key", "window"),)

    id: Mapped[int] = mapped_column(primary_key=True)
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
    composed_at: Mapped[datetime]

    profile: Mapped[Profile] = relationship()
    items: Mapped[list["DigestItem"]] = relationship(order_by="DigestItem.rank")


class DigestItem(Base):
    """That a match stands in a digest, as what, in which revision: the ledger of what was told.

    Writer: `digest/digests.py`.
    """

    __tablename__ = "digest_item"

    digest_id: Mapped[int] = mapped_column(ForeignKey("digest.id", ondelete="CASCADE"), primary_key=True)
    match_id: Mapped[int] = mapped_column(ForeignKey("match.id", ondelete="CASCADE"), primary_key=True, index=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id", ondelete="CASCADE"), index=True)
    kind: Mapped[NewsKind]
    rank: Mapped[int]

    match: Mapped[Match] = relationship()
    revision: Mapped[Revision] = relationship()


class Subscriber(Base):
    """A person's address, language and time zone. Writer: `subscribers/subscriptions.py`."""

    __tablename__ = "subscriber"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320))
    address_hash: Mapped[str] = mapped_column(String(64), unique=True)
    language: Mapped[str] = mapped_column(String(12))
    time_zone: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]

    subscriptions: Mapped[list["Subscription"]] = relationship(back_populates="subscriber", order_by="Subscription.id")


class Subscription(Base):
    """Subscriber × profile. Writer: `subscribers/subscriptions.py`.

    `position` is how far in the profile's match sequence this person has been served: what lies above is owed.
    `link_id` stands in signed links in place of anything that says who or what.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "profile_id"),
        Index("ix_subscription_due", "status", "next_due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    profile_id: Mapped[int] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), index=True)
    cadence: Mapped[Cadence]
    at: Mapped[str] = mapped_column(String(5))
    on: Mapped[int | None]
    edition: Mapped[Edition]
    status: Mapped[SubscriptionStatus]
    link_id: Mapped[str] = mapped_column(String(32), unique=True)
    position: Mapped[int] = mapped_column(default=0)
    next_due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    subscriber: Mapped[Subscriber] = relationship(back_populates="subscriptions")
    profile: Mapped[Profile] = relationship()


class Consent(Base):
    """The dated record of what was agreed to, in which wording, attested by whom. Writer: `subscribers/consent.py`."""

    __tablename__ = "consent"

    id: Mapped[int] = mapped_column(primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id", ondelete="CASCADE"), index=True)
    event: Mapped[ConsentEvent]
    method: Mapped[str] = mapped_column(String(40))
    attested_by: Mapped[str] = mapped_column(Text)
    wording_version: Mapped[str] = mapped_column(String(20))
    wording_hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class Suppression(Base):
    """An address never mailed again, known only by its hash, and why. Writer: `subscribers/suppressions.py`."""

    __tablename__ = "suppression"

    address_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class Notice(Base):
    """What the operator is told by mail, once. Writer: `deliver/notices.py`."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    to: Mapped[str] = mapped_column(String(320))
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class Delivery(Base):
    """One message owed to one subscription, or a notice to the operator, with its attempts.

    Writer: `deliver/outbox.py`. `due_at` is when it was owed and never moves; `next_attempt_at` does, until
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
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id", ondelete="CASCADE"), index=True)
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id", ondelete="CASCADE"), unique=True)
    message_id: Mapped[str] = mapped_column(String(320), unique=True)
    status: Mapped[DeliveryStatus]
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    given_up_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)

    subscription: Mapped[Subscription | None] = relationship()
    notice: Mapped[Notice | None] = relationship()
    digest: Mapped[Digest | None] = relationship()
