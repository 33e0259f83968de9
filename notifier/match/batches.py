"""Batches: many revisions are read together, judged while no session is open, and put beside the news they repeat.

Owns what has to be read for that. It writes nothing: `matches.store` does, if what was read still
holds then.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from notifier.enums import NewsKind, Tier
from notifier.i18n.messages import LazyMessage
from notifier.match import judging, matches
from notifier.match import profiles as stored_profiles
from notifier.match.matches import BatchResult, Candidacy, NearMissDraft, Versions
from notifier.match.score import Judgement
from notifier.match.stories import Fingerprint, Recent, fingerprint
from notifier.match.terms import TermSpec, Vocabulary
from notifier.store.models import Examination, Match, Profile, Revision

BATCH = 500

_STORY_LASTS = timedelta(days=14)
# The newest matches of a profile that a new one is compared with: more than any therapy has in two
# weeks.
_MOST_RECENT = 1000
# No more of a text is read for the comparison than `match/stories.py` looks at.
_TEXT_READ = 20_000


class Earlier(NamedTuple):
    """The last match of an entry: of which revision, and its judgement."""

    revision_id: int
    judgement: Judgement


class KnownStory(NamedTuple):
    """A recent match, and what it told."""

    match_id: int
    entry_id: int
    telling: Fingerprint


@dataclass(frozen=True)
class Batch:
    """Revisions that were not looked at, and all that is needed to judge them without a session.

    Attributes:
        revisions: with their entry, the oldest first.
        profiles: by their id, name and terms.
        feeds: the profiles that a source feeds; a source that is not there feeds all.
        earlier: the last match of an entry, by profile and entry.
    """

    revisions: Sequence[Revision]
    versions: Versions
    names: Mapping[int, str]
    terms: Mapping[int, Sequence[TermSpec]]
    feeds: Mapping[int, set[int]]
    earlier: Mapping[tuple[int, int], Earlier]
    articles: Mapping[int, str]


@dataclass(frozen=True)
class JudgedBatch:
    """A batch whose revisions were judged; `errors` are those that could not be, each with what failed."""

    found: BatchResult
    tellings: Mapping[int, Fingerprint]
    errors: Sequence[tuple[str, Exception]]

    @property
    def profiles_with_news(self) -> set[int]:
        """The profiles to which something is new, and may repeat what another outlet told."""
        return {one.profile_id for one in self.found.news if one.kind is NewsKind.NEW}


def read(session: Session) -> Batch:
    """The next revisions that were not looked at.

    Profiles are read first: where one changes while the rest is read, its version says so when the
    batch is stored.
    """
    versions = matches.versions(session)
    profiles = session.scalars(
        select(Profile).order_by(Profile.id).options(selectinload(Profile.terms))
    ).all()
    chosen = (
        select(Revision)
        .outerjoin(Examination, Examination.revision_id == Revision.id)
        .where(Examination.revision_id.is_(None))
        .options(joinedload(Revision.entry))
        .order_by(Revision.id)
        .limit(BATCH)
    )
    revisions = session.scalars(chosen).all()
    return Batch(
        revisions,
        versions,
        {profile.id: profile.name for profile in profiles},
        {profile.id: stored_profiles.stored_specs(profile) for profile in profiles},
        judging.feeds_of(session, revisions),
        _earlier(session, revisions),
        judging.articles_of(session, revisions),
    )


def _earlier(session: Session, revisions: Sequence[Revision]) -> dict[tuple[int, int], Earlier]:
    entries = {revision.entry_id for revision in revisions}
    chosen = select(Match).where(Match.entry_id.in_(entries)).order_by(Match.position)
    return {
        (match.profile_id, match.entry_id): Earlier(
            match.revision_id, Judgement(match.tier, match.score, tuple(match.reasons))
        )
        for match in session.scalars(chosen)
    }


def judge(batch: Batch) -> JudgedBatch:
    """Judge every revision of a batch for every profile. No session is needed.

    A revision that cannot be judged is held for every profile that it may concern, so that a person
    can look at it.
    """
    vocabulary = Vocabulary(batch.terms)
    earlier = dict(batch.earlier)
    news: list[Candidacy] = []
    held: list[NearMissDraft] = []
    errors: list[tuple[str, Exception]] = []
    tellings: dict[int, Fingerprint] = {}
    for revision in batch.revisions:
        try:
            words = judging.document_of(revision, batch.articles)
            judgements = judging.judge_document(vocabulary, batch.names, words)
            told = fingerprint_of(revision) if judgements else None
        except Exception as error:  # noqa: BLE001 - one revision stops no other
            errors.append((f"Judging revision {revision.id}", error))
            judgements, told = dict.fromkeys(batch.names, _not_judged()), None
        if told is not None:
            tellings[revision.id] = told
        for profile_id in _concerned(batch, revision, judgements, earlier):
            known = earlier.get((profile_id, revision.entry_id))
            judgement = judgements.get(profile_id)
            made = matches.candidacy(
                profile_id,
                revision,
                judgement,
                known.judgement if known else None,
                filed=revision.baseline,
            )
            if made is not None:
                news.append(made)
                earlier[profile_id, revision.entry_id] = Earlier(revision.id, made.judgement)
            elif known is None and judgement is not None and judgement.held:
                held.append(
                    NearMissDraft(
                        profile_id, revision.id, revision.entry_id, judgement, revision.baseline
                    )
                )
    looked_at = [revision.id for revision in batch.revisions]
    return JudgedBatch(BatchResult(looked_at, batch.versions, news, held), tellings, errors)


def _not_judged() -> Judgement:
    reason = LazyMessage("an unexpected error kept it from being judged")
    return Judgement(Tier.NONE, 0.0, (reason,), held=Tier.RELATED)


def _concerned(
    batch: Batch,
    revision: Revision,
    judgements: Collection[int],
    earlier: Mapping[tuple[int, int], Earlier],
) -> list[int]:
    """The profiles to which a revision may be news, in their order.

    Not those that know it, or a later one of its entry: it is looked at once more for the sake of
    another profile.
    """
    allowed = batch.feeds.get(revision.entry.source_id)
    concerned = []
    for profile_id in batch.names:
        known = earlier.get((profile_id, revision.entry_id))
        if known is None and profile_id not in judgements:
            continue
        if (known is None or known.revision_id < revision.id) and (
            allowed is None or profile_id in allowed
        ):
            concerned.append(profile_id)
    return concerned


def fingerprint_of(revision: Any) -> Fingerprint:
    """What a revision tells, ready to be compared; a row with the columns of one serves, too."""
    text = (revision.body or revision.summary)[:_TEXT_READ]
    return fingerprint(revision.url, revision.title, text, revision.content.get("trial", ""))


def read_recent(
    session: Session, profile_ids: Iterable[int], now: datetime
) -> dict[int, list[KnownStory]]:
    """What was news to these profiles of late, the oldest first."""
    return {profile_id: _recent(session, profile_id, now) for profile_id in sorted(profile_ids)}


def _recent(session: Session, profile_id: int, now: datetime) -> list[KnownStory]:
    chosen = (
        select(
            Match.id,
            Match.entry_id,
            Revision.url,
            Revision.title,
            func.substr(Revision.body, 1, _TEXT_READ).label("body"),
            Revision.summary,
            Revision.content,
        )
        .join(Revision, Revision.id == Match.revision_id)
        .where(
            Match.profile_id == profile_id,
            Match.kind == NewsKind.NEW,
            Match.created_at > now - _STORY_LASTS,
        )
        .order_by(Match.position.desc())
        .limit(_MOST_RECENT)
    )
    return [
        KnownStory(row.id, row.entry_id, fingerprint_of(row))
        for row in reversed(session.execute(chosen).all())
    ]


def with_stories(judged: JudgedBatch, recent: Mapping[int, Sequence[KnownStory]]) -> BatchResult:
    """What was found, each piece of news beside the first one that told the same from another place."""
    news = in_stories(judged.found.news, judged.tellings, recent)
    return replace(judged.found, news=news)


def in_stories(
    news: Sequence[Candidacy],
    tellings: Mapping[int, Fingerprint],
    recent: Mapping[int, Sequence[KnownStory]],
) -> list[Candidacy]:
    """Put news beside the first one of late that told the same from another place.

    Args:
        news: in their order.
        tellings: by the id of the revision.
        recent: what was told before, by profile.
    """
    indexes: dict[int, Recent] = {}
    for profile_id, told in recent.items():
        index = indexes[profile_id] = Recent()
        for one in told:
            index.add(one.match_id, one.entry_id, one.telling)
    placed: list[Candidacy] = []
    for place, candidacy in enumerate(news):
        own = tellings.get(candidacy.revision_id)
        if candidacy.kind is not NewsKind.NEW or own is None:
            placed.append(candidacy)
            continue
        index = indexes.setdefault(candidacy.profile_id, Recent())
        first = index.first_like(candidacy.entry_id, own)
        # What is not stored yet has no id: its place in the list stands in the index below zero.
        index.add(-1 - place, candidacy.entry_id, own)
        if first is None:
            placed.append(candidacy)
        else:
            placed.append(
                replace(candidacy, twin_place=-1 - first)
                if first < 0
                else replace(candidacy, twin=first)
            )
    return placed


def twin_of_held(session: Session, near_id: int, now: datetime) -> int | None:
    """The match that told the news of a near miss first; None where there is none.

    Raises:
        NotFoundError: no such near miss is held.
    """
    near = matches.near_miss(session, near_id)
    (told,) = read_recent(session, [near.profile_id], now).values()
    index = Recent()
    for one in told:
        index.add(one.match_id, one.entry_id, one.telling)
    return index.first_like(near.entry_id, fingerprint_of(near.revision))
