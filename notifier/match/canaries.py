"""Canaries: the record that those of all profiles passed, so that not every start judges them.

Owns that record. What a canary is and how it is judged is in `match/judging.py`.
"""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from notifier import __version__
from notifier.store.models import Installation


def have_passed(session: Session) -> bool:
    """Return True if the canaries passed in this version, and no profile was imported since."""
    return session.scalars(select(Installation.canaries_passed)).one() == _state(session)


def note_passed(session: Session) -> None:
    """Store that the canaries of all profiles passed."""
    session.execute(update(Installation).values(canaries_passed=_state(session)))


def _state(session: Session) -> str:
    imports = session.scalars(select(Installation.imports)).one()
    return f"{__version__} {imports}"
