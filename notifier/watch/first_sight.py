"""The first sight of an entry: whether it is news, belongs to the baseline, or is old news.

Owns these rules; `entries.py` stores the entry. An entry is news whatever its own date says, with
the exceptions that are written here.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from notifier.enums import HeldBecause, SourceKind
from notifier.store.models import Source
from notifier.watch.parsers.observation import Observation, Origin
from notifier.watch.parsers.wordpress import OVERLAP

# An item of a feed with a date of so long before the last successful poll is held as old news.
OLD_NEWS = timedelta(days=90)
# Feeds date items by the day alone, or in another zone. Chosen by hand; not measured.
_INACCURACY = timedelta(days=1)
# Items without a date that a feed lists at once after it listed none: those of earlier days, not
# of one. Chosen by hand; not measured.
_FEWEST_OF_A_BACKLOG = 10


class FirstSight(NamedTuple):
    """The meaning of an entry's first state.

    Attributes:
        baseline: it was published before its source was watched.
        held_because: a `HeldBecause`, if it waits for a person; else empty.
    """

    baseline: bool
    held_because: str = ""


def has_backlog(observations: Sequence[Observation]) -> bool:
    """Return whether so many of these items have no date that they cannot be of one day."""
    undated = sum(observation.published_at is None for observation in observations)
    return undated >= _FEWEST_OF_A_BACKLOG


def judge(
    source: Source, observation: Observation, now: datetime, *, backlog: bool = False
) -> FirstSight:
    """Return what the first state of an entry means.

    Args:
        source: with the state that it had before this poll's document.
        observation: the first one of the entry.
        now: the time of the poll.
        backlog: whether the document lists many items without a date.
    """
    moment = observation.published_at
    if source.baselined_at in (None, now):
        return FirstSight(baseline=not _is_since_empty(source, moment, backlog=backlog))
    if source.kind is not SourceKind.FEED or moment is None:
        return FirstSight(baseline=False)
    is_old = _last_success(source, observation.origin) - moment > OLD_NEWS
    if observation.origin is Origin.POSTS and moment < source.baselined_at:
        # A site's list of posts also shows the edits of older posts. It was read once for longer
        # than `OLD_NEWS`, so a younger one that it did not show then was published since.
        return FirstSight(baseline=is_old or not _has_read_posts(source))
    return FirstSight(baseline=False, held_because=HeldBecause.OLD_NEWS if is_old else "")


def _is_since_empty(source: Source, moment: datetime | None, *, backlog: bool) -> bool:
    """Return whether a source that listed nothing at first has published this since then."""
    if source.empty_since is None:
        return False
    if moment is None:
        return not backlog
    return moment > source.empty_since - _INACCURACY


def _last_success(source: Source, origin: Origin) -> datetime:
    """Return the time of the last poll that read the document of this origin."""
    last = source.posts_until if origin is Origin.POSTS else source.last_success_at
    assert source.baselined_at is not None
    return last or source.baselined_at


def _has_read_posts(source: Source) -> bool:
    """Return whether all posts from before the baseline were read."""
    assert source.baselined_at is not None
    return source.posts_until is not None and source.posts_until >= source.baselined_at - OVERLAP
