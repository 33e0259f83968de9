"""Profiles: the stored therapy profile, in from a file and out to one.

Owns the profile file, its checks and its words of refusal. A file that cannot be taken leaves the
stored profile as it was; several files are taken all or none.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.enums import TermKind, Tier
from notifier.errors import InputError, NotFoundError, ProfileError
from notifier.i18n.catalog import LANGUAGES
from notifier.match.terms import TermSpec, Vocabulary
from notifier.store.files import read_input
from notifier.store.models import Profile, ProfileRevision, Term
from notifier.text.cleaning import fold
from notifier.text.urls import web_address

BUNDLED = "frexalimab"

# The kinds that decide a tier by themselves: a short word there would match everything.
_DECIDING = (TermKind.NAME, TermKind.CODE, TermKind.TRIAL, TermKind.TARGET, TermKind.CLASS)
_SHORTEST = 4
# Fourteen times the longest bundled one, in bytes; the reading of odd TOML takes a time that grows
# as the square.
_LARGEST_FILE = 100_000
# Words that stand in most texts of the field: alone they tell nothing.
_EVERYWHERE = frozenset(
    ("antibody", "biologic", "clinical", "clinical trial", "clinical trials", "cure", "disease", "doctor", "doctors",
     "dose", "drug", "drugs", "health", "infusion", "injection", "medication", "medicine", "multiple sclerosis",
     "new drug", "news", "patient", "patients", "phase", "phase 2", "phase 3", "placebo", "research", "results",
     "sclerosis", "side effects", "studies", "study", "symptoms", "tablet", "test", "therapies", "therapy", "treatment",
     "treatments", "trial", "trials", "vaccine")
)  # fmt: skip


def _watchable(url: str) -> str:
    if not web_address(url):
        raise ValueError("must begin with https:// or http://")
    return url


def _trial_id(text: str) -> str:
    if not re.fullmatch(r"NCT[0-9]{8}|[0-9]{4}-[0-9]{6}-[0-9]{2}(-[0-9]{2})?|ISRCTN[0-9]{8}", text):
        raise ValueError("is no trial number; they look like NCT06141473 or 2023-503190-38-00")
    return text


def _spelling(text: str) -> str:
    if not fold(text):
        raise ValueError("is empty")
    return text.strip()


def _spoken(code: str) -> str:
    if code not in LANGUAGES:
        raise ValueError(f"is no language that notifier speaks; it speaks {', '.join(LANGUAGES)}")
    return code


Tongue = Annotated[str, AfterValidator(_spoken)]
Url = Annotated[str, AfterValidator(_watchable)]
Spelling = Annotated[str, AfterValidator(_spelling)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TermPart(_Part):
    """A ``[[terms]]`` table."""

    kind: TermKind
    text: Spelling
    also: tuple[Spelling, ...] = ()


class CanaryPart(_Part):
    """A ``[[canaries]]`` table: a known text, and the tier that it must get for ever."""

    title: Spelling
    summary: str = ""
    body: str = ""
    tier: Tier


class TrialPart(_Part):
    """A ``[[trials]]`` table."""

    id: Annotated[str, AfterValidator(_trial_id)]
    acronym: str = ""
    phase: str = ""
    about: str = ""


class ApprovalPart(_Part):
    """An ``[[approvals]]`` table: where the therapy may be used. `where` is a country's ISO 3166 code, or ``EU``."""

    where: Spelling
    status: Literal["approved", "not approved", "under review", "refused", "withdrawn"]
    since: Annotated[int, Field(ge=1900, le=2100)] | None = None
    as_of: date | None = None


class TranslationPart(_Part):
    """A ``[translations.xx]`` table: what readers of another language are shown."""

    summary: str = ""
    stage: str = ""
    facts: dict[str, str | list[str]] = {}


class ProfileFile(_Part):
    """A whole profile file; the keys are those of a therapy's public profile."""

    slug: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
    name: Spelling
    summary: str = ""
    stage: str = ""
    stage_as_of: date | None = None
    public: bool = False
    approvals: tuple[ApprovalPart, ...] = ()
    pages: tuple[Url, ...] = ()
    sources: tuple[Url, ...] = ()
    facts: dict[str, str | list[str]] = {}
    terms: Annotated[tuple[TermPart, ...], Field(min_length=1)]
    trials: tuple[TrialPart, ...] = ()
    canaries: tuple[CanaryPart, ...] = ()
    translations: dict[Tongue, TranslationPart] = {}


def bundled_slugs() -> list[str]:
    """The profiles that come with notifier: the one that `init` loads, and starting points for others."""
    return sorted(
        path.name[:-5]
        for path in (files("notifier") / "match" / "bundled").iterdir()
        if path.name.endswith(".toml")
    )


def bundled_file(slug: str = BUNDLED) -> str:
    """The text of a profile that comes with notifier."""
    return (files("notifier") / "match" / "bundled" / f"{slug}.toml").read_text(encoding="utf-8")


def parse(text: str, place: str) -> ProfileFile:
    """Check a profile file.

    Args:
        text: the TOML document.
        place: how messages call it.

    Raises:
        ProfileError: with the place in the file, the reason and the fix.
    """
    try:
        profile = ProfileFile.model_validate(tomllib.loads(text))
    except ValidationError as error:
        raise _refusal(error, place, text) from error
    except (
        ValueError,
        RecursionError,
    ) as error:  # no TOML, a number of thousands of digits, a thousand brackets
        raise ProfileError(
            f"{place} is not valid TOML: {error}", "Mend the line that is named."
        ) from error
    for index, term in enumerate(profile.terms):
        line = _line_of(text, ("terms", index, "text"))
        _refuse_too_broad(term, f"{place}{line}, term {index + 1}")
    return profile


def _line_of(text: str, path: Sequence[str | int]) -> str:
    """``, line 12``: where a key stands in the file, as far as its layout tells; else empty."""
    lines = text.splitlines()
    start = 0
    index = path[1] if len(path) > 1 else None
    if isinstance(index, int):
        headers = [
            n
            for n, line in enumerate(lines)
            if re.match(rf"\s*\[\[\s*{re.escape(str(path[0]))}\s*\]\]", line)
        ]
        if index < len(headers):
            start = headers[index]
    key = re.escape(str(path[-1] if len(path) > 1 and start else path[0]))
    found = (
        n
        for n, line in enumerate(lines[start:], start + 1)
        if re.match(rf"\s*[\"']?{key}[\"']?\s*=", line)
    )
    line = next(found, start + 1 if start else 0)
    return f", line {line}" if line else ""


def _refusal(error: ValidationError, place: str, text: str) -> ProfileError:
    first = error.errors()[0]
    place += _line_of(text, first["loc"])
    path = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return ProfileError(
            f"{place}: there is no key {path}.", "See docs/profiles.md for the keys there are."
        )
    problem = first["msg"].removeprefix("Value error, ")
    given = "" if first["type"] == "missing" else f" = {first['input']!r}"
    return ProfileError(
        f"{place}: {path}{given}: {problem}.", f"Correct {path} and import it again."
    )


def _refuse_too_broad(term: TermPart, place: str) -> None:
    for spelling in (term.text, *term.also):
        if term.kind in _DECIDING and fold(spelling) in _EVERYWHERE:
            raise ProfileError(
                f"{place}: {spelling!r} of the kind {term.kind} would match almost everything.",
                "Give a name that only the therapy has, or the kind indication, which never matches alone.",
            )
        if term.kind in _DECIDING and len(fold(spelling)) < _SHORTEST and fold(spelling).isascii():
            raise ProfileError(
                f"{place}: {spelling!r} is too short for the kind {term.kind}: it would match almost everything.",
                "Give a longer name, or the kind indication, which never matches alone.",
            )


def read_files(paths: Sequence[Path]) -> list[ProfileFile]:
    """Read and check several profile files, or bundled ones by their slug; one that is wrong refuses them all."""
    found: list[ProfileFile] = []
    for path in paths:
        try:
            bundled = not path.exists() and str(path) in bundled_slugs()
            text = (
                bundled_file(str(path))
                if bundled
                else read_input(path, _LARGEST_FILE).decode("utf-8")
            )
        except InputError as error:
            raise ProfileError(
                error.problem, f"Give a UTF-8 TOML file, or one of: {', '.join(bundled_slugs())}."
            ) from error
        except (OSError, UnicodeDecodeError) as error:
            raise ProfileError(
                f"{path} cannot be read: {error}",
                f"Give a UTF-8 TOML file, or one of: {', '.join(bundled_slugs())}.",
            ) from error
        profile = parse(text, str(path))
        if profile.slug in {other.slug for other in found}:
            raise ProfileError(
                f"{path}: the slug {profile.slug!r} is in another of these files.", "Rename one."
            )
        found.append(profile)
    return found


def save(session: Session, profile: ProfileFile, now: datetime) -> Profile:
    """Store a checked profile, new or in place of the one with its slug."""
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
    """Every imported state of a profile, the first one first."""
    chosen = (
        select(ProfileRevision)
        .where(ProfileRevision.profile_id == profile.id)
        .order_by(ProfileRevision.number)
    )
    return list(session.scalars(chosen))


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What changed between two documents of a profile, a line each."""
    lines = []
    for kind, label in (("terms", "term"), ("trials", "trial"), ("canaries", "canary")):
        before, after = (
            {_named(one): one for one in document.get(kind, ())} for document in (old, new)
        )
        lines += [f"{label} added: {name}" for name in after if name not in before]
        lines += [f"{label} removed: {name}" for name in before if name not in after]
        lines += [
            f"{label} changed: {name}"
            for name in after
            if name in before and after[name] != before[name]
        ]
    for key in ("pages", "sources"):
        lines += [
            f"{key[:-1]} added: {url}" for url in new.get(key, ()) if url not in old.get(key, ())
        ]
        lines += [
            f"{key[:-1]} removed: {url}" for url in old.get(key, ()) if url not in new.get(key, ())
        ]
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
            lines.append(
                f"{key} changed" + (f": {new.get(key)}" if isinstance(new.get(key), str) else "")
            )
    return lines


def _named(part: Mapping[str, Any]) -> str:
    return " ".join(str(part[key]) for key in ("kind", "text", "id", "title") if key in part)


def term_specs(profile: ProfileFile) -> list[TermSpec]:
    """The terms of a profile file, its trials' numbers and acronyms among them, each once."""
    found = [TermSpec(term.kind, term.text, term.also) for term in profile.terms]
    found += [
        TermSpec(TermKind.TRIAL, one.id, (one.acronym,) if one.acronym else ())
        for one in profile.trials
    ]
    return list({(spec.kind, spec.text): spec for spec in found}.values())


def export(profile: Profile) -> str:
    """The profile as the TOML that `parse` reads."""
    document = dict(profile.document)
    if profile.stage_as_of:
        document["stage_as_of"] = profile.stage_as_of
    return tomli_w.dumps(document)


def ids(session: Session) -> Sequence[int]:
    """The ids of all profiles, in the order they were imported."""
    return session.scalars(select(Profile.id).order_by(Profile.id)).all()


def listed(session: Session) -> list[Profile]:
    """All profiles, in the order they were imported."""
    return list(session.scalars(select(Profile).order_by(Profile.id)))


def find(session: Session, slug: str | None) -> Profile:
    """The profile with this slug, or the only one there is.

    Raises:
        NotFoundError: none is stored under this slug, or none at all.
        InputError: several are stored and none was named.
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
    """The terms of a stored profile."""
    return [TermSpec(term.kind, term.text, tuple(term.also)) for term in profile.terms]


def vocabulary(profiles: Sequence[Profile]) -> Vocabulary[int]:
    """The terms of stored profiles, ready to be looked for, by profile id."""
    return Vocabulary({profile.id: stored_specs(profile) for profile in profiles})


def facts(profile: Profile) -> dict[str, Any]:
    """The profile's facts, in the order of its file: ``{"Target": "…", "Side effects": ["…", …]}``."""
    return {
        name.replace("_", " ").capitalize(): value
        for name, value in profile.document.get("facts", {}).items()
    }
