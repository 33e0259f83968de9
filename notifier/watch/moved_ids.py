"""Moved ids: the entries of a source that may be what its document now shows under other ids.

Reads only. Owns the search for them, and the rule for a site that gave all its items other ids at
once: when most titles that were listed are listed again, they are the same items. Keys are owned by
`identity.py`.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from notifier.store.db import in_chunks
from notifier.store.models import Entry, Source
from notifier.watch.resemblance import Appearance, folded, is_kept, is_same_thing, link_stem

# All values were chosen by hand; not measured.

# Entries of a source, the newest, that are searched.
_MOST_SEARCHED = 5_000
# Entries that one observation is compared with, the newest.
_MOST_COMPARED = 20
# A site has given its items other ids if at least so many titles, and this part of those that were
# listed, are listed again without their ids.
_FEWEST_KEPT, _SHARE_KEPT = 3, 0.8

_GUID = "guid:"


@dataclass(frozen=True)
class Candidate:
    """An entry that no observation of the document claimed.

    Attributes:
        entry: the entry.
        appearance: the parts of it that are weighed.
        was_listed: whether its source listed it until now.
    """

    entry: Entry
    appearance: Appearance
    was_listed: bool


@dataclass(frozen=True)
class Candidates:
    """The entries that observations may be, and whether the site gave all its items other ids.

    Attributes:
        by_title: by the folded title.
        by_stem: those that were listed, by the stem of their link.
        by_moment: those that were listed, by their date.
        titles_listed: the number of different titles that the source listed until now.
    """

    by_title: Mapping[str, Sequence[Candidate]]
    by_stem: Mapping[str, Sequence[Candidate]]
    by_moment: Mapping[str, Sequence[Candidate]]
    titles_listed: int

    def of(self, seen: Appearance) -> list[Candidate]:
        """Return the entries that an observation may be, those with its title first."""
        by_stem = self.by_stem.get(seen.stem, ()) if seen.stem else ()
        by_moment = self.by_moment.get(_name_of(seen.moment), ()) if seen.moment else ()
        return [*self.by_title.get(seen.folded_title, ()), *by_stem, *by_moment]


def appearance_of_entry(entry: Entry) -> Appearance:
    """Return the parts to weigh of an entry, in its newest state; its revisions are loaded."""
    newest = entry.revisions[-1]
    return Appearance(
        title=entry.title,
        text=newest.body or newest.summary,
        url=entry.url if link_stem(entry.url) else "",
        moment=newest.published_at or entry.published_at,
        has_guid=entry.key.startswith(_GUID),
    )


def candidates(
    session: Session, source: Source, seen: Sequence[Appearance], claimed: Collection[int]
) -> Candidates:
    """Return the entries that these observations may be.

    Args:
        session: any session.
        source: the source of the document.
        seen: its observations without a known key.
        claimed: the ids of the entries that other observations of the document are.
    """
    titles = {appearance.folded_title for appearance in seen}
    stems = {appearance.stem for appearance in seen} - {""}
    moments = {_name_of(appearance.moment) for appearance in seen} - {""}
    listed_titles: set[str] = set()
    wanted: dict[int, tuple[str, str, str]] = {}
    compared: Counter[tuple[str, str]] = Counter()
    statement = (
        select(Entry.id, Entry.title, Entry.url, Entry.left_at, Entry.published_at)
        .where(Entry.source_id == source.id)
        .order_by(Entry.id.desc())
        .limit(_MOST_SEARCHED)
    )
    for entry_id, its_title, url, left_at, published_at in session.execute(statement):
        title = folded(its_title)
        if left_at is None:
            listed_titles.add(title)
        if entry_id in claimed:
            continue
        stem = link_stem(url) if left_at is None else ""
        moment = _name_of(published_at) if left_at is None else ""
        signs = (("title", title, titles), ("stem", stem, stems), ("moment", moment, moments))
        for kind, name, names in signs:
            if name in names and compared[kind, name] < _MOST_COMPARED:
                compared[kind, name] += 1
                wanted[entry_id] = title, stem, moment
    by_title, by_stem, by_moment = defaultdict(list), defaultdict(list), defaultdict(list)
    for entry in _loaded(session, list(wanted)):
        title, stem, moment = wanted[entry.id]
        candidate = Candidate(entry, appearance_of_entry(entry), entry.left_at is None)
        by_title[title].append(candidate)
        by_stem[stem].append(candidate)
        by_moment[moment].append(candidate)
    return Candidates(by_title, by_stem, by_moment, len(listed_titles - {""}))


def _name_of(moment: datetime | None) -> str:
    """Return a date as a name; empty for none, and for a day alone, which many things share."""
    is_day_alone = moment is None or (moment.hour, moment.minute) == (0, 0)
    return "" if is_day_alone or moment is None else moment.isoformat()


def _loaded(session: Session, entry_ids: Sequence[int]) -> list[Entry]:
    """Return the entries in the order of these ids, their revisions loaded."""
    by_id: dict[int, Entry] = {}
    for chunk in in_chunks(entry_ids):
        statement = select(Entry).where(Entry.id.in_(chunk)).options(selectinload(Entry.revisions))
        by_id.update((entry.id, entry) for entry in session.scalars(statement))
    return [by_id[entry_id] for entry_id in entry_ids]


def pairs(
    lost: Candidates, seen: Mapping[int, Appearance], titles_shown: int, moved: int
) -> dict[int, Entry]:
    """Return the entries that observations are; no entry is more than one of them.

    Args:
        lost: the entries that they may be.
        seen: the observations without a known key, by their place in the document.
        titles_shown: the number of titles in the document.
        moved: how many of the document's other observations are listed entries under other ids.
    """
    paired: dict[int, Entry] = {}
    taken: set[int] = set()
    for index, appearance in seen.items():
        for candidate in lost.of(appearance):
            if candidate.entry.id not in taken and is_same_thing(
                candidate.appearance, appearance, replaced=candidate.was_listed
            ):
                paired[index] = candidate.entry
                taken.add(candidate.entry.id)
                break
    if _has_other_ids(lost, seen.values(), titles_shown, moved):
        for index, appearance in seen.items():
            for candidate in lost.of(appearance) if index not in paired else ():
                if (
                    candidate.was_listed
                    and candidate.entry.id not in taken
                    and is_kept(candidate.appearance, appearance)
                ):
                    paired[index] = candidate.entry
                    taken.add(candidate.entry.id)
                    break
    return paired


def _has_other_ids(
    lost: Candidates, seen: Collection[Appearance], titles_shown: int, moved: int
) -> bool:
    """Return whether the site gave its items other ids: most titles are there without theirs."""
    titles = {appearance.folded_title for appearance in seen} - {""}
    kept = sum(
        any(candidate.was_listed for candidate in lost.by_title.get(title, ())) for title in titles
    )
    return kept + moved >= max(_FEWEST_KEPT, _SHARE_KEPT * min(lost.titles_listed, titles_shown))
