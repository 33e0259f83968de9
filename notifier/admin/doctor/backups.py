"""Checks of backups: the newest one opens, a restore will know who left, and none waits."""

from datetime import timedelta
from pathlib import Path

from notifier.admin import backup
from notifier.admin.doctor.examined import Examined
from notifier.admin.doctor.findings import Result, failed, not_checked, ok, warning
from notifier.deliver import alerts
from notifier.errors import NotifierError
from notifier.store import backup_state, departures

# Chosen by hand; not measured.
_OLDEST_DAYS = 7
# A larger file is not read whole: that would take minutes. Chosen by hand; not measured.
_LARGEST = 2_000_000_000
_COMMAND = "\n    notifier db backup FILE"


def check_backup(examined: Examined) -> Result:
    """Open the newest backup, and look how old it is."""
    expected = f"a backup of the last {_OLDEST_DAYS} days that can be opened"
    with examined.deps.reading() as session:
        last = backup_state.last_backup(session)
    if last is None:
        return warning(expected, "none was made with notifier", f"Make one every night:{_COMMAND}")
    actual = f"of {last.at:%Y-%m-%d}, {last.file}"
    if examined.now - last.at > timedelta(days=_OLDEST_DAYS):
        return warning(expected, actual, f"Make one every night:{_COMMAND}")
    file = Path(last.file)
    if not file.exists():
        return not_checked(
            expected,
            f"{actual} is not here any more",
            f"If it was moved to a safe place, check it there: notifier db restore reads it. If it "
            f"was not:{_COMMAND}",
        )
    if file.stat().st_size > _LARGEST:
        return ok(expected, f"{actual}; it was not opened, because it is large")
    try:
        contents = backup.check(file)
    except NotifierError as error:
        return warning(
            expected, error.problem.removesuffix("."), f"Make another one, elsewhere:{_COMMAND}"
        )
    return ok(expected, f"{contents.subscriptions} subscriptions, {actual}")


def check_journal(examined: Examined) -> Result:
    """Look whether the journal of departures, which a restore reads, can be written."""
    expected = "a journal of who left that can be written"
    file = examined.settings.backup.journal_file
    if file is None:
        return not_checked(expected, "a database in memory has none")
    with examined.deps.reading() as session:
        failing_since = alerts.since(session, alerts.JOURNAL)
        reason = alerts.detail_of(session, alerts.JOURNAL)
    try:
        problem = departures.problem(file)
    except OSError as error:
        problem = f"{file}: {error.strerror}"
    if problem:
        return warning(
            expected,
            problem,
            f"Make the folder of {file}, let the user of notifier write there, or set "
            "backup.journal_file: without it a restored backup does not know who left since.",
        )
    if failing_since is not None:
        return warning(
            expected,
            f"{file} could not be written since {failing_since:%Y-%m-%d %H:%M} UTC: {reason}",
            "Make room on its disk, and let the user of notifier write there. What is missing is "
            "appended by itself, by the next run.",
        )
    return ok(expected, str(file))


def check_restore(examined: Examined) -> Result:
    """Look whether a restored database waits for a decision."""
    expected = "no restore waits for a decision"
    with examined.deps.reading() as session:
        restored = backup_state.restored(session)
    if restored is None:
        return ok(expected, "none does")
    return failed(
        expected,
        f"a backup of {restored.since:%Y-%m-%d %H:%M} UTC was put back: nothing is sent until a "
        "person decides about what was due since",
        "See what there is to decide:\n    notifier db resume",
    )
