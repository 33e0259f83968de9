"""Backup state: when this database was backed up, and whether a restore waits for a decision.

Owns five columns of `Installation`. The time at which a backup began is stored before it is made:
so each backup contains its own time, from which the gap is counted when it is restored.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from notifier.store.models import Installation


@dataclass(frozen=True)
class LastBackup:
    """The last backup that was completed and checked.

    Attributes:
        at: the time at which it began.
        file: its path on the machine where it was made.
    """

    at: datetime
    file: str


@dataclass(frozen=True)
class Restored:
    """A restore after which a person has not decided yet what is sent.

    Attributes:
        at: the time of the restore.
        since: the time of the backup; what happened between the two is not in the database.
    """

    at: datetime
    since: datetime


def begin_backup(session: Session, now: datetime) -> None:
    """Store the time at which a backup begins."""
    session.execute(update(Installation).values(backup_began_at=now))


def note_backup(session: Session, began_at: datetime, file: str) -> None:
    """Store that a backup was completed and checked."""
    session.execute(update(Installation).values(backed_up_at=began_at, backup_file=file))


def last_backup(session: Session) -> LastBackup | None:
    """Return the last backup; None if there was none."""
    at, file = session.execute(select(Installation.backed_up_at, Installation.backup_file)).one()
    return None if at is None else LastBackup(at, file)


def note_restored(session: Session, now: datetime) -> datetime:
    """Store that this is a restored database; return the time of its backup.

    A backup of a version that did not store its time counts from the newest time that was seen.
    """
    began_at, newest, ran_at = session.execute(
        select(Installation.backup_began_at, Installation.newest_time, Installation.ran_at)
    ).one()
    since: datetime = min(began_at or newest or ran_at or now, now)
    session.execute(update(Installation).values(restored_at=now, restored_from=since))
    return since


def restored(session: Session) -> Restored | None:
    """Return the restore that waits for a decision; None if there is none."""
    at, since = session.execute(select(Installation.restored_at, Installation.restored_from)).one()
    return None if at is None else Restored(at, since or at)


def end_restore(session: Session) -> None:
    """Store that everything was decided after a restore."""
    session.execute(update(Installation).values(restored_at=None, restored_from=None))
