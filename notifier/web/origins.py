"""Origins: from which site a form was sent, as the visitor's browser says it.

Owns the refusal of sign-ups that another site makes a visitor's browser send: they would use the
visitor's network for its limits, and write to people in our name. It decides by what scripts cannot
forge: ``Sec-Fetch-Site`` (W3C Fetch Metadata) and ``Origin`` (RFC 6454). Who sends neither
(programs, very old browsers) is let through: there is no browser that another site could misuse.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from notifier.i18n.messages import LazyMessage
from notifier.web.responses import deps_of, notice

Page = Callable[[Request], Awaitable[Response]]


def from_own_pages(page: Page) -> Page:
    """The page, for forms of our own pages and of those sites that `web.form_origins` names; 403 for all others."""

    async def guarded(request: Request) -> Response:
        settings = deps_of(request).settings
        own = origin_of(settings.public_url)
        if is_foreign(request.headers, own, settings.web.form_origins):
            return notice(
                request,
                LazyMessage("This form was sent from another website."),
                LazyMessage(
                    "Please open %(address)s and fill in the form there.",
                    address=settings.public_url,
                ),
                status=403,
            )
        return await page(request)

    return guarded


def origin_of(url: str) -> str:
    """The origin of an address as browsers write it: ``https://news.example.org``."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def is_foreign(headers: Headers, own: str, allowed: tuple[str, ...]) -> bool:
    """Whether a browser says that another site sent this.

    Args:
        headers: of the request.
        own: the origin of our own pages.
        allowed: further origins whose forms are taken.
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
        # The browser knows by which name we were reached, and hides it from pages that send no
        # referrer.
        return (
            origin not in ("", "null", own)
            and urlsplit(origin).netloc != headers.get("host", "").lower()
        )
    return origin not in ("", own)
