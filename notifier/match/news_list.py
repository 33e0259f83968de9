"""The list of news: entries with what they matched, the newest first, searched in parts.

However many entries there are, a search looks at a bounded number of them, and says from where it
can go on. It reads, and changes nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload, load_only

from notifier.enums import NewsKind, Tier
from notifier.errors import InputError
from notifier.store.models import Entry, Match, Profile, Source

# Entries that a search looks at before it asks whether to go on; and the most sources or profiles
# that a name may stand for. Chosen by hand: SQLite reads so many titles in a tenth of a second.
LOOKED_AT = 50_000
_MOST_NAMED = 20
# Matches of an entry that a row shows. Chosen by hand; not measured.
_MOST_MATCHES = 500


@dataclass(frozen=True)
class Wanted:
    """The news that is looked for; what is empty or None selects nothing out.

    Attributes:
        title: a part of the headline.
        source_ids: only of these sources.
        profile_ids: only what matched one of these profiles.
        tier: only what matched in this tier.
        kind: only what was this kind of news.
        since: only what was first seen since then.
        matched: only what matched any profile.
    """

    title: str = ""
    source_ids: tuple[int, ...] = ()
    profile_ids: tuple[int, ...] = ()
    tier: Tier | None = None
    kind: NewsKind | None = None
    since: datetime | None = None
    matched: bool = False

    @property
    def is_narrow(self) -> bool:
        """True if few entries come into question, which an index finds."""
        return bool(self.source_ids or self.profile_ids)

    @property
    def is_all(self) -> bool:
        """True if every entry is wanted."""
        return self == Wanted()


@dataclass(frozen=True)
class NewsPage:
    """A part of the list.

    Attributes:
        entries: with their source, the newest first.
        older: the id before which the list goes on; 0 at its end.
        is_cut: true if the search stopped before it filled the page.
    """

    entries: Sequence[Entry]
    older: int
    is_cut: bool = False


def page(session: Session, wanted: Wanted, before: int, limit: int) -> NewsPage:
    """Return a part of the list.

    Args:
        session: a reading session.
        wanted: what is looked for.
        before: only entries with a smaller id; 0 for the newest.
        limit: the most that are returned.
    """
    top = before or (session.scalar(select(func.max(Entry.id))) or 0) + 1
    floor = 0 if wanted.is_narrow or wanted.is_all or top <= LOOKED_AT + 1 else top - LOOKED_AT
    query = select(Entry).where(Entry.id < top, *_conditions(wanted))
    if floor:
        query = query.where(Entry.id >= floor)
    entries = session.scalars(
        query.order_by(Entry.id.desc()).limit(limit + 1).options(joinedload(Entry.source))
    ).all()
    if len(entries) > limit:
        return NewsPage(entries[:limit], entries[limit - 1].id)
    return NewsPage(entries, floor, is_cut=bool(floor))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.title:
        conditions.append(Entry.title.icontains(wanted.title, autoescape=True))
    if wanted.source_ids:
        conditions.append(Entry.source_id.in_(wanted.source_ids))
    if wanted.since is not None:
        conditions.append(Entry.first_seen_at >= wanted.since)
    of_match: list[ColumnElement[bool]] = []
    if wanted.tier is not None:
        of_match.append(Match.tier == wanted.tier)
    if wanted.kind is not None:
        of_match.append(Match.kind == wanted.kind)
    if wanted.profile_ids:
        matched = select(Match.entry_id).where(Match.profile_id.in_(wanted.profile_ids), *of_match)
        conditions.append(Entry.id.in_(matched))
    elif of_match or wanted.matched:
        conditions.append(select(Match.id).where(Match.entry_id == Entry.id, *of_match).exists())
    return conditions


def matches_of(session: Session, entry_ids: Collection[int]) -> Mapping[int, list[Match]]:
    """Return the matches of a page of entries, by entry id, with their profile's name."""
    query = (
        select(Match)
        .where(Match.entry_id.in_(entry_ids))
        .order_by(Match.entry_id, Match.profile_id, Match.id)
        .limit(_MOST_MATCHES)
        .options(joinedload(Match.profile).options(load_only(Profile.slug, Profile.name)))
    )
    by_entry: dict[int, list[Match]] = defaultdict(list)
    for match in session.scalars(query):
        by_entry[match.entry_id].append(match)
    return by_entry


def stories_of(
    session: Session, matches: Mapping[int, Sequence[Match]]
) -> Mapping[int, list[Match]]:
    """Return the other reports of the same news, by entry id, with their entry and source.

    Args:
        session: a reading session.
        matches: as `matches_of` returns them.
    """
    entries: dict[int, set[int]] = defaultdict(set)
    for entry_id, its_matches in matches.items():
        for match in its_matches:
            if match.story is not None:
                entries[match.story].add(entry_id)
    query = (
        select(Match)
        .where(Match.story.in_(entries), Match.kind == NewsKind.NEW)
        .order_by(Match.id)
        .limit(_MOST_MATCHES)
        .options(joinedload(Match.entry).joinedload(Entry.source))
    )
    others: dict[int, list[Match]] = defaultdict(list)
    for report in session.scalars(query) if entries else ():
        for entry_id in entries[report.story or 0]:
            if report.entry_id != entry_id:
                others[entry_id].append(report)
    return others


def sources_named(session: Session, text: str) -> tuple[int, ...]:
    """Return the sources with a text in their name or address, by id.

    Raises:
        InputError: there is none, or there are more than 20.
    """
    named = select(Source.id).where(
        Source.name.icontains(text, autoescape=True) | Source.url.icontains(text, autoescape=True)
    )
    ids = session.scalars(named.order_by(Source.id).limit(_MOST_NAMED + 1)).all()
    return _few(ids, "source", "name or address")


def profiles_named(session: Session, text: str) -> tuple[int, ...]:
    """Return the profiles with a text in their name, by id.

    Raises:
        InputError: there is none, or there are more than 20.
    """
    named = select(Profile.id).where(
        Profile.name.icontains(text, autoescape=True) | (Profile.slug == text.lower())
    )
    ids = session.scalars(named.order_by(Profile.id).limit(_MOST_NAMED + 1)).all()
    return _few(ids, "therapy", "name")


def _few(ids: Sequence[int], what: str, where: str) -> tuple[int, ...]:
    if not ids:
        raise InputError(f"No {what} has this in its {where}.")
    if len(ids) > _MOST_NAMED:
        raise InputError(f"More than {_MOST_NAMED} have this in their {where}: write more of it.")
    return tuple(ids)
