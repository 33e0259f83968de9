"""Substances: names of other medicines, and ordinary words, that must not be taken for a name.

Owns the bundled list `substances.txt` and the question which of its names is nearest to a word. It
knows no profile and no text.
"""

from functools import cache
from importlib.resources import files

from rapidfuzz import process
from rapidfuzz.distance import OSA


@cache
def names() -> frozenset[str]:
    """Return the names of the bundled list, in small letters."""
    text = (files("notifier") / "match" / "names" / "substances.txt").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(name for line in lines for name in line.split())


@cache
def _names_of_length(shortest: int, longest: int) -> tuple[str, ...]:
    return tuple(sorted(name for name in names() if shortest <= len(name) <= longest))


def is_nearer(word: str, name: str, edits: int, *, also_as_near: bool) -> bool:
    """Return True if another name of the list is nearer to a word than the given name is.

    Args:
        word: a word that may be a misspelling of the name.
        name: left out of the comparison.
        edits: the distance of word and name.
        also_as_near: True if another name at the same distance counts, too.
    """
    most = edits if also_as_near else edits - 1
    if most < 1:
        return False
    others = _names_of_length(len(word) - most, len(word) + most)
    nearest = process.extract(word, others, scorer=OSA.distance, score_cutoff=most, limit=2)
    return any(other != name for other, *_ in nearest)
