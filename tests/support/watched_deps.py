"""A `Deps` that knows its open write transactions: for tests of what must not happen in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from notifier.deps import Deps


@dataclass(frozen=True)
class WatchedDeps(Deps):
    """The same as `Deps`; `open_sessions` are the sessions whose write transaction is open."""

    open_sessions: list[Session] = field(default_factory=list)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a write transaction, and note it until it ends."""
        with super().writing() as session:
            self.open_sessions.append(session)
            try:
                yield session
            finally:
                self.open_sessions.remove(session)


def watched(deps: Deps) -> WatchedDeps:
    """Return the same dependencies, watched."""
    return WatchedDeps(deps.settings, deps.engine, deps.fixed_now)
