"""A new profile: from a file, or from one of those that come with notifier."""

from starlette.datastructures import FormData
from starlette.responses import Response

from notifier.admin import profile_edit
from notifier.admin.profile_edit import State
from notifier.match import profiles
from notifier.web import forms
from notifier.web.operator.profiles.profile_decisions import Meanwhile, Outcome
from notifier.web.operator.profiles.profile_editing import ShowPage, answer, read, show_again
from notifier.web.operator.visit import Visit

_BEGINNING = """slug = ""
name = ""
summary = ""
stage = ""
sources = []

[[terms]]
kind = "name"
text = ""
also = []
"""


def show(visit: Visit) -> Response:
    """Show the file of a bundled profile, or one to begin with."""
    bundled = visit.query.get("bundled", "")
    text = profiles.bundled_file(bundled) if bundled in profiles.bundled_slugs() else _BEGINNING
    return _page(visit, text, None)(profile_edit.new_state("", ""), Outcome(), None)


def send(visit: Visit, form: FormData) -> Response:
    """Estimate what the profile would match, or store it."""
    text = forms.unstripped(form, "file").replace("\r\n", "\n")
    checked = read(text)
    slug, name = (checked.file.slug, checked.file.name) if checked.file else ("", "")
    state = profile_edit.new_state(slug, name)
    return answer(visit, form, state, checked, _page(visit, text, form), "Added")


def _page(visit: Visit, text: str, form: FormData | None) -> ShowPage:
    """Return what shows the file of a new profile."""

    def show_page(state: State, outcome: Outcome, changed: Meanwhile | None) -> Response:
        with visit.deps.reading() as session:
            bundled = [
                slug for slug in profiles.bundled_slugs() if not profiles.is_stored(session, slug)
            ]
        values = {"text": text, "bundled": bundled}
        return show_again(visit, "profile_new", values, state, outcome, changed, form)

    return show_page
