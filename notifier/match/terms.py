"""Terms: the words that profiles look for, found in a text by one Aho-Corasick automaton.

Owns what counts as an occurrence of a term. Texts are searched in the normal form of
`names/spelling.py`, with a space around each word, so that the automaton finds whole words only; of
a name it finds the beginning of a word, too, and `names/endings.py` decides about the rest.
Misspellings of long names and names in other scripts are looked up word by word
(`names/name_variants.py`), grouped codes number by number (`names/codes.py`). None of these costs
more when there are more profiles. The rules are listed in docs/matching.md, section 2.
"""

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from ahocorasick_rs import AhoCorasick

from notifier.enums import TermKind
from notifier.match.names import substances
from notifier.match.names.acronyms import is_acronym, occurs_as_a_trial, occurs_in_capitals
from notifier.match.names.codes import GroupedCodes
from notifier.match.names.endings import SHORTEST_STEM, may_follow
from notifier.match.names.name_variants import NameVariants
from notifier.match.names.spelling import SearchText, search_text
from notifier.text.cleaning import fold

Key = TypeVar("Key", bound=Hashable)

# Thai, Japanese, Chinese and Korean: a term in a script that puts no space between words, or joins
# endings to them, is found anywhere in the text.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff66-\uff9f]")
_CODES = (TermKind.CODE, TermKind.TRIAL)
_HYPHEN = re.compile("(?<=[^\\W_])[-\u2010-\u2015](?=[^\\W_])")
_LETTER_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")
# In letters, of each word of a name that may be written as one. Chosen by hand; not measured.
_LONG_WORD = 5
# Hashtags are looked into for names; at most so many of one text. Chosen by hand, for time.
_HASHTAG = re.compile(r"#([^\W_]{8,80})")
_MOST_HASHTAGS = 200


@dataclass(frozen=True, slots=True)
class TermSpec:
    """A term: its kind, the spelling that is shown, and its other spellings."""

    kind: TermKind
    text: str
    also: tuple[str, ...] = ()


class _KnownWords:
    """Words that are never a misspelling: what the profiles name, and the bundled list.

    The list is long: it is not copied for each vocabulary.
    """

    def __init__(self, named: Iterable[str]) -> None:
        self._named = frozenset(named)

    def __contains__(self, word: object) -> bool:
        return word in self._named or word in substances.names()


@dataclass(frozen=True, slots=True)
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


# A profile and a term that look for a string, with the spelling in the profile.
_Owner = tuple[Key, TermSpec, str]
# Of each spelling that was found: how often, and the word of the text if it is spelt another way.
_Counts = dict[_Owner[Key], tuple[int, str]]


class Vocabulary(Generic[Key]):
    """The terms of many profiles, prepared for one common search.

    Args:
        terms: the terms of each profile, by any key.
    """

    def __init__(self, terms: Mapping[Key, Sequence[TermSpec]]) -> None:
        owners: dict[str, list[_Owner[Key]]] = {}
        names: dict[str, list[_Owner[Key]]] = {}
        codes: dict[str, list[_Owner[Key]]] = {}
        for key, specs in terms.items():
            for spec in dict.fromkeys(specs):
                for spelling in (spec.text, *spec.also):
                    folded = fold(spelling)
                    owner = key, spec, spelling
                    for pattern in _patterns(spelling, spec.kind):
                        _note_owner(owners, pattern, owner)
                    if spec.kind is TermKind.NAME:
                        _note_owner(names, _joined(folded), owner)
                    elif spec.kind in _CODES:
                        _note_owner(codes, folded, owner)
        self._owners = list(owners.values())
        self._automaton = AhoCorasick(list(owners)) if owners else None
        # A pattern that ends inside a word is the beginning of forms of a name.
        self._open = [pattern[0] == " " != pattern[-1] for pattern in owners]
        self._open_names = {
            pattern.strip(): number for number, pattern in enumerate(owners) if self._open[number]
        }
        self._known = _KnownWords(pattern.strip() for pattern in owners)
        self._names = names
        self._codes = codes
        self._variants = NameVariants(names, self._known)
        self._grouped = GroupedCodes(codes)

    def find(self, text: str) -> dict[Key, list[Hit]]:
        """Return the hits in a text, by profile; a profile without a hit is not in the answer."""
        if self._automaton is None:
            return {}
        searched = search_text(text)
        counts: _Counts[Key] = {}
        forms: set[str] = set()
        for owners in self._exact(searched, forms):
            for owner in owners:
                count, _ = counts.get(owner, (0, ""))
                counts[owner] = count + 1, ""
        for word, name in (
            *self._variants.misspellings(searched.words, forms),
            *self._variants.transcriptions(searched.words),
        ):
            for owner in self._names[name]:
                count, written = counts.get(owner, (0, word))
                counts[owner] = count + 1, written
        return _hits(counts, searched.cased)

    def _exact(self, searched: SearchText, forms: set[str]) -> Iterator[list[_Owner[Key]]]:
        """Yield the owners of each occurrence of a term that is spelt as the profile spells it.

        The words that are a name with an ending are added to `forms`.
        """
        assert self._automaton is not None
        words = searched.words
        # Other readings of words count only for what the text itself does not name.
        own_patterns: set[int] = set()
        named: set[_Owner[Key]] = set()
        for pattern, start, end in self._automaton.find_matches_as_indexes(words, overlapping=True):
            own = start < searched.own_end
            if self._open[pattern] and words[end] != " ":
                rest = words[end : words.index(" ", end)]
                word = words[words.rindex(" ", 0, end) + 1 : end] + rest
                if not own or word in self._known or not may_follow(rest):
                    continue
                forms.add(word)
            owners = self._owners[pattern]
            if own:
                own_patterns.add(pattern)
                named.update(owners)
            else:
                owners = [owner for owner in owners if owner not in named]
            yield owners
        for code in self._grouped.find(words):
            yield self._codes[code]
        if "#" in searched.cased:
            for hashtag in _HASHTAG.findall(searched.cased)[:_MOST_HASHTAGS]:
                for name in self._variants.inside(hashtag.casefold()):
                    if self._open_names.get(name) not in own_patterns:
                        yield self._names[name]


def _hits(counts: _Counts[Key], cased: str) -> dict[Key, list[Hit]]:
    """Return the hits by profile; an acronym counts only where the text means it.

    Args:
        counts: of each spelling of each term that was found.
        cased: the text in its own capitals.
    """
    in_capitals: dict[str, bool] = {}
    hits: dict[Key, dict[TermSpec, Hit]] = {}
    doubtful: list[tuple[Key, Hit]] = []
    for (key, spec, spelling), (count, written) in counts.items():
        acronym = is_acronym(spelling, spec.kind)
        hit = Hit(spec, spelling, count, written, acronym)
        if acronym and spelling not in in_capitals:
            in_capitals[spelling] = occurs_in_capitals(spelling, cased)
        if not acronym or in_capitals[spelling]:
            _add(hits.setdefault(key, {}), hit)
        elif spec.kind is TermKind.TRIAL:
            doubtful.append((key, hit))
    for key, hit in doubtful:
        others = hits.get(key, {})
        in_context = any(term.kind is not TermKind.TRIAL for term in others)
        if occurs_as_a_trial(hit.spelling, cased, in_context=in_context):
            _add(hits.setdefault(key, {}), hit)
    return {key: list(by_term.values()) for key, by_term in hits.items()}


def _add(by_term: dict[TermSpec, Hit], hit: Hit) -> None:
    """Add a hit; hits of several spellings of one term become one, with the first spelling."""
    first = by_term.get(hit.term)
    if first is not None:
        hit = replace(
            first,
            count=first.count + hit.count,
            written=first.written and hit.written,
            acronym=first.acronym and hit.acronym,
        )
    by_term[hit.term] = hit


def _note_owner(owners: dict[str, list[_Owner[Key]]], searched: str, owner: _Owner[Key]) -> None:
    """Add the owner of a string, once for each term: its first spelling with this string counts."""
    others = owners.get(searched)
    if others is None:
        owners[searched] = [owner]
    elif others[-1][:2] != owner[:2]:
        others.append(owner)


def _patterns(spelling: str, kind: TermKind) -> Iterable[str]:
    """Return the strings that the automaton looks for.

    A spelling with digits is looked for without its hyphens, too: IL-17A, IL17A.
    """
    forms = [fold(spelling)]
    if not spelling.isascii():
        searched = search_text(spelling)
        forms.append(searched.words[1 : searched.own_end])
    if kind is TermKind.NAME:
        forms.append(_joined(forms[0]))
    if _HYPHEN.search(spelling) and any(map(str.isdecimal, spelling)):
        forms.append(fold(_HYPHEN.sub("", spelling)))
    return {pattern for form in forms if form for pattern in _patterns_of_form(form, kind)}


def _joined(folded: str) -> str:
    """Return a name of several long words as one word, as some languages write it.

    Dimethyl fumarate is dimethylfumarat in German. Every other name is returned as it is.
    """
    words = folded.split(" ")
    is_long = all(len(word) >= _LONG_WORD and word.isalpha() and word.isascii() for word in words)
    return "".join(words) if is_long else folded


def _patterns_of_form(form: str, kind: TermKind) -> Iterator[str]:
    if _UNSPACED.search(form):
        yield form
    elif kind is TermKind.NAME and len(form) >= SHORTEST_STEM and form[-1].isalpha():
        yield f" {form}"
    else:
        yield f" {form} "
        # A hyphen or a space may stand before the digits: SAR441344, SAR-441344.
        if not form.isalpha():
            yield f" {_LETTER_DIGIT.sub(' ', form)} "
