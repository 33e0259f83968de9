"""The limits on edits of one entry that come again and again.

Pure. A tip of the day, a counter or a changing advertisement is no correction. The limits hold for
headlines, too. They were chosen by hand; not measured.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from notifier.store.models.sources import Change
from notifier.watch.compare.diff import Difference, State, text_of
from notifier.watch.compare.edit_distance import ALIKE, similarity
from notifier.watch.compare.statements import Statement, sentences

# After so many corrections within 30 days nothing is a correction.
MOST_CORRECTIONS_A_MONTH = 5
# In one place of a text, so many edits within 30 days are corrections: of a sentence that was
# edited, and of one that another sentence replaced.
_MOST_EDITS, _MOST_REPLACEMENTS = 3, 2
_MONTH = timedelta(days=30)
# A sentence that stood so long before it was edited is no counter.
_SETTLED = timedelta(days=7)


class Edition(Protocol):
    """An earlier state of the entry, a `Revision`.

    Attributes:
        material: whether it was news.
        held_because: empty unless it waits for a person.
        observed_at: when it was seen.
        changes: its differences from the state before.
        title: its headline.
        summary: its teaser.
        body: its text.
        content: its structured content.
    """

    material: bool
    held_because: str
    observed_at: datetime
    changes: list[Change]
    title: str
    summary: str
    body: str
    content: dict[str, Any]


def restrained(edit: Difference, editions: Sequence[Edition], now: datetime) -> Difference:
    """Return the edit without changes in places that were corrected too often lately.

    Args:
        edit: the edit.
        editions: the states of the entry so far, the oldest first.
        now: when the edit was observed.

    Returns:
        The edit, as one that is not news if nothing else is left of it.
    """
    if not edit.material or edit.held_because:
        return edit
    corrections = [
        edition
        for edition in editions[1:]
        if edition.material and not edition.held_because and now - edition.observed_at < _MONTH
    ]
    if len(corrections) >= MOST_CORRECTIONS_A_MONTH:
        return replace(edit, material=False)
    if len(corrections) < _MOST_REPLACEMENTS:
        return edit
    first = editions.index(corrections[0]) - 1
    states = [_state(edition) for edition in (editions[first], *corrections, editions[-1])]
    kept = tuple(
        change
        for change in edit.changes
        if not _is_repeated(
            change, states, [correction for state in corrections for correction in state.changes]
        )
        or _had_settled(change, editions, now)
    )
    return replace(edit, changes=kept) if kept else replace(edit, material=False)


def _is_repeated(change: Change, states: Sequence[State], corrections: Sequence[Change]) -> bool:
    """Return whether a change is one of many in a place whose text does not last.

    Args:
        change: the change.
        states: those of the last 30 days in which something was corrected, and the newest.
        corrections: what was corrected in these 30 days.
    """
    what = change["what"]
    its_keys = _keys(change["before"]) or _keys(change["after"])
    present = [_keys_of(state, what) for state in states]
    lasted = all(its_keys <= keys for keys in present)
    is_known = any(its_keys & keys for keys in present)
    if not its_keys or lasted or not is_known:
        return False
    is_edited = _are_alike(change["before"], change["after"])
    passing = [
        correction
        for correction in corrections
        if correction["what"] == what
        and (not is_edited or _are_alike(correction["after"], change["before"]))
        and (_keys(correction["after"]) & its_keys or not _keys(correction["after"]) <= present[-1])
    ]
    return len(passing) >= (_MOST_EDITS if is_edited else _MOST_REPLACEMENTS)


def _had_settled(change: Change, editions: Sequence[Edition], now: datetime) -> bool:
    """Return whether a sentence was edited that had stood for a week: a dose that rose again."""
    its_keys = _keys(change["before"])
    if not its_keys or not _are_alike(change["before"], change["after"]):
        return False
    for edition in reversed(editions):
        if not its_keys <= _keys_of(_state(edition), change["what"]):
            return False
        if now - edition.observed_at >= _SETTLED:
            return True
    return False


def _state(edition: Edition) -> State:
    return State(title=edition.title, text=edition.body or edition.summary, content=edition.content)


def _keys_of(state: State, what: str) -> set[str]:
    """Return the statements of a state that may be in a change of this part of it."""
    if what == "headline":
        return _keys(state["title"])
    return {statement.key for statement in text_of(state).statements}


def _keys(text: str) -> set[str]:
    """Return the statements of a text, without those that were cut when they were stored."""
    return {
        Statement(sentence).key
        for sentence in sentences(text)
        if not sentence.endswith("…") and not sentence.startswith("…")
    }


def _are_alike(text: str, other: str) -> bool:
    words = ([word.key for word in Statement(side).words] for side in (text, other))
    return bool(text and other) and similarity(*words) >= ALIKE
