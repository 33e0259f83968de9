"""Lists of sources that other steps read; `sources.py` stores them."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from notifier.enums import SourceKind
from notifier.store.db import in_chunks
from notifier.store.models import Profile, Source, SourceProfile
from notifier.watch.parsers.clinicaltrials import trial_of


def many(session: Session, source_ids: Sequence[int]) -> dict[int, Source]:
    """Return several sources by id; ids that do not exist are left out."""
    by_id: dict[int, Source] = {}
    for chunk in in_chunks(source_ids):
        statement = select(Source).where(Source.id.in_(chunk))
        by_id.update((source.id, source) for source in session.scalars(statement))
    return by_id


def of_profile(session: Session, profile: Profile) -> list[Source]:
    """Return the sources of a profile: its own, and those that are watched for every profile."""
    assigned = select(SourceProfile.source_id)
    own = assigned.where(SourceProfile.profile_id == profile.id)
    statement = select(Source).where(
        Source.removed_at.is_(None), or_(Source.id.in_(own), Source.id.not_in(assigned))
    )
    return list(session.scalars(statement.order_by(Source.id)))


def followed_trials(session: Session) -> set[str]:
    """Return the numbers of the trials whose own records are watched."""
    records = select(Source.url).where(
        Source.kind == SourceKind.REGISTRY, Source.removed_at.is_(None)
    )
    return {trial for url in session.scalars(records) if (trial := trial_of(url))}
