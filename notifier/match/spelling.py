"""Spelling: the forms a name takes in a text, and how near a word is to it.

Pure. Owns the layout in which texts are searched, misspellings within one edit, and names written
in another script.
"""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator

from anyascii import anyascii
from rapidfuzz.distance import DamerauLevenshtein

from notifier.text.cleaning import fold

# A shorter name has too many honest neighbours.
SHORTEST_FUZZY = 8
_SHORTEST_SKELETON = 6
_LONGEST_ENDING = 2

_LATIN = re.compile(r"[a-z\u00c0-\u024f]")
# Japanese sets no spaces, but writes names in a script of their own.
_KATAKANA = re.compile(r"(?<=[^\W\u30a0-\u30ff])[\u30a0-\u30ff]+")
_LOOKALIKE_SCRIPT = re.compile(r"[\u0370-\u03ff\u0400-\u052f]")
# Letters of Cyrillic and Greek that look like Latin ones (Unicode TR 39, the ones that occur in
# words).
_LOOKALIKES = str.maketrans("авекмнорстухіјѕԁһӏαβεικνορτυχ", "abekmhopctyxijsdhlabeikvoptux")
_BROKEN_WORD = re.compile(r"(?<=[^\W\d_]{2})[-\u2010\u2011]\s+(?=[^\W\d_]{2})")
# Bounded on both sides, so that a page of letters without a space costs no more than its length.
_HYPHENATED = re.compile(r"(?<![^\W\d_])[^\W\d_]{1,40}(?:[-\u2010\u2011][^\W\d_]{1,40})+")


def layout(text: str) -> str:
    """The text as it is searched: ``" word word "``, folded.

    Entities are resolved, and look-alike letters of another script inside a Latin word become what
    they look like. Words that are broken at a line's end or written with a hyphen stand at the end
    once more, in one piece.
    """
    if "&" in text:
        text = html.unescape(text)
    text = unicodedata.normalize("NFKC", text)
    joined = [
        match.group().replace("-", "").replace("\u2010", "") for match in _HYPHENATED.finditer(text)
    ]
    mended = _BROKEN_WORD.sub("", text)
    if mended != text:
        known = set(text.split())
        joined += [word for word in mended.split() if word not in known]
    folded = fold(" \u2028 ".join((text, *joined)))
    if _LOOKALIKE_SCRIPT.search(folded):
        folded = " ".join(map(_in_one_script, folded.split(" ")))
    return f" {folded} "


def _in_one_script(word: str) -> str:
    """The word with its look-alikes made Latin, where it is a Latin word."""
    mixed = _LATIN.search(word) and _LOOKALIKE_SCRIPT.search(word)
    return word.translate(_LOOKALIKES) if mixed else word


class Neighbours:
    """Long names, and the words that can only be a slip of one of them.

    Args:
        names: folded names of one word; shorter ones are left out.
        known: words that are names themselves, whoever's: never a slip of another.
    """

    def __init__(self, names: Iterable[str], known: Iterable[str]) -> None:
        self._names = {
            name
            for name in names
            if len(name) >= SHORTEST_FUZZY and name.isascii() and name.isalpha()
        }
        self._known = frozenset(known) | self._names
        self._longest = max(map(len, self._names), default=0)
        self._by_part: dict[str, set[str]] = {}
        for name in self._names:
            for part in _parts(name):
                self._by_part.setdefault(part, set()).add(name)
        self._by_skeleton = {
            skeleton: name
            for name in sorted(self._names)
            if len(skeleton := skeleton_of(name)) >= _SHORTEST_SKELETON
        }
        self._skeleton_sizes = {len(skeleton) for skeleton in self._by_skeleton}

    def misspellings(self, laid_out: str) -> Iterator[tuple[str, str]]:
        """The words of a text that are a slip of a name, each with the name: one edit, or letters changed places."""
        for word, count in Counter(laid_out.split()).items():
            bare = _without_accents(word)
            fits = SHORTEST_FUZZY - 1 <= len(bare) <= self._longest + 1
            if not fits or not bare.isascii() or word in self._known:
                continue
            near = {name for part in _parts(bare) for name in self._by_part.get(part, ())}
            if name := next((one for one in sorted(near) if bare == one or is_slip(bare, one)), ""):
                yield from [(word, name)] * count

    def transcriptions(self, laid_out: str) -> Iterator[tuple[str, str]]:
        """The words in another script that sound like a name, each with the name."""
        if laid_out.isascii() or not self._by_skeleton:
            return
        foreign = [
            word for word in laid_out.split() if not word.isascii() and not _LATIN.search(word)
        ]
        for word, count in Counter((*foreign, *_KATAKANA.findall(laid_out))).items():
            skeleton = skeleton_of(word)
            for ending in range(_LONGEST_ENDING + 1):
                stem = skeleton[: len(skeleton) - ending]
                name = self._by_skeleton.get(stem) if len(stem) in self._skeleton_sizes else None
                if name and (not _SPELT_OUT.search(word) or _sounds_like(word, name)):
                    yield from [(word, name)] * count
                    break


def _without_accents(word: str) -> str:
    """The word with plain Latin letters: é is e."""
    if word.isascii():
        return word
    return "".join(
        char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char)
    )


def _parts(word: str) -> Iterator[str]:
    """What words one edit apart, or with letters that changed places, share.

    That is the word, what is left of it without each of its letters, and its letters in order.
    """
    yield word
    for index in range(len(word)):
        yield word[:index] + word[index + 1 :]
    yield f"{word[0]}*{''.join(sorted(word))}"


def is_slip(word: str, name: str) -> bool:
    """Whether a word is a name misspelt: one letter more, less or other, or two that changed places."""
    distance = DamerauLevenshtein.distance(word, name, score_cutoff=2)
    return distance == 1 or (distance == 2 and sorted(word) == sorted(name) and word[0] == name[0])


# Scripts that write every vowel and tell r from l: there more than the consonants has to agree.
_SPELT_OUT = re.compile(r"[\u0370-\u058f\u10a0-\u10ff]")
_SOUNDS = (("ph", "f"), ("mp", "p"), ("x", "ks"), ("sh", "s"), ("ch", "k"), ("ts", "s"))
_ALIKE = str.maketrans("bpfvrlszckqgdt", "pppprrsskkkktt")


def skeleton_of(word: str) -> str:
    """The consonants of a word as every script writes them: no vowels, no doubles, voiced and unvoiced as one."""
    consonants = re.sub(r"[^bcdfgklmnpqrstvz]", "", _sounds(word)).translate(_ALIKE)
    return re.sub(r"(.)\1+", r"\1", consonants)


def _sounds(word: str) -> str:
    sounds = anyascii(word).lower()
    for written, sound in _SOUNDS:
        sounds = sounds.replace(written, sound)
    return sounds


def _sounds_like(word: str, name: str) -> bool:
    return (
        DamerauLevenshtein.distance(_sounds(word), _sounds(name), score_cutoff=_LONGEST_ENDING)
        <= _LONGEST_ENDING
    )
