"""The edit that most entries of a document share: a new theme of the site, not a correction.

Pure. A site that changes its theme changes all its texts at once. What most of them share is left
out of each, and the rest is judged as usual. An edit that is news only by what is left out is held
for a person.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import TypeVar

from notifier.enums import HeldBecause
from notifier.watch.compare import headlines, trial_changes
from notifier.watch.compare.diff import Difference, State, compare, text_of
from notifier.watch.compare.text_changes import Shared, edits, swap_of, unmatched

_Value = TypeVar("_Value", bound=Hashable)

# Fewer changed entries are judged one by one.
FEWEST = 5
# Entries of a long document in which the shared edit is looked for, evenly spread. Chosen by hand,
# for speed; not measured.
_LOOKED_AT = 200


def judged(
    states: Sequence[tuple[State, State]], differences: Sequence[Difference], listed: int
) -> list[Difference]:
    """Return the differences of a document's changed entries, without the edit that most share.

    Args:
        states: the earlier and the later state of each changed entry.
        differences: their whole differences.
        listed: how many entries the document lists.
    """
    if len(states) < FEWEST or len(states) * 2 <= listed:
        return list(differences)
    shared = shared_edit(states[:: -(-len(states) // _LOOKED_AT)])
    return [
        without_shared(old, new, difference, shared)
        for (old, new), difference in zip(states, differences, strict=True)
    ]


def shared_edit(states: Sequence[tuple[State, State]]) -> Shared:
    """Return the edit that more than half of some changed entries share.

    Args:
        states: the earlier and the later state of each.
    """
    added: Counter[str] = Counter()
    removed: Counter[str] = Counter()
    for old, new in states:
        before, after = unmatched(text_of(old), text_of(new))
        removed.update({statement.template for statement in before})
        added.update({statement.template for statement in after})
    most = len(states) // 2
    of_texts = Shared(_common(added, most), _common(removed, most))
    swaps: Counter[tuple[str, str]] = Counter()
    fields: Counter[tuple[str, str, str]] = Counter()
    for old, new in states:
        swaps.update(_swaps(old, new, of_texts))
        fields.update(_fields(old, new))
    return replace(of_texts, swaps=_common(swaps, most), fields=_common(fields, most))


def without_shared(old: State, new: State, whole: Difference, shared: Shared) -> Difference:
    """Return a difference without the edit that most entries share.

    Args:
        old: the earlier state.
        new: the later state.
        whole: their whole difference.
        shared: the shared edit.

    Returns:
        What is left, if it is news. Else the whole: held, if it was news only by the shared edit.
    """
    rest = compare(old, new, shared)
    if rest.material or not whole.material:
        return replace(rest, material=rest.material and whole.material)
    return replace(whole, held_because=HeldBecause.MASS_EDIT)


def _common(counts: Counter[_Value], most: int) -> frozenset[_Value]:
    return frozenset(value for value, count in counts.items() if count > most)


def _swaps(old: State, new: State, shared: Shared) -> set[tuple[str, str]]:
    """Return the words that were replaced in a headline and in edited statements."""
    of_headline = headlines.spans(old["title"], new["title"])
    of_text = [span for edit in edits(text_of(old), text_of(new), shared) for span in edit.spans]
    return {swap_of(span) for span in (*of_headline, *of_text)}


def _fields(old: State, new: State) -> set[tuple[str, str, str]]:
    if "fields" not in new["content"]:
        return set()
    changes = trial_changes.changes_of(old["content"], new["content"])
    return {edit for change in changes if (edit := trial_changes.edit_of(change))}
