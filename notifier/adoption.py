"""Adopting a profile: stored, its addresses watched, the past held against it.

What `init`, `profiles import` and the demo share; all of it in the caller's transaction, so that several files are
taken all or none.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from notifier.errors import ProfileError
from notifier.match import matches, profiles
from notifier.match.matches import Estimate
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


def adopt(session: Session, file: ProfileFile, now: datetime, *, include_past: bool = False) -> Adopted:
    """Store a profile, watch its pages and sources, and match the past anew.

    Args:
        session: a writing session; the caller commits.
        file: a checked profile file.
        now: the moment of the import.
        include_past: whether older entries that match now go into the next digests; else they are filed.

    Raises:
        ProfileError: a canary of the file does not get its tier.
    """
    terms = profiles.term_specs(file)
    if failed := matches.check_canaries(file.model_dump(mode="json"), terms, file.name):
        raise ProfileError(f"{file.slug}: a canary fails: {'; '.join(failed)}.", "Mend the terms, or the canary.")
    profile = profiles.save(session, file, now)
    new = 0
    for url in file.sources:
        new += sources.add(session, url, now, profile=profile)[1]
    for url in file.pages:
        new += sources.add(session, url, now, kind=SourceKind.PAGE, profile=profile)[1]
    older = matches.match_past(session, profile, now, include=include_past)
    return Adopted(profile.slug, profile.name, new, older)


def expected(session: Session, file: ProfileFile, now: datetime) -> Estimate:
    """What a profile would have matched lately, before it is stored."""
    return matches.estimate(session, profiles.term_specs(file), file.name, now)
