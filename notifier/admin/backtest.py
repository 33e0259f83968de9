"""Backtest: the digests that would have gone out, had a profile been then what it is now.

Reads what was seen, judges it by the stored profile, and plays a reader's schedule over it. It
stores nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from notifier.deps import Deps
from notifier.digest.selection import Candidate, select_items
from notifier.enums import Cadence, NewsKind, Tier
from notifier.match import judging, profiles
from notifier.match.score import Judgement
from notifier.store.models import Profile, Revision
from notifier.subscribers import choices


@dataclass(frozen=True)
class Item:
    """One item of a digest that would have gone out."""

    kind: NewsKind
    tier: Tier
    title: str
    url: str


@dataclass(frozen=True)
class Played:
    """A digest that would have gone out, and when."""

    composed_at: datetime
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Backtest:
    """All digests of a stretch of time, and how many entries would have been held back as near misses."""

    digests: tuple[Played, ...]
    held: int


@dataclass(frozen=True)
class _Event:
    moment: datetime
    candidate: Candidate
    revision: Revision


def backtest(deps: Deps, slug: str | None, *, since: datetime, cadence: Cadence) -> Backtest:
    """Play a schedule over what was seen.

    Args:
        deps: whose database and time zone count.
        slug: the profile; the only one there is if None.
        since: what was published or changed after this moment counts; a source's baseline by its
            own dates.
        cadence: at 08:00 for all but `immediate`; weekly on Monday, monthly on the first.

    Raises:
        NotFoundError: no such profile.
    """
    now = deps.now()
    with deps.reading() as session:
        profile = profiles.find(session, slug)
        events, held = _events(session, profile, since, now)
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
    return Backtest(tuple(_played(events, moments)), held)


def _events(
    session: Session, profile: Profile, since: datetime, now: datetime
) -> tuple[list[_Event], int]:
    """What would have matched, in its order, and how many entries would have been held."""
    judge = judging.judge_stored(session, profile)
    chosen = (
        select(Revision)
        .options(joinedload(Revision.entry))
        .order_by(Revision.observed_at, Revision.id)
    )
    known: dict[int, Judgement] = {}
    held: set[int] = set()
    events: list[_Event] = []
    for revision in session.scalars(chosen):
        moment = revision.observed_at
        if revision.baseline and revision.published_at is not None:
            moment = min(revision.published_at, moment)
        if moment > now:
            continue
        judgement = judge(revision)
        news = judging.classify(revision, judgement, known.get(revision.entry_id))
        if news is not None:
            kind, known[revision.entry_id] = news
            made = known[revision.entry_id]
            candidate = Candidate(
                revision.id, len(events) + 1, revision.entry_id, kind, made.tier, made.score
            )
            events += [_Event(moment, candidate, revision)] if moment > since else []
        elif judgement is not None and judgement.held and moment > since:
            held.add(revision.entry_id)
    events.sort(key=lambda event: (event.moment, event.candidate.position))
    return events, len(held - known.keys())


def _played(events: Sequence[_Event], moments: Sequence[datetime]) -> list[Played]:
    revisions = {event.candidate.match_id: event.revision for event in events}
    waiting: list[Candidate] = []
    told: set[int] = set()
    digests, index = [], 0
    for due in sorted(set(moments)):
        while index < len(events) and events[index].moment <= due:
            waiting.append(events[index].candidate)
            index += 1
        chosen = select_items(waiting, told)
        if chosen:
            told |= {one.entry_id for one in chosen}
            waiting = []
            digests.append(
                Played(due, tuple(_item(one, revisions[one.match_id]) for one in chosen))
            )
    return digests


def _item(one: Candidate, revision: Revision) -> Item:
    return Item(one.kind, one.tier, revision.title, revision.url)
