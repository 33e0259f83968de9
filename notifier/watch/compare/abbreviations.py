"""Abbreviations: short forms in capitals that a text shows beside its words, or in their place.

Pure. "MS" says the same as "multiple sclerosis", and "(MS)" behind these words says nothing more.
Style guides differ in which of them a text shows. No abbreviation is listed here: its letters are
those of the words.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

# Words that may have no letter of their own in an abbreviation.
_SMALL_WORDS = frozenset(
    ("and", "of", "the", "for", "in", "on", "to", "und", "der", "die", "das", "des", "fur", "von",
     "de", "du", "la", "le", "les", "et", "en", "pour", "el", "los", "del", "y", "e", "di", "della",
     "per", "van", "voor", "do", "da", "a")
)  # fmt: skip
# In letters; in words of a long form, and in characters before an abbreviation in brackets. Chosen
# by hand; not measured.
_SHORTEST, _LONGEST, _MOST_WORDS, _LOOK_BACK = 2, 8, 12, 120
# Words of one side of an edit that is looked at, and abbreviations in it. Chosen by hand, for time.
_LONGEST_EDIT, _MOST_LOOKED_AT = 60, 5

_IN_BRACKETS = re.compile(r" ?[(\[]([^\W\d_](?:[^\W\d_]|[.&-](?=\w)){1,9}\.?)[)\]]")
_EXPLAINED = re.compile(r"(?<!\w)([^\W\d_]{2,9}) ?[(\[]([^()\[\]]{3,100})[)\]]")
_WORDS = re.compile(r"[^\W\d_]+")
_ONLY_WORDS = re.compile(r"[^\W\d_]+(?:[ '’/–-]{1,3}[^\W\d_]+)*")


class Written(Protocol):
    """A word as it is written, `Word` of `wording.py`."""

    @property
    def shown(self) -> str:
        """The word in its own letters."""


_Word = TypeVar("_Word", bound=Written)


def without_repeated(text: str) -> str:
    """Return a text without abbreviations in brackets behind, or before, the words they stand for.

    ``multiple sclerosis (MS)`` and ``MS (multiple sclerosis)`` lose what is in brackets. What
    stands behind the words stays: ``ARR (annualised relapse rate, 0.12)`` becomes ``ARR (0.12)``.
    """
    if "(" not in text and "[" not in text:
        return text
    text = _IN_BRACKETS.sub(_without_short_form, text)
    return _EXPLAINED.sub(_without_long_form, text)


def without_swapped(
    gone: Sequence[_Word], came: Sequence[_Word]
) -> tuple[list[_Word], list[_Word]]:
    """Return the words of an edit without short forms and the words in whose place they stand.

    Args:
        gone: the words that were removed.
        came: the words that stand in their place.
    """
    left, other = list(gone), list(came)
    if max(len(left), len(other)) > _LONGEST_EDIT:
        return left, other
    for short, long in ((left, other), (other, left)):
        for start, end, letters in list(_short_forms(short))[:_MOST_LOOKED_AT][::-1]:
            place = _long_form(letters, [word.shown for word in long])
            if place is not None:
                del short[start:end]
                del long[place[0] : place[1]]
    return left, other


def _without_short_form(bracket: re.Match[str]) -> str:
    letters = _letters(bracket[1])
    begin = max(0, bracket.start() - _LOOK_BACK)
    before = bracket.string[begin : bracket.start()].casefold()
    return "" if letters and _ends_with(before, letters) else bracket[0]


def _without_long_form(explained: re.Match[str]) -> str:
    letters = _letters(explained[1])
    spelt = _ONLY_WORDS.match(explained[2])
    words = _WORDS.findall(spelt[0])[: _MOST_WORDS + 1] if spelt else []
    if not letters or spelt is None or not _are_initials(letters, words):
        return explained[0]
    rest = explained[2][spelt.end() :].strip(" ,:;=")
    return f"{explained[1]} ({rest})" if rest else explained[1]


def _letters(word: str) -> str:
    """Return the letters of an abbreviation in small, without an s of the plural; else nothing."""
    bare = word.replace(".", "").replace("&", "").replace("-", "")
    if bare.endswith("s") and bare[:-1].isupper():
        bare = bare[:-1]
    if not _SHORTEST <= len(bare) <= _LONGEST or sum(map(str.isupper, bare)) < _SHORTEST:
        return ""
    return bare.casefold()


def _ends_with(before: str, letters: str) -> bool:
    """Return whether a text ends with words that hold these letters in their order.

    The first letter begins a word, and the words are two or more, and at most twice as many as the
    letters (Schwartz and Hearst, “A simple algorithm for identifying abbreviation definitions”,
    2003). Two letters must begin the words: a town may have its country behind it, ``(DE)``.
    """
    if len(letters) == _SHORTEST:
        return _are_initials(letters, _WORDS.findall(before)[-2:])
    place = len(before)
    for number, letter in reversed(list(enumerate(letters))):
        place = before.rfind(letter, 0, place)
        while number == 0 and place > 0 and before[place - 1].isalnum():
            place = before.rfind(letter, 0, place)
        if place < 0:
            return False
    return 2 <= len(_WORDS.findall(before[place:])) <= 2 * len(letters)


def _short_forms(words: Sequence[Written]) -> Iterator[tuple[int, int, str]]:
    """Yield the abbreviations among some words: where each begins and ends, and its letters."""
    start = 0
    while start < len(words):
        end = start + 1
        if _is_initial(words[start].shown):
            while end < len(words) and _is_initial(words[end].shown):
                end += 1
        letters = _letters("".join(word.shown for word in words[start:end]))
        if letters:
            yield start, end, letters
        start = end


def _is_initial(shown: str) -> bool:
    return len(shown) == 1 and shown.isupper()


def _long_form(letters: str, words: Sequence[str]) -> tuple[int, int] | None:
    """Return where the words begin and end of which these are the first letters; None if nowhere.

    Args:
        letters: in small letters.
        words: the words among which they are looked for.
    """
    for start, word in enumerate(words):
        if word[:1].casefold() != letters[0]:
            continue
        spelt = {0}
        for end in range(start, min(start + _MOST_WORDS, len(words))):
            spelt = _spelt_by(words[end], letters, spelt)
            if len(letters) in spelt and end > start:
                return start, end + 1
            if not spelt:
                break
    return None


def _are_initials(letters: str, words: Sequence[str]) -> bool:
    """Return whether these are the first letters of all these words."""
    spelt = {0}
    for word in words:
        spelt = _spelt_by(word, letters, spelt)
    return len(letters) in spelt


def _spelt_by(word: str, letters: str, spelt: Iterable[int]) -> set[int]:
    """Return how many of the letters may be spelt behind a word, by how many may be before it.

    A word has its first letter in an abbreviation; a short form in it has all of its letters; a
    small word may have none.
    """
    folded = word.casefold()
    behind: set[int] = set()
    for count in spelt:
        if letters[count : count + 1] == folded[:1]:
            behind.add(count + 1)
        if word.isupper() and letters.startswith(folded, count):
            behind.add(count + len(folded))
        if folded in _SMALL_WORDS:
            behind.add(count)
    return behind
