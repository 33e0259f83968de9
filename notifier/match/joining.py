"""Joined and separated reports: a person decides which reports are one story.

A story has the number of its first match. Later reports that are found to be of it
(`matches.store_matches`) join what the person left, and change nothing else: no stored match gets
another story but by a person. So what was separated stays separated, and what was joined stays.
A decision takes a place of the profile's sequence, so that a digest which is being composed from
the stories before it is found outdated, as by a match.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.sql.base import ExecutableOption

from notifier.enums import NewsKind
from notifier.errors import InputError, NotFoundError, NotifierError
from notifier.match import matches
from notifier.store.models import Entry, Match


@dataclass(frozen=True)
class Regrouped:
    """A change of stories.

    Attributes:
        match: the match that the person named first.
        apart: the ids of the matches on its side, and on the other one: digests with matches of
            both sides show them in another way now.
    """

    match: Match
    apart: tuple[frozenset[int], frozenset[int]]


def join(session: Session, match_id: int, other_id: int) -> Regrouped:
    """Make one story of two matches, and of all that are in their stories already.

    Args:
        session: a writing session; the caller commits.
        match_id: as `matches.listed` gives it.
        other_id: another one.

    Raises:
        NotFoundError: there is no match with one of these ids.
        InputError: they cannot be one story: two therapies, the same article, or a correction.
        NotifierError: they are one story already.
    """
    matches.take_turn(session)
    match, other = _find(session, match_id), _find(session, other_id)
    _require_joinable(match, other)
    if match.story is not None and match.story == other.story:
        raise NotifierError(
            f"Match {match_id} and match {other_id} are one story already: nothing was changed.",
            "See: notifier matches list",
        )
    sides = members(session, match), members(session, other)
    _number([*sides[0], *sides[1]])
    matches.next_position(session, match.profile_id)
    return _regrouped(match, *sides)


def separate(session: Session, match_id: int) -> Regrouped:
    """Take a match out of its story; the others stay together.

    Args:
        session: a writing session; the caller commits.
        match_id: as `matches.listed` gives it.

    Raises:
        NotFoundError: there is no match with this id.
        NotifierError: it is in no story with others.
    """
    matches.take_turn(session)
    match = _find(session, match_id)
    others = [each for each in members(session, match) if each is not match]
    if not others:
        raise NotifierError(
            f"Match {match_id} is in no story with others: nothing was changed.",
            "See: notifier matches list",
        )
    match.story = None
    _number(others)
    matches.next_position(session, match.profile_id)
    return _regrouped(match, [match], others)


def members(session: Session, match: Match, *options: ExecutableOption) -> list[Match]:
    """Return the matches of a match's story, the first report first; itself if it has none.

    Args:
        session: a session of any kind.
        match: one of them.
        options: what is loaded with them.
    """
    if match.story is None:
        return [match]
    query = select(Match).where(Match.story == match.story, Match.profile_id == match.profile_id)
    return list(session.scalars(query.order_by(Match.id).options(*options)))


def others_of(session: Session, match: Match) -> list[Match]:
    """Return the other matches of a match's story, with entry and source."""
    with_source = joinedload(Match.entry).joinedload(Entry.source)
    return [each for each in members(session, match, with_source) if each is not match]


def _number(story: Sequence[Match]) -> None:
    """Give matches the number of a story; a match alone has none."""
    number = min(match.id for match in story) if len(story) > 1 else None
    for match in story:
        match.story = number


def _regrouped(match: Match, side: Sequence[Match], other: Sequence[Match]) -> Regrouped:
    return Regrouped(
        match, (frozenset(each.id for each in side), frozenset(each.id for each in other))
    )


def _require_joinable(match: Match, other: Match) -> None:
    """Require that two matches can be one item of a digest.

    Raises:
        InputError: they cannot.
    """
    if match.profile_id != other.profile_id:
        raise InputError(
            "These two are about different therapies, and a story is of one.",
            "Choose two of the same profile.",
        )
    if match.entry_id == other.entry_id:
        raise InputError("These two are the same article.", "Choose the report of another outlet.")
    if {match.kind, other.kind} != {NewsKind.NEW}:
        raise InputError(
            "Only new reports are joined; a correction or another change is an item of its own.",
            "Choose two reports that are new.",
        )


def _find(session: Session, match_id: int) -> Match:
    match = session.get(Match, match_id)
    if match is None:
        raise NotFoundError(f"There is no match {match_id}.", "See: notifier matches list")
    return match
