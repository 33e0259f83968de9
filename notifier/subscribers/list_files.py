"""List files: subscribers as CSV or JSON Lines, one line for each subscription.

Owns the columns and the form of the cells. Nothing of the database is known here.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TextIO

from notifier.errors import InputError

COLUMNS = ("email", "profile", "every", "at", "on", "time_zone", "edition", "language")
# Further columns of an export; an import reads `status` only to leave out those who left.
EXPORT_COLUMNS = (*COLUMNS, "status", "confirmed_at")
# The key under which `read` reports a line that it cannot read.
PROBLEM = "problem"

# Characters of the longest line that is read, and of the pieces that are written. Chosen by hand;
# not measured.
_LONGEST_LINE = 100_000
# The first characters of a cell that a spreadsheet would run as a formula (OWASP, CSV injection).
_FORMULA = re.compile(r"^[=+\-@\t\r]")


def read(file: TextIO, *, json_lines: bool) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the lines of a list, each as its number in the file and its cells by column.

    A line of JSON Lines that is not an object of texts and numbers has the one key `PROBLEM`.

    Raises:
        InputError: the file as a whole cannot be read: the column `email` is missing, a column is
            not known, it is not UTF-8 text, or a cell of the CSV is too long.
    """
    try:
        yield from _json_lines(file) if json_lines else _csv_lines(file)
    except UnicodeDecodeError as error:
        raise InputError(
            "The file is not UTF-8 text.", "Save it as UTF-8 (in Excel: CSV UTF-8)."
        ) from error
    except csv.Error as error:
        raise InputError(
            f"The file cannot be read as CSV: {error}.",
            "Export it again, and open it in a text editor to check it.",
        ) from error


def _csv_lines(file: TextIO) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the lines of a CSV file whose separator is the commonest of ``,``, ``;`` and tab."""
    first = file.readline(_LONGEST_LINE)
    separator = max(",;\t", key=first.count)
    names = [name.strip().lower() for name in next(csv.reader([first], delimiter=separator), [])]
    _check_columns(names)
    reader = csv.reader(file, delimiter=separator)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield (
                reader.line_num + 1,
                {name: _unquoted(cell) for name, cell in zip(names, cells, strict=False)},
            )


def _json_lines(file: TextIO) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), ""), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            yield number, {PROBLEM: "not a JSON object"}
            continue
        _check_columns(["email", *row])
        unusable = [
            name for name, value in row.items() if not isinstance(value, (str, int, type(None)))
        ]
        if unusable:
            yield number, {PROBLEM: f"{unusable[0]} is not a text"}
            continue
        yield number, {name: "" if value is None else str(value) for name, value in row.items()}


def _check_columns(names: list[str]) -> None:
    unknown = [name for name in names if name not in EXPORT_COLUMNS]
    if "email" not in names or unknown:
        problem = (
            f"There is no column {unknown[0][:40]!r}." if unknown else "There is no column email."
        )
        raise InputError(
            problem, f"The columns are {', '.join(COLUMNS)}; only email must be there."
        )


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
        if buffer.tell() > _LONGEST_LINE:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
