"""Threads of their own for pages that keep a processor busy.

All other pages share forty threads, the public ones too: requests that wait there for each other
would keep sign-ups and departures waiting.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response


@dataclass(frozen=True)
class OwnThreads:
    """Threads that only some pages use.

    Attributes:
        name: of the threads, unique among all.
        most: how many there are in a process; further requests wait in none.
    """

    name: str
    most: int

    async def run(
        self, request: Request, answer: Callable[..., Response], *arguments: Any
    ) -> Response:
        """Return what answers a request, made in one of these threads as soon as one is free."""
        return await to_thread.run_sync(answer, *arguments, limiter=self._limiter(request))

    def _limiter(self, request: Request) -> CapacityLimiter:
        """Return what admits requests of the application to these threads."""
        state = request.app.state
        if not hasattr(state, "own_threads"):
            state.own_threads = {}
        limiters: dict[str, CapacityLimiter] = state.own_threads
        if self.name not in limiters:
            limiters[self.name] = CapacityLimiter(self.most)
        return limiters[self.name]
