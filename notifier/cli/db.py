"""`notifier db`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import restore, shared

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from notifier.store.backup_state import LastBackup

app = shared.group("db", "The database: its schema, backup and restore.")


@app.command("status")
def status(json: shared.Json = False) -> None:
    """Show schema and last backup, and change nothing.

    Exits with 1 if it is not the one of this version.
    """
    from notifier.store import db

    engine = _engine()
    try:
        current, newest = db.migrations(engine)
        last = _last_backup(engine) if current == newest else None
    finally:
        engine.dispose()
    is_newer = current is not None and current > newest
    if json:
        shared.print_json(
            {
                "database": engine.dialect.name,
                "schema": current,
                "newest": newest,
                "ok": current == newest,
                "backed_up_at": shared.as_time(last.at) if last else None,
                "backup_file": last.file if last else None,
            }
        )
    elif current == newest:
        shared.say(f"The schema is {current}, that of this version.")
        backup_of = f"of {shared.as_time(last.at)}: {last.file}" if last else "none was made here"
        shared.say(f"The last backup: {backup_of}")
    elif is_newer:
        shared.say(
            f"The schema is {current}, of a newer notifier; this version knows {newest}. "
            "Install the newer one here, too."
        )
    else:
        shared.say(
            f"The schema is {current or 'not made yet'}, that of this version {newest}. To "
            f"upgrade it: {'notifier db upgrade' if current else 'notifier init'}"
        )
    raise typer.Exit(0 if current == newest else 1)


@app.command("upgrade")
def upgrade() -> None:
    """Upgrade the schema, also while workers run.

    Workers of the older version finish what is under way and end. On SQLite a copy of the database
    is made first.
    """
    from notifier.store import db

    engine = _engine()
    try:
        changed = db.upgrade(engine, create=False)
        if engine.dialect.name == "postgresql":
            from notifier import worker

            changed = worker.create_tables(engine) or changed
        current, _ = db.migrations(engine)
    finally:
        engine.dispose()
    shared.say(
        f"The schema is {current} now." if changed else f"Nothing to do: the schema is {current}."
    )


@app.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup, a new file.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Write the whole database into one file, and check it.

    Works while mails go out. FILE.sha256 is its checksum. Both are for their owner alone. Keep
    notifier.toml and the files that it names as well, in another place.
    """
    from notifier.admin import backup as backups
    from notifier.deps import Deps
    from notifier.settings import load
    from notifier.store import db as store
    from notifier.store import keys

    settings, moment = load(None), shared.moment(now)
    engine = store.make_engine(settings.database_url)
    try:
        store.migrations(engine)  # without a database that is said first
        keys.require(settings.suppression_key)
        deps = Deps(settings, engine, moment)
        written = backups.make(deps, file, force=force)
    finally:
        engine.dispose()
    if json:
        shared.print_json(
            {
                "file": str(written.file),
                "size": written.size,
                "database": written.contents.database,
                "schema": written.contents.schema,
                "subscriptions": written.contents.subscriptions,
            }
        )
        return
    number = shared.count(written.contents.subscriptions, "subscription")
    shared.say(
        f"Wrote {written.file}: {written.size:,} bytes, {number}. It was opened and checked."
    )


restore.register(app)


def _last_backup(engine: "Engine") -> "LastBackup | None":
    from notifier.store import backup_state, db

    with db.reading(engine) as session:
        return backup_state.last_backup(session)


def _engine() -> "Engine":
    """Return the engine of the settings' database, without the upgrade of every other command."""
    from notifier.settings import load
    from notifier.store import db, keys

    settings = load(None)
    keys.require(settings.suppression_key)
    return db.make_engine(settings.database_url)
