"""Moved ids: the entries of a source that may be what its document now shows under other ids.

Reads only. Owns the search for them, and the rule for a site that gave all its items other ids at
once: when most titles that were listed are listed again, they are the same items. Keys are owned by
`identity.py`.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from notifier.store.db import in_chunks
from notifier.store.models import Entry, Source
from notifier.watch.resemblance import (
    Appearance,
    folded,
    is_kept,
    is_same_thing,
    link_number,
    link_stem,
)

# All values were chosen by hand; not measured.

# Entries of a source, the newest, that are searched.
_MOST_SEARCHED = 5_000
# Entries that one observation is compared with, the newest.
_MOST_COMPARED = 20
# A site has given its items other ids if at least so many titles, and this part of those that were
# listed, are listed again without their ids.
_FEWEST_KEPT, _SHARE_KEPT = 3, 0.8

_GUID = "guid:"

# The kind of a sign, and the sign.
_Sign = tuple[str, str]


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
        by_sign: those that were listed, by what else they may be known by: the kind of a sign, and
            the sign.
        titles_listed: the number of different titles that the source listed until now.
    """

    by_title: Mapping[str, Sequence[Candidate]]
    by_sign: Mapping[_Sign, Sequence[Candidate]]
    titles_listed: int

    def of(self, seen: Appearance) -> list[Candidate]:
        """Return the entries that an observation may be, those with its title first."""
        by_title = self.by_title.get(seen.folded_title, ())
        signs = _signs(seen.url, seen.moment)
        return [*by_title, *chain(*(self.by_sign.get(sign, ()) for sign in signs))]


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
    signs = {sign for appearance in seen for sign in _signs(appearance.url, appearance.moment)}
    listed_titles: set[str] = set()
    wanted: dict[int, tuple[str, list[_Sign]]] = {}
    compared: Counter[_Sign] = Counter()
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
        its_signs = _signs(url, published_at) if left_at is None else []
        common = [sign for sign in its_signs if sign in signs]
        for sign in [*([("title", title)] if title in titles else []), *common]:
            if compared[sign] < _MOST_COMPARED:
                compared[sign] += 1
                wanted[entry_id] = title, common
    by_title, by_sign = defaultdict(list), defaultdict(list)
    for entry in _loaded(session, list(wanted)):
        title, common = wanted[entry.id]
        candidate = Candidate(entry, appearance_of_entry(entry), entry.left_at is None)
        by_title[title].append(candidate)
        for sign in common:
            by_sign[sign].append(candidate)
    return Candidates(by_title, by_sign, len(listed_titles - {""}))


def _signs(url: str, moment: datetime | None) -> list[_Sign]:
    """Return the signs of a thing beside its title: of its link, and its date.

    A day alone is no sign, because many things share it.
    """
    has_time = moment is not None and (moment.hour, moment.minute) != (0, 0)
    signs = (
        ("stem", link_stem(url)),
        ("number", link_number(url)),
        ("moment", moment.isoformat() if moment is not None and has_time else ""),
    )
    return [(kind, sign) for kind, sign in signs if sign]


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
