"""A process that restores a backup and is killed at a line of it, for the tests."""

import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

from notifier.admin import restore
from notifier.settings import Backup
from tests.support.installation import settings_for

_WATCHED = (
    "admin/restore.py",
    "store/db/sqlite_swap.py",
    "store/db/postgres_schemas.py",
    "store/backup_state.py",
    "subscribers/departed.py",
)


class _Killer:
    """Counts the lines that are run in the files of a restore, and kills the process at one."""

    def __init__(self, at: int) -> None:
        self.count, self._at = 0, at

    def __call__(self, frame: FrameType, event: str, _argument: Any):
        if not frame.f_code.co_filename.endswith(_WATCHED):
            return None
        if event == "line":
            self.count += 1
            if self.count == self._at:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


def main() -> None:
    """Restore: database, backup, journal, moment, and the line at which to end (0: never)."""
    database, file, journal, moment, at = sys.argv[1:]
    settings = settings_for(25, database_url=database, backup=Backup(journal_file=Path(journal)))
    killer = _Killer(int(at))
    sys.settrace(killer)
    restore.restore(settings, Path(file), datetime.fromisoformat(moment))
    sys.settrace(None)
    sys.stdout.write(f"{killer.count}\n")


if __name__ == "__main__":
    main()
