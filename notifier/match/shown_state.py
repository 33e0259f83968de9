"""The state in which a person was shown a match: whoever decides, decides about that one.

A form carries the name of the state. If it is another one when the form arrives, somebody else
decided meanwhile, or the publisher changed the article, and nothing is done.
"""

import hashlib
from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notifier.errors import NotifierError
from notifier.store.models import Match, NearMiss, Revision

_NAME_DIGITS = 16


class ChangedMeanwhileError(NotifierError):
    """A match that is not any more what a person was shown; nothing was done.

    Attributes:
        match_id: of the match, held or not.
    """

    def __init__(self, match_id: int) -> None:
        super().__init__("It changed since you were shown it: nothing was done.")
        self.match_id = match_id


def of_matches(session: Session, matches: Collection[Match]) -> dict[int, str]:
    """Return the names of matches' states by their ids.

    One changes with the text, with the reports of the match's story, and with decisions.
    """
    entry_ids = {match.entry_id for match in matches}
    newest = select(Revision.entry_id, func.max(Revision.id)).where(
        Revision.entry_id.in_(entry_ids)
    )
    newest_ids = {row[0]: row[1] for row in session.execute(newest.group_by(Revision.entry_id))}
    reports = reports_of(session, matches)
    return {
        match.id: f"{newest_ids.get(match.entry_id, 0)}-{_name_of(reports[match.id])}"
        f"-{match.position}-{'dropped' if match.dropped_because else 'kept'}"
        for match in matches
    }


def reports_of(session: Session, matches: Collection[Match]) -> dict[int, Sequence[int]]:
    """Return the ids of the matches of the story of each match, its own included, by its id."""
    numbers = {match.story for match in matches if match.story is not None}
    stories: dict[tuple[int, int | None], list[int]] = {}
    members = select(Match.profile_id, Match.story, Match.id).where(Match.story.in_(numbers))
    for profile_id, story, match_id in session.execute(members.order_by(Match.id)):
        stories.setdefault((profile_id, story), []).append(match_id)
    return {match.id: stories.get((match.profile_id, match.story), [match.id]) for match in matches}


def of_held(near_miss: NearMiss, newest_revision_id: int) -> str:
    """Return the name of a held match's state: it changes with the text."""
    return f"{newest_revision_id}-{near_miss.revision_id}"


def require_match(session: Session, match_id: int, seen: str) -> None:
    """Require that a match is what a person was shown; one that is not stored passes.

    Args:
        session: the writing session of the decision.
        match_id: its id.
        seen: as `of_matches` named it; empty for any.

    Raises:
        ChangedMeanwhileError: it is something else now.
    """
    match = session.get(Match, match_id)
    if seen and match is not None:
        session.refresh(match, with_for_update=True)
        _require(match_id, seen, of_matches(session, [match])[match_id])


def require_held(session: Session, near_miss_id: int, seen: str) -> None:
    """Require the same of a held match, by `of_held`; one that waits no more passes.

    Raises:
        ChangedMeanwhileError: it is something else now.
    """
    near_miss = session.get(NearMiss, near_miss_id, with_for_update=True)
    if seen and near_miss is not None:
        newest = select(func.max(Revision.id)).where(Revision.entry_id == near_miss.entry_id)
        state = of_held(near_miss, session.scalar(newest) or 0)
        _require(near_miss_id, seen, state)


def _name_of(match_ids: Sequence[int]) -> str:
    """Return a short name of the reports of a story, which may be many."""
    return hashlib.sha256(str(list(match_ids)).encode()).hexdigest()[:_NAME_DIGITS]


def _require(match_id: int, seen: str, state: str) -> None:
    if seen != state:
        raise ChangedMeanwhileError(match_id)
