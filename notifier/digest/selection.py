"""The selection of a digest's items: which matches one subscription is owed, and in which order.

Takes the matches above the subscription's position and the entries that it was sent before; returns
at most one item for each entry. Pure.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from notifier import trial_fields
from notifier.digest.folding import SHOWN_AGAIN, WITHDRAWN, Change, fold
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
# Changes of these kinds are owed to everybody.
_OWED_TO_ALL = (NewsKind.TRIAL_CHANGE, NewsKind.PAGE_CHANGE)


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
        earlier: the ids of the states before this one whose changes are told with it, in order.
        changes: what is told of a change.
        urgent: true if it cannot wait.
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
    earlier: tuple[int, ...] = ()
    changes: tuple[Change, ...] = field(default=(), compare=False)
    urgent: bool = field(default=False, compare=False)


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
        sent: the ids of entries of which this subscription was sent an earlier revision, and the
            states that it was shown already (`told_state`).
        hidden: the sections that the reader hides.
        related_alone: true where related items cannot wait for the next digest.
    """
    entries: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        if not candidate.filed and told_state(candidate.revision_id) not in sent:
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


def told_state(revision_id: int) -> int:
    """Return the number of a state among the ids of entries that were sent: none of theirs."""
    return -revision_id


def in_order(items: Iterable[Candidate]) -> list[Candidate]:
    """Return the items of a digest, most important first."""
    order = list(Section)
    return sorted(
        items, key=lambda item: (order.index(section_of(item)), -item.score, -item.position)
    )


def _item_of_entry(matches: Sequence[Candidate], *, was_sent: bool) -> Iterable[Candidate]:
    """Yield the one item that is owed of an entry, if any.

    An entry that was not sent yet is owed once, as news in its newest state. Of one that was sent,
    all changes are owed, as one. Changes of trials and pages are owed to everybody; that a page or
    record is shown again, only to those who can have been told that it was withdrawn.
    """
    states = sorted(matches, key=lambda match: (match.revision_id, match.position))
    newest = states[-1]
    is_news = any(match.kind is NewsKind.NEW for match in matches)
    if not was_sent and is_news:
        if newest.kind is not NewsKind.WITHDRAWN:
            yield replace(newest, kind=NewsKind.NEW, earlier=(), changes=())
    elif newest.kind is not NewsKind.NEW and (was_sent or newest.kind in _OWED_TO_ALL):
        yield from together([state for state in states if was_sent or _is_for_all(state)])


def _is_for_all(match: Candidate) -> bool:
    is_return = any(change["what"] == SHOWN_AGAIN for change in match.changes)
    return match.kind in _OWED_TO_ALL and not is_return


def together(states: Sequence[Candidate]) -> Iterable[Candidate]:
    """Yield the newest of an entry's states with the changes of all; nothing if they cancel out.

    Args:
        states: matches of the entry, the oldest state first; what was news of them is left out.
    """
    changed_states = [state for state in states if state.kind is not NewsKind.NEW]
    if not changed_states:
        return
    newest = changed_states[-1]
    of_record = any(state.kind is NewsKind.TRIAL_CHANGE for state in changed_states)
    if len(changed_states) == 1 or not any(state.changes for state in changed_states):
        yield newest
        return
    changes = fold([state.changes for state in changed_states], of_record=of_record)
    is_withdrawn = any(change["what"] == WITHDRAWN for change in changes)
    if not changes or (newest.kind is NewsKind.WITHDRAWN and newest.changes and not is_withdrawn):
        return
    if changes != newest.changes:
        own = {state.revision_id for state in changed_states[:-1] if state.changes}
        earlier = own.union(*(state.earlier for state in changed_states))
        urgent = any(map(_is_urgent, changes)) if of_record else newest.urgent
        newest = replace(newest, changes=changes, earlier=tuple(sorted(earlier)), urgent=urgent)
    yield newest


def _is_urgent(change: Change) -> bool:
    """Return whether a change of a trial record cannot wait."""
    of_trial = trial_fields.field_named(change["what"])
    return of_trial is not None and change["after"] in of_trial.urgent_values


def section_of(item: Candidate) -> Section:
    """Return the section that shows an item: by its kind for changes, by its tier for news."""
    by_kind = {
        NewsKind.CORRECTED: Section.CORRECTED,
        NewsKind.WITHDRAWN: Section.CORRECTED,
        NewsKind.TRIAL_CHANGE: Section.TRIALS,
        NewsKind.PAGE_CHANGE: Section.PAGE,
    }
    return by_kind.get(item.kind) or Section(str(item.tier))
