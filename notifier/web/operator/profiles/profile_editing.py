"""The edit of a profile: as a form, and as the whole file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import Route

from notifier.admin import profile_edit
from notifier.admin.profile_edit import ChangedMeanwhileError, State
from notifier.errors import InputError, ProfileError
from notifier.i18n.catalog import LANGUAGES
from notifier.match import profiles
from notifier.match.profile_file import ProfileFile
from notifier.web import forms
from notifier.web.operator import rendering
from notifier.web.operator.access import action, page
from notifier.web.operator.profiles import profile_decisions, profile_form
from notifier.web.operator.profiles.profile_decisions import THREADS, Meanwhile, Outcome
from notifier.web.operator.profiles.profile_form import Filled
from notifier.web.operator.visit import Visit
from notifier.web.responses import PAGE_HEADERS

# A profile with 2,000 terms in letters of three bytes, each sent as nine characters, and the rows
# of 200 trials and 200 known texts.
LIMITS = forms.Limits(1_000_000, 2_000)
# The page asks for an estimate while somebody types: its script may send the form to us.
_HEADERS = {
    "Content-Security-Policy": f"{PAGE_HEADERS['Content-Security-Policy']}; connect-src 'self'"
}
# Empty rows behind those of the trials and of the known texts.
_EMPTY_ROWS = 2

ShowPage = Callable[[State, Outcome, Meanwhile | None], Response]


@dataclass(frozen=True)
class Text:
    """A sent profile.

    Attributes:
        file: what it describes; None if it cannot be read.
        wrong: why it is not stored, in sentences.
    """

    file: ProfileFile | None
    wrong: Sequence[str] = ()


def routes(path: str) -> list[Route]:
    """Return the routes below the path of a profile."""
    return [
        Route(f"{path}/edit", page(show_form), methods=["GET"]),
        Route(f"{path}/edit", action(send_form, limits=LIMITS, threads=THREADS), methods=["POST"]),
        Route(f"{path}/file", page(show_file), methods=["GET"]),
        Route(f"{path}/file", action(send_file, limits=LIMITS, threads=THREADS), methods=["POST"]),
    ]


def show_form(visit: Visit) -> Response:
    """Show the form of a profile."""
    state = profile_decisions.current_state(visit)
    return _form_page(visit, profile_form.filled_with(state.document), {}, {})(
        state, Outcome(), None
    )


def send_form(visit: Visit, form: FormData) -> Response:
    """Estimate or store what the form holds."""
    state = profile_decisions.current_state(visit)
    filled = profile_form.filled_by(form)
    checked = profile_form.check(filled, state.document)
    sentences = [each for group in checked.wrong.values() for each in group]
    return answer(
        visit,
        form,
        state,
        Text(checked.file, sentences),
        _form_page(visit, filled, checked.wrong, checked.notes, form),
    )


def show_file(visit: Visit) -> Response:
    """Show the whole file of a profile."""
    with visit.deps.reading() as session:
        slug = visit.word("slug")
        state = profile_edit.state_of(session, slug)
        text = profiles.export(profiles.find(session, slug))
    return _file_page(visit, text)(state, Outcome(), None)


def send_file(visit: Visit, form: FormData) -> Response:
    """Estimate or store the file that was sent."""
    state = profile_decisions.current_state(visit)
    text = forms.unstripped(form, "file").replace("\r\n", "\n")
    return answer(visit, form, state, read(text, state.slug), _file_page(visit, text, form))


def answer(
    visit: Visit,
    form: FormData,
    state: State,
    text: Text,
    show_page: ShowPage,
    verb: str = "Changed",
) -> Response:
    """Return the answer to a sent profile: what it would match, or that it is stored.

    Args:
        visit: the request.
        form: as it was sent.
        state: the profile as it is stored.
        text: what was sent, checked.
        show_page: shows the page again, with what was typed.
        verb: how the sentence of the log begins.
    """
    changed = profile_decisions.meanwhile(visit, form, state)
    is_live, outcome = forms.text(form, "do") == "live", Outcome(wrong=text.wrong, status=422)
    if text.file is not None and (changed is not None or text.wrong):
        outcome = profile_decisions.proposed(visit, state, text.file)
        outcome.wrong, outcome.status = text.wrong, 422
    elif text.file is not None:
        try:
            outcome = profile_decisions.decide(visit, form, state, text.file, verb)
        except ChangedMeanwhileError:
            state = profile_decisions.current_state(visit)
            changed = profile_decisions.meanwhile(visit, form, state)
            outcome = profile_decisions.proposed(visit, state, text.file)
        except InputError as error:
            outcome = Outcome(wrong=[error.problem], status=422)
    if changed is not None:
        outcome.status = 409
    if outcome.action_id:
        return rendering.done(visit, f"profiles/{state.slug}", outcome.action_id)
    if is_live:
        values = {"outcome": outcome, "meanwhile": changed, "is_part": True, "languages": LANGUAGES}
        headers = {"X-Part": "estimate"}
        return rendering.show(visit, "profile_estimate", values, headers=headers)
    return show_page(state, outcome, changed)


def chosen(form: FormData | None) -> dict[str, str]:
    """Return what an editor chose besides the text, to be shown again."""
    past = forms.text(form, "past") if form is not None else ""
    return {
        "past": "include" if past == "include" else "file",
        "reason": forms.text(form, "reason") if form is not None else "",
    }


def _form_page(
    visit: Visit,
    filled: Filled,
    wrong: Mapping[str, Sequence[str]],
    notes: Mapping[str, Sequence[str]],
    form: FormData | None = None,
) -> ShowPage:
    """Return what shows the form with these texts."""

    def show_page(state: State, outcome: Outcome, changed: Meanwhile | None) -> Response:
        empty_trial = dict.fromkeys(profile_form.TRIAL_FIELDS, "")
        empty_text = dict.fromkeys(profile_form.CANARY_FIELDS, "")
        values = {
            "filled": filled,
            "trials": [*filled.trials, *[empty_trial] * _EMPTY_ROWS],
            "canaries": [*filled.canaries, *[empty_text] * _EMPTY_ROWS],
            "kinds": profile_form.KINDS,
            "tiers": profile_form.TIERS,
            "wrong": wrong,
            "notes": notes,
        }
        return show_again(visit, "profile_edit", values, state, outcome, changed, form)

    return show_page


def _file_page(visit: Visit, text: str, form: FormData | None = None) -> ShowPage:
    """Return what shows the whole file with this text."""

    def show_page(state: State, outcome: Outcome, changed: Meanwhile | None) -> Response:
        return show_again(visit, "profile_file", {"text": text}, state, outcome, changed, form)

    return show_page


def show_again(
    visit: Visit,
    name: str,
    values: Mapping[str, Any],
    state: State,
    outcome: Outcome,
    changed: Meanwhile | None,
    form: FormData | None,
) -> Response:
    """Render the page of a form with what was typed and chosen.

    Args:
        visit: the request.
        name: of the template.
        values: its own variables.
        state: the profile as it is stored.
        outcome: the part below the form.
        changed: the changes that somebody else stored; None for none.
        form: as it was sent; None if it was not.
    """
    shared = {
        "state": state,
        "outcome": outcome,
        "meanwhile": changed,
        "is_part": False,
        "languages": LANGUAGES,
        **chosen(form),
    }
    return rendering.show(
        visit,
        name,
        {**shared, **values},
        section="profiles",
        status=outcome.status,
        headers=_HEADERS,
    )


def read(text: str, slug: str = "") -> Text:
    """Check a whole file; a slug that is given must be its own."""
    try:
        file = profiles.parse(text, "The file")
    except ProfileError as error:
        return Text(None, [error.problem])
    if slug and file.slug != slug:
        return Text(
            None, [f"The slug is “{file.slug}” and must stay “{slug}”: another is another profile."]
        )
    wrong = [
        f"“{url[:200]}” cannot be watched: give an address that begins with https:// or http://."
        for url in profile_edit.unwatchable((*file.pages, *file.sources))
    ]
    wrong += [
        f"The known text {failure}. Correct the terms, or its tier."
        for failure in profile_edit.canary_failures(file)
    ]
    return Text(file, wrong)
