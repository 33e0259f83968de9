"""Identity: which observation is which entry.

Owns the keys an entry is known by: the publisher's guid, its link, its content. A changed guid or a
moved link makes no new entry; a key that several things in one document share identifies none of
them.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, selectinload

from notifier.store.db import in_chunks
from notifier.store.models import Entry, EntryAlias, Source
from notifier.text.cleaning import fold
from notifier.text.urls import canonical_url
from notifier.watch.parsers.observation import Observation

# An observation with the keys that tell it, the strongest first.
Identified = tuple[Observation, list[str]]

# A page of PostgreSQL's index holds about 2,700 bytes of one key.
_LONGEST_KEY = 2_000


def keys(observation: Observation) -> list[str]:
    """The keys an observation goes by, from the one a publisher vouches for to the one that its content gives."""
    found = []
    if observation.guid:
        found.append(_key("guid", observation.guid))
    if observation.url:
        found.append(_key("link", canonical_url(observation.url)))
    moment = observation.published_at.isoformat() if observation.published_at else ""
    words = (
        fold(observation.title),
        moment or fold(f"{observation.summary} {observation.body}")[:300],
    )
    if any(words):
        found.append(f"content:{hashlib.sha256(' | '.join(words).encode()).hexdigest()}")
    return found


def _key(prefix: str, name: str) -> str:
    """``guid:…``; of a name that is longer than an index can hold, a hash stands in the key instead."""
    if len(name.encode()) <= _LONGEST_KEY:
        return f"{prefix}:{name}"
    return f"{prefix}:sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def identified(observations: Sequence[Observation]) -> list[Identified]:
    """The observations of one document, each with the keys that tell it, the strongest first; some have none.

    A key that two things share tells neither; whoever has no other is told by its content, and a
    true double then falls together with its twin.
    """
    all_keys = [keys(observation) for observation in observations]
    shared = Counter(key for its_keys in all_keys for key in its_keys)
    return [
        (observation, [key for key in its_keys if shared[key] == 1] or its_keys[-1:])
        for observation, its_keys in zip(observations, all_keys, strict=True)
        if its_keys
    ]


class Aliases:
    """The keys of a document's observations, or of a part of them, and the entries that are already known by them."""

    def __init__(self, session: Session, source: Source, items: Sequence[Identified]) -> None:
        self._session = session
        self._source = source
        self._learnt: list[tuple[str, Entry]] = []
        self._items = list(items)
        self._entries = self._known(
            list(dict.fromkeys(key for _, its_keys in items for key in its_keys))
        )

    def _known(self, wanted: list[str]) -> dict[str, Entry]:
        known: dict[str, Entry] = {}
        for chunk in in_chunks(wanted):
            chosen = (
                select(EntryAlias.key, Entry)
                .join(Entry, Entry.id == EntryAlias.entry_id)
                .where(
                    EntryAlias.source_id == self._source.id,
                    EntryAlias.key.in_(chunk),
                )
                .options(selectinload(Entry.revisions))
            )
            known.update((key, entry) for key, entry in self._session.execute(chosen))
        return known

    def settle(self) -> list[Identified]:
        """Let each known entry be claimed once, the strongest key first; a weaker claim then names something new.

        To be called with all items of a document at once. Gives them with the keys that are left to
        them.
        """
        claimants: dict[int, list[str]] = {}
        claimed: set[int] = set()
        for prefix in ("guid:", "link:", "content:"):
            for index, (observation, its_keys) in enumerate(self._items):
                for key in its_keys:
                    entry = (
                        self._entries.get(key)
                        if key.startswith(prefix) and index not in claimants
                        else None
                    )
                    if entry and entry.id not in claimed and _may_be(entry, observation, key):
                        claimed.add(entry.id)
                        claimants[index] = [key, *(other for other in its_keys if other != key)]
        for index, (observation, its_keys) in enumerate(self._items):
            free = [key for key in its_keys if key not in self._entries]
            self._items[index] = (observation, claimants.get(index) or free or its_keys[-1:])
        return self._items

    def in_order(self) -> list[tuple[Observation, list[str]]]:
        """The observations as they stood, each with the keys that tell it, the strongest first."""
        return self._items

    def entry_of(self, its_keys: Sequence[str]) -> Entry | None:
        """The known entry of these keys."""
        return self._entries.get(its_keys[0])

    def learn(self, entry: Entry, its_keys: Sequence[str]) -> None:
        """Note that an entry goes by these keys, unless they are another's; `write` stores it."""
        for key in its_keys:
            if key not in self._entries:
                self._entries[key] = entry
                self._learnt.append((key, entry))

    def write(self) -> None:
        """Store what was learnt; the entries have their numbers by then."""
        learnt, self._learnt = self._learnt, []
        rows = [
            {"source_id": self._source.id, "key": key, "entry_id": entry.id}
            for key, entry in learnt
        ]
        if rows:
            self._session.execute(insert(EntryAlias), rows)


def _may_be(entry: Entry, observation: Observation, key: str) -> bool:
    """Whether a claim by link holds: a link that is reused for other news, under another guid, is another entry."""
    if not key.startswith("link:") or not observation.guid or not entry.key.startswith("guid:"):
        return True
    same_date = (
        observation.published_at is not None and observation.published_at == entry.published_at
    )
    return same_date or fold(entry.title) == fold(observation.title)
