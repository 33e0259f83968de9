"""Requests for a mail: each is stored and answered with one page, the same for every address.

Owns that page, the answer to too many requests, and the task that answers a request by mail after
the page was sent. Sign-up, lost links and changes of address share it, so that none of them shows
more about an address than another.
"""

import logging
from collections.abc import Mapping

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from notifier.deps import Deps
from notifier.enums import SignupRequestKind
from notifier.errors import StoreError
from notifier.i18n.catalog import Language
from notifier.i18n.messages import LazyMessage
from notifier.pipeline import signup_requests as answers
from notifier.subscribers import signup_requests
from notifier.subscribers.signup_requests import RequestLimit, TooManyError
from notifier.web.responses import deps_of, render_message, render_page

log = logging.getLogger("notifier")

_TOO_MANY = {
    RequestLimit.NETWORK: LazyMessage("Too many requests came from your network."),
    RequestLimit.ASKER: LazyMessage("You asked for too many mails."),
}


def request_mail(
    request: Request,
    language: Language,
    kind: SignupRequestKind,
    email: str,
    wish: Mapping[str, object] | None,
) -> Response:
    """Store a request for a mail; the page does not show whether the address is known."""
    deps = deps_of(request)
    try:
        with deps.writing() as session:
            request_id = signup_requests.ask(
                session, kind, email, wish, client_address(request), deps.now()
            )
    except TooManyError as error:
        return too_many(request, error, language)
    return mailbox_page(request, language, request_id)


def client_address(request: Request) -> str:
    """Return the network address that a request came from; empty where it is not known."""
    return request.client.host if request.client else ""


def too_many(request: Request, error: TooManyError, language: Language) -> Response:
    """Return the page for a visitor who reached a limit (429; RFC 6585, 4)."""
    again = LazyMessage("Please try again in an hour.")
    page = render_message(request, _TOO_MANY[error.limit], again, language, status=429)
    page.headers["Retry-After"] = str(int(error.period.total_seconds()))
    return page


def mailbox_page(request: Request, language: Language, request_id: int | None = None) -> Response:
    """Return the page after any request for a mail: the same for every address.

    Args:
        request: the request that the page answers.
        language: the visitor's language.
        request_id: the stored request that is answered by mail after the page was sent; None where
            nothing was stored, because a program filled in the form.
    """
    contact = deps_of(request).settings.contact
    values = {"contact": contact, "contact_url": contact_url(contact)}
    page = render_page(request, "sent", values, language)
    if request_id is not None:
        page.background = answer_later(deps_of(request), request_id)
    return page


def contact_url(contact: str) -> str:
    """Return the link to the contact: an https address as it is, an e-mail address as ``mailto:``.

    Args:
        contact: `settings.contact`; empty gives an empty link.
    """
    return contact if not contact or contact.startswith("https://") else f"mailto:{contact}"


def answer_later(deps: Deps, request_id: int) -> BackgroundTask:
    """Return the task that answers a stored request by mail, after the page was sent."""
    return BackgroundTask(_answer_by_mail, deps, request_id)


def _answer_by_mail(deps: Deps, request_id: int) -> None:
    try:
        answers.answer(deps, request_id)
    except StoreError as error:
        log.warning("a request waits for the next run: %s", error.problem)
