"""Batches: many revisions are read together and judged while no session is open.

Owns what has to be read for that, and the comparison with recent news of other outlets. It writes
nothing: `matches.store` does, if the profiles are still the ones that were read.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from notifier.enums import HeldBecause, NewsKind, Tier
from notifier.i18n.messages import LazyMessage
from notifier.match import held, judging, matches, recent_news, unjudged
from notifier.match.held import HeldDraft
from notifier.match.judging import News
from notifier.match.kept_terms import KeptTerms, Terms
from notifier.match.matches import BatchDraft, MatchDraft, Version
from notifier.match.recent_news import RecentMatch, Reports, fingerprint_of
from notifier.match.score import Judgement
from notifier.match.stories import passages
from notifier.match.stories.fingerprint import Fingerprint
from notifier.match.stories.story_index import StoryIndex
from notifier.store.db import in_chunks
from notifier.store.models import Match, Revision

# Revisions that are read and judged together. Chosen by hand; not measured.
BATCH = 500


class LastMatch(NamedTuple):
    """The newest state of an entry that was news to a profile."""

    revision_id: int
    news: News


@dataclass(frozen=True)
class Batch:
    """Revisions that were not judged, and all that is needed to judge them without a session.

    Attributes:
        revisions: with their entry, the oldest first.
        version: of the profiles and matches, read before everything else.
        terms: of all profiles.
        profiles_by_source: the profiles that a source feeds; a source that is not there feeds all.
        last_matches: by profile id and entry id.
        articles: the texts of articles' own pages, by entry id.
    """

    revisions: Sequence[Revision]
    version: Version
    terms: Terms
    profiles_by_source: Mapping[int, set[int]]
    last_matches: Mapping[tuple[int, int], LastMatch]
    articles: Mapping[int, str]


@dataclass(frozen=True)
class JudgedBatch:
    """A batch whose revisions were judged.

    Attributes:
        draft: the rows to store, before the comparison with other outlets.
        fingerprints: of the revisions with a hit, by revision id.
        errors: for each revision that could not be judged, its description and the error.
    """

    draft: BatchDraft
    fingerprints: Mapping[int, Fingerprint]
    errors: Sequence[tuple[str, Exception]]

    @property
    def profiles_with_news(self) -> set[int]:
        """The ids of the profiles with news that another outlet may have reported before."""
        return {draft.profile_id for draft in self.draft.matches if draft.kind is NewsKind.NEW}


def read(session: Session, kept: KeptTerms) -> Batch | None:
    """Read the next revisions that were not judged; None if there is none.

    The version of the profiles is read first: if a profile changes while the rest is read, the
    batch is found outdated when it is stored.

    Args:
        session: a session of any kind.
        kept: the terms that this process keeps.
    """
    revision_ids = unjudged.next_ids(session, BATCH)
    if not revision_ids:
        return None
    version = matches.versions(session)
    query = (
        select(Revision)
        .where(Revision.id.in_(revision_ids), unjudged.waits())
        .options(joinedload(Revision.entry))
        .order_by(Revision.id)
    )
    revisions = session.scalars(query).all()
    return Batch(
        revisions,
        version,
        kept.current(session, version.imports),
        judging.profiles_by_source(session, {revision.entry.source_id for revision in revisions}),
        _last_matches(session, revisions),
        judging.articles_of(session, revisions),
    )


def _last_matches(
    session: Session, revisions: Sequence[Revision]
) -> dict[tuple[int, int], LastMatch]:
    entry_ids = {revision.entry_id for revision in revisions}
    query = select(Match).where(Match.entry_id.in_(entry_ids)).order_by(Match.revision_id)
    return {
        (match.profile_id, match.entry_id): LastMatch(
            match.revision_id,
            News(match.kind, Judgement(match.tier, match.score, tuple(match.reasons))),
        )
        for match in session.scalars(query)
    }


def judge(batch: Batch) -> JudgedBatch:
    """Judge every revision of a batch for every profile; no session is needed.

    A revision that cannot be judged becomes a near miss for every profile that its source feeds, so
    that a person can look at it.
    """
    last_matches = dict(batch.last_matches)
    matched: dict[int, set[int]] = defaultdict(set)
    for profile_id, entry_id in last_matches:
        matched[entry_id].add(profile_id)
    drafts: list[MatchDraft] = []
    waiting: list[HeldDraft] = []
    errors: list[tuple[str, Exception]] = []
    fingerprints: dict[int, Fingerprint] = {}
    for revision in batch.revisions:
        try:
            document = judging.document_of(revision, batch.articles)
            judgements = judging.judge_document(batch.terms.vocabulary, batch.terms.names, document)
            if judgements:
                fingerprints[revision.id] = fingerprint_of(revision)
        except Exception as error:  # noqa: BLE001 - one revision stops no other
            errors.append((f"Judging revision {revision.id}", error))
            judgements = dict.fromkeys(batch.terms.names, _not_judged())
        known = matched[revision.entry_id]
        for profile_id in _concerned(batch, revision, known | judgements.keys(), last_matches):
            draft = _draft(profile_id, revision, judgements.get(profile_id), last_matches)
            if isinstance(draft, MatchDraft):
                drafts.append(draft)
                known.add(profile_id)
                last_matches[profile_id, revision.entry_id] = LastMatch(
                    revision.id, News(draft.kind, draft.judgement)
                )
            elif draft is not None:
                waiting.append(draft)
    return JudgedBatch(
        BatchDraft(batch.revisions, batch.version, drafts, waiting), fingerprints, errors
    )


def _draft(
    profile_id: int,
    revision: Revision,
    judgement: Judgement | None,
    last_matches: Mapping[tuple[int, int], LastMatch],
) -> MatchDraft | HeldDraft | None:
    """Return the row for a revision and a profile; None if it neither matches nor nearly does."""
    last = last_matches.get((profile_id, revision.entry_id))
    draft = matches.draft_match(
        profile_id, revision, judgement, last.news if last else None, filed=revision.baseline
    )
    if draft is None:
        is_withdrawn = revision.kind is NewsKind.WITHDRAWN
        if last is None and judgement is not None and judgement.near_miss_tier and not is_withdrawn:
            return _held(profile_id, revision, NewsKind.NEW, HeldBecause.DOUBTFUL, judgement)
        return None
    because = held.held_because(revision, draft.kind)
    if because is None:
        return draft
    return _held(profile_id, revision, draft.kind, because, draft.judgement)


def _held(
    profile_id: int,
    revision: Revision,
    kind: NewsKind,
    because: HeldBecause,
    judgement: Judgement,
) -> HeldDraft:
    return HeldDraft(
        profile_id,
        revision.id,
        revision.entry_id,
        kind,
        because,
        judgement,
        baseline=revision.baseline,
    )


def _not_judged() -> Judgement:
    reason = LazyMessage("an unexpected error kept it from being judged")
    return Judgement(Tier.NONE, 0.0, (reason,), near_miss_tier=Tier.RELATED)


def _concerned(
    batch: Batch,
    revision: Revision,
    profile_ids: Collection[int],
    last_matches: Mapping[tuple[int, int], LastMatch],
) -> list[int]:
    """Return the ids of the profiles to which a revision may be news, in their order.

    `profile_ids` are those with a hit in it, or a match of its entry.

    A profile that matched this revision, or a later one of its entry, is left out: the revision is
    judged again because of another profile.
    """
    fed_profiles = batch.profiles_by_source.get(revision.entry.source_id)
    concerned = []
    for profile_id in sorted(profile_ids):
        last = last_matches.get((profile_id, revision.entry_id))
        if (last is None or last.revision_id < revision.id) and (
            fed_profiles is None or profile_id in fed_profiles
        ):
            concerned.append(profile_id)
    return concerned


def with_stories(session: Session, judged: JudgedBatch, now: datetime) -> BatchDraft:
    """Return the rows to store, each new match with the first report of the same news.

    Args:
        session: a session of any kind.
        judged: a batch.
        now: the present.
    """
    reports = Reports(session, judged.fingerprints)
    compared = recent_news.profiles_with_recent(session, judged.profiles_with_news, now)
    recent = {
        profile_id: recent_news.read(session, profile_id, now, reports) for profile_id in compared
    }
    drafts = link_stories(judged.draft.matches, reports, recent)
    for draft in drafts:
        if draft.kind is NewsKind.NEW:
            reports.make_keys(draft.revision_id)
    return replace(judged.draft, matches=drafts, keys=reports.made_keys)


def link_stories(
    drafts: Sequence[MatchDraft],
    reports: Reports,
    recent: Mapping[int, Sequence[RecentMatch]],
) -> list[MatchDraft]:
    """Link each new match with the first recent one that reported the same news elsewhere.

    Args:
        drafts: in the order in which they are stored.
        reports: gives the fingerprints of the drafts and of the recent matches.
        recent: the earlier matches, by profile id, the oldest first.
    """
    places: dict[int, list[int]] = defaultdict(list)
    for place, draft in enumerate(drafts):
        if draft.kind is NewsKind.NEW:
            places[draft.profile_id].append(place)
    linked = list(drafts)
    for profile_id, its_places in places.items():
        if len(its_places) == 1 and not recent.get(profile_id):
            continue  # there is nothing to compare it with
        wanted = _wanted_runs([drafts[place] for place in its_places], reports)
        index = _index_of(recent.get(profile_id, ()), reports, wanted)
        for chunk in in_chunks(its_places):
            reports.read_ahead(drafts[place].revision_id for place in chunk)
            for place in chunk:
                linked[place] = _linked(drafts[place], place, index, reports)
    return linked


def _linked(draft: MatchDraft, place: int, index: StoryIndex, reports: Reports) -> MatchDraft:
    """Return a draft with the first report of its news, and add it to the index."""
    revision_id, entry_id = draft.revision_id, draft.entry_id
    keys = reports.make_keys(revision_id)
    first = index.find_first(entry_id, reports.read(revision_id), keys)
    # A draft has no id yet: its key in the index is its place in the list, as -1, -2, …
    index.add_keys(-1 - place, entry_id, keys, lambda: reports.read(revision_id), first)
    if first is None:
        return draft
    if first < 0:
        return replace(draft, first_draft_index=-1 - first)
    return replace(draft, first_match_id=first)


def _wanted_runs(drafts: Sequence[MatchDraft], reports: Reports) -> set[int] | None:
    """Return the runs that are looked up; None for all, where there are many drafts."""
    if len(drafts) > BATCH:
        return None
    reports.read_ahead(draft.revision_id for draft in drafts)
    return {run for draft in drafts for run in passages.runs(reports.read(draft.revision_id).text)}


def _index_of(
    recent: Iterable[RecentMatch], reports: Reports, wanted_runs: Collection[int] | None = None
) -> StoryIndex:
    index = StoryIndex()
    for match in recent:
        read = partial(reports.read, match.revision_id)
        index.add_keys(match.match_id, match.entry_id, match.keys, read, match.story, wanted_runs)
    return index


def first_match_of_story(session: Session, near_miss_id: int, now: datetime) -> int | None:
    """Return the id of the match that reported the news of a held match first, or None.

    Raises:
        NotFoundError: no held match with this id waits.
    """
    near_miss = held.find(session, near_miss_id)
    if near_miss.kind is not NewsKind.NEW:
        return None
    reports = Reports(session)
    recent = recent_news.read(session, near_miss.profile_id, now, reports)
    index = _index_of(recent, reports)
    return index.find_first(near_miss.entry_id, fingerprint_of(near_miss.revision))
