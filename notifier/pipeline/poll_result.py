"""The result of a poll for one source, as the command line and the pipeline report it."""

from dataclasses import dataclass, replace

from notifier.enums import PollStatus
from notifier.watch.stored import Stored


@dataclass(frozen=True)
class PollResult:
    """The result of a poll for one source; the fields are the keys of the JSON output.

    Attributes:
        id: the source's id.
        url: its address.
        kind: its kind, a `SourceKind`.
        status: whether it worked.
        entries: the number of entries that were read.
        new: the new ones.
        changed: those in a new state.
        withdrawn: those of the changed ones that were withdrawn.
        error: the reason of a failure; None if there is none.
    """

    id: int
    url: str
    kind: str
    status: PollStatus
    entries: int = 0
    new: int = 0
    changed: int = 0
    withdrawn: int = 0
    error: str | None = None

    def plus(self, stored: Stored) -> "PollResult":
        """Return the result with what a response about the source added."""
        return replace(
            self,
            entries=self.entries + stored.seen,
            new=self.new + stored.new,
            changed=self.changed + stored.changed,
            withdrawn=self.withdrawn + stored.withdrawn,
        )
