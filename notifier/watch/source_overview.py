"""Overview of sources: pages of a long list of them, their rhythm, and what one published.

It reads, each page with a few statements by indexes, however many sources and entries are stored.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, or_, select
from sqlalchemy.orm import Session, selectinload

from notifier.enums import SourceKind
from notifier.store.models import Entry, Host, Profile, Revision, Source
from notifier.watch import hosts
from notifier.watch.health import FAILURES_THAT_COUNT
from notifier.watch.robots import Rules
from notifier.watch.source_lists import may_be_unwell

# The time over which a rhythm is counted. Chosen by hand; not measured.
RHYTHM_DAYS = 90
# The least time after which it is known. Chosen by hand; not measured.
_LEAST_DAYS = 7


class Part(StrEnum):
    """The parts of the list of sources."""

    ALL = "all"
    TROUBLE = "trouble"
    PAUSED = "paused"


class Rhythm(NamedTuple):
    """The number of new entries of a source.

    Attributes:
        entries: how many.
        days: in how many days; 0 while it is watched for too short a time to tell.
    """

    entries: int
    days: int


class Manners(NamedTuple):
    """The wishes of a source's host; they count for the pages of articles.

    Attributes:
        waits_until: it asked to be left alone until then; None if not.
        pages_today: how many of its article pages were requested today.
        robots_at: when its robots.txt was read; None if it was not.
        is_allowed: whether that lets us read its article pages.
    """

    waits_until: datetime | None
    pages_today: int
    robots_at: datetime | None
    is_allowed: bool


def listed(
    session: Session,
    now: datetime,
    *,
    part: Part = Part.ALL,
    search: str = "",
    start: int = 0,
    limit: int = 50,
) -> tuple[Sequence[Source], int]:
    """Return sources with their profiles, by name, and how many there are in all.

    Args:
        session: one that reads.
        now: the time, by which one is late.
        part: which of them.
        search: a part of the name or the address; empty for all.
        start: how many are skipped.
        limit: at most so many are returned.
    """
    wanted = [Source.removed_at.is_(None), *_of_part(part, now)]
    if search:
        by_name = Source.name.icontains(search, autoescape=True)
        wanted.append(or_(by_name, Source.url.icontains(search, autoescape=True)))
    total = session.scalar(select(func.count(Source.id)).where(*wanted)) or 0
    # What is gone for good comes before what fails, and that before what is late.
    worst_first = (Source.gone_at.is_(None), Source.failures == 0) if part is Part.TROUBLE else ()
    statement = (
        select(Source)
        .where(*wanted)
        .order_by(*worst_first, func.lower(Source.name), Source.id)
        .offset(start)
        .limit(limit)
        .options(selectinload(Source.profiles).load_only(Profile.slug, Profile.name))
    )
    return session.scalars(statement).all(), total


def _of_part(part: Part, now: datetime) -> list[ColumnElement[bool]]:
    if part is Part.PAUSED:
        return [Source.paused_at.is_not(None)]
    if part is Part.TROUBLE:
        counts = Source.failures >= FAILURES_THAT_COUNT
        is_late = and_(Source.expected_by < now, Source.failures == 0)
        is_bad = or_(counts, Source.gone_at.is_not(None), is_late)
        return [Source.paused_at.is_(None), may_be_unwell(now), is_bad]
    return []


def rhythms(session: Session, sources: Collection[Source], now: datetime) -> dict[int, Rhythm]:
    """Return by id how much sources published since their baseline, in the last 90 days."""
    since = now - timedelta(days=RHYTHM_DAYS)
    is_new = and_(Entry.first_seen_at > Source.baselined_at, Entry.first_seen_at >= since)
    statement = (
        select(Entry.source_id, func.count())
        .join(Source, Source.id == Entry.source_id)
        .where(Entry.source_id.in_([source.id for source in sources]), is_new)
        .group_by(Entry.source_id)
    )
    counts = {row[0]: row[1] for row in session.execute(statement)}
    by_id = {}
    for source in sources:
        begin = max(since, source.baselined_at or now)
        days = (now - begin).days
        by_id[source.id] = Rhythm(counts.get(source.id, 0), days if days >= _LEAST_DAYS else 0)
    return by_id


def per_week(session: Session, source: Source, mondays: Sequence[datetime]) -> list[int]:
    """Return the number of a source's new entries, or of its changes, in each week.

    Args:
        session: one that reads.
        source: of a feed the entries that were new since its baseline are counted, of a page or a
            registry the states after the first one.
        mondays: the beginning of each week, and the end of the last one.
    """
    weeks = list(pairwise(mondays))
    if source.kind is SourceKind.FEED:
        since = source.baselined_at or mondays[-1]
        return list(
            session.execute(select(*(_new_in(source, since, *week) for week in weeks))).one()
        )
    at = Revision.observed_at
    counts = [func.count(Entry.id).filter(and_(at >= begin, at < end)) for begin, end in weeks]
    statement = select(*counts).select_from(Entry).join(Revision, Revision.entry_id == Entry.id)
    is_change = and_(Entry.source_id == source.id, Revision.number > 1, at >= mondays[0])
    return list(session.execute(statement.where(is_change)).one())


def _new_in(source: Source, since: datetime, begin: datetime, end: datetime) -> ScalarSelect[int]:
    """Return the number of entries in a week as a query, which reads a range of an index."""
    seen_at = Entry.first_seen_at
    is_in_week = and_(seen_at >= begin, seen_at < end, seen_at > since)
    counted = select(func.count()).select_from(Entry)
    return counted.where(Entry.source_id == source.id, is_in_week).scalar_subquery()


def entries_of(
    session: Session, source: Source, before_id: int, limit: int
) -> list[tuple[Entry, int]]:
    """Return entries of a source with the number of their states, those seen last first.

    Args:
        session: one that reads.
        source: the source.
        before_id: the id of the entry after which the list goes on; 0 for its beginning.
        limit: at most so many are returned.
    """
    statement = select(Entry).where(Entry.source_id == source.id)
    last = session.get(Entry, before_id) if before_id else None
    if last is not None:
        is_same_time = and_(Entry.first_seen_at == last.first_seen_at, Entry.id < last.id)
        is_older = Entry.first_seen_at <= last.first_seen_at
        statement = statement.where(
            is_older, or_(Entry.first_seen_at < last.first_seen_at, is_same_time)
        )
    ordered = statement.order_by(Entry.first_seen_at.desc(), Entry.id.desc()).limit(limit)
    entries = session.scalars(ordered).all()
    counted = (
        select(Revision.entry_id, func.count())
        .where(Revision.entry_id.in_([entry.id for entry in entries]))
        .group_by(Revision.entry_id)
    )
    counts = {row[0]: row[1] for row in session.execute(counted)}
    return [(entry, counts.get(entry.id, 0)) for entry in entries]


def manners(session: Session, source: Source, user_agent: str, now: datetime) -> Manners | None:
    """Return how the host of a source's address wants to be treated; None if nothing is known."""
    host = session.get(Host, hosts.name_of(source.url))
    if host is None:
        return None
    waits = host.wait_until if host.wait_until is not None and host.wait_until > now else None
    pages = host.pages if host.day == now.date().isoformat() else 0
    rules = Rules(host.robots or "", user_agent)
    return Manners(waits, pages, host.robots_at, rules.allow(source.url))
