"""Adopting a profile: stored, its addresses watched, the past held against it.

What `init`, `profiles import` and the demo share. It is written in the caller's transaction, so
that several files are taken all or none; what takes long, judging the past, is done before it
begins (`judged`).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from notifier.enums import SourceKind
from notifier.errors import ProfileError
from notifier.match import judging, matches, past_entries, profiles
from notifier.match.past_entries import Estimate, Past
from notifier.match.profiles import ProfileFile
from notifier.watch import sources


@dataclass(frozen=True)
class ImportResult:
    """What came of it: how many addresses are watched that were not, and how many older entries match now."""

    slug: str
    name: str
    new_sources: int
    older_matches: int


def judged(
    session: Session, file: ProfileFile, now: datetime, *, include_past: bool = False
) -> Past:
    """Hold a profile that is going to be stored against what was seen; nothing is written.

    Args:
        session: a reading session.
        file: a checked profile file.
        now: the moment of the import.
        include_past: whether older entries that match now go into the next digests; else they are
            filed.

    Raises:
        ProfileError: a canary of the file does not get its tier.
    """
    terms = profiles.term_specs(file)
    if failed := judging.check_canaries(file.model_dump(mode="json"), terms, file.name):
        raise ProfileError(
            f"{file.slug}: a canary fails: {'; '.join(failed)}.", "Mend the terms, or the canary."
        )
    addresses = (*file.sources, *file.pages)
    return past_entries.judge_past(
        session, file.slug, terms, file.name, now, include=include_past, sources=addresses
    )


def import_profile(
    session: Session,
    file: ProfileFile,
    now: datetime,
    *,
    include_past: bool = False,
    before: Past | None = None,
) -> ImportResult:
    """Store a profile, watch its pages and sources, and match the past anew.

    Args:
        session: a writing session; the caller commits.
        file: a checked profile file.
        now: the moment of the import.
        include_past: whether older entries that match now go into the next digests; else they are
            filed.
        before: what `judged` found for this file; judged here, where nothing much was seen yet, if
            it is None.

    Raises:
        ProfileError: a canary of the file does not get its tier.
    """
    if before is None:
        before = judged(session, file, now, include_past=include_past)
    matches.lock_profiles(session)
    profile = profiles.save(session, file, now)
    new = 0
    for url in file.sources:
        new += sources.add(session, url, now, profile=profile)[1]
    for url in file.pages:
        new += sources.add(session, url, now, kind=SourceKind.PAGE, profile=profile)[1]
    older = past_entries.store(session, profile, before, now)
    return ImportResult(profile.slug, profile.name, new, older)


def estimate_matches(session: Session, file: ProfileFile, now: datetime) -> Estimate:
    """What a profile would have matched lately, before it is stored."""
    return past_entries.estimate(session, profiles.term_specs(file), file.name, now)
