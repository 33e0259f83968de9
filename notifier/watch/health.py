"""The health of a source, and the mail to the operator when it changes.

Pure. A source needs attention after two failed polls in a row, after it answered that it is gone,
and when it answers but has published nothing for unusually long, as abandoned feeds do.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from notifier.enums import Health
from notifier.store.models import Source

# All values were chosen by hand; not measured.

# Failed polls in a row that are reported: a single one is often over at the next poll.
FAILURES_THAT_COUNT = 2

# A feed's rhythm is known from its newest dates, if there are enough of them. It is late after so
# many times its longest gap, but not before a week.
_NEWEST_DATES, _FEWEST_DATES = 20, 5
_LONGEST_GAPS, _SHORTEST_PATIENCE = 3, timedelta(days=7)


class StateReport(StrEnum):
    """A state of a source that is reported to the operator."""

    FAILING = "failing"
    SILENT = "silent"
    GONE = "gone"
    RECOVERED = "recovered"


def health(source: Source, now: datetime) -> Health:
    """Return the health of a source."""
    if source.gone_at:
        return Health.GONE
    if source.failures:
        return Health.FAILING
    if source.expected_by is not None and source.expected_by < now:
        return Health.SILENT
    return Health.HEALTHY if source.last_success_at else Health.NEW


def expected_by(dates: Iterable[datetime], now: datetime) -> datetime | None:
    """Return the time by which a feed with items of these dates should publish something new.

    That is after the newest date three times the longest gap among the newest twenty dates, and at
    least a week.

    Returns:
        None if fewer than five different dates are known: then the feed's rhythm is unknown.
    """
    newest = sorted({date for date in dates if date <= now}, reverse=True)[:_NEWEST_DATES]
    if len(newest) < _FEWEST_DATES:
        return None
    longest = max(later - earlier for later, earlier in pairwise(newest))
    return newest[0] + max(longest * _LONGEST_GAPS, _SHORTEST_PATIENCE)


def unreported_state(source: Source, now: datetime) -> StateReport | None:
    """Return the state to report to the operator; None if it is good, or was reported already."""
    state = health(source, now)
    if state in (Health.GONE, Health.SILENT) or source.failures >= FAILURES_THAT_COUNT:
        return None if source.reported_state == state else StateReport(state)
    recovered = source.reported_state and state is not Health.FAILING
    return StateReport.RECOVERED if recovered else None


def notice(reports: Sequence[tuple[Source, StateReport]], now: datetime) -> tuple[str, str]:
    """Return the subject and the text of one mail about all sources whose state changed.

    Args:
        reports: each source with its `unreported_state`.
        now: the time of the report.
    """
    bad = [report for report in reports if report[1] is not StateReport.RECOVERED]
    good = [report for report in reports if report[1] is StateReport.RECOVERED]
    parts = []
    if bad:
        parts.append(f"{_count(len(bad))} {'needs' if len(bad) == 1 else 'need'} attention")
    if good:
        parts.append(f"{_count(len(good))} {'works' if len(good) == 1 else 'work'} again")
    paragraphs = ["\n".join(_about(source, state, now)) for source, state in (*bad, *good)]
    closing = "No entry is lost. All sources: notifier sources list"
    return "notifier: " + ", ".join(parts), "\n\n".join([*paragraphs, closing])


def _count(number: int) -> str:
    return "1 source" if number == 1 else f"{number} sources"


def _about(source: Source, state: StateReport, now: datetime) -> list[str]:
    lines = [f"{source.name} ({source.kind}, id {source.id})", source.url]
    if state is StateReport.RECOVERED:
        return [*lines, "It works again. What it published meanwhile goes into the next digests."]
    if state is StateReport.SILENT:
        since = _moment(source.changed_at) if source.changed_at else "its first poll"
        return [
            *lines,
            f"It answers, but it has published nothing since {since}, unusually long for it.",
            "Check whether the site still uses this feed.",
            "If it has another one: notifier sources add URL",
        ]
    if state is StateReport.GONE:
        return [
            *lines,
            "It answered 410 (gone for good) and is not polled again.",
            f"If it has moved: notifier sources add NEW-URL; notifier sources remove {source.id}",
        ]
    last_success = "It was never polled successfully."
    if source.last_success_at:
        last_success = f"The last successful poll was on {_moment(source.last_success_at)}."
    return [
        *lines,
        f"It failed {source.failures} times in a row: {source.last_error}.",
        last_success,
        f"It is polled again {_in(source.next_poll_at - now)}.",
        f"To try it now: notifier sources check {source.id}",
    ]


def _moment(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y at %H:%M} UTC"


def _in(wait: timedelta) -> str:
    minutes = max(round(wait.total_seconds() / 60), 1)
    return f"in {minutes} minutes" if minutes < 120 else f"in {round(minutes / 60)} hours"
