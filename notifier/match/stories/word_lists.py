"""Word lists: values of words, some of which are known by their beginning only.

Owns how the lists of `event_words.py` and `event_names.py` are written and looked up, and the form
of words in them: small letters without accents. It knows no word itself.
"""

from collections.abc import Iterable
from typing import Generic, TypeVar

from notifier.text.cleaning import fold

Value = TypeVar("Value")

_WITHOUT_ACCENT = str.maketrans(
    "àáâãäåāăąçćčďèéêëēėęěìíîïīłñńňòóôõöøōőřśšťùúûüūůűýÿžźż",
    "aaaaaaaaacccdeeeeeeeeiiiiilnnnoooooooorsstuuuuuuuyyzzz",
)
# In letters: no beginning of a word in the lists is shorter or longer.
_SHORTEST_STEM, _LONGEST_STEM = 3, 14


def plain(text: str) -> str:
    """Return the folded text without accents."""
    return without_accents(fold(text))


def without_accents(text: str) -> str:
    """Return a text of small letters with Latin letters that carry no accents."""
    return text if text.isascii() else text.translate(_WITHOUT_ACCENT)


class Words(Generic[Value]):
    """The values of words, some of them known by their beginning.

    Args:
        lists: for each value its words, separated by spaces.
    """

    def __init__(self, lists: Iterable[tuple[Value, str]]) -> None:
        self._exact: dict[str, list[Value]] = {}
        self._stems: dict[str, list[Value]] = {}
        for value, words in lists:
            for word in words.split():
                stem = word.removesuffix("*")
                known = self._exact if stem == word else self._stems
                known.setdefault(stem, []).append(value)
        # Most words begin like none of them.
        self._beginnings = {stem[:_SHORTEST_STEM] for stem in self._stems}

    def of(self, word: str) -> list[Value]:
        """Return the values of a word; the longest beginning that is known decides."""
        if word in self._exact:
            return self._exact[word]
        if word[:_SHORTEST_STEM] not in self._beginnings:
            return []
        for length in range(min(len(word), _LONGEST_STEM), _SHORTEST_STEM - 1, -1):
            values = self._stems.get(word[:length])
            if values is not None:
                return values
        return []


def words(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())
