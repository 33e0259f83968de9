"""Matches: store them.

Owns the table of matches and the match sequence of each profile (`profile.position`); what waits
for a person is in `match/held.py`, what was judged in `match/unjudged.py`. Revisions are judged in
`match/batches.py` and `match/past_entries.py`, outside transactions; the results are stored here,
by one process at a time.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import bindparam, case, func, select, update
from sqlalchemy.orm import Session, joinedload

from notifier.enums import NewsKind, Tier
from notifier.i18n.messages import LazyMessage
from notifier.match import filters, held, recent_news, unjudged
from notifier.match.held import HeldDraft
from notifier.match.judging import News, classify
from notifier.match.score import Judgement
from notifier.match.stories.fingerprint import Keys
from notifier.match.urgency import is_urgent
from notifier.store import db
from notifier.store.models import Entry, Installation, Match, Profile, Revision

# The score of a released near miss, as that of a mention. Chosen by hand; not measured.
_RELEASED_SCORE = 0.5
# Matches that are read together where many are listed. Chosen by hand; not measured.
_READ_TOGETHER = 500


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


class Version(NamedTuple):
    """A state of the profiles and their matches, to see whether another process changed it.

    Attributes:
        imports: how many imports of profiles there were.
        last_match_id: the newest match of any profile; 0 before the first.
    """

    imports: int
    last_match_id: int


@dataclass(frozen=True)
class BatchDraft:
    """The rows to store for a batch.

    Attributes:
        revisions: those that were judged.
        version: of the profiles and matches by which they were judged.
        matches: the news, in its order.
        held: what waits for a person, in its order.
        keys: by which the news is found later, by revision id.
    """

    revisions: Sequence[Revision]
    version: Version
    matches: Sequence[MatchDraft] = ()
    held: Sequence[HeldDraft] = ()
    keys: Mapping[int, Keys] = field(default_factory=dict)

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


def take_turn(session: Session) -> None:
    """Wait until no other process stores matches or profiles, and keep others waiting.

    It lasts until the transaction ends. Judging is done before, and needs no turn.
    """
    db.take_turns(session, "match")


def versions(session: Session) -> Version:
    """Return the present version of the profiles and matches: two numbers, however many there are.

    It is read before what it is the version of.
    """
    imports = session.scalars(select(Installation.imports)).one()
    return Version(imports, session.scalar(select(func.max(Match.id))) or 0)


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
    take_turn(session)
    if versions(session) != batch.version:
        return None
    fresh = unjudged.note_judged(session, batch.revisions, now)
    store_matches(session, remaining(batch.matches, lambda draft: draft.revision_id in fresh), now)
    held.store(session, [draft for draft in batch.held if draft.revision_id in fresh], now)
    recent_news.store(session, batch.keys, now)
    held.supersede(session, [revision for revision in batch.revisions if revision.id in fresh])
    session.flush()
    return len(fresh)


def remaining(
    drafts: Sequence[MatchDraft], keeps: Callable[[MatchDraft], bool]
) -> list[MatchDraft]:
    """Return the drafts to keep, with `first_draft_index` as the place in the new list.

    A story whose first report is left out begins with the next one.
    """
    kept: list[MatchDraft] = []
    places: dict[int, int] = {}
    for place, draft in enumerate(drafts):
        first = draft.first_draft_index
        story = place if first is None else first
        if keeps(draft):
            first = None if first is None else places.get(story)
            places.setdefault(story, len(kept))
            kept.append(replace(draft, first_draft_index=first))
    return kept


def store_matches(session: Session, drafts: Sequence[MatchDraft], now: datetime) -> list[Match]:
    """Add matches, in their order, at the end of the sequences of their profiles.

    Args:
        session: a writing session that has its turn.
        drafts: of any profiles; places in the list are those of `first_draft_index`.
        now: the time of the matches.
    """
    positions = _locked_positions(session, {draft.profile_id for draft in drafts})
    stored: list[Match] = []
    for draft in drafts:
        positions[draft.profile_id] += 1
        stored.append(
            Match(
                profile_id=draft.profile_id,
                revision_id=draft.revision_id,
                entry_id=draft.entry_id,
                position=positions[draft.profile_id],
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
    moved = [{"of_id": profile_id, "to": position} for profile_id, position in positions.items()]
    if moved:
        statement = update(Profile).where(Profile.id == bindparam("of_id"))
        # By the connection: many rows, of which the session keeps no objects.
        session.connection().execute(statement.values(position=bindparam("to")), moved)
    return stored


def _locked_positions(session: Session, profile_ids: Collection[int]) -> dict[int, int]:
    """Lock the profiles that get matches, and no others; return their places in their sequences."""
    positions: dict[int, int] = {}
    for chunk in db.in_chunks(sorted(profile_ids)):
        query = select(Profile.id, Profile.position).where(Profile.id.in_(chunk))
        rows = session.execute(query.order_by(Profile.id).with_for_update())
        positions.update({row.id: row.position for row in rows})
    return positions


def next_position(session: Session, profile_id: int) -> int:
    """Lock a profile, and return a new place at the end of its sequence of matches."""
    position = _locked_positions(session, [profile_id])[profile_id] + 1
    moved = update(Profile).where(Profile.id == profile_id).values(position=position)
    session.execute(moved.execution_options(synchronize_session=False))
    return position


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
    take_turn(session)
    near_miss = held.find(session, near_miss_id)
    held.note_released(near_miss, now)
    revision, kind = near_miss.revision, near_miss.kind
    reasons = (*near_miss.reasons, LazyMessage("a person released it"))
    draft = MatchDraft(
        near_miss.profile_id,
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


def listed(
    session: Session, wanted: filters.Filter = filters.ALL, limit: int | None = None
) -> list[Match]:
    """Return matches, newest first, with their entry, source, profile and revision's number."""
    return list(one_by_one(session, wanted, limit))


def one_by_one(
    session: Session, wanted: filters.Filter = filters.ALL, limit: int | None = None
) -> Iterator[Match]:
    """Yield the same, however many there are: few are in memory at a time."""
    query = (
        select(Match)
        .where(*wanted.conditions(Match, Match.created_at))
        .order_by(Match.id.desc())
        .limit(limit)
        .options(
            joinedload(Match.entry).joinedload(Entry.source),
            joinedload(Match.profile).load_only(Profile.slug),
            joinedload(Match.revision).load_only(Revision.number, Revision.title),
        )
    )
    yield from session.scalars(query.execution_options(yield_per=_READ_TOGETHER))


def weekly_counts(
    session: Session, profile_id: int, mondays: Sequence[datetime]
) -> dict[Tier, list[int]]:
    """Return how many matches a profile got in each week, by tier, without dropped ones.

    Args:
        session: a session of any kind.
        profile_id: the profile.
        mondays: the beginnings of the weeks, the earliest first.
    """
    weeks = [
        func.count(case(((Match.created_at >= start) & (Match.created_at < end), Match.id)))
        for start, end in pairwise((*mondays, mondays[-1] + timedelta(days=7)))
    ]
    wanted = (
        Match.profile_id == profile_id,
        Match.created_at >= mondays[0],
        Match.dropped_because == "",
    )
    query = select(Match.tier, *weeks).where(*wanted).group_by(Match.tier)
    return {row[0]: list(row[1:]) for row in session.execute(query)}


def counts_since(session: Session, profile_ids: Collection[int], since: datetime) -> dict[int, int]:
    """Return how many matches each profile got since then, without those that were dropped."""
    wanted = (
        Match.profile_id.in_(profile_ids),
        Match.created_at >= since,
        Match.dropped_because == "",
    )
    query = select(Match.profile_id, func.count(Match.id)).where(*wanted)
    return {row[0]: row[1] for row in session.execute(query.group_by(Match.profile_id))}


def number_stored(session: Session, wanted: filters.Filter = filters.ALL) -> int:
    """Return how many matches there are."""
    conditions = wanted.conditions(Match, Match.created_at)
    return session.scalars(select(func.count(Match.id)).where(*conditions)).one()
