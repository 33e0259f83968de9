"""The operator's decisions about news: held matches are released, stories joined and separated.

Opens the transactions. What follows from a decision (digests, new drafts) is done by the next run.
What is dropped and restored is in `review.py`.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from notifier.admin import match_log
from notifier.deps import Deps
from notifier.digest import drafts
from notifier.digest.drafts import Ended
from notifier.match import batches, joining, matches, shown_state
from notifier.match.joining import Regrouped
from notifier.operators.actions import Actor
from notifier.store.models import Match, NearMiss
from notifier.text.cleaning import shorten


@dataclass(frozen=True)
class Released:
    """A held match that became an ordinary one.

    Attributes:
        match_id: its new id.
        tier: as readers see it.
        title: of its entry.
        action_id: of the entry in the operators' log; 0 if nobody was named.
    """

    match_id: int
    tier: str
    title: str
    action_id: int = 0


@dataclass(frozen=True)
class Moved:
    """Reports that are one item now, or two.

    Attributes:
        title: of the entry that was named first.
        drafts: the drafts that ended because of it.
        action_id: as in `Released`.
    """

    title: str
    drafts: tuple[Ended, ...]
    action_id: int = 0


def release(
    deps: Deps,
    near_miss_id: int,
    *,
    because: str = "",
    seen: str = "",
    actor: Actor | None = None,
) -> Released:
    """Make a held match an ordinary one, for the next digests.

    Args:
        deps: the installation.
        near_miss_id: its id.
        because: the reason; may be empty.
        seen: the state that the person was shown (`shown_state.of_held`); empty for any.
        actor: whom the operators' log names; nothing is written into it without one.

    Raises:
        NotFoundError: there is none with this id, or it was released or dropped already.
        ChangedMeanwhileError: it is not what the person was shown.
    """
    now = deps.now()
    with deps.reading() as session:
        first_match_id = batches.first_match_of_story(session, near_miss_id, now)
    with deps.writing() as session:
        matches.take_turn(session)
        shown_state.require_held(session, near_miss_id, seen)
        match = matches.release(session, near_miss_id, now, first_match_id)
        near_miss = session.get_one(NearMiss, near_miss_id)
        action = match_log.record(session, actor, "released", "Released", near_miss, because)
        return Released(match.id, str(match.tier), match.entry.title, action)


def join(
    deps: Deps,
    match_id: int,
    other_id: int,
    *,
    because: str = "",
    seen: str = "",
    other_seen: str = "",
    actor: Actor | None = None,
) -> Moved:
    """Make one story of two matches; drafts that show them as two items are void.

    Args:
        deps: the installation.
        match_id: of the one.
        other_id: of the other one.
        because: the reason; may be empty.
        seen: the state of the first that the person was shown (`shown_state.of_matches`); empty
            for any.
        other_seen: the same of the other one: all reports of its story come with it.
        actor: as in `release`.

    Raises:
        NotFoundError: there is no match with one of these ids.
        InputError: they cannot be one story.
        NotifierError: they are one already.
        ChangedMeanwhileError: one of them is not what the person was shown.
    """
    with deps.writing() as session:
        matches.take_turn(session)
        shown_state.require_match(session, match_id, seen)
        shown_state.require_match(session, other_id, other_seen)
        regrouped = joining.join(session, match_id, other_id)
        other = session.get_one(Match, other_id)
        also = f" with “{shorten(other.entry.title, match_log.LONGEST_TITLE)}”"
        ended = _end(session, regrouped, "two of its items were joined to one")
        action = match_log.record(
            session, actor, "joined", "Joined", regrouped.match, because, also
        )
        return Moved(regrouped.match.entry.title, ended, action)


def separate(
    deps: Deps,
    match_id: int,
    *,
    because: str = "",
    seen: str = "",
    actor: Actor | None = None,
) -> Moved:
    """Take a match out of its story; drafts that show it as one item with the others are void.

    Arguments are those of `release`, with the id of a match.

    Raises:
        NotFoundError: there is no match with this id.
        NotifierError: it is in no story with others.
        ChangedMeanwhileError: it is not what the person was shown.
    """
    with deps.writing() as session:
        matches.take_turn(session)
        shown_state.require_match(session, match_id, seen)
        regrouped = joining.separate(session, match_id)
        ended = _end(session, regrouped, "an item was separated into two")
        also = " from the other reports of its story"
        action = match_log.record(
            session, actor, "separated", "Separated", regrouped.match, because, also
        )
        return Moved(regrouped.match.entry.title, ended, action)


def _end(session: Session, regrouped: Regrouped, because: str) -> tuple[Ended, ...]:
    session.flush()
    ended = drafts.end_regrouped(session, regrouped.match.profile_id, regrouped.apart, because)
    return tuple(ended)
