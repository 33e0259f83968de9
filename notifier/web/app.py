"""The application: routes, headers, error pages, and the server that runs it."""

import logging
from collections.abc import Awaitable, Callable

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from notifier.deps import Deps
from notifier.errors import NotifierError, StoreError
from notifier.said import Said
from notifier.subscribers.subscriptions import UnknownLinkError
from notifier.web import pages, preferences, reading, signup
from notifier.web.page import deps_of, notice

log = logging.getLogger("notifier")

# No script but our own file, no third party, no frame, and no address of ours (they hold signed links) handed on.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}


def create(deps: Deps) -> Starlette:
    """The web application over an open database."""
    application = Starlette(
        routes=[
            Route("/", signup.form, methods=["GET"]),
            Route("/subscribe", signup.subscribe, methods=["POST"]),
            Route("/link", signup.link_form, methods=["GET"]),
            Route("/link", signup.link, methods=["POST"]),
            Route("/confirm/{link}", pages.confirm_form, methods=["GET"]),
            Route("/confirm/{link}", pages.confirm, methods=["POST"]),
            Route("/unsubscribe/{link}", pages.unsubscribe_form, methods=["GET"]),
            Route("/unsubscribe/{link}", pages.unsubscribe, methods=["POST"]),
            Route("/preferences/{link}", preferences.form, methods=["GET"]),
            Route("/preferences/{link}", preferences.act, methods=["POST"]),
            Route("/renew/{link}", pages.renew_form, methods=["GET"]),
            Route("/renew/{link}", pages.renew, methods=["POST"]),
            Route("/address/{link}", pages.address_form, methods=["GET"]),
            Route("/address/{link}", pages.address, methods=["POST"]),
            Route("/never/{link}", pages.never_form, methods=["GET"]),
            Route("/never/{link}", pages.never, methods=["POST"]),
            Route("/archive", reading.index, methods=["GET"]),
            Route("/archive/{key}", reading.digest, methods=["GET"]),
            Route("/feeds/{slug}.atom", reading.feed, methods=["GET"]),
            Route("/healthz", reading.healthz, methods=["GET"]),
            Route("/style.css", _style, methods=["GET"]),
            Route("/page.js", _script, methods=["GET"]),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=_with_headers)],
        exception_handlers={
            HTTPException: _http_error,
            UnknownLinkError: pages.unknown_link,
            NotifierError: _our_error,
            Exception: _unexpected,
        },
    )
    application.router.redirect_slashes = False  # a link is right or it is not; nobody is sent elsewhere for a slash
    application.state.deps = deps
    return application


def serve(deps: Deps, host: str, port: int) -> None:
    """Run the application until SIGTERM or SIGINT; visits are not logged, for paths hold links."""
    uvicorn.run(
        create(deps),
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        server_header=False,
        forwarded_allow_ips=deps.settings.web.trusted_proxies,
    )


def _style(request: Request) -> Response:
    """The style sheet of all pages."""
    return Response(deps_of(request).templates.render("web/style.css", {}), media_type="text/css")


def _script(request: Request) -> Response:
    """What makes the forms nicer; they work without it."""
    return Response(deps_of(request).templates.render("web/page.js", {}), media_type="text/javascript")


async def _with_headers(request: Request, follow: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await follow(request)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {
        404: Said("There is no such page."),
        405: Said("This page takes no such request."),
        400: Said("This form could not be read."),
        413: Said("This form is too large."),
    }
    response = notice(request, words.get(error.status_code, error.detail), status=error.status_code)
    response.headers.update(error.headers or {})
    return response


async def _our_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotifierError)
    if isinstance(error, StoreError):
        log.error("%s %s", error.problem, error.fix)
        return notice(request, Said("This page is busy. Please try again in a minute."), status=503)
    return notice(request, error.problem, error.fix, status=404)


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("a page failed: %s", type(error).__name__)
    response = notice(request, Said("Something went wrong here. Please try again later."), status=500)
    response.headers.update(_HEADERS)
    return response
