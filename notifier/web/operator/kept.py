"""Kept numbers: what took long to count is shown again for some minutes, with its time.

Only a very large installation keeps any: elsewhere each page counts anew.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from notifier.web.operator.visit import Visit

T = TypeVar("T")

# What took longer is kept, and for how long. Chosen by hand.
_SLOW_SECONDS, _KEPT_FOR = 0.5, timedelta(minutes=10)


def counted(visit: Visit, name: str, count: Callable[[], T]) -> tuple[T, datetime]:
    """Return numbers, and the time at which they were counted.

    Args:
        visit: the request.
        name: of the numbers, unique among all.
        count: counts them.
    """
    state = visit.request.app.state
    if not hasattr(state, "kept_numbers"):
        state.kept_numbers = {}
    memory: dict[str, tuple[T, datetime]] = state.kept_numbers
    kept = memory.get(name)
    if kept is not None and timedelta(0) <= visit.now - kept[1] < _KEPT_FOR:
        return kept
    began = time.monotonic()
    value = count()
    if time.monotonic() - began > _SLOW_SECONDS:
        memory[name] = value, visit.now
    return value, visit.now
