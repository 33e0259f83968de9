"""Import of profiles: store them, watch their pages and sources, and match what was seen before.

Used by `init`, `profiles import` and the demo. It writes in the caller's transaction, so that of
several files all are stored or none. Judging the past entries takes long and is done before that
transaction begins, once for all files (`judge_past_of_all`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from notifier.enums import SourceKind
from notifier.errors import ProfileError
from notifier.match import judging, matches, past_entries, profiles
from notifier.match.past_entries import Candidate, Estimate, PastMatches, Progress
from notifier.match.profile_file import ProfileFile
from notifier.watch import new_sources
from notifier.watch.new_sources import Wanted


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
    """Judge what was seen before for one profile; see `judge_past_of_all`."""
    return judge_past_of_all(session, [file], now, include_past=include_past)


def judge_past_of_all(
    session: Session,
    files: Sequence[ProfileFile],
    now: datetime,
    *,
    include_past: bool = False,
    progress: Progress | None = None,
) -> PastMatches:
    """Judge what was seen before for profiles that are going to be stored; nothing is written.

    Args:
        session: a reading session.
        files: checked profile files.
        now: the time of the import.
        include_past: True if older entries that match now go into the next digests; else they are
            filed.
        progress: shows how far it is.

    Raises:
        ProfileError: a canary of a file does not get its tier.
    """
    candidates = []
    for file in files:
        terms = profiles.term_specs(file)
        document = {"canaries": [canary.model_dump(mode="json") for canary in file.canaries]}
        if failures := judging.check_canaries(document, terms, file.name):
            raise ProfileError(
                f"{file.slug}: a canary fails: {'; '.join(failures)}.",
                "Correct the terms or the canary.",
            )
        candidates.append(Candidate(file.slug, file.name, terms, (*file.sources, *file.pages)))
    return past_entries.judge_past(
        session, candidates, now, include=include_past, progress=progress
    )


def import_profile(
    session: Session,
    file: ProfileFile,
    now: datetime,
    *,
    include_past: bool = False,
    past: PastMatches | None = None,
) -> ImportResult:
    """Store one profile, watch its pages and sources, and match what was seen before.

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
    (result,) = import_all(session, [file], past, now)
    return result


def import_all(
    session: Session,
    files: Sequence[ProfileFile],
    past: PastMatches,
    now: datetime,
    progress: Progress | None = None,
) -> list[ImportResult]:
    """Store profiles, watch their pages and sources, and store what they match of the past.

    Args:
        session: a writing session; the caller commits.
        files: checked profile files.
        past: the result of `judge_past_of_all` for these files.
        now: the time of the import.
        progress: shows how far it is.
    """
    matches.take_turn(session)
    ids = profiles.save_all(session, files, now)
    if progress is not None:
        progress(0, len(files), "profiles stored")
    wanted = [
        Wanted(ids[file.slug], url, kind)
        for file in files
        for urls, kind in ((file.sources, None), (file.pages, SourceKind.PAGE))
        for url in urls
    ]
    watched = new_sources.add_all(session, wanted, now)
    older = past_entries.store(session, [ids[file.slug] for file in files], past, now)
    profiles.note_import(session)
    if progress is not None:
        progress(len(files), len(files), "profiles stored")
    return [
        ImportResult(file.slug, file.name, watched[ids[file.slug]], older[ids[file.slug]])
        for file in files
    ]


def estimate_matches(session: Session, file: ProfileFile, now: datetime) -> Estimate:
    """Estimate how much a profile would match, from the entries of the last 90 days."""
    (estimate,) = judge_past(session, file, now).estimates
    return estimate
