"""Spelling: the normal form of a text, in which terms are searched.

Owns what separates two words and what does not: signs and marks behind a name, invisible
characters, letters of different scripts side by side, words that are broken or run together. It
knows no terms. Pure functions; each works in time proportional to the length of the text.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from notifier.text.cleaning import fold_normal, normal_form

_LATIN = re.compile(r"[a-z\u00c0-\u024f]")
_LOOKALIKE_SCRIPT = re.compile(r"[\u0370-\u03ff\u0400-\u052f]")
# Letters of Cyrillic and Greek that look like Latin ones (Unicode TR 39, those that occur in
# words), and the small capitals of the phonetic alphabet, which people use for ornament.
_LOOKALIKES = str.maketrans(
    "авекмнорстухіјѕԁһӏαβεικνορτυχᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ",
    "abekmhopctyxijsdhlabeikvoptuxabcdefghijklmnoprstuvwyz",
)
# Greek letters that names write in letters, too: interferon β-1a, TGF-β. Germans also
# write ß for β.
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "κ": "kappa",
    "λ": "lambda", "ω": "omega",
}  # fmt: skip
_SHARP_S_ALONE = re.compile(r"(?<![^\W\d_])ß(?![^\W\d_])")
_GREEK_ALONE = re.compile(r"(?<![^\W\d_])([αβγδεκλω])(?![^\W\d_])")
_GREEK_JOINED = re.compile(r"(?<![^\W_])([A-Za-z]{2,20})([αβγδεκλω])(?![^\W\d_])(\d{0,2}[a-z]?\b)")
_SMALL_CAPITALS = re.compile("[ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ]")

# Signs of trade and service marks; the normal form NFKC would make letters of some of them.
_TRADE_MARKS = re.compile("[\u2120\u2122\u00a9\u00ae\u1d39\u1d40\u1d3f\U0001f16a-\U0001f16c]+")
# Raised digits and letters behind a word: marks of a reference or a note. The normal form NFKC
# would put them on the line.
_RAISED_SIGNS = (
    r"\u00aa\u00b2\u00b3\u00b9\u00ba\u02b0-\u02b8\u02e0-\u02e4\u1d2c-\u1d6a\u2070-\u207f"
)
_RAISED = re.compile(rf"(?<=[^\W_])(?<![{_RAISED_SIGNS}])(?=[{_RAISED_SIGNS}])")
# Invisible characters: soft hyphen, joiners, fillers, variation selectors.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u180b-\u180f\u200b-\u200f\u2060-\u2064\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\U000e0100-\U000e01ef]+"
)
# A zero-width space may also part two words, in Thai or where a line may end.
_BESIDE_ZERO_WIDTH_SPACE = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z0-9]{4,60}(?=\u200b)|(?<=\u200b)[A-Za-z0-9]{4,60}"
)
# Hebrew, Arabic, the scripts of India, Thai, Lao, Tibetan, Burmese, Georgian, Korean, Ethiopic,
# Khmer, Japanese, Chinese: they put a Latin name into a text without a space around it, or join
# their own particles to it. Cyrillic and Greek are not among them: their letters are mistaken for
# Latin ones inside words.
_OTHER_SCRIPTS = (
    r"\u0590-\u1368\u1780-\u17ff\u3005-\u312f\u31f0-\u31ff\u3400-\u9fff\ua960-\ua97f"
    r"\uac00-\ud7ff\uf900-\ufaff\ufb1d-\ufdff\ufe70-\ufefc\uff66-\uffdc\U00020000-\U0003ffff"
)
_CHANGE_OF_SCRIPT = re.compile(
    rf"(?<=[a-zA-Z0-9])(?=[{_OTHER_SCRIPTS}])|(?<=[{_OTHER_SCRIPTS}])(?=[a-zA-Z0-9])"
)
# A Latin word with an ending in Cyrillic or Greek letters.
_FOREIGN_ENDING = re.compile(r"(?<!\w)[A-Za-z]{5,40}(?=[\u0370-\u052f]{1,4}(?!\w))")

_HYPHENS = "-\u2010\u2011"
_HYPHENATED = re.compile(rf"(?<![^\W\d_])[^\W\d_]{{1,40}}(?:[{_HYPHENS}][^\W\d_]{{1,40}})+")
_BEFORE_A_BREAK = re.compile(rf"[^\W\d_]{{2}}[{_HYPHENS}]\Z")
_AFTER_A_BREAK = re.compile(r"[^\W\d_]{2}")
# A word that runs into the next one, which begins with a capital, and such a next word:
# "DrugPhase3", "TeamDrug", "DRUGtrial". Names have at least five letters.
_RUNS_ON = re.compile(
    r"(?<![a-z])[A-Z]?[a-z]{4,40}+(?=[A-Z])"
    r"|(?<=[A-Za-z0-9])[A-Z][a-z]{4,40}+(?![a-z])"
    r"|(?<![A-Z])[A-Z]{5,40}+(?=[a-z]{2}|[0-9])"
)
# Letters with spaces between them: "D R U G N A M E". Fewer are initials or a list.
_FEWEST_SPACED = 6


@dataclass(frozen=True)
class SearchText:
    """A text in its normal form.

    Attributes:
        cased: the text in NFKC, with spaces where the script changes, in its own capitals.
        words: ``" word word "``, folded: the text itself, and then other readings of some of its
            words (a broken word in one piece, a compound in parts).
        own_end: the index in `words` at which the text itself ends.
    """

    cased: str
    words: str
    own_end: int


def normalize(text: str) -> str:
    """Return the words of the normal form of a text, ``" word word "``; see `SearchText`."""
    return search_text(text).words


def search_text(text: str) -> SearchText:
    """Return the normal form of a text.

    Entities are resolved. Trade marks and invisible characters are removed, marks of references
    are parted from the word before them. Look-alike letters of another script inside a Latin word
    become the letters that they look like. Further readings are appended: words that are broken at
    the end of a line or written with a hyphen, in one piece; words that run together, in parts.
    """
    if "&" in text:
        text = html.unescape(text)
    readings: list[str] = []
    if not text.isascii():
        text = _TRADE_MARKS.sub(" ", text)
        text = _RAISED.sub(" ", text)
        if "\u200b" in text:
            readings += _BESIDE_ZERO_WIDTH_SPACE.findall(text)
        text = normal_form(_INVISIBLE.sub("", text))
        if not text.isascii():
            text = _SHARP_S_ALONE.sub("β", text)
            text = _CHANGE_OF_SCRIPT.sub(" ", text)
            readings += _FOREIGN_ENDING.findall(text)
            readings += map(_with_greek_letter, _GREEK_JOINED.finditer(text))
    own = _plain_letters(fold_normal(text))
    readings += _other_readings(text)
    other = _plain_letters(fold_normal(" ".join(readings))) if readings else ""
    return SearchText(text, f" {own} {other} " if other else f" {own} ", len(own) + 1)


def _other_readings(text: str) -> Iterator[str]:
    """Yield other readings of the words of a text in NFKC."""
    words = text.split()
    letters = 0
    for index, word in enumerate(words):
        if len(word) == 1 and word.isalpha():
            letters += 1
            continue
        if letters >= _FEWEST_SPACED:
            yield "".join(words[index - letters : index])
        letters = 0
        if "-" in word or "\u2010" in word:
            for match in _HYPHENATED.finditer(word):
                yield match[0].replace("-", "").replace("\u2010", "")
            if _BEFORE_A_BREAK.search(word):
                following = words[index + 1] if index + 1 < len(words) else ""
                if _AFTER_A_BREAK.match(following):
                    yield word[:-1] + following
        if not word.islower():
            yield from _RUNS_ON.findall(word)
    if letters >= _FEWEST_SPACED:
        yield "".join(words[len(words) - letters :])


def _plain_letters(folded: str) -> str:
    """Return a folded text with Latin letters in place of their look-alikes."""
    if folded.isascii():
        return folded
    # The capital I with a dot of Turkish becomes i and a mark when it is folded.
    folded = folded.replace("i\u0307", "i")
    if _LOOKALIKE_SCRIPT.search(folded):
        folded = _GREEK_ALONE.sub(lambda letter: f"{_GREEK[letter[1]]} ", folded)
        folded = " ".join(folded.split())
    if _LOOKALIKE_SCRIPT.search(folded) or _SMALL_CAPITALS.search(folded):
        folded = " ".join(map(_without_lookalikes, folded.split(" ")))
    return folded


def _with_greek_letter(word: re.Match[str]) -> str:
    """Return ``TNF alpha`` for ``TNFα``."""
    return f"{word[1]} {_GREEK[word[2]]} {word[3]}"


def _without_lookalikes(word: str) -> str:
    """Return the word with its look-alikes made Latin if it has Latin letters, too."""
    if word.isascii():
        return word
    mixed = _SMALL_CAPITALS.search(word) or (_LATIN.search(word) and _LOOKALIKE_SCRIPT.search(word))
    return word.translate(_LOOKALIKES) if mixed else word
