"""The past: what was seen before is held against a profile that is imported, or only considered.

Owns the reading of all that was seen, a part at a time, so that a long archive needs no more memory
than a short one. What is judged here is stored later, in one short transaction, by `store`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from notifier.enums import NewsKind, Tier
from notifier.match import batches, judging, matches
from notifier.match.batches import BATCH
from notifier.match.matches import Candidacy
from notifier.match.score import Judgement
from notifier.match.stories import Fingerprint
from notifier.match.terms import TermSpec, Vocabulary
from notifier.store.models import (
    Entry,
    Examination,
    Match,
    Profile,
    Revision,
    Source,
    SourceProfile,
)

# What of a revision is needed to judge it: whole rows of the object mapper would be kept until the
# session ends.
_JUDGED = (
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


@dataclass(frozen=True)
class Past:
    """What older entries are to a profile: those that match, and the newest revision that was looked at."""

    news: Sequence[Candidacy]
    through: int


@dataclass(frozen=True)
class Estimate:
    """What a profile would have matched lately: of how many entries how many, by tier."""

    entries: int
    matched: dict[Tier, int]
    days: int

    @property
    def share(self) -> float:
        """The part of all entries that would go into a digest."""
        return (
            (self.matched[Tier.ABOUT] + self.matched[Tier.MENTION]) / self.entries
            if self.entries
            else 0.0
        )


def judge_past(
    session: Session,
    slug: str,
    terms: Sequence[TermSpec],
    name: str,
    now: datetime,
    *,
    include: bool = False,
    sources: Collection[str] = (),
) -> Past:
    """Judge what was seen before for a profile, stored or not.

    Args:
        session: a session of any kind; nothing is written.
        slug: of the profile.
        terms: what it looks for.
        name: the therapy's name.
        now: when it is imported.
        include: whether what matches goes into the next digests; else it is filed, owed to nobody.
        sources: the addresses that it is going to watch.
    """
    profile_id = session.scalar(select(Profile.id).where(Profile.slug == slug))
    through = session.scalar(select(func.max(Examination.revision_id))) or 0
    feeds = _feeds(session)
    judge = _judge(terms, name)
    newest = select(func.max(Revision.id)).group_by(Revision.entry_id)
    unmatched = Revision.entry_id.not_in(
        select(Match.entry_id).where(Match.profile_id == profile_id)
    )
    examined = Revision.id.in_(select(Examination.revision_id))
    wanted = [Revision.id.in_(newest), unmatched, examined, Revision.kind != NewsKind.WITHDRAWN]
    news: list[Candidacy] = []
    tellings: dict[int, Fingerprint] = {}
    for row, judgement in _judged(session, wanted, judge):
        allowed = feeds.get(row.source_id)
        if allowed is not None and profile_id not in allowed and row.source_url not in sources:
            continue
        made = matches.candidacy(profile_id or 0, row, judgement, None, filed=not include)
        if made is not None:
            news.append(made)
            tellings[row.id] = batches.fingerprint_of(row)
    recent = batches.read_recent(
        session, [profile_id] if profile_id is not None and news else [], now
    )
    return Past(batches.in_stories(news, tellings, recent), through)


def store(session: Session, profile: Profile, past: Past, now: datetime) -> int:
    """Store what was judged, and have looked at once more what was seen meanwhile.

    Args:
        session: a writing session in which the profiles are locked.
        profile: as it is stored now.
        past: as `judge_past` judged it for this profile.
        now: when it is imported.

    Returns:
        How many older entries match now that did not before.
    """
    entries = {one.entry_id for one in past.news}
    matched = set(session.scalars(select(Match.entry_id).where(Match.profile_id == profile.id)))
    if entries & matched:
        # Somebody matched one of them meanwhile: places in the list would not be right any more,
        # and stories can wait.
        fresh = [replace(one, twin_place=None) for one in past.news if one.entry_id not in matched]
    else:
        fresh = list(past.news)
    made = matches.store_news(session, [replace(one, profile_id=profile.id) for one in fresh], now)
    matches.requeue_examined_after(session, past.through)
    return len(made)


def estimate(
    session: Session, terms: Sequence[TermSpec], name: str, now: datetime, days: int = 90
) -> Estimate:
    """Hold terms that are not stored yet against what was seen in the last days."""
    newest = select(func.max(Revision.id)).where(Revision.observed_at > now - timedelta(days=days))
    counts = dict.fromkeys(Tier, 0)
    for _, judgement in _judged(
        session, [Revision.id.in_(newest.group_by(Revision.entry_id))], _judge(terms, name)
    ):
        counts[judgement.tier if judgement else Tier.NONE] += 1
    return Estimate(sum(counts.values()), counts, days)


def _judge(
    terms: Sequence[TermSpec], name: str
) -> Callable[[Any, Mapping[int, str]], Judgement | None]:
    vocabulary = Vocabulary({0: terms})

    def judge_row(row: Any, articles: Mapping[int, str]) -> Judgement | None:
        return judging.judge_document(
            vocabulary, {0: name}, judging.document_of(row, articles)
        ).get(0)

    return judge_row


def _judged(
    session: Session,
    wanted: Sequence[ColumnElement[bool]],
    judge: Callable[[Any, Mapping[int, str]], Judgement | None],
) -> Iterator[tuple[Any, Judgement | None]]:
    """These revisions with their judgement, in the order of their ids."""
    last = 0
    while True:
        chosen = (
            select(*_JUDGED)
            .join(Entry, Entry.id == Revision.entry_id)
            .join(Source, Source.id == Entry.source_id)
            .where(*wanted, Revision.id > last)
            .order_by(Revision.id)
            .limit(BATCH)
        )
        rows: Sequence[Any] = session.execute(chosen).all()
        if not rows:
            return
        articles = judging.articles_of(session, rows)
        for row in rows:
            yield row, judge(row, articles)
        last = rows[-1].id


def _feeds(session: Session) -> dict[int, set[int]]:
    """The profiles that a source feeds; a source that is not in the answer feeds all."""
    feeds: dict[int, set[int]] = {}
    for source_id, profile_id in session.execute(
        select(SourceProfile.source_id, SourceProfile.profile_id)
    ):
        feeds.setdefault(source_id, set()).add(profile_id)
    return feeds
