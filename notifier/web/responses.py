"""A page: values and a template become an answer, in the reader's language.

Owns what all pages share: the sender in their foot, the way to the style sheet, the choice of the
language.
"""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from notifier.deps import Deps
from notifier.i18n.catalog import Language, negotiate
from notifier.i18n.messages import LazyMessage

# A page whose values were read, and that is rendered when it is called: after the transaction that
# read them, for nobody else can write while a page is made.
Unrendered = Callable[[], Response]


def deps_of(request: Request) -> Deps:
    """What the application was made with."""
    deps: Deps = request.app.state.deps
    return deps


def spoken_by(request: Request) -> Language:
    """The language that the browser asks for."""
    return negotiate(request.headers.get("accept-language", ""))


def page(
    request: Request,
    name: str,
    values: Mapping[str, Any],
    spoken: Language | None = None,
    status: int = 200,
) -> Response:
    """A page of ours.

    Args:
        request: what is answered.
        name: the template under ``templates/web/``.
        values: what it needs besides what all pages share.
        spoken: the language, where it is known better than the browser knows it.
        status: the HTTP status.
    """
    deps = deps_of(request)
    spoken = spoken or spoken_by(request)
    sender = deps.settings.sender
    common = {
        "language": spoken.code,
        "root": "../" * (request.scope["path"].count("/") - 1) or "./",
        "sender_name": sender.name,
        "postal_address": sender.postal_address or "",
    }
    html = deps.templates.render(f"web/{name}.html.j2", {**common, **values}, spoken.code)
    return HTMLResponse(html, status, {"Content-Language": spoken.code, "Vary": "Accept-Language"})


def notice(
    request: Request,
    problem: str,
    fix: str = "",
    spoken: Language | None = None,
    *,
    status: int = 200,
) -> Response:
    """A page that says one thing; what was `Said` is translated."""
    spoken = spoken or spoken_by(request)
    return page(
        request,
        "notice",
        {"problem": _in(problem, spoken), "fix": _in(fix, spoken)},
        spoken,
        status,
    )


def _in(text: str, spoken: Language) -> str:
    return spoken.translate(text) if isinstance(text, LazyMessage) else text
