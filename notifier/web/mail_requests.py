"""Asking: a request for a mail is stored and answered with one page, the same for every address.

Owns that page, the answer to too many requests, and the step after the page in which the request is
looked at. Sign-up, lost links and changes of address share it, so that none of them shows more than
another.
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
from notifier.pipeline import signup_requests as admission
from notifier.subscribers import signup_requests
from notifier.subscribers.signup_requests import TooManyError
from notifier.web.responses import deps_of, notice, page

log = logging.getLogger("notifier")

_RETRY_AFTER = str(int(signup_requests.LIMIT_PERIOD.total_seconds()))


def ask(
    request: Request,
    spoken: Language,
    kind: SignupRequestKind,
    email: str,
    wish: Mapping[str, object] | None,
) -> Response:
    """Store what a visitor asks for; the answer says nothing of the address."""
    deps = deps_of(request)
    try:
        with deps.writing() as session:
            enquiry_id = signup_requests.ask(
                session, kind, email, wish, visitor(request), deps.now()
            )
    except TooManyError as error:
        return too_many(request, error, spoken)
    answer = look_into_mailbox(request, spoken)
    answer.background = answering(deps, enquiry_id)
    return answer


def visitor(request: Request) -> str:
    """The address a request came from; empty where it is not known."""
    return request.client.host if request.client else ""


def too_many(request: Request, error: TooManyError, spoken: Language) -> Response:
    """The page for who asked for more than people do (RFC 6585, 4)."""
    answer = notice(request, error.problem, error.fix, spoken, status=429)
    answer.headers["Retry-After"] = _RETRY_AFTER
    return answer


def look_into_mailbox(request: Request, spoken: Language) -> Response:
    """The page after any request for a mail: the same whoever was named, and whether or not a mail is sent."""
    contact = deps_of(request).settings.contact
    return page(request, "sent", {"contact": contact, "contact_url": contact_url(contact)}, spoken)


def contact_url(contact: str) -> str:
    """Where a click on the contact leads: an https address as it is, an e-mail address as ``mailto:``."""
    return contact if not contact or contact.startswith("https://") else f"mailto:{contact}"


def answering(deps: Deps, enquiry_id: int) -> BackgroundTask:
    """What is done after the page was sent: the request is answered by mail."""
    return BackgroundTask(_admit, deps, enquiry_id)


def _admit(deps: Deps, enquiry_id: int) -> None:
    try:
        admission.answer(deps, enquiry_id)
    except StoreError as error:
        log.warning("a request waits for the next run: %s", error.problem)
