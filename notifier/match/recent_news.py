"""Recent news: the reports that a new one is compared with, to find the same news of other outlets.

Owns the table of their keys and which reports are recent. A report is found by its keys, which are
small; its text is read only if it may be the same news. The table is a memory of what can be made
anew: a row that is missing, or of another form, is made from the text when it is needed.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, delete, func, insert, select
from sqlalchemy.orm import Session

from notifier.enums import NewsKind
from notifier.match.stories.fingerprint import FORM, Fingerprint, Keys, fingerprint, keys_of
from notifier.match.stories.passages import TEXT_READ
from notifier.store.db import in_chunks
from notifier.store.models import Match, Revision, StoryKeys

# Chosen by hand; not measured.
STORY_LASTS = timedelta(days=14)
# The newest matches of a profile that a new one is compared with: more than any therapy is expected
# to have in two weeks. Chosen by hand; not measured.
MOST_RECENT = 1000
# Fingerprints in memory at once, about 15 KB each. Chosen by hand; not measured.
_MOST_KEPT = 1000
# Rows that one run of the housekeeping deletes. Chosen by hand; not measured.
_MOST_FORGOTTEN = 5000


class RecentMatch(NamedTuple):
    """A recent match, the first match of its story if there is one, and its keys."""

    match_id: int
    entry_id: int
    story: int | None
    revision_id: int
    keys: Keys


def fingerprint_of(revision: Any) -> Fingerprint:
    """Return the fingerprint of a revision, or of a row with the same columns."""
    text = (revision.body or revision.summary)[:TEXT_READ]
    return fingerprint(revision.url, revision.title, text, revision.content.get("trial", ""))


class Reports:
    """Fingerprints of stored revisions, made when they are needed.

    Args:
        session: a session of any kind, for as long as this is used.
        known: fingerprints that were made before, by revision id.
    """

    def __init__(self, session: Session, known: Mapping[int, Fingerprint] | None = None) -> None:
        self._session = session
        self._known = known or {}
        self._read: dict[int, Fingerprint] = {}
        # Keys that were made because they were not stored, by revision id.
        self.made_keys: dict[int, Keys] = {}

    def read(self, revision_id: int) -> Fingerprint:
        """Return the fingerprint of a revision."""
        if revision_id not in self._known and revision_id not in self._read:
            self.read_ahead([revision_id])
        return self._known.get(revision_id) or self._read[revision_id]

    def read_ahead(self, revision_ids: Iterable[int]) -> None:
        """Read the fingerprints of several revisions in one query."""
        missing = {each for each in revision_ids if each not in self._known}
        missing -= self._read.keys()
        if len(self._read) + len(missing) > _MOST_KEPT:
            self._read.clear()
        query = select(
            Revision.id,
            Revision.url,
            Revision.title,
            func.substr(Revision.body, 1, TEXT_READ).label("body"),
            Revision.summary,
            Revision.content,
        ).where(Revision.id.in_(missing))
        for row in self._session.execute(query) if missing else ():
            self._read[row.id] = fingerprint_of(row)

    def make_keys(self, revision_id: int) -> Keys:
        """Return the keys of a revision, made from its text."""
        if revision_id not in self.made_keys:
            self.made_keys[revision_id] = keys_of(self.read(revision_id))
        return self.made_keys[revision_id]


def profiles_with_recent(
    session: Session, profile_ids: Iterable[int], now: datetime
) -> Sequence[int]:
    """Return those of the profiles that have a match of the last 14 days, in their order."""
    is_recent = Match.created_at > now - STORY_LASTS
    return [
        profile_id
        for chunk in in_chunks(sorted(profile_ids))
        for profile_id in session.scalars(
            select(Match.profile_id)
            .where(Match.profile_id.in_(chunk), is_recent)
            .distinct()
            .order_by(Match.profile_id)
        )
    ]


def read(session: Session, profile_id: int, now: datetime, reports: Reports) -> list[RecentMatch]:
    """Return the new matches of a profile in the last 14 days, the oldest first.

    Args:
        session: a session of any kind.
        profile_id: of the profile.
        now: the present.
        reports: makes the keys that are not stored.
    """
    is_its_row = and_(StoryKeys.revision_id == Match.revision_id, StoryKeys.form == FORM)
    query = (
        select(
            Match.id,
            Match.entry_id,
            Match.story,
            Match.revision_id,
            StoryKeys.document,
            StoryKeys.runs,
        )
        .outerjoin(StoryKeys, is_its_row)
        .where(
            Match.profile_id == profile_id,
            Match.kind == NewsKind.NEW,
            Match.created_at > now - STORY_LASTS,
        )
        # The sum keeps the database from reading the whole sequence by its index: few are recent.
        .order_by((Match.position + 0).desc())
        .limit(MOST_RECENT)
    )
    rows = session.execute(query).all()[::-1]
    for chunk in in_chunks([row.revision_id for row in rows if row.document is None]):
        reports.read_ahead(chunk)
        for revision_id in chunk:
            reports.make_keys(revision_id)
    return [
        RecentMatch(
            row.id,
            row.entry_id,
            row.story,
            row.revision_id,
            reports.make_keys(row.revision_id)
            if row.document is None
            else Keys.from_json(row.document, row.runs),
        )
        for row in rows
    ]


def store(session: Session, keys: Mapping[int, Keys], now: datetime) -> None:
    """Store keys, in place of older ones.

    Args:
        session: a writing session; the caller commits.
        keys: by revision id.
        now: the time from which they are kept for 14 days.
    """
    for chunk in in_chunks(sorted(keys)):
        session.execute(delete(StoryKeys).where(StoryKeys.revision_id.in_(chunk)))
        rows: Sequence[dict[str, Any]] = [
            {
                "revision_id": revision_id,
                "form": FORM,
                "made_at": now,
                "document": keys[revision_id].to_json(),
                "runs": keys[revision_id].runs,
            }
            for revision_id in chunk
        ]
        session.connection().execute(insert(StoryKeys), rows)


def old(now: datetime) -> Select[int]:
    """Select the revisions with keys that are not recent any more."""
    return select(StoryKeys.revision_id).where(StoryKeys.made_at < now - STORY_LASTS)


def forget(session: Session, now: datetime) -> None:
    """Delete the keys of what is not recent any more, in parts if it is much."""
    ids = old(now).limit(_MOST_FORGOTTEN)
    session.execute(delete(StoryKeys).where(StoryKeys.revision_id.in_(ids)))
