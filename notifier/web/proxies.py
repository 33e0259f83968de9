"""Proxies: those in `web.trusted_proxies` state the address of a visitor; others are noticed.

Owns the order of the two: what a machine that is not listed says is never believed, and its first
request with ``X-Forwarded-For`` is reported. It must not know how.
"""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_HEADER = b"x-forwarded-for"


class Proxies:
    """A middleware that believes the listed proxies and reports the first other one.

    Args:
        app: the application behind it.
        trusted: IP addresses or networks, with commas between them.
        report: called once in a process, with the address of the machine.
    """

    def __init__(self, app: ASGIApp, trusted: str, report: Callable[[str], None]) -> None:
        self._app = ProxyHeadersMiddleware(app, trusted)  # type: ignore[arg-type]
        self._report = report
        self._is_reported = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and report it afterwards if it is the first of its kind."""
        peer = self._unlisted_peer(scope)
        await self._app(scope, receive, send)  # type: ignore[arg-type]
        if peer is not None and not self._is_reported:
            self._is_reported = True
            await run_in_threadpool(self._report, peer)

    def _unlisted_peer(self, scope: Scope) -> str | None:
        """Return the address that a request came from if it is not listed and names another."""
        if scope["type"] != "http" or self._is_reported:
            return None
        client = scope.get("client")
        if client is None or client[0] in self._app.trusted_hosts:
            return None
        return client[0] if any(name == _HEADER for name, _ in scope["headers"]) else None
