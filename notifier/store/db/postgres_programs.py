"""PostgreSQL's own programs `pg_dump` and `pg_restore`, as far as backups need them.

Owns how they are found, called and waited for, and how their words become errors. A password goes
to them in the environment of the process, which other users cannot read, and never among its
arguments.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from psycopg.conninfo import make_conninfo
from sqlalchemy import Engine, func, select, table, text

from notifier.errors import InputError, StoreError
from notifier.store.db.engine import connect, connect_options

# How every dump in PostgreSQL's custom format begins.
_MAGIC = b"PGDMP"
# Entries of a dump's list that are not restored: the schema is made before, with its owner and
# rights; the number of the migration is stored last, so that nobody uses half a database.
_LEFT_OUT = (" SCHEMA - ", " COMMENT - SCHEMA ", " ACL - ")
_NUMBER_OF_SCHEMA = "alembic_version"
# Characters of a program's answer that are shown. Chosen by hand; not measured.
_LONGEST_ANSWER = 300


def dump(engine: Engine, target: Path, counted: str) -> int:
    """Write a dump of the database's schema in the custom format, while others read and write.

    Args:
        engine: of the database.
        target: the file that is written, or replaced.
        counted: the table whose rows are counted at the same moment.

    Returns:
        The number of these rows.

    Raises:
        StoreError: the program is missing, or failed.
    """
    with connect(engine) as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        snapshot = connection.execute(select(func.pg_export_snapshot())).scalar_one()
        schema = connection.execute(select(func.current_schema())).scalar_one()
        rows: int = connection.execute(
            select(func.count()).select_from(table(counted))
        ).scalar_one()
        arguments = ["--format=custom", "--no-owner", "--no-privileges", f"--schema={schema}"]
        arguments += [f"--snapshot={snapshot}", f"--file={target.absolute()}"]
        _change("pg_dump", engine, arguments)
    return rows


def is_dump(file: Path) -> bool:
    """Return whether a file begins as a dump in the custom format does."""
    with file.open("rb") as opened:
        return opened.read(len(_MAGIC)) == _MAGIC


def check(file: Path) -> None:
    """Read and unpack a whole dump, and change nothing.

    Raises:
        InputError: it is damaged.
        StoreError: `pg_restore` is missing.
    """
    for _ in _lines(["--file=/dev/null"], file):
        pass


def rows_of(file: Path, name: str) -> Iterator[dict[str, str]]:
    r"""Yield the rows of a table in a dump: texts by the names of the columns; ``\N`` is NULL.

    Characters that PostgreSQL writes with a backslash stay so.

    Raises:
        InputError: the dump is damaged.
        StoreError: `pg_restore` is missing.
    """
    columns: list[str] | None = None
    for line in _lines(["--data-only", f"--table={name}", "--file=-"], file):
        if line.startswith("COPY ") and columns is None:
            inside = line.partition("(")[2].rpartition(")")[0]
            columns = [column.strip().strip('"') for column in inside.split(",")]
        elif line == "\\.":
            columns = None
        elif columns is not None:
            yield dict(zip(columns, line.split("\t"), strict=False))


def restore(engine: Engine, file: Path) -> None:
    """Read a dump into an empty schema, as a whole or not at all.

    The number of the migration is left out: without it every process of notifier refuses the
    database, so that nobody uses what is not ready. The caller stores it.

    Raises:
        InputError: the dump is damaged.
        StoreError: it cannot be restored; nothing was stored.
    """
    entries = [line for line in _lines(["--list"], file) if not _is_left_out(line)]
    with tempfile.NamedTemporaryFile("w", suffix=".list", encoding="utf-8") as wanted:
        wanted.write("\n".join(entries))
        wanted.flush()
        arguments = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
        _change(
            "pg_restore", engine, [*arguments, f"--use-list={wanted.name}", str(file.absolute())]
        )


def _is_left_out(entry: str) -> bool:
    of_number = " TABLE DATA " in entry and f" {_NUMBER_OF_SCHEMA} " in entry
    return of_number or any(kind in entry for kind in _LEFT_OUT)


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise StoreError(
            f"{name} is not installed: it makes and reads the backups of a PostgreSQL database.",
            "Install PostgreSQL's client programs (postgresql-client on Debian), in the version of"
            " the server or newer. Nothing was changed.",
        )
    return path


def _change(name: str, engine: Engine, arguments: Sequence[str]) -> None:
    """Run a program that is connected to the database.

    Raises:
        StoreError: it is missing, or failed.
    """
    options: dict[str, Any] = {
        key: each for key, each in connect_options(engine).items() if key != "context"
    }
    password = options.pop("password", None)
    secret = {"PGPASSWORD": str(password)} if password is not None else {}
    result = subprocess.run(  # noqa: S603 - a program of PostgreSQL
        [_program(name), f"--dbname={make_conninfo('', **options)}", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **secret},
        check=False,
    )
    if result.returncode:
        answer = _first_line(result.stderr)
        raise StoreError(
            f"{name} failed: {answer.replace(str(password), '***') if password else answer}",
            "Correct what it names, and run the same command again. A dump needs the programs of"
            " the server's version or of a newer one.",
        )


def _lines(arguments: Sequence[str], file: Path) -> Iterator[str]:
    """Yield what `pg_restore` prints about a dump, line by line.

    Raises:
        InputError: it cannot read the file.
        StoreError: it is missing.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603 - a program of PostgreSQL
            [_program("pg_restore"), *arguments, str(file.absolute())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert process.stdout is not None
        try:
            yield from _texts(process.stdout)
        finally:
            process.stdout.close()
            code = process.wait()
        if code:
            errors.seek(0)
            raise InputError(
                f"{file} cannot be read as a dump: {_first_line(errors.read())}",
                "Take another copy of this backup, or an older backup. Nothing was changed.",
            )


def _texts(output: IO[bytes]) -> Iterator[str]:
    for line in output:
        yield line.decode("utf-8", "replace").rstrip("\n")


def _first_line(answer: bytes) -> str:
    lines = answer.decode("utf-8", "replace").strip().splitlines()
    return (lines[0] if lines else "without a word")[:_LONGEST_ANSWER]
