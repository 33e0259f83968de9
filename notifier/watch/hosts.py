"""Hosts whose article pages are requested: how patient and how often we are with each.

Owns the wait that a host asked for, the number of its pages a day, and its robots.txt. The pages
themselves are owned by `articles.py`. It is not asked about feeds, pages that an operator added, or
checks of pages.
"""

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlsplit

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session

from notifier.store.db import in_chunks
from notifier.store.models import Host
from notifier.text.cleaning import storable
from notifier.watch import robots
from notifier.watch.http.types import Response
from notifier.watch.polling_interval import server_requested_retry

# All values were chosen by hand; not measured.

# Article pages of one host that are requested in a day (UTC).
MOST_PAGES_A_DAY = 200
# The wait after a 429 (RFC 6585, 4) that names none, or after a robots.txt that the host could not
# show (RFC 9309, 2.3.1.4); after another sign that a host is busy; and the longest one.
WAIT_AFTER_REFUSAL, WAIT_AFTER_TROUBLE = timedelta(hours=1), timedelta(minutes=15)
LONGEST_WAIT = timedelta(days=3)
# A robots.txt is read again after this time (RFC 9309, 2.4).
ROBOTS_LAST = timedelta(hours=24)
# A host is forgotten when its robots.txt was not read for so long.
_FORGOTTEN_AFTER = timedelta(days=30)

_TOO_MANY, _UNAVAILABLE = 429, 503


def name_of(url: str) -> str:
    """Return the name under which the host of an address is stored."""
    return urlsplit(url).netloc.lower()


def many(session: Session, names: Collection[str]) -> dict[str, Host]:
    """Return the hosts with these names; one that is not known yet is made.

    Args:
        session: a writing session; the caller commits.
        names: as `name_of` returns them.
    """
    by_name: dict[str, Host] = {}
    for chunk in in_chunks(sorted(names)):
        statement = select(Host).where(Host.name.in_(chunk))
        by_name.update((host.name, host) for host in session.scalars(statement))
    for name in sorted(set(names) - set(by_name)):
        by_name[name] = Host(name=name, day="", pages=0)
        session.add(by_name[name])
    return by_name


def free_at(host: Host, now: datetime) -> datetime:
    """Return the time from which the host's pages may be requested; `now` if that is at once."""
    until = host.wait_until or now
    if host.day == _day(now) and host.pages >= MOST_PAGES_A_DAY:
        tomorrow = now.astimezone(UTC).date() + timedelta(days=1)
        until = max(until, datetime.combine(tomorrow, time(), UTC))
    return max(until, now)


def needs_robots(host: Host, now: datetime) -> bool:
    """Return whether the host's robots.txt must be read before a page is requested."""
    return host.robots_at is None or now - host.robots_at >= ROBOTS_LAST


def note_page(host: Host, response: Response, now: datetime) -> None:
    """Store that a page was requested, and the wait that the answer asks for."""
    if host.day != _day(now):
        host.day, host.pages = _day(now), 0
    host.pages += 1
    if response.status == _TOO_MANY:
        leave_alone(host, response, now, WAIT_AFTER_REFUSAL)
    elif response.status in (0, _UNAVAILABLE) and not response.refused:
        leave_alone(host, response, now, WAIT_AFTER_TROUBLE)


def leave_alone(host: Host, response: Response, now: datetime, wait: timedelta) -> None:
    """Store that the host is left alone for the time in `Retry-After`, or else for this one."""
    asked = server_requested_retry(response.headers, now)
    host.wait_until = now + min(asked or wait, LONGEST_WAIT)


def note_robots(host: Host, response: Response, now: datetime) -> None:
    """Store a robots.txt; while the host cannot show one, its pages wait (RFC 9309, 2.3.1)."""
    if response.status == 200:
        text = response.body[: robots.LONGEST].decode("utf-8", "replace")
        host.robots, host.robots_at = storable(text), now
    elif response.refused or (400 <= response.status < 500 and response.status != _TOO_MANY):
        host.robots, host.robots_at = "", now
    else:
        leave_alone(host, response, now, WAIT_AFTER_REFUSAL)


def unused(now: datetime) -> Select[str]:
    """Select the hosts whose pages were not requested for a month."""
    long_ago = now - _FORGOTTEN_AFTER
    never_read = Host.robots_at.is_(None) & (Host.wait_until < long_ago)
    return select(Host.name).where(or_(Host.robots_at < long_ago, never_read))


def forget_unused(session: Session, now: datetime) -> None:
    """Remove the hosts whose pages were not requested for a month."""
    session.execute(delete(Host).where(Host.name.in_(unused(now))))


def _day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()
