"""The selection of a digest's items: which matches one subscription is owed, and in which order.

Takes the matches above the subscription's position and the entries that it was sent before; returns
at most one item for each entry. Pure.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from notifier.enums import NewsKind, Tier


class Section(StrEnum):
    """A part of a digest; the members are in the order in which a digest shows them."""

    CORRECTED = "corrected"
    ABOUT = "about"
    TRIALS = "trials"
    PAGE = "page"
    MENTION = "mention"
    RELATED = "related"


# The sections that a reader can hide. Corrections and news about the therapy itself cannot be
# hidden: without them there would be no digest.
OPTIONAL = (Section.TRIALS, Section.PAGE, Section.MENTION, Section.RELATED)


@dataclass(frozen=True)
class Candidate:
    """A match as the selection needs it.

    Attributes:
        match_id: the match.
        position: its place in the profile's match sequence.
        entry_id: the entry that matched.
        kind: news, or which kind of change.
        tier: how closely it concerns the therapy.
        score: 0 to 1; orders the items of a section.
        filed: true if it is owed to nobody, because it belongs to a baseline or to the past.
        revision_id: the state of the entry; a state that was held may be matched after newer ones.
        restored: true if a person took back that it was dropped; some may have been sent it before.
    """

    match_id: int
    position: int
    entry_id: int
    kind: NewsKind
    tier: Tier
    score: float
    filed: bool = False
    revision_id: int = 0
    restored: bool = False


def select_items(
    candidates: Sequence[Candidate],
    sent: Collection[int],
    hidden: Collection[str] = (),
    *,
    related_alone: bool = False,
) -> list[Candidate]:
    """Select the items of a digest, most important first; none if only related ones are owed.

    Args:
        candidates: those above the subscription's position, in the order of the match sequence.
        sent: the ids of entries of which this subscription was sent an earlier revision.
        hidden: the sections that the reader hides.
        related_alone: true where related items cannot wait for the next digest.
    """
    entries: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        if not candidate.filed:
            entries.setdefault(candidate.entry_id, []).append(candidate)
    items = [
        item
        for entry_id, matches in entries.items()
        for item in _item_of_entry(matches, was_sent=entry_id in sent)
        if section_of(item) not in hidden
    ]
    if not related_alone and all(section_of(item) is Section.RELATED for item in items):
        return []
    return in_order(items)


def in_order(items: Iterable[Candidate]) -> list[Candidate]:
    """Return the items of a digest, most important first."""
    order = list(Section)
    return sorted(
        items, key=lambda item: (order.index(section_of(item)), -item.score, -item.position)
    )


def _item_of_entry(matches: Sequence[Candidate], *, was_sent: bool) -> Iterable[Candidate]:
    """Yield the one item that is owed of an entry, if any.

    An entry that was not sent yet is owed once, as news in its newest state. Of one that was sent,
    the newest change is owed. Changes of trials and pages are owed to everybody.
    """
    newest = max(matches, key=lambda match: (match.revision_id, match.position))
    is_news = any(match.kind is NewsKind.NEW for match in matches)
    if not was_sent and is_news:
        if newest.kind is not NewsKind.WITHDRAWN:
            yield replace(newest, kind=NewsKind.NEW)
    elif newest.kind is not NewsKind.NEW and (
        was_sent or newest.kind in (NewsKind.TRIAL_CHANGE, NewsKind.PAGE_CHANGE)
    ):
        yield newest


def section_of(item: Candidate) -> Section:
    """Return the section that shows an item: by its kind for changes, by its tier for news."""
    by_kind = {
        NewsKind.CORRECTED: Section.CORRECTED,
        NewsKind.WITHDRAWN: Section.CORRECTED,
        NewsKind.TRIAL_CHANGE: Section.TRIALS,
        NewsKind.PAGE_CHANGE: Section.PAGE,
    }
    return by_kind.get(item.kind) or Section(str(item.tier))
