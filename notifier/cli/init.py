"""`notifier init`."""

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
    with door.opened(now) as deps:
        loaded = _load_bundled(deps)
        place = deps.engine.url.database
    door.say(f"{'Wrote' if written else 'Kept '} {path}")
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


def _load_bundled(deps: "Deps") -> "Adopted | None":
    from notifier.adoption import adopt
    from notifier.match import profiles

    with deps.writing() as session:
        if any(one.slug == profiles.BUNDLED for one in profiles.listed(session)):
            return None
        return adopt(session, profiles.parse(profiles.bundled_file(), "the bundled profile"), deps.now())
