"""The number of polls of a source by day, those that worked and those that failed.

Mails that report that nothing is new tell them, and the operator pages draw them.

Pure; `sources.py` stores it.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

# Polls are counted for the month that a mail without news reports, and some days more.
_COUNTED_DAYS = timedelta(days=40)


def with_one_more(poll_counts: Mapping[str, int] | None, now: datetime) -> dict[str, int]:
    """Return the counts with one more poll today, without days that no mail reports any more."""
    oldest, today = (now - _COUNTED_DAYS).date().isoformat(), now.date().isoformat()
    kept = {day: count for day, count in (poll_counts or {}).items() if day >= oldest}
    return {**kept, today: kept.get(today, 0) + 1}


def since(poll_counts: Mapping[str, int], day: date) -> int:
    """Return the number of polls since the beginning of a day (UTC)."""
    first = day.isoformat()
    return sum(count for counted, count in poll_counts.items() if counted >= first)
