"""Select: what of all that matched belongs into one person's digest, and in which order.

Pure. In: the candidates above a person's place in the match sequence, and the entries they were
told of before. Out: the items, one an entry.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from notifier.enums import NewsKind, Tier


class Section(StrEnum):
    """The parts of a digest, in their order."""

    CORRECTED = "corrected"
    ABOUT = "about"
    TRIALS = "trials"
    PAGE = "page"
    MENTION = "mention"
    RELATED = "related"


# What a reader may do without. Corrections of what they were told, and the therapy itself, are the
# digest.
OPTIONAL = (Section.TRIALS, Section.PAGE, Section.MENTION, Section.RELATED)


@dataclass(frozen=True)
class Candidate:
    """A match that may go out, as far as choosing needs it."""

    match_id: int
    position: int
    entry_id: int
    kind: NewsKind
    tier: Tier
    score: float
    filed: bool = False


def select_items(
    candidates: Sequence[Candidate], told: Collection[int], hidden: Collection[str] = ()
) -> list[Candidate]:
    """The items of a digest, most important first; nothing when only related ones are owed.

    Args:
        candidates: above the person's place in the match sequence, in its order.
        told: entries of which this person was sent an earlier revision.
        hidden: the parts of a digest that this person does without.
    """
    entries: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        if not candidate.filed:
            entries.setdefault(candidate.entry_id, []).append(candidate)
    chosen = [
        item
        for entry_id, found in entries.items()
        for item in _of_entry(found, told=entry_id in told)
    ]
    chosen = [item for item in chosen if section_of(item) not in hidden]
    if all(section_of(item) is Section.RELATED for item in chosen):
        return []
    order = list(Section)
    return sorted(
        chosen, key=lambda item: (order.index(section_of(item)), -item.score, -item.position)
    )


def _of_entry(found: Sequence[Candidate], *, told: bool) -> Iterable[Candidate]:
    """What a person is owed of one entry: its news once, in the newest state, or how it changed since they read it."""
    newest = found[-1]
    first = next((one for one in found if one.kind is NewsKind.NEW), None)
    if not told and first is not None:
        if newest.kind is not NewsKind.WITHDRAWN:
            # Not sent yet: it goes out as new, in the state (and with the match) it has now.
            yield Candidate(
                newest.match_id,
                newest.position,
                newest.entry_id,
                NewsKind.NEW,
                newest.tier,
                newest.score,
            )
    elif newest.kind is not NewsKind.NEW and (
        told or newest.kind in (NewsKind.TRIAL_CHANGE, NewsKind.PAGE_CHANGE)
    ):
        yield newest


def section_of(item: Candidate) -> Section:
    """The part of the digest an item stands in."""
    by_kind = {
        NewsKind.CORRECTED: Section.CORRECTED,
        NewsKind.WITHDRAWN: Section.CORRECTED,
        NewsKind.TRIAL_CHANGE: Section.TRIALS,
        NewsKind.PAGE_CHANGE: Section.PAGE,
    }
    return by_kind.get(item.kind) or Section(str(item.tier))
