"""Profiles: read therapy profiles from files, store them, and export them.

Owns the stored profile with its terms and history, and the limits on how broad a profile may be. A
file that is refused leaves the stored profile as it was; of several files all are stored or none.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w
from pydantic import ValidationError
from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session, selectinload

from notifier.enums import TermKind
from notifier.errors import InputError, NotFoundError, ProfileError
from notifier.match.profile_file import ProfileFile
from notifier.match.profile_refusals import refusal, refuse_too_broad
from notifier.match.terms import TermSpec, Vocabulary
from notifier.store.db import in_chunks
from notifier.store.files import read_input
from notifier.store.models import Installation, Profile, ProfileRevision, Term

BUNDLED = "frexalimab"
# What a person has not removed.
IN_USE = Profile.removed_at.is_(None)

# An import warns if a profile would match more than this share of the entries of the last 90 days:
# more than one therapy's news. With fewer entries the share says nothing. Chosen by hand; not
# measured (docs/matching.md, section 4).
BROAD_SHARE = 0.3
FEWEST_ENTRIES_TO_ESTIMATE = 20

# In bytes: a profile with 2,000 terms and their other spellings has 210,000.
LARGEST_FILE = 300_000
# A key of thousands of parts takes minutes and all memory to parse; a profile has keys of three.
_LONG_KEY = re.compile(r"(?<![\w\"'-])(?:[\w\"'-]++\s*+\.\s*+){50}")

# Profiles that an error names. Chosen by hand; not measured.
_MOST_NAMED = 20


def bundled_slugs() -> list[str]:
    """Return the slugs of the profiles that come with notifier, sorted."""
    return sorted(
        path.name[:-5]
        for path in (files("notifier") / "match" / "bundled").iterdir()
        if path.name.endswith(".toml")
    )


def bundled_file(slug: str = BUNDLED) -> str:
    """Return the text of a profile that comes with notifier."""
    return (files("notifier") / "match" / "bundled" / f"{slug}.toml").read_text(encoding="utf-8")


def parse(text: str, place: str) -> ProfileFile:
    """Read and check a profile file.

    Args:
        text: the TOML document.
        place: the name of the file for error messages.

    Raises:
        ProfileError: the file cannot be stored; with the place in it, the reason and the fix.
    """
    _refuse_odd(text, place)
    try:
        profile = ProfileFile.model_validate(tomllib.loads(text))
    except ValidationError as error:
        raise refusal(error, place, text) from error
    # Besides wrong TOML: a number of thousands of digits, or a thousand open brackets.
    except (ValueError, RecursionError) as error:
        raise ProfileError(
            f"{place} is not valid TOML: {error}", "Correct the line that is named."
        ) from error
    for index, term in enumerate(profile.terms):
        refuse_too_broad(text, index, term, place)
    return profile


def _refuse_odd(text: str, place: str) -> None:
    """Refuse a text that would take long to parse, and is no profile."""
    if len(text.encode("utf-8", "replace")) > LARGEST_FILE:
        raise ProfileError(
            f"{place} is larger than {LARGEST_FILE:,} bytes.",
            "Give the file of one therapy.",
        )
    if odd := _LONG_KEY.search(text):
        line = text.count("\n", 0, odd.start()) + 1
        raise ProfileError(f"{place}, line {line}: no key has so many parts.", "Remove them.")


def read_files(paths: Sequence[Path]) -> list[ProfileFile]:
    """Read and check profile files.

    Args:
        paths: of files; a path that does not exist may be the slug of a bundled profile.

    Raises:
        ProfileError: one of them cannot be stored, or two have the same slug.
    """
    profiles: list[ProfileFile] = []
    slugs: set[str] = set()
    for path in paths:
        profile = parse(_text_of(path), str(path))
        if profile.slug in slugs:
            raise ProfileError(
                f"{path}: the slug {profile.slug!r} is in another of these files.",
                "Give one of them another slug.",
            )
        slugs.add(profile.slug)
        profiles.append(profile)
    return profiles


def _text_of(path: Path) -> str:
    try:
        if not path.exists() and str(path) in bundled_slugs():
            return bundled_file(str(path))
        return read_input(path, LARGEST_FILE).decode("utf-8-sig")
    except InputError as error:
        raise ProfileError(error.problem, _fix_for_file()) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path} cannot be read: {error}", _fix_for_file()) from error


def _fix_for_file() -> str:
    return f"Give a UTF-8 TOML file, or one of: {', '.join(bundled_slugs())}."


def save(session: Session, profile: ProfileFile, now: datetime) -> Profile:
    """Store a checked profile and return it; see `save_all`."""
    profile_id = save_all(session, [profile], now)[profile.slug]
    note_import(session)
    return session.get_one(Profile, profile_id, populate_existing=True)


def save_all(session: Session, files: Sequence[ProfileFile], now: datetime) -> dict[str, int]:
    """Store checked profiles, new or in place of those with their slugs; return ids by slug.

    The caller calls `note_import` before the end of the transaction.

    Args:
        session: a writing session; the caller commits.
        files: their terms replace the stored ones; their documents are added to the history where
            they differ from the last one.
        now: the time of the import.
    """
    ids: dict[str, int] = {}
    for chunk in in_chunks(files):
        documents = {
            file.slug: file.model_dump(mode="json", exclude_defaults=True) for file in chunk
        }
        ids.update(_store_profiles(session, chunk, documents, now))
        its_ids = [ids[file.slug] for file in chunk]
        session.execute(delete(Term).where(Term.profile_id.in_(its_ids)))
        terms = [
            {"profile_id": ids[file.slug], "kind": spec.kind, "text": spec.text, "also": spec.also}
            for file in chunk
            for spec in term_specs(file)
        ]
        # By the connection: the session would make an object of each.
        session.connection().execute(insert(Term), terms)
        _add_to_history(session, {ids[slug]: document for slug, document in documents.items()}, now)
    return ids


def _store_profiles(
    session: Session,
    files: Sequence[ProfileFile],
    documents: Mapping[str, dict[str, Any]],
    now: datetime,
) -> dict[str, int]:
    """Store the rows of profiles; return their ids by slug."""
    query = select(Profile.slug, Profile.id).where(Profile.slug.in_(documents))
    ids = {row.slug: row.id for row in session.execute(query)}
    new, known = [], []
    for file in files:
        row = {
            "name": file.name,
            "summary": file.summary,
            "stage": file.stage,
            "stage_as_of": file.stage_as_of,
            "document": documents[file.slug],
            "imported_at": now,
            "removed_at": None,
        }
        if file.slug in ids:
            known.append({**row, "of_id": ids[file.slug]})
        else:
            new.append({**row, "slug": file.slug, "position": 0})
    connection = session.connection()
    if known:
        connection.execute(update(Profile).where(Profile.id == bindparam("of_id")), known)
    if new:
        added = insert(Profile).returning(Profile.slug, Profile.id, sort_by_parameter_order=True)
        ids.update({row.slug: row.id for row in connection.execute(added, new)})
    return ids


def _add_to_history(
    session: Session, documents: Mapping[int, dict[str, Any]], now: datetime
) -> None:
    """Add documents, by profile id, where they differ from the last ones."""
    query = (
        select(ProfileRevision.profile_id, ProfileRevision.number, ProfileRevision.document)
        .where(ProfileRevision.profile_id.in_(documents))
        .order_by(ProfileRevision.number)
    )
    last = {row.profile_id: row for row in session.execute(query)}
    rows = [
        {
            "profile_id": profile_id,
            "number": last[profile_id].number + 1 if profile_id in last else 1,
            "document": document,
            "imported_at": now,
        }
        for profile_id, document in documents.items()
        if profile_id not in last or last[profile_id].document != document
    ]
    if rows:
        session.connection().execute(insert(ProfileRevision), rows)


def note_import(session: Session) -> None:
    """Count an import, so that every process reads the terms anew.

    It comes last in a transaction: other processes write the same row.
    """
    session.execute(update(Installation).values(imports=Installation.imports + 1))


def history(session: Session, profile: Profile) -> list[ProfileRevision]:
    """Return every imported state of a profile, the first one first."""
    query = (
        select(ProfileRevision)
        .where(ProfileRevision.profile_id == profile.id)
        .order_by(ProfileRevision.number)
    )
    return list(session.scalars(query))


def is_stored(session: Session, slug: str) -> bool:
    """Return whether there is a profile with this slug that was not removed."""
    return session.scalar(select(Profile.id).where(Profile.slug == slug, IN_USE)) is not None


def term_specs(profile: ProfileFile) -> list[TermSpec]:
    """Return the terms of a profile file and of its trials (number and acronym), each once."""
    specs = [TermSpec(term.kind, term.text, term.also) for term in profile.terms]
    specs += [
        TermSpec(TermKind.TRIAL, trial.id, (trial.acronym,) if trial.acronym else ())
        for trial in profile.trials
    ]
    return list({(spec.kind, spec.text): spec for spec in specs}.values())


def export(profile: Profile) -> str:
    """Return a stored profile as the TOML document that `parse` reads."""
    document = dict(profile.document)
    if profile.stage_as_of:
        document["stage_as_of"] = profile.stage_as_of
    return tomli_w.dumps(document)


def ids(session: Session) -> Sequence[int]:
    """Return the ids of all profiles, in the order of their first import."""
    return session.scalars(select(Profile.id).where(IN_USE).order_by(Profile.id)).all()


def listed(session: Session) -> list[Profile]:
    """Return all profiles, in the order of their first import."""
    return list(session.scalars(select(Profile).where(IN_USE).order_by(Profile.id)))


def find(session: Session, slug: str | None) -> Profile:
    """Return the profile with this slug, or the only stored one if the slug is None.

    Raises:
        NotFoundError: no profile has this slug, or none is stored.
        InputError: several are stored and the slug is None.
    """
    if slug is not None:
        profile = session.scalar(select(Profile).where(Profile.slug == slug, IN_USE))
        if profile is not None:
            return profile
    query = select(Profile.slug).where(IN_USE).order_by(Profile.id).limit(_MOST_NAMED + 1)
    slugs = session.scalars(query).all()
    if slug is None and len(slugs) == 1:
        return session.scalars(select(Profile).where(IN_USE)).one()
    if not slugs:
        raise NotFoundError("No profile is stored.", "Load the bundled one with: notifier init")
    names = ", ".join(slugs[:_MOST_NAMED])
    if len(slugs) > _MOST_NAMED:
        names += ", and others (see: notifier profiles list)"
    if slug is None:
        raise InputError("Several profiles are stored.", f"Name one with --profile: {names}.")
    raise NotFoundError(f"There is no profile {slug}.", f"Stored: {names}.")


def with_terms(session: Session, profile_ids: Sequence[int]) -> Sequence[Profile]:
    """Return these profiles with their terms, in the order of their first import."""
    query = select(Profile).where(Profile.id.in_(profile_ids)).order_by(Profile.id)
    return session.scalars(query.options(selectinload(Profile.terms))).all()


class Summary(NamedTuple):
    """A profile as lists show it; `terms` is their number."""

    slug: str
    name: str
    stage: str
    stage_as_of: date | None
    imported_at: datetime
    terms: int


def summaries(session: Session, limit: int | None = None) -> list[Summary]:
    """Return the newest profiles, at most so many, in the order of their first import."""
    newest = select(Profile.id).where(IN_USE).order_by(Profile.id.desc()).limit(limit)
    columns = (
        Profile.slug,
        Profile.name,
        Profile.stage,
        Profile.stage_as_of,
        Profile.imported_at,
    )
    query = (
        select(*columns, func.count(Term.id))
        .outerjoin(Term, Term.profile_id == Profile.id)
        .where(Profile.id.in_(newest.scalar_subquery()))
        .group_by(Profile.id, *columns)
        .order_by(Profile.id)
    )
    return list(map(Summary._make, session.execute(query)))


def number_stored(session: Session) -> int:
    """Return how many profiles are stored."""
    return session.scalars(select(func.count(Profile.id)).where(IN_USE)).one()


def stored_specs(profile: Profile) -> list[TermSpec]:
    """Return the terms of a stored profile."""
    return [TermSpec(term.kind, term.text, tuple(term.also)) for term in profile.terms]


def all_specs(session: Session) -> dict[int, list[TermSpec]]:
    """Return the terms of all profiles, by profile id, in the order of the ids."""
    columns = select(Term.profile_id, Term.kind, Term.text, Term.also)
    specs: dict[int, list[TermSpec]] = {}
    for row in session.execute(columns.order_by(Term.profile_id, Term.id)):
        specs.setdefault(row.profile_id, []).append(TermSpec(row.kind, row.text, tuple(row.also)))
    return specs


def vocabulary(profiles: Sequence[Profile]) -> Vocabulary[int]:
    """Return the terms of stored profiles, prepared for a search, by profile id."""
    return Vocabulary({profile.id: stored_specs(profile) for profile in profiles})


def facts(profile: Profile) -> dict[str, Any]:
    """Return the profile's facts, in the order of its file.

    For example ``{"Target": "…", "Side effects": ["…", …]}``.
    """
    return {
        name.replace("_", " ").capitalize(): value
        for name, value in profile.document.get("facts", {}).items()
    }
