"""The journal of departures is kept complete: what could not be appended is appended later.

A transaction appends who left after its commit (`Deps.writing`). Where the process ended in
between, or the disk was full, the database knows it and the journal does not: this step compares
them, and reports once that the journal cannot be written.
"""

from datetime import datetime, timedelta

from notifier.deliver import alerts
from notifier.deliver.alerts import JOURNAL, JOURNAL_REPORTED, Trouble
from notifier.deps import Deps
from notifier.pipeline.notices import enqueue_for_operator
from notifier.store import departures
from notifier.store.departures import Departure
from notifier.subscribers import departed

# How far before the first failure it is looked for what is missing, and how far back once a day.
# Chosen by hand; not measured.
_BEFORE_FAILURE, _EACH_DAY = timedelta(hours=1), timedelta(days=3)


def run(deps: Deps) -> None:
    """Append what failed before; mail the operator once if that fails again, and once when not."""
    with deps.reading() as session:
        failing_since = alerts.since(session, JOURNAL)
        if failing_since is None:
            return
        reason, is_reported = (
            alerts.detail_of(session, JOURNAL),
            alerts.since(session, JOURNAL_REPORTED) is not None,
        )
    now = deps.now()
    try:
        complete(deps, failing_since - _BEFORE_FAILURE)
    except OSError as error:
        if not is_reported:
            _report(deps, error.strerror or reason, now)
        return
    with deps.writing() as session:
        alerts.forget(session, JOURNAL)
        alerts.forget(session, JOURNAL_REPORTED)
        if is_reported:
            subject = "notifier: the journal of departures is written again"
            text = "What was missing in it was appended. Nothing was lost."
            enqueue_for_operator(deps, session, subject, text, now)


def _report(deps: Deps, reason: str, now: datetime) -> None:
    file = deps.settings.backup.journal_file
    text = (
        f"The journal of departures cannot be written: {file}: {reason}.\n\n"
        "Everybody who left has left, and no mail goes to them. But if the database were lost now, "
        "a restored backup would not know who left since it was made.\n\n"
        "Make its folder, make room on its disk, or let the user of notifier write there; or set "
        "backup.journal_file. What is missing is appended by itself."
    )
    with deps.writing() as session:
        alerts.begin(session, Trouble(JOURNAL_REPORTED, reason, ""), now)
        subject = "notifier: the journal of departures cannot be written"
        enqueue_for_operator(deps, session, subject, text, now)


def complete_daily(deps: Deps, now: datetime) -> None:
    """Append what a process that was killed did not.

    Raises:
        OSError: the journal cannot be read or written.
    """
    complete(deps, now - _EACH_DAY)


def complete(deps: Deps, since: datetime) -> int:
    """Append the departures since a time that the journal lacks; return how many.

    Raises:
        OSError: the journal cannot be read or written.
    """
    backup = deps.settings.backup
    if backup.journal_file is None:
        return 0
    with deps.reading() as session:
        name = departures.installation_name(session)
        stored = [line.departure for line in departed.since(session, since)]
    if not stored:
        return 0
    journal = departures.read([backup.journal_file], name)
    known = {_key(line.departure) for line in journal.lines if line.at >= since}
    missing = [each for each in stored if _key(each) not in known]
    departures.append(backup.journal_file, missing, deps.now(), backup.journal_days)
    return len(missing)


def _key(departure: Departure) -> tuple[str, str, str]:
    return departure.kind, departure.address, departure.subscription
