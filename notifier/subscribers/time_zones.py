"""Stored time zones that do not exist any more, and what people get instead.

Owns the replacement: the successor of a name that was given up, else the zone of the settings. A
zone can vanish with an update of the machine's time zone data, or with a move to another machine.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from notifier.store.models import Subscriber
from notifier.text import times


@dataclass(frozen=True)
class Replacement:
    """A time zone that took another one's place.

    Attributes:
        zone: the name that is stored now.
        is_successor: true if it is the same zone under a newer name; nobody need be told.
    """

    zone: str
    is_successor: bool


def missing(session: Session, default: str) -> dict[str, Replacement]:
    """Return the stored names of zones that do not exist, each with its replacement.

    Args:
        session: any session.
        default: the zone for those without a successor (`schedule.time_zone`).
    """
    replacements = {}
    for name in _stored(session):
        if not _exists(name):
            newer = times.successor(name)
            is_successor = _exists(newer)
            replacements[name] = Replacement(newer if is_successor else default, is_successor)
    return replacements


def _stored(session: Session) -> Iterator[str]:
    """Yield the stored names of zones: one step of the index for each, however many people."""
    first = select(func.min(Subscriber.time_zone).label("zone")).cte("zones", recursive=True)
    next_zone = (
        select(func.min(Subscriber.time_zone))
        .where(Subscriber.time_zone > first.c.zone)
        .scalar_subquery()
    )
    zones = first.union_all(select(next_zone).where(first.c.zone.is_not(None)))
    yield from session.scalars(select(zones.c.zone).where(zones.c.zone.is_not(None)))


def replace(session: Session, replacements: Mapping[str, Replacement]) -> dict[str, list[int]]:
    """Store the replacements; due times that are planned already stay.

    Args:
        session: a writing session.
        replacements: as `missing` returned them.

    Returns:
        The ids of the people whose zone has no successor, by its name.
    """
    without_successor = {}
    for name, replacement in replacements.items():
        theirs = Subscriber.time_zone == name
        if not replacement.is_successor:
            ids = list(session.scalars(select(Subscriber.id).where(theirs)))
            without_successor[name] = ids
        session.execute(update(Subscriber).where(theirs).values(time_zone=replacement.zone))
    return without_successor


def _exists(name: str) -> bool:
    try:
        times.zone(name)
    except ValueError:
        return False
    return True
