"""The decisions about digests: approve, hold, drop, note, order, leave out, test, stop.

Each decision is bound to the state that its form carries for each digest (`state_ID`). If it is
another one by now, nothing is done, and the page is shown again with what was typed. A field beside
which the form says what the page showed in it (`was_NAME`) is left alone while it still says that:
it may be another editor's text that is the newer one.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from starlette.datastructures import FormData
from starlette.responses import Response

from notifier.admin import issues as decisions
from notifier.admin import mail_to_oneself, sending
from notifier.admin.issues import ChangedError
from notifier.admin.mail_to_oneself import RefusedTestError, TooManyTestsError
from notifier.digest import archive, digests, editing, issues
from notifier.digest.editing import Edit, NothingLeftError
from notifier.errors import (
    AddressError,
    InputError,
    NotFoundError,
    NotifierError,
    SettingsError,
    StoreError,
)
from notifier.web import forms
from notifier.web.operator import rendering
from notifier.web.operator.digests import digest_page
from notifier.web.operator.digests.digest_page import Again
from notifier.web.operator.visit import Visit, number_of

_STATE, _PLACE, _NOTE, _WAS = "state_", "place_", "note_", "was_"
_LARGEST_PLACE = 9999
# A digest may have some hundred items, each with two fields; and a note in each language may be
# typed too long, in letters that a form writes in six bytes, beside the one that was shown. Chosen
# by hand; not measured.
LIMITS = forms.Limits(600_000, 2000)
_OUTSIDE_FORM = ("token", _STATE, _WAS)


def approve(visit: Visit, form: FormData) -> Response:
    """Approve the digests whose states the form carries."""
    return _tried(visit, form, lambda: decisions.approve(visit.deps, _states(form), visit.actor))


def hold(visit: Visit, form: FormData) -> Response:
    """Keep back a draft, or stop a digest that is being sent."""
    because = forms.text(form, "because")
    return _tried(
        visit,
        form,
        lambda: decisions.hold(visit.deps, visit.number("digest"), because, visit.actor),
    )


def drop(visit: Visit, form: FormData) -> Response:
    """Send nothing this time to the readers of a draft."""
    digest_id = visit.number("digest")
    with_items = bool(forms.text(form, "with_items"))

    def act() -> int:
        return decisions.drop(
            visit.deps,
            digest_id,
            _states(form).get(digest_id, ""),
            forms.text(form, "drop_because"),
            visit.actor,
            with_items=with_items,
        )

    return _tried(visit, form, act, "drop_because")


def write_notes(visit: Visit, form: FormData) -> Response:
    """Store the editor's notes that were changed, each in all digests of its language."""
    errors, texts = {}, {}
    for name in form:
        if name.startswith(_NOTE) and _is_edited(form, name):
            try:
                texts[name.removeprefix(_NOTE)] = editing.tidy(forms.text(form, name))
            except InputError as error:
                errors[name] = error.problem
    if errors:
        return _again(visit, form, Again(errors=errors), 422)
    shown = _states(form)
    with visit.deps.reading() as session:
        digest = digests.find(session, visit.number("digest"))
        same = issues.of_same_issue(session, digest)
        may_change = [each for each in same if editing.may_change(session, each)]
    if digest.id not in {each.id for each in may_change}:
        return _again(visit, form, Again(_PAST, is_changed=True), 409)
    changes: dict[int, Edit] = {}
    for code, text in texts.items():
        of_language = [each for each in may_change if each.language == code]
        if text != digest_page.note_of(of_language):
            changes |= {each.id: Edit(note=text) for each in of_language}
    if not changes:
        return _again(visit, form, Again(errors={"notes": _SAME}), 422)
    what = "Wrote the editor's note of"
    bound = {digest_id: shown.get(digest_id, "") for digest_id in changes}
    return _tried(
        visit, form, lambda: decisions.change(visit.deps, changes, bound, what, visit.actor)
    )


def order(visit: Visit, form: FormData) -> Response:
    """Put the items of a digest in another order, in the others of the issue too if wished."""
    try:
        places = _places(form)
    except InputError as error:
        return _again(visit, form, Again(errors={"order": error.problem}), 422)
    shown, digest_id = _states(form), visit.number("digest")
    with visit.deps.reading() as session:
        digest = digests.find(session, digest_id)
        now = [item.match_id for item in archive.items_of(session, digest)]
        others = [
            each
            for each in issues.of_same_issue(session, digest)
            if forms.text(form, "all") and each.id != digest_id and each.id in shown
        ]
        items_of = {
            each.id: [item.match_id for item in archive.items_of(session, each)]
            for each in others
            if editing.may_change(session, each)
        }
    ordered = sorted(places, key=lambda match_id: (places[match_id], _index(now, match_id)))
    if ordered == now:
        return _again(visit, form, Again(errors={"order": _SAME}), 422)
    changes = {
        other_id: Edit(first=tuple(each for each in ordered if each in items))
        for other_id, items in items_of.items()
        if [each for each in ordered if each in items]
        != [each for each in items if each in ordered]
    }
    changes[digest_id] = Edit(first=tuple(ordered))
    bound = {each: shown.get(each, "") for each in changes}
    what = "Changed the order of the items of"
    return _tried(
        visit,
        form,
        lambda: decisions.change(visit.deps, changes, bound, what, visit.actor),
        "order",
    )


def leave_out(visit: Visit, form: FormData) -> Response:
    """Leave an item out of the digest, of the others of its issue, and of all further ones."""
    digest_id, match_id = visit.number("digest"), number_of(forms.text(form, "item"))
    because, shown = forms.text(form, "because"), _states(form)
    return _tried(
        visit,
        form,
        lambda: decisions.leave_out(visit.deps, digest_id, match_id, because, shown, visit.actor),
        f"because_{match_id}",
    )


def send_test(visit: Visit, form: FormData) -> Response:
    """Send the digest to an address that is typed in."""
    digest_id = visit.number("digest")

    def again(text: str, status: int) -> Response:
        return _again(visit, form, Again(errors={"address": text}), status)

    try:
        action_id = mail_to_oneself.send(
            visit.deps, digest_id, forms.text(form, "address"), visit.actor
        )
    except AddressError as error:
        return again(f"This is no address that mail can be sent to: {error.reason}", 422)
    except SettingsError:
        return again("No mail can be sent yet: the sender's address is not set.", 409)
    except TooManyTestsError as error:
        return again(f"{error.problem} {error.fix}", 429)
    except RefusedTestError as error:
        fix = "" if "notifier " in error.fix else error.fix
        return again(f"{error.problem} {fix}".strip(), 409)
    return rendering.done(visit, f"digests/{digest_id}", action_id)


def stop_all(visit: Visit, form: FormData) -> Response:
    """Stop all sending."""
    action_id = sending.stop(visit.deps, visit.actor, forms.text(form, "because"))
    return rendering.done(visit, _back(form), action_id)


def resume_all(visit: Visit, form: FormData) -> Response:
    """Let mails go out again."""
    return rendering.done(visit, _back(form), sending.resume(visit.deps, visit.actor))


OF_ALL = {"stop": stop_all, "resume": resume_all}
OF_DIGEST = {
    "approve": approve,
    "hold": hold,
    "drop": drop,
    "note": write_notes,
    "order": order,
    "leave-out": leave_out,
    "test": send_test,
}

_SAME = "This is as it was: nothing was changed."
_PAST = "This digest cannot be changed any more: nothing was changed."


def _tried(visit: Visit, form: FormData, act: Callable[[], int], name: str = "") -> Response:
    """Return the answer to a decision.

    Args:
        visit: the request.
        form: with what was typed.
        act: does it, and returns the id of the entry in the log.
        name: the field beside which bad input is reported; empty for the head of the page.
    """
    try:
        action_id = act()
    except (NotFoundError, StoreError):
        raise
    except ChangedError as error:
        return _again(visit, form, Again(error.problem, is_changed=True), 409)
    except NothingLeftError:
        return _again(visit, form, Again(errors={name: _NOTHING_LEFT}), 409)
    except InputError as error:
        again = Again(errors={name: error.problem}) if name else Again(error.problem)
        return _again(visit, form, again, 422)
    except NotifierError as error:
        return _again(visit, form, Again(error.problem), 409)
    return rendering.done(visit, f"digests/{visit.number('digest')}", action_id)


_NOTHING_LEFT = (
    "Without it nothing would be left that a digest is sent for. To send nothing this time, drop"
    " the whole draft."
)


def _again(visit: Visit, form: FormData, again: Again, status: int) -> Response:
    typed = {
        name: forms.text(form, name)
        for name in form
        if not name.startswith(_OUTSIDE_FORM) and _is_edited(form, name)
    }
    return digest_page.shown(visit, visit.number("digest"), replace(again, typed=typed), status)


def _is_edited(form: FormData, name: str) -> bool:
    """Return whether a field differs from what the page showed in it, as far as the form says."""
    was = f"{_WAS}{name}"
    return was not in form or _lines(forms.text(form, name)) != _lines(forms.text(form, was))


def _lines(text: str) -> list[str]:
    """Return the lines of a text, which browsers end in other ways than they were given."""
    return [line.strip() for line in text.strip().splitlines()]


def _states(form: FormData) -> dict[int, str]:
    """Return the state that was shown of each digest, by its id."""
    return {
        digest_id: forms.text(form, name)
        for name in form
        if name.startswith(_STATE) and (digest_id := number_of(name.removeprefix(_STATE)))
    }


def _places(form: FormData) -> Mapping[int, int]:
    """Return the place that was typed for each item, by the id of its match.

    Raises:
        InputError: one is no number from 1 to 9999.
    """
    places = {}
    for name in form:
        if name.startswith(_PLACE):
            place = number_of(forms.text(form, name))
            if not 0 < place <= _LARGEST_PLACE:
                raise InputError("Places are whole numbers: 1 for the first item.")
            places[number_of(name.removeprefix(_PLACE))] = place
    return places


def _index(match_ids: list[int], match_id: int) -> int:
    return match_ids.index(match_id) if match_id in match_ids else len(match_ids)


def _back(form: FormData) -> str:
    """Return the page to go back to: that of a digest, or the list."""
    digest_id = number_of(forms.text(form, "digest"))
    return f"digests/{digest_id}" if digest_id else "digests"
