"""Codes: code names and trial numbers whose digits are written in groups.

Owns how the parts of a code may be apart: "SAR 441 344", "NCT No. 06141473". Every digit has to
agree. How a code is written without groups is a matter of `match/terms.py`.
"""

import re
from collections.abc import Iterable, Iterator

# Words between the letters and the digits of a number, folded.
_LINKS = frozenset(
    ("no", "nr", "n", "num", "number", "numero", "número", "numéro", "nummer", "nº", "id", "ids",
     "identifier", "code", "reg", "registration", "номер")
)  # fmt: skip
_LETTERS_AND_DIGITS = re.compile(r"([a-z]{2,8})([0-9]{3,16})")
_DIGITS = re.compile(r"[0-9]+(?: [0-9]+)*")
# In digits. A longer number is no code. Chosen by hand; not measured.
_MOST_DIGITS = 16
_LONGEST_PREFIX = 8
# What follows a dose or a number of people: the digits before it are no part of a code.
_UNIT = re.compile(r" (?:mg|g|kg|µg|μg|mcg|ml|l|iu|weeks?|months?|patients|people|participants)\b")


class GroupedCodes:
    """Codes of letters and digits, and a search for them where the digits stand in groups.

    Args:
        codes: folded spellings; those that are not letters followed by digits are left out.
    """

    def __init__(self, codes: Iterable[str]) -> None:
        self._spellings: dict[str, str] = {}
        for code in codes:
            joined = code.replace(" ", "")
            if _LETTERS_AND_DIGITS.fullmatch(joined):
                self._spellings.setdefault(joined, code)
        self._prefixes = {joined.rstrip("0123456789") for joined in self._spellings}

    def find(self, words: str) -> Iterator[str]:
        """Yield each code in a folded text whose digits are in groups or behind "No.".

        A code that is in one piece, or has one space before its digits, is not among them.
        """
        if not self._spellings:
            return
        for digits in _DIGITS.finditer(words):
            prefix, linked = _prefix_before(words, digits.start())
            if prefix in self._prefixes:
                following = words[digits.end() : digits.end() + 20]
                code = self._code_of(prefix, digits[0].split(" "), following, linked=linked)
                if code:
                    yield code

    def _code_of(
        self, prefix: str, groups: list[str], following: str, *, linked: bool
    ) -> str | None:
        """Return the code that the letters and the first groups of digits make.

        Digits behind it could be a part of a longer code, unless they are an amount.
        """
        if following[:1] not in ("", " "):
            return None
        joined = prefix
        for index, group in enumerate(groups):
            joined += group
            if len(joined) > len(prefix) + _MOST_DIGITS:
                return None
            if joined in self._spellings and (index or linked):
                rest = groups[index + 1 :]
                is_whole = not rest or (len(rest) == 1 and _UNIT.match(following))
                return self._spellings[joined] if is_whole else None
        return None


def _prefix_before(words: str, start: int) -> tuple[str, bool]:
    """Return the letters to which the digits at an index belong; True if a link is between."""
    before = words[max(0, start - 60) : start]
    if before[-1:] != " ":
        return before.rpartition(" ")[2], False
    parts = before.split(" ")[:-1]
    linked = False
    while parts and parts[-1] in _LINKS:
        parts.pop()
        linked = True
    return (parts[-1] if parts else ""), linked
