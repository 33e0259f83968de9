"""Spelling: the forms that a name takes in a text.

Normal form of a text for the search, misspellings within one edit, and names written in another
script. Pure functions. The thresholds were chosen by hand and checked on the labelled and the
made-up set (docs/matching.md, section 2).
"""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator

from anyascii import anyascii
from rapidfuzz.distance import DamerauLevenshtein

from notifier.text.cleaning import fold

# In letters. A shorter name has too many similar words. Same result from 4 to 10 on both sets.
SHORTEST_FUZZY = 8
# In consonants. Same result from 3 to 7 on both sets.
_SHORTEST_SKELETON = 6
# In consonants, for a grammatical ending. Chosen by hand: same result from 0 to 4 on both sets.
_LONGEST_ENDING = 2
# Between a transcription and the name, in letters. Chosen by hand; not measured.
_MOST_SOUND_EDITS = 2

_LATIN = re.compile(r"[a-z\u00c0-\u024f]")
# Japanese puts no spaces between words, but writes foreign names in a script of their own.
_KATAKANA = re.compile(r"(?<=[^\W\u30a0-\u30ff])[\u30a0-\u30ff]+")
_LOOKALIKE_SCRIPT = re.compile(r"[\u0370-\u03ff\u0400-\u052f]")
# Letters of Cyrillic and Greek that look like Latin ones (Unicode TR 39, those that occur in
# words).
_LOOKALIKES = str.maketrans("авекмнорстухіјѕԁһӏαβεικνορτυχ", "abekmhopctyxijsdhlabeikvoptux")
_BROKEN_WORD = re.compile(r"(?<=[^\W\d_]{2})[-\u2010\u2011]\s+(?=[^\W\d_]{2})")
# Limited on both sides, so that a page of letters without a space costs no more than its length.
_HYPHENATED = re.compile(r"(?<![^\W\d_])[^\W\d_]{1,40}(?:[-\u2010\u2011][^\W\d_]{1,40})+")

# Greek, Cyrillic, Armenian and Georgian write every vowel and tell r from l: there more than the
# consonants has to agree.
_SCRIPTS_WITH_VOWELS = re.compile(r"[\u0370-\u058f\u10a0-\u10ff]")
_SOUNDS = (("ph", "f"), ("mp", "p"), ("x", "ks"), ("sh", "s"), ("ch", "k"), ("ts", "s"))
# Consonants that a transcription often swaps become one: b and p, r and l, s and z, …
_SIMILAR_CONSONANTS = str.maketrans("bpfvrlszckqgdt", "pppprrsskkkktt")


def normalize(text: str) -> str:
    """Return the text in the form that is searched: ``" word word "``, folded.

    Entities are resolved. Look-alike letters of another script inside a Latin word become the
    letters that they look like. Words that are broken at the end of a line or written with a
    hyphen are appended once more, in one piece.
    """
    if "&" in text:
        text = html.unescape(text)
    text = unicodedata.normalize("NFKC", text)  # also turns U+2011 into U+2010
    joined = [
        match.group().replace("-", "").replace("\u2010", "") for match in _HYPHENATED.finditer(text)
    ]
    rejoined = _BROKEN_WORD.sub("", text)
    if rejoined != text:
        known = set(text.split())
        joined += [word for word in rejoined.split() if word not in known]
    folded = fold(" \u2028 ".join((text, *joined)))
    if _LOOKALIKE_SCRIPT.search(folded):
        folded = " ".join(map(_without_lookalikes, folded.split(" ")))
    return f" {folded} "


def _without_lookalikes(word: str) -> str:
    """Return the word with its look-alikes made Latin if it has Latin letters, too."""
    mixed = _LATIN.search(word) and _LOOKALIKE_SCRIPT.search(word)
    return word.translate(_LOOKALIKES) if mixed else word


class NameVariants:
    """Long names, and a search for their misspellings and transcriptions.

    Args:
        names: folded names of one word; names under 8 letters are left out.
        known: words that are a stored name of any therapy: never a misspelling of another.
    """

    def __init__(self, names: Iterable[str], known: Iterable[str]) -> None:
        self._names = {
            name
            for name in names
            if len(name) >= SHORTEST_FUZZY and name.isascii() and name.isalpha()
        }
        self._known = frozenset(known) | self._names
        self._longest = max(map(len, self._names), default=0)
        self._by_key: dict[str, set[str]] = {}
        for name in self._names:
            for key in _edit_keys(name):
                self._by_key.setdefault(key, set()).add(name)
        self._by_skeleton = {
            skeleton: name
            for name in sorted(self._names)
            if len(skeleton := skeleton_of(name)) >= _SHORTEST_SKELETON
        }
        self._skeleton_sizes = {len(skeleton) for skeleton in self._by_skeleton}

    def misspellings(self, normalized: str) -> Iterator[tuple[str, str]]:
        """Yield each misspelt word of a normalized text with its name, once per occurrence."""
        for word, count in Counter(normalized.split()).items():
            bare = _without_accents(word)
            fits = SHORTEST_FUZZY - 1 <= len(bare) <= self._longest + 1
            if not fits or not bare.isascii() or word in self._known:
                continue
            near = {name for key in _edit_keys(bare) for name in self._by_key.get(key, ())}
            for name in sorted(near):
                if bare == name or is_misspelling(bare, name):
                    yield from [(word, name)] * count
                    break

    def transcriptions(self, normalized: str) -> Iterator[tuple[str, str]]:
        """Yield each word in another script that sounds like a name, once per occurrence."""
        if normalized.isascii() or not self._by_skeleton:
            return
        foreign = [
            word for word in normalized.split() if not word.isascii() and not _LATIN.search(word)
        ]
        for word, count in Counter((*foreign, *_KATAKANA.findall(normalized))).items():
            skeleton = skeleton_of(word)
            for ending in range(_LONGEST_ENDING + 1):
                stem = skeleton[: len(skeleton) - ending]
                name = self._by_skeleton.get(stem) if len(stem) in self._skeleton_sizes else None
                if name and (not _SCRIPTS_WITH_VOWELS.search(word) or _sounds_like(word, name)):
                    yield from [(word, name)] * count
                    break


def _without_accents(word: str) -> str:
    """Return the word with plain Latin letters: é becomes e."""
    if word.isascii():
        return word
    return "".join(
        char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char)
    )


def _edit_keys(word: str) -> Iterator[str]:
    """Yield keys of which two words share one if they are one edit or a change of places apart.

    The keys are the word, the word without each of its letters, and its letters in order.
    """
    yield word
    for index in range(len(word)):
        yield word[:index] + word[index + 1 :]
    yield f"{word[0]}*{''.join(sorted(word))}"


def is_misspelling(word: str, name: str) -> bool:
    """Return True if a word is a name with one letter more, less or other, or two swapped."""
    distance = DamerauLevenshtein.distance(word, name, score_cutoff=2)
    return distance == 1 or (distance == 2 and sorted(word) == sorted(name) and word[0] == name[0])


def skeleton_of(word: str) -> str:
    """Return the consonants of a word as every script writes them.

    Vowels and doubled letters are left out; consonants that transcriptions swap become one.
    """
    consonants = re.sub(r"[^bcdfgklmnpqrstvz]", "", _sounds(word)).translate(_SIMILAR_CONSONANTS)
    return re.sub(r"(.)\1+", r"\1", consonants)


def _sounds(word: str) -> str:
    sounds = anyascii(word).lower()
    for written, sound in _SOUNDS:
        sounds = sounds.replace(written, sound)
    return sounds


def _sounds_like(word: str, name: str) -> bool:
    distance = DamerauLevenshtein.distance(
        _sounds(word), _sounds(name), score_cutoff=_MOST_SOUND_EDITS
    )
    return distance <= _MOST_SOUND_EDITS
