"""Text of list files: which encoding the bytes are in, and which cells a line of CSV has.

Owns what is done about a quotation mark that is never closed: its line is reported, and the lines
below it are read. Nothing of columns is known here.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, TextIO

from notifier.errors import InputError

# Characters of the longest line that is read. Chosen by hand; not measured.
LONGEST_LINE = 100_000
# How many lines one line of a list may take because a cell in quotation marks has line breaks.
# Chosen by hand; not measured.
_MOST_LINES = 100
_SEPARATORS = ",;\t|"
_BLOCK = 1 << 20
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# The beginnings of files of office programs: an archive (xlsx, ods) and the older container (xls).
_OFFICE = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
# What the csv module says of a cell in quotation marks that the text does not close.
_OPEN_QUOTE = "unexpected end of data"
_QUOTED = re.compile(r'"[^"]*"')

UNCLOSED = "a quotation mark is opened and not closed"
TOO_LONG = f"it is longer than {LONGEST_LINE:,} characters"


def opened(file: BinaryIO) -> TextIO:
    """Return a file as text: UTF-8, UTF-16, UTF-32, Windows-1252 or Latin-1.

    Raises:
        InputError: it is a file of an office program, or no text.
    """
    encoding = _encoding(file)
    errors = "strict" if _fits(file, encoding) or _is_cut_off(file, encoding) else "replace"
    file.seek(0)
    return io.TextIOWrapper(file, encoding=encoding, errors=errors, newline="")


def _encoding(file: BinaryIO) -> str:
    start = file.read(_BLOCK)
    if start.startswith(_OFFICE):
        raise InputError(
            "The file is a spreadsheet or an archive, not a list.",
            "Open it in a spreadsheet program and save it as CSV.",
        )
    for mark, encoding in _BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return encoding
    head = start[:200]
    if b"\0" in head:
        encoding = _utf_16_of(head)
        if encoding and _fits(file, encoding):
            return encoding
        raise InputError("The file is not text.", "Save the list as CSV, in UTF-8.")
    return next((name for name in ("utf-8", "cp1252") if _fits(file, name)), "latin-1")


def _utf_16_of(head: bytes) -> str:
    """Return the order of the bytes of UTF-16 without a mark; empty if it is no UTF-16.

    Most characters of a heading are ASCII, so that one byte of most pairs is zero, and none of the
    other bytes.
    """
    first, second = head[::2], head[1::2]
    if 0 not in first and second.count(0) * 2 > len(second):
        return "utf-16-le"
    if 0 not in second and first.count(0) * 2 > len(first):
        return "utf-16-be"
    return ""


def _fits(file: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    try:
        while block := file.read(_BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_cut_off(file: BinaryIO, encoding: str) -> bool:
    """Return whether a file ends within a character.

    Bytes that are no character elsewhere are damage of a line: another program has added it.
    """
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    file.seek(0)
    while block := file.read(_BLOCK):
        decoder.decode(block)
    return bool(decoder.getstate()[0])


def separator_of(heading: str) -> str:
    """Return the separator of a CSV file from its line of headings: the commonest of them."""
    bare = _QUOTED.sub("", heading)
    return max(_SEPARATORS, key=bare.count)


def lines_of(file: TextIO) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file with their numbers; one that is too long is cut."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        yield number, line
        while len(line) > LONGEST_LINE and not line.endswith(("\n", "\r")):
            line = file.readline(LONGEST_LINE + 1)


def records(
    lines: Iterator[tuple[int, str]],
    separator: str,
    begins_record: Callable[[list[str]], bool],
) -> Iterator[tuple[int, list[str] | str]]:
    """Yield the records of a CSV file (RFC 4180), each with the number of its first line.

    A record is its cells, or the problem why there are none. A quotation mark within a cell that
    does not begin with one is a character like others.

    Args:
        lines: the lines with their numbers.
        separator: between the cells.
        begins_record: tells by the cells of a line whether a record begins with it. Such a line is
            never a part of a cell in quotation marks: the mark above it was not closed.
    """
    waiting: list[tuple[int, str]] = []
    while True:
        following = waiting.pop(0) if waiting else next(lines, None)
        if following is None:
            return
        number, line = following
        if len(line) > LONGEST_LINE:
            yield number, TOO_LONG
            continue
        cells, taken = _record(line, lines, waiting, separator)
        inner = (_cells(waiting[each][1], separator, strict=False) for each in range(taken))
        if cells is not None and taken and any(begins_record(each) for each in inner):
            cells = None
        if cells is not None:
            del waiting[:taken]
        yield number, UNCLOSED if cells is None else cells


def _record(
    line: str,
    lines: Iterator[tuple[int, str]],
    waiting: list[tuple[int, str]],
    separator: str,
) -> tuple[list[str] | None, int]:
    """Return the cells of the record that begins with a line, and how many more lines it took.

    Lines that are read ahead are added to `waiting`; None for the cells if it never ends.
    """
    text, taken = line, 0
    while True:
        try:
            return _cells(text, separator, strict=True), taken
        except csv.Error as error:
            if str(error) != _OPEN_QUOTE:
                return (None if taken else _cells(line, separator, strict=False)), taken
        part = ""
        while '"' not in part:
            if taken == len(waiting) and (ahead := next(lines, None)) is not None:
                waiting.append(ahead)
            if taken == len(waiting) or taken == _MOST_LINES:
                return None, taken
            part += waiting[taken][1]
            taken += 1
            if len(text) + len(part) > LONGEST_LINE:
                return None, taken
        text += part


def _cells(text: str, separator: str, *, strict: bool) -> list[str]:
    lines = io.StringIO(text, newline="")
    # Some programs and people put a space between a separator and a quotation mark.
    reader = csv.reader(lines, delimiter=separator, strict=strict, skipinitialspace=True)
    return next(reader, [])
