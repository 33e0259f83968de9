"""Refusals: the errors of a wrong profile file, with the line and the fix.

Owns the words that are too short or too common for a term, and how a value's line is found. It
reads no file and stores nothing.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

from pydantic import ValidationError

from notifier.enums import TermKind
from notifier.errors import ProfileError
from notifier.match.profile_file import TermPart
from notifier.text.cleaning import fold

# The kinds that decide a tier by themselves: a short or common word there would match everything.
_DECIDING = (TermKind.NAME, TermKind.CODE, TermKind.TRIAL, TermKind.TARGET, TermKind.CLASS)
# In letters, of a spelling in Latin script. Chosen by hand; not measured.
_SHORTEST = 4
# Words of most texts on medicine: alone they identify nothing. Collected by hand.
_COMMON_WORDS = frozenset(
    ("antibody", "biologic", "clinical", "clinical trial", "clinical trials", "cure", "disease",
     "doctor", "doctors", "dose", "drug", "drugs", "health", "infusion", "injection", "medication",
     "medicine", "multiple sclerosis", "new drug", "news", "patient", "patients", "phase",
     "phase 2", "phase 3", "placebo", "research", "results", "sclerosis", "side effects",
     "studies", "study", "symptoms", "tablet", "test", "therapies", "therapy", "treatment",
     "treatments", "trial", "trials", "vaccine")
)  # fmt: skip


class Breadth(StrEnum):
    """Why a spelling would match almost everything."""

    COMMON = "common"
    SHORT = "short"


def _line_of(text: str, path: Sequence[str | int]) -> str:
    """Return ``, line 12``, the line of a key as far as it can be found; else an empty string.

    Args:
        text: the TOML document.
        path: of the key, as pydantic gives it: names, and numbers of tables from 0.
    """
    lines = text.splitlines()
    start = 0
    index = path[1] if len(path) > 1 else None
    if isinstance(index, int):
        header = rf"\s*\[\[\s*{re.escape(str(path[0]))}\s*\]\]"
        headers = [number for number, line in enumerate(lines) if re.match(header, line)]
        if index < len(headers):
            start = headers[index]
    key = re.escape(str(path[-1] if len(path) > 1 and start else path[0]))
    with_key = (
        number
        for number, line in enumerate(lines[start:], start + 1)
        if re.match(rf"\s*[\"']?{key}[\"']?\s*=", line)
    )
    number = next(with_key, start + 1 if start else 0)
    return f", line {number}" if number else ""


def refusal(error: ValidationError, place: str, text: str) -> ProfileError:
    """Return the error for the first value that is wrong."""
    first = error.errors()[0]
    place += _line_of(text, first["loc"])
    path = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return ProfileError(
            f"{place}: there is no key {path}.", "See docs/profiles.md for the keys there are."
        )
    problem = first["msg"].removeprefix("Value error, ")
    if first["type"] == "string_pattern_mismatch":
        problem = "give lower-case letters, digits and hyphens"
    value = "" if first["type"] == "missing" else f" = {first['input']!r}"
    return ProfileError(
        f"{place}: {path}{value}: {problem}.", f"Correct {path} and import it again."
    )


def refuse_too_broad(text: str, number: int, term: TermPart, place: str) -> None:
    """Refuse a term that would match almost everything.

    Args:
        text: the TOML document.
        number: of the term in it, from 0.
        term: its values.
        place: the name of the file.

    Raises:
        ProfileError: a spelling is too short or too common for the kind of the term.
    """
    for spelling in (term.text, *term.also):
        breadth = breadth_of(term.kind, spelling)
        if breadth is None:
            continue
        place += f"{_line_of(text, ('terms', number, 'text'))}, term {number + 1}"
        if breadth is Breadth.COMMON:
            raise ProfileError(
                f"{place}: {spelling!r} of the kind {term.kind} would match almost everything.",
                "Give a name that only the therapy has, or the kind indication, which never "
                "matches alone.",
            )
        raise ProfileError(
            f"{place}: {spelling!r} is too short for the kind {term.kind}: it would match "
            "almost everything.",
            "Give a longer name, or the kind indication, which never matches alone.",
        )


def breadth_of(kind: TermKind, spelling: str) -> Breadth | None:
    """Return why a spelling would match almost everything; None if it would not."""
    if kind not in _DECIDING:
        return None
    folded = fold(spelling)
    if folded in _COMMON_WORDS:
        return Breadth.COMMON
    return Breadth.SHORT if len(folded) < _SHORTEST and folded.isascii() else None
