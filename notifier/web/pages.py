"""The public pages: confirm and unsubscribe, each a page with one button and what the button does.

A GET (a person's, a link scanner's, a preview's) only shows; the POST acts, as often as it is asked, without cookie,
login or redirect (RFC 8058).
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from notifier.deps import Deps
from notifier.errors import NotFoundError
from notifier.links import Purpose
from notifier.store.models import Subscription
from notifier.store.statuses import SubscriptionStatus
from notifier.subscribers import consent, subscriptions
from notifier.subscribers.schedule import in_words


def confirm_form(request: Request) -> Response:
    """Show what will be confirmed, and the button."""
    deps = _deps(request)
    link_id = deps.links.read(Purpose.CONFIRM, request.path_params["link"], deps.now())
    with deps.reading() as session:
        one = subscriptions.by_link(session, link_id)
        if one.status is not SubscriptionStatus.PENDING:
            return _confirmed(request, one)
        return _page(request, "confirm", {**_words(one), "wording": consent.WORDING})


def confirm(request: Request) -> Response:
    """Confirm the subscription; doing so again changes nothing."""
    deps = _deps(request)
    now = deps.now()
    link_id = deps.links.read(Purpose.CONFIRM, request.path_params["link"], now)
    with deps.writing() as session:
        one = subscriptions.by_link(session, link_id)
        subscriptions.confirm(session, one, "link", "subscriber", now)
        return _confirmed(request, one)


def _confirmed(request: Request, one: Subscription) -> Response:
    if one.status is SubscriptionStatus.CONFIRMED:
        words = _words(one)
        return notice(
            request,
            "Your subscription is confirmed.",
            f"You will get news about {words['therapy']}, {words['schedule']}.",
        )
    return notice(request, "This subscription has ended.", "To get news again, subscribe once more.", status=410)


def unsubscribe_form(request: Request) -> Response:
    """Show what will end, and the button."""
    deps = _deps(request)
    link_id = deps.links.read(Purpose.UNSUBSCRIBE, request.path_params["link"], deps.now())
    with deps.reading() as session:
        one = subscriptions.by_link(session, link_id)
        if one.status is SubscriptionStatus.ENDED:
            return notice(request, "You are not subscribed.", "Nothing more is sent to you.")
        return _page(request, "unsubscribe", _words(one))


def unsubscribe(request: Request) -> Response:
    """End the subscription at once; asked again, or after erasure, the answer is the same."""
    deps = _deps(request)
    now = deps.now()
    link_id = deps.links.read(Purpose.UNSUBSCRIBE, request.path_params["link"], now)
    with deps.writing() as session:
        try:
            one = subscriptions.by_link(session, link_id)
        except NotFoundError:
            return notice(request, "You are not subscribed.", "Nothing more is sent to you.")
        subscriptions.end(session, one, "link", "subscriber", now)
    return notice(request, "You are unsubscribed.", "Nothing more is sent to you, not even what was already written.")


def style(request: Request) -> Response:
    """The style sheet of all pages."""
    return Response(_deps(request).templates.render("web/style.css", {}), media_type="text/css")


def notice(request: Request, problem: str, fix: str = "", *, status: int = 200) -> Response:
    """A page that says one thing."""
    return _page(request, "notice", {"problem": problem, "fix": fix}, status)


def _words(one: Subscription) -> dict[str, Any]:
    schedule = in_words(one.cadence, one.at, one.on, one.subscriber.time_zone)
    return {"therapy": one.profile.name, "schedule": schedule}


def _page(request: Request, name: str, values: dict[str, Any], status: int = 200) -> Response:
    deps = _deps(request)
    sender = deps.settings.sender
    common = {"sender_name": sender.name, "postal_address": sender.postal_address or ""}
    return HTMLResponse(deps.templates.render(f"web/{name}.html.j2", {**common, **values}), status)


def _deps(request: Request) -> Deps:
    deps: Deps = request.app.state.deps
    return deps
