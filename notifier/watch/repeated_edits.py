"""The limits on edits of one entry that come again and again.

Pure. A tip of the day, a counter or a changing advertisement is no correction. The limits hold for
headlines, too. They were chosen by hand; not measured.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from notifier.store.models.sources import Change
from notifier.watch.diff import Difference
from notifier.watch.statements import Statement, sentences
from notifier.watch.text_changes import ALIKE, similarity

# After so many corrections within 30 days nothing is a correction.
MOST_CORRECTIONS_A_MONTH = 5
# In one place of a text, so many edits within 30 days are corrections: of a sentence that was
# edited, and of one that another sentence replaced.
_MOST_EDITS, _MOST_REPLACEMENTS = 3, 2
_MONTH = timedelta(days=30)


class Edition(Protocol):
    """An earlier state of the entry, a `Revision`.

    Attributes:
        material: whether it was news.
        held_because: empty unless it waits for a person.
        observed_at: when it was seen.
        changes: its differences from the state before.
    """

    material: bool
    held_because: str
    observed_at: datetime
    changes: list[Change]


def restrained(edit: Difference, editions: Sequence[Edition], now: datetime) -> Difference:
    """Return the edit without changes in places that were corrected too often lately.

    Args:
        edit: the edit.
        editions: the later states of the entry, without the first, the oldest first.
        now: when the edit was observed.

    Returns:
        The edit, as one that is not news if nothing else is left of it.
    """
    if not edit.material:
        return edit
    corrections = [
        edition
        for edition in editions
        if edition.material and not edition.held_because and now - edition.observed_at < _MONTH
    ]
    if len(corrections) >= MOST_CORRECTIONS_A_MONTH:
        return replace(edit, material=False, held_because="")
    earlier = [edition.changes for edition in reversed(corrections)]
    kept = tuple(change for change in edit.changes if not _is_repeated(change, earlier))
    if not kept:
        return replace(edit, material=False, held_because="")
    return replace(edit, changes=kept)


def _is_repeated(change: Change, earlier: Sequence[Sequence[Change]]) -> bool:
    """Return whether the text before a change came by an edit, that before it by another, …

    Args:
        change: a change.
        earlier: the changes of the corrections of the last 30 days, the newest first.
    """
    limit = _MOST_EDITS if _are_alike(change["before"], change["after"]) else _MOST_REPLACEMENTS
    before, times = change["before"], 0
    for changes in earlier:
        source = next(
            (
                one["before"]
                for one in changes
                if one["what"] == change["what"] and one["before"] and _meet(before, one["after"])
            ),
            "",
        )
        if source:
            before, times = source, times + 1
    return times >= limit


def _meet(text: str, other: str) -> bool:
    """Return whether two texts share a sentence, or are nearly one."""
    keys, others = ({Statement(one).key for one in sentences(side)} for side in (text, other))
    return bool(keys & others) or _are_alike(text, other)


def _are_alike(text: str, other: str) -> bool:
    return (
        bool(text and other)
        and similarity(*([word.key for word in Statement(side).words] for side in (text, other)))
        >= ALIKE
    )
