"""Trial history: what a registry's record said about a trial's dates and status, and when.

It reads the stored states of entries. Of an old state whose text was removed, the changes that led
to it are left: its fields are those of the state before it with these changes.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from notifier.enums import SourceKind
from notifier.store.models import Entry, EntryAlias, Revision, Source
from notifier.store.models.sources import Change
from notifier.trial_fields import day_of
from notifier.watch.keys import KeyKind

# Newest states of a trial that are read. Chosen by hand; not measured.
_MOST_STATES = 200


class TrialDate(NamedTuple):
    """A date in a record.

    Attributes:
        day: the day; of a month its first one.
        is_planned: whether the record calls it estimated.
        text: as the record has it: ``2027-06 (estimated)``.
    """

    day: date
    is_planned: bool
    text: str


class TrialState(NamedTuple):
    """The state of a record from a time on.

    Attributes:
        observed_at: when it was read.
        status: ``Recruiting``; empty where it is not known.
        start: when the trial begins; None where it is not known.
        primary: when the main measurements end.
        completion: when the trial ends.
        changes: what differs from the state before; none for the first one.
    """

    observed_at: datetime
    status: str
    start: TrialDate | None
    primary: TrialDate | None
    completion: TrialDate | None
    changes: Sequence[Change]

    @property
    def dates(self) -> tuple[str, str, str]:
        """The three dates as the record has them."""
        start, primary, completion = (
            date.text if date is not None else ""
            for date in (self.start, self.primary, self.completion)
        )
        return start, primary, completion


def entries_of(session: Session, trials: Collection[str]) -> dict[str, Entry]:
    """Return the entry of each trial whose record was read, by the trial's number.

    Where several sources have it, that of a source that is watched, then the one that was seen
    first.
    """
    keys = {KeyKind.GUID.key(trial): trial for trial in trials}
    # Joined with the sources: the index of keys begins with the source.
    is_key = and_(EntryAlias.source_id == Source.id, EntryAlias.key.in_(list(keys)))
    statement = (
        select(EntryAlias.key, Entry)
        .select_from(Source)
        .join(EntryAlias, is_key)
        .join(Entry, Entry.id == EntryAlias.entry_id)
        .where(Source.kind == SourceKind.REGISTRY)
        .order_by(Source.removed_at.is_not(None), Entry.first_seen_at, Entry.id)
    )
    entries: dict[str, Entry] = {}
    for key, entry in session.execute(statement):
        entries.setdefault(keys[key], entry)
    return entries


def states_of(session: Session, entry_ids: Collection[int]) -> dict[int, list[TrialState]]:
    """Return what records said, oldest first, by the id of the entry."""
    columns = (Revision.entry_id, Revision.observed_at, Revision.content, Revision.changes)
    by_id: dict[int, list[TrialState]] = {}
    for entry_id in sorted(entry_ids):
        newest = (
            select(*columns)
            .where(Revision.entry_id == entry_id)
            .order_by(Revision.number.desc())
            .limit(_MOST_STATES)
        )
        states: list[TrialState] = []
        fields: dict[str, str] = {}
        for _, observed_at, content, changes in reversed(session.execute(newest).all()):
            kept = content.get("fields") if content else None
            fields = dict(kept) if isinstance(kept, Mapping) else _changed(fields, changes)
            states.append(_state(observed_at, fields, changes))
        by_id[entry_id] = states
    return by_id


def turns(states: Sequence[TrialState]) -> list[TrialState]:
    """Return the first state, and those in which the status or a date is another one."""
    turning: list[TrialState] = []
    for state in states:
        last = turning[-1] if turning else None
        if last is None or (state.status, state.dates) != (last.status, last.dates):
            turning.append(state)
    return turning


def _changed(fields: Mapping[str, str], changes: Sequence[Change]) -> dict[str, str]:
    return {**fields, **{change["what"]: str(change["after"]) for change in changes}}


def _state(
    observed_at: datetime, fields: Mapping[str, str], changes: Sequence[Change]
) -> TrialState:
    start, primary, completion = (
        _date(fields.get(name, "")) for name in ("Start", "Primary completion", "Completion")
    )
    return TrialState(observed_at, fields.get("Status", ""), start, primary, completion, changes)


def _date(text: str) -> TrialDate | None:
    day = day_of(text)
    return TrialDate(day, "(estimated)" in text, text) if day is not None else None
