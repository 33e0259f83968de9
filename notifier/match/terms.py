"""Terms: the words that profiles look for, found in a text by one Aho-Corasick automaton.

Owns what counts as an occurrence of a term. Texts are searched in the normal form of
`match/spelling.py`, with a space around each word, so that the automaton finds whole words only.
Misspellings of long names and names in other scripts are looked up word by word. Neither costs more
when there are more profiles. The rules are listed in docs/matching.md, section 2.
"""

import re
import unicodedata
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ahocorasick_rs import AhoCorasick

from notifier.enums import TermKind
from notifier.match.spelling import NameVariants, normalize
from notifier.text.cleaning import fold

Key = TypeVar("Key", bound=Hashable)

# Thai, Japanese, Chinese and Korean: a term in a script that puts no space between words, or joins
# endings to them, is found anywhere in the text.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff66-\uff9f]")
_LETTER_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")
# In letters. Chosen by hand: same result from 2 to 8 on the labelled and the made-up set.
_LONGEST_ACRONYM = 5


@dataclass(frozen=True)
class TermSpec:
    """A term: its kind, the spelling that is shown, and its other spellings."""

    kind: TermKind
    text: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hit:
    """A term found in a text.

    Attributes:
        spelling: the spelling of the profile that was found.
        count: the number of occurrences.
        written: the word of the text if it is a misspelling or in another script; else empty.
        acronym: True for a word of capitals that could mean something else.
    """

    term: TermSpec
    spelling: str
    count: int
    written: str = ""
    acronym: bool = False


class Vocabulary(Generic[Key]):
    """The terms of many profiles, prepared for one common search.

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
        self._variants = NameVariants(names, (pattern.strip() for pattern in owners))

    def find(self, text: str) -> dict[Key, list[Hit]]:
        """Return the hits in a text, by profile; a profile without a hit is not in the answer."""
        if self._automaton is None:
            return {}
        counts: dict[tuple[Key, TermSpec], tuple[str, int, str]] = {}
        normalized = normalize(text)
        for pattern, _start, _end in self._automaton.find_matches_as_indexes(
            normalized, overlapping=True
        ):
            for owner, spelling in self._owners[pattern].items():
                first, count, _ = counts.get(owner, (spelling, 0, ""))
                counts[owner] = first, count + 1, ""
        for word, name in (
            *self._variants.misspellings(normalized),
            *self._variants.transcriptions(normalized),
        ):
            for owner, spelling in self._names[name].items():
                first, count, written = counts.get(owner, (spelling, 0, word))
                counts[owner] = first, count + 1, written
        hits: dict[Key, list[Hit]] = {}
        for (key, spec), (spelling, count, written) in counts.items():
            acronym = _is_acronym(spelling, spec.kind)
            if not acronym or _occurs_in_capitals(spelling, text):
                hits.setdefault(key, []).append(Hit(spec, spelling, count, written, acronym))
        return hits


def _patterns(spelling: str, kind: TermKind) -> Iterable[str]:
    """Yield the strings that the automaton looks for."""
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
        and (spaced := _LETTER_DIGIT.sub(" ", folded)) != folded
    ):
        yield f" {spaced} "


def _is_acronym(spelling: str, kind: TermKind) -> bool:
    """Return True for a spelling that counts only where the text writes it in capitals.

    That is an acronym of a trial, or a word of few capitals: in small letters it is another word.
    """
    capitals = spelling.isalpha() and spelling.isupper() and spelling.isascii()
    return capitals and (kind is TermKind.TRIAL or len(spelling) <= _LONGEST_ACRONYM)


def _occurs_in_capitals(acronym: str, text: str) -> bool:
    parts = r"[-\u2010\u2011]?".join(map(re.escape, acronym))
    return bool(re.search(rf"(?<!\w){parts}(?!\w)", unicodedata.normalize("NFKC", text)))
