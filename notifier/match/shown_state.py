"""The state in which a person was shown a match: whoever decides, decides about that one.

A form carries the name of the state. If it is another one when the form arrives, somebody else
decided meanwhile, or the publisher changed the article, and nothing is done.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notifier.errors import NotifierError
from notifier.store.models import Match, NearMiss, Revision


class ChangedMeanwhileError(NotifierError):
    """A match that is not any more what a person was shown; nothing was done."""


def of_match(match: Match, newest_revision_id: int) -> str:
    """Return the name of a match's state: it changes with its text, its story and decisions."""
    dropped = "dropped" if match.dropped_because else "kept"
    return f"{newest_revision_id}-{match.story or 0}-{match.position}-{dropped}"


def of_held(near_miss: NearMiss, newest_revision_id: int) -> str:
    """Return the name of a held match's state: it changes with the text."""
    return f"{newest_revision_id}-{near_miss.revision_id}"


def require_match(session: Session, match_id: int, seen: str) -> None:
    """Require that a match is what a person was shown; one that is not stored passes.

    Args:
        session: the writing session of the decision.
        match_id: its id.
        seen: as `of_match` named it; empty for any.

    Raises:
        ChangedMeanwhileError: it is something else now.
    """
    match = session.get(Match, match_id)
    if seen and match is not None:
        session.refresh(match, with_for_update=True)
        _require(seen, of_match(match, _newest_revision_id(session, match.entry_id)))


def require_held(session: Session, near_miss_id: int, seen: str) -> None:
    """Require the same of a held match, by `of_held`; one that waits no more passes.

    Raises:
        ChangedMeanwhileError: it is something else now.
    """
    near_miss = session.get(NearMiss, near_miss_id, with_for_update=True)
    if seen and near_miss is not None:
        _require(seen, of_held(near_miss, _newest_revision_id(session, near_miss.entry_id)))


def _newest_revision_id(session: Session, entry_id: int) -> int:
    newest = select(func.max(Revision.id)).where(Revision.entry_id == entry_id)
    return session.scalar(newest) or 0


def _require(seen: str, state: str) -> None:
    if seen != state:
        raise ChangedMeanwhileError("It changed since you were shown it: nothing was done.")
