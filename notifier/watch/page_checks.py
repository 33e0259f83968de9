"""Checks of entries' own pages: which are due, and whether a page is still there.

Reads only; `entries.py` stores the result.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from notifier.i18n.messages import LazyMessage
from notifier.store.db import in_chunks
from notifier.store.models import Entry, Match
from notifier.watch.http.types import Purpose, Request, Response

# All values were chosen by hand; not measured.

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
# An entry is checked while it is younger than the oldest entry of its feed's window, and so much
# longer, but never longer than a year.
_AFTER_THE_WINDOW, _LONGEST = timedelta(days=7), timedelta(days=365)
# Checks of one source at once, of its newest entries.
_MOST_CHECKS = 50
# If at least so many pages of a site, and more than half of those that were checked, are missing at
# once, the site has moved: nobody withdraws most of what they wrote.
_FEWEST_OF_A_MOVE = 3
# A page that is gone (RFC 9110, 15.5.5 and 15.5.11).
_MISSING_STATUSES = (404, 410)


class PageState(StrEnum):
    """The result of a check of an entry's page."""

    PRESENT = "present"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class PageCheck:
    """The result of a check, and how the site says that the page is missing.

    Attributes:
        state: whether the page is there; an outage or a refusal leaves it unknown.
        answer: a clause such as ``leads to the site's front page``; empty unless it is missing.
    """

    state: PageState
    answer: str = ""


PRESENT, UNKNOWN = PageCheck(PageState.PRESENT), PageCheck(PageState.UNKNOWN)


def judge_response(response: Response) -> PageCheck:
    """Return whether the requested page is there, as the response says."""
    if response.status in _MISSING_STATUSES:
        answer = LazyMessage(
            "answers that there is no such page (%(status)s)", status=response.status
        )
        return PageCheck(PageState.MISSING, answer)
    leads_to_front_page = _is_front_page(response.url) and not _is_front_page(response.request.url)
    if response.status == 200 and leads_to_front_page:
        return PageCheck(PageState.MISSING, LazyMessage("leads to the site's front page"))
    return UNKNOWN if response.error or response.status >= 400 else PRESENT


def _is_front_page(url: str) -> bool:
    return urlsplit(url).path in ("", "/")


def is_moved_site(checks: Collection[PageCheck]) -> bool:
    """Return whether so many pages of a site are missing at once that it must have moved."""
    missing = sum(check.state is PageState.MISSING for check in checks)
    return missing >= _FEWEST_OF_A_MOVE and missing * 2 > len(checks)


def of_entries(session: Session, entry_ids: Collection[int], now: datetime) -> list[Request]:
    """Return the checks of entries that a feed no longer lists: of the newest fifty of them.

    Entries that were checked within the last hour, or match no profile, are left out.
    """
    newest = sorted(entry_ids)[-_MOST_CHECKS:]
    if not newest:
        return []
    statement = _checkable().where(Entry.id.in_(newest), ~_checked_within(now, _HOUR))
    return [_check(entry) for entry in session.scalars(statement)]


def due(session: Session, source_ids: Sequence[int], now: datetime) -> list[Request]:
    """Return the daily checks that are due for these sources.

    An entry that matches a profile is checked once a day while it is younger than its feed's window
    and a week more: the newest fifty of each source.
    """
    checks = []
    for chunk in in_chunks(source_ids):
        candidates = _unchecked_today(session, chunk, now)
        windows = _oldest_listed(session, candidates)
        for source_id in chunk:
            since = windows.get(source_id, now) - _AFTER_THE_WINDOW
            young = [
                entry
                for entry in candidates.get(source_id, ())
                if (entry.published_at or entry.first_seen_at) > since
            ]
            checks += [_check(entry) for entry in young[:_MOST_CHECKS]]
    return checks


def _unchecked_today(
    session: Session, source_ids: Sequence[int], now: datetime
) -> dict[int, list[Entry]]:
    """Return the entries of the last year that were not checked today, by source, newest first."""
    statement = _checkable().where(
        Entry.source_id.in_(source_ids),
        Entry.first_seen_at.between(now - _LONGEST, now - _DAY),
        ~_checked_within(now, _DAY),
    )
    by_source: dict[int, list[Entry]] = {}
    for entry in session.scalars(statement.order_by(Entry.id.desc())):
        by_source.setdefault(entry.source_id, []).append(entry)
    return by_source


def _oldest_listed(session: Session, source_ids: Mapping[int, object]) -> dict[int, datetime]:
    """Return the date of the oldest entry that each source still lists: where its window begins."""
    if not source_ids:
        return {}
    dated = func.coalesce(Entry.published_at, Entry.first_seen_at)
    statement = (
        select(Entry.source_id, func.min(dated))
        .where(Entry.source_id.in_(source_ids), Entry.left_at.is_(None))
        .group_by(Entry.source_id)
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def _checkable() -> Select[Entry]:
    matches_a_profile = select(Match.id).where(Match.entry_id == Entry.id).exists()
    return select(Entry).where(Entry.url != "", matches_a_profile)


def _checked_within(now: datetime, span: timedelta) -> ColumnElement[bool]:
    return and_(Entry.checked_at.is_not(None), Entry.checked_at > now - span)


def _check(entry: Entry) -> Request:
    return Request(entry.source_id, entry.url, purpose=Purpose.CHECK, entry_id=entry.id)
