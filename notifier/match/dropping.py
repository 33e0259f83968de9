"""Dropped matches: what a person keeps out of all further digests, and takes back.

What was sent stays sent, and later corrections of it still go to those who got it. A reason is
stored without the addresses that a person wrote into it.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.enums import NewsKind
from notifier.errors import NotFoundError, NotifierError
from notifier.match import matches
from notifier.store.models import Match
from notifier.text.cleaning import redacted

# The kinds of news that are owed to everybody, whether or not they were sent the entry before.
_OWED_TO_ALL = (NewsKind.NEW, NewsKind.TRIAL_CHANGE, NewsKind.PAGE_CHANGE)


def drop(session: Session, match_id: int, because: str) -> Match:
    """Drop a match: it stays listed, and goes into no further digest.

    Args:
        session: a writing session; the caller commits.
        match_id: as `matches.listed` gives it.
        because: the reason, not empty.

    Raises:
        NotFoundError: there is no match with this id.
    """
    match = _find(session, match_id)
    _drop(match, because)
    return match


def drop_item(session: Session, match_id: int, shown_as: NewsKind, because: str) -> None:
    """Drop a match as an item of a digest showed it.

    An item that was shown as news is dropped with all that made it news.

    Args:
        session: a writing session; the caller commits.
        match_id: the match of the item.
        shown_as: the kind of news as which it was shown.
        because: the reason, not empty.

    Raises:
        NotFoundError: there is no match with this id.
    """
    match = _find(session, match_id)
    dropped = [match]
    if shown_as is NewsKind.NEW:
        news = select(Match).where(
            Match.profile_id == match.profile_id,
            Match.entry_id == match.entry_id,
            Match.filed.is_(False),
            Match.kind.in_(_OWED_TO_ALL),
        )
        dropped = list(session.scalars(news))
    for each in dropped:
        _drop(each, because)
    session.flush()


def restore(session: Session, match_id: int, now: datetime) -> Match:
    """Take back that a match was dropped: it gets a new place, so that it is owed again.

    Whoever was sent it before is not sent it again. One that belongs to a baseline, or to a past
    that was only filed, stays in no digest.

    Args:
        session: a writing session; the caller commits.
        match_id: as `matches.listed` gives it.
        now: when.

    Raises:
        NotFoundError: there is no match with this id.
        NotifierError: it was not dropped.
    """
    match = _find(session, match_id)
    if not match.dropped_because:
        raise NotifierError(
            f"Match {match_id} was not dropped: nothing was changed.", "See: notifier matches list"
        )
    match.dropped_because = ""
    match.restored_at = now
    if not match.filed_before:
        match.position, match.filed = matches.next_position(session, match.profile_id), False
    session.flush()
    return match


def _drop(match: Match, because: str) -> None:
    if not match.dropped_because:
        match.filed_before = match.filed
    match.filed, match.dropped_because = True, redacted(because)


def _find(session: Session, match_id: int) -> Match:
    match = session.get(Match, match_id)
    if match is None:
        raise NotFoundError(f"There is no match {match_id}.", "See: notifier matches list")
    return match
