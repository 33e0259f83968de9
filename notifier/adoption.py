"""Adopting a profile: stored, its addresses watched, the past held against it.

What `init`, `profiles import` and the demo share; all of it in the caller's transaction, so that several files are
taken all or none.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from notifier.match import matches, profiles
from notifier.match.profiles import ProfileFile
from notifier.store.statuses import SourceKind
from notifier.watch import sources


@dataclass(frozen=True)
class Adopted:
    """What came of it: how many addresses are watched that were not, and how many older entries match now."""

    slug: str
    name: str
    new_sources: int
    older_matches: int


def adopt(session: Session, file: ProfileFile, now: datetime) -> Adopted:
    """Store a profile, watch its pages and sources, and file what already matches.

    Args:
        session: a writing session; the caller commits.
        file: a checked profile file.
        now: the moment of the import.
    """
    profile = profiles.save(session, file, now)
    new = 0
    for url in file.sources:
        new += sources.add(session, url, now, profile=profile)[1]
    for url in file.pages:
        new += sources.add(session, url, now, kind=SourceKind.PAGE, profile=profile)[1]
    return Adopted(profile.slug, profile.name, new, matches.file_past(session, profile, now))
