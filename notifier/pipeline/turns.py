"""Turns: the steps of the journey as pieces that several workers do beside each other.

Owns how long a piece may take, and what it asks for when it ends. Who runs it, and how somebody is
woken for the next one, is not known here. Each piece may run twice at once, or again after it was
cut off: the rows decide what is done.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from notifier.deliver.outbox import waiting
from notifier.deps import Deps
from notifier.enums import Lane
from notifier.pipeline import compose, deliver, match, poll, run

# Seconds that a turn sends mails, before others of its worker get theirs. Chosen by hand; not
# measured.
_DRAIN_SECONDS = 30.0
# Mails that are due within this time are worth another turn at once, as those to a limited domain.
_SOON = timedelta(seconds=2)


class Turns:
    """The turns of one process, in any number of threads.

    Args:
        deps: the installation.
        stop: returns True when nothing more is to begin.
    """

    def __init__(self, deps: Deps, stop: Callable[[], bool]) -> None:
        self._deps, self._stop = deps, stop
        self._spare: list[Deps] = []

    @contextmanager
    def _own_deps(self) -> Iterator[Deps]:
        """Give a turn an installation of its own: no two share connections to the mail server."""
        deps = self._spare.pop() if self._spare else replace(self._deps)
        try:
            yield deps
        finally:
            self._spare.append(deps)

    def poll(self, sources: Sequence[int]) -> bool:
        """Poll the sources of these ids if they are due; return whether there is news to judge."""
        with self._own_deps() as deps:
            results = poll.run(deps, [str(source_id) for source_id in sources])
        return any(result.new or result.changed or result.withdrawn for result in results)

    def match(self) -> None:
        """Judge all revisions that were not judged yet."""
        with self._own_deps() as deps:
            match.run(deps)

    def compose(self, profile: int | None) -> None:
        """Compose the digests of the profile of this id that are due; None for those of all."""
        with self._own_deps() as deps:
            compose.run(deps, only=None if profile is None else [profile])

    def upkeep(self) -> None:
        """Do what no other turn does: requests, housekeeping, monitoring."""
        with self._own_deps() as deps:
            run.upkeep(deps, self._stop)

    def drain(self, before: Lane | None, more: Callable[[], None]) -> None:
        """Send the due mails for half a minute at most.

        Args:
            before: only the lanes before this one; None for all.
            more: called as soon as the mail server took a message if there is enough for another
                worker, and at the end if mails remain.
        """
        until = time.monotonic() + _DRAIN_SECONDS

        def is_over() -> bool:
            return self._stop() or time.monotonic() > until

        def share() -> None:
            if self._is_due(deps, before, beyond=deps.settings.smtp.connections * 10):
                more()

        with self._own_deps() as deps:
            # Not before: a server that takes no mails would be asked again and again, at once.
            sent = deliver.run(deps, is_over, before=before, on_accepted=share)
            # What ended by itself left nothing that can be sent now, or its mail server takes no
            # mails: the next tick asks again.
            if is_over() and not sent.problem and self._is_due(deps, before):
                more()

    def _is_due(self, deps: Deps, before: Lane | None, beyond: int = 0) -> bool:
        with deps.reading() as session:
            return waiting.anything_due(
                session,
                deps.now() + _SOON,
                before=before,
                beyond=beyond,
                hold_uncertain=deps.settings.smtp.when_uncertain == "hold",
            )
