"""What every command shares: options, the opening of the database, and everything that is printed.

Nothing else in the package writes to standard output or standard error (`logs.py` beside it writes
the log), so that no text of a feed, a header or a file can act on a terminal: it is made printable
here.
"""

import io
import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.errors import InputError
from notifier.text import times
from notifier.text.cleaning import one_printable_line, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notifier.deps import Deps

# In a pipe nothing is folded: a line is a row.
_PIPE_WIDTH = 2000
_SHOWN = 100

JSON_NOTATION = TOML_NOTATION = "\\u{:04x}"
XML_NOTATION = "&#x{:x};"

# Which files were reported as open to others already.
_reported: set[Path] = set()

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Limit = Annotated[
    int | None,
    typer.Option("--limit", min=1, help=f"How many of the newest: {_SHOWN}, or all with --json."),
]
Now = Annotated[
    str,
    typer.Option("--now", metavar="ISO-8601", help="Act as at this moment, for replays and tests."),
]
Language = Annotated[str, typer.Option("--language", metavar="CODE", help="en, de, fr or es.")]
Profile = Annotated[
    str | None, typer.Option("--profile", metavar="SLUG", help="The therapy profile.")
]


def group(name: str, help_text: str) -> typer.Typer:
    """A noun with commands below it."""
    return typer.Typer(name=name, help=help_text, no_args_is_help=True, rich_markup_mode=None)


def moment(text: str, option: str = "--now") -> datetime | None:
    """The moment that an option names; without a zone it is UTC.

    Raises:
        InputError: no ISO 8601 time between the years 1900 and 2100.
    """
    if not text:
        return None
    try:
        return times.moment(text)
    except ValueError as error:
        raise InputError(
            f"{option} {text!r} is no ISO 8601 time.", "Write 2026-03-01T08:00:00+01:00."
        ) from error


@contextmanager
def open_deps(now: str = "") -> "Iterator[Deps]":
    """Settings, database and clock for one command; the database is closed afterwards."""
    from notifier.deps import open_deps

    deps = open_deps(now=moment(now))
    _warn_of_readable_files(deps)
    try:
        yield deps
    finally:
        deps.engine.dispose()


def _warn_of_readable_files(deps: "Deps") -> None:
    """Say, once a process, which files with secrets or people everybody on this machine may open; and the fix."""
    from notifier.store.files import readable_by_others

    dkim, database = deps.settings.dkim, Path(deps.engine.url.database or "")
    keys = [dkim.private_key_file, *(key.private_key_file for key in dkim.also)]
    exposed = {
        path: shlex.quote(str(path))
        for path in readable_by_others([config_path(), *filter(None, keys)])
    }
    beside = [database.with_name(f"{database.name}{end}") for end in ("", "-wal", "-shm")]
    if deps.engine.dialect.name == "sqlite" and readable_by_others(beside):
        exposed[database] = f"{shlex.quote(str(database))}*"  # those beside it come and go
    if new := {path: quoted for path, quoted in exposed.items() if path not in _reported}:
        _reported.update(new)
        names = ", ".join(str(path) for path in new)
        warn(
            f"Warning: every user of this machine may open {names}. To end that: chmod o= {' '.join(new.values())}"
        )


def config_path() -> Path:
    """Where the settings file is, or would be."""
    from notifier.settings import CONFIG_NAME

    return Path(os.environ.get("NOTIFIER_CONFIG") or CONFIG_NAME)


def as_time(value: datetime | None) -> str | None:
    """A time as JSON and tables have it: ISO 8601 with offset, to the second."""
    return value.isoformat(timespec="seconds") if value else None


def print_json(document: Any) -> None:
    """One JSON document on standard output, and nothing else there; what acts on terminals is escaped in it."""
    text = printable(json.dumps(document, ensure_ascii=False, indent=2), JSON_NOTATION)
    if not _can_be_written(text):
        text = json.dumps(document, indent=2)
    sys.stdout.write(f"{text}\n")


def print_data(text: str, notation: str = "") -> None:
    """A file for programs on standard output: UTF-8 whatever the terminal speaks, and with nothing that acts on one.

    Args:
        text: the file, or a piece of it.
        notation: how its format escapes a character, see `text.printable`; without one, marks for
            people are written.
    """
    text = printable(text, notation)
    if is_terminal() or not hasattr(sys.stdout, "buffer"):
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()


def _can_be_written(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def print_table(headings: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> None:
    """A table on standard output, or one sentence when it would be empty."""
    if not rows:
        say(empty)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(
            *(Text("" if cell is None else one_printable_line(str(cell))) for cell in row)
        )
    width = None if is_terminal() else _PIPE_WIDTH
    Console(width=width, highlight=False).print(table)


def most(limit: int | None, *, json: bool) -> int | None:
    """How many rows to show; a table of all there are would hide its end from people, and JSON is for programs."""
    return limit or (None if json else _SHOWN)


def say_if_cut(shown: int, total: int) -> None:
    """Say that a table holds the newest rows alone."""
    if shown < total:
        warn(f"These are the newest {shown} of {total}; --limit shows more.")


def is_terminal() -> bool:
    """Whether a person is looking at standard output."""
    return sys.stdout.isatty()


def say(text: str) -> None:
    """A sentence for a person, on standard output."""
    typer.echo(printable(text))


def warn(text: str) -> None:
    """A sentence for a person that no script should read, on standard error."""
    typer.echo(printable(text), err=True)


def write_every_character() -> None:
    """Let no character end a command: what standard output's encoding does not have is written as its number."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def file_bytes(path: Path, largest: int = 10_000_000) -> bytes:
    """The bytes of a plain file that the caller named, of at most `largest` bytes.

    Raises:
        InputError: it cannot be read, is no plain file, or is too large.
    """
    from notifier.store.files import read_input

    return read_input(path, largest)


def standard_input(largest: int) -> bytes:
    """What is piped into the command, of at most `largest` bytes.

    Raises:
        InputError: it is larger.
    """
    content: bytes = sys.stdin.buffer.read(largest + 1)
    if len(content) > largest:
        raise InputError(f"Standard input holds more than {largest:,} bytes.", "Give less of it.")
    return content


@contextmanager
def progress(shown: bool) -> "Iterator[Callable[[int, int, str], None] | None]":
    """A progress bar on standard error where that is a terminal; elsewhere nothing.

    Yields:
        What takes how many are done, how many there are, and the one that was done last; None where
        nothing is shown.
    """
    if not shown or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, last: bar.update(
            task, completed=done, total=total, description=one_printable_line(last[:60])
        )


def spoken(code: str) -> str:
    """The code of a language that notifier speaks.

    Raises:
        InputError: it is none; those there are stand in the fix.
    """
    from notifier.i18n.catalog import LANGUAGES

    if code not in LANGUAGES:
        raise InputError(
            f"--language {code!r} is not spoken here.", f"Choose one of: {', '.join(LANGUAGES)}."
        )
    return code


def choice(kind: Any, text: str | None, option: str) -> Any:
    """A member of an enumeration by its word.

    Raises:
        InputError: there is none; the words there are stand in the fix.
    """
    if text is None:
        return None
    try:
        return kind(text)
    except ValueError as error:
        words = ", ".join(kind)
        raise InputError(f"{option} {text!r} is not known.", f"Choose one of: {words}.") from error
