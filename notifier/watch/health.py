"""Health: how a source fares, and the words in which its operator is told when that changes.

Pure. A source is bad when two polls in a row failed, when it said that it is gone, or when it
answers but has published nothing for longer than its own rhythm: that is how feeds die that nobody
switched off.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from notifier.enums import Health
from notifier.store.models import Source

# One failed poll is weather; the next one, half an hour later, is a fault.
FAILURES_THAT_COUNT = 2

_DATES_LOOKED_AT = 20
_FEWEST_DATES = 5
_LONGEST_GAPS = 3
_SHORTEST_PATIENCE = timedelta(days=7)


def health(source: Source, now: datetime) -> Health:
    """How a source fares at this moment."""
    if source.gone_at:
        return Health.GONE
    if source.failures:
        return Health.FAILING
    if source.expected_by is not None and source.expected_by < now:
        return Health.SILENT
    return Health.HEALTHY if source.last_success_at else Health.NEW


def expected_by(dates: Iterable[datetime], now: datetime) -> datetime | None:
    """When a feed with items of these dates should have published something new at the latest.

    That is three times the longest gap among its newest twenty dates, and a week at least, after
    the newest of them.

    Returns:
        None where fewer than five dates are known, or where all of them are the same: such a feed
        shows no rhythm.
    """
    newest = sorted({date for date in dates if date <= now}, reverse=True)[:_DATES_LOOKED_AT]
    if len(newest) < _FEWEST_DATES:
        return None
    longest = max(later - earlier for later, earlier in pairwise(newest))
    return newest[0] + max(longest * _LONGEST_GAPS, _SHORTEST_PATIENCE)


def to_tell(source: Source, now: datetime) -> str:
    """What the operator should know of a source and was not told: its bad state, ``recovered``, or nothing."""
    state = health(source, now)
    bad = state in (Health.GONE, Health.SILENT) or source.failures >= FAILURES_THAT_COUNT
    if bad:
        return "" if source.reported_state == state else str(state)
    return "recovered" if source.reported_state and state is not Health.FAILING else ""


def notice(turned: Sequence[tuple[Source, str]], now: datetime) -> tuple[str, str]:
    """The subject and the text of one mail about all sources whose state changed.

    Args:
        turned: each source with what `to_tell` says of it.
        now: when it is told.
    """
    bad = [one for one in turned if one[1] != "recovered"]
    good = [one for one in turned if one[1] == "recovered"]
    subject = (
        [f"{_count(len(bad))} {'needs' if len(bad) == 1 else 'need'} attention"] if bad else []
    )
    subject += (
        [f"{_count(len(good))} {'works' if len(good) == 1 else 'work'} again"] if good else []
    )
    paragraphs = ["\n".join(_about(source, state, now)) for source, state in (*bad, *good)]
    closing = "Nothing was lost or forgotten. All sources: notifier sources list"
    return "notifier: " + ", ".join(subject), "\n\n".join([*paragraphs, closing])


def _count(number: int) -> str:
    return "1 source" if number == 1 else f"{number} sources"


def _about(source: Source, state: str, now: datetime) -> list[str]:
    lines = [f"{source.name} ({source.kind}, id {source.id})", source.url]
    last = (
        f"It last answered well on {_moment(source.last_success_at)}."
        if source.last_success_at
        else ""
    )
    if state == "recovered":
        return [*lines, "It works again. What it published meanwhile goes into the next digests."]
    if state == Health.SILENT:
        since = _moment(source.changed_at) if source.changed_at else "it was first read"
        return [
            *lines,
            f"It answers, but it has published nothing since {since}, which is longer than its own rhythm.",
            "Look whether the site still uses this feed; if it has another one: notifier sources add URL",
        ]
    if state == Health.GONE:
        return [
            *lines,
            "It answered 410, gone for good, and is not asked again.",
            f"If it has moved: notifier sources add NEW-URL, then: notifier sources remove {source.id}",
        ]
    wait = source.next_poll_at - now
    return [
        *lines,
        f"It failed {source.failures} times in a row: {source.last_error}.",
        last or "It never answered well.",
        f"It is asked again {_in(wait)}. To try it now: notifier sources check {source.id}",
    ]


def _moment(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y at %H:%M} UTC"


def _in(wait: timedelta) -> str:
    minutes = max(round(wait.total_seconds() / 60), 1)
    return f"in {minutes} minutes" if minutes < 120 else f"in {round(minutes / 60)} hours"
