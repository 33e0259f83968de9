"""Listing: digests as `notifier digests list` shows them, however many there are."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, defer, joinedload, selectinload

from notifier.enums import NewsKind
from notifier.store.db import count_some, in_chunks
from notifier.store.models import Digest, DigestItem, Match, Revision

# Digests that are read at a time. Chosen by hand; not measured.
_LISTED_AT_ONCE = 100


def listed(
    session: Session,
    limit: int | None = None,
    profile_id: int | None = None,
    since: datetime | None = None,
) -> Iterator[Digest]:
    """Yield digests with their profile and items, newest first, without their bodies.

    Args:
        session: a reading session.
        limit: the most that are yielded; None for all.
        profile_id: only of this profile; None for all.
        since: only those composed since then; None for all.
    """
    wanted = select(Digest.id).where(*_wanted(profile_id, since))
    ids = session.scalars(wanted.order_by(Digest.id.desc()).limit(limit)).all()
    items = selectinload(Digest.items)
    details = (
        joinedload(Digest.profile),
        defer(Digest.body_html),
        defer(Digest.body_text),
        defer(Digest.page_html),
        items.joinedload(DigestItem.match).joinedload(Match.entry),
        items.joinedload(DigestItem.revision).load_only(Revision.title),
    )
    for chunk in in_chunks(ids, _LISTED_AT_ONCE):
        page = select(Digest).where(Digest.id.in_(chunk)).order_by(Digest.id.desc())
        yield from session.scalars(page.options(*details))


def item_count(digest: Digest) -> int:
    """Return how many items a digest has, as its subject says: reports of one event are one."""
    stories = {
        ("story", item.match.story)
        if item.kind is NewsKind.NEW and item.match.story is not None
        else ("match", item.match_id)
        for item in digest.items
    }
    return len(stories)


def count(session: Session, profile_id: int | None = None, since: datetime | None = None) -> int:
    """Return the number of these digests; see `db.count_some`."""
    return count_some(session, select(Digest.id).where(*_wanted(profile_id, since)))


def _wanted(profile_id: int | None, since: datetime | None) -> list[ColumnElement[bool]]:
    of_profile = [] if profile_id is None else [Digest.profile_id == profile_id]
    return of_profile + ([] if since is None else [Digest.composed_at >= since])
