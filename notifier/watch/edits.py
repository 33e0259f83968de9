"""Edits: which observations are another state of a known entry, and how the two states differ.

Pure: works on entries and revisions that were loaded before. Owns which of the known states an
observation is compared with: readings of different origins (a feed's teaser, the whole post) are
not held against each other.
"""

from dataclasses import dataclass

from notifier.enums import NewsKind
from notifier.store.models import Entry, Revision
from notifier.watch.diff import Difference, State, comparable, compare, contains_changes
from notifier.watch.parsers.observation import Observation

# Texts of so many characters together are compared inside a transaction, too.
_SHORT = 20_000


@dataclass(frozen=True)
class Known:
    """What is known of an entry: its newest state, and its newest of the origin that an observation is of."""

    newest: Revision
    same_origin: Revision

    @classmethod
    def of(cls, entry: Entry, observation: Observation) -> "Known":
        """What of an entry an observation is to be compared with."""
        newest = entry.revisions[-1]
        same = (
            revision
            for revision in reversed(entry.revisions)
            if revision.origin == observation.origin
        )
        return cls(newest, next(same, newest))

    def is_short_beside(self, observation: Observation) -> bool:
        """Whether the two are compared so fast that a transaction may wait for it."""
        return len(_state(self.same_origin)["text"]) + len(_state(observation)["text"]) <= _SHORT


# The hashes and the origins of the states that were compared.
Compared = tuple[str, str, str, str, str]


def is_edit(entry: Entry, observation: Observation) -> bool:
    """Whether an observation is to be compared with what is known of its entry."""
    newest = entry.revisions[-1]
    return (
        newest.hash != observation.hash
        and newest.kind is not NewsKind.WITHDRAWN
        and not observation.withdrawn
    )


def states_of(known: Known, observation: Observation) -> Compared:
    """Which states are compared: what their difference is known by."""
    return (
        known.same_origin.hash,
        known.newest.hash,
        known.same_origin.origin,
        observation.hash,
        observation.origin,
    )


def difference_of(states: Known, observation: Observation) -> Difference | None:
    """How an observation differs from the known state it is compared with; None where it is no state of its own.

    The first reading of another origin is a state of its own only if it is the whole text of what
    was a teaser, or if it tells an edit; it is news only if it tells an edit. An edit that another
    reading told before is no news.
    """
    newest, known = states.newest, states.same_origin
    if known.hash == observation.hash:
        return None
    old, new = _state(known), _state(observation)
    if known.origin != observation.origin and not comparable(old["text"], new["text"]):
        return Difference((), material=False) if len(new["text"]) > len(old["text"]) else None
    difference = compare(old, new)
    if known.origin != observation.origin and not difference.material:
        return None
    if newest is not known and contains_changes(difference, _state(newest)):
        return Difference(difference.changes, material=False)
    return difference


def _state(state: Revision | Observation) -> State:
    return State(title=state.title, text=state.body or state.summary, content=state.content)
