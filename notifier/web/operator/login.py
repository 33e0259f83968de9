"""Log-in and log-out.

Owns the cookies: one of the session, one by which a browser is recognised later, and one that shows
that the log-in form was opened in this browser. Passwords are checked two at a time, in threads of
their own, so that a flood of them keeps no other page waiting.
"""

import hmac
import secrets
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from notifier.deps import Deps
from notifier.operators import accounts, actions, attempts, passwords, sessions
from notifier.operators.attempts import TooManyAttemptsError
from notifier.web import forms
from notifier.web.operator import access, rendering
from notifier.web.operator.access import COOKIE
from notifier.web.operator.own_threads import OwnThreads
from notifier.web.operator.visit import Visit
from notifier.web.operator_access import is_from_this_machine
from notifier.web.origins import is_foreign, origin_of
from notifier.web.responses import deps_of

_OPENED, _DEVICE = "notifier_login", "notifier_browser"
_DEVICE_SECONDS = 400 * 24 * 3600
_LONGEST_PLACE = 500
_THREADS = OwnThreads("log-ins", 2)
_WRONG = "The name or the password is wrong."
_NO_COOKIE = (
    "Your browser did not send back what this page gave it. Allow cookies, and open these pages by "
    "https or on the machine itself."
)


async def show(request: Request) -> Response:
    """Show the form; somebody who is logged in is led on."""
    return await run_in_threadpool(_show, request)


async def log_in(request: Request) -> Response:
    """Check name and password; the answer does not show whether there is such a name."""
    form = await forms.form_of(request)
    return await _THREADS.run(request, _log_in, request, form)


def log_out(visit: Visit, _form: FormData) -> Response:
    """End the session of this browser."""
    with visit.deps.writing() as session:
        sessions.end(session, visit.request.cookies.get(COOKIE, ""))
        actions.record(session, visit.actor, "logged_out", "Logged out")
    response = rendering.redirect(visit.request, "login")
    _set_cookie(response, visit.deps, COOKIE, "", 0)
    return response


def _show(request: Request) -> Response:
    place = _place(request.query_params.get("next", ""))
    if access.visit_of(request) is not None:
        return rendering.redirect(request, place)
    had_session = bool(request.cookies.get(COOKIE))
    return _form_page(request, place, "Your log-in has ended." if had_session else "")


def _form_page(
    request: Request, place: str, text: str = "", name: str = "", *, status: int = 200
) -> Response:
    opened = request.cookies.get(_OPENED) or secrets.token_urlsafe(16)
    values = {"text": text, "place": place, "name": name, "opened": opened}
    response = rendering.bare(request, "login", values, status)
    _set_cookie(response, deps_of(request), _OPENED, opened)
    return response


def _log_in(request: Request, form: FormData) -> Response:
    deps = deps_of(request)
    with deps.reading() as session:
        access.require_operators(session, deps)
    name, place = forms.text(form, "name").lower(), _place(forms.text(form, "next"))
    if problem := _refusal(request, form):
        return _form_page(request, place, problem, name, status=403)
    try:
        attempt = begin_attempt(request, deps, name)
    except TooManyAttemptsError as error:
        text = f"{error.problem} {error.fix}"
        response = _form_page(request, place, text, name, status=429)
        response.headers["Retry-After"] = str(int(attempts.PERIOD.total_seconds()))
        return response
    with deps.reading() as session:
        account = accounts.find(session, deps.settings.web.operator_password_hash, name)
    is_right = passwords.is_right(
        account.password_hash if account else "", forms.unstripped(form, "password")
    )
    if account is None or not is_right:
        return _form_page(request, place, _WRONG, name, status=401)
    return _logged_in(request, deps, account, attempt, place)


def _refusal(request: Request, form: FormData) -> str:
    """Return why a form is refused before its password is looked at; empty if it is not."""
    deps = deps_of(request)
    if is_foreign(request.headers, origin_of(deps.settings.public_url), ()):
        return "This form was sent from another website."
    opened, given = request.cookies.get(_OPENED, ""), forms.text(form, "opened")
    return "" if opened and hmac.compare_digest(opened.encode(), given.encode()) else _NO_COOKIE


def begin_attempt(request: Request, deps: Deps, name: str) -> int:
    """Count an attempt, where it came from, and return its id.

    Raises:
        TooManyAttemptsError: it is one too many.
    """
    kept, now = request.cookies.get(_DEVICE, ""), deps.now()
    with deps.writing() as session:
        account = accounts.find(session, deps.settings.web.operator_password_hash, name)
        device = attempts.device_of(session, account.lasting_name, kept) if account else None
        here = attempts.THIS_MACHINE if is_from_this_machine(request) else attempts.STRANGERS
        return attempts.begin(session, name, device or here, now)


def _logged_in(
    request: Request, deps: Deps, account: accounts.Account, attempt: int, place: str
) -> Response:
    mark, now = passwords.mark_of(account.password_hash), deps.now()
    with deps.writing() as session:
        attempts.succeed(session, attempt)
        begun = begin_session(session, request, account.name, mark, now)
        actions.record(session, actions.Actor(account.name, now), "logged_in", "Logged in")
    response = rendering.redirect(request, place)
    keep_session(response, deps, begun)
    _set_cookie(response, deps, _OPENED, "", 0)
    return response


def begin_session(
    session: Session, request: Request, name: str, mark: str, now: datetime
) -> tuple[str, str]:
    """Begin a session of an operator.

    Args:
        session: a writing session.
        request: the request.
        name: of the operator.
        mark: of their password.
        now: when.

    Returns:
        What the browser keeps, for `keep_session`: of the session, and by which it is recognised.
    """
    token, device = sessions.begin(session, name, mark, now), request.cookies.get(_DEVICE, "")
    settings_hash = deps_of(request).settings.web.operator_password_hash
    account = accounts.find(session, settings_hash, name)
    if account and attempts.device_of(session, account.lasting_name, device) is None:
        device = attempts.new_device(session, account.lasting_name)
    return token, device


def keep_session(response: Response, deps: Deps, begun: tuple[str, str]) -> None:
    """Give a browser what it keeps of a session that was begun."""
    token, device = begun
    _set_cookie(response, deps, COOKIE, token, int(sessions.LASTS.total_seconds()))
    _set_cookie(response, deps, _DEVICE, device, _DEVICE_SECONDS)


def _place(text: str) -> str:
    """Return the address behind ``/operator/`` to go on to; the first page for anything else."""
    try:
        parts = urlsplit(f"x:{text}" if text.startswith("/") else text)
    except ValueError:
        return ""
    is_inside = text.isascii() and text.isprintable() and len(text) <= _LONGEST_PLACE
    if not is_inside or parts.scheme or parts.netloc or text[:1] in "/\\." or "\\" in text:
        return ""
    return "" if ".." in text or ":" in parts.path or text.startswith("login") else text


def _set_cookie(
    response: Response, deps: Deps, name: str, value: str, seconds: int | None = None
) -> None:
    """Give a browser something to keep (RFC 6265bis), or to forget with 0 seconds.

    It is sent by TLS alone, unless the installation's own address is not https. `Lax`: a link in a
    mail opens a page, and no other site can send a form.
    """
    is_secure = deps.settings.public_url.startswith("https:")
    response.set_cookie(name, value, seconds, secure=is_secure, httponly=True, samesite="lax")
