"""The history of a profile: each stored state, what differs, and the return to one."""

from itertools import pairwise

from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import Response

from notifier.admin import profile_edit
from notifier.admin.profile_edit import State
from notifier.i18n.catalog import LANGUAGES
from notifier.match import profile_changes, profile_states
from notifier.match.profile_file import ProfileFile
from notifier.operators import actions
from notifier.store.models import ProfileRevision
from notifier.web.operator import rendering
from notifier.web.operator.profiles import profile_decisions
from notifier.web.operator.profiles.profile_decisions import Meanwhile, Outcome
from notifier.web.operator.profiles.profile_editing import ShowPage, Text, answer, chosen
from notifier.web.operator.visit import Visit, number_of

_SIZE = 20
_REFUSED = (
    "This state was stored by another version of the program, which allowed what this one refuses. "
    "Edit the profile instead."
)


def show(visit: Visit) -> Response:
    """Show the states of a profile with what each changed, the newest first."""
    before = number_of(visit.query.get("before", ""))
    with visit.deps.reading() as session:
        state = profile_edit.state_of(session, visit.word("slug"))
        states = profile_states.earlier_states(session, state.profile_id, before, _SIZE + 1)
        times = [each.imported_at for each in states]
        done = actions.by_time(session, profile_edit.about(state.slug), times)
        # The last one was read for what the one after it changed.
        rows = [
            {
                "number": newer.number,
                "at": newer.imported_at,
                "action": done.get(newer.imported_at),
                "differences": _differences(older, newer),
            }
            for newer, older in pairwise([*states, None])
            if newer is not None
        ]
    values = {
        "state": state,
        "rows": rows[:_SIZE],
        "older": rows[_SIZE - 1]["number"] if len(rows) > _SIZE else 0,
    }
    return rendering.show(visit, "profile_history", values, section="profiles")


def show_state(visit: Visit) -> Response:
    """Show what a return to an earlier state would change and match."""
    state, revision = _states(visit)
    text = _read(revision)
    outcome = Outcome(wrong=text.wrong)
    if text.file is not None:
        outcome = profile_decisions.proposed(visit, state, text.file)
        outcome.wrong = text.wrong
    return _page(visit, revision, None)(state, outcome, None)


def go_back(visit: Visit, form: FormData) -> Response:
    """Store an earlier state again, as a new one."""
    state, revision = _states(visit)
    return answer(
        visit,
        form,
        state,
        _read(revision),
        _page(visit, revision, form),
        f"Returned to state {revision.number} of",
    )


def _differences(
    older: ProfileRevision | None, newer: ProfileRevision
) -> list[profile_decisions.ShownDifference]:
    if older is None:
        return []
    listed = profile_changes.differences(older.document, newer.document)
    return profile_decisions.in_words(listed)


def _states(visit: Visit) -> tuple[State, ProfileRevision]:
    """Return a profile as it is, and the state that the address names.

    Raises:
        HTTPException: 404, there is no such state.
    """
    with visit.deps.reading() as session:
        state = profile_edit.state_of(session, visit.word("slug"))
        revision = profile_states.state(session, state.profile_id, visit.number("number"))
        if revision is None:
            raise HTTPException(404)
        return state, revision


def _read(revision: ProfileRevision) -> Text:
    """Check a stored state, as an edit is checked."""
    try:
        file = ProfileFile.model_validate(revision.document)
    except ValidationError:
        return Text(None, [_REFUSED])
    wrong = [f"The known text {each}." for each in profile_edit.canary_failures(file)]
    return Text(file, wrong)


def _page(visit: Visit, revision: ProfileRevision, form: FormData | None) -> ShowPage:
    """Return what shows an earlier state."""

    def show_page(state: State, outcome: Outcome, changed: Meanwhile | None) -> Response:
        values = {
            "state": state,
            "number": revision.number,
            "at": revision.imported_at,
            "outcome": outcome,
            "meanwhile": changed,
            "is_part": False,
            "languages": LANGUAGES,
            **chosen(form),
        }
        return rendering.show(
            visit, "profile_state", values, section="profiles", status=outcome.status
        )

    return show_page
