"""Entries and their revisions: new ones, edits, and withdrawals are stored here.

Owns the states of an entry over time, and whether a state is news. Whether it concerns a profile is
decided by `match/`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.orm import Session, selectinload

from notifier.enums import HeldBecause, NewsKind
from notifier.errors import NotFoundError
from notifier.i18n.messages import LazyMessage
from notifier.store.db import count_some
from notifier.store.models import Entry, Revision, Source
from notifier.store.models.sources import Change
from notifier.watch import first_sight, withdrawals
from notifier.watch.compare.diff import Difference
from notifier.watch.compare.edits import Compared, Known, compared_states, difference, whole
from notifier.watch.compare.repeated_edits import restrained
from notifier.watch.first_sight import FirstSight
from notifier.watch.identity import Aliases
from notifier.watch.keys import Identified, identified
from notifier.watch.parsers.observation import READING, Observation, Origin
from notifier.watch.stored import Stored

# An entry that changes at every poll is not followed into every change: so many edits within 24
# hours are stored. Chosen by hand; not measured.
MOST_REVISIONS_A_DAY = 3

_DAY = timedelta(days=1)
# Entries that a listing reads at a time. Chosen by hand; not measured.
_LISTED_AT_ONCE = 500


class Revised(StrEnum):
    """The result of an observation of a known entry."""

    UNCHANGED = ""
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"
    POSTPONED = "postponed"


def store(
    session: Session,
    source: Source,
    observations: Sequence[Observation],
    now: datetime,
    *,
    known_only: bool = False,
) -> Stored:
    """Store all observations of a document in one transaction; known states are left as they are.

    Args:
        session: a writing session; the caller commits.
        source: its new entries are news, or not, by the rules of `first_sight.py`.
        observations: all of one document; none changes nothing.
        now: when they were observed.
        known_only: store no new entries.
    """
    items = Aliases(session, source, identified(observations)).settle()
    backlog = first_sight.has_backlog(observations)
    return store_part(session, source, items, None, now, known_only=known_only, backlog=backlog)


def store_part(
    session: Session,
    source: Source,
    items: Sequence[Identified],
    differences: Mapping[Compared, Difference | None] | None,
    now: datetime,
    *,
    known_only: bool = False,
    backlog: bool = False,
) -> Stored:
    """Store a part of a document's observations.

    Args:
        session: a writing session; the caller commits.
        source: the source of the document.
        items: a part of an `edits.Plan`.
        differences: the differences of the plan. A state that is not among them, because another
            process changed its entry meanwhile, is postponed unless it is short. None compares
            everything here.
        now: when they were observed.
        known_only: store no new entries.
        backlog: whether the document lists many items without a date.
    """
    aliases = Aliases(session, source, items)
    outcomes: Counter[Revised] = Counter()
    seen, created = [], _Created(session)
    for observation, its_keys in items:
        entry = aliases.entry_of(its_keys)
        if entry is None and known_only:
            continue
        if entry is None:
            sight = first_sight.judge(source, observation, now, backlog=backlog)
            entry = created.add(source, observation, its_keys[0], now, sight)
        else:
            created.write_before(entry)
            outcomes[_revise(entry, observation, now, differences)] += 1
        if observation.origin == Origin.DOCUMENT:
            entry.left_at = None
        seen.append(entry)
        aliases.note(entry, its_keys)
    created.write()
    aliases.write()
    withdrawn = outcomes[Revised.WITHDRAWN]
    return Stored(
        seen=len(items),
        new=len(created.entries),
        changed=outcomes[Revised.CHANGED] + withdrawn,
        withdrawn=withdrawn,
        postponed=outcomes[Revised.POSTPONED],
        entry_ids=frozenset(entry.id for entry in seen),
        new_ids=frozenset(entry.id for entry in created.entries),
    )


class _Created:
    """The new entries of a part, whose first states are written together: a feed has thousands.

    Attributes:
        entries: the new entries, in the order of the document.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.entries: list[Entry] = []
        self._states: dict[Entry, dict[str, Any]] = {}

    def add(
        self, source: Source, observation: Observation, key: str, now: datetime, sight: FirstSight
    ) -> Entry:
        """Add a new entry, and return it."""
        entry = Entry(
            source_id=source.id,
            key=key,
            url=observation.url,
            title=observation.title,
            published_at=observation.published_at,
            first_seen_at=now,
        )
        self._session.add(entry)
        self.entries.append(entry)
        state = _state(observation, 1, NewsKind.NEW, now, baseline=sight.baseline)
        self._states[entry] = {**state, "held_because": sight.held_because}
        return entry

    def write_before(self, entry: Entry) -> None:
        """Write the first states before an entry is revised, if it is new itself."""
        if entry in self._states:
            self.write()

    def write(self) -> None:
        """Write the entries, which get their ids, and their first states."""
        self._session.flush()
        states, self._states = self._states, {}
        if states:
            rows = [{**state, "entry_id": entry.id} for entry, state in states.items()]
            # By the connection: the session would make an object of each.
            self._session.connection().execute(insert(Revision), rows)


def _revise(
    entry: Entry,
    observation: Observation,
    now: datetime,
    differences: Mapping[Compared, Difference | None] | None,
) -> Revised:
    """Store an observation of a known entry if it is a new state."""
    newest = entry.revisions[-1]
    entry.url = observation.url or entry.url
    entry.published_at = entry.published_at or observation.published_at
    if newest.hash == observation.hash:
        newest.reading = READING
        return Revised.UNCHANGED
    if withdrawals.is_marked_now(newest, observation):
        withdraw(entry, observation.withdrawn, now, observation)
        return Revised.WITHDRAWN
    if newest.kind is NewsKind.WITHDRAWN:
        entry.title = observation.title or entry.title  # by which it is known if its ids change
        return _restore_if_shown(entry, observation, now)
    known = Known.of(entry, observation)
    compared = compared_states(known, observation)
    planned = differences is not None and compared in differences
    if differences is not None and not planned and not known.is_short_beside(observation):
        return Revised.POSTPONED
    edit = differences[compared] if differences and planned else difference(known, observation)
    if edit is None:
        return Revised.UNCHANGED
    if edit.keeps_text:
        observation = whole(observation, known)
    return _store_edit(entry, observation, edit, now)


def _store_edit(entry: Entry, observation: Observation, edit: Difference, now: datetime) -> Revised:
    """Store an edit, unless the entry is edited too often."""
    if "fields" not in observation.content:
        recent = [state for state in entry.revisions[1:] if now - state.observed_at < _DAY]
        if len(recent) >= MOST_REVISIONS_A_DAY:
            return Revised.POSTPONED
        edit = restrained(edit, entry.revisions, now)
    _append(entry, observation, edit, observation.change, now)
    return Revised.CHANGED


def _restore_if_shown(entry: Entry, observation: Observation, now: datetime) -> Revised:
    """Store that a withdrawn entry is published again, if an observation says so."""
    newest = entry.revisions[-1]
    is_listed_again = entry.left_at is not None and observation.origin == Origin.DOCUMENT
    if (
        (observation.withdrawn and not newest.held_because)
        or (entry.missing_since is not None and not is_listed_again)
        or observation.origin != newest.origin
    ):
        return Revised.UNCHANGED
    entry.missing_since = None
    if not newest.held_because:
        restore(entry, observation, now)
        return Revised.CHANGED
    # Nobody was told that it was withdrawn: an edit is compared by the next poll, as ever.
    restore(entry, observation_of(newest), now)
    is_edited = entry.revisions[-1].hash != observation.hash
    return Revised.POSTPONED if is_edited else Revised.CHANGED


def restore(entry: Entry, observation: Observation, now: datetime) -> None:
    """Store that a withdrawn entry is published again.

    Args:
        entry: an entry whose newest state is a withdrawal, in a writing session.
        observation: the state that is published now.
        now: when it was observed.
    """
    change = Change(
        what="availability",
        before=entry.revisions[-1].changes[0]["after"],
        after=LazyMessage("The publisher shows it again."),
        note="",
    )
    _append(entry, observation, Difference((change,), material=True), observation.change, now)


def withdraw(
    entry: Entry, reason: str, now: datetime, observation: Observation, *, held: bool = False
) -> None:
    """Store that an entry is withdrawn.

    Args:
        entry: an entry in a writing session.
        reason: a sentence for readers.
        now: when it was observed.
        observation: the state of today, marked as withdrawn.
        held: whether a person has to decide before readers are told.
    """
    change = Change(what="withdrawn", before="", after=reason, note="")
    _append(entry, observation, Difference((change,), material=True), NewsKind.WITHDRAWN, now)
    if held:
        entry.revisions[-1].held_because = HeldBecause.WITHDRAWAL


def observation_of(revision: Revision, withdrawn: str = "") -> Observation:
    """Return the observation behind a revision, to store a new state that differs in no text."""
    return Observation(
        guid="",
        url=revision.url,
        title=revision.title,
        summary=revision.summary,
        body=revision.body,
        author=revision.author,
        published_at=revision.published_at,
        categories=tuple(revision.categories),
        content=revision.content,
        withdrawn=withdrawn,
        origin=Origin(revision.origin),
    )


def _append(
    entry: Entry, observation: Observation, edit: Difference, kind: NewsKind, now: datetime
) -> None:
    latest = entry.revisions[-1]
    # The whole text of an entry that the baseline knew as a teaser is not news either, nor what our
    # own parsers now read that they did not read before.
    baseline = edit.reread or (latest.baseline and not edit.material)
    revision = Revision(**_state(observation, latest.number + 1, kind, now, baseline=baseline))
    revision.changes = list(edit.changes)
    revision.material = edit.material
    is_old_news = latest.held_because == HeldBecause.OLD_NEWS  # an edit makes it no younger
    revision.held_because = HeldBecause.OLD_NEWS if is_old_news else edit.held_because
    entry.title = observation.title or entry.title
    entry.revisions.append(revision)


def _state(
    observation: Observation, number: int, kind: NewsKind, now: datetime, *, baseline: bool
) -> dict[str, Any]:
    """Return the columns of a revision."""
    return {
        "number": number,
        "hash": observation.hash,
        "kind": kind,
        "material": True,
        "baseline": baseline,
        "observed_at": now,
        "published_at": observation.published_at,
        "url": observation.url,
        "title": observation.title,
        "summary": observation.summary,
        "body": observation.body,
        "author": observation.author,
        "categories": list(observation.categories),
        "content": observation.content,
        "changes": [],
        "origin": str(observation.origin),
        "reading": READING,
    }


def date_revisions(session: Session, source: Source, as_of: datetime, now: datetime) -> None:
    """Store the date of the registry's data with the revisions that were observed at `now`."""
    its_entries = select(Entry.id).where(Entry.source_id == source.id)
    statement = update(Revision).where(
        Revision.entry_id.in_(its_entries), Revision.observed_at == now, Revision.as_of.is_(None)
    )
    session.execute(statement.values(as_of=as_of))


def listed(
    session: Session,
    limit: int | None = None,
    source_id: int | None = None,
    since: datetime | None = None,
) -> Iterator[tuple[Entry, int]]:
    """Yield entries, the newest first, each with the number of its revisions.

    Args:
        session: a reading session.
        limit: the most that are yielded; None for all.
        source_id: only of this source; None for all.
        since: only those first seen since then; None for all.
    """
    revisions = select(func.count(Revision.id)).where(Revision.entry_id == Entry.id)
    statement = (
        select(Entry, revisions.scalar_subquery())
        .where(*_wanted(source_id, since))
        .order_by(Entry.id.desc())
        .limit(limit)
    )
    rows = session.execute(statement.execution_options(yield_per=_LISTED_AT_ONCE))
    yield from ((entry, number) for entry, number in rows)


def count(session: Session, source_id: int | None = None, since: datetime | None = None) -> int:
    """Return the number of these entries; see `db.count_some`."""
    return count_some(session, select(Entry.id).where(*_wanted(source_id, since)))


def _wanted(source_id: int | None, since: datetime | None) -> list[ColumnElement[bool]]:
    of_source = [] if source_id is None else [Entry.source_id == source_id]
    return of_source + ([] if since is None else [Entry.first_seen_at >= since])


def find(session: Session, entry_id: int) -> Entry:
    """Return the entry with this id, its revisions loaded.

    Raises:
        NotFoundError: there is none.
    """
    entry = session.get(Entry, entry_id, options=[selectinload(Entry.revisions)])
    if entry is None:
        raise NotFoundError(
            f"There is no entry {entry_id}.", "See them with: notifier entries list"
        )
    return entry
