"""The removal of a profile, by an owner."""

from starlette.datastructures import FormData
from starlette.responses import Response

from notifier.admin import profile_removal
from notifier.errors import NotFoundError
from notifier.match import removed_profiles
from notifier.subscribers import profile_endings
from notifier.text.cleaning import fold
from notifier.watch import source_lists
from notifier.web import forms
from notifier.web.operator import rendering
from notifier.web.operator.visit import Visit


def show(visit: Visit) -> Response:
    """Show what a removal would end, and ask for the name."""
    return _page(visit, "", "")


def remove(visit: Visit, form: FormData) -> Response:
    """Remove the profile if its name was typed."""
    slug, typed = visit.word("slug"), forms.text(form, "name")
    with visit.deps.reading() as session:
        name = removed_profiles.find_any(session, slug).name
    if fold(typed) != fold(name):
        return _page(visit, typed, f"Type the name as it is written here: {name}", status=422)
    removal = profile_removal.remove(
        visit.deps,
        slug,
        f"operator {visit.name}",
        visit.actor,
        reason=forms.text(form, "reason"),
    )
    return rendering.done(visit, "profiles", removal.action_id)


def _page(visit: Visit, typed: str, wrong: str, *, status: int = 200) -> Response:
    slug = visit.word("slug")
    with visit.deps.reading() as session:
        profile = removed_profiles.find_any(session, slug)
        readers = profile_endings.count_running(session, profile.id)
        if profile.removed_at is not None and not readers:
            raise NotFoundError(f"{profile.name} was removed already.")
        values = {
            "name": profile.name,
            "slug": slug,
            "is_begun": profile.removed_at is not None,
            "readers": readers,
            "sources": source_lists.count_of_profile_alone(session, profile.id),
            "typed": typed,
            "wrong": wrong,
        }
    return rendering.show(visit, "profile_remove", values, section="profiles", status=status)
