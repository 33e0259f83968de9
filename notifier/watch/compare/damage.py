"""Characters that were lost on the way: the sign that stands for them, and their repair.

Pure. A decoder writes U+FFFD for bytes that belong to no character (Unicode 15, 23.8).
"""

from typing import Protocol

_LOST = "\ufffd"


class Texts(Protocol):
    """The texts of an observation or a revision."""

    @property
    def title(self) -> str:
        """The headline."""

    @property
    def summary(self) -> str:
        """The teaser."""

    @property
    def body(self) -> str:
        """The text."""


def is_damaged(state: Texts) -> bool:
    """Return whether characters of a state were lost."""
    return any(_LOST in text for text in (state.title, state.summary, state.body))


def is_repair(damaged: Texts, state: Texts) -> bool:
    """Return whether a state is a damaged one with its lost characters, and nothing else."""
    if not is_damaged(damaged) or is_damaged(state):
        return False
    pairs = (
        (damaged.title, state.title),
        (damaged.summary, state.summary),
        (damaged.body, state.body),
    )
    return all(_fits(before, after) for before, after in pairs)


def _fits(damaged: str, text: str) -> bool:
    """Return whether texts are equal but for lost characters, word by word."""
    before, after = damaged.split(), text.split()
    return len(before) == len(after) and all(
        earlier == later or (_LOST in earlier and _fits_word(earlier, later))
        for earlier, later in zip(before, after, strict=True)
    )


def _fits_word(damaged: str, word: str) -> bool:
    parts = damaged.split(_LOST)
    start, end = parts[0], parts[-1]
    return word.startswith(start) and word[len(start) :].endswith(end)
