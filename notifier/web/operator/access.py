"""Access to the operator pages: who asks, whether they may, and whether their browser was asked to.

Owns the order of these checks, for every page but the log-in. A page is a function of a `Visit`;
what it raises as `NotifierError` is shown as a page that says that nothing was changed.
"""

import hmac
from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import quote

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from notifier.deps import Deps
from notifier.errors import InputError, NotFoundError, NotifierError, SettingsError, StoreError
from notifier.operators import accounts, passwords, sessions
from notifier.web import forms
from notifier.web.operator import rendering
from notifier.web.operator.own_threads import OwnThreads
from notifier.web.operator.visit import Visit
from notifier.web.origins import is_foreign, origin_of
from notifier.web.responses import deps_of

COOKIE = "notifier_operator"

Endpoint = Callable[[Request], Awaitable[Response]]


def page(
    handler: Callable[[Visit], Response],
    *,
    for_owners: bool = False,
    threads: OwnThreads | None = None,
) -> Endpoint:
    """Return the endpoint of a page that only shows something.

    Args:
        handler: makes the page; it opens reading sessions only.
        for_owners: whether editors are refused.
        threads: in which the handler runs; None for those of all pages.
    """

    def admit(request: Request) -> Visit | Response:
        visit = visit_of(request)
        if visit is None:
            return rendering.redirect(request, f"login?next={quote(_place(request))}")
        if for_owners and not visit.is_owner:
            return _for_owners(visit)
        return visit

    async def endpoint(request: Request) -> Response:
        visit = await run_in_threadpool(admit, request)
        if isinstance(visit, Response):
            return visit
        return await _run(visit, partial(handler, visit), threads)

    return endpoint


def action(
    handler: Callable[[Visit, FormData], Response],
    *,
    for_owners: bool = False,
    limits: forms.Limits = forms.USUAL,
    threads: OwnThreads | None = None,
) -> Endpoint:
    """Return the endpoint of a form.

    Args:
        handler: does what the form says, records it in the operators' log in the same transaction,
            and returns a redirect (`rendering.done`), or the page with what is wrong.
        for_owners: whether editors are refused.
        limits: how large the form may be.
        threads: in which the handler runs; None for those of all pages.
    """

    def admit(request: Request, form: FormData) -> Visit | Response:
        visit = visit_of(request)
        if visit is None:
            return rendering.logged_out(request, form)
        if not _is_own_form(visit, form):
            return _forged(visit)
        if for_owners and not visit.is_owner:
            return _for_owners(visit)
        return visit

    async def endpoint(request: Request) -> Response:
        form = await forms.form_of(request, limits)
        visit = await run_in_threadpool(admit, request, form)
        if isinstance(visit, Response):
            return visit
        return await _run(visit, partial(handler, visit, form), threads)

    return endpoint


def require_operators(session: Session, deps: Deps) -> None:
    """Let the pages not exist while nobody may log in.

    Raises:
        HTTPException: 404.
    """
    if not accounts.exist(session, deps.settings.web.operator_password_hash):
        raise HTTPException(404)


def visit_of(request: Request) -> Visit | None:
    """Return the visit of somebody who is logged in; None for somebody else.

    Raises:
        HTTPException: 404, nobody may log in.
    """
    deps = deps_of(request)
    token, now = request.cookies.get(COOKIE, ""), deps.now()
    settings_hash = deps.settings.web.operator_password_hash
    with deps.reading() as session:
        require_operators(session, deps)

        def mark_of(name: str) -> str | None:
            account = accounts.find(session, settings_hash, name)
            return passwords.mark_of(account.password_hash) if account else None

        name = sessions.name_of(session, token, mark_of, now) if token else None
        account = accounts.find(session, settings_hash, name) if name else None
    if account is None:
        return None
    return Visit(request, deps, account.name, account.role, sessions.form_token(token), now)


def _place(request: Request) -> str:
    """Return the part of an address behind ``/operator/``, with its query."""
    place = request.scope["path"].removeprefix("/operator/")
    return f"{place}?{request.url.query}" if request.url.query else place


def _is_own_form(visit: Visit, form: FormData) -> bool:
    own = origin_of(visit.deps.settings.public_url)
    if is_foreign(visit.request.headers, own, ()):
        return False
    given = forms.text(form, "token")
    return hmac.compare_digest(given.encode(), visit.form_token.encode())


def _forged(visit: Visit) -> Response:
    return rendering.problem(
        visit,
        "This form does not belong to your log-in: nothing was changed.",
        "Open the page again, and send the form from there.",
        status=403,
    )


def _for_owners(visit: Visit) -> Response:
    return rendering.problem(visit, "Only an owner may see this page or do this.", status=403)


async def _run(
    visit: Visit, answer: Callable[[], Response], threads: OwnThreads | None
) -> Response:
    if threads is None:
        return await run_in_threadpool(_answered, visit, answer)
    return await threads.run(visit.request, _answered, visit, answer)


def _answered(visit: Visit, answer: Callable[[], Response]) -> Response:
    try:
        return answer()
    except NotFoundError as error:
        return rendering.problem(visit, error.problem, status=404)
    except (StoreError, SettingsError):  # only who runs the server can mend it
        raise
    except InputError as error:
        return rendering.problem(visit, error.problem, error.fix, status=422)
    except NotifierError as error:
        return rendering.problem(visit, error.problem, error.fix, status=409)
