"""Matches: revisions that were not looked at yet are held against every profile they may concern.

Owns the match sequence of each profile. It writes nothing about a revision that concerns nobody but that it was looked
at; running it again finds nothing to do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from notifier.errors import NotFoundError
from notifier.match import profiles as stored_profiles
from notifier.match.boilerplate import split_lead, without_boilerplate
from notifier.match.score import NAMING, Judgement, judge, only_pointed_to, speaks_of_medicine
from notifier.match.stories import Telling, same_news, telling
from notifier.match.terms import Hit, TermSpec, Vocabulary
from notifier.match.urgency import urgent
from notifier.said import Said
from notifier.store.models import Article, Entry, Examination, Match, NearMiss, Profile, Revision, SourceProfile
from notifier.store.statuses import NewsKind, Tier

BATCH = 500

_RELEASED = 0.5
_STORY_LASTS = timedelta(days=14)


@dataclass(frozen=True)
class Words:
    """A text as the matcher sees it: what stands at each place."""

    title: str = ""
    summary: str = ""
    body: str = ""
    categories: str = ""


def judge_words(vocabulary: Vocabulary[int], names: Mapping[int, str], words: Words) -> dict[int, Judgement]:
    """Judge one text for every profile of the vocabulary; those in which nothing was found are not in the answer."""
    found: dict[int, dict[str, list[Hit]]] = {}
    own_text = without_boilerplate(words.body)
    lead, body = split_lead(own_text)
    texts = {"title": words.title, "summary": words.summary, "lead": lead, "body": body, "categories": words.categories}
    for place, text in texts.items():
        for profile_id, hits in vocabulary.find(text).items():
            found.setdefault(profile_id, {})[place] = hits
    medical = bool(found) and any(map(speaks_of_medicine, texts.values()))
    judged = {profile_id: judge(names[profile_id], hits, medical=medical) for profile_id, hits in found.items()}
    if len(own_text) < len(words.body):
        for profile_id, hits in vocabulary.find(words.body).items():
            named = any(hit.term.kind in NAMING for hit in hits)
            if named and (profile_id not in judged or judged[profile_id].tier is Tier.NONE):
                judged[profile_id] = only_pointed_to(names[profile_id])
    return judged


def judge_of(profile: Profile) -> Callable[[Words], Judgement]:
    """What judges texts that are not stored for one profile; where nothing is found it says so."""
    vocabulary = stored_profiles.vocabulary([profile])
    names = {profile.id: profile.name}

    def judge_one(words: Words) -> Judgement:
        return judge_words(vocabulary, names, words).get(profile.id) or judge(profile.name, {})

    return judge_one


def judge_stored(session: Session, profile: Profile) -> Callable[[Revision], Judgement | None]:
    """What judges stored revisions for one profile by its terms of now; None for those that its sources do not feed."""
    vocabulary = stored_profiles.vocabulary([profile])
    names = {profile.id: profile.name}
    fed = select(SourceProfile.source_id, SourceProfile.profile_id)
    feeds: dict[int, set[int]] = {}
    for source_id, profile_id in session.execute(fed):
        feeds.setdefault(source_id, set()).add(profile_id)

    def judge_one(revision: Revision) -> Judgement | None:
        if profile.id not in feeds.get(revision.entry.source_id, {profile.id}):
            return None
        return judge_words(vocabulary, names, _words(revision, _articles(session, [revision]))).get(profile.id)

    return judge_one


def check_canaries(document: Mapping[str, Any], terms: Sequence[TermSpec], name: str) -> list[str]:
    """The canaries of a profile that do not get their tier, a sentence each; none where all is well."""
    vocabulary = Vocabulary({0: terms})
    failed = []
    for one in document.get("canaries", ()):
        words = Words(one["title"], one.get("summary", ""), one.get("body", ""))
        tier = (judge_words(vocabulary, {0: name}, words).get(0) or judge(name, {})).tier
        if tier != one["tier"]:
            failed.append(f"“{one['title']}” is {tier}, and must be {one['tier']}")
    return failed


def examine(session: Session, now: datetime) -> int:
    """Match the next batch of revisions that were not looked at.

    Args:
        session: a writing session; the caller commits, and calls again until nothing is left.
        now: the time the matches are made.

    Returns:
        How many revisions were looked at.
    """
    waiting = _waiting(session)
    if not waiting:
        return 0
    # One writer a profile: whoever holds its row numbers its matches.
    profiles = list(session.scalars(select(Profile).order_by(Profile.id).with_for_update()))
    vocabulary = stored_profiles.vocabulary(profiles)
    names = {profile.id: profile.name for profile in profiles}
    feeds = _feeds(session, waiting)
    earlier = _earlier(session, waiting)
    articles = _articles(session, waiting)
    for revision in waiting:
        judgements = judge_words(vocabulary, names, _words(revision, articles))
        allowed = feeds.get(revision.entry.source_id)
        for profile in profiles:
            known = earlier.get((profile.id, revision.entry_id))
            judgement = judgements.get(profile.id)
            if (known or judgement) and (allowed is None or profile.id in allowed):
                made = _match(session, profile, revision, judgement, known, now, filed=revision.baseline)
                if made is not None:
                    earlier[profile.id, revision.entry_id] = made
                elif known is None and judgement is not None and judgement.held:
                    _hold(session, profile, revision, judgement, now)
        session.add(Examination(revision_id=revision.id, examined_at=now))
    session.flush()
    return len(waiting)


def _earlier(session: Session, revisions: Sequence[Revision]) -> dict[tuple[int, int], Match]:
    """The last match of each of these entries, by profile and entry."""
    wanted = {revision.entry_id for revision in revisions}
    chosen = select(Match).where(Match.entry_id.in_(wanted)).order_by(Match.position)
    return {(match.profile_id, match.entry_id): match for match in session.scalars(chosen)}


def match_past(session: Session, profile: Profile, now: datetime, *, include: bool = False) -> int:
    """Hold a profile that was just imported against what was seen before it.

    Args:
        session: a writing session.
        profile: as it is stored now.
        now: when it was imported.
        include: whether what matches goes into the next digests; else it is filed, owed to nobody.

    Returns:
        How many older entries match now that did not before.
    """
    vocabulary = stored_profiles.vocabulary([profile])
    before = profile.position
    matched = select(Match.entry_id).where(Match.profile_id == profile.id)
    newest = select(func.max(Revision.id)).group_by(Revision.entry_id)
    chosen = (
        select(Revision)
        .join(Examination, Examination.revision_id == Revision.id)
        .where(Revision.id.in_(newest), Revision.entry_id.not_in(matched), Revision.kind != NewsKind.WITHDRAWN)
        .options(joinedload(Revision.entry))
        .order_by(Revision.id)
    )
    revisions = session.scalars(chosen).all()
    feeds, articles = _feeds(session, revisions), _articles(session, revisions)
    for revision in revisions:
        if profile.id in feeds.get(revision.entry.source_id, {profile.id}):
            judgement = judge_words(vocabulary, {profile.id: profile.name}, _words(revision, articles)).get(profile.id)
            _match(session, profile, revision, judgement, None, now, filed=not include)
    session.flush()
    return profile.position - before


@dataclass(frozen=True)
class Estimate:
    """What a profile would have matched lately: of how many entries how many, by tier."""

    entries: int
    matched: dict[Tier, int]
    days: int

    @property
    def share(self) -> float:
        """The part of all entries that would go into a digest."""
        return (self.matched[Tier.ABOUT] + self.matched[Tier.MENTION]) / self.entries if self.entries else 0.0


def estimate(session: Session, terms: Sequence[TermSpec], name: str, now: datetime, days: int = 90) -> Estimate:
    """Hold terms that are not stored yet against what was seen in the last days."""
    vocabulary = Vocabulary({0: terms})
    newest = select(func.max(Revision.id)).where(Revision.observed_at > now - timedelta(days=days))
    chosen = select(Revision).where(Revision.id.in_(newest.group_by(Revision.entry_id)))
    counts = dict.fromkeys(Tier, 0)
    revisions = session.scalars(chosen).all()
    articles = _articles(session, revisions)
    for revision in revisions:
        judgement = judge_words(vocabulary, {0: name}, _words(revision, articles)).get(0)
        counts[judgement.tier if judgement else Tier.NONE] += 1
    return Estimate(sum(counts.values()), counts, days)


def _waiting(session: Session) -> Sequence[Revision]:
    chosen = (
        select(Revision)
        .outerjoin(Examination, Examination.revision_id == Revision.id)
        .where(Examination.revision_id.is_(None))
        .options(joinedload(Revision.entry))
        .order_by(Revision.id)
        .limit(BATCH)
        .with_for_update(of=Revision, skip_locked=True)
    )
    return session.scalars(chosen).all()


def _feeds(session: Session, revisions: Sequence[Revision]) -> dict[int, set[int]]:
    """The profiles that a source feeds; a source that is not in the answer feeds all."""
    wanted = {revision.entry.source_id for revision in revisions}
    rows = session.execute(
        select(SourceProfile.source_id, SourceProfile.profile_id).where(SourceProfile.source_id.in_(wanted))
    )
    found: dict[int, set[int]] = {}
    for source_id, profile_id in rows:
        found.setdefault(source_id, set()).add(profile_id)
    return found


def _words(revision: Revision, articles: Mapping[int, str]) -> Words:
    """What a revision says; where its feed shows a teaser, with the text of its page."""
    body = max(revision.body, articles.get(revision.entry_id, ""), key=len)
    return Words(revision.title, revision.summary, body, " | ".join(revision.categories))


def _articles(session: Session, revisions: Sequence[Revision]) -> dict[int, str]:
    """The texts that were fetched for these entries."""
    wanted = sorted({revision.entry_id for revision in revisions})
    found: dict[int, str] = {}
    for start in range(0, len(wanted), BATCH):
        chosen = select(Article.entry_id, Article.text).where(Article.entry_id.in_(wanted[start : start + BATCH]))
        found.update((row[0], row[1]) for row in session.execute(chosen))
    return found


def as_news(
    revision: Revision, judgement: Judgement | None, earlier: Judgement | None
) -> tuple[NewsKind, Judgement] | None:
    """What kind of news a revision is to a profile, and how much it concerns it; None where it is none.

    Args:
        revision: a state of an entry.
        judgement: on this state.
        earlier: on the last state of the entry that was news to the profile, if there was one.
    """
    concerns = judgement is not None and judgement.tier is not Tier.NONE
    if earlier is None:
        is_news = concerns and revision.kind is not NewsKind.WITHDRAWN
        return (NewsKind.NEW, judgement) if is_news and judgement is not None else None
    if not revision.material:
        return None
    # Where an edit took the therapy's name out, those who read the earlier wording are still owed the correction.
    return revision.kind, judgement if concerns and judgement is not None else earlier


def _match(
    session: Session,
    profile: Profile,
    revision: Revision,
    judgement: Judgement | None,
    earlier: Match | None,
    now: datetime,
    *,
    filed: bool,
) -> Match | None:
    """Add the match of a revision, if it is news to this profile; `earlier` is the last match of its entry."""
    before = Judgement(earlier.tier, earlier.score, tuple(earlier.reasons)) if earlier else None
    news = as_news(revision, judgement, before)
    if news is None:
        return None
    kind, judgement = news
    profile.position += 1
    made = Match(
        profile_id=profile.id,
        revision_id=revision.id,
        entry_id=revision.entry_id,
        position=profile.position,
        kind=kind,
        tier=judgement.tier,
        score=judgement.score,
        reasons=list(judgement.reasons),
        filed=filed,
        urgent=urgent(kind, judgement.tier, revision.title, revision.changes),
        created_at=now,
    )
    session.add(made)
    if made.kind is NewsKind.NEW:
        _join_story(session, made, revision, now)
    return made


def _join_story(session: Session, made: Match, revision: Revision, now: datetime) -> None:
    """Put a match beside the first one of late that told the same news from another place."""
    told = _telling(revision)
    recent = (
        select(Match)
        .where(
            Match.profile_id == made.profile_id,
            Match.kind == NewsKind.NEW,
            Match.created_at > now - _STORY_LASTS,
            Match.entry_id != made.entry_id,
        )
        .order_by(Match.position)
        .options(joinedload(Match.revision))
    )
    first = next((one for one in session.scalars(recent) if same_news(_telling(one.revision), told)), None)
    if first is not None:
        session.flush()
        first.story = made.story = first.story or first.id


def _telling(revision: Revision) -> Telling:
    return telling(revision.url, revision.title, revision.body or revision.summary, revision.content.get("trial", ""))


def _hold(session: Session, profile: Profile, revision: Revision, judgement: Judgement, now: datetime) -> None:
    """Keep a near miss where a person can find it; of an entry its last one."""
    its_last = select(NearMiss).where(NearMiss.profile_id == profile.id, NearMiss.entry_id == revision.entry_id)
    near = session.scalar(its_last)
    if near is None:
        near = NearMiss(profile_id=profile.id, entry_id=revision.entry_id)
        session.add(near)
    assert judgement.held is not None
    near.revision_id, near.tier, near.reasons = revision.id, judgement.held, list(judgement.reasons)
    near.baseline, near.held_at = revision.baseline, now


def held(session: Session, profile: Profile | None = None) -> list[NearMiss]:
    """Near misses that were not released and do not match by now, newest first, with entry, profile and revision."""
    matched = select(Match.id).where(Match.profile_id == NearMiss.profile_id, Match.entry_id == NearMiss.entry_id)
    chosen = (
        select(NearMiss)
        .where(NearMiss.released_at.is_(None), ~matched.exists())
        .order_by(NearMiss.id.desc())
        .options(joinedload(NearMiss.entry), joinedload(NearMiss.profile), joinedload(NearMiss.revision))
    )
    if profile is not None:
        chosen = chosen.where(NearMiss.profile_id == profile.id)
    return list(session.scalars(chosen))


def release(session: Session, near_id: int, now: datetime) -> Match:
    """Let a near miss go into the next digests, in the tier that it would have had.

    Raises:
        NotFoundError: there is none, or it was released already.
    """
    near = next((one for one in held(session) if one.id == near_id), None)
    if near is None:
        raise NotFoundError(f"No near miss {near_id} is held.", "See them with: notifier matches list --held")
    profile = session.get_one(Profile, near.profile_id, with_for_update=True)
    near.released_at = now
    judgement = Judgement(near.tier, _RELEASED, (*near.reasons, Said("a person released it")))
    made = _match(session, profile, near.revision, judgement, None, now, filed=False)
    assert made is not None
    session.flush()
    return made


def listed(session: Session, profile: Profile | None = None, tier: Tier | None = None) -> list[Match]:
    """Matches, newest first, with their entry, source, profile and revision."""
    chosen = (
        select(Match)
        .order_by(Match.id.desc())
        .options(
            joinedload(Match.entry).joinedload(Entry.source), joinedload(Match.profile), joinedload(Match.revision)
        )
    )
    if profile is not None:
        chosen = chosen.where(Match.profile_id == profile.id)
    if tier is not None:
        chosen = chosen.where(Match.tier == tier)
    return list(session.scalars(chosen))
