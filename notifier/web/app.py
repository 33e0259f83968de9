"""The application: routes, headers, and the server that runs it."""

import logging
import traceback
from functools import partial

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
from notifier.errors import NotifierError
from notifier.links import ExpiredLinkError
from notifier.pipeline import unlisted_proxy
from notifier.subscribers.subscriptions import UnknownLinkError
from notifier.web import (
    archive,
    error_pages,
    health,
    instance,
    link_actions,
    metrics,
    own_data,
    preferences,
    public_pages,
    server,
    signup,
)
from notifier.web.altered_links import AlteredLinks
from notifier.web.operator import routes as operator_pages
from notifier.web.origins import from_own_pages
from notifier.web.proxies import Proxies
from notifier.web.responses import PAGE_HEADERS, deps_of

log = logging.getLogger("notifier")

# Pages with a form whose addresses hold no link. They may name their origin: under `no-referrer`
# browsers send ``Origin: null``, and our own form looks like one of another site.
_FORMS_WITHOUT_LINK = ("/", "/subscribe", "/link")


class _Application(Starlette):
    """An application whose failures end at their own request.

    The trace is logged without the values in it, because these may name people.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the visitor has a page by now
            trace = "".join(traceback.format_tb(error.__traceback__))
            # Without the error's own text, which may name somebody.
            log.error("a page failed: %s\n%s", type(error).__name__, trace)  # noqa: TRY400


def create(deps: Deps) -> Starlette:
    """Create the web application over an open database."""
    application = _Application(
        routes=_routes(),
        middleware=[
            Middleware(AlteredLinks, is_genuine=deps.links.is_genuine),
            Middleware(_DefaultHeaders),
        ],
        exception_handlers={
            HTTPException: error_pages.handle_http_error,
            UnknownLinkError: error_pages.handle_unknown_link,
            ExpiredLinkError: error_pages.handle_expired_link,
            NotifierError: error_pages.handle_error,
            ClientDisconnect: error_pages.handle_disconnect,
            Exception: error_pages.handle_failure,
        },
    )
    # A redirect would repeat the link in a header; `AlteredLinks` finds the page without one.
    application.router.redirect_slashes = False
    application.state.deps, application.state.samples = deps, public_pages.Samples()
    return application


def _routes() -> list[Route]:
    return [
        Route("/", signup.show_form, methods=["GET"]),
        Route("/subscribe", public_pages.to_form, methods=["GET"]),
        Route("/subscribe", from_own_pages(signup.subscribe), methods=["POST"]),
        Route("/link", signup.show_link_form, methods=["GET"]),
        Route("/link", from_own_pages(signup.request_link), methods=["POST"]),
        Route("/confirm/{link}", link_actions.show_confirmation, methods=["GET"]),
        Route("/confirm/{link}", link_actions.confirm, methods=["POST"]),
        Route("/unsubscribe/{link}", link_actions.show_unsubscribe, methods=["GET"]),
        Route("/unsubscribe/{link}", link_actions.unsubscribe, methods=["POST"]),
        Route("/preferences/{link}", preferences.show, methods=["GET"]),
        Route("/preferences/{link}", preferences.act, methods=["POST"]),
        Route("/renew/{link}", link_actions.show_renewal, methods=["GET"]),
        Route("/renew/{link}", link_actions.renew, methods=["POST"]),
        Route("/address/{link}", link_actions.show_address_change, methods=["GET"]),
        Route("/address/{link}", link_actions.agree_to_address_change, methods=["POST"]),
        Route("/never/{link}", link_actions.show_suppression, methods=["GET"]),
        Route("/never/{link}", link_actions.suppress, methods=["POST"]),
        Route("/about", public_pages.show_about, methods=["GET"]),
        Route("/contact", public_pages.show_contact, methods=["GET"]),
        Route("/privacy", own_data.show_privacy, methods=["GET"]),
        Route("/sample", public_pages.show_sample, methods=["GET"]),
        Route("/archive", archive.show_index, methods=["GET"]),
        Route("/archive/{key}", archive.show_digest, methods=["GET"]),
        Route("/feeds/{slug}.atom", archive.show_feed, methods=["GET"]),
        Route("/healthz", health.healthz, methods=["GET"]),
        Route("/metrics", metrics.metrics, methods=["GET"]),
        Route("/instance/{nonce}", instance.prove, methods=["GET"]),
        *operator_pages.routes(),
        Route("/style.css", _style_sheet, methods=["GET"]),
        Route("/page.js", _script, methods=["GET"]),
        Route("/favicon.svg", public_pages.icon, methods=["GET"]),
        Route("/favicon.ico", public_pages.to_icon, methods=["GET"]),
        *(
            Route(f"/{page}/", public_pages.without_slash, methods=["GET", "POST"])
            for page in public_pages.TYPED
        ),
    ]


def serve(deps: Deps, host: str, port: int) -> None:
    """Run the application until SIGTERM or SIGINT.

    Requests are not logged, because their paths hold links.
    """
    unlisted_proxy.forget_if_changed(deps)
    trusted, report = deps.settings.web.trusted_proxies, partial(unlisted_proxy.report, deps)
    uvicorn.run(
        Proxies(create(deps), trusted, report),
        host=host,
        port=port,
        log_level="warning",
        log_config=None,  # uvicorn's messages go to our log, which makes them printable
        proxy_headers=False,  # `Proxies` reads them
        **server.limits(),
    )


def _style_sheet(request: Request) -> Response:
    """Return the style sheet of all pages."""
    return Response(deps_of(request).templates.render("web/style.css", {}), media_type="text/css")


def _script(request: Request) -> Response:
    """Return the script that makes the forms more convenient; they work without it."""
    return Response(
        deps_of(request).templates.render("web/base.js", {}), media_type="text/javascript"
    )


class _DefaultHeaders:
    """A middleware that adds the headers of all pages where a response does not set its own.

    Args:
        app: the application behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if scope["path"] in _FORMS_WITHOUT_LINK:
                    headers.setdefault("Referrer-Policy", "same-origin")
                for name, value in PAGE_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
