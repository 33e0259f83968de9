"""Tables and paragraphs for a person, laid out for the width of the terminal.

Owns the layout: short dates and hosts, texts that are cut at a word and never folded, columns that
are left out where there is no room. It lays out and prints nothing; text from outside is made
printable by `shared.py`, which prints it.
"""

import shutil
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from notifier.text.cleaning import one_printable_line

_GAP = 2
# The narrowest column of texts, in characters, and the widest paragraph. Chosen by hand.
_LEAST_TEXT, _WIDEST_PARAGRAPH = 18, 100
_FALLBACK_WIDTH = 80
# A text is cut at a word if so much of its room is used then. Chosen by hand.
_LEAST_SHARE = 0.6


class Kind(StrEnum):
    """The kind of a column's cells: how they are shortened.

    `plain`: shown whole. `text`: cut at a word. `time`: ISO 8601, shown to the minute in UTC.
    `day`: the same, shown as a day. `host`: an address of which the host is shown.
    """

    PLAIN = "plain"
    TEXT = "text"
    TIME = "time"
    DAY = "day"
    HOST = "host"


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        heading: its heading.
        kind: how its cells are shortened.
        drop: where there is no room, columns are left out: those with the highest number first;
            0 for never.
        field: the name of the field that it shows; empty if the heading is.
    """

    heading: str
    kind: Kind = Kind.PLAIN
    drop: int = 0
    field: str = ""

    @property
    def key(self) -> str:
        """The field that it shows."""
        return self.field or self.heading


class Table(NamedTuple):
    """A table as it is printed.

    Attributes:
        heading: its first line.
        lines: the others.
        left_out: the headings of the columns for which there was no room.
    """

    heading: str
    lines: Sequence[str]
    left_out: Sequence[str]


def width() -> int | None:
    """Return the width of the output: $COLUMNS, or that of the terminal; None in a pipe."""
    return shutil.get_terminal_size((0, 0)).columns or None


def short_time(moment: datetime | str | None) -> str:
    """Return a time to the minute in UTC, ``"2026-03-02 08:00"``; empty for None.

    Args:
        moment: a time, or one in ISO 8601; any other text is returned as it is.
    """
    parsed = _parsed(moment)
    return f"{parsed.astimezone(UTC):%Y-%m-%d %H:%M}" if parsed else str(moment or "")


def wrapped(text: str, indent: str = "") -> list[str]:
    """Return a paragraph in lines for the terminal, each indented; no word is broken."""
    line_width = min(width() or _FALLBACK_WIDTH, _WIDEST_PARAGRAPH)
    return textwrap.wrap(
        one_printable_line(text),
        line_width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [indent]


def laid_out(
    columns: Sequence[Column | str],
    rows: Sequence[Sequence[object]],
    room: int | None,
    ellipsis: str = "…",
) -> Table:
    """Lay a table out.

    Args:
        columns: the columns; a text is the heading of a plain one.
        rows: the cells; None is an empty one.
        room: the width of the terminal; None shows all columns with whole cells.
        ellipsis: the end of a text that is cut.
    """
    specs = [each if isinstance(each, Column) else Column(each) for each in columns]
    wide = room is None
    cells = [
        [_shown(value, spec.kind, wide=wide) for value, spec in zip(row, specs, strict=True)]
        for row in rows
    ]
    numeric = [all(isinstance(row[place], int) for row in rows) for place in range(len(specs))]
    kept = [
        place
        for place in range(len(specs))
        if wide or not specs[place].drop or any(row[place] not in ("", "0") for row in cells)
    ]
    left_out: list[str] = []
    widths = _widths(specs, cells, kept)
    while room is not None and not _fits(specs, kept, widths, room):
        optional = [place for place in kept if specs[place].drop]
        if not optional:
            break
        dropped = max(optional, key=lambda place: specs[place].drop)
        kept.remove(dropped)
        left_out.append(specs[dropped].heading)
    if room is not None:
        _shrink(specs, kept, widths, room)
    headings = [spec.heading for spec in specs]
    lines = [_line(row, kept, widths, numeric, ellipsis) for row in ([*headings], *cells)]
    return Table(lines[0], lines[1:], left_out)


def _parsed(moment: datetime | str | None) -> datetime | None:
    if isinstance(moment, datetime):
        return moment
    try:
        parsed = datetime.fromisoformat(moment or "")
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _shown(value: object, kind: Kind, *, wide: bool) -> str:
    text = "" if value is None else one_printable_line(str(value))
    if wide or not text:
        return text
    if kind is Kind.TIME:
        return short_time(text)
    if kind is Kind.DAY:
        return short_time(text)[:10]
    return _host(text) if kind is Kind.HOST else text


def _host(url: str) -> str:
    try:
        return (urlsplit(url).netloc or url).removeprefix("www.")
    except ValueError:
        return url


def _length(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    from rich.cells import cell_len

    return cell_len(text)


def _widths(
    specs: Sequence[Column], cells: Sequence[Sequence[str]], kept: Sequence[int]
) -> dict[int, int]:
    return {
        place: max([_length(specs[place].heading), *(_length(row[place]) for row in cells)])
        for place in kept
    }


def _is_text(spec: Column) -> bool:
    return spec.kind in (Kind.TEXT, Kind.HOST)


def _fits(specs: Sequence[Column], kept: Sequence[int], widths: dict[int, int], room: int) -> bool:
    """Return whether the columns fit when their texts are cut as far as they may be."""
    least = sum(
        min(widths[place], _LEAST_TEXT) if _is_text(specs[place]) else widths[place]
        for place in kept
    )
    return least + _GAP * (len(kept) - 1) <= room


def _shrink(
    specs: Sequence[Column], kept: Sequence[int], widths: dict[int, int], room: int
) -> None:
    """Narrow the columns of texts until all fit, the widest first."""
    texts = [place for place in kept if _is_text(specs[place])]
    excess = sum(widths[place] for place in kept) + _GAP * (len(kept) - 1) - room
    while excess > 0 and texts:
        widest = max(texts, key=lambda place: widths[place])
        if widths[widest] <= _LEAST_TEXT:
            return
        second = max((widths[each] for each in texts if each != widest), default=0)
        step = min(excess, max(1, widths[widest] - max(second, _LEAST_TEXT)))
        widths[widest] -= step
        excess -= step


def _line(
    row: Sequence[str],
    kept: Sequence[int],
    widths: dict[int, int],
    numeric: Sequence[bool],
    ellipsis: str,
) -> str:
    parts = []
    for place in kept:
        text = _cut(row[place], widths[place], ellipsis)
        padding = " " * max(0, widths[place] - _length(text))
        parts.append(f"{padding}{text}" if numeric[place] else f"{text}{padding}")
    return (" " * _GAP).join(parts).rstrip()


def _cut(text: str, room: int, ellipsis: str) -> str:
    """Return a text that takes at most so many columns, cut at a word if that leaves half of it."""
    if _length(text) <= room:
        return text
    from rich.cells import set_cell_size

    start = set_cell_size(text, max(0, room - len(ellipsis))).rstrip()
    head, space, _ = start.rpartition(" ")
    at_word = text[len(start) : len(start) + 1] in ("", " ")
    if space and not at_word and len(head) > len(start) * _LEAST_SHARE:
        start = head
    return start.rstrip(" ,;:") + ellipsis
