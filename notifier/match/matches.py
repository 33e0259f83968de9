"""Matches: what a revision is to a profile, and the rows that say so.

Owns the judgement on one text, the match sequence of each profile, and the writing of all matches.
Whole batches are read and judged in `match/batches.py`, outside transactions; here is stored what
was found, by one writer a profile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from notifier.enums import NewsKind, Tier
from notifier.errors import NotFoundError
from notifier.i18n.messages import LazyMessage
from notifier.match.judging import classify
from notifier.match.score import Judgement
from notifier.match.urgency import urgent
from notifier.store.models import Entry, Examination, Match, NearMiss, Profile, Revision

_RELEASED = 0.5


@dataclass(frozen=True)
class Candidacy:
    """A revision that is news to a profile and not stored as a match yet.

    Attributes:
        twin: the id of a stored match that told the same news first.
        twin_place: the place, in the list it is stored with, of another that did.
    """

    profile_id: int
    revision_id: int
    entry_id: int
    kind: NewsKind
    judgement: Judgement
    filed: bool
    urgent: bool
    twin: int | None = None
    twin_place: int | None = None


@dataclass(frozen=True)
class NearMissDraft:
    """A near miss that is not stored yet."""

    profile_id: int
    revision_id: int
    entry_id: int
    judgement: Judgement
    baseline: bool


# By what a profile is known to be the one that was read: its place in its match sequence, and when
# it was imported.
Versions = Mapping[int, tuple[int, datetime]]


@dataclass(frozen=True)
class BatchResult:
    """What came of a batch: which revisions were looked at, what is news, what is held."""

    revision_ids: Sequence[int]
    versions: Versions
    news: Sequence[Candidacy] = ()
    held: Sequence[NearMissDraft] = ()


def candidacy(
    profile_id: int,
    revision: Revision,
    judgement: Judgement | None,
    earlier: Judgement | None,
    *,
    filed: bool,
) -> Candidacy | None:
    """What a revision becomes that is news to a profile; None where it is none."""
    news = classify(revision, judgement, earlier)
    if news is None:
        return None
    kind, judgement = news
    breaks = urgent(kind, judgement.tier, revision.title, revision.changes)
    return Candidacy(profile_id, revision.id, revision.entry_id, kind, judgement, filed, breaks)


def lock_profiles(session: Session) -> Versions:
    """Lock all profiles for the one who matches, or imports one, and tell their versions as they stand now.

    Two statements: the second sees also a profile that was stored while the first waited for its
    lock.
    """
    session.execute(select(Profile.id).order_by(Profile.id).with_for_update()).all()
    return versions(session)


def versions(session: Session) -> Versions:
    """The version of each profile."""
    rows = session.execute(select(Profile.id, Profile.position, Profile.imported_at))
    return {profile_id: (position, imported_at) for profile_id, position, imported_at in rows}


def store(session: Session, found: BatchResult, now: datetime) -> int | None:
    """Store what came of a batch.

    Args:
        session: a writing session; the caller commits.
        found: judged outside the transaction.
        now: the time the matches are made.

    Returns:
        How many revisions were looked at; None, and nothing is written, where a profile was
        imported or matched by somebody else since the batch was read.
    """
    if lock_profiles(session) != found.versions:
        return None
    done = set(_examined(session, found.revision_ids))
    store_news(session, [one for one in found.news if one.revision_id not in done], now)
    for near in found.held:
        if near.revision_id not in done:
            _hold(session, near, now)
    fresh = [revision_id for revision_id in found.revision_ids if revision_id not in done]
    session.add_all(Examination(revision_id=revision_id, examined_at=now) for revision_id in fresh)
    session.flush()
    return len(fresh)


def _examined(session: Session, revision_ids: Sequence[int]) -> Sequence[int]:
    chosen = select(Examination.revision_id).where(Examination.revision_id.in_(revision_ids))
    return session.scalars(chosen).all()


def requeue_examined_after(session: Session, after: int) -> None:
    """Have revisions judged once more that were looked at while a profile was imported that did not know them.

    Args:
        session: a writing session in which the profiles are locked.
        after: the newest revision that the imported profile knows.
    """
    session.execute(delete(Examination).where(Examination.revision_id > after))


def store_news(session: Session, news: Sequence[Candidacy], now: datetime) -> list[Match]:
    """Add matches, in their order, at the end of their profile's sequence; the profiles are locked."""
    profiles = {
        profile.id: profile
        for profile in session.scalars(
            select(Profile).where(Profile.id.in_({one.profile_id for one in news}))
        )
    }
    made: list[Match] = []
    for one in news:
        profile = profiles[one.profile_id]
        profile.position += 1
        made.append(
            Match(
                profile_id=one.profile_id,
                revision_id=one.revision_id,
                entry_id=one.entry_id,
                position=profile.position,
                kind=one.kind,
                tier=one.judgement.tier,
                score=one.judgement.score,
                reasons=list(one.judgement.reasons),
                filed=one.filed,
                urgent=one.urgent,
                created_at=now,
            )
        )
    session.add_all(made)
    session.flush()
    for one, match in zip(news, made, strict=True):
        first = session.get(Match, one.twin) if one.twin is not None else None
        if one.twin_place is not None:
            first = made[one.twin_place]
        if first is not None:
            first.story = match.story = first.story or first.id
    session.flush()
    return made


def _hold(session: Session, near: NearMissDraft, now: datetime) -> None:
    """Keep a near miss where a person can find it; of an entry its last one."""
    its_last = select(NearMiss).where(
        NearMiss.profile_id == near.profile_id, NearMiss.entry_id == near.entry_id
    )
    row = session.scalar(its_last)
    if row is None:
        row = NearMiss(profile_id=near.profile_id, entry_id=near.entry_id)
        session.add(row)
    assert near.judgement.held is not None
    row.revision_id, row.tier, row.reasons = (
        near.revision_id,
        near.judgement.held,
        list(near.judgement.reasons),
    )
    row.baseline, row.held_at = near.baseline, now


def list_near_misses(session: Session, profile: Profile | None = None) -> list[NearMiss]:
    """Near misses that were not released and do not match by now, newest first, with entry, profile and revision."""
    matched = select(Match.id).where(
        Match.profile_id == NearMiss.profile_id, Match.entry_id == NearMiss.entry_id
    )
    chosen = (
        select(NearMiss)
        .where(NearMiss.released_at.is_(None), ~matched.exists())
        .order_by(NearMiss.id.desc())
        .options(
            joinedload(NearMiss.entry), joinedload(NearMiss.profile), joinedload(NearMiss.revision)
        )
    )
    if profile is not None:
        chosen = chosen.where(NearMiss.profile_id == profile.id)
    return list(session.scalars(chosen))


def near_miss(session: Session, near_id: int) -> NearMiss:
    """A near miss that is held, with its revision.

    Raises:
        NotFoundError: there is none, or it was released already.
    """
    matched = select(Match.id).where(
        Match.profile_id == NearMiss.profile_id, Match.entry_id == NearMiss.entry_id
    )
    chosen = select(NearMiss).where(
        NearMiss.id == near_id, NearMiss.released_at.is_(None), ~matched.exists()
    )
    near = session.scalar(chosen.options(joinedload(NearMiss.revision)))
    if near is None:
        raise NotFoundError(
            f"No near miss {near_id} is held.", "See them with: notifier matches list --held"
        )
    return near


def release(session: Session, near_id: int, now: datetime, twin: int | None = None) -> Match:
    """Let a near miss go into the next digests, in the tier that it would have had.

    Args:
        session: a writing session.
        near_id: as `held` lists it.
        now: when.
        twin: the match that told the same news first, as `batches.twin_of_held` found it.

    Raises:
        NotFoundError: there is none, or it was released already.
    """
    session.get_one(Profile, near_miss(session, near_id).profile_id, with_for_update=True)
    near = near_miss(session, near_id)
    near.released_at = now
    judgement = Judgement(
        near.tier, _RELEASED, (*near.reasons, LazyMessage("a person released it"))
    )
    made = candidacy(near.profile_id, near.revision, judgement, None, filed=False)
    assert made is not None
    (match,) = store_news(session, [replace(made, twin=twin)], now)
    return match


def listed(
    session: Session, profile: Profile | None = None, tier: Tier | None = None
) -> list[Match]:
    """Matches, newest first, with their entry, source, profile and revision."""
    chosen = (
        select(Match)
        .order_by(Match.id.desc())
        .options(
            joinedload(Match.entry).joinedload(Entry.source),
            joinedload(Match.profile),
            joinedload(Match.revision),
        )
    )
    if profile is not None:
        chosen = chosen.where(Match.profile_id == profile.id)
    if tier is not None:
        chosen = chosen.where(Match.tier == tier)
    return list(session.scalars(chosen))
