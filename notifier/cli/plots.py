"""Small plots of plain characters, a row for each series. It lays out and prints nothing."""

from collections.abc import Sequence

# From nothing to the highest; for terminals that can show blocks, and for those that cannot.
BLOCKS = "▁▂▃▄▅▆▇█"
ASCII = "_.-:=+*#"


def row(values: Sequence[float | None], levels: str = BLOCKS) -> str:
    """Return a plot of one line: a character for each value, from 0 to the highest.

    A value that is not 0 is never shown as 0; an unknown one is a space.

    Args:
        values: none below 0.
        levels: the characters, from 0 to the highest.
    """
    highest = max((value for value in values if value is not None), default=0)
    return "".join(
        " " if value is None else levels[_level(value, highest, len(levels) - 1)]
        for value in values
    )


def _level(value: float, highest: float, top: int) -> int:
    if value <= 0 or highest <= 0:
        return 0
    return min(top, max(1, round(value / highest * top)))


def gathered(values: Sequence[int | None], size: int, *, last: bool = False) -> list[int | None]:
    """Return the sums of so many values each, or with `last` the last of them; the newest whole.

    The first group may be smaller. A group in which nothing is known is unknown.
    """
    first = len(values) % size
    starts = [*([0] if first else []), *range(first, len(values), size)]
    groups = [values[start : start + (first if first and not start else size)] for start in starts]
    known = [[value for value in group if value is not None] for group in groups]
    return [(group[-1] if last else sum(group)) if group else None for group in known]
