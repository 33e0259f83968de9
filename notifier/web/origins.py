"""Origins: the site from which a form was sent, as the visitor's browser reports it.

Owns the refusal of sign-ups that another site makes a visitor's browser send: they would count for
the limits of the visitor's network, and have us write to people. It decides by two headers that
scripts cannot forge: ``Sec-Fetch-Site`` (W3C Fetch Metadata) and ``Origin`` (RFC 6454). A request
without both (a program, a very old browser) is accepted: it uses no browser that another site could
misuse.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from notifier.i18n.messages import LazyMessage
from notifier.web.responses import deps_of, render_message

Handler = Callable[[Request], Awaitable[Response]]


def from_own_pages(handler: Handler) -> Handler:
    """Wrap a handler so that forms of other sites are refused (403).

    Forms of our own pages are accepted, and those of the sites in `web.form_origins`.
    """

    async def guarded(request: Request) -> Response:
        settings = deps_of(request).settings
        own = origin_of(settings.public_url)
        if is_foreign(request.headers, own, settings.web.form_origins):
            return render_message(
                request,
                LazyMessage("This form was sent from another website."),
                LazyMessage(
                    "Please open %(address)s and fill in the form there.",
                    address=settings.public_url,
                ),
                status=403,
            )
        return await handler(request)

    return guarded


def origin_of(url: str) -> str:
    """Return the origin of a URL as browsers write it: ``https://news.example.org``."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def is_foreign(headers: Headers, own: str, allowed: tuple[str, ...]) -> bool:
    """Return whether a browser reports that another site sent a request.

    Args:
        headers: the headers of the request.
        own: the origin of our own pages.
        allowed: other origins whose forms are accepted.
    """
    origins, sites = headers.getlist("origin"), headers.getlist("sec-fetch-site")
    if len(origins) > 1 or len(sites) > 1:
        return True
    origin, site = "".join(origins).lower(), "".join(sites).lower()
    if origin in allowed:
        return False
    if site in ("cross-site", "same-site"):
        return True
    if site == "same-origin":
        # A page that sends no referrer has "null" as its origin. Any other origin must be ours, or
        # the name by which the browser reached us.
        return origin not in ("", "null", own) and not _is_of_host(origin, headers)
    return origin not in ("", own)


def _is_of_host(origin: str, headers: Headers) -> bool:
    """Return whether an origin has the name by which the browser reached us."""
    try:
        return urlsplit(origin).netloc == headers.get("host", "").lower()
    except ValueError:  # no browser sends such an origin
        return False
