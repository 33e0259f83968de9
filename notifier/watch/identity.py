"""The identity of observations: which observation is which entry.

Owns the stored keys of entries. A changed guid or a moved link makes no new entry. Observations
without a known key are compared with the entries that lost theirs (`moved_ids.py`); how two of them
are weighed is decided by `resemblance.py`, which keys an observation has by `keys.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session, defer, selectinload

from notifier.store.db import in_chunks
from notifier.store.models import Entry, EntryAlias, Revision, Source
from notifier.watch.keys import Identified, KeyKind, appearance_of_observation
from notifier.watch.moved_ids import appearance_of_entry, candidates, pairs
from notifier.watch.parsers.observation import Observation
from notifier.watch.resemblance import is_other_thing, is_same_page, is_same_thing

# Keys of one entry. A site that makes ids anew at each request would add some at each poll; beyond
# this number the older ones are removed. Chosen by hand; not measured.
_MOST_KEYS = 30
# They are read for the entries alone that are compared: most entries of a long list are unchanged.
_LONG_COLUMNS = (
    Revision.summary, Revision.body, Revision.content, Revision.changes, Revision.categories,
    Revision.author,
)  # fmt: skip


class NewestState(NamedTuple):
    """The parts of an entry, and of its newest revision, that show whether it is as it was."""

    entry_id: int
    url: str
    published_at: datetime | None
    left_at: datetime | None
    hash: str
    reading: int


class Aliases:
    """The keys of a document's observations, or of a part of them, and the entries they name.

    Args:
        session: any session.
        source: the source of the document.
        items: its observations with their keys.
        load_unchanged: whether entries that are as they were are loaded, too. If not, `entry_of`
            has none of them: their `state_of` is enough, and a feed lists thousands.
    """

    def __init__(
        self,
        session: Session,
        source: Source,
        items: Sequence[Identified],
        *,
        load_unchanged: bool = True,
    ) -> None:
        self._session = session
        self._source = source
        self._new: dict[str, Entry] = {}
        self._items = list(items)
        self._ids = self._known(dict.fromkeys(key for _, its_keys in items for key in its_keys))
        self._states = self._newest_states()
        self._entries = self._loaded(load_unchanged=load_unchanged)

    def _known(self, all_keys: Iterable[str]) -> dict[str, int]:
        """Return the ids of the entries by their keys."""
        ids: dict[str, int] = {}
        for chunk in in_chunks(all_keys):
            statement = select(EntryAlias.key, EntryAlias.entry_id).where(
                EntryAlias.source_id == self._source.id, EntryAlias.key.in_(chunk)
            )
            ids.update((row[0], row[1]) for row in self._session.execute(statement))
        return ids

    def _newest_states(self) -> dict[int, NewestState]:
        """Return the newest states of the entries, by their ids."""
        states: dict[int, NewestState] = {}
        for chunk in in_chunks(sorted(set(self._ids.values()))):
            statement = (
                select(
                    Entry.id,
                    Entry.url,
                    Entry.published_at,
                    Entry.left_at,
                    Revision.hash,
                    Revision.reading,
                )
                .join(Revision, Revision.entry_id == Entry.id)
                .where(Entry.id.in_(chunk))
                .order_by(Revision.number)
            )
            states.update((row[0], NewestState(*row)) for row in self._session.execute(statement))
        return states

    def _loaded(self, *, load_unchanged: bool) -> dict[int, Entry]:
        """Return the entries by their ids; of those that are as they were only what is short."""
        compared = {
            self._ids[key]
            for observation, its_keys in self._items
            if not self._is_as_it_was(observation, its_keys)
            for key in its_keys
            if key in self._ids
        }
        entries: dict[int, Entry] = {}
        without_texts = selectinload(Entry.revisions).options(*map(defer, _LONG_COLUMNS))
        for chunk in in_chunks(sorted(self._states if load_unchanged else compared)):
            of_chunk = select(Entry).where(Entry.id.in_(chunk)).options(without_texts)
            entries.update((entry.id, entry) for entry in self._session.scalars(of_chunk))
        for chunk in in_chunks(sorted(compared)):
            self._session.scalars(select(Revision).where(Revision.entry_id.in_(chunk))).all()
        return entries

    def _is_as_it_was(self, observation: Observation, its_keys: Sequence[str]) -> bool:
        """Return whether an observation's keys and hash are those of one entry's newest state.

        Such an observation claims its entry by its first key, or by none.
        """
        state = self.state_of(its_keys)
        return (
            state is not None
            and not KeyKind.CONTENT.is_of(its_keys[0])
            and state.hash == observation.hash
            and self.are_known(state.entry_id, its_keys)
        )

    def settle(self) -> list[Identified]:
        """Assign each known entry to at most one observation, by the strongest key first.

        An observation with a weaker claim to the same entry is a new entry. All items of a document
        must be settled at once.

        Returns:
            The items, each with the keys that remain its own.
        """
        claimed: dict[int, str] = {}
        claimants: dict[int, list[str]] = {}
        for kind in KeyKind:
            for index, (observation, its_keys) in enumerate(self._items):
                for key in its_keys:
                    is_claim = kind.is_of(key) and index not in claimants
                    entry_id = self._ids.get(key) if is_claim else None
                    if (
                        entry_id is not None
                        and entry_id not in claimed
                        and self._may_be(entry_id, observation, its_keys, key)
                    ):
                        claimed[entry_id] = key
                        claimants[index] = [key, *(other for other in its_keys if other != key)]
        self._claim_moved(claimants, set(claimed))
        for index, (observation, its_keys) in enumerate(self._items):
            free = [key for key in its_keys if key not in self._ids]
            self._items[index] = (observation, claimants.get(index) or free or its_keys[-1:])
        return self._items

    def _may_be(
        self, entry_id: int, observation: Observation, its_keys: Sequence[str], key: str
    ) -> bool:
        """Return whether a claim holds.

        None holds by a guid or a link that was reused for other news, nor by the content of another
        thing that has its own guid and link.
        """
        if KeyKind.GUID.is_of(key):
            return not self._is_reused(entry_id, observation, its_keys)
        is_link = KeyKind.LINK.is_of(key)
        if is_link and not any(map(KeyKind.GUID.is_of, its_keys)):
            return True
        known = appearance_of_entry(self._entries[entry_id])
        seen = appearance_of_observation(observation, its_keys)
        if is_link:
            return not (known.has_guid and seen.has_guid) or is_same_page(known, seen)
        return is_same_thing(known, seen, replaced=False)

    def _is_reused(self, entry_id: int, observation: Observation, its_keys: Sequence[str]) -> bool:
        """Return whether a site gave the guid of an entry to another article."""
        entry = self._entries.get(entry_id)  # not loaded if the observation is its known state
        if entry is None or observation.content or self._are_of_one(entry_id, its_keys):
            return False
        seen = appearance_of_observation(observation, its_keys)
        return is_other_thing(appearance_of_entry(entry), seen)

    def _are_of_one(self, entry_id: int, its_keys: Sequence[str]) -> bool:
        """Return whether another key of an observation names the same entry as its guid."""
        return any(self._ids.get(key) == entry_id for key in its_keys[1:])

    def _claim_moved(self, claimants: dict[int, list[str]], claimed: set[int]) -> None:
        """Let observations without a known key claim the entries that lost theirs."""
        unclaimed = {
            index: appearance_of_observation(observation, its_keys)
            for index, (observation, its_keys) in enumerate(self._items)
            if index not in claimants and any(key not in self._ids for key in its_keys)
        }
        if not unclaimed:
            return
        lost = candidates(self._session, self._source, list(unclaimed.values()), claimed)
        by_place = pairs(lost, unclaimed, len(self._items), self._kept_by_content(claimants))
        keys_of = self._one_key_each([entry.id for entry in by_place.values()])
        for index, entry in by_place.items():
            if key := keys_of.get(entry.id):
                self._ids[key] = entry.id
                self._entries[entry.id] = entry
                claimants[index] = [key, *self._items[index][1]]

    def _kept_by_content(self, claimants: Mapping[int, Sequence[str]]) -> int:
        """Return how many listed entries were recognised by their content alone, under new ids."""
        return sum(
            KeyKind.CONTENT.is_of(claim)
            and bool(others)
            and self._states[self._ids[claim]].left_at is None
            and not any(key in self._ids for key in others)
            for claim, *others in claimants.values()
        )

    def _one_key_each(self, entry_ids: Sequence[int]) -> dict[int, str]:
        """Return a stored key of each entry."""
        key_by_entry: dict[int, str] = {}
        for chunk in in_chunks(entry_ids):
            statement = (
                select(EntryAlias.entry_id, func.min(EntryAlias.key))
                .where(EntryAlias.source_id == self._source.id, EntryAlias.entry_id.in_(chunk))
                .group_by(EntryAlias.entry_id)
            )
            key_by_entry.update((row[0], row[1]) for row in self._session.execute(statement))
        return key_by_entry

    def entry_of(self, its_keys: Sequence[str]) -> Entry | None:
        """Return the known entry of an observation with these keys, if it was loaded."""
        entry_id = self._ids.get(its_keys[0])
        return self._new.get(its_keys[0]) if entry_id is None else self._entries.get(entry_id)

    def state_of(self, its_keys: Sequence[str]) -> NewestState | None:
        """Return the newest state of the stored entry of an observation with these keys."""
        entry_id = self._ids.get(its_keys[0])
        return None if entry_id is None else self._states.get(entry_id)

    def are_known(self, entry_id: int, its_keys: Sequence[str]) -> bool:
        """Return whether a stored entry has all these keys, so that `note` would add none."""
        return all(self._ids.get(key) == entry_id for key in its_keys)

    def note(self, entry: Entry, its_keys: Sequence[str]) -> None:
        """Note that an entry has these keys, unless another has them; `write` stores it."""
        for key in its_keys:
            if key not in self._ids:
                self._new.setdefault(key, entry)

    def write(self) -> None:
        """Store the keys that were noted; the entries must have their ids."""
        rows = [
            {"source_id": self._source.id, "key": key, "entry_id": entry.id}
            for key, entry in self._new.items()
        ]
        if rows:
            self._remove_old_keys({entry.id for entry in self._new.values()})
            self._session.connection().execute(insert(EntryAlias), rows)
        self._new = {}

    def _remove_old_keys(self, entry_ids: set[int]) -> None:
        """Remove the keys of entries that have too many, but for the one they are stored under."""
        for chunk in in_chunks(sorted(entry_ids)):
            crowded = (
                select(EntryAlias.entry_id)
                .where(EntryAlias.entry_id.in_(chunk))
                .group_by(EntryAlias.entry_id)
                .having(func.count() >= _MOST_KEYS)
            )
            for entry_id in self._session.scalars(crowded).all():
                own_key = select(Entry.key).where(Entry.id == entry_id).scalar_subquery()
                its_others = EntryAlias.entry_id == entry_id, EntryAlias.key != own_key
                self._session.execute(delete(EntryAlias).where(*its_others))
