"""The archive: stored digests, later corrections of their items, and a profile's news as a list.

Reads what is stored of each digest; writes nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from notifier.digest.changes import MOST, ChangeView, describe_changes
from notifier.digest.evidence import snapshot_key
from notifier.digest.groups import candidate_of, stored
from notifier.digest.items import item_view
from notifier.digest.view import DigestView, Variant, digest_view, note_paragraphs
from notifier.enums import DigestStatus, Edition, NewsKind, Tier
from notifier.errors import NotFoundError
from notifier.i18n.catalog import ENGLISH, language_of
from notifier.store.models import (
    Delivery,
    Digest,
    DigestItem,
    Entry,
    Match,
    Profile,
    Revision,
    Source,
)
from notifier.text.languages import foreign, guess
from notifier.text.urls import web_address

# How many entries a feed lists. Chosen by hand; not measured.
_MOST_NEWS = 50
# How many changes of an item since a digest are read. Chosen by hand; not measured.
_MOST_CHANGES = 40
# How many entries a new reader is shown. Chosen by hand; not measured.
_MOST_LATEST = 5
# The alphabet of `secrets.token_urlsafe`, which makes the keys (22 characters today).
_KEY = re.compile(r"[A-Za-z0-9_-]{16,32}")
PUBLISHED = (DigestStatus.APPROVED, DigestStatus.SENT)


@dataclass(frozen=True)
class Correction:
    """The newest state of an item that was changed or withdrawn after the digest was composed.

    Attributes:
        title: the newest headline.
        url: the entry's address, else its source's; empty where neither is a web address.
        on: the day on which the newest change was observed, UTC.
        changes: all material changes since the digest, oldest first.
        withdrawn: true if the newest change is a withdrawal.
    """

    title: str
    url: str
    on: date
    changes: tuple[ChangeView, ...]
    withdrawn: bool


@dataclass(frozen=True)
class News:
    """An entry of a profile's feed, in its newest state.

    Attributes:
        entry_id: the entry's id.
        title: the headline.
        url: the entry's address, else its source's; empty where neither is a web address.
        source: the source's name.
        tier: `about` or `mention`.
        summary: the summary, the newest changes and the reasons, in English.
        published: the publisher's date; None where there is none.
        updated: when the newest match was stored.
    """

    entry_id: int
    title: str
    url: str
    source: str
    tier: str
    summary: str
    published: datetime | None
    updated: datetime


def public_profiles(session: Session) -> list[Profile]:
    """Return the profiles whose digests anybody may read, oldest first."""
    return [
        profile
        for profile in session.scalars(select(Profile).order_by(Profile.id))
        if profile.removed_at is None and profile.document.get("public")
    ]


def public_profile(session: Session, slug: str) -> Profile:
    """Return the public profile with this slug.

    Raises:
        NotFoundError: there is none. A private profile gives the same error, so that nobody learns
            that it exists.
    """
    for profile in public_profiles(session):
        if profile.slug == slug:
            return profile
    raise NotFoundError("There is no such feed.")


def public(session: Session, digest_id: int) -> Digest:
    """Return a public digest by its id, which older mails have in their links.

    Raises:
        NotFoundError: there is no such digest, or it is not public.
    """
    digest = session.get(Digest, digest_id)
    if digest is None or not is_public(session, digest):
        raise NotFoundError("There is no such digest.")
    return digest


def by_key(session: Session, key: str) -> Digest:
    """Return the digest with this random key.

    A private digest is returned too: only its recipients know the key.

    Raises:
        NotFoundError: there is no such digest.
    """
    digest = (
        session.scalar(select(Digest).where(Digest.key == key)) if _KEY.fullmatch(key) else None
    )
    if digest is None:
        raise NotFoundError("There is no such digest.")
    return digest


def is_public(session: Session, digest: Digest) -> bool:
    """Return true if anybody may read a digest; then caches may keep its page."""
    if digest.status not in PUBLISHED or not digest.profile.document.get("public"):
        return False
    return bool(session.scalar(select(Digest.id).where(Digest.id == digest.id, has_begun())))


def has_begun() -> ColumnElement[bool]:
    """Return the SQL condition that a digest is no draft whose first readers are not due yet."""
    return or_(Digest.open_until.is_(None), exists().where(Delivery.digest_id == Digest.id))


def sent_view(session: Session, digest: Digest) -> DigestView:
    """Return the view of a stored digest, with the items that did not fit into its mail."""
    items = items_of(session, digest)
    candidates = stored(session, items)
    matches = {item.match_id: item.match for item in items}
    revisions = {item.match_id: item.revision for item in items}
    profile = digest.profile
    variant = Variant(
        digest.cadence, digest.edition, digest.language, snapshot_key(profile.document)
    )
    view = digest_view(profile, candidates, matches, revisions, variant, digest.composed_at)
    return replace(view, note=note_paragraphs(digest.editors_note))


def corrected_since(session: Session, digest: Digest) -> tuple[Correction, ...]:
    """Return the items that were changed or withdrawn after the digest, in the digest's order."""
    language = language_of(digest.language)
    later: dict[int, list[Any]] = {}
    for row in session.execute(_later_revisions(digest)):
        later.setdefault(row.rank, []).append(row)
    return tuple(
        Correction(
            foreign(
                rows[-1].title or rows[-1].entry_title,
                guess(f"{rows[-1].title} {rows[-1].summary}"),
                language.code,
            ),
            web_address(rows[-1].url) or web_address(rows[-1].source_url),
            rows[-1].observed_at.date(),
            describe_changes(
                [change for row in rows for change in row.changes][:_MOST_CHANGES],
                rows[-1].source_kind,
                digest.edition,
                language,
                guess(f"{rows[-1].title} {rows[-1].summary}"),
            )[:MOST],
            rows[-1].kind is NewsKind.WITHDRAWN,
        )
        for rows in later.values()
    )


def _later_revisions(digest: Digest) -> Select[*tuple[Any, ...]]:
    """Select the newer states of a digest's entries that were news to its profile.

    A state that is held is not among them, nor one that a person dropped.
    """
    shown = aliased(Revision)
    its_match = select(Match.id).where(
        Match.revision_id == Revision.id,
        Match.profile_id == digest.profile_id,
        Match.dropped_because == "",
    )
    return (
        select(
            DigestItem.rank,
            Revision.title,
            Revision.summary,
            Revision.kind,
            Revision.changes,
            Revision.observed_at,
            Entry.title.label("entry_title"),
            Entry.url,
            Source.url.label("source_url"),
            Source.kind.label("source_kind"),
        )
        .join(shown, shown.id == DigestItem.revision_id)
        .join(Revision, Revision.entry_id == shown.entry_id)
        .join(Entry, Entry.id == shown.entry_id)
        .join(Source, Source.id == Entry.source_id)
        .where(
            DigestItem.digest_id == digest.id,
            Revision.number > shown.number,
            Revision.material.is_(True),
            its_match.exists(),
        )
        .order_by(DigestItem.rank, Revision.number)
    )


def items_of(session: Session, digest: Digest) -> Sequence[DigestItem]:
    """Return the items of a digest in their order, with all that words them."""
    items = select(DigestItem).where(DigestItem.digest_id == digest.id).order_by(DigestItem.rank)
    return session.scalars(
        items.options(
            joinedload(DigestItem.revision),
            joinedload(DigestItem.match).joinedload(Match.entry).joinedload(Entry.source),
        )
    ).all()


def latest_view(
    session: Session, profile: Profile, variant: Variant, now: datetime
) -> DigestView | None:
    """Return the profile's latest entries as a digest would show them; None if there are none.

    They are for a new reader, who sees what to expect: nothing is stored, and nothing counts as
    sent. What was withdrawn or dropped is left out.
    """
    seen = replace(variant, seen_snapshot=snapshot_key(profile.document))
    view = sample_view(session, profile, seen, now)
    return replace(view, evidence=None) if view.sections else None


def sample_view(session: Session, profile: Profile, variant: Variant, now: datetime) -> DigestView:
    """Return the profile's latest entries, perhaps none, and its evidence as a first digest would.

    For everybody else it is as in `latest_view`.
    """
    matches = {
        match.id: match
        for match in session.scalars(_newest(profile, _MOST_LATEST))
        if match.kind is not NewsKind.WITHDRAWN and not match.dropped_because
    }
    # As new entries: the reader knows no earlier state that a change could be compared with.
    candidates = [candidate_of(match, NewsKind.NEW) for match in matches.values()]
    revisions = {match.id: match.revision for match in matches.values()}
    return digest_view(profile, candidates, matches, revisions, variant, now)


def news(session: Session, profile: Profile) -> list[News]:
    """Return a profile's newest entries for its feed, newest first, each once."""
    return [_news(match) for match in session.scalars(_newest(profile, _MOST_NEWS))]


def _newest(profile: Profile, number: int) -> Select[Match]:
    """Select the newest matches of a profile, newest first, one of each entry."""
    newest = (
        select(func.max(Match.id))
        .where(Match.profile_id == profile.id, Match.tier.in_((Tier.ABOUT, Tier.MENTION)))
        .group_by(Match.entry_id)
        .order_by(func.max(Match.position).desc())
        .limit(number)
    )
    return (
        select(Match)
        .where(Match.id.in_(newest))
        .order_by(Match.position.desc())
        .options(joinedload(Match.entry).joinedload(Entry.source), joinedload(Match.revision))
    )


def _news(match: Match) -> News:
    item = item_view(candidate_of(match), match, match.revision, (), (), Edition.PATIENT, ENGLISH)
    changes = "; ".join(f"{change.what}: {change.words}" for change in item.changes)
    reasons = "; ".join(match.reasons)
    return News(
        entry_id=match.entry_id,
        title=item.title,
        url=item.url,
        source=item.source,
        tier=item.tier,
        summary=f"{item.summary} {changes} Why it is here: {reasons}.".strip(),
        published=match.entry.published_at,
        updated=match.created_at,
    )
