"""Outdated: digests of which an item changed after they were composed.

Owns what counts as such a change, and the words that say which it was. Some readers of such a
digest may have it; who has not is owed its news as it is now. Who that is, is not known here.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session, aliased

from notifier.enums import DigestStatus, NewsKind
from notifier.store.models import Digest, DigestItem, Entry, Match, has_status
from notifier.text.cleaning import shorten

_LONGEST_TITLE = 120
_CHANGED = {NewsKind.CORRECTED: "was corrected", NewsKind.WITHDRAWN: "was withdrawn"}

# The match of an item's entry that came after the item.
_LATER = aliased(Match)


def because(title: str, kind: NewsKind | None, *, was_dropped: bool) -> str:
    """Return a clause that says what became of an item: “A headline” was corrected.

    Args:
        title: of its entry.
        kind: of the later match; None if there is none.
        was_dropped: a person dropped it.
    """
    what = "was dropped" if was_dropped or kind is None else _CHANGED.get(kind, "changed")
    return f"“{shorten(title, _LONGEST_TITLE) or 'An item'}” {what}"


def going_out(session: Session) -> list[int]:
    """Return the outdated digests that may be sent, by id. Hardly any digest is read for it."""
    return sorted(_reasons(session, has_status(DigestStatus.APPROVED)))


def reason(session: Session, digest: Digest) -> str:
    """Return why a digest is outdated, a clause (`because`); empty if it is not."""
    return _reasons(session, Digest.id == digest.id).get(digest.id, "")


def later_matches(digest_ids: Collection[int], position: int) -> Select[int]:
    """Select the matches, by id, by which items of digests are outdated.

    Args:
        digest_ids: of the digests, which are of one profile.
        position: only matches up to this one.
    """
    return (
        select(_LATER.id)
        .select_from(DigestItem)
        .join(Match, Match.id == DigestItem.match_id)
        .join(_LATER, _is_later())
        .where(DigestItem.digest_id.in_(digest_ids), _LATER.position + 0 <= position)
    )


def _reasons(session: Session, which: ColumnElement[bool]) -> dict[int, str]:
    """Return which digests are outdated, and by what."""
    items = (
        select(Digest.id, Match.filed, _LATER.kind, Entry.title)
        .join(DigestItem, DigestItem.digest_id == Digest.id)
        .join(Match, Match.id == DigestItem.match_id)
        .join(Entry, Entry.id == Match.entry_id)
        .outerjoin(_LATER, _is_later())
        .where(which, or_(Match.filed.is_(True), _LATER.id.is_not(None)))
        .order_by(Digest.id, DigestItem.rank.desc(), _LATER.position)
    )
    return {
        digest_id: because(title, kind, was_dropped=filed)
        for digest_id, filed, kind, title in session.execute(items)
    }


def _is_later() -> ColumnElement[bool]:
    """Return the SQL condition that a match corrects or withdraws an item's entry.

    Changes of trials and pages are owed for themselves. One of an older state that was held until
    now changes nothing. The columns of other indexes are expressions: SQLite would read all later
    matches of the profile.
    """
    return and_(
        _LATER.entry_id == Match.entry_id,
        _LATER.profile_id + 0 == Match.profile_id,
        _LATER.position + 0 > Match.position,
        _LATER.revision_id + 0 > Match.revision_id,
        _LATER.filed.is_(False),
        _LATER.kind.in_(_CHANGED),
    )
