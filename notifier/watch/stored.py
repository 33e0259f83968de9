"""Counts of what was stored of a document: values that the poll adds up."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stored:
    """The result of storing the observations of one document.

    Attributes:
        seen: the number of observations.
        new: those that are new entries.
        changed: those that are known entries in a new state.
        withdrawn: those of the changed ones that are now marked as withdrawn.
        postponed: those that changed too often today, or could not be compared in time; they are
            stored by a later poll.
        entry_ids: the entries that were observed.
        new_ids: those of them that are new.
    """

    seen: int = 0
    new: int = 0
    changed: int = 0
    withdrawn: int = 0
    postponed: int = 0
    entry_ids: frozenset[int] = frozenset()
    new_ids: frozenset[int] = frozenset()

    def plus(self, other: "Stored") -> "Stored":
        """Return the sum with another part of the same document."""
        return Stored(
            seen=self.seen + other.seen,
            new=self.new + other.new,
            changed=self.changed + other.changed,
            withdrawn=self.withdrawn + other.withdrawn,
            postponed=self.postponed + other.postponed,
            entry_ids=self.entry_ids | other.entry_ids,
            new_ids=self.new_ids | other.new_ids,
        )
