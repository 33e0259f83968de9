"""Completion of a `notifier.toml` that exists: a value is added, and nothing else changes.

Owns the place of an added line. Comments, order and line ends of the file stay as they are. Each
place is tried, and the file is read again: one that would change another value is not taken.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from notifier.cli.starter import COMMENTS, toml_line
from notifier.errors import InputError

# Beside a key that is added to a file without our comments.
_REMARKS = {
    "secret_key": "   # signs links; keep it in your backups",
    "suppression_key": "   # never change it, and keep it in your backups",
}


def value_in(text: str, key: str) -> object:
    """Return the value of a key in the text of a settings file; None if it is not set."""
    return _value(tomllib.loads(text), key)


def completed(text: str, values: Mapping[str, Any]) -> str:
    """Add values to the text of a settings file, and change nothing else.

    Args:
        text: a settings file (TOML) in which these keys are missing or empty.
        values: by key.

    Raises:
        InputError: no place was found where a line changes nothing else.
    """
    for key, value in values.items():
        text = _with_value(text, key, value)
    return text


def _value(values: Mapping[str, Any], key: str) -> object:
    section, _, name = key.rpartition(".")
    table = values.get(section) if section else values
    return table.get(name) if isinstance(table, Mapping) else None


def _with_value(text: str, key: str, value: object) -> str:
    section, _, name = key.rpartition(".")
    wanted = tomllib.loads(text)
    (wanted.setdefault(section, {}) if section else wanted)[name] = value
    for candidate in _candidates(text, section, name, value):
        try:
            values = tomllib.loads(candidate)
        except tomllib.TOMLDecodeError:
            continue
        if values == wanted:
            return candidate
    variable = f"NOTIFIER_{key.upper().replace('.', '__')}"
    place = f"under [{section}]" if section else "before its first [section]"
    raise InputError(
        f"{key} cannot be added to the settings file.",
        f"Put a line {name} = … into the file yourself, {place}, or set the environment variable "
        f"{variable}.",
    )


def _candidates(text: str, section: str, name: str, value: object) -> Iterator[str]:
    """Yield the text with the line at each possible place, the best one first."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    line = f"{toml_line(name, value)}{_REMARKS.get(name, '')}{end}"
    comment = f"# {COMMENTS.get(f'{section}.{name}' if section else name)}"
    bodies = list(_bodies(lines, section))
    # In place of an empty value, or of the commented line that `init` wrote; or below its comment.
    for pattern, keeps in (
        (rf"[ \t]*{name}[ \t]*=[ \t]*(\"\"|'')", 0),
        (rf"#[ \t]*{name}[ \t]*=", 0),
        (rf"{re.escape(comment)}\s*$", 1),
    ):
        for number in chain.from_iterable(bodies):
            if re.match(pattern, lines[number]):
                yield "".join([*lines[: number + keeps], line, *lines[number + 1 :]])
    if not section:
        yield from _before_tables(lines, line, end)
        return
    for number, other in enumerate(lines):
        if other.rstrip() == f"# [{section}]":  # as `init` wrote it
            yield "".join([*lines[:number], f"[{section}]{end}", line, *lines[number + 1 :]])
    for body in bodies:
        yield "".join([*lines[: body.start], line, *lines[body.start :]])
    gap = "" if not text or text.endswith(end) else end
    yield f"{text}{gap}{end if text else ''}[{section}]{end}{line}"
    yield from _before_tables(lines, f"{section}.{line}", end)


def _bodies(lines: list[str], section: str) -> Iterator[range]:
    """Yield the lines below what looks like a section's name; those before all sections for ""."""
    tables = [number for number, line in enumerate(lines) if line.lstrip().startswith("[")]
    ends = [*tables, len(lines)]
    if not section:
        yield range(ends[0])
    for at, number in enumerate(tables):
        if section and re.match(rf"[ \t]*\[[ \t]*{section}[ \t]*\]", lines[number]):
            yield range(number + 1, ends[at + 1])


def _before_tables(lines: list[str], line: str, end: str) -> Iterator[str]:
    """Yield the text with a line before the first table, and at its top."""
    at = next((n for n, other in enumerate(lines) if other.lstrip().startswith("[")), len(lines))
    while at and (not lines[at - 1].strip() or lines[at - 1].lstrip().startswith("#")):
        at -= 1  # a comment right above a table belongs to the table
    before = "".join(lines[:at])
    gap = "" if not before or before.endswith(end) else end
    yield f"{before}{gap}{line}{''.join(lines[at:])}"
    yield f"{line}{''.join(lines)}"
