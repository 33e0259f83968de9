"""Adding a source: an address is read, what it shows is looked at, and then it is watched."""

from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.responses import Response

from notifier.admin.source_check import (
    FoundSource,
    OutOfTimeError,
    find_source,
    refuse_private,
)
from notifier.enums import Authority, SourceKind
from notifier.errors import InputError, NotFoundError
from notifier.operators import actions
from notifier.text.cleaning import clean, shorten
from notifier.watch import edited_sources, sources
from notifier.watch.parsers import clinicaltrials
from notifier.web import forms
from notifier.web.operator import rendering
from notifier.web.operator.sources import patience, source_fields, source_words
from notifier.web.operator.sources.source_fields import ProfilesError, SourceFields
from notifier.web.operator.sources.source_list import about
from notifier.web.operator.visit import Visit

# Items that are shown of what was found, and further feeds. Chosen by hand; not measured.
_ITEMS, _OTHERS = 5, 8
# Seconds for all requests of a search for a feed: less than the browser waits.
_SECONDS = patience.SECONDS - 4


class Confirmed(NamedTuple):
    """The part of what was found that the second form sends back.

    Attributes:
        url: the address to watch.
        kind: a value of `SourceKind`.
        problem: why it could not be read; empty if it could.
    """

    url: str
    kind: str
    problem: str


def show(visit: Visit) -> Response:
    """Show the form for an address."""
    return _form(visit, clean(visit.query.get("url", ""))[:2000])


def _form(visit: Visit, url: str, error: str = "", status: int = 200, **values: Any) -> Response:
    shown = {"url": url, "kind": "", "error": error, "known": None, **values}
    return rendering.show(visit, "source_add", shown, section="sources", status=status)


def find(visit: Visit, form: FormData) -> Response:
    """Read an address, and show what was found there; nothing is stored."""
    url, kind = forms.text(form, "url"), forms.text(form, "kind")
    kind = kind if kind == SourceKind.PAGE else ""
    if not url:
        return _form(visit, url, "Give an address.", 422, kind=kind)
    address = clinicaltrials.api_address(url) or url
    wanted = SourceKind(kind) if kind else None
    try:
        found_source = patience.wait_for(
            lambda: find_source(visit.deps, address, wanted, seconds=_SECONDS)
        )
    except (TimeoutError, OutOfTimeError):
        text = (
            f"The site did not answer completely within {patience.SECONDS:g} seconds. Try it again "
            "later, or give the address of its feed itself."
        )
        return _form(visit, url, text, 422, kind=kind)
    except InputError as error:
        return _form(visit, url, _refusal(error), 422, kind=kind)
    return _found(visit, found_source)


def _refusal(error: InputError) -> str:
    """Return why an address is refused, for an editor."""
    problem = error.problem
    if "is not a feed, and none was found" in problem:
        return (
            "This is a web page, and no news feed was found from it. Give the address of the feed, "
            "or watch the page itself."
        )
    if problem.endswith(" cannot be watched."):
        return "This cannot be watched. Give an address that begins with https:// or http://."
    if "cannot be watched:" in problem:
        return "This address lies in a private network, which is not read. Give a public one."
    return f"{problem} {error.fix}"


def _found(visit: Visit, found_source: FoundSource) -> Response:
    """Show what was found, and ask for name, tier and profiles."""
    document = found_source.document
    host = (urlsplit(found_source.url).hostname or "").removeprefix("www.")
    name = clean(document.name) if document is not None and document.name else host
    is_registry = found_source.kind is SourceKind.REGISTRY
    authority = Authority.REGISTRY if is_registry else Authority.NEWS
    if is_registry and document is not None and len(document.observations) == 1:
        name = document.observations[0].title
    fields = SourceFields(shorten(name, 150), found_source.url, str(authority), every=True)
    problem = source_words.reason_text(found_source.problem)
    confirmed = Confirmed(found_source.url, str(found_source.kind), problem)
    return _confirmation(visit, fields, confirmed, found_source=found_source)


def _confirmation(
    visit: Visit,
    fields: SourceFields,
    confirmed: Confirmed,
    *,
    found_source: FoundSource | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    with visit.deps.reading() as session:
        known = _watched(session, confirmed.url)
        offer = source_fields.offer(session)
    if known is not None:
        return _form(visit, confirmed.url, known=known)
    document = found_source.document if found_source is not None else None
    values = {
        "fields": fields,
        "confirmed": confirmed,
        "kind": source_words.KINDS[SourceKind(confirmed.kind)],
        "how": found_source.how.partition(" It names others")[0] if found_source else "",
        "others": found_source.others[:_OTHERS] if found_source else (),
        "is_read": document is not None,
        "items": _items(document.observations, visit) if document is not None else [],
        "count": len(document.observations) if document is not None else 0,
        "offer": offer,
        "tiers": source_words.TIERS,
        "errors": errors or {},
    }
    status = 422 if errors else 200
    return rendering.show(visit, "source_found", values, section="sources", status=status)


def _watched(session: Session, url: str) -> dict[str, Any] | None:
    """Return id and name of the source that has an address; None if it is not watched."""
    try:
        source = sources.find(session, url)
    except NotFoundError:
        return None
    return {"id": source.id, "name": source.name}


def _items(observations: Any, visit: Visit) -> list[tuple[str, str]]:
    """Return title and date of the newest items."""
    newest = sorted(observations, key=lambda item: item.published_at or visit.now, reverse=True)
    return [
        (
            shorten(clean(item.title or item.url), 160),
            visit.clock.dated(item.published_at) if item.published_at else "",
        )
        for item in newest[:_ITEMS]
    ]


def add(visit: Visit, form: FormData) -> Response:
    """Watch what was found."""
    fields = source_fields.of_form(form)
    kind = forms.text(form, "kind")
    if kind not in [*SourceKind]:
        raise InputError("The form is not complete.", "Begin with the address again.")
    confirmed = Confirmed(fields.url, kind, clean(forms.text(form, "problem")))
    errors = source_fields.wrong(fields)
    if confirmed.problem and forms.text(form, "anyway") != "yes":
        errors["anyway"] = "It could not be read. Tick the box to watch it all the same."
    if not errors:
        try:
            return _add(visit, fields, confirmed)
        except InputError as error:
            return _form(visit, fields.url, _refusal(error), 422)
        except ProfilesError as error:
            errors["profiles"] = str(error)
    return _confirmation(visit, fields, confirmed, errors=errors)


def _add(visit: Visit, fields: SourceFields, confirmed: Confirmed) -> Response:
    refuse_private(visit.deps, fields.url)
    with visit.deps.writing() as session:
        profiles = source_fields.profiles_of(session, fields)
        known = _watched(session, fields.url)
        if known is None:
            kind = SourceKind(confirmed.kind)
            source, is_new = sources.add(session, fields.url, visit.now, kind=kind)
            known = None if is_new else {"id": source.id, "name": source.name}
        if known is None:
            # One that was removed earlier has the name and the tier that it had then.
            edited_sources.edit(
                session,
                source,
                visit.now,
                name=fields.name,
                authority=Authority(fields.authority),
                profiles=profiles,
            )
            text = f"Added the source {source.name} ({source.url})"
            action_id = actions.record(session, visit.actor, "added", text, about=about(source.id))
            place = f"sources/{source.id}"
    if known is not None:
        return _form(visit, fields.url, status=409, known=known)
    return rendering.done(visit, place, action_id)
