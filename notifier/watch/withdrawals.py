"""Withdrawals: the evidence that is needed to tell readers that an entry is withdrawn.

Pure. A withdrawal is the gravest thing that readers are told, so it needs a publisher's mark on the
article itself, or a page that stays away while the rest of the site is well. What is weaker waits
for a person.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from notifier.enums import NewsKind
from notifier.store.models import Revision
from notifier.watch.parsers.observation import Observation
from notifier.watch.parsers.retraction import is_newly_marked

# How long a page must be missing while its feed does not list it, and how long a site that is
# unwell is waited for before a person is asked: the notice comes within three days. Chosen by hand;
# not measured.
_GONE_FOR, _LONGEST_WAIT = timedelta(days=1), timedelta(days=2)


class Site(StrEnum):
    """The state of the site whose page is missing.

    `well`: another article of it is there, and its front page does not fail. `alone`: no other
    article of it is known, so nobody can be asked. `unwell`: neither is clear.
    """

    WELL = "well"
    ALONE = "alone"
    UNWELL = "unwell"


class Verdict(StrEnum):
    """The consequence of a check: none yet, a withdrawal, or one that waits for a person."""

    WAIT = "wait"
    WITHDRAW = "withdraw"
    HOLD = "hold"


@dataclass(frozen=True)
class Evidence:
    """The evidence beside the missing page.

    Attributes:
        site: the state of the page's site.
        most_are_gone: whether more than one page, and more than half of those that were checked,
            are missing: the site may have moved, or refuses us.
    """

    site: Site
    most_are_gone: bool


def gone_for(missing_since: datetime, left_at: datetime | None, now: datetime) -> timedelta | None:
    """Return how long a page has been missing while its feed did not list it.

    Args:
        missing_since: the time at which it first answered that there is no such page.
        left_at: the time at which the feed no longer listed it; None if it does.
        now: the time of this check.
    """
    return None if left_at is None else now - max(missing_since, left_at)


def is_to_be_judged(entry_gone_for: timedelta | None) -> bool:
    """Return whether a page is missing for so long that its site must be looked at."""
    return entry_gone_for is not None and entry_gone_for >= _GONE_FOR


def judge(entry_gone_for: timedelta | None, evidence: Evidence) -> Verdict:
    """Return what follows from a page that is missing.

    Args:
        entry_gone_for: the result of `gone_for`.
        evidence: the evidence beside it.
    """
    if entry_gone_for is None or not is_to_be_judged(entry_gone_for):
        return Verdict.WAIT
    if evidence.most_are_gone or evidence.site is Site.ALONE:
        return Verdict.HOLD
    if evidence.site is Site.WELL:
        return Verdict.WITHDRAW
    return Verdict.HOLD if entry_gone_for >= _LONGEST_WAIT else Verdict.WAIT


def is_marked_now(newest: Revision, observation: Observation) -> bool:
    """Return whether the publisher's mark on an observation is news, and makes it withdrawn.

    What was marked when it was first seen is an article about a retraction, or was told with its
    mark. A held withdrawal was told to nobody, so that the mark counts.
    """
    if not observation.withdrawn:
        return False
    if newest.kind is NewsKind.WITHDRAWN and not newest.held_because:
        return False
    return is_newly_marked(
        observation.title, observation.categories, newest.title, newest.categories
    )
