"""The preview server: a digest in five views side by side, for those who edit the templates.

The views are desktop, dark, phone, text and raw. It is an application of its own that listens on
loopback only; `notifier serve` has no route to it. Every view is rendered anew by the code that
sends, and the page reloads when a template changes.
"""

import hashlib
from dataclasses import replace
from datetime import timedelta

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from notifier.admin.preview import PreviewOptions, preview
from notifier.deps import Deps
from notifier.enums import Cadence, Edition
from notifier.errors import InputError, NotifierError
from notifier.i18n.catalog import LANGUAGES
from notifier.match import profiles
from notifier.text import times
from notifier.web import mail_views
from notifier.web.server import limits

# The periods that the page offers, in days before now; 0 means what was not sent yet.
_PERIODS = (0, 7, 30, 365)
_LONGEST_PERIOD = 3660
# These paths stay when a template file is renamed: an operator's own page may name them.
_FILES = {
    "/showroom.css": ("web/preview.css", "text/css"),
    "/showroom.js": ("web/preview.js", "text/javascript"),
}


def create(deps: Deps, options: PreviewOptions) -> Starlette:
    """Create the preview application over an open database.

    Args:
        deps: the same as for sending.
        options: the digest that is shown first; the page has controls for others.
    """
    application = Starlette(
        routes=[
            Route("/", _show_page, methods=["GET"]),
            Route("/view/{kind}", _show_view, methods=["GET"]),
            Route("/version", _show_version, methods=["GET"]),
            *(Route(path, _show_file, methods=["GET"]) for path in _FILES),
        ],
        # Another site must not reach it by a name of its own that points to loopback.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        exception_handlers={NotifierError: _show_error},
    )
    application.state.deps, application.state.options = deps, options
    return application


def serve(deps: Deps, options: PreviewOptions, port: int) -> None:
    """Run the preview until it is interrupted, on loopback whatever the settings are."""
    uvicorn.run(
        create(deps, options),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        log_config=None,
        **limits(),
    )


def _deps(request: Request) -> Deps:
    """Return the dependencies with the templates read anew, because they may have changed."""
    deps: Deps = request.app.state.deps
    return replace(deps)


def _options(request: Request) -> PreviewOptions:
    """Return the options in the query, and the first ones where it names none.

    Raises:
        InputError: a value that no list of the page offers.
    """
    first: PreviewOptions = request.app.state.options
    query = request.query_params
    try:
        days = times.whole_number(query["since"], 0, _LONGEST_PERIOD) if "since" in query else None
        return replace(
            first,
            profile=query.get("profile") or first.profile,
            cadence=Cadence(query.get("every", first.cadence)),
            edition=Edition(query.get("edition", first.edition)),
            language=query.get("language", first.language),
            since=first.since if days is None else timedelta(days=days) or None,
        )
    except ValueError as error:
        raise InputError(
            "The address names a view that does not exist.", "Choose from the lists of the page."
        ) from error


def _show_page(request: Request) -> Response:
    deps, options = _deps(request), _options(request)
    with deps.reading() as session:
        slug = profiles.find(session, options.profile).slug
        slugs = [profile.slug for profile in profiles.listed(session)]
    days = options.since.days if options.since else 0
    query = {
        "profile": slug,
        "every": options.cadence,
        "edition": options.edition,
        "language": options.language,
        "since": days,
    }
    values = {
        "wish": options,
        "profile": slug,
        "profiles": slugs,
        "cadences": [str(cadence) for cadence in Cadence],
        "editions": [str(edition) for edition in Edition],
        "languages": LANGUAGES,
        "days": days,
        "stretches": sorted({*_PERIODS, days}),
        "query": "&".join(f"{name}={value}" for name, value in query.items()),
    }
    return HTMLResponse(deps.templates.render("web/preview.html.j2", values))


def _show_view(request: Request) -> Response:
    kind = request.path_params["kind"]
    digest = preview(_deps(request), _options(request))
    if digest is None:
        return PlainTextResponse("There is nothing to send: choose a longer period.")
    if kind == "raw":
        return PlainTextResponse(digest.message.decode("ascii"))
    if kind == "text":
        return PlainTextResponse(f"Subject: {digest.subject}\n\n{digest.text}")
    return HTMLResponse(mail_views.in_scheme(digest.html, dark=kind == "dark"))


def _show_version(request: Request) -> Response:
    """Return a hash of the template files, by which the page sees that one of them changed."""
    version = hashlib.sha256()
    deps: Deps = request.app.state.deps
    for folder in deps.templates.folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                version.update(f"{path} {path.stat().st_mtime_ns}\n".encode())
    return PlainTextResponse(version.hexdigest())


def _show_file(request: Request) -> Response:
    name, media_type = _FILES[request.scope["path"]]
    return Response(_deps(request).templates.render(name, {}), media_type=media_type)


async def _show_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, NotifierError)
    return PlainTextResponse(f"{error.problem}\n{error.fix}", 422)
