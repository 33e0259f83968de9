"""Proxies: those in `web.trusted_proxies` state the address of a visitor; others are noticed.

Owns the order of the two: what a machine that is not listed says is never believed, and its first
request with ``X-Forwarded-For`` is reported. It must not know how.
"""

from collections.abc import Callable
from enum import StrEnum

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_HEADER = b"x-forwarded-for"
# The key of a request's scope under which its way is kept.
_WAY = "notifier.way"


class Way(StrEnum):
    """The way by which a request came: past a proxy that names its visitor, or without one."""

    LISTED = "listed"
    UNLISTED = "unlisted"
    NONE = "none"


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
        way, peer = self._way_and_peer(scope)
        await self._app({**scope, _WAY: way}, receive, send)  # type: ignore[arg-type]
        if way is Way.UNLISTED and not self._is_reported:
            self._is_reported = True
            await run_in_threadpool(self._report, peer)

    def _way_and_peer(self, scope: Scope) -> tuple[Way, str]:
        """Return how a request came, and the address of the machine that it came from."""
        client = scope.get("client")
        if scope["type"] != "http" or client is None:
            return Way.NONE, ""
        if not any(name == _HEADER for name, _ in scope["headers"]):
            return Way.NONE, client[0]
        is_listed = client[0] in self._app.trusted_hosts
        return (Way.LISTED if is_listed else Way.UNLISTED), client[0]


def way_of(scope: Scope) -> Way:
    """Return the way by which a request came."""
    way: Way = scope.get(_WAY, Way.NONE)
    return way
