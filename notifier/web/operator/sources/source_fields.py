"""The fields of the forms about sources: what was typed, and what is wrong with it."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from notifier.enums import Authority
from notifier.match.profiles import IN_USE
from notifier.store.models import Profile, Source
from notifier.text.cleaning import clean
from notifier.web import forms

# Profiles that are offered as boxes; of more, the names are typed. Chosen by hand; not measured.
MOST_BOXES = 20
# Characters of a name, and profiles of one source. Chosen by hand; not measured.
_LONGEST_NAME, _MOST_NAMED = 200, 40


class SourceFields(NamedTuple):
    """The fields of a source, as they were typed.

    Attributes:
        name: that readers see.
        url: its address.
        authority: a value of `Authority`.
        every: whether it is for every profile.
        slugs: the profiles that are ticked.
        typed: the profiles that are typed, one a line.
    """

    name: str
    url: str
    authority: str
    every: bool
    slugs: tuple[str, ...] = ()
    typed: str = ""


class ProfilesError(Exception):
    """Profiles that a source cannot be for; the text is for the editor."""


class Offer(NamedTuple):
    """The profiles that a form offers: slug and name of each, or none if they are too many."""

    profiles: Sequence[tuple[str, str]]
    is_typed: bool


def of_form(form: FormData) -> SourceFields:
    """Return what was typed."""
    slugs = tuple(text for text in form.getlist("profile") if isinstance(text, str))
    return SourceFields(
        clean(forms.text(form, "name")),
        forms.text(form, "url"),
        forms.text(form, "authority"),
        forms.text(form, "for") != "some",
        slugs[:_MOST_NAMED],
        forms.text(form, "profiles"),
    )


def of_source(source: Source, offer: Offer) -> SourceFields:
    """Return the fields that show a stored source."""
    slugs = tuple(profile.slug for profile in source.profiles)
    typed = "\n".join(slugs) if offer.is_typed else ""
    return SourceFields(source.name, source.url, str(source.authority), not slugs, slugs, typed)


def offer(session: Session) -> Offer:
    """Return the profiles that a form offers."""
    query = select(Profile.slug, Profile.name).where(IN_USE).order_by(Profile.name)
    rows = session.execute(query.limit(MOST_BOXES + 1)).all()
    profiles = [(row[0], row[1]) for row in rows]
    is_typed = len(profiles) > MOST_BOXES
    return Offer([] if is_typed else profiles, is_typed)


def profiles_of(session: Session, fields: SourceFields) -> list[Profile]:
    """Return the profiles that the fields name; an empty list for every profile.

    Raises:
        ProfilesError: one is not stored, or none is named.
    """
    if fields.every:
        return []
    wanted = list(dict.fromkeys([*fields.slugs, *map(clean, fields.typed.splitlines())]))
    wanted = [name for name in wanted if name]
    if not wanted:
        raise ProfilesError("Name at least one profile, or choose all of them.")
    if len(wanted) > _MOST_NAMED:
        raise ProfilesError(f"At most {_MOST_NAMED} profiles can be named.")
    profiles = []
    for name in wanted:
        by_slug = Profile.slug == name
        profile = session.scalar(select(Profile).where(by_slug, IN_USE))
        profile = profile or session.scalar(select(Profile).where(Profile.name == name, IN_USE))
        if profile is None:
            raise ProfilesError(f"There is no profile “{name}”.")
        profiles.append(profile)
    return profiles


def wrong(fields: SourceFields) -> dict[str, str]:
    """Return what is wrong with name and tier, by the field; profiles need the database."""
    errors = {}
    if not fields.name:
        errors["name"] = "Give the name that readers see."
    elif len(fields.name) > _LONGEST_NAME:
        errors["name"] = f"Give a name of at most {_LONGEST_NAME} characters."
    if fields.authority not in [*Authority]:
        errors["authority"] = "Choose one of the list."
    return errors


def mark_of(source: Source) -> str:
    """Return a fingerprint of what an editor can change of a source: 16 hexadecimal digits."""
    slugs = sorted(profile.slug for profile in source.profiles)
    paused_at = source.paused_at.isoformat() if source.paused_at else ""
    shown = (source.name, source.url, str(source.authority), slugs, paused_at)
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]
