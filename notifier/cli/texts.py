"""Texts that a command reads from a file or from standard input."""

from pathlib import Path

from notifier.cli import shared


def text_at(place: str, largest: int) -> str:
    """Read a text from a file, or from standard input where the place is ``-``.

    Args:
        place: a path, ``-``, or empty: then there is no text.
        largest: the most bytes.

    Raises:
        InputError: it cannot be read, is not a regular file, or is too large.
    """
    if not place:
        return ""
    content = (
        shared.standard_input(largest) if place == "-" else shared.file_bytes(Path(place), largest)
    )
    return content.decode("utf-8", "replace")
