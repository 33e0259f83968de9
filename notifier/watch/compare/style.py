"""Style: the words of an edit that only say the same in another way.

Pure. Owns the phrases, short forms, places and words for people that may stand in the place of each
other. How a single word is written is a matter of `wording.py`. The lists were chosen by hand; not
measured.
"""

from notifier.watch.compare import abbreviations, numerals
from notifier.watch.compare.places import is_one_place
from notifier.watch.compare.wording import Word, glued

# Words that were removed, and words that stand in their place.
Span = tuple[tuple[Word, ...], tuple[Word, ...]]

# Phrases that style guides change for each other, without spaces.
_SAME_PHRASES = {
    "over": "morethan", "greaterthan": "morethan", "inexcessof": "morethan",
    "under": "lessthan", "fewerthan": "lessthan", "below": "lessthan",
}  # fmt: skip
# The German ending of women, and the endings of the same word for all.
_FEMININE, _COMMON_ENDINGS = "innen", ("", "e", "en", "n", "er", "ern")
# Digits of a reference mark that runs into a word, and letters of that word. Chosen by hand; not
# measured.
_LONGEST_MARK, _SHORTEST_MARKED = 2, 4


def without_style(span: Span) -> Span:
    """Return a span without words that only look different."""
    gone, came = span
    if gone and came and _say_the_same(gone, came):
        return (), ()
    removed, kept = abbreviations.without_swapped(gone, came)
    left = []
    for word in removed:
        same = next((other for other in kept if _is_same(word.key, other.key)), None)
        if same is None:
            left.append(word)
        else:
            kept.remove(same)
    return tuple(left), tuple(kept)


def _say_the_same(gone: tuple[Word, ...], came: tuple[Word, ...]) -> bool:
    phrases = {_SAME_PHRASES.get(phrase, phrase) for phrase in (glued(gone), glued(came))}
    return len(phrases) == 1 or is_one_place(gone, came)


def _is_same(word: str, other: str) -> bool:
    """Return whether two words are one day, a word with a reference mark, or for the same people.

    German writes Patienten, Patientinnen or Patient:innen for patients.
    """
    if numerals.is_date(word) and numerals.is_date(other):
        return numerals.same_date(word, other)
    if word.endswith(_FEMININE) or other.endswith(_FEMININE):
        stem, form = (word, other) if word.endswith(_FEMININE) else (other, word)
        stem = stem.removesuffix(_FEMININE)
        return (
            len(stem) > 2 and form.startswith(stem) and form.removeprefix(stem) in _COMMON_ENDINGS
        )
    shorter, longer = sorted((word, other), key=len)
    mark = longer[len(shorter) :]
    return (
        longer.startswith(shorter)
        and len(mark) <= _LONGEST_MARK
        and mark.isdecimal()
        and len(shorter) >= _SHORTEST_MARKED
        and shorter.isalpha()
    )
