"""Entries and their revisions: which observation is which entry, and whether it is news.

Owns identity. An entry is known by every key it ever went by (the publisher's guid, its link, its content), so a
changed guid or a moved link makes no new entry; a key that several things in one document share identifies none of
them. It knows no profile: whether a revision concerns anybody is for the matcher to say.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from notifier.errors import NotFoundError
from notifier.store.models import Entry, EntryAlias, Revision, Source
from notifier.store.statuses import NewsKind
from notifier.text import canonical_url, fold
from notifier.watch.material import State, changes
from notifier.watch.observation import Observation


@dataclass(frozen=True)
class Stored:
    """How many observations were seen, and how many of them were new entries or changed ones."""

    seen: int
    new: int
    changed: int


def keys(observation: Observation) -> list[str]:
    """The keys an observation goes by, from the one a publisher vouches for to the one that its content gives."""
    found = []
    if observation.guid:
        found.append(f"guid:{observation.guid}")
    if observation.url:
        found.append(f"link:{canonical_url(observation.url)}")
    moment = observation.published_at.isoformat() if observation.published_at else ""
    words = fold(observation.title), moment or fold(f"{observation.summary} {observation.body}")[:300]
    if any(words):
        found.append(f"content:{hashlib.sha256(' | '.join(words).encode()).hexdigest()}")
    return found


def store(session: Session, source: Source, observations: Sequence[Observation], now: datetime) -> Stored:
    """Store what was observed; what is known and unchanged stays as it is, and nothing is ever forgotten.

    Args:
        session: a writing session; the caller commits.
        source: its first successful poll (``baselined_at`` unset) makes a baseline that is owed to nobody.
        observations: all of one poll; an empty sequence changes nothing.
        now: when they were observed.
    """
    aliases = _Aliases(session, source, observations)
    new = changed = 0
    for observation, its_keys in aliases.in_order():
        entry = aliases.entry_of(its_keys)
        if entry is None:
            entry = _create(session, source, observation, its_keys[0], now)
            new += 1
        else:
            changed += _revise(session, entry, observation, now)
        aliases.learn(entry, its_keys)
    return Stored(seen=len(observations), new=new, changed=changed)


class _Aliases:
    """The keys of one document's observations, and the entries that are already known by them."""

    def __init__(self, session: Session, source: Source, observations: Sequence[Observation]) -> None:
        self._session = session
        self._source = source
        all_keys = [keys(observation) for observation in observations]
        shared = Counter(key for its_keys in all_keys for key in its_keys)
        # A key that two things share tells neither; whoever has no other is told by its content, and a true double
        # then falls together with its twin.
        self._items = [
            (observation, [key for key in its_keys if shared[key] == 1] or its_keys[-1:])
            for observation, its_keys in zip(observations, all_keys, strict=True)
            if its_keys
        ]
        self._entries = self._known(list(shared))
        self._settle_rivals()

    def _known(self, wanted: list[str]) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        for start in range(0, len(wanted), 500):
            chosen = (
                select(EntryAlias.key, Entry)
                .join(Entry, Entry.id == EntryAlias.entry_id)
                .where(EntryAlias.source_id == self._source.id, EntryAlias.key.in_(wanted[start : start + 500]))
                .options(selectinload(Entry.revisions))
            )
            found.update((key, entry) for key, entry in self._session.execute(chosen))
        return found

    def _settle_rivals(self) -> None:
        """Let each known entry be claimed once, the strongest key first; a weaker claim then names something new."""
        claimed: dict[int, int] = {}
        chosen: dict[int, list[str]] = {}
        for prefix in ("guid:", "link:", "content:"):
            for index, (observation, its_keys) in enumerate(self._items):
                for key in its_keys:
                    entry = self._entries.get(key) if key.startswith(prefix) and index not in claimed else None
                    if entry and entry.id not in claimed.values() and _may_be(entry, observation, key):
                        claimed[index] = entry.id
                        chosen[index] = [key, *(other for other in its_keys if other != key)]
        for index, (observation, its_keys) in enumerate(self._items):
            free = [key for key in its_keys if key not in self._entries]
            self._items[index] = (observation, chosen.get(index) or free or its_keys[-1:])

    def in_order(self) -> list[tuple[Observation, list[str]]]:
        return self._items

    def entry_of(self, its_keys: Sequence[str]) -> Entry | None:
        return self._entries.get(its_keys[0])

    def learn(self, entry: Entry, its_keys: Sequence[str]) -> None:
        for key in its_keys:
            if key not in self._entries:
                self._entries[key] = entry
                self._session.add(EntryAlias(source_id=self._source.id, key=key, entry_id=entry.id))


def _may_be(entry: Entry, observation: Observation, key: str) -> bool:
    """Whether a claim by link holds: a link that is reused for other news, under another guid, is another entry."""
    if not key.startswith("link:") or not observation.guid or not entry.key.startswith("guid:"):
        return True
    same_date = observation.published_at is not None and observation.published_at == entry.published_at
    return same_date or fold(entry.title) == fold(observation.title)


def _create(session: Session, source: Source, observation: Observation, key: str, now: datetime) -> Entry:
    entry = Entry(
        source_id=source.id,
        key=key,
        url=observation.url,
        title=observation.title,
        published_at=observation.published_at,
        first_seen_at=now,
    )
    session.add(entry)
    entry.revisions.append(_revision(observation, 1, NewsKind.NEW, now, baseline=source.baselined_at is None))
    session.flush()
    return entry


def _revise(session: Session, entry: Entry, observation: Observation, now: datetime) -> bool:
    """Store a new state of a known entry; returns whether there was one."""
    latest = entry.revisions[-1]
    entry.url = observation.url or entry.url
    entry.published_at = entry.published_at or observation.published_at
    if latest.hash == observation.hash:
        return False
    revision = _revision(observation, latest.number + 1, observation.change, now, baseline=False)
    found = changes(
        State(title=latest.title, text=latest.body or latest.summary, content=latest.content),
        State(title=revision.title, text=revision.body or revision.summary, content=revision.content),
    )
    revision.changes = [dict(change) for change in found]
    revision.material = bool(found)
    entry.title = observation.title or entry.title
    entry.revisions.append(revision)
    session.flush()
    return True


def _revision(observation: Observation, number: int, kind: NewsKind, now: datetime, *, baseline: bool) -> Revision:
    return Revision(
        number=number,
        hash=observation.hash,
        kind=kind,
        material=True,
        baseline=baseline,
        observed_at=now,
        published_at=observation.published_at,
        url=observation.url,
        title=observation.title,
        summary=observation.summary,
        body=observation.body,
        author=observation.author,
        categories=list(observation.categories),
        content=observation.content,
        changes=[],
    )


def listed(session: Session) -> list[tuple[Entry, int]]:
    """All entries, newest first, each with the number of its revisions."""
    chosen = (
        select(Entry, func.count(Revision.id))
        .join(Revision, Revision.entry_id == Entry.id)
        .group_by(Entry.id)
        .order_by(Entry.id.desc())
    )
    return [(entry, count) for entry, count in session.execute(chosen)]


def find(session: Session, entry_id: int) -> Entry:
    """The entry with this id, its revisions loaded.

    Raises:
        NotFoundError: there is none.
    """
    entry = session.get(Entry, entry_id, options=[selectinload(Entry.revisions)])
    if entry is None:
        raise NotFoundError(f"There is no entry {entry_id}.", "See them with: notifier entries list")
    return entry
