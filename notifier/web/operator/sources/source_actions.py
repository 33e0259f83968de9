"""Actions about a source: edit, pause, go on, remove, read it now.

Each form carries a fingerprint of what was shown. If somebody else changed the source meanwhile,
nothing is done, and the page is shown as it is now, with what was typed.
"""

from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.responses import Response

from notifier.admin.source_check import refuse_private
from notifier.enums import Authority, PollStatus
from notifier.errors import InputError
from notifier.operators import actions
from notifier.pipeline import poll
from notifier.pipeline.poll_result import PollResult
from notifier.store.models import Source
from notifier.watch import edited_sources, sources
from notifier.web import forms
from notifier.web.operator import rendering
from notifier.web.operator.sources import patience, source_fields, source_words
from notifier.web.operator.sources.source_fields import ProfilesError, SourceFields
from notifier.web.operator.sources.source_list import Shown, about, show_again
from notifier.web.operator.visit import Visit

# How the log names what was edited.
_NAMES = {
    "address": "address",
    "name": "name",
    "authority": "kind of outlet",
    "profile": "profiles",
}


class _StaleError(Exception):
    """The source is not as the form shows it."""


def edit(visit: Visit, form: FormData) -> Response:
    """Change name, address, tier and profiles."""
    source_id, fields = visit.number("source"), source_fields.of_form(form)
    errors = source_fields.wrong(fields)
    action_id = 0
    if not errors:
        try:
            with visit.deps.writing() as session:
                source = _unchanged(session, source_id, form)
                action_id = _edit(session, visit, source, fields)
        except _StaleError:
            return show_again(visit, source_id, Shown(fields, is_stale=True, status=409))
        except InputError as error:
            errors["url"] = _words(error)
        except ProfilesError as error:
            errors["profiles"] = str(error)
    if errors:
        return show_again(visit, source_id, Shown(fields, errors, status=422))
    if not action_id:
        return rendering.redirect(visit.request, f"sources/{source_id}")
    return rendering.done(visit, f"sources/{source_id}", action_id)


def _edit(session: Session, visit: Visit, source: Source, fields: SourceFields) -> int:
    """Store what differs, and return the id of the entry in the log; 0 if nothing does."""
    profiles = source_fields.profiles_of(session, fields)
    if fields.url != source.url:
        refuse_private(visit.deps, fields.url)
    name, before = source.name, _described(source)
    changed = edited_sources.edit(
        session,
        source,
        visit.now,
        url=fields.url,
        name=fields.name,
        authority=Authority(fields.authority),
        profiles=profiles,
    )
    if not changed:
        return 0
    after = _described(source)
    edits = [f"{_NAMES[what]} “{before[what]}” → “{after[what]}”" for what in changed]
    text = f"Changed the source {name}: {', '.join(edits)}"
    return actions.record(session, visit.actor, "edited", text, about=about(source.id))


def _described(source: Source) -> dict[str, str]:
    slugs = ", ".join(profile.slug for profile in source.profiles)
    return {
        "address": source.url,
        "name": source.name,
        "authority": str(source.authority),
        "profile": slugs or "every profile",
    }


def _words(error: InputError) -> str:
    """Return why an address is refused, for an editor."""
    if "registry record" in error.problem:
        return "This is a trial's record. Add it as a source of its own."
    if "watched as another source" in error.problem:
        return "This address is, or was, watched as another source. Add it as a new one instead."
    if error.problem.endswith(" cannot be watched."):
        return "This address cannot be watched. Give one that begins with https:// or http://."
    return f"{error.problem} Give a public address."


def pause(visit: Visit, form: FormData) -> Response:
    """Let a source rest."""
    return _rest(visit, form, is_pause=True)


def go_on(visit: Visit, form: FormData) -> Response:
    """Let a source be read again."""
    return _rest(visit, form, is_pause=False)


def _rest(visit: Visit, form: FormData, *, is_pause: bool) -> Response:
    source_id, action_id = visit.number("source"), 0
    with visit.deps.writing() as session:
        source = edited_sources.locked(session, source_id)
        if is_pause and edited_sources.pause(source, visit.now, visit.name):
            text = f"Paused the source {source.name}"
            action_id = _record(session, visit, form, "paused", text, source)
        elif not is_pause and edited_sources.go_on(source, visit.now):
            text = f"Let the source {source.name} go on"
            action_id = _record(session, visit, form, "resumed", text, source)
    if not action_id:
        return _stale(visit, source_id)
    return rendering.done(visit, f"sources/{source_id}", action_id)


def remove(visit: Visit, form: FormData) -> Response:
    """Stop watching a source; what it published stays."""
    source_id = visit.number("source")
    try:
        with visit.deps.writing() as session:
            source = _unchanged(session, source_id, form)
            sources.remove(session, str(source_id), visit.now)
            text = f"Removed the source {source.name} ({source.url}); what it published stays"
            action_id = _record(session, visit, form, "removed", text, source)
    except _StaleError:
        return _stale(visit, source_id)
    return rendering.done(visit, "sources", action_id)


def read_now(visit: Visit, form: FormData) -> Response:  # noqa: ARG001 - all actions have a form
    """Poll a source now, as the next poll would; after some seconds nobody waits any more."""
    source_id = visit.number("source")
    with visit.deps.reading() as session:
        name = sources.find(session, str(source_id)).name

    def read() -> PollResult:
        return poll.run(visit.deps, [str(source_id)], force=True)[0]

    try:
        text = f"Read the source {name}: {_result(patience.wait_for(read))}"
    except TimeoutError:
        text = (
            f"Began to read the source {name}; it takes longer than {patience.SECONDS:g} seconds. "
            "Look again in a minute"
        )
    with visit.deps.writing() as session:
        action_id = actions.record(session, visit.actor, "read", text, about=about(source_id))
    return rendering.done(visit, f"sources/{source_id}", action_id)


def _result(result: PollResult) -> str:
    if result.status is PollStatus.UNCHANGED:
        return "it has not changed"
    if result.status is PollStatus.OK:
        parts = [f"{result.entries:,} {'entry' if result.entries == 1 else 'entries'}"]
        parts.append(f"{result.new:,} new")
        parts += [f"{result.changed:,} changed"] if result.changed else []
        return ", ".join(parts)
    if result.status is PollStatus.NOT_DUE:
        return "it is paused"
    return f"that failed: {source_words.reason_text(result.error or 'it is gone')}"


def _unchanged(session: Session, source_id: int, form: FormData) -> Source:
    """Return a source that is still as the form shows it, and that nobody else changes now.

    Raises:
        NotFoundError: it is not watched any more.
        _StaleError: it was changed.
    """
    source = edited_sources.locked(session, source_id)
    if source_fields.mark_of(source) != forms.text(form, "mark"):
        raise _StaleError
    return source


def _stale(visit: Visit, source_id: int) -> Response:
    return show_again(visit, source_id, Shown(is_stale=True, status=409))


def _record(
    session: Session, visit: Visit, form: FormData, kind: str, text: str, source: Source
) -> int:
    reason = forms.text(form, "reason")
    return actions.record(session, visit.actor, kind, text, about=about(source.id), reason=reason)
