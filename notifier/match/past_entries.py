"""Past entries: judge what was seen before for profiles that are imported, or only considered.

Owns the reading of all stored entries in parts, once for all profiles of an import, so that a long
archive needs no more memory than a short one. Judging writes nothing; `store` stores the result
later, in one transaction.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notifier.enums import NewsKind, Tier
from notifier.match import batches, judging, matches, recent_news, unjudged
from notifier.match.matches import MatchDraft
from notifier.match.profiles import BROAD_SHARE, FEWEST_ENTRIES_TO_ESTIMATE
from notifier.match.recent_news import Reports
from notifier.match.score import Judgement
from notifier.match.terms import TermSpec, Vocabulary
from notifier.store.db import in_chunks
from notifier.store.models import Entry, Match, Profile, Revision, Source

# Entries that are read together. Chosen by hand; not measured.
_PART = 500

# The columns that judging needs, instead of whole objects: the session would keep those until it
# ends.
JUDGED_COLUMNS = (
    Revision.id,
    Revision.entry_id,
    Revision.kind,
    Revision.material,
    Revision.observed_at,
    Revision.judge_requests,
    Revision.url,
    Revision.title,
    Revision.summary,
    Revision.body,
    Revision.categories,
    Revision.content,
    Revision.changes,
    Entry.source_id,
    Source.url.label("source_url"),
)

# Shows how far the reading is: entries that were read, all entries, and what is done.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Candidate:
    """A profile that is going to be stored, or stored again.

    Attributes:
        slug: of the profile.
        name: the therapy's name.
        terms: of the profile.
        sources: the URLs that it is going to watch.
    """

    slug: str
    name: str
    terms: Sequence[TermSpec]
    sources: Collection[str] = ()


@dataclass(frozen=True)
class Estimate:
    """The number of recent entries, and how many of them a profile would have matched, by tier."""

    entries: int
    matched: dict[Tier, int]
    days: int

    @property
    def share(self) -> float:
        """The share of all entries that would go into a digest by themselves, from 0 to 1."""
        alerts = self.matched[Tier.ABOUT] + self.matched[Tier.MENTION]
        return alerts / self.entries if self.entries else 0.0

    @property
    def is_meaningful(self) -> bool:
        """True if there are enough entries to say how broad the profile is."""
        return self.entries >= FEWEST_ENTRIES_TO_ESTIMATE

    @property
    def is_broad(self) -> bool:
        """True if the profile would match more than one therapy's news."""
        return self.is_meaningful and self.share > BROAD_SHARE


@dataclass(frozen=True)
class PastMatches:
    """The matches of candidates among entries that were seen before.

    Attributes:
        drafts: the matches, not stored, in the order of their revisions for each candidate; the
            place of the candidate stands for the id of the profile.
        estimates: how much each candidate would have matched recently.
        newest_revision_id: the newest revision that was stored then; 0 if there was none.
        waiting: the ids of the revisions that waited to be judged for the stored profiles.
    """

    drafts: Sequence[MatchDraft]
    estimates: Sequence[Estimate]
    newest_revision_id: int
    waiting: frozenset[int]


def judge_past(
    session: Session,
    candidates: Sequence[Candidate],
    now: datetime,
    *,
    include: bool = False,
    days: int = 90,
    entry_ids: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> PastMatches:
    """Judge the newest state of the entries that were seen before, once for all candidates.

    Args:
        session: a session of any kind; nothing is written.
        candidates: stored already or not.
        now: the time of the import.
        include: True if the matches go into the next digests; else they are filed.
        days: the days before now that the estimates are about.
        entry_ids: only these entries are judged; None for all.
        progress: called after each part.
    """
    newest_id, waiting = unjudged.newest_id(session), unjudged.waiting_ids(session)
    stored = _stored_ids(session, candidates)
    allowed = _Allowed(session, candidates, stored)
    counts: list[Counter[Tier]] = [Counter() for _ in candidates]
    recent_entries = 0
    drafts: dict[int, list[MatchDraft]] = defaultdict(list)
    for part in _judged(session, candidates, entry_ids, progress):
        matched = _matched(session, [row.entry_id for row, _ in part], stored)
        for row, judgements in part:
            is_recent = row.observed_at > now - timedelta(days=days)
            recent_entries += is_recent
            if is_recent:
                for place, judgement in judgements.items():
                    counts[place][judgement.tier] += 1
            if row.judge_requests or row.kind is NewsKind.WITHDRAWN:
                continue
            for place, judgement in judgements.items():
                if (place, row.entry_id) not in matched and allowed(row, place):
                    draft = matches.draft_match(place, row, judgement, None, filed=not include)
                    if draft is not None:
                        drafts[place].append(draft)
    linked = _with_stories(session, drafts, stored, now, progress)
    estimates = [_estimate(recent_entries, count, days) for count in counts]
    return PastMatches(linked, estimates, newest_id, waiting)


def _stored_ids(session: Session, candidates: Sequence[Candidate]) -> dict[int, int]:
    """Return the ids of the profiles that are stored already, by the places of the candidates."""
    places = {candidate.slug: place for place, candidate in enumerate(candidates)}
    return {
        places[row.slug]: row.id
        for chunk in in_chunks(places)
        for row in session.execute(select(Profile.id, Profile.slug).where(Profile.slug.in_(chunk)))
    }


class _Allowed:
    """The sources that may feed the candidates; called with a row and a candidate's place."""

    def __init__(
        self, session: Session, candidates: Sequence[Candidate], stored: Mapping[int, int]
    ) -> None:
        self._fed_profiles = judging.profiles_by_source(session)
        self._sources = [frozenset(candidate.sources) for candidate in candidates]
        self._stored = stored

    def __call__(self, row: Any, place: int) -> bool:
        fed_profiles = self._fed_profiles.get(row.source_id)
        return (
            fed_profiles is None
            or self._stored.get(place) in fed_profiles
            or row.source_url in self._sources[place]
        )


def _estimate(entries: int, counts: Mapping[Tier, int], days: int) -> Estimate:
    matched = {tier: counts.get(tier, 0) for tier in Tier}
    matched[Tier.NONE] = 0
    matched[Tier.NONE] = entries - sum(matched.values())
    return Estimate(entries, matched, days)


def _judged(
    session: Session,
    candidates: Sequence[Candidate],
    entry_ids: Sequence[int] | None,
    progress: Progress | None,
) -> Iterator[list[tuple[Any, dict[int, Judgement]]]]:
    """Yield the newest revision of each entry with the judgements, by the candidates' places.

    They come in parts, in the order of the entries.
    """
    if entry_ids is None:
        entries, parts = session.scalar(select(func.count(Entry.id))) or 0, _parts(session)
    else:
        entries, parts = len(entry_ids), in_chunks(sorted(entry_ids), _PART)
    if not entries:
        return
    vocabulary = Vocabulary({place: each.terms for place, each in enumerate(candidates)})
    names = dict(enumerate(candidate.name for candidate in candidates))
    done = 0
    for part in parts:
        done += len(part)
        newest = select(func.max(Revision.id)).where(Revision.entry_id.in_(part))
        query = (
            select(*JUDGED_COLUMNS)
            .join(Entry, Entry.id == Revision.entry_id)
            .join(Source, Source.id == Entry.source_id)
            .where(Revision.id.in_(newest.group_by(Revision.entry_id)))
            .order_by(Revision.id)
        )
        rows: Sequence[Any] = session.execute(query).all()
        articles = judging.articles_of(session, rows)
        yield [
            (row, judging.judge_document(vocabulary, names, judging.document_of(row, articles)))
            for row in rows
        ]
        if progress is not None:
            progress(done, max(done, entries), "entries that were seen before")


def _parts(session: Session) -> Iterator[Sequence[int]]:
    """Yield the ids of all entries in their order, in parts."""
    last_id = 0
    while entry_ids := session.scalars(
        select(Entry.id).where(Entry.id > last_id).order_by(Entry.id).limit(_PART)
    ).all():
        last_id = entry_ids[-1]
        yield entry_ids


def _matched(
    session: Session, entry_ids: Sequence[int], stored: Mapping[int, int]
) -> set[tuple[int, int]]:
    """Return the candidates' places and the entries that they have a match of already."""
    if not stored or not entry_ids:
        return set()
    places = {profile_id: place for place, profile_id in stored.items()}
    query = select(Match.profile_id, Match.entry_id).where(Match.entry_id.in_(entry_ids))
    return {
        (places[row.profile_id], row.entry_id)
        for row in session.execute(query)
        if row.profile_id in places
    }


def _with_stories(
    session: Session,
    drafts: Mapping[int, list[MatchDraft]],
    stored: Mapping[int, int],
    now: datetime,
    progress: Progress | None,
) -> list[MatchDraft]:
    """Return all drafts, linked with the first report of the same news, candidate by candidate."""
    reports = Reports(session)
    linked: list[MatchDraft] = []
    for done, place in enumerate(sorted(drafts), 1):
        recent = {}
        if place in stored:
            recent[place] = recent_news.read(session, stored[place], now, reports)
        before = len(linked)
        in_order = sorted(drafts[place], key=lambda draft: draft.revision_id)
        for draft in batches.link_stories(in_order, reports, recent):
            first = draft.first_draft_index
            moved = replace(draft, first_draft_index=before + first) if first is not None else draft
            linked.append(moved)
        reports.made_keys.clear()
        if progress is not None:
            progress(done, len(drafts), "therapies compared with the news of other outlets")
    return linked


def store(
    session: Session, profile_ids: Sequence[int], past: PastMatches, now: datetime
) -> Counter[int]:
    """Store the past matches, and have revisions judged again that were judged meanwhile.

    Args:
        session: a writing session that has its turn (`matches.take_turn`).
        profile_ids: of the candidates, as they are stored now.
        past: the result of `judge_past` for them.
        now: the time of the import.

    Returns:
        By profile id, the number of older entries that match now and did not before.
    """
    entry_ids = sorted({draft.entry_id for draft in past.drafts})
    matched = {
        (row.profile_id, row.entry_id)
        for chunk in in_chunks(entry_ids)
        for row in session.execute(
            select(Match.profile_id, Match.entry_id).where(Match.entry_id.in_(chunk))
        )
    }
    drafts = [replace(draft, profile_id=profile_ids[draft.profile_id]) for draft in past.drafts]
    # Another process may have matched some of them meanwhile.
    new = matches.remaining(drafts, lambda draft: (draft.profile_id, draft.entry_id) not in matched)
    matches.store_matches(session, new, now)
    unjudged.requeue_judged_since(session, past.newest_revision_id, past.waiting)
    return Counter(draft.profile_id for draft in new)
