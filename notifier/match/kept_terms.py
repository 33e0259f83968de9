"""Kept terms: the terms of all profiles, prepared once for the search and kept in memory.

Owns when they are read again: when the number of imports has changed. A process that runs for long
prepares them once per import, not once per batch; a run with nothing to judge never reads them.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.match import profiles
from notifier.match.terms import Vocabulary
from notifier.store.models import Profile


@dataclass(frozen=True)
class Terms:
    """The terms of all profiles.

    Attributes:
        imports: the number of imports at which they were read.
        names: the therapies' names, by profile id, in the order of the ids.
        vocabulary: the terms, prepared for the search.
    """

    imports: int
    names: Mapping[int, str]
    vocabulary: Vocabulary[int]


class KeptTerms:
    """The terms as they were last read; several threads may share them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._terms: Terms | None = None

    def current(self, session: Session, imports: int) -> Terms:
        """Return the terms, read anew if a profile was imported since they were read.

        Args:
            session: a session of any kind.
            imports: the number of imports, read before.
        """
        with self._lock:
            if self._terms is None or self._terms.imports != imports:
                self._terms = None  # never two of them in memory
                query = select(Profile.id, Profile.name).where(profiles.IN_USE).order_by(Profile.id)
                names = {row.id: row.name for row in session.execute(query)}
                self._terms = Terms(imports, names, Vocabulary(profiles.all_specs(session)))
            return self._terms
