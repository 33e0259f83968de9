"""`notifier init`."""

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from notifier.cli import shared

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notifier.admin.profile_import import ImportResult
    from notifier.deps import Deps

_VARIABLE = "NOTIFIER_SUPPRESSION_KEY"
_NEXT_STEPS = """
Next:
  1. set sender.address, sender.postal_address and smtp in the settings file
  2. notifier poll                          read the sources for the first time
  3. notifier preview --since 30d --open    look at a digest of what was found
  4. notifier subscribe you@example.org --every weekly --confirmed
  5. notifier run                           or, from cron: notifier run --once"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init")(init)


def init(now: shared.Now = "") -> None:
    """Write notifier.toml, and make the database.

    Loads the bundled profile and its sources. What exists already is kept, so a second call changes
    nothing.
    """
    shared.moment(now)  # refused before a file is written
    path = shared.config_path()
    written = _write_settings(path)
    completed = not written and _add_suppression_key(path)
    with shared.open_deps(now, create=True) as deps:
        loaded = _load_bundled(deps)
        database = deps.engine.url.database
    shared.say(f"{'Wrote' if written else 'Kept '} {path}")
    if completed:
        shared.say("Added suppression_key to it: keep it in every backup, and never change it.")
    shared.say(f"{'Made ' if loaded else 'Kept '} {database}")
    if loaded:
        shared.say(f"Loaded the profile {loaded.name} with {loaded.new_sources} sources to watch.")
    shared.say(_NEXT_STEPS)


def _write_settings(path: Path) -> bool:
    from notifier.cli.starter import starter_file
    from notifier.errors import InputError
    from notifier.store.files import create_private

    try:
        create_private(path, starter_file().encode("utf-8"))
    except FileExistsError:
        return False
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}.",
            "Run the command in a folder that you may write to.",
        ) from error
    return True


def _add_suppression_key(path: Path) -> bool:
    """Complete a settings file from before there was such a key; return whether it was missing.

    Raises:
        InputError: the file cannot be changed, or the database was made with another key.
    """
    from notifier.cli.starter import with_suppression_key
    from notifier.errors import InputError
    from notifier.settings import load
    from notifier.store.files import rewrite_settings

    settings = load(path)
    if settings.suppression_key:
        return False
    if _VARIABLE in os.environ:
        raise InputError(
            f"The environment variable {_VARIABLE} is empty.", "Remove it, or set it to the key."
        )
    try:
        with _locked(path):
            if load(path).suppression_key:  # another process added it meanwhile
                return False
            _refuse_a_second_key(settings.database_url, path)
            text = path.read_bytes().decode("utf-8")
            rewrite_settings(path, with_suppression_key(text).encode("utf-8"))
    except OSError as error:
        raise InputError(
            f"suppression_key cannot be added to {path}: {error.strerror}.",
            "Run `notifier init` as the owner of that file and its folder. Or make a key of 32 "
            "random characters, and put it into the file yourself, as suppression_key = "
            f'"…" before the first [section], or into {_VARIABLE}.',
        ) from error
    return True


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


def _load_bundled(deps: "Deps") -> "ImportResult | None":
    from notifier.admin.profile_import import import_profile
    from notifier.match import profiles

    with deps.writing() as session:
        if any(profile.slug == profiles.BUNDLED for profile in profiles.listed(session)):
            return None
        bundled = profiles.parse(profiles.bundled_file(), "the bundled profile")
        return import_profile(session, bundled, deps.now())
