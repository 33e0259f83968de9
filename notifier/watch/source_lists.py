"""Lists of sources that other steps read; `sources.py` stores them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, literal_column, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from notifier.enums import SourceKind
from notifier.store.db import in_chunks
from notifier.store.models import Profile, Source, SourceProfile
from notifier.watch.health import StateReport, unreported_state
from notifier.watch.parsers.clinicaltrials import trial_of


def many(session: Session, source_ids: Sequence[int]) -> dict[int, Source]:
    """Return several sources by id; ids that do not exist are left out."""
    by_id: dict[int, Source] = {}
    for chunk in in_chunks(source_ids):
        statement = select(Source).where(Source.id.in_(chunk))
        by_id.update((source.id, source) for source in session.scalars(statement))
    return by_id


def of_profile(session: Session, profile: Profile, limit: int | None = None) -> list[Source]:
    """Return the sources of a profile: its own, and those that are watched for every profile.

    Args:
        session: a session of any kind.
        profile: a stored profile.
        limit: at most so many.
    """
    statement = select(Source).where(*_feeds(profile)).order_by(Source.id)
    return list(session.scalars(statement.limit(limit)))


def count_of_profile(session: Session, profile: Profile) -> int:
    """Return how many sources a profile has, with those that are watched for every profile."""
    return session.scalars(select(func.count(Source.id)).where(*_feeds(profile))).one()


def _feeds(profile: Profile) -> tuple[ColumnElement[bool], ...]:
    """Select the watched sources that feed a profile."""
    assigned = select(SourceProfile.source_id)
    own = assigned.where(SourceProfile.profile_id == profile.id)
    return Source.removed_at.is_(None), or_(Source.id.in_(own), Source.id.not_in(assigned))


def count_of_profile_alone(session: Session, profile_id: int) -> int:
    """Return how many watched sources are for this profile and for no other one."""
    other = aliased(SourceProfile)
    query = (
        select(func.count(Source.id))
        .join(SourceProfile, SourceProfile.source_id == Source.id)
        .where(
            Source.removed_at.is_(None),
            SourceProfile.profile_id == profile_id,
            ~exists().where(other.source_id == Source.id, other.profile_id != profile_id),
        )
    )
    return session.scalars(query).one()


def followed_trials(session: Session) -> set[str]:
    """Return the numbers of the trials whose own records are watched."""
    records = select(Source.url).where(
        Source.kind == SourceKind.REGISTRY, Source.removed_at.is_(None)
    )
    return {trial for url in session.scalars(records) if (trial := trial_of(url))}


def unwell(session: Session, now: datetime) -> list[Source]:
    """Return the watched sources that may fail, be gone or be silent; `health` says which are."""
    statement = select(Source).where(Source.removed_at.is_(None), may_be_unwell(now))
    return list(session.scalars(statement.order_by(Source.id)))


def unreported(session: Session, now: datetime) -> list[tuple[Source, StateReport]]:
    """Return the sources whose state must be reported to the operator, each with the report.

    One that is paused is not reported.
    """
    reported = select(Source.id).where(Source.reported_state != literal_column("''"))
    statement = select(Source).where(
        Source.removed_at.is_(None),
        Source.paused_at.is_(None),
        or_(may_be_unwell(now), Source.id.in_(reported)),
    )
    return [
        (source, report)
        for source in session.scalars(statement.order_by(Source.id))
        if (report := unreported_state(source, now))
    ]


def may_be_unwell(now: datetime) -> ColumnElement[bool]:
    """Return the SQL condition that a source may fail, be gone or be silent.

    Each of these few has an index of its own, whose condition is a literal of the statement.
    """
    return Source.id.in_(
        union_all(
            select(Source.id).where(Source.failures > literal_column("0")),
            select(Source.id).where(Source.gone_at.is_not(None)),
            select(Source.id).where(Source.expected_by < now),
        )
    )
