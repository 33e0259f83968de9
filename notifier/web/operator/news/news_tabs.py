"""The pages about news, as tabs above each of them."""

from typing import NamedTuple

from sqlalchemy.orm import Session

from notifier.match import held
from notifier.store.db import MOST_COUNTED


class Tab(NamedTuple):
    """A page about news.

    Attributes:
        path: behind ``/operator/``.
        name: as it is shown.
        waiting: how many wait there, in words; empty for none.
        is_current: whether it is shown now.
    """

    path: str
    name: str
    waiting: str
    is_current: bool


def tabs(session: Session, current: str) -> list[Tab]:
    """Return the tabs.

    Args:
        session: a reading session.
        current: ``news``, ``held`` or ``changes``; empty for a page that is none of them.
    """
    waiting = held.count_some_waiting(session)
    count = f"{waiting:,}" if waiting <= MOST_COUNTED else f"more than {MOST_COUNTED:,}"
    return [
        Tab("news", "All news", "", current == "news"),
        Tab("news/held", "Waits for you", count if waiting else "", current == "held"),
        Tab("news/changes", "Corrections to go out", "", current == "changes"),
    ]
