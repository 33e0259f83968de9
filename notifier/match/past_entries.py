"""Past entries: judge what was seen before for a profile that is imported, or only considered.

Owns the reading of all stored entries in parts, so that a long archive needs no more memory than a
short one. Judging writes nothing; `store` stores the result later, in one short transaction.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from notifier.enums import NewsKind, Tier
from notifier.match import batches, judging, matches, unjudged
from notifier.match.batches import BATCH
from notifier.match.matches import MatchDraft
from notifier.match.profiles import BROAD_SHARE, FEWEST_ENTRIES_TO_ESTIMATE
from notifier.match.score import Judgement
from notifier.match.stories.story_index import Fingerprint
from notifier.match.terms import TermSpec, Vocabulary
from notifier.store.models import Entry, Match, Profile, Revision, Source

# The columns that judging needs, instead of whole objects: the session would keep those until it
# ends.
_JUDGED_COLUMNS = (
    Revision.id,
    Revision.entry_id,
    Revision.kind,
    Revision.material,
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

# Judges a row of `_JUDGED_COLUMNS`, given the texts of articles' own pages by entry id.
_JudgeRow = Callable[[Any, Mapping[int, str]], Judgement | None]


@dataclass(frozen=True)
class PastMatches:
    """The matches of a profile among entries that were seen before.

    Attributes:
        drafts: the matches, not stored, in the order of their revisions.
        newest_revision_id: the newest revision that was stored then; 0 if there was none.
        waiting: the ids of the revisions that waited to be judged for the stored profiles.
    """

    drafts: Sequence[MatchDraft]
    newest_revision_id: int
    waiting: frozenset[int]


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


def judge_past(
    session: Session,
    slug: str,
    terms: Sequence[TermSpec],
    name: str,
    now: datetime,
    *,
    include: bool = False,
    sources: Collection[str] = (),
) -> PastMatches:
    """Judge the entries that were seen before for a profile, stored or not.

    Args:
        session: a session of any kind; nothing is written.
        slug: of the profile.
        terms: of the profile.
        name: the therapy's name.
        now: the time of the import.
        include: True if the matches go into the next digests; else they are filed.
        sources: the URLs that the profile is going to watch.
    """
    profile_id = session.scalar(select(Profile.id).where(Profile.slug == slug))
    newest_id, waiting = unjudged.newest_id(session), unjudged.waiting_ids(session)
    fed_profiles = judging.profiles_by_source(session)
    newest = select(func.max(Revision.id)).group_by(Revision.entry_id)
    unmatched = Revision.entry_id.not_in(
        select(Match.entry_id).where(Match.profile_id == profile_id)
    )
    examined = Revision.judge_requests == 0
    conditions = [Revision.id.in_(newest), unmatched, examined, Revision.kind != NewsKind.WITHDRAWN]
    drafts: list[MatchDraft] = []
    fingerprints: dict[int, Fingerprint] = {}
    for row, judgement in _judged(session, conditions, _judge_row(terms, name)):
        allowed = fed_profiles.get(row.source_id)
        if allowed is not None and profile_id not in allowed and row.source_url not in sources:
            continue
        draft = matches.draft_match(profile_id or 0, row, judgement, None, filed=not include)
        if draft is not None:
            drafts.append(draft)
            fingerprints[row.id] = batches.fingerprint_of(row)
    recent = batches.read_recent(
        session, [profile_id] if profile_id is not None and drafts else [], now
    )
    return PastMatches(batches.link_stories(drafts, fingerprints, recent), newest_id, waiting)


def store(session: Session, profile: Profile, past: PastMatches, now: datetime) -> int:
    """Store the past matches, and have revisions judged again that were judged meanwhile.

    Args:
        session: a writing session that has its turn (`matches.take_turn`).
        profile: as it is stored now.
        past: the result of `judge_past` for this profile.
        now: the time of the import.

    Returns:
        The number of older entries that match now and did not before.
    """
    matched = set(session.scalars(select(Match.entry_id).where(Match.profile_id == profile.id)))
    drafts = [
        replace(draft, profile_id=profile.id)
        # Another process may have matched some of them meanwhile.
        for draft in matches.remaining(past.drafts, lambda draft: draft.entry_id not in matched)
    ]
    stored = matches.store_matches(session, drafts, now)
    unjudged.requeue_judged_since(session, past.newest_revision_id, past.waiting)
    return len(stored)


def estimate(
    session: Session, terms: Sequence[TermSpec], name: str, now: datetime, days: int = 90
) -> Estimate:
    """Judge the entries of the last days by terms that are not stored yet."""
    newest = select(func.max(Revision.id)).where(Revision.observed_at > now - timedelta(days=days))
    conditions = [Revision.id.in_(newest.group_by(Revision.entry_id))]
    counts = dict.fromkeys(Tier, 0)
    for _, judgement in _judged(session, conditions, _judge_row(terms, name)):
        counts[judgement.tier if judgement else Tier.NONE] += 1
    return Estimate(sum(counts.values()), counts, days)


def _judge_row(terms: Sequence[TermSpec], name: str) -> _JudgeRow:
    vocabulary = Vocabulary({0: terms})

    def judge_row(row: Any, articles: Mapping[int, str]) -> Judgement | None:
        document = judging.document_of(row, articles)
        return judging.judge_document(vocabulary, {0: name}, document).get(0)

    return judge_row


def _judged(
    session: Session, conditions: Sequence[ColumnElement[bool]], judge_row: _JudgeRow
) -> Iterator[tuple[Any, Judgement | None]]:
    """Yield the revisions that fulfil the conditions, with their judgement, ordered by id."""
    last_id = 0
    while True:
        query = (
            select(*_JUDGED_COLUMNS)
            .join(Entry, Entry.id == Revision.entry_id)
            .join(Source, Source.id == Entry.source_id)
            .where(*conditions, Revision.id > last_id)
            .order_by(Revision.id)
            .limit(BATCH)
        )
        rows: Sequence[Any] = session.execute(query).all()
        if not rows:
            return
        articles = judging.articles_of(session, rows)
        for row in rows:
            yield row, judge_row(row, articles)
        last_id = rows[-1].id
