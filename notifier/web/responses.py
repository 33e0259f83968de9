"""Responses: values and a template become a page, in the language of its reader.

Owns what all pages share: the headers, the sender in the footer, the relative path to the other
pages, and the choice of the language.
"""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from notifier.deps import Deps
from notifier.i18n.catalog import LANGUAGES, Language, language_of, negotiate

# A page that is rendered when it is called, from values that were read before. It is called after
# the transaction has ended, because nobody else can write while a write transaction is open.
DeferredResponse = Callable[[], Response]

# Scripts, styles and the icon come from our own files alone, no other site may show a page in a
# frame, and no browser tells another site the address of a page, because it may hold a signed link.
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}


def deps_of(request: Request) -> Deps:
    """Return the dependencies that the application was created with."""
    deps: Deps = request.app.state.deps
    return deps


def browser_language(request: Request) -> Language:
    """Return the language of the query's ``language``, else the browser's (``Accept-Language``)."""
    code = chosen_language(request)
    return language_of(code) if code else negotiate(request.headers.get("accept-language", ""))


def chosen_language(request: Request) -> str:
    """Return the code of the language that a visitor chose by a link of a page; empty for none."""
    code = request.query_params.get("language", "")
    return code if code in LANGUAGES else ""


def render_page(
    request: Request,
    name: str,
    values: Mapping[str, Any],
    language: Language | None = None,
    status: int = 200,
) -> Response:
    """Render a page.

    Args:
        request: the request that the page answers.
        name: the template's file name in ``templates/web/``, without ``.html.j2``.
        values: the template's own variables, besides those that all pages share.
        language: the reader's language where it is stored; None takes the browser's.
        status: the HTTP status.
    """
    deps = deps_of(request)
    language = language or browser_language(request)
    sender = deps.settings.sender
    shared = {
        "language": language.code,
        "chosen_language": chosen_language(request),
        "root": "../" * (request.scope["path"].count("/") - 1) or "./",
        "sender_name": sender.name,
        "postal_address": sender.postal_address or "",
    }
    html = deps.templates.render(f"web/{name}.html.j2", {**shared, **values}, language.code)
    headers = {"Content-Language": language.code, "Vary": "Accept-Language"}
    return HTMLResponse(html, status, headers)


def render_message(
    request: Request,
    heading: str,
    text: str = "",
    language: Language | None = None,
    *,
    status: int = 200,
) -> Response:
    """Render a page with one message.

    Args:
        request: the request that the page answers.
        heading: the message; a `LazyMessage` is translated.
        text: a sentence below it, likewise; empty for none.
        language: the reader's language where it is stored; None takes the browser's.
        status: the HTTP status.
    """
    language = language or browser_language(request)
    values = {"problem": language.translate(heading), "fix": language.translate(text)}
    return render_page(request, "message", values, language, status)
