"""The archive: digests that anybody may read, what was corrected since, and the news of a profile as a list.

Reads the ledger of what was told; writes nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from notifier.digest import changes
from notifier.digest.changes import ChangeView
from notifier.digest.digests import candidate
from notifier.digest.evidence import snapshot_key
from notifier.digest.items import item
from notifier.digest.view import DigestView, Variant, view
from notifier.enums import DigestStatus, Edition, NewsKind, Tier
from notifier.errors import NotFoundError
from notifier.i18n.catalog import ENGLISH, language_of
from notifier.i18n.messages import LazyMessage
from notifier.store.models import Digest, DigestItem, Entry, Match, Profile, Revision, Source
from notifier.text.urls import web_address

_MOST_LISTED = 200
_MOST_NEWS = 50
# What `secrets.token_urlsafe` writes.
_KEY = re.compile(r"[A-Za-z0-9_-]{16,32}")
_SHOWN = (DigestStatus.APPROVED, DigestStatus.SENT)


@dataclass(frozen=True)
class Since:
    """How an item of a digest reads now, where that is not what the digest says any more."""

    title: str
    url: str
    on: date
    changes: tuple[ChangeView, ...]
    withdrawn: bool


@dataclass(frozen=True)
class News:
    """One entry's news in its newest state."""

    entry_id: int
    title: str
    url: str
    source: str
    tier: str
    summary: str
    published: datetime | None
    updated: datetime


def public_profiles(session: Session) -> list[Profile]:
    """The profiles whose digests anybody may read."""
    return [
        one
        for one in session.scalars(select(Profile).order_by(Profile.id))
        if one.document.get("public")
    ]


def public_profile(session: Session, slug: str) -> Profile:
    """The public profile with this slug.

    Raises:
        NotFoundError: there is none; that a profile is there and not public is told to nobody.
    """
    for one in public_profiles(session):
        if one.slug == slug:
            return one
    raise NotFoundError(LazyMessage("There is no such feed."))


def listed(session: Session) -> list[Digest]:
    """The newest digests of public profiles that hold something, with their profile and items."""
    ids = [one.id for one in public_profiles(session)]
    chosen = (
        select(Digest)
        .where(Digest.profile_id.in_(ids), Digest.status.in_(_SHOWN), Digest.items.any())
        .order_by(Digest.id.desc())
        .limit(_MOST_LISTED)
        .options(joinedload(Digest.profile), selectinload(Digest.items))
    )
    return list(session.scalars(chosen))


def public(session: Session, digest_id: int) -> Digest:
    """A digest of a public profile, by its number, as it stands in older mails.

    Raises:
        NotFoundError: there is none.
    """
    found = session.get(Digest, digest_id)
    if found is None or not is_public(found):
        raise NotFoundError(LazyMessage("There is no such digest."))
    return found


def by_key(session: Session, key: str) -> Digest:
    """The digest with this random key, public or not: who knows the key was sent the digest.

    Raises:
        NotFoundError: there is none.
    """
    digest = (
        session.scalar(select(Digest).where(Digest.key == key)) if _KEY.fullmatch(key) else None
    )
    if digest is None:
        raise NotFoundError(LazyMessage("There is no such digest."))
    return digest


def is_public(digest: Digest) -> bool:
    """Whether anybody may read a digest, and whoever passes it on may keep a copy."""
    return digest.status in _SHOWN and bool(digest.profile.document.get("public"))


def sent_view(session: Session, digest: Digest) -> DigestView:
    """All that a digest told, those items too that did not fit into its mail."""
    chosen, matches, revisions = [], {}, {}
    for one in _items(session, digest):
        match = one.match
        chosen.append(candidate(match, one.kind))
        matches[match.id], revisions[match.id] = match, one.revision
    profile = digest.profile
    variant = Variant(
        digest.cadence, digest.edition, digest.language, snapshot_key(profile.document)
    )
    return view(profile, chosen, matches, revisions, variant, digest.composed_at)


def corrected_since(session: Session, digest: Digest) -> tuple[Since, ...]:
    """What of a digest was corrected or withdrawn after it was composed."""
    spoken = language_of(digest.language)
    later: dict[int, list[Any]] = {}
    for row in session.execute(_later_revisions(digest)):
        later.setdefault(row.rank, []).append(row)
    return tuple(
        Since(
            rows[-1].title or rows[-1].entry_title,
            web_address(rows[-1].url) or web_address(rows[-1].source_url),
            rows[-1].observed_at.date(),
            changes.in_words(
                [change for row in rows for change in row.changes],
                rows[-1].source_kind,
                digest.edition,
                spoken,
            ),
            rows[-1].kind is NewsKind.WITHDRAWN,
        )
        for rows in later.values()
    )


def _later_revisions(digest: Digest) -> Select[Any]:
    """The material revisions of a digest's entries that are newer than what it tells, in one question."""
    told_of = aliased(Revision)
    return (
        select(
            DigestItem.rank,
            Revision.title,
            Revision.kind,
            Revision.changes,
            Revision.observed_at,
            Entry.title.label("entry_title"),
            Entry.url,
            Source.url.label("source_url"),
            Source.kind.label("source_kind"),
        )
        .join(told_of, told_of.id == DigestItem.revision_id)
        .join(Revision, Revision.entry_id == told_of.entry_id)
        .join(Entry, Entry.id == told_of.entry_id)
        .join(Source, Source.id == Entry.source_id)
        .where(
            DigestItem.digest_id == digest.id,
            Revision.number > told_of.number,
            Revision.material.is_(True),
        )
        .order_by(DigestItem.rank, Revision.number)
    )


def _items(session: Session, digest: Digest) -> Sequence[DigestItem]:
    chosen = select(DigestItem).where(DigestItem.digest_id == digest.id).order_by(DigestItem.rank)
    return session.scalars(
        chosen.options(
            joinedload(DigestItem.revision),
            joinedload(DigestItem.match).joinedload(Match.entry).joinedload(Entry.source),
        )
    ).all()


def news(session: Session, profile: Profile) -> list[News]:
    """The newest news of a profile, an entry once and in its newest state, newest first."""
    newest = (
        select(func.max(Match.id))
        .where(Match.profile_id == profile.id, Match.tier.in_((Tier.ABOUT, Tier.MENTION)))
        .group_by(Match.entry_id)
        .order_by(func.max(Match.position).desc())
        .limit(_MOST_NEWS)
    )
    chosen = (
        select(Match)
        .where(Match.id.in_(newest))
        .order_by(Match.position.desc())
        .options(joinedload(Match.entry).joinedload(Entry.source), joinedload(Match.revision))
    )
    return [_news(match) for match in session.scalars(chosen)]


def _news(match: Match) -> News:
    shown = item(candidate(match), match, match.revision, (), (), Edition.PATIENT, ENGLISH)
    told_changes = [f"{change.what}: {change.words}" for change in shown.changes]
    summary = f"{shown.summary} {'; '.join(told_changes)} Why it is here: {'; '.join(match.reasons)}.".strip()
    published = match.entry.published_at
    return News(
        match.entry_id,
        shown.title,
        shown.url,
        shown.source,
        shown.tier,
        summary,
        published,
        match.created_at,
    )
