"""Backups and restores of an installation, as the tests make them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.schema import DropSchema

from notifier.admin import backup, restore
from notifier.settings import Backup, Operator
from notifier.store import keys
from tests.support.installation import MONDAY, SUPPRESSION_KEY, Installation


@contextmanager
def restorable(installation: Installation, folder: Path) -> Iterator[Installation]:
    """Give an installation its own address of the database and a journal; tidy up afterwards."""
    engine = installation.at(MONDAY).engine
    keys.adopt(engine, SUPPRESSION_KEY)
    installation.change(
        database_url=engine.url.render_as_string(hide_password=False),
        backup=Backup(journal_file=folder / "notifier.departures"),
        operator=Operator(address="office@example.org"),
    )
    yield installation
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            for name in inspect(connection).get_schema_names():
                if name.startswith("replaced_"):
                    connection.execute(DropSchema(name, cascade=True))


def back_up(installation: Installation, file: Path, moment: datetime) -> Path:
    """Make a backup at a moment."""
    return backup.make(installation.at(moment), file).file


def put_back(installation: Installation, file: Path, moment: datetime) -> restore.Restored:
    """Restore a backup at a moment, after everything that uses the database was stopped."""
    deps = installation.at(moment)
    deps.engine.dispose()
    return restore.restore(deps.settings, file, moment)


def lose_database(installation: Installation) -> None:
    """Delete the database and what it left, as a broken disk does; on PostgreSQL, its tables."""
    engine = installation.at(MONDAY).engine
    engine.dispose()
    if engine.dialect.name == "sqlite":
        database = Path(engine.url.database)
        for path in database.parent.glob(f"{database.name}*"):
            if path.suffix != ".departures":
                path.unlink()
        return
    with engine.begin() as connection:
        connection.execute(DropSchema("public", cascade=True))
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()
