"""Terms: what a profile looks for, found in a text by one automaton over all profiles.

Owns what counts as a term's occurrence. Texts are searched in the layout of `match/spelling.py`, so
that the automaton itself keeps to whole words; slips of long names and names in other scripts are
looked up word by word. Neither costs more when there are more profiles.
"""

import re
import unicodedata
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ahocorasick_rs import AhoCorasick

from notifier.enums import TermKind
from notifier.match.spelling import Neighbours, layout
from notifier.text.cleaning import fold

Key = TypeVar("Key", bound=Hashable)

# Scripts that set no space between words: a term in them is found anywhere.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff66-\uff9f]")
_LETTER_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")
_LONGEST_CAPITALS = 5


@dataclass(frozen=True)
class TermSpec:
    """One term: its kind, the spelling it is shown by, and its other spellings."""

    kind: TermKind
    text: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hit:
    """A term found in a text.

    Attributes:
        spelling: the profile's own spelling that was found.
        count: how often it stands there.
        written: how the text writes it, where that is a slip or another script; else empty.
        acronym: whether it is a word of capitals that could mean something else.
    """

    term: TermSpec
    spelling: str
    count: int
    written: str = ""
    acronym: bool = False


class Vocabulary(Generic[Key]):
    """The terms of many profiles, ready to be looked for at once.

    Args:
        terms: the terms of each profile, by any key.
    """

    def __init__(self, terms: Mapping[Key, Sequence[TermSpec]]) -> None:
        owners: dict[str, dict[tuple[Key, TermSpec], str]] = {}
        names: dict[str, dict[tuple[Key, TermSpec], str]] = {}
        for key, specs in terms.items():
            for spec in specs:
                for spelling in (spec.text, *spec.also):
                    for pattern in _patterns(spelling, spec.kind):
                        owners.setdefault(pattern, {}).setdefault((key, spec), spelling)
                    if spec.kind is TermKind.NAME:
                        names.setdefault(fold(spelling), {}).setdefault((key, spec), spelling)
        self._owners = list(owners.values())
        self._automaton = AhoCorasick(list(owners)) if owners else None
        self._names = names
        self._neighbours = Neighbours(names, (pattern.strip() for pattern in owners))

    def find(self, text: str) -> dict[Key, list[Hit]]:
        """The hits in a text, by profile; a profile without one is not in the answer."""
        if self._automaton is None:
            return {}
        counts: dict[tuple[Key, TermSpec], tuple[str, int, str]] = {}
        laid_out = layout(text)
        for pattern, _start, _end in self._automaton.find_matches_as_indexes(
            laid_out, overlapping=True
        ):
            for owner, spelling in self._owners[pattern].items():
                first, count, _ = counts.get(owner, (spelling, 0, ""))
                counts[owner] = first, count + 1, ""
        for word, name in (
            *self._neighbours.misspellings(laid_out),
            *self._neighbours.transcriptions(laid_out),
        ):
            for owner, spelling in self._names[name].items():
                first, count, written = counts.get(owner, (spelling, 0, word))
                counts[owner] = first, count + 1, written
        found: dict[Key, list[Hit]] = {}
        for (key, spec), (spelling, count, written) in counts.items():
            acronym = _is_acronym(spelling, spec.kind)
            if not acronym or _stands_in_capitals(spelling, text):
                found.setdefault(key, []).append(Hit(spec, spelling, count, written, acronym))
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
    if (
        kind in (TermKind.CODE, TermKind.TRIAL)
        and (parted := _LETTER_DIGIT.sub(" ", folded)) != folded
    ):
        yield f" {parted} "


def _is_acronym(spelling: str, kind: TermKind) -> bool:
    """A trial's acronym, or a word of few capitals: in small letters it is a name or another word."""
    capitals = spelling.isalpha() and spelling.isupper() and spelling.isascii()
    return capitals and (kind is TermKind.TRIAL or len(spelling) <= _LONGEST_CAPITALS)


def _stands_in_capitals(acronym: str, text: str) -> bool:
    parts = r"[-\u2010\u2011]?".join(map(re.escape, acronym))
    return bool(re.search(rf"(?<!\w){parts}(?!\w)", unicodedata.normalize("NFKC", text)))
