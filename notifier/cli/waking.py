"""Waking: what a command stores is handed on to the workers of `notifier work` at once.

Owns when Procrastinate is loaded: by the first transaction that wakes a worker, not by every
command.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session

    from notifier.deps import Deps
    from notifier.store.wakes import Wake


def waking(deps: "Deps") -> "Deps":
    """Return a copy whose transactions wake workers; on SQLite, which has none, the same."""
    return deps if deps.engine.dialect.name == "sqlite" else replace(deps, waker=_wake)


def _wake(session: "Session", noted: "Collection[Wake]") -> None:
    from notifier import worker

    worker.wake(session, noted)
