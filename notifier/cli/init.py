"""`notifier init`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from notifier.cli import door

if TYPE_CHECKING:
    from notifier.adoption import Adopted
    from notifier.deps import Deps


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init")(init)


def init(now: door.Now = "") -> None:
    """Write notifier.toml, make the database, load the bundled profile and its sources. Again: changes nothing."""
    path = door.config_path()
    written = _write_settings(path)
    completed = not written and _add_suppression_key(path)
    with door.opened(now) as deps:
        loaded = _load_bundled(deps)
        place = deps.engine.url.database
    door.say(f"{'Wrote' if written else 'Kept '} {path}")
    if completed:
        door.say("Added suppression_key to it: keep it in every backup, and never change it.")
    door.say(f"{'Made ' if loaded else 'Kept '} {place}")
    if loaded:
        door.say(f"Loaded the profile {loaded.name} with {loaded.new_sources} sources to watch.")
    door.say("\nNext:")
    door.say("  1. set sender.address, sender.postal_address and smtp in the settings file")
    door.say("  2. notifier poll                       look at the sources for the first time")
    door.say("  3. notifier preview --since 30d --open see a digest of what is there")
    door.say("  4. notifier subscribe you@example.org --every weekly --confirmed")
    door.say("  5. notifier run                        (or `notifier run --once` from cron)")


def _write_settings(path: Path) -> bool:
    from notifier.errors import SettingsError
    from notifier.settings import starter_file

    try:
        with path.open("x", encoding="utf-8") as file:
            path.chmod(0o600)
            file.write(starter_file())
    except FileExistsError:
        return False
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}.", "Choose a folder of your own.") from error
    return True


def _add_suppression_key(path: Path) -> bool:
    """Complete a settings file from before there was such a key; returns whether it was missing."""
    from notifier.errors import SettingsError
    from notifier.settings import load, with_suppression_key

    if load(path).suppression_key:
        return False
    text = with_suppression_key(path.read_text(encoding="utf-8"))
    beside = path.with_name(f"{path.name}.new")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        beside.replace(path)
    except OSError as error:
        raise SettingsError(
            f"suppression_key cannot be added to {path}: {error.strerror}.", "Let this user write to its folder."
        ) from error
    return True


def _load_bundled(deps: "Deps") -> "Adopted | None":
    from notifier.adoption import adopt
    from notifier.match import profiles

    with deps.writing() as session:
        if any(one.slug == profiles.BUNDLED for one in profiles.listed(session)):
            return None
        return adopt(session, profiles.parse(profiles.bundled_file(), "the bundled profile"), deps.now())
