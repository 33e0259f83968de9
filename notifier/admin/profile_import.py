"""Import of a profile: store it, watch its pages and sources, and match what was seen before.

Used by `init`, `profiles import` and the demo. It writes in the caller's transaction, so that of
several files all are stored or none. Judging the past entries takes long and is done before that
transaction begins (`judge_past`).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from notifier.enums import SourceKind
from notifier.errors import ProfileError
from notifier.match import judging, matches, past_entries, profiles
from notifier.match.past_entries import Estimate, PastMatches
from notifier.match.profile_file import ProfileFile
from notifier.watch import sources


@dataclass(frozen=True)
class ImportResult:
    """The result of an import.

    Attributes:
        slug: of the profile.
        name: the therapy's name.
        new_sources: the number of pages and sources that were not watched before.
        older_matches: the number of older entries that match now and did not before.
    """

    slug: str
    name: str
    new_sources: int
    older_matches: int


def judge_past(
    session: Session, file: ProfileFile, now: datetime, *, include_past: bool = False
) -> PastMatches:
    """Judge what was seen before for a profile that is going to be stored; nothing is written.

    Args:
        session: a reading session.
        file: a checked profile file.
        now: the time of the import.
        include_past: True if older entries that match now go into the next digests; else they are
            filed.

    Raises:
        ProfileError: a canary of the file does not get its tier.
    """
    terms = profiles.term_specs(file)
    if failures := judging.check_canaries(file.model_dump(mode="json"), terms, file.name):
        raise ProfileError(
            f"{file.slug}: a canary fails: {'; '.join(failures)}.",
            "Correct the terms or the canary.",
        )
    urls = (*file.sources, *file.pages)
    return past_entries.judge_past(
        session, file.slug, terms, file.name, now, include=include_past, sources=urls
    )


def import_profile(
    session: Session,
    file: ProfileFile,
    now: datetime,
    *,
    include_past: bool = False,
    past: PastMatches | None = None,
) -> ImportResult:
    """Store a profile, watch its pages and sources, and match what was seen before.

    Args:
        session: a writing session; the caller commits.
        file: a checked profile file.
        now: the time of the import.
        include_past: True if older entries that match now go into the next digests; else they are
            filed.
        past: the result of `judge_past` for this file; if None, it is judged here, inside the
            transaction, which suits a database with few entries.

    Raises:
        ProfileError: a canary of the file does not get its tier.
    """
    if past is None:
        past = judge_past(session, file, now, include_past=include_past)
    matches.take_turn(session)
    profile = profiles.save(session, file, now)
    new_sources = 0
    for url in file.sources:
        new_sources += sources.add(session, url, now, profile=profile)[1]
    for url in file.pages:
        new_sources += sources.add(session, url, now, kind=SourceKind.PAGE, profile=profile)[1]
    older_matches = past_entries.store(session, profile, past, now)
    return ImportResult(profile.slug, profile.name, new_sources, older_matches)


def estimate_matches(session: Session, file: ProfileFile, now: datetime) -> Estimate:
    """Estimate how much a profile would match, from the entries of the last 90 days."""
    return past_entries.estimate(session, profiles.term_specs(file), file.name, now)
