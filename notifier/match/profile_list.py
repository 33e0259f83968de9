"""The list of profiles that a person looks through, a page at a time."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from notifier.match import canaries, judging, profiles
from notifier.store.models import Profile, Term

# In characters; more of what is searched for is not looked at.
_LONGEST_SEARCH = 200


class Page(NamedTuple):
    """Some of the profiles by name, and how many there are of the kind that was asked for."""

    profiles: Sequence[Profile]
    total: int


def page(session: Session, search: str, number: int, size: int) -> Page:
    """Return a page of the profiles, by name.

    Args:
        session: one that reads.
        search: a part of a name, or of a term; empty for all.
        number: of the page, from 1.
        size: how many are on a page.
    """
    wanted = [profiles.IN_USE, *_conditions(search[:_LONGEST_SEARCH])]
    query = select(Profile).where(*wanted).order_by(func.lower(Profile.name), Profile.id)
    rows = session.scalars(query.limit(size).offset((number - 1) * size)).all()
    total = session.scalars(select(func.count(Profile.id)).where(*wanted)).one()
    return Page(rows, total)


def failing_canaries(session: Session, shown: Sequence[Profile]) -> dict[int, int]:
    """Return how many canaries of each profile do not get their tier; none are left out.

    An import refuses such a profile, so that it can only be of an earlier version of notifier:
    where this version noted that all passed, none is judged.
    """
    if canaries.have_passed(session):
        return {}
    failing = {}
    for profile in profiles.with_terms(session, [profile.id for profile in shown]):
        terms = profiles.stored_specs(profile)
        if number := len(judging.check_canaries(profile.document, terms, profile.name)):
            failing[profile.id] = number
    return failing


def _conditions(search: str) -> list[ColumnElement[bool]]:
    if not search:
        return []
    of_term = select(Term.profile_id).where(Term.text.icontains(search, autoescape=True))
    return [
        or_(
            Profile.name.icontains(search, autoescape=True),
            Profile.slug.icontains(search, autoescape=True),
            Profile.id.in_(of_term),
        )
    ]
