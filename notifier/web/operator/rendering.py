"""Rendering of the operator pages: the frame that all share, redirects, and pages with a problem.

A page is rendered after its session is closed. Every address on it is relative, so that the pages
work behind a proxy that serves them under a longer path.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from notifier.i18n.catalog import SOURCE
from notifier.operators import actions
from notifier.web.operator.visit import Visit, number_of
from notifier.web.responses import PAGE_HEADERS, deps_of

# The main pages: the path behind ``/operator/``, and its name in the navigation.
SECTIONS = {
    "": "Today",
    "digests": "Digests",
    "news": "News",
    "profiles": "Profiles",
    "sources": "Sources",
}
OWNER_SECTIONS = {"people": "People", "operators": "Operators", "log": "Log"}
# Forms of these pages name their origin, so that old browsers' can be told from another site's.
HEADERS = {**PAGE_HEADERS, "Referrer-Policy": "same-origin"}
# Names of fields that are never shown again.
_SECRET_FIELDS = ("token", "password", "again", "old", "email", "state")


def show(
    visit: Visit,
    name: str,
    values: Mapping[str, Any],
    *,
    section: str = "",
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Render a page for an operator.

    Args:
        visit: the request.
        name: the template's file name in ``templates/operator/``, without ``.html.j2``.
        values: its own variables, besides those of `templates/operator/base.html.j2`.
        section: the key in `SECTIONS` or `OWNER_SECTIONS` that is marked in the navigation.
        status: the HTTP status.
        headers: further headers, or others than `HEADERS`.
    """
    shared = {
        "operator": visit.name,
        "is_owner": visit.is_owner,
        "token": visit.form_token,
        "sections": {**SECTIONS, **(OWNER_SECTIONS if visit.is_owner else {})},
        "section": section,
        "done": _done_text(visit),
        "now": visit.now,
        "clock": visit.clock,
    }
    return bare(visit.request, name, {**shared, **values}, status, headers)


def bare(
    request: Request,
    name: str,
    values: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Render a page for somebody who is not logged in. Arguments are those of `show`."""
    deps = deps_of(request)
    shared = {
        "root": root_of(request),
        "sender_name": deps.settings.sender.name,
        "operator": "",
    }
    html = deps.templates.render(f"operator/{name}.html.j2", {**shared, **values}, SOURCE)
    return HTMLResponse(html, status, {**HEADERS, **(headers or {})})


def root_of(request: Request) -> str:
    """Return the relative way to ``/operator/``: ``./`` or ``../`` as often as needed."""
    return "../" * (request.scope["path"].count("/") - 2) or "./"


def redirect(request: Request, place: str) -> Response:
    """Send a browser to a page by GET (303; RFC 9110, 15.4.4).

    Args:
        request: the request.
        place: the address behind ``/operator/``.
    """
    return RedirectResponse(f"{root_of(request)}{place}", 303, HEADERS)


def done(visit: Visit, place: str, action_id: int) -> Response:
    """Send a browser to a page that says at its head what was done.

    Args:
        visit: the request.
        place: the address behind ``/operator/``, with a fragment or a query if needed.
        action_id: of the entry in the operators' log.
    """
    path, hash_sign, fragment = place.partition("#")
    joint = "&" if "?" in path else "?"
    return redirect(visit.request, f"{path}{joint}done={action_id}{hash_sign}{fragment}")


def problem(visit: Visit, text: str, fix: str = "", *, status: int) -> Response:
    """Say that something could not be done.

    Args:
        visit: the request.
        text: one sentence.
        fix: what to do; one that names a command of the terminal is left out.
        status: the HTTP status.
    """
    values = {"problem": text, "fix": "" if "notifier " in fix else fix}
    return show(visit, "problem", values, status=status)


def logged_out(request: Request, form: FormData) -> Response:
    """Answer a form of somebody whose log-in ended (401); it shows them what they had written."""
    written = [
        (name, value)
        for name, value in form.multi_items()
        if isinstance(value, str) and value.strip() and name not in _SECRET_FIELDS
    ]
    values = {"written": written, "place": quote(_page_of_form(request))}
    return bare(request, "logged_out", values, 401)


def _page_of_form(request: Request) -> str:
    """Return the address behind ``/operator/`` of the page that a form was on, as browsers say."""
    try:
        path = urlsplit(request.headers.get("referer", "")).path
    except ValueError:  # no browser sends such an address
        return ""
    return path.partition("/operator/")[2]


def _done_text(visit: Visit) -> str:
    """Return what the operator just did, as their entry in the log says it; empty for nothing."""
    number = number_of(visit.query.get("done", ""))
    if not number:
        return ""
    with visit.deps.reading() as session:
        return actions.text_of(session, number, visit.name)
