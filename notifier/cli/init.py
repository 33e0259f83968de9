"""`notifier init`."""

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from notifier.cli import shared

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator

    from notifier.admin.profile_import import ImportResult
    from notifier.deps import Deps

_VARIABLE = "NOTIFIER_SUPPRESSION_KEY"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init")(init)


def init(now: shared.Now = "") -> None:
    """Write notifier.toml, make the database, load the bundled profile and its sources. Again: changes nothing."""
    path = shared.config_path()
    written = _write_settings(path)
    completed = not written and _add_suppression_key(path)
    with shared.open_deps(now) as deps:
        loaded = _load_bundled(deps)
        place = deps.engine.url.database
    shared.say(f"{'Wrote' if written else 'Kept '} {path}")
    if completed:
        shared.say("Added suppression_key to it: keep it in every backup, and never change it.")
    shared.say(f"{'Made ' if loaded else 'Kept '} {place}")
    if loaded:
        shared.say(f"Loaded the profile {loaded.name} with {loaded.new_sources} sources to watch.")
    shared.say("\nNext:")
    shared.say("  1. set sender.address, sender.postal_address and smtp in the settings file")
    shared.say("  2. notifier poll                       look at the sources for the first time")
    shared.say("  3. notifier preview --since 30d --open see a digest of what is there")
    shared.say("  4. notifier subscribe you@example.org --every weekly --confirmed")
    shared.say("  5. notifier run                        (or `notifier run --once` from cron)")


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
            f"{path} cannot be written: {error.strerror}.", "Choose a folder of your own."
        ) from error
    return True


def _add_suppression_key(path: Path) -> bool:
    """Complete a settings file from before there was such a key; returns whether it was missing."""
    from notifier.cli.starter import with_suppression_key
    from notifier.errors import InputError
    from notifier.settings import load
    from notifier.store.files import rewrite_settings

    settings = load(path)
    if settings.suppression_key:
        return False
    if _VARIABLE in os.environ:
        raise InputError(f"The variable {_VARIABLE} is empty.", "Remove it, or set it to the key.")
    try:
        with _alone_with(path):
            if load(path).suppression_key:  # another process added it meanwhile
                return False
            _refuse_a_second_key(settings.database_url, path)
            text = path.read_bytes().decode("utf-8")
            rewrite_settings(path, with_suppression_key(text).encode("utf-8"))
    except OSError as error:
        raise InputError(
            f"suppression_key cannot be added to {path}: {error.strerror}.",
            "Run `notifier init` as the owner of that file and its folder. Or make a key of 32 random characters, and "
            f'put it into the file yourself, as suppression_key = "…" before the first [section], or into {_VARIABLE}.',
        ) from error
    return True


def _refuse_a_second_key(database_url: str, path: Path) -> None:
    """Refuse to make a key for a database that has one: by another, nobody who said no would be recognised."""
    from notifier.errors import InputError
    from notifier.store import db, keys

    engine = db.make_engine(database_url)
    try:
        taken = keys.is_taken(engine)
    finally:
        engine.dispose()
    if taken:
        raise InputError(
            f"The database was made with a suppression_key, and it is not in {path}.",
            "Take the key from the backup of the settings: with another one, people who said no would be written to.",
        )


@contextmanager
def _alone_with(path: Path) -> "Iterator[None]":
    """Let no other process complete the same file meanwhile, where the system has locks."""
    with path.open("rb") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _load_bundled(deps: "Deps") -> "ImportResult | None":
    from notifier.admin.profile_import import import_profile
    from notifier.match import profiles

    with deps.writing() as session:
        if any(one.slug == profiles.BUNDLED for one in profiles.listed(session)):
            return None
        return import_profile(
            session, profiles.parse(profiles.bundled_file(), "the bundled profile"), deps.now()
        )
