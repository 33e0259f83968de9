"""Error pages: the text and the HTTP status for everything that a request can fail with.

Owns these texts, in the visitor's language. They are chosen by the class of an error and by its
data; the English sentence in an error is for the command line and for the log.
"""

import logging
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from notifier.errors import LinkError, NotFoundError, NotifierError, SettingsError, StoreError
from notifier.i18n.messages import LazyMessage
from notifier.links import ExpiredLinkError, Purpose
from notifier.subscribers.address_changes import UnknownChangeError
from notifier.web.responses import PAGE_HEADERS, render_message, render_page

log = logging.getLogger("notifier")


class _ErrorText(NamedTuple):
    status: int
    heading: LazyMessage
    text: str = ""


_INCOMPLETE_LINK = _ErrorText(
    404,
    LazyMessage("This link is not complete."),
    LazyMessage("Copy it whole from the mail, or use the button."),
)
_EXPIRED_CONFIRMATION = _ErrorText(
    404,
    LazyMessage("This link is older than 48 hours."),
    LazyMessage("Subscribe once more to get a new one."),
)
_NO_ADDRESS_CHANGE = _ErrorText(
    404,
    LazyMessage("There is no change of address to agree to any more."),
    LazyMessage("Ask for it again in your preferences."),
)
_NO_PAGE = _ErrorText(404, LazyMessage("There is no such page."))
_UNREADABLE_FORM = LazyMessage("This form could not be read.")
_FAILURE = LazyMessage("Something went wrong here. Please try again later.")

# The text for each class of error; a class that is not named has the text of its base class.
_TEXTS: dict[type[NotifierError], _ErrorText] = {
    NotifierError: _ErrorText(422, _UNREADABLE_FORM),
    SettingsError: _ErrorText(422, _FAILURE),
    StoreError: _ErrorText(503, LazyMessage("This page is busy. Please try again in a minute.")),
    NotFoundError: _NO_PAGE,
    UnknownChangeError: _NO_ADDRESS_CHANGE,
    LinkError: _INCOMPLETE_LINK,
}
# Errors that only the operator can correct.
_FOR_THE_OPERATOR = (SettingsError, StoreError)

_STATUS_TEXTS = {
    400: _UNREADABLE_FORM,
    404: _NO_PAGE.heading,
    405: LazyMessage("This page does not accept this kind of request."),
    413: LazyMessage("This form is too large."),
}


async def handle_error(request: Request, error: Exception) -> Response:
    """Answer an error of ours; one that only the operator can correct is logged."""
    assert isinstance(error, NotifierError)
    if isinstance(error, _FOR_THE_OPERATOR):
        log.error("%s %s", error.problem, error.fix)
    # NotifierError is among the base classes of every error of ours, and has a text.
    text = next(_TEXTS[base] for base in type(error).__mro__ if base in _TEXTS)
    return _render(request, text)


def _render(request: Request, text: _ErrorText) -> Response:
    return render_message(request, text.heading, text.text, status=text.status)


async def handle_expired_link(request: Request, error: Exception) -> Response:
    """Answer a link that is too old; the page of a link to preferences offers a new one."""
    assert isinstance(error, ExpiredLinkError)
    if error.purpose is Purpose.PREFERENCES:
        return render_page(request, "expired", {}, status=410)
    return _render(request, _EXPIRED_CONFIRMATION)


async def handle_unknown_link(request: Request, _error: Exception) -> Response:
    """Answer a link that opens nothing any more; the page names nobody and offers a new link."""
    return render_page(request, "unknown", {}, status=404)


async def handle_http_error(request: Request, error: Exception) -> Response:
    """Answer an error that the framework found: an address, a method or a form it cannot take."""
    assert isinstance(error, HTTPException)
    text = _STATUS_TEXTS.get(error.status_code, error.detail)
    response = render_message(request, text, status=error.status_code)
    response.headers.update(error.headers or {})
    return response


async def handle_disconnect(_request: Request, _error: Exception) -> Response:
    """Answer a visitor who left before the form was complete; nobody reads the answer."""
    return Response(status_code=400)


async def handle_failure(request: Request, _error: Exception) -> Response:
    """Answer an error that nobody expected; it is made outside the middleware that adds headers."""
    response = render_message(request, _FAILURE, status=500)
    response.headers.update(PAGE_HEADERS)
    return response
