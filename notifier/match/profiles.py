"""Profiles: read therapy profiles from files, store them, and export them.

Owns the stored profile with its terms and history, and the limits on how broad a profile may be. A
file that is refused leaves the stored profile as it was; of several files all are stored or none.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.enums import TermKind
from notifier.errors import InputError, NotFoundError, ProfileError
from notifier.match.profile_file import ProfileFile, TermPart
from notifier.match.terms import TermSpec, Vocabulary
from notifier.store.files import read_input
from notifier.store.models import Profile, ProfileRevision, Term
from notifier.text.cleaning import fold

BUNDLED = "frexalimab"

# An import warns if a profile would match more than this share of the entries of the last 90 days:
# more than one therapy's news. With fewer entries the share says nothing. Chosen by hand; not
# measured (docs/matching.md, section 4).
BROAD_SHARE = 0.3
FEWEST_ENTRIES_TO_ESTIMATE = 20

# The kinds that decide a tier by themselves: a short or common word there would match everything.
_DECIDING = (TermKind.NAME, TermKind.CODE, TermKind.TRIAL, TermKind.TARGET, TermKind.CLASS)
# In letters, of a spelling in Latin script. Chosen by hand; not measured.
_SHORTEST = 4
# In bytes: fourteen times the longest bundled profile. Parsing odd TOML takes a time that grows
# with the square of the length.
_LARGEST_FILE = 100_000
# Words of most texts on medicine: alone they identify nothing. Collected by hand.
_COMMON_WORDS = frozenset(
    ("antibody", "biologic", "clinical", "clinical trial", "clinical trials", "cure", "disease",
     "doctor", "doctors", "dose", "drug", "drugs", "health", "infusion", "injection", "medication",
     "medicine", "multiple sclerosis", "new drug", "news", "patient", "patients", "phase",
     "phase 2", "phase 3", "placebo", "research", "results", "sclerosis", "side effects",
     "studies", "study", "symptoms", "tablet", "test", "therapies", "therapy", "treatment",
     "treatments", "trial", "trials", "vaccine")
)  # fmt: skip


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
    try:
        profile = ProfileFile.model_validate(tomllib.loads(text))
    except ValidationError as error:
        raise _refusal(error, place, text) from error
    # Besides wrong TOML: a number of thousands of digits, or a thousand open brackets.
    except (ValueError, RecursionError) as error:
        raise ProfileError(
            f"{place} is not valid TOML: {error}", "Correct the line that is named."
        ) from error
    for index, term in enumerate(profile.terms):
        line = _line_of(text, ("terms", index, "text"))
        _refuse_too_broad(term, f"{place}{line}, term {index + 1}")
    return profile


def _line_of(text: str, path: Sequence[str | int]) -> str:
    """Return ``, line 12``, the line of a key as far as it can be found; else an empty string.

    Args:
        text: the TOML document.
        path: of the key, as pydantic gives it: names, and numbers of tables from 0.
    """
    lines = text.splitlines()
    start = 0
    index = path[1] if len(path) > 1 else None
    if isinstance(index, int):
        header = rf"\s*\[\[\s*{re.escape(str(path[0]))}\s*\]\]"
        headers = [number for number, line in enumerate(lines) if re.match(header, line)]
        if index < len(headers):
            start = headers[index]
    key = re.escape(str(path[-1] if len(path) > 1 and start else path[0]))
    with_key = (
        number
        for number, line in enumerate(lines[start:], start + 1)
        if re.match(rf"\s*[\"']?{key}[\"']?\s*=", line)
    )
    number = next(with_key, start + 1 if start else 0)
    return f", line {number}" if number else ""


def _refusal(error: ValidationError, place: str, text: str) -> ProfileError:
    """Return the error for the first value that is wrong."""
    first = error.errors()[0]
    place += _line_of(text, first["loc"])
    path = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return ProfileError(
            f"{place}: there is no key {path}.", "See docs/profiles.md for the keys there are."
        )
    problem = first["msg"].removeprefix("Value error, ")
    value = "" if first["type"] == "missing" else f" = {first['input']!r}"
    return ProfileError(
        f"{place}: {path}{value}: {problem}.", f"Correct {path} and import it again."
    )


def _refuse_too_broad(term: TermPart, place: str) -> None:
    if term.kind not in _DECIDING:
        return
    for spelling in (term.text, *term.also):
        folded = fold(spelling)
        if folded in _COMMON_WORDS:
            raise ProfileError(
                f"{place}: {spelling!r} of the kind {term.kind} would match almost everything.",
                "Give a name that only the therapy has, or the kind indication, which never "
                "matches alone.",
            )
        if len(folded) < _SHORTEST and folded.isascii():
            raise ProfileError(
                f"{place}: {spelling!r} is too short for the kind {term.kind}: it would match "
                "almost everything.",
                "Give a longer name, or the kind indication, which never matches alone.",
            )


def read_files(paths: Sequence[Path]) -> list[ProfileFile]:
    """Read and check profile files.

    Args:
        paths: of files; a path that does not exist may be the slug of a bundled profile.

    Raises:
        ProfileError: one of them cannot be stored, or two have the same slug.
    """
    profiles: list[ProfileFile] = []
    for path in paths:
        profile = parse(_text_of(path), str(path))
        if profile.slug in {other.slug for other in profiles}:
            raise ProfileError(
                f"{path}: the slug {profile.slug!r} is in another of these files.",
                "Give one of them another slug.",
            )
        profiles.append(profile)
    return profiles


def _text_of(path: Path) -> str:
    try:
        if not path.exists() and str(path) in bundled_slugs():
            return bundled_file(str(path))
        return read_input(path, _LARGEST_FILE).decode("utf-8")
    except InputError as error:
        raise ProfileError(error.problem, _fix_for_file()) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path} cannot be read: {error}", _fix_for_file()) from error


def _fix_for_file() -> str:
    return f"Give a UTF-8 TOML file, or one of: {', '.join(bundled_slugs())}."


def save(session: Session, profile: ProfileFile, now: datetime) -> Profile:
    """Store a checked profile, new or in place of the one with its slug.

    Args:
        session: a writing session; the caller commits.
        profile: its terms replace the stored ones; its document is added to the history if it
            differs from the last one.
        now: the time of the import.
    """
    stored = session.scalar(select(Profile).where(Profile.slug == profile.slug))
    if stored is None:
        stored = Profile(slug=profile.slug, position=0)
        session.add(stored)
    document = profile.model_dump(mode="json", exclude_defaults=True)
    stored.name, stored.summary, stored.stage = profile.name, profile.summary, profile.stage
    stored.stage_as_of, stored.document, stored.imported_at = profile.stage_as_of, document, now
    stored.terms.clear()
    session.flush()
    stored.terms.extend(
        Term(kind=spec.kind, text=spec.text, also=list(spec.also)) for spec in term_specs(profile)
    )
    session.flush()
    known = history(session, stored)
    if not known or known[-1].document != document:
        number = known[-1].number + 1 if known else 1
        session.add(
            ProfileRevision(profile_id=stored.id, number=number, document=document, imported_at=now)
        )
    session.flush()
    return stored


def history(session: Session, profile: Profile) -> list[ProfileRevision]:
    """Return every imported state of a profile, the first one first."""
    query = (
        select(ProfileRevision)
        .where(ProfileRevision.profile_id == profile.id)
        .order_by(ProfileRevision.number)
    )
    return list(session.scalars(query))


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the differences between two documents of a profile, a line each."""
    lines = []
    for key, label in (("terms", "term"), ("trials", "trial"), ("canaries", "canary")):
        before, after = (
            {_name_of(part): part for part in document.get(key, ())} for document in (old, new)
        )
        lines += [f"{label} added: {name}" for name in after if name not in before]
        lines += [f"{label} removed: {name}" for name in before if name not in after]
        lines += [
            f"{label} changed: {name}"
            for name in after
            if name in before and after[name] != before[name]
        ]
    for key in ("pages", "sources"):
        before, after = old.get(key, ()), new.get(key, ())
        lines += [f"{key[:-1]} added: {url}" for url in after if url not in before]
        lines += [f"{key[:-1]} removed: {url}" for url in before if url not in after]
    for key in (
        "name",
        "summary",
        "stage",
        "stage_as_of",
        "public",
        "approvals",
        "facts",
        "translations",
    ):
        if old.get(key) != new.get(key):
            value = f": {new.get(key)}" if isinstance(new.get(key), str) else ""
            lines.append(f"{key} changed{value}")
    return lines


def _name_of(part: Mapping[str, Any]) -> str:
    return " ".join(str(part[key]) for key in ("kind", "text", "id", "title") if key in part)


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
    return session.scalars(select(Profile.id).order_by(Profile.id)).all()


def listed(session: Session) -> list[Profile]:
    """Return all profiles, in the order of their first import."""
    return list(session.scalars(select(Profile).order_by(Profile.id)))


def find(session: Session, slug: str | None) -> Profile:
    """Return the profile with this slug, or the only stored one if the slug is None.

    Raises:
        NotFoundError: no profile has this slug, or none is stored.
        InputError: several are stored and the slug is None.
    """
    stored = listed(session)
    if slug is None and len(stored) == 1:
        return stored[0]
    if slug is None and stored:
        names = ", ".join(profile.slug for profile in stored)
        raise InputError("Several profiles are stored.", f"Name one with --profile: {names}.")
    for profile in stored:
        if profile.slug == slug:
            return profile
    if not stored:
        raise NotFoundError("No profile is stored.", "Load the bundled one with: notifier init")
    names = ", ".join(profile.slug for profile in stored)
    raise NotFoundError(f"There is no profile {slug}.", f"Stored: {names}.")


def stored_specs(profile: Profile) -> list[TermSpec]:
    """Return the terms of a stored profile."""
    return [TermSpec(term.kind, term.text, tuple(term.also)) for term in profile.terms]


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
