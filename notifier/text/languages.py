"""The language of a publisher's text, by its script and by its small words.

Owns the words. A mail in another language marks such a text with its language, so that a screen
reader pronounces it right (WCAG 2.2, 3.1.2). Pure.
"""

import re
from collections import Counter
from functools import lru_cache
from typing import Self

# Most publishers of trials, of papers and of news about them write English.
USUAL = "en"
# Characters that are read, words that must be found, and how many more of the best language than of
# the next. Chosen by hand; not measured.
_READ, _FEWEST, _LEAD = 1_000, 2, 1
_WORD = re.compile(r"[^\W\d_]+")

# Words that are frequent in one of these languages, each as far as possible in that one only.
_SMALL_WORDS = {
    code: frozenset(words.split())
    for code, words in {
        "en": (
            "the of and to with for from by was were is are that this which after not have has had "
            "been their its than into who first new on as at it an or but will may study trial"
        ),
        "de": (
            "der die das und den dem des ein eine einer eines zu mit auf für von ist im nicht auch "
            "wird bei nach wie über sich werden wurde sind oder zur zum aus durch eine studie"
        ),
        "fr": (
            "le la les des du et un une dans est pour que qui sur par avec au aux ce cette sont "
            "pas plus ou ont été chez étude l d"
        ),
        "es": (
            "el la los las del y un una en es para que con por se al lo como más su sus este esta "
            "fue son ha han o entre estudio ensayo"
        ),
        "it": (
            "il lo gli della delle dei degli e un una di che per con nel nella è sono dal dalla al "
            "alla più non anche studio ha"
        ),
        "nl": (
            "de het een van en in is dat op te zijn met voor niet aan er om ook bij werd worden "
            "als naar onderzoek"
        ),
        "pt": (
            "o os as da do das dos e um uma em é para que com por não mais no na nos nas foi são "
            "ao estudo"
        ),
    }.items()
}
_LANGUAGES_OF = {
    word: [code for code, small_words in _SMALL_WORDS.items() if word in small_words]
    for word in frozenset().union(*_SMALL_WORDS.values())
}
_SCRIPTS = tuple(
    (code, re.compile(f"[{characters}]"))
    for code, characters in (
        ("ja", r"\u3040-\u30ff"),
        ("ko", r"\uac00-\ud7af"),
        ("zh", r"\u4e00-\u9fff"),
        ("ru", r"\u0400-\u04ff"),
        ("ar", r"\u0600-\u06ff"),
        ("he", r"\u0590-\u05ff"),
        ("el", r"\u0370-\u03ff"),
    )
)
# The share of a text's letters that a script must have: a name in another script decides nothing.
# Chosen by hand; not measured.
_LEAST_SHARE = 0.2


@lru_cache(maxsize=1_000)
def guess(text: str) -> str:
    """Return the code of the language that a text is probably written in (ISO 639-1).

    A text that tells nothing, such as a short headline, counts as English. The texts of a digest
    are asked for in each edition and language, so the last answers are kept.
    """
    words = _WORD.findall(text[:_READ].lower())
    letters = "".join(words)
    if not letters.isascii():
        for code, script in _SCRIPTS:
            if len(script.findall(letters)) > _LEAST_SHARE * len(letters):
                return code
    counts = Counter(code for word in words for code in _LANGUAGES_OF.get(word, ()))
    (best, most), (_, next_most) = [*counts.most_common(2), ("", 0), ("", 0)][:2]
    return best if most >= _FEWEST and most >= next_most + _LEAD else USUAL


class ForeignText(str):
    """A text in another language than that of the mail or page around it.

    Args:
        text: the text.
        lang: the code of its language; empty where it is that of its surroundings.
    """

    __slots__ = ("lang",)

    lang: str

    def __new__(cls, text: str, lang: str) -> Self:
        """Return the text with its language."""
        foreign = super().__new__(cls, text)
        foreign.lang = lang
        return foreign


def foreign(text: str, lang: str, around: str) -> str:
    """Return a text that knows its language, unless it is the language around it."""
    return ForeignText(text, lang) if text and lang != around else text
