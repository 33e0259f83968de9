"""Everything that commands share: options, the opening of the database, input and output.

Nothing else in the package writes to standard output or standard error (the exceptions are named in
`tests/test_architecture.py`; the log is written by `logs.py`). So text of a feed, a header or a
file cannot control a terminal: it is made printable here.
"""

import io
import json
import os
import shlex
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from notifier.cli import tables
from notifier.cli.waking import waking
from notifier.errors import InputError
from notifier.text import times
from notifier.text.cleaning import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notifier.deps import Deps

# Rows of a table that are shown without --limit. Chosen by hand; not measured.
_ROWS_SHOWN = 100
# How the formats of exports write a character that must not reach a terminal.
JSON_NOTATION = TOML_NOTATION = "\\u{:04x}"
XML_NOTATION = "&#x{:x};"

# Files that were reported as readable by others already.
_reported: set[Path] = set()

_Member = TypeVar("_Member", bound=StrEnum)
Columns = Sequence[tables.Column | str]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit",
        min=1,
        metavar="N",
        help=f"Show the newest N. Default: {_ROWS_SHOWN}; with --json: all.",
    ),
]
Because = Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; for the list.")]
Now = Annotated[
    str, typer.Option("--now", metavar="ISO-8601", help="Act as if it were this time, for tests.")
]
Language = Annotated[str, typer.Option("--language", metavar="CODE", help="en, de, fr or es.")]
Edition = Annotated[str, typer.Option("--edition", metavar="EDITION", help="patient or clinician.")]
Cadence = Annotated[
    str, typer.Option("--every", metavar="CADENCE", help="immediate, daily, weekly or monthly.")
]
Profile = Annotated[
    str | None,
    typer.Option("--profile", metavar="SLUG", help="A stored therapy profile, by its slug."),
]
Confirmed = Annotated[
    bool,
    typer.Option("--confirmed", help="You confirm that you have consent; no mail asks for it."),
]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The person's e-mail address.")]
Slug = Annotated[str, typer.Argument(metavar="SLUG", help="As `profiles list` shows it.")]
Sources = Annotated[
    list[str] | None,
    typer.Argument(metavar="SOURCE", help="Ids or addresses of sources. Default: all."),
]

NO_SOURCES = "No source is watched. To add one: notifier sources add URL"


def group(name: str, help_text: str) -> typer.Typer:
    """Return a group of commands, such as `sources` with `list`, `add` and `remove`."""
    return typer.Typer(name=name, help=help_text, no_args_is_help=True, rich_markup_mode=None)


def moment(text: str, option: str = "--now") -> datetime | None:
    """Parse the time that an option names (ISO 8601, UTC without an offset); None if it is empty.

    Raises:
        InputError: the text is not an ISO 8601 time between the years 1900 and 2100.
    """
    if not text:
        return None
    try:
        return times.moment(text)
    except ValueError as error:
        raise InputError(
            f"{option} {text!r} is not an ISO 8601 time.",
            "Write it like 2026-03-01 or 2026-03-01T08:00:00+01:00.",
        ) from error


def known_word(text: str, words: Collection[str], option: str) -> str:
    """Return the value of an option if it is one of some words.

    Raises:
        InputError: it is another word; the fix lists those there are.
    """
    if text not in words:
        raise InputError(f"{option} {text!r} is not known.", f"Choose one of: {', '.join(words)}.")
    return text


def member(kind: type[_Member], text: str, option: str) -> _Member:
    """Return the member of an enumeration that an option names.

    Raises:
        InputError: there is no such member; the fix lists those there are.
    """
    return kind(known_word(text, [*kind], option))


def optional_member(kind: type[_Member], text: str | None, option: str) -> _Member | None:
    """Return the member of an enumeration that an option names; None if the option is not given.

    Raises:
        InputError: there is no such member; the fix lists those there are.
    """
    return None if text is None else member(kind, text, option)


def language_code(code: str) -> str:
    """Return the value of `--language` if digests exist in that language.

    Raises:
        InputError: they do not; the fix lists the languages there are.
    """
    from notifier.i18n.catalog import LANGUAGES

    return known_word(code, LANGUAGES, "--language")


def operator() -> str:
    """Return how the consent ledger names the person at this keyboard: `operator USER`."""
    from notifier.store.files import user_name

    return f"operator {user_name()}"


@contextmanager
def open_deps(now: str = "", *, create: bool = False) -> "Iterator[Deps]":
    """Open settings, database and clock for one command, and close the database afterwards.

    Args:
        now: the value of `--now`; the real clock if it is empty.
        create: make the database if there is none.

    Raises:
        InputError: `now` is not a time.
        SettingsError: a setting is wrong or missing, or there is no database.
        StoreError: the database cannot be used.
    """
    from notifier.deps import open_deps

    deps = waking(open_deps(now=moment(now), create=create))
    _warn_of_readable_files(deps)
    try:
        yield deps
    finally:
        deps.engine.dispose()


def _warn_of_readable_files(deps: "Deps") -> None:
    """Warn, once a process, of files with secrets or people that every user here may open."""
    from notifier.store.files import readable_by_others

    dkim, database = deps.settings.dkim, Path(deps.engine.url.database or "")
    keys = [dkim.private_key_file, *(key.private_key_file for key in dkim.also)]
    exposed = {
        path: shlex.quote(str(path))
        for path in readable_by_others([config_path(), *filter(None, keys)])
    }
    beside = [database.with_name(f"{database.name}{end}") for end in ("", "-wal", "-shm")]
    if deps.engine.dialect.name == "sqlite" and readable_by_others(beside):
        # The other two come and go, so the fix names all three by a pattern.
        exposed[database] = f"{shlex.quote(str(database))}*"
    if new := {path: quoted for path, quoted in exposed.items() if path not in _reported}:
        _reported.update(new)
        names = ", ".join(str(path) for path in new)
        warn(
            f"Warning: every user of this machine may open {names}. "
            f"To end that: chmod o= {' '.join(new.values())}"
        )


def config_path() -> Path:
    """Return the path of the settings file, whether or not it exists."""
    from notifier.settings import CONFIG_NAME

    return Path(os.environ.get("NOTIFIER_CONFIG") or CONFIG_NAME)


def as_time(value: datetime | None) -> str | None:
    """Return a time for JSON and tables: ISO 8601 with an offset, to the second."""
    return value.isoformat(timespec="seconds") if value else None


def stopped_note(stopped_at: datetime) -> str:
    """Return the lines that say that a person stopped the sending, or restored a backup."""
    return (
        f"Sending is stopped since {as_time(stopped_at)}. To go on: notifier deliveries resume\n"
        "(after a restore: notifier db resume)"
    )


def print_json(document: Any) -> None:
    """Print one JSON document, with escapes for characters that would control a terminal."""
    sys.stdout.write(f"{_json_text(document)}\n")


def print_json_rows(rows: Iterable[Any]) -> None:
    """Print a list as `print_json` does, row by row: it may be longer than the memory."""
    before = "["
    for row in rows:
        indented = _json_text(row).replace("\n", "\n  ")
        sys.stdout.write(f"{before}\n  {indented}")
        before = ","
    sys.stdout.write("[]\n" if before == "[" else "\n]\n")


def _json_text(document: Any) -> str:
    text = printable(json.dumps(document, ensure_ascii=False, indent=2), JSON_NOTATION)
    return text if can_be_written(text) else json.dumps(document, indent=2)


def print_data(text: str, notation: str = "") -> None:
    """Print a file for programs: always UTF-8 in a pipe, whatever the terminal's encoding is.

    Args:
        text: the file, or a part of it.
        notation: how its format escapes a character, see `text.cleaning.printable`; without one,
            characters that would control a terminal become visible marks.
    """
    text = printable(text, notation)
    if is_terminal() or not hasattr(sys.stdout, "buffer"):
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()


def can_be_written(text: str) -> bool:
    """Return whether the encoding of standard output has these characters."""
    with suppress(UnicodeEncodeError):
        return bool(text.encode(getattr(sys.stdout, "encoding", None) or "utf-8"))
    return False


def print_rows(
    rows: Sequence[Mapping[str, Any]],
    columns: Columns,
    empty: str,
    *,
    json: bool,
    wide: bool = False,
) -> None:
    """Print a listing: as JSON with every field, or as a table of those that the columns name."""
    if json:
        print_json(rows)
        return
    keys = [column if isinstance(column, str) else column.key for column in columns]
    print_table(columns, [[row[key] for key in keys] for row in rows], empty, wide=wide)


def print_table(
    columns: Columns, rows: Sequence[Sequence[object]], empty: str, *, wide: bool = False
) -> None:
    """Print a table, or the sentence `empty` if there are no rows.

    It fits into the terminal; with `wide` it has whole cells and all columns instead.
    """
    if not rows:
        say(empty)
        return
    ellipsis = "…" if can_be_written("…") else "..."
    table = tables.laid_out(columns, rows, None if wide else tables.width(), ellipsis)
    typer.secho(printable(table.heading), bold=True)
    for line in table.lines:
        say(line)
    if table.left_out:
        warn(f"Left out here: {', '.join(table.left_out)}; --wide shows all.")


def row_limit(limit: int | None, *, json: bool) -> int | None:
    """Return how many rows to show; None for all, which is the default of JSON only."""
    return limit or (None if json else _ROWS_SHOWN)


def say_if_cut(shown: int, total: int) -> None:
    """Print a note if a table shows the newest rows only; `total` as `db.count_some` counts."""
    from notifier.store.db import MOST_COUNTED

    if shown < total:
        number = f"more than {MOST_COUNTED:,}" if total > MOST_COUNTED else f"{total}"
        warn(f"These are the newest {shown} of {number}; --limit shows more.")


def count(number: int, noun: str, ending: str = "s") -> str:
    """Return a number with its noun: `"1 subscription"`, `"2 subscriptions"`."""
    return f"{number} {noun}{'' if number == 1 else ending}"


def is_terminal() -> bool:
    """Return whether standard output is a terminal."""
    return sys.stdout.isatty()


def say(text: str) -> None:
    """Print text for a person on standard output."""
    typer.echo(printable(text))


def warn(text: str) -> None:
    """Print text for a person on standard error, where no script reads it."""
    typer.echo(printable(text), err=True)


def fail(text: str) -> NoReturn:
    """Print text on standard error, and end the command with exit code 1.

    Raises:
        Exit: always.
    """
    warn(text)
    raise typer.Exit(1)


def write_every_character() -> None:
    """Write characters that the encoding of a stream lacks as numbers, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def file_bytes(path: Path, largest: int = 10_000_000) -> bytes:
    """Read a regular file that the caller named, of at most `largest` bytes.

    Raises:
        InputError: it cannot be read, is not a regular file, or is too large.
    """
    from notifier.store.files import read_input

    return read_input(path, largest)


def standard_input(largest: int) -> bytes:
    """Read what is piped into the command, at most `largest` bytes.

    Raises:
        InputError: there are more.
    """
    content: bytes = sys.stdin.buffer.read(largest + 1)
    if len(content) > largest:
        raise InputError(f"Standard input has more than {largest:,} bytes.", "Send a shorter text.")
    return content
