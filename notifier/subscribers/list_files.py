"""List files: subscribers as CSV or JSON Lines, one line for each subscription.

Reads the lines of a list by our columns, and writes lists. `list_text` knows the text of such
files, `list_headings` the columns. Nothing of the database is known here.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import TextIO

from notifier.errors import InputError
from notifier.subscribers import list_text
from notifier.subscribers.list_headings import (
    COLUMNS,
    EXPORT_COLUMNS,
    Headings,
    headings_of,
    said_by_name,
    without,
)

__all__ = ["COLUMNS", "EXPORT_COLUMNS", "PROBLEM", "count", "read", "said_by_name", "write"]

# The key under which `read` reports a line that it cannot read.
PROBLEM = "problem"

# The beginning of a cell that a spreadsheet would run as a formula (OWASP, CSV injection); some
# read the wide forms of the signs likewise. With apostrophes before it, so that one more can be
# taken away again.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_MOST_IGNORED = 1000
# The most columns of one name that are told apart. Chosen by hand; not measured.
_MOST_OF_A_NAME = 20
# A line that tells a spreadsheet program the separator.
_SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?\s*")


def read(
    file: TextIO,
    *,
    json_lines: bool,
    renamed: Mapping[str, str] | None = None,
    file_says: str = "",
    ignored: list[str] | None = None,
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the lines of a list, each as its number in the file and its cells by our columns.

    A line that cannot be read has the one key `PROBLEM`. What the cells say about consent is added
    under `list_headings.STANDING` and `SAID`.

    Args:
        file: the list as text, with its line ends as they are.
        json_lines: it is JSON Lines, not CSV.
        renamed: for some of our columns the heading that the file has for it.
        file_says: what the name of the file says about everybody in it.
        ignored: takes the headings that are not used.

    Raises:
        InputError: the file as a whole cannot be read: no column holds addresses, or it is no text.
    """
    unused = ignored if ignored is not None else []
    with _refusing_no_text():
        if json_lines:
            yield from _json_lines(file, renamed or {}, file_says, unused)
        else:
            yield from _csv_lines(file, renamed or {}, file_says, unused)


def count(file: TextIO) -> int:
    """Return how many lines a list has, and go back to its beginning.

    Raises:
        InputError: it is no text.
    """
    with _refusing_no_text():
        number = sum(1 for _ in file)
    file.seek(0)
    return number


@contextmanager
def _refusing_no_text() -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise InputError(
            "The file ends in the middle of a character, or is no text.",
            "Save it again as UTF-8 (in Excel: CSV UTF-8).",
        ) from error


def _csv_lines(
    file: TextIO, renamed: Mapping[str, str], file_says: str, unused: list[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    lines = ((number, line) for number, line in list_text.lines_of(file) if line.strip())
    number, line = next(lines, (0, ""))
    line = line.removeprefix("\ufeff")
    separator = ""
    if separator_line := _SEPARATOR_LINE.fullmatch(line):
        separator = separator_line[1]
        number, line = next(lines, (0, ""))
    separator = separator or list_text.separator_of(line)
    names: list[str] = []
    place = -1

    def has_address(cells: list[str]) -> bool:
        return 0 <= place < len(cells) == len(names) and "@" in cells[place]

    all_lines = chain([(number, line)], lines) if line else lines
    records = list_text.records(all_lines, separator, has_address)
    first = next(records, (0, []))[1]
    if isinstance(first, str):
        raise InputError(
            f"Line {number}, the headings, cannot be read: {first}.",
            "Correct it in a text editor.",
        )
    names = _distinct(first)
    headings = headings_of(names, renamed, file_says)
    place = next(
        (names.index(each) for each, ours in headings.names.items() if ours == "email"), -1
    )
    unused += headings.ignored
    for number, cells in records:
        if isinstance(cells, str):
            yield number, {PROBLEM: cells}
        elif any(cell.strip() for cell in cells):
            yield number, _by_column(names, headings, cells)


def _distinct(headings: list[str]) -> list[str]:
    """Return the headings, the second of a name with a space behind it, which no reader minds.

    Of two columns "Status" the second may be the one that says who left.
    """
    names = [heading.strip() for heading in headings]
    used: Counter[str] = Counter()
    for place, name in enumerate(names):
        names[place] += " " * min(used[name], _MOST_OF_A_NAME)
        used[name] += 1
    return names


def _by_column(names: list[str], headings: Headings, cells: list[str]) -> dict[str, str]:
    if any(cell.strip() for cell in cells[len(names) :]):
        return {
            PROBLEM: f"it has {len(cells)} cells, and there are {len(names)} headings; put a cell "
            "that contains the separator into quotation marks"
        }
    by_heading: dict[str, str] = {}
    for name, cell in zip(names, cells, strict=False):
        by_heading.setdefault(name, _unquoted(cell))
    return headings.line(by_heading)


def _json_lines(
    file: TextIO, renamed: Mapping[str, str], file_says: str, unused: list[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    known: dict[tuple[str, ...], Headings] = {}
    never_seen = dict(renamed)
    for number, line in list_text.lines_of(file):
        if not line.strip():
            continue
        try:
            row = json.loads(line.removeprefix("\ufeff"))
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            yield number, {PROBLEM: "not a JSON object"}
            continue
        names = tuple(row)
        if names not in known:
            # A key that a line leaves out is an empty cell.
            missing = without(renamed, names)
            known[names] = headings_of(
                (*names, *missing.values()), renamed, file_says, needs_address=False
            )
            never_seen = {ours: each for ours, each in never_seen.items() if ours in missing}
            if len(unused) < _MOST_IGNORED:
                unused += [name for name in known[names].ignored if name not in unused]
        yield number, _cells_of(row, known[names])
    if known and never_seen:
        # A slip in the name of a column must not make everybody confirmed.
        headings_of([name for names in known for name in names], never_seen, needs_address=False)


def _cells_of(row: dict[str, object], headings: Headings) -> dict[str, str]:
    cells = {}
    for name, value in row.items():
        if name in headings.ignored and not isinstance(value, str):
            continue
        if not isinstance(value, (str, int, type(None))):
            return {PROBLEM: f"{name[:40]} is not a text"}
        cells[name] = "" if value is None else str(value)
    return headings.line(cells)


def _unquoted(cell: str) -> str:
    """Return a cell without the apostrophe that keeps a spreadsheet from running a formula."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


def write(rows: Iterable[Mapping[str, str]], *, json_lines: bool) -> Iterator[str]:
    """Yield the text of a list, piece by piece.

    In CSV an apostrophe goes before each cell that a spreadsheet would run as a formula.

    Args:
        rows: the cells by column, in the order of `EXPORT_COLUMNS`.
        json_lines: write JSON Lines, not CSV.
    """
    if json_lines:
        for row in rows:
            yield json.dumps(row, ensure_ascii=False) + "\n"
        return
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(EXPORT_COLUMNS)
    for row in rows:
        writer.writerow([f"'{cell}" if _FORMULA.match(cell) else cell for cell in row.values()])
        if buffer.tell() > list_text.LONGEST_LINE:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
