"""The application: routes, headers, error pages, and the server that runs it."""

import logging
import traceback

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from notifier.deps import Deps
from notifier.errors import LinkError, NotFoundError, NotifierError, StoreError
from notifier.i18n.messages import LazyMessage
from notifier.subscribers.subscriptions import UnknownLinkError
from notifier.web import archive, health, link_actions, preferences, server, signup
from notifier.web.origins import from_own_pages
from notifier.web.responses import deps_of, notice

log = logging.getLogger("notifier")

# No script but our own file, no third party, no frame, and no address of ours (they hold signed
# links) handed on.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}


# Forms whose addresses hold no link. Without a referrer browsers would name no origin, either, and
# a form of our own could not be told from another site's.
_OPEN_FORMS = ("/", "/subscribe", "/link")


class _Application(Starlette):
    """Ends a failure at the request that had it: the trace is logged without the values, which may name people."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the visitor has a page by now, and the others go on
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("a page failed: %s\n%s", type(error).__name__, where)  # noqa: TRY400 - without the message


def create(deps: Deps) -> Starlette:
    """The web application over an open database."""
    application = _Application(
        routes=[
            Route("/", signup.form, methods=["GET"]),
            Route("/subscribe", from_own_pages(signup.subscribe), methods=["POST"]),
            Route("/link", signup.link_form, methods=["GET"]),
            Route("/link", from_own_pages(signup.link), methods=["POST"]),
            Route("/confirm/{link}", link_actions.confirm_form, methods=["GET"]),
            Route("/confirm/{link}", link_actions.confirm, methods=["POST"]),
            Route("/unsubscribe/{link}", link_actions.unsubscribe_form, methods=["GET"]),
            Route("/unsubscribe/{link}", link_actions.unsubscribe, methods=["POST"]),
            Route("/preferences/{link}", preferences.form, methods=["GET"]),
            Route("/preferences/{link}", preferences.act, methods=["POST"]),
            Route("/renew/{link}", link_actions.renew_form, methods=["GET"]),
            Route("/renew/{link}", link_actions.renew, methods=["POST"]),
            Route("/address/{link}", link_actions.address_form, methods=["GET"]),
            Route("/address/{link}", link_actions.address, methods=["POST"]),
            Route("/never/{link}", link_actions.never_form, methods=["GET"]),
            Route("/never/{link}", link_actions.never, methods=["POST"]),
            Route("/archive", archive.index, methods=["GET"]),
            Route("/archive/{key}", archive.digest, methods=["GET"]),
            Route("/feeds/{slug}.atom", archive.feed, methods=["GET"]),
            Route("/healthz", health.healthz, methods=["GET"]),
            Route("/style.css", _style, methods=["GET"]),
            Route("/page.js", _script, methods=["GET"]),
        ],
        middleware=[Middleware(_Headers)],
        exception_handlers={
            HTTPException: _http_error,
            UnknownLinkError: link_actions.unknown_link,
            NotifierError: _our_error,
            ClientDisconnect: _gone,
            Exception: _unexpected,
        },
    )
    application.router.redirect_slashes = (
        False  # a link is right or it is not; nobody is sent elsewhere for a slash
    )
    application.state.deps = deps
    return application


def serve(deps: Deps, host: str, port: int) -> None:
    """Run the application until SIGTERM or SIGINT; visits are not logged, for paths hold links."""
    uvicorn.run(
        create(deps),
        host=host,
        port=port,
        log_level="warning",
        log_config=None,  # its messages go to our log, which makes them printable
        forwarded_allow_ips=deps.settings.web.trusted_proxies,
        **server.limits(),
    )


def _style(request: Request) -> Response:
    """The style sheet of all pages."""
    return Response(deps_of(request).templates.render("web/style.css", {}), media_type="text/css")


def _script(request: Request) -> Response:
    """What makes the forms nicer; they work without it."""
    return Response(
        deps_of(request).templates.render("web/page.js", {}), media_type="text/javascript"
    )


class _Headers:
    """Adds the headers of all pages to every answer that does not have its own.

    Args:
        app: what answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if scope["path"] in _OPEN_FORMS:
                    headers.setdefault("Referrer-Policy", "same-origin")
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


_WORDS = {
    400: LazyMessage("This form could not be read."),
    404: LazyMessage("There is no such page."),
    405: LazyMessage("This page takes no such request."),
    413: LazyMessage("This form is too large."),
}


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = notice(
        request, _WORDS.get(error.status_code, error.detail), status=error.status_code
    )
    response.headers.update(error.headers or {})
    return response


async def _our_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotifierError)
    if isinstance(error, StoreError):
        log.error("%s %s", error.problem, error.fix)
        return notice(
            request, LazyMessage("This page is busy. Please try again in a minute."), status=503
        )
    missing = isinstance(error, (LinkError, NotFoundError))
    return notice(request, error.problem, error.fix, status=404 if missing else 422)


async def _gone(_request: Request, _error: Exception) -> Response:
    """What nobody reads: the visitor went away in the middle of the form."""
    return Response(status_code=400)


async def _unexpected(request: Request, _error: Exception) -> Response:
    response = notice(
        request, LazyMessage("Something went wrong here. Please try again later."), status=500
    )
    response.headers.update(_HEADERS)
    return response
