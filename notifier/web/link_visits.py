"""Visits by signed links: the subscription that the link of a mail means, in a session of its own.

Owns the steps that every such page begins with: it reads the link, opens a session, looks up the
subscription, and answers those who are not subscribed any more. Handlers return a page that is
rendered after the session is closed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial, wraps
from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from notifier.deps import Deps
from notifier.enums import SubscriptionStatus
from notifier.i18n.catalog import Language, language_of
from notifier.i18n.messages import LazyMessage
from notifier.links import Purpose
from notifier.store.models import Subscription
from notifier.subscribers import subscriptions
from notifier.subscribers.choices import Choice
from notifier.subscribers.named_options import usable_choice
from notifier.web.responses import DeferredResponse, deps_of, render_message, render_page

# The heading and the text of the page for those who are not subscribed.
NOT_SUBSCRIBED = (
    LazyMessage("You are not subscribed."),
    LazyMessage("Nothing more is sent to you."),
)


@dataclass(frozen=True)
class LinkVisit:
    """A request by a signed link, with the subscription that the link means.

    Attributes:
        request: the request.
        session: an open session, reading or writing.
        subscription: the subscription, locked in a writing session.
        now: the time of the visit.
    """

    request: Request
    session: Session
    subscription: Subscription
    now: datetime

    @property
    def deps(self) -> Deps:
        """The dependencies of the application."""
        return deps_of(self.request)

    @property
    def language(self) -> Language:
        """The language that the subscriber has chosen, at this moment."""
        return language_of(self.subscription.subscriber.language)

    @property
    def runs(self) -> bool:
        """True while the subscription is confirmed or paused."""
        return self.subscription.status in SubscriptionStatus.RUNNING

    @property
    def therapy_and_schedule(self) -> dict[str, str]:
        """The values of sentences such as "You get news about %(therapy)s: %(schedule)s."."""
        schedule = self.choice.schedule.describe(self.language)
        return {"therapy": self.subscription.profile.name, "schedule": schedule}

    @property
    def choice(self) -> Choice:
        """The stored choice; it can be shown, and so mended, also where its row is damaged."""
        return usable_choice(self.subscription, self.deps.settings.schedule.time_zone)

    def page(
        self, name: str, values: Mapping[str, Any], language: Language | None = None
    ) -> DeferredResponse:
        """Return a page in the subscriber's language, see `render_page`."""
        return partial(render_page, self.request, name, values, language or self.language)

    def message(self, heading: str, text: str = "", *, status: int = 200) -> DeferredResponse:
        """Return a page with one message in the subscriber's language, see `render_message`."""
        return partial(render_message, self.request, heading, text, self.language, status=status)


LinkHandler = Callable[[LinkVisit], DeferredResponse]


def link_id_of(request: Request, purpose: Purpose) -> str:
    """Return the id in the signed link of a request.

    Raises:
        LinkError: the link is forged, cut short, or made for another purpose.
        ExpiredLinkError: the link is too old.
    """
    deps = deps_of(request)
    return deps.links.read(purpose, request.path_params["link"], deps.now())


def visit_of(request: Request, session: Session, link_id: str) -> LinkVisit:
    """Look up the subscription of a link.

    Raises:
        UnknownLinkError: the subscription was erased, or its address changed since.
    """
    subscription = subscriptions.by_link(session, link_id)
    return LinkVisit(request, session, subscription, deps_of(request).now())


def answer_visit(
    request: Request,
    link_id: str,
    handler: LinkHandler,
    *,
    write: bool = False,
    ended_too: bool = False,
) -> DeferredResponse:
    """Call a handler with the subscription of a link, in a session that ends with it.

    Args:
        request: the request.
        link_id: the id in its link.
        handler: the handler; in a writing session its changes are committed unless it raises.
        write: opens a writing session.
        ended_too: calls the handler for a subscription that does not run, too; otherwise the answer
            to its owner is `NOT_SUBSCRIBED`.

    Raises:
        UnknownLinkError: the subscription was erased, or its address changed since.
    """
    deps = deps_of(request)
    with deps.writing() if write else deps.reading() as session:
        visit = visit_of(request, session, link_id)
        return handler(visit) if visit.runs or ended_too else visit.message(*NOT_SUBSCRIBED)


def by_link(
    purpose: Purpose, *, write: bool = False, ended_too: bool = False
) -> Callable[[LinkHandler], Callable[[Request], Response]]:
    """Make a handler of requests from a handler of visits; `answer_visit` explains the options.

    Args:
        purpose: the purpose of the links that it accepts.
        write: as in `answer_visit`.
        ended_too: as in `answer_visit`.
    """

    def decorate(handler: LinkHandler) -> Callable[[Request], Response]:
        @wraps(handler)
        def answer(request: Request) -> Response:
            link_id = link_id_of(request, purpose)
            return answer_visit(request, link_id, handler, write=write, ended_too=ended_too)()

        return answer

    return decorate
