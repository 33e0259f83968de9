"""The time between two polls of a source.

Pure. The wait is the longer one of our own and of that which the server requests. Our own grows
with the time since the source last changed, so that a busy feed is polled often and a quiet page
seldom, up to six hours; failures double it. The server requests a wait by `Cache-Control: max-age`
and `Expires` (RFC 9111, 5.2.2.1 and 5.3), `Retry-After` (RFC 9110, 10.2.3) and the feed's `ttl`
(RSS 2.0), each up to a limit, because a publisher's mistake must not end the polling.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# All values were chosen by hand; not measured.

LONGEST_OF_OURS = timedelta(hours=6)
LONGEST_FRESHNESS = timedelta(hours=24)
LONGEST_RETRY = timedelta(days=7)

# The wait is this part of the time since the last change: a source that changed a day ago is polled
# every hour, one that changed a week ago every six hours (the longest wait of ours).
_SHARE_OF_QUIET = 24
# Each source's wait is shortened by up to this part, so that sources of one host spread out.
_JITTER = 0.1
_SECONDS = re.compile(r"([0-9]+)(?:\.[0-9]*)?")
# The least wait after "too many requests" (RFC 6585, 4), which may name none.
_AFTER_TOO_MANY, _TOO_MANY = timedelta(hours=1), 429
# Failures after which the doubled wait is at its limit in any case.
_MOST_DOUBLINGS = 20


def next_wait(
    source_id: int,
    interval: timedelta,
    quiet_for: timedelta,
    *,
    failures: int = 0,
    headers: Mapping[str, str] | None = None,
    ttl_minutes: int = 0,
    now: datetime | None = None,
) -> timedelta:
    """Return the time until the next poll of a source.

    Args:
        source_id: gives each source a jitter of its own.
        interval: the operator's shortest wait (`watch.interval_minutes`).
        quiet_for: the time since the source last changed.
        failures: the number of polls that failed in a row, this one included.
        headers: of the answer, names in lower case.
        ttl_minutes: the feed's own `ttl`; 0 if it has none.
        now: the time with which `Expires` and a dated `Retry-After` are compared if the answer has
            no `Date`.
    """
    ours = max(interval, min(quiet_for / _SHARE_OF_QUIET, LONGEST_OF_OURS))
    if failures:
        doubled = interval * 2 ** min(failures - 1, _MOST_DOUBLINGS)
        ours = max(interval, min(doubled, LONGEST_OF_OURS))
    ours *= 1 - _JITTER * _fraction(source_id)
    return max(ours, server_requested_wait(headers or {}, ttl_minutes, now))


def least_wait_after(status: int) -> timedelta:
    """Return the least wait after an answer with this status: an hour after 429."""
    return _AFTER_TOO_MANY if status == _TOO_MANY else timedelta(0)


def server_requested_wait(
    headers: Mapping[str, str], ttl_minutes: int = 0, now: datetime | None = None
) -> timedelta:
    """Return the longest wait that the server requests, each kind within its limit; 0 for none."""
    served_at = _date(headers.get("date", "")) or now
    fresh = max(timedelta(minutes=max(ttl_minutes, 0)), _freshness(headers, served_at))
    retry = _retry_after(headers.get("retry-after", ""), served_at)
    return max(min(fresh, LONGEST_FRESHNESS), min(retry, LONGEST_RETRY))


def server_requested_retry(headers: Mapping[str, str], now: datetime) -> timedelta:
    """Return the wait in `Retry-After` (RFC 9110, 10.2.3), at most seven days; 0 for none."""
    served_at = _date(headers.get("date", "")) or now
    return min(_retry_after(headers.get("retry-after", ""), served_at), LONGEST_RETRY)


def _freshness(headers: Mapping[str, str], served_at: datetime | None) -> timedelta:
    """Return `max-age` less `Age`; without it `Expires` counts (RFC 9111, 4.2.1 and 5.3)."""
    control = headers.get("cache-control", "").lower()
    if "no-cache" in control or "no-store" in control:
        return timedelta(0)
    if max_age := re.search(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", control):
        age = headers.get("age", "").strip()
        seconds = int(max_age[1]) - (int(age[:9]) if age.isdecimal() else 0)
        return timedelta(seconds=max(seconds, 0))
    expires = _date(headers.get("expires", ""))
    return max(expires - served_at, timedelta(0)) if expires and served_at else timedelta(0)


def _retry_after(text: str, served_at: datetime | None) -> timedelta:
    text = text.strip()
    # Some servers write a part of a second, too.
    if seconds := _SECONDS.fullmatch(text):
        return timedelta(seconds=int(seconds[1][:9]))
    moment = _date(text)
    return max(moment - served_at, timedelta(0)) if moment and served_at else timedelta(0)


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _fraction(source_id: int) -> float:
    """Return a number from 0 to 1 that is always the same for a source."""
    return int.from_bytes(hashlib.sha256(str(source_id).encode()).digest()[:4], "big") / 2**32
