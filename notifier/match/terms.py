"""Terms: what a profile looks for, found in a text by one automaton over all profiles.

Owns spellings. Texts and terms are compared in their folded form (`notifier.text.fold`), laid out as
``" word word "``, so that the automaton itself keeps to whole words.
"""

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ahocorasick_rs import AhoCorasick

from notifier.store.statuses import TermKind
from notifier.text import fold

Key = TypeVar("Key", bound=Hashable)

# Scripts that set no space between words: a term in them is found anywhere.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff66-\uff9f]")
_LETTER_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")


@dataclass(frozen=True)
class TermSpec:
    """One term: its kind, the spelling it is shown by, and its other spellings."""

    kind: TermKind
    text: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hit:
    """A term found in a text: as the profile spells it, and how often it stands there."""

    term: TermSpec
    spelling: str
    count: int


class Vocabulary(Generic[Key]):
    """The terms of many profiles, ready to be looked for at once.

    Args:
        terms: the terms of each profile, by any key.
    """

    def __init__(self, terms: Mapping[Key, Sequence[TermSpec]]) -> None:
        owners: dict[str, list[tuple[Key, TermSpec, str]]] = {}
        for key, specs in terms.items():
            for spec in specs:
                for spelling in (spec.text, *spec.also):
                    for pattern in _patterns(spelling, spec.kind):
                        owners.setdefault(pattern, []).append((key, spec, spelling))
        self._owners = list(owners.values())
        self._automaton = AhoCorasick(list(owners)) if owners else None

    def find(self, text: str) -> dict[Key, list[Hit]]:
        """The hits in a text, by profile; a profile without one is not in the answer."""
        if self._automaton is None:
            return {}
        counts: dict[tuple[Key, TermSpec], tuple[str, int]] = {}
        laid_out = f" {fold(text)} "
        for pattern, _start, _end in self._automaton.find_matches_as_indexes(laid_out, overlapping=True):
            for key, spec, spelling in self._owners[pattern]:
                first, count = counts.get((key, spec), (spelling, 0))
                counts[key, spec] = first, count + 1
        found: dict[Key, list[Hit]] = {}
        for (key, spec), (spelling, count) in counts.items():
            found.setdefault(key, []).append(Hit(spec, spelling, count))
        return found


def _patterns(spelling: str, kind: TermKind) -> Iterable[str]:
    folded = fold(spelling)
    if not folded:
        return
    if _UNSPACED.search(folded):
        yield folded
        return
    yield f" {folded} "
    # A code may be written with a hyphen or a space before its digits: SAR441344, SAR-441344.
    if kind in (TermKind.CODE, TermKind.TRIAL) and (parted := _LETTER_DIGIT.sub(" ", folded)) != folded:
        yield f" {parted} "
