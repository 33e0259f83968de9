"""Backtest: the digests that would have been sent in the past with today's profile.

Judges the stored revisions by the stored profile, and simulates the schedule of one reader. It
stores nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from notifier.deps import Deps
from notifier.digest.selection import Candidate, select_items
from notifier.enums import Cadence, NewsKind, Tier
from notifier.match import held, judging, profiles
from notifier.match.judging import News
from notifier.store.models import Match, Profile, Revision
from notifier.subscribers import choices


@dataclass(frozen=True)
class SimulatedItem:
    """A report in a digest that would have been sent.

    Attributes:
        kind: as what kind of news.
        tier: how closely it concerns the therapy.
        title: of the entry.
        url: of the entry.
        story: by which a digest shows several reports of one event as one item; None without one.
    """

    kind: NewsKind
    tier: Tier
    title: str
    url: str
    story: int | None = None


@dataclass(frozen=True)
class SimulatedDigest:
    """A digest that would have been sent, and the time."""

    composed_at: datetime
    items: tuple[SimulatedItem, ...]

    @property
    def item_count(self) -> int:
        """The number of items it shows: reports of one event are one."""
        stories = {item.story for item in self.items} - {None}
        return len(stories) + sum(item.story is None for item in self.items)


@dataclass(frozen=True)
class Backtest:
    """The digests of a period, and how many matches would have been held."""

    digests: tuple[SimulatedDigest, ...]
    held: int


@dataclass(frozen=True)
class _Event:
    """A revision that would have matched, and the time at which it became known."""

    moment: datetime
    candidate: Candidate
    revision: Revision


def backtest(deps: Deps, slug: str | None, *, since: datetime, cadence: Cadence) -> Backtest:
    """Simulate a schedule over the stored revisions.

    Args:
        deps: the database, the clock, and the installation's time zone.
        slug: of the profile; None for the only stored one.
        since: what was published or changed after this time counts; the entries of a source's first
            poll count by their own dates.
        cadence: at 08:00 for all but `immediate`; weekly on Monday, monthly on the first.

    Raises:
        NotFoundError: there is no such profile.
        InputError: several profiles are stored and the slug is None.
    """
    now = deps.now()
    with deps.reading() as session:
        profile = profiles.find(session, slug)
        events, waiting = _events(session, profile, since, now)
        stories = _stories(session, profile)
        schedule = choices.default_choice(cadence, deps.settings.schedule.time_zone).schedule
    quiet = timedelta(minutes=deps.settings.schedule.quiet_minutes)
    if cadence is Cadence.IMMEDIATE:
        moments = [event.moment + quiet for event in events]
    else:
        moments = []
        due = schedule.next_after(since)
        while due is not None and due <= now:
            moments.append(due)
            due = schedule.next_after(due)
    return Backtest(tuple(_digests(events, moments, stories)), waiting)


def _events(
    session: Session, profile: Profile, since: datetime, now: datetime
) -> tuple[list[_Event], int]:
    """Return the matches in the order of their times, and how many would have been held."""
    judge = judging.revision_judge(session, profile)
    query = (
        select(Revision)
        .options(joinedload(Revision.entry))
        .order_by(Revision.observed_at, Revision.id)
    )
    released = held.released_revisions(session, profile)
    last_news: dict[int, News] = {}
    near_misses: set[int] = set()
    waiting = 0
    events: list[_Event] = []
    for revision in session.scalars(query):
        moment = _known_at(revision)
        if moment > now:
            continue
        judgement = judge(revision)
        news = judging.classify(revision, judgement, last_news.get(revision.entry_id))
        if news is not None:
            kind = news.kind
            if held.held_because(revision, kind) and revision.id not in released:
                waiting += moment > since
                continue
            last_news[revision.entry_id] = news
            candidate = _candidate(revision, news, len(events) + 1)
            events += [_Event(moment, candidate, revision)] if moment > since else []
        elif judgement is not None and judgement.near_miss_tier and moment > since:
            near_misses.add(revision.entry_id)
    events.sort(key=lambda event: (event.moment, event.candidate.position))
    return events, len(near_misses - last_news.keys()) + waiting


def _candidate(revision: Revision, news: News, position: int) -> Candidate:
    return Candidate(
        revision.id,
        position,
        revision.entry_id,
        news.kind,
        news.judgement.tier,
        news.judgement.score,
        revision_id=revision.id,
        changes=tuple(revision.changes),
    )


def _known_at(revision: Revision) -> datetime:
    """Return when a revision became known; of a source's first poll, when it was published."""
    if revision.baseline and revision.published_at is not None:
        return min(revision.published_at, revision.observed_at)
    return revision.observed_at


def _stories(session: Session, profile: Profile) -> dict[int, int]:
    """Return the stories that the stored matches are in, by revision."""
    in_a_story = Match.profile_id == profile.id, Match.story.is_not(None)
    rows = session.execute(select(Match.revision_id, Match.story).where(*in_a_story))
    return {revision_id: story for revision_id, story in rows if story is not None}


def _digests(
    events: Sequence[_Event], moments: Sequence[datetime], stories: Mapping[int, int]
) -> list[SimulatedDigest]:
    """Return the digests that are due at these times and have an item."""
    revisions = {event.candidate.match_id: event.revision for event in events}
    waiting: list[Candidate] = []
    sent_entries: set[int] = set()
    digests, index = [], 0
    for due in sorted(set(moments)):
        while index < len(events) and events[index].moment <= due:
            waiting.append(events[index].candidate)
            index += 1
        selected = select_items(waiting, sent_entries)
        if selected:
            sent_entries |= {candidate.entry_id for candidate in selected}
            waiting = []
            items = (
                _item(candidate, revisions[candidate.match_id], stories) for candidate in selected
            )
            digests.append(SimulatedDigest(due, tuple(items)))
    return digests


def _item(candidate: Candidate, revision: Revision, stories: Mapping[int, int]) -> SimulatedItem:
    story = stories.get(revision.id) if candidate.kind is NewsKind.NEW else None
    return SimulatedItem(candidate.kind, candidate.tier, revision.title, revision.url, story)
