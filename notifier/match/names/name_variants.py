"""Name variants: misspellings of long names, and names written in another script.

Owns how far a word may be from a name. A drug's name differs from every other by more than a slip
of the hand, and substance names (INN) are chosen so; where two do not, the bundled list of other
names decides (`match/names/substances.py`). Pure functions. The thresholds were chosen by hand and
checked on the labelled and the made-up set and on the bundled list (docs/matching.md, section 2).
"""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import cache

from anyascii import anyascii
from rapidfuzz import process
from rapidfuzz.distance import OSA

from notifier.match.names import substances
from notifier.match.names.endings import stems, without_accents

# In letters. A shorter name has too many similar words. Same result from 4 to 10 on both sets.
SHORTEST_FUZZY = 8
# In letters: from here on two edits are allowed. Checked on the bundled list: of its names 52 in
# 2,115 would be taken for another one if the list did not hold them.
_SHORTEST_TWO_EDITS = 12
# In consonants. Same result from 3 to 7 on both sets.
_SHORTEST_SKELETON = 6
# In consonants, for a grammatical ending. Chosen by hand: same result from 0 to 4 on both sets.
_LONGEST_ENDING = 2
# In letters, between two words that sound alike. Chosen by hand; not measured.
_MOST_SOUND_EDITS = 2
# In letters by which a respelling may be longer than the name: "um", "ph" for f, "ks" for x, an
# ending. Longer words are not compared. Chosen by hand; not measured.
_LONGEST_RESPELLING = 6
# In consonants, of a key of the index: shorter keys are shared by too many names. Chosen by hand,
# for speed.
_FEWEST_LEFT = 4
# In words: what was found for that many words is remembered. Chosen by hand, for memory.
_MOST_REMEMBERED = 50_000

_LATIN = re.compile(r"[a-z\u00c0-\u024f]")
# Japanese puts no spaces between words, but writes foreign names in a script of their own.
_KATAKANA = re.compile(r"[\u30a0-\u30ff]+")
_HANGUL = re.compile(r"[\uac00-\ud7af]")
# Articles, prepositions and "and", which Arabic and Hebrew join to the beginning of a word.
_PROCLITICS = re.compile(r"(?:[وف]?(?:[بك]?ال|لل|[بكل])|[وف]|[ושהבכלמ]{1,2})(?=\w{4})")
# Greek, Cyrillic, Armenian and Georgian write every vowel and tell r from l: there more than the
# consonants has to agree.
_SCRIPTS_WITH_VOWELS = re.compile(r"[\u0370-\u058f\u10a0-\u10ff]")
# Katakana has no syllables ti, tu and di of its own.
_SOUNDS_OF_KATAKANA = (("chi", "ti"), ("tsu", "tu"), ("ji", "di"))
_SOUNDS = (("ph", "f"), ("mp", "p"), ("x", "ks"), ("sh", "s"), ("ch", "k"), ("ts", "s"))
# Consonants that a transcription often swaps become one: b and p, r and l, s and z, …
_SIMILAR_CONSONANTS = str.maketrans("bpfvrlszckqgdt", "pppprrsskkkktt")
_REPEATED = re.compile(r"(.)\1+")

# Spellings of one sound, and what a scanner reads for m.
_SPELLINGS = (("ph", "f"), ("rn", "m"), ("ck", "k"), ("ch", "k"), ("qu", "kv"), ("th", "t"))
_SOUND_LETTERS = str.maketrans(
    {"x": "ks", "c": "k", "q": "k", "y": "i", "j": "i", "z": "s", "w": "v", "0": "o", "1": "l"}
)
_WITHOUT_VOWELS = str.maketrans("", "", "aeiouh")
# Letters as strokes: a scanner takes m for "in", n for "ri", l for 1.
_STROKES = str.maketrans({"l": "i", "1": "i", "m": "iii", "n": "ii", "u": "ii", "w": "vv"})
# For the index: vowels left out, one letter for the spellings of a sound.
_CONSONANTS = str.maketrans(
    {**dict.fromkeys("aeiouyhj0"), "x": "ks", "c": "k", "q": "k", "z": "s", "w": "v", "1": "l"}
)


class NameVariants:
    """Long names, and a search for their misspellings and transcriptions.

    Names are indexed by their consonants: a slip of the hand changes vowels, or one consonant or
    two. What the index finds is then compared letter by letter.

    Args:
        names: folded names of one word; names under 8 letters are left out.
        known: words that are never a misspelling: stored names, and those of the bundled list.
    """

    def __init__(self, names: Iterable[str], known: Container[str]) -> None:
        self._names = {
            name
            for name in names
            if len(name) >= SHORTEST_FUZZY and name.isascii() and name.isalpha()
        }
        self._known = known
        self._longest = max(map(len, self._names), default=0)
        # The names of a key are one string: lists, of which there would be very many, take longer.
        self._short_names: dict[str, str] = {}
        self._long_names: dict[str, str] = {}
        self._by_sound: dict[str, list[str]] = {}
        self._by_skeleton: dict[str, list[str]] = {}
        for name in sorted(self._names):
            is_long = len(name) >= _SHORTEST_TWO_EDITS
            by_consonants = self._long_names if is_long else self._short_names
            for key in set(_consonant_keys(name, two_edits=is_long)):
                others = by_consonants.get(key)
                by_consonants[key] = f"{others} {name}" if others else name
            if len(consonants := latin_skeleton(name)) >= _SHORTEST_SKELETON:
                self._by_sound.setdefault(consonants, []).append(name)
            if len(skeleton := skeleton_of(name)) >= _SHORTEST_SKELETON:
                self._by_skeleton.setdefault(skeleton, []).append(name)
        self._skeleton_sizes = {len(skeleton) for skeleton in self._by_skeleton}
        self._remembered: dict[str, str] = {}

    def misspellings(self, words: str, forms: AbstractSet[str]) -> Iterator[tuple[str, str]]:
        """Yield each misspelt word of a folded text with its name, once per occurrence.

        Args:
            words: the text.
            forms: words of it that are known to be a form of a name; they are left out.
        """
        if not self._names:
            return
        shortest, longest = SHORTEST_FUZZY - 1, self._longest + _LONGEST_RESPELLING
        remembered = self._remembered
        for word, count in Counter(words.split()).items():
            if not shortest <= len(word) <= longest:
                continue
            name = remembered.get(word)
            if name is None:
                if len(remembered) >= _MOST_REMEMBERED:
                    remembered.clear()
                name = remembered[word] = self._misspelt(word)
            if name and word not in forms:
                yield from [(word, name)] * count

    def _misspelt(self, word: str) -> str:
        """Return the name of which a word is a misspelling; empty if there is none."""
        bare = without_accents(word)
        if not bare.isascii():
            return ""
        may_sound_alike = _may_sound_like_a_name(bare)
        near = self._with_near_consonants(bare, of_any_length=may_sound_alike)
        if not near:
            return ""
        slips = process.extract(bare, near, scorer=OSA.distance, score_cutoff=2, limit=None)
        if not (slips or may_sound_alike) or word in self._known:
            return ""
        if bare in self._names:
            return bare
        candidates = {name for name, *_ in slips}
        if not may_sound_alike:
            return _nearest(bare, candidates)
        consonants = latin_skeleton(bare)
        candidates.update(self._by_sound.get(consonants, ()))
        return _nearest(bare, candidates) or self._misspelt_with_ending(bare, consonants)

    def _with_near_consonants(self, word: str, *, of_any_length: bool) -> list[str]:
        """Return the names of nearly the same consonants as a word; some of them repeatedly.

        Args:
            word: in ASCII letters.
            of_any_length: False for names that may be within two letters of the word's length.
        """
        two_edits = self._longest >= _SHORTEST_TWO_EDITS <= len(word) + 2
        keys = _consonant_keys(word, two_edits=two_edits)
        names: list[str] = []
        if of_any_length or len(word) < _SHORTEST_TWO_EDITS + 2:
            names += filter(None, map(self._short_names.get, keys))
        if of_any_length or two_edits:
            names += filter(None, map(self._long_names.get, keys))
        return " ".join(names).split()

    def _misspelt_with_ending(self, word: str, consonants: str) -> str:
        """Return the name that a word sounds like without the ending of a case."""
        sizes = range(len(consonants), max(_SHORTEST_SKELETON, len(consonants) - 2) - 1, -1)
        if not any(consonants[:size] in self._by_sound for size in sizes):
            return ""
        for stem in stems(word):
            names = self._by_sound.get(latin_skeleton(stem), ())
            if stem not in self._known and (name := _nearest(stem, names)):
                return name
        return ""

    def inside(self, word: str) -> Iterator[str]:
        """Yield the names that stand in a word without spaces, such as a hashtag."""
        for length in {len(name) for name in self._names if len(name) < len(word)}:
            for begin in range(len(word) - length + 1):
                if (part := word[begin : begin + length]) in self._names:
                    yield part

    def transcriptions(self, words: str) -> Iterator[tuple[str, str]]:
        """Yield each word in another script that sounds like a name, once per occurrence."""
        if words.isascii() or not self._by_skeleton:
            return
        for word, count in Counter(_foreign_words(words)).items():
            forms = [word, *stems(without_accents(word))]
            if proclitics := _PROCLITICS.match(word):
                forms.append(word[proclitics.end() :])
            name = next(filter(None, map(self._transcribed, forms)), "")
            if name:
                yield from [(word, name)] * count

    def _transcribed(self, word: str) -> str:
        """Return the name that a word in another script sounds like; empty if there is none."""
        skeleton = skeleton_of(word)
        # Korean joins particles and nouns of any length to a name.
        shortest = 0 if _HANGUL.match(word) else len(skeleton) - _LONGEST_ENDING
        for size in sorted(self._skeleton_sizes, reverse=True):
            if shortest <= size <= len(skeleton):
                for name in self._by_skeleton.get(skeleton[:size], ()):
                    if _is_transcription(word, name):
                        return name
        return ""


def _foreign_words(words: str) -> Iterator[str]:
    """Yield the words of a folded text in other scripts; in Japanese the parts in katakana."""
    for word in words.split():
        if not word.isascii():
            parts = _KATAKANA.findall(word)
            if parts or not _LATIN.search(word):
                yield from parts or [word]


def _consonant_keys(word: str, *, two_edits: bool) -> list[str]:
    """Return keys of which two words share one if their consonants are one edit apart, or two.

    The keys are the consonants, and what is left of them without any one, without the last two
    (which may belong to an ending), or without any two of which none is the first, if at least four
    are left.
    """
    consonants = word.replace("rn", "m").replace("ph", "f").translate(_CONSONANTS)
    size = len(consonants)
    shorter = [consonants[:index] + consonants[index + 1 :] for index in range(size)]
    keys = [consonants, consonants[:-2], *shorter]
    if two_edits and size >= _FEWEST_LEFT + 2:
        for index in range(1, size):
            one_less = shorter[index]
            keys += [one_less[:other] + one_less[other + 1 :] for other in range(index, size - 1)]
    return keys


def _nearest(word: str, names: Iterable[str]) -> str:
    """Return the nearest of the names of which a word is a misspelling; empty if there is none."""
    misspelt = [
        (edits, name)
        for name in names
        if (edits := edits_between(word, name)) is not None
        and not substances.is_nearer(word, name, edits, also_as_near=not _sounds_like(word, name))
    ]
    return min(misspelt, default=(0, ""))[1]


def edits_between(word: str, name: str) -> int | None:
    """Return by how many edits a word misspells a name; None if it is another word.

    A misspelling is one letter more, less or other, or two neighbours swapped; in a name of 12
    letters or more, two such edits; in any name two swapped letters, spellings of the same sound
    with at most two other vowels, and letters that look alike to a scanner. All but the first kind
    keep the first letter, because the names of two drugs differ at the beginning more often than
    at the end, and slips of the hand are rarest there.
    """
    edits = OSA.distance(word, name, score_cutoff=2)
    if edits <= 1:
        return edits
    sound, name_sound = latin_sound(word), latin_sound(name)
    if sound[:1] != name_sound[:1]:
        return None
    two_allowed = len(name) >= _SHORTEST_TWO_EDITS or sorted(word) == sorted(name)
    if edits == 2 and two_allowed:
        return 2
    if _strokes_of(word) == _strokes_of(name):
        return 1
    if _sounds_like(word, name):
        return OSA.distance(sound, name_sound)
    return None


def _sounds_like(word: str, name: str) -> bool:
    """Return True if two Latin words have the same consonants, and vowels of at most two edits."""
    consonants = latin_skeleton(name)
    if len(consonants) < _SHORTEST_SKELETON or latin_skeleton(word) != consonants:
        return False
    most = _MOST_SOUND_EDITS
    return OSA.distance(latin_sound(word), latin_sound(name), score_cutoff=most) <= most


def latin_sound(word: str) -> str:
    """Return a word of Latin letters with one spelling for each sound: x is ks, y is i."""
    for written, sound in _SPELLINGS:
        if written in word:
            word = word.replace(written, sound)
    return _REPEATED.sub(r"\1", word.translate(_SOUND_LETTERS))


def latin_skeleton(word: str) -> str:
    """Return the consonants of a word of Latin letters, as they sound, repeated ones once."""
    return _REPEATED.sub(r"\1", latin_sound(word).translate(_WITHOUT_VOWELS))


def _may_sound_like_a_name(word: str) -> bool:
    """Return False if a word of Latin letters has fewer consonants than the shortest skeleton.

    It is quicker than the skeleton: x and qu sound like two consonants, all others like one.
    """
    consonants = len(word.translate(_WITHOUT_VOWELS))
    return consonants + word.count("x") + word.count("qu") >= _SHORTEST_SKELETON


def _strokes_of(word: str) -> str:
    """Return a key that words share if a scanner may take one for the other."""
    return word.replace("rn", "m").replace("cl", "d").translate(_STROKES)


def skeleton_of(word: str) -> str:
    """Return the consonants of a word as every script writes them.

    Vowels and doubled letters are left out; consonants that transcriptions swap become one.
    """
    consonants = re.sub(r"[^bcdfgklmnpqrstvz]", "", _sounds(word)).translate(_SIMILAR_CONSONANTS)
    return _REPEATED.sub(r"\1", consonants)


def _sounds(word: str) -> str:
    sounds = anyascii(word).lower()
    of_katakana = _SOUNDS_OF_KATAKANA if _KATAKANA.search(word) else ()
    for written, sound in (*of_katakana, *_SOUNDS):
        sounds = sounds.replace(written, sound)
    return sounds


@cache
def _listed_by_skeleton() -> dict[str, list[str]]:
    listed: dict[str, list[str]] = {}
    for name in sorted(substances.names()):
        listed.setdefault(skeleton_of(name), []).append(name)
    return listed


def _is_transcription(word: str, name: str) -> bool:
    """Return True if a word in another script is a name with the same consonants.

    False if it is nearer to another name of the bundled list.
    """
    sounds = _sounds(word)
    edits = OSA.distance(sounds, _sounds(name))
    if _SCRIPTS_WITH_VOWELS.search(word) and edits > _MOST_SOUND_EDITS:
        return False
    others = _listed_by_skeleton().get(skeleton_of(name), ())
    return all(OSA.distance(sounds, _sounds(other)) >= edits for other in others if other != name)
