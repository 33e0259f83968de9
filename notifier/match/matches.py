"""Matches: store matches and the record of the revisions that were judged.

Owns these tables and the match sequence of each profile (`profile.position`); what waits for a
person is in `match/held.py`. Revisions are judged
in `match/batches.py` and `match/past_entries.py`, outside transactions; the results are stored here
while the profiles are locked, so that each profile has one writer at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from notifier.enums import NewsKind, Tier
from notifier.errors import NotFoundError
from notifier.i18n.messages import LazyMessage
from notifier.match import held
from notifier.match.held import HeldDraft
from notifier.match.judging import News, classify
from notifier.match.score import Judgement
from notifier.match.urgency import is_urgent
from notifier.store.models import Entry, Examination, Match, Profile, Revision

# The score of a released near miss, as that of a mention. Chosen by hand; not measured.
_RELEASED_SCORE = 0.5


@dataclass(frozen=True)
class MatchDraft:
    """A match that is not stored yet.

    Attributes:
        filed: True if it is owed to nobody.
        first_match_id: the stored match that reported the same news first; None if none did.
        first_draft_index: the same for a match of the same list, by its place in the list.
    """

    profile_id: int
    revision_id: int
    entry_id: int
    kind: NewsKind
    judgement: Judgement
    filed: bool
    urgent: bool
    first_match_id: int | None = None
    first_draft_index: int | None = None


# By profile id: its place in its match sequence, and the time of its import. A profile that was
# matched or imported since has another version.
Versions = Mapping[int, tuple[int, datetime]]


@dataclass(frozen=True)
class BatchDraft:
    """The rows to store for a batch.

    Attributes:
        revisions: those that were judged.
        versions: of the profiles that they were judged for.
        matches: the news, in its order.
        held: what waits for a person, in its order.
    """

    revisions: Sequence[Revision]
    versions: Versions
    matches: Sequence[MatchDraft] = ()
    held: Sequence[HeldDraft] = ()

    @property
    def revision_ids(self) -> list[int]:
        """The ids of the revisions that were judged."""
        return [revision.id for revision in self.revisions]


def draft_match(
    profile_id: int,
    revision: Revision,
    judgement: Judgement | None,
    earlier: News | None,
    *,
    filed: bool,
) -> MatchDraft | None:
    """Return the match for a revision, not stored; None if it is not news to the profile.

    Args:
        profile_id: 0 for a profile that is not stored yet.
        revision: a revision, or a row with the same columns.
        judgement: on this revision.
        earlier: the last revision of the entry that was news to the profile.
        filed: True if the match is owed to nobody.
    """
    news = classify(revision, judgement, earlier)
    if news is None:
        return None
    kind, judgement = news
    urgent = is_urgent(kind, judgement.tier, revision.title, revision.changes)
    return MatchDraft(profile_id, revision.id, revision.entry_id, kind, judgement, filed, urgent)


def lock_profiles(session: Session) -> Versions:
    """Lock all profiles until the transaction ends, and return their versions.

    Two statements: the second sees also a profile that was stored while the first waited for its
    lock.
    """
    session.execute(select(Profile.id).order_by(Profile.id).with_for_update()).all()
    return versions(session)


def versions(session: Session) -> Versions:
    """Return the version of each profile."""
    rows = session.execute(select(Profile.id, Profile.position, Profile.imported_at))
    return {profile_id: (position, imported_at) for profile_id, position, imported_at in rows}


def store(session: Session, batch: BatchDraft, now: datetime) -> int | None:
    """Store the rows of a batch.

    Args:
        session: a writing session; the caller commits.
        batch: judged outside the transaction.
        now: the time of the matches.

    Returns:
        The number of revisions that were judged. None, and nothing is written, if another process
        imported or matched a profile since the batch was read.
    """
    if lock_profiles(session) != batch.versions:
        return None
    done = set(_examined(session, batch.revision_ids))
    store_matches(session, [draft for draft in batch.matches if draft.revision_id not in done], now)
    held.store(session, [draft for draft in batch.held if draft.revision_id not in done], now)
    fresh = [revision for revision in batch.revisions if revision.id not in done]
    held.supersede(session, fresh)
    session.add_all(Examination(revision_id=revision.id, examined_at=now) for revision in fresh)
    session.flush()
    return len(fresh)


def _examined(session: Session, revision_ids: Sequence[int]) -> Sequence[int]:
    query = select(Examination.revision_id).where(Examination.revision_id.in_(revision_ids))
    return session.scalars(query).all()


def requeue_examined_after(session: Session, revision_id: int) -> None:
    """Have newer revisions judged again: they were judged without the imported profile.

    Args:
        session: a writing session in which the profiles are locked.
        revision_id: the newest revision that was judged for the imported profile.
    """
    session.execute(delete(Examination).where(Examination.revision_id > revision_id))


def requeue(session: Session, revision_id: int) -> None:
    """Have a revision judged again, because there is more text to read.

    It becomes news to profiles that it did not match before.
    """
    session.execute(delete(Examination).where(Examination.revision_id == revision_id))


def store_matches(session: Session, drafts: Sequence[MatchDraft], now: datetime) -> list[Match]:
    """Add matches, in their order, at the end of the sequences of their profiles.

    Args:
        session: a writing session in which the profiles are locked.
        drafts: of any profiles; places in the list are those of `first_draft_index`.
        now: the time of the matches.
    """
    profiles = {
        profile.id: profile
        for profile in session.scalars(
            select(Profile).where(Profile.id.in_({draft.profile_id for draft in drafts}))
        )
    }
    stored: list[Match] = []
    for draft in drafts:
        profile = profiles[draft.profile_id]
        profile.position += 1
        stored.append(
            Match(
                profile_id=draft.profile_id,
                revision_id=draft.revision_id,
                entry_id=draft.entry_id,
                position=profile.position,
                kind=draft.kind,
                tier=draft.judgement.tier,
                score=draft.judgement.score,
                reasons=list(draft.judgement.reasons),
                filed=draft.filed,
                urgent=draft.urgent,
                created_at=now,
            )
        )
    session.add_all(stored)
    session.flush()
    _link_stories(session, drafts, stored)
    session.flush()
    return stored


def _link_stories(session: Session, drafts: Sequence[MatchDraft], stored: Sequence[Match]) -> None:
    """Give each match the story of the match that reported the same news first."""
    for draft, match in zip(drafts, stored, strict=True):
        first = None
        if draft.first_draft_index is not None:
            first = stored[draft.first_draft_index]
        elif draft.first_match_id is not None:
            first = session.get(Match, draft.first_match_id)
        if first is not None:
            first.story = match.story = first.story or first.id


def release(
    session: Session, near_miss_id: int, now: datetime, first_match_id: int | None = None
) -> Match:
    """Make a match of a held one, in the tier and of the kind that it would have had.

    Args:
        session: a writing session.
        near_miss_id: as `held.listed` gives it.
        now: the time of the match.
        first_match_id: the match that reported the same news first, as
            `batches.first_match_of_story` found it.

    Raises:
        NotFoundError: there is none with this id, or it was released or dropped already.
    """
    profile_id = held.find(session, near_miss_id).profile_id
    session.get_one(Profile, profile_id, with_for_update=True)
    # Read again: another process may have released it before the lock was taken.
    near_miss = held.find(session, near_miss_id)
    held.note_released(near_miss, now)
    revision, kind = near_miss.revision, near_miss.kind
    reasons = (*near_miss.reasons, LazyMessage("a person released it"))
    draft = MatchDraft(
        profile_id,
        revision.id,
        revision.entry_id,
        kind,
        Judgement(near_miss.tier, near_miss.score or _RELEASED_SCORE, reasons),
        filed=False,
        urgent=is_urgent(kind, near_miss.tier, revision.title, revision.changes),
        first_match_id=first_match_id,
    )
    (match,) = store_matches(session, [draft], now)
    return match


def drop(session: Session, match_id: int, because: str) -> Match:
    """Drop a match: it stays listed, and goes into no further digest.

    Args:
        session: a writing session; the caller commits.
        match_id: as `listed` gives it.
        because: the reason, not empty.

    Raises:
        NotFoundError: there is no match with this id.
    """
    match = session.get(Match, match_id)
    if match is None:
        raise NotFoundError(f"There is no match {match_id}.", "See: notifier matches list")
    match.filed, match.dropped_because = True, because
    return match


def listed(
    session: Session, profile: Profile | None = None, tier: Tier | None = None
) -> list[Match]:
    """Return matches, newest first, with their entry, source, profile and revision."""
    query = (
        select(Match)
        .order_by(Match.id.desc())
        .options(
            joinedload(Match.entry).joinedload(Entry.source),
            joinedload(Match.profile),
            joinedload(Match.revision),
        )
    )
    if profile is not None:
        query = query.where(Match.profile_id == profile.id)
    if tier is not None:
        query = query.where(Match.tier == tier)
    return list(session.scalars(query))
