"""The `notifier.toml` of an installation: made by `init`, or completed where something is missing.

Owns what counts as missing, and the lock under which a file is completed. Everything is asked and
checked before the file is written, so that an interrupted call leaves it as it was.
"""

import os
import tomllib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from notifier.cli import questions, settings_file, shared
from notifier.cli.starter import new_key, starter_file

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from notifier.settings import Settings

_REMARKS = {
    "suppression_key": ": keep it in every backup, and never change it",
    "secret_key": ": links in mails that were sent with another one do not work any more",
}


def checked(given: Mapping[str, str | None]) -> dict[str, Any]:
    """Check the values that options gave, and return those that are not None.

    Args:
        given: by key (``"smtp.port"``).

    Raises:
        InputError: one of them is wrong.
    """
    from notifier.errors import InputError, SettingsError
    from notifier.settings import check_value

    values: dict[str, Any] = {}
    for key, text in given.items():
        if text is None:
            continue
        try:
            check_value(key, text, "its option")
        except SettingsError as error:
            raise InputError(error.problem, "Correct the option and try again.") from None
        values[key] = int(text) if key == "smtp.port" else text
    return values


def write(path: Path, given: Mapping[str, Any], *, asks: bool) -> None:
    """Make the settings file, or complete the one that exists; print what was done.

    Args:
        path: of the file.
        given: checked values of options, by key.
        asks: whether a person at a terminal is asked for what is missing.

    Raises:
        InputError: the file cannot be written.
        SettingsError: the values do not go together, or those of an existing file are wrong.
    """
    if path.exists() or not _make(path, given, asks=asks):
        shared.say(f"Kept  {path}")
        for key in _complete(path, given, asks=asks):
            shared.say(f"Added {key} to it{_REMARKS.get(key, '')}.")


def _make(path: Path, given: Mapping[str, Any], *, asks: bool) -> bool:
    """Write a new file; return False if there is one by now."""
    from notifier.errors import InputError
    from notifier.settings import environment, from_values
    from notifier.store.files import create_private

    _refuse_missing_folder(path)
    if asks:
        with _saying_that_nothing_was_written():
            values = questions.ask(given, environment())
    else:
        values = questions.with_tested_server(given, environment())
    text = starter_file(values)
    from_values(tomllib.loads(text), path)
    try:
        create_private(path, text.encode("utf-8"))
    except FileExistsError:
        return False
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}.",
            "Run the command in a folder that you may write to.",
        ) from error
    shared.say(f"Wrote {path}")
    return True


@contextmanager
def _saying_that_nothing_was_written() -> "Iterator[None]":
    try:
        yield
    except (typer.Abort, KeyboardInterrupt):
        shared.warn("\nStopped. Nothing was written.")
        raise


def _refuse_missing_folder(path: Path) -> None:
    """Refuse, before anything is asked, a folder in which no file can be made.

    Raises:
        InputError: there is no such folder, or it may not be written to.
    """
    from notifier.errors import InputError

    folder = path.parent
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.", "Make it, or give another --config.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(
            f"{path} cannot be written: Permission denied.",
            "Run the command in a folder that you may write to.",
        )


def _complete(path: Path, given: Mapping[str, Any], *, asks: bool) -> Collection[str]:
    """Add what is missing in a file, and return the keys.

    Raises:
        InputError: the file cannot be changed, or the database was made with another key.
    """
    from notifier.errors import InputError
    from notifier.settings import load

    settings = load(path)
    wanted = {**given, **(_answers(settings) if asks else {})}
    added: Collection[str] = ()
    try:
        with _locked(path):
            text = path.read_bytes().decode("utf-8-sig")
            values = _missing(path, load(path), text, wanted)
            added = values.keys()
            if values:
                _rewrite(path, settings_file.completed(text, values))
    except OSError as error:
        raise InputError(
            f"{path} cannot be completed: {error.strerror}.",
            "Run `notifier init` as the owner of that file and its folder. Or make a key of 32 "
            "random characters, and put it into the file yourself, as suppression_key = "
            '"…" before the first [section], or into NOTIFIER_SUPPRESSION_KEY.',
        ) from error
    return added


def _rewrite(path: Path, text: str) -> None:
    from notifier.settings import from_values
    from notifier.store.files import rewrite_settings

    from_values(tomllib.loads(text), path)
    rewrite_settings(path, text.encode("utf-8"))


def _answers(settings: "Settings") -> dict[str, Any]:
    """Ask for the settings without which no mail can be sent."""
    missing = [
        key for key in questions.NEEDED if not getattr(settings.sender, key.partition(".")[2])
    ]
    return questions.ask_for(missing)


def _missing(
    path: Path, settings: "Settings", text: str, wanted: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the values to add to a file: new keys, and what is wanted and not set there.

    Raises:
        InputError: a variable hides a key, or the database was made with another key.
    """
    values: dict[str, Any] = {}
    for key in ("suppression_key", "secret_key"):
        if not getattr(settings, key):
            _refuse_empty_variable(f"NOTIFIER_{key.upper()}")
            values[key] = new_key()
    if "suppression_key" in values:
        _refuse_a_second_key(settings.database_url, path)
    for key, value in wanted.items():
        stored = settings_file.value_in(text, key)
        if stored in (None, ""):
            values[key] = value
        elif stored != value:
            shared.warn(f"{key} is set to another value in {path}, and was kept: change it there.")
    return values


def _refuse_empty_variable(name: str) -> None:
    from notifier.errors import InputError

    if name in os.environ:
        raise InputError(
            f"The environment variable {name} is empty.", "Remove it, or set it to the key."
        )


def _refuse_a_second_key(database_url: str, path: Path) -> None:
    """Refuse to make a key for a database that was made with one.

    Suppressed addresses are stored as hashes with that key: with another one they would not be
    recognised, and people who refused mail would get it again.

    Raises:
        InputError: the database was made with a key.
    """
    from notifier.errors import InputError
    from notifier.store import db, keys

    engine = db.make_engine(database_url)
    try:
        taken = keys.is_taken(engine)
    finally:
        engine.dispose()
    if taken:
        raise InputError(
            f"The database was made with a suppression_key that is not in {path}.",
            "Copy the key from a backup of the settings: with another key, people who refused "
            "mail would get it again.",
        )


@contextmanager
def _locked(path: Path) -> "Iterator[None]":
    """Lock a file, so that no other process completes it meanwhile; not on Windows."""
    with path.open("rb") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
