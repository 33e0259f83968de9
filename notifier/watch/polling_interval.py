"""Rhythm: when a source is asked next.

Pure. The wait is the longest of what we would like and what the server asks for. Our own wish grows
with the time since the source last changed, so that a busy feed is asked often and a quiet page
seldom, up to six hours; failures double it. The server speaks by `Cache-Control: max-age`,
`Expires` (RFC 9111, 5.2.2.1 and 5.3), `Retry-After` (RFC 9110, 10.2.3) and the feed's own `ttl`
(RSS 2.0), each up to a cap, because a slip of a publisher must not end the watching.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST_OF_OURS = timedelta(hours=6)
LONGEST_FRESHNESS = timedelta(hours=24)
LONGEST_RETRY = timedelta(days=7)

# A source that changed a day ago is asked every hour, one that changed a week ago every six (the
# longest of ours).
_SHARE_OF_QUIET = 24
_JITTER = 0.1


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
    """How long to leave a source alone.

    Args:
        source_id: gives the source its own jitter, so that sources of one host do not come all at
            once.
        interval: the operator's shortest wait (`watch.interval_minutes`).
        quiet_for: how long ago the source last changed.
        failures: how many polls failed in a row, this one included.
        headers: of the answer, names in lower case.
        ttl_minutes: what the feed itself asks for.
        now: against which an `Expires` or a dated `Retry-After` is told when the answer has no
            `Date`.
    """
    ours = max(interval, min(quiet_for / _SHARE_OF_QUIET, LONGEST_OF_OURS))
    if failures:
        ours = max(interval, min(interval * 2 ** min(failures - 1, 20), LONGEST_OF_OURS))
    ours *= 1 - _JITTER * _fraction(source_id)
    return max(ours, server_requested_wait(headers or {}, ttl_minutes, now))


def server_requested_wait(
    headers: Mapping[str, str], ttl_minutes: int = 0, now: datetime | None = None
) -> timedelta:
    """The longest wait that the server asks for, each wish within its cap; zero where it asks for none."""
    served_at = _date(headers.get("date", "")) or now
    fresh = max(timedelta(minutes=max(ttl_minutes, 0)), _freshness(headers, served_at))
    retry = _retry_after(headers.get("retry-after", ""), served_at)
    return max(min(fresh, LONGEST_FRESHNESS), min(retry, LONGEST_RETRY))


def _freshness(headers: Mapping[str, str], served_at: datetime | None) -> timedelta:
    """`max-age`, which wins over `Expires` (RFC 9111, 5.3), less the time the answer lay in caches."""
    control = headers.get("cache-control", "").lower()
    if "no-cache" in control or "no-store" in control:
        return timedelta(0)
    if found := re.search(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", control):
        age = headers.get("age", "").strip()
        return max(
            timedelta(seconds=int(found[1]) - (int(age[:9]) if age.isdecimal() else 0)),
            timedelta(0),
        )
    expires = _date(headers.get("expires", ""))
    return max(expires - served_at, timedelta(0)) if expires and served_at else timedelta(0)


def _retry_after(text: str, served_at: datetime | None) -> timedelta:
    text = text.strip()
    if text.isdecimal() and text.isascii():
        return timedelta(seconds=int(text[:9]))
    moment = _date(text)
    return max(moment - served_at, timedelta(0)) if moment and served_at else timedelta(0)


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _fraction(source_id: int) -> float:
    """A number from 0 to 1 that is always the same for a source."""
    return int.from_bytes(hashlib.sha256(str(source_id).encode()).digest()[:4], "big") / 2**32
