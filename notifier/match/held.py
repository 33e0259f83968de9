"""Held matches: what waits for a person, why, and what becomes of it.

Owns the table of near misses, which holds a match of every reason: a doubtful text, and revisions
that `watch/` holds (`revision.held_because`). Whether a revision is held is decided there; how a
released one becomes a match is in `match/matches.py`. It mails nobody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, false, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from notifier.enums import HeldBecause, NewsKind
from notifier.errors import NotFoundError
from notifier.match import filters
from notifier.match.judging import is_shown_again
from notifier.match.score import Judgement
from notifier.store.db import count_some, in_chunks
from notifier.store.models import Entry, Match, NearMiss, Profile, Revision
from notifier.text.cleaning import redacted

# The reasons in words, as clauses for the operator.
SENTENCES = {
    HeldBecause.DOUBTFUL: "the text nearly matches",
    HeldBecause.OLD_NEWS: "its own date is more than 90 days before its source listed it",
    HeldBecause.WITHDRAWAL: "its page is gone, but so are most other pages that were checked, or "
    "the site could not be found well",
    HeldBecause.MASS_EDIT: "most entries of its source changed at once",
}


@dataclass(frozen=True)
class HeldDraft:
    """A held match that is not stored yet.

    Attributes:
        kind: the kind of news that it would be.
        because: why it is held.
        judgement: the tier, score and reasons that it would have had.
        baseline: it is of a source's first poll.
    """

    profile_id: int
    revision_id: int
    entry_id: int
    kind: NewsKind
    because: HeldBecause
    judgement: Judgement
    baseline: bool = False


def held_because(revision: Any, kind: NewsKind) -> HeldBecause | None:
    """Return why a match of a revision must wait for a person; None if it need not.

    Old news that was released is known to readers: its later corrections do not wait again.

    Args:
        revision: a revision, or a row with the same columns.
        kind: the kind of news that it is to a profile.
    """
    if revision.baseline or not revision.held_because:
        return None
    because = HeldBecause(revision.held_because)
    if because is HeldBecause.OLD_NEWS and kind is not NewsKind.NEW:
        return None
    return because


def store(session: Session, drafts: Iterable[HeldDraft], now: datetime) -> None:
    """Store held matches.

    An entry that is not news yet has one for each profile: its newest state replaces the one
    before, and is not reported again. A change has one of its own for each revision.

    Args:
        session: a writing session that has its turn (`matches.take_turn`).
        drafts: held matches of revisions that were not judged before.
        now: the time from which they wait.
    """
    for draft in drafts:
        row = session.scalar(_row_of(draft))
        if row is None:
            row = NearMiss(profile_id=draft.profile_id, entry_id=draft.entry_id)
            session.add(row)
        elif row.revision_id >= draft.revision_id:
            continue
        row.revision_id = draft.revision_id
        row.tier = draft.judgement.near_miss_tier or draft.judgement.tier
        row.score = draft.judgement.score
        row.reasons = list(draft.judgement.reasons)
        row.because, row.kind = draft.because, draft.kind
        row.baseline, row.held_at = draft.baseline, now
        session.flush()


def _row_of(draft: HeldDraft) -> Any:
    same = select(NearMiss).where(
        NearMiss.profile_id == draft.profile_id, NearMiss.entry_id == draft.entry_id
    )
    if draft.kind is NewsKind.NEW:
        return same.where(NearMiss.kind == NewsKind.NEW)
    return same.where(NearMiss.revision_id == draft.revision_id)


def supersede(session: Session, revisions: Sequence[Revision]) -> None:
    """Delete the held matches that newer revisions make pointless.

    A withdrawal that is not held makes all earlier held matches of its entry pointless; an entry
    that is shown again its held withdrawal.

    Args:
        session: a writing session that has its turn (`matches.take_turn`).
        revisions: revisions that were judged.
    """
    for revision in revisions:
        pointless = [
            NearMiss.entry_id == revision.entry_id,
            NearMiss.revision_id < revision.id,
            NearMiss.released_at.is_(None),
        ]
        if is_shown_again(revision):
            pointless.append(NearMiss.because == HeldBecause.WITHDRAWAL)
        elif revision.kind is not NewsKind.WITHDRAWN or held_because(revision, revision.kind):
            continue
        session.execute(delete(NearMiss).where(*pointless))


def _waits() -> ColumnElement[bool]:
    """Select the held matches that were neither released nor dropped.

    One that would be the first news of an entry waits only while the entry does not match.
    """
    matched = select(Match.id).where(
        Match.profile_id == NearMiss.profile_id, Match.entry_id == NearMiss.entry_id
    )
    return (
        NearMiss.released_at.is_(None)
        & (NearMiss.dropped_because == "")
        & or_(NearMiss.kind != NewsKind.NEW, ~matched.exists())
    )


def listed(
    session: Session, wanted: filters.Filter = filters.ALL, limit: int | None = None
) -> list[NearMiss]:
    """Return what waits for a person, newest first, with entry, source, profile and revision."""
    query = select(NearMiss).where(*_waiting(wanted)).order_by(NearMiss.id.desc())
    return list(session.scalars(query.options(*_with_details()).limit(limit)))


def number_waiting(session: Session, wanted: filters.Filter = filters.ALL) -> int:
    """Return how many matches wait for a person."""
    return session.scalars(select(func.count(NearMiss.id)).where(*_waiting(wanted))).one()


def page(
    session: Session,
    because: HeldBecause | None,
    entry_id: int,
    before: int,
    limit: int,
    *,
    baseline: bool = False,
) -> list[NearMiss]:
    """Return a part of what waits, newest first, with entry, source, profile and revision.

    Args:
        session: a reading session.
        because: only what is held for this reason; None for all.
        entry_id: only what is of this entry; 0 for all.
        before: only those with a smaller id; 0 for the newest.
        limit: the most that are returned.
        baseline: those of the first polls of sources; else only the others.
    """
    wanted = [_waits(), NearMiss.baseline.is_(baseline)]
    if because is not None:
        wanted.append(NearMiss.because == because)
    if entry_id:
        wanted.append(NearMiss.entry_id == entry_id)
    if before:
        wanted.append(NearMiss.id < before)
    query = select(NearMiss).where(*wanted).order_by(NearMiss.id.desc()).limit(limit)
    texts = joinedload(NearMiss.revision).defer(Revision.body)
    return list(session.scalars(query.options(*_with_details(), texts)))


def count_some_waiting(session: Session, *, baseline: bool = False) -> int:
    """Return how many of these wait, as `db.count_some` counts."""
    waiting = select(NearMiss.id).where(_waits(), NearMiss.baseline.is_(baseline))
    return count_some(session, waiting)


def _waiting(wanted: filters.Filter) -> list[ColumnElement[bool]]:
    return [_waits(), *wanted.conditions(NearMiss, NearMiss.held_at)]


def _with_details() -> tuple[Any, ...]:
    return (
        joinedload(NearMiss.entry).joinedload(Entry.source),
        joinedload(NearMiss.profile),
        joinedload(NearMiss.revision),
    )


def find(session: Session, near_miss_id: int) -> NearMiss:
    """Return a held match that waits, with its revision.

    Raises:
        NotFoundError: there is none with this id, or it was released or dropped already.
    """
    query = select(NearMiss).where(NearMiss.id == near_miss_id, _waits())
    near_miss = session.scalar(query.options(*_with_details()))
    if near_miss is None:
        raise NotFoundError(
            f"No held match {near_miss_id} waits.", "See them with: notifier matches list --held"
        )
    return near_miss


def note_released(near_miss: NearMiss, now: datetime) -> None:
    """Store that a person made a match of a held one; the caller stores the match."""
    near_miss.released_at = now


def drop(session: Session, near_miss_id: int, because: str) -> NearMiss:
    """Drop a held match: it never becomes a match.

    Args:
        session: a writing session; the caller commits.
        near_miss_id: as `listed` gives it.
        because: the reason, not empty; addresses in it are not stored.

    Raises:
        NotFoundError: there is none with this id, or it was released or dropped already.
    """
    near_miss = find(session, near_miss_id)
    near_miss.dropped_because = redacted(because)
    return near_miss


def released_revisions(session: Session, profile: Profile) -> set[int]:
    """Return the ids of the revisions that a person released for a profile."""
    query = select(NearMiss.revision_id).where(
        NearMiss.profile_id == profile.id, NearMiss.released_at.is_not(None)
    )
    return set(session.scalars(query))


def counts_by_source(session: Session) -> dict[int, int]:
    """Return how many held matches wait, by source id, without those of a baseline."""
    query = (
        select(Entry.source_id, func.count(NearMiss.id))
        .join(Entry, Entry.id == NearMiss.entry_id)
        .where(_waits(), NearMiss.baseline.is_(False))
        .group_by(Entry.source_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def count_waiting(session: Session) -> int:
    """Return how many held matches wait, without those of a baseline."""
    query = select(func.count(NearMiss.id)).where(_waits(), NearMiss.baseline.is_(False))
    return session.scalar(query) or 0


def counts_by_reason(session: Session) -> dict[HeldBecause, int]:
    """Return how many held matches wait, by the reason, without those of a baseline."""
    query = (
        select(NearMiss.because, func.count(NearMiss.id))
        .where(_waits(), NearMiss.baseline.is_(False))
        .group_by(NearMiss.because)
    )
    return {HeldBecause(row[0]): row[1] for row in session.execute(query)}


def unreported(session: Session) -> list[NearMiss]:
    """Return the held matches of which the operator was not told, oldest first; no baseline."""
    query = (
        select(NearMiss)
        .where(_waits(), NearMiss.baseline == false(), NearMiss.reported_at.is_(None))
        .order_by(NearMiss.id)
    )
    return list(session.scalars(query.options(*_with_details())))


def last_reported_at(session: Session) -> datetime | None:
    """Return the time at which the operator was last told of held matches; None for never."""
    return session.scalar(select(func.max(NearMiss.reported_at)))


def note_reported(session: Session, near_miss_ids: Sequence[int], now: datetime) -> None:
    """Store that the operator was told of these held matches.

    Args:
        session: a writing session; the caller commits it together with the mail.
        near_miss_ids: as `unreported` gives them.
        now: the time of the mail.
    """
    for chunk in in_chunks(near_miss_ids):
        rows = update(NearMiss).where(NearMiss.id.in_(chunk))
        session.execute(rows.values(reported_at=now))
