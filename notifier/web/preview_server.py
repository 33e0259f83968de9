"""The showroom: a digest side by side (desktop, phone, dark, text, raw), for whoever edits the templates.

It is an application of its own that listens on loopback only; `notifier serve` has no route to it.
Every view is rendered anew by the path that sends, and the page reloads when a template changes.
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
from notifier.errors import NotifierError
from notifier.i18n.catalog import LANGUAGES
from notifier.match import profiles
from notifier.text import times
from notifier.web.server import limits

_DARK = "@media (prefers-color-scheme:dark)"
_STRETCHES = (0, 7, 30, 365)
_LONGEST_STRETCH = 3660


def create(deps: Deps, wish: PreviewOptions) -> Starlette:
    """The showroom over an open database.

    Args:
        deps: as for sending.
        wish: which digest is shown first; the page has controls for the others.
    """
    application = Starlette(
        routes=[
            Route("/", _room, methods=["GET"]),
            Route("/view/{kind}", _view, methods=["GET"]),
            Route("/version", _version, methods=["GET"]),
            Route("/showroom.css", _file, methods=["GET"]),
            Route("/showroom.js", _file, methods=["GET"]),
        ],
        # A page elsewhere must not reach it by a name of its own that points to loopback.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        exception_handlers={NotifierError: _told},
    )
    application.state.deps, application.state.wish = deps, wish
    return application


def serve(deps: Deps, wish: PreviewOptions, port: int) -> None:
    """Run it until it is interrupted, on loopback whatever the settings say."""
    uvicorn.run(
        create(deps, wish),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        log_config=None,
        **limits(),
    )


def _deps(request: Request) -> Deps:
    """The same with templates read anew, for they may have changed."""
    deps: Deps = request.app.state.deps
    return replace(deps)


def _wish(request: Request) -> PreviewOptions:
    wish: PreviewOptions = request.app.state.wish
    asked = request.query_params
    try:
        return replace(
            wish,
            profile=asked.get("profile") or wish.profile,
            cadence=Cadence(asked.get("every", wish.cadence)),
            edition=Edition(asked.get("edition", wish.edition)),
            language=asked.get("language", wish.language),
            since=timedelta(days=times.whole_number(asked["since"], 0, _LONGEST_STRETCH)) or None
            if "since" in asked
            else wish.since,
        )
    except ValueError as error:
        raise NotifierError("There is no such view.", "Choose from the lists.") from error


def _room(request: Request) -> Response:
    deps, wish = _deps(request), _wish(request)
    with deps.reading() as session:
        shown = profiles.find(session, wish.profile).slug
        slugs = [profile.slug for profile in profiles.listed(session)]
    days = wish.since.days if wish.since else 0
    values = {
        "wish": wish,
        "profile": shown,
        "profiles": slugs,
        "cadences": [str(one) for one in Cadence],
        "editions": [str(one) for one in Edition],
        "languages": LANGUAGES,
        "days": days,
        "stretches": sorted({*_STRETCHES, days}),
        "query": f"profile={shown}&every={wish.cadence}&edition={wish.edition}&language={wish.language}&since={days}",
    }
    return HTMLResponse(deps.templates.render("web/showroom.html.j2", values))


def _view(request: Request) -> Response:
    shown = preview(_deps(request), _wish(request))
    if shown is None:
        return PlainTextResponse("There is nothing to send: choose a longer stretch of time.")
    if request.path_params["kind"] == "raw":
        return PlainTextResponse(shown.message.decode("ascii"))
    if request.path_params["kind"] == "text":
        return PlainTextResponse(f"Subject: {shown.subject}\n\n{shown.text}")
    scheme = "dark" if request.path_params["kind"] == "dark" else "light"
    html = shown.html.replace(_DARK, "@media all" if scheme == "dark" else "@media not all")
    return HTMLResponse(html.replace("color-scheme:light dark", f"color-scheme:{scheme}", 1))


def _version(request: Request) -> Response:
    """By which the page learns that a template changed."""
    seen = hashlib.sha256()
    deps: Deps = request.app.state.deps
    for folder in deps.templates.folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                seen.update(f"{path} {path.stat().st_mtime_ns}\n".encode())
    return PlainTextResponse(seen.hexdigest())


def _file(request: Request) -> Response:
    name = request.scope["path"].removeprefix("/")
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    return Response(_deps(request).templates.render(f"web/{name}", {}), media_type=kind)


def _told(request: Request, error: Exception) -> Response:  # noqa: ARG001 - handlers are called alike
    assert isinstance(error, NotifierError)
    return PlainTextResponse(f"{error.problem}\n{error.fix}", 422)
