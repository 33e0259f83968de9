"""The pages behind the links of a mail: confirm, unsubscribe, renew, agree to a new address, never be written to.

A GET (a person's, a link scanner's, a preview's) only shows; the POST acts, as often as it is
asked, without cookie, login or redirect (RFC 8058).
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from notifier.deliver import outbox
from notifier.enums import DeliveryKind, SignupRequestKind, SubscriptionStatus
from notifier.errors import LinkError, NotFoundError
from notifier.i18n.catalog import Language, language_of
from notifier.i18n.messages import LazyMessage
from notifier.links import Purpose
from notifier.store.models import Subscription
from notifier.subscribers import (
    address_changes,
    consent,
    lifecycle,
    signup_requests,
    subscriptions,
)
from notifier.subscribers.address_changes import Side
from notifier.subscribers.choices import choice_to_confirm, schedule_of
from notifier.web import forms, mail_requests
from notifier.web.responses import Unrendered, deps_of, notice, page, spoken_by

_PAUSE = timedelta(days=30)
_NOT_SUBSCRIBED = (
    LazyMessage("You are not subscribed."),
    LazyMessage("Nothing more is sent to you."),
)


async def unknown_link(request: Request, _error: Exception) -> Response:
    """The page for a link that opens nothing any more, with the way to a fresh one; it names nobody."""
    return page(request, "unknown", {}, status=404)


def confirm_form(request: Request) -> Response:
    """Show what will be confirmed, and the button."""
    deps = deps_of(request)
    link_id = deps.links.read(Purpose.CONFIRM, request.path_params["link"], deps.now())
    with deps.reading() as session:
        subscription = subscriptions.by_link(session, link_id)
        if not subscriptions.waits_for_yes(subscription):
            return _confirmed(request, subscription)()
        choice = choice_to_confirm(subscription)
        spoken = language_of(choice.language)
        values = {
            "therapy": subscription.profile.name,
            "schedule": choice.schedule.describe(spoken),
            "wording": consent.wording(spoken),
        }
        return page(request, "confirm", values, spoken)


def confirm(request: Request) -> Response:
    """Confirm the subscription; doing so again changes nothing."""
    deps = deps_of(request)
    now = deps.now()
    link_id = deps.links.read(Purpose.CONFIRM, request.path_params["link"], now)
    with deps.writing() as session:
        subscription = subscriptions.by_link(session, link_id)
        if subscriptions.confirm(
            session, subscription, subscriptions.OWN_LINK, "subscriber", now
        ) and (
            signup_requests.count_mail(
                session, SignupRequestKind.SUBSCRIBE, subscription.subscriber.email, now
            )
        ):
            outbox.enqueue_own(
                session, DeliveryKind.WELCOME, [subscription.id], deps.mail_domain, now
            )
        answer = _confirmed(request, subscription)
    return answer()


def _confirmed(request: Request, one: Subscription) -> Unrendered:
    spoken = _spoken(one)
    if subscriptions.waits_for_yes(one):
        return partial(
            notice,
            request,
            LazyMessage("No mail is sent to this address: please write to us."),
            "",
            spoken,
            status=410,
        )
    if one.status is SubscriptionStatus.CONFIRMED:
        words = LazyMessage(
            "You will get news about %(therapy)s: %(schedule)s.", **_words(one, spoken)
        )
        return partial(
            notice, request, LazyMessage("Your subscription is confirmed."), words, spoken
        )
    return partial(
        notice,
        request,
        LazyMessage("This subscription has ended."),
        LazyMessage("To get news again, subscribe once more."),
        spoken,
        status=410,
    )


def unsubscribe_form(request: Request) -> Response:
    """Show what will end, and the button."""
    deps = deps_of(request)
    link_id = deps.links.read(Purpose.UNSUBSCRIBE, request.path_params["link"], deps.now())
    with deps.reading() as session:
        if address_changes.by_retired_link(session, link_id) is not None:
            return _retired(request)()
        one = subscriptions.by_link(session, link_id)
        spoken = _spoken(one)
        if one.status is SubscriptionStatus.ENDED:
            return _left(request, one, spoken, deps.now())()
        return page(request, "unsubscribe", _words(one, spoken), spoken)


async def unsubscribe(request: Request) -> Response:
    """End the subscription at once; asked again, or after erasure, the answer is the same.

    A mail program says ``List-Unsubscribe=One-Click`` (RFC 8058, 3.1), in whatever form; the button
    of the page, or a bare POST, asks for the same. The page that then appears takes a leaving back,
    or turns it into a pause. A body that says something else changes nothing.
    """
    body = await forms.body_of(request)
    if not body.strip() or b"one-click" in body.lower():
        return await run_in_threadpool(_unsubscribe, request, "leave")
    try:
        wish = forms.text(await forms.form_in(request, body), "do")
    except HTTPException:
        wish = ""
    if wish not in ("leave", "undo", "pause"):
        return await run_in_threadpool(unsubscribe_form, request)
    return await run_in_threadpool(_unsubscribe, request, wish)


def _unsubscribe(request: Request, wish: str) -> Response:
    deps = deps_of(request)
    link_id = deps.links.read(Purpose.UNSUBSCRIBE, request.path_params["link"], deps.now())
    try:
        with deps.writing() as session:
            answer = _end(request, session, link_id, wish)
    except NotFoundError:
        return notice(request, *_NOT_SUBSCRIBED)
    return answer()


def _end(request: Request, session: Session, link_id: str, wish: str) -> Unrendered:
    now = deps_of(request).now()
    retired = address_changes.by_retired_link(session, link_id)
    if retired is not None:
        return _end_by_retired_link(request, session, retired, wish)
    one = subscriptions.by_link(session, link_id)
    spoken = _spoken(one)
    if wish in ("undo", "pause"):
        return _taken_back(request, session, one, spoken, pause=wish == "pause")
    subscriptions.end(session, one, subscriptions.OWN_LINK, "subscriber", now)
    return _left(request, one, spoken, now)


def _retired(request: Request) -> Unrendered:
    """What a link from before a change of address still does, in the visitor's language; nothing of the person."""
    spoken = spoken_by(request)
    values = {
        "title": spoken.gettext("Unsubscribe"),
        "text": spoken.gettext(
            "This link is from before a change of address. It ends the subscription, and no more."
        ),
        "button": spoken.gettext("Unsubscribe me"),
    }
    return partial(page, request, "question", values, spoken)


def _end_by_retired_link(
    request: Request, session: Session, one: Subscription, wish: str
) -> Unrendered:
    if wish != "leave":
        return _retired(request)
    subscriptions.end(session, one, subscriptions.OWN_LINK, "subscriber", deps_of(request).now())
    return partial(
        notice,
        request,
        LazyMessage("You are unsubscribed."),
        LazyMessage("Nothing more is sent to you."),
    )


def _taken_back(
    request: Request, session: Session, one: Subscription, spoken: Language, *, pause: bool
) -> Unrendered:
    now = deps_of(request).now()
    if one.status is SubscriptionStatus.ENDED and not lifecycle.undo(session, one, now):
        return partial(
            notice,
            request,
            LazyMessage("It is too late to take this back."),
            LazyMessage("To get news again, subscribe once more."),
            spoken,
            status=410,
        )
    if pause and one.status in SubscriptionStatus.RUNNING:
        until = now + _PAUSE
        lifecycle.pause(one, until, now)
        words = LazyMessage(
            "No digest comes until %(day)s; then one tells all that you missed.", day=until.date()
        )
        return partial(notice, request, LazyMessage("Your subscription is paused."), words, spoken)
    words = LazyMessage("You get news about %(therapy)s: %(schedule)s.", **_words(one, spoken))
    return partial(
        notice,
        request,
        LazyMessage("You are subscribed again, as if nothing had been."),
        words,
        spoken,
    )


def _left(request: Request, one: Subscription, spoken: Language, now: datetime) -> Unrendered:
    values = {"therapy": one.profile.name, "undo": lifecycle.may_undo(one, now)}
    return partial(page, request, "unsubscribed", values, spoken)


def never_form(request: Request) -> Response:
    """Ask whether an address shall never be written to again; the page is the same whoever it belongs to."""
    deps, spoken = deps_of(request), spoken_by(request)
    deps.links.read(Purpose.NEVER, request.path_params["link"], deps.now())
    values = {
        "title": spoken.gettext("Never write to this address again?"),
        "text": spoken.gettext(
            "From then on we send no mail to it, whoever asks for one. Only we can undo that."
        ),
        "button": spoken.gettext("Never write to it again"),
    }
    return page(request, "question", values, spoken)


def never(request: Request) -> Response:
    """Suppress the address that a confirmation went to, as often as it is asked; the answer is always the same."""
    deps = deps_of(request)
    address_hash = deps.links.read(Purpose.NEVER, request.path_params["link"], deps.now())
    with deps.writing() as session:
        subscriptions.never_again(session, address_hash, deps.now())
    contact = deps.settings.contact
    values = {"contact": contact, "contact_url": mail_requests.contact_url(contact)}
    return page(request, "suppressed", values)


def renew_form(request: Request) -> Response:
    """Show what goes on, and the button."""
    deps = deps_of(request)
    link_id = deps.links.read(Purpose.RENEW, request.path_params["link"], deps.now())
    with deps.reading() as session:
        one = subscriptions.by_link(session, link_id)
        spoken = _spoken(one)
        if one.status not in SubscriptionStatus.RUNNING:
            return notice(request, *_NOT_SUBSCRIBED, spoken)
        values = {
            "title": spoken.gettext("Do you still want your digest?"),
            "text": spoken.gettext(
                "You get news about %(therapy)s: %(schedule)s.", **_words(one, spoken)
            ),
            "button": spoken.gettext("Yes, I still want it"),
        }
        return page(request, "question", values, spoken)


def renew(request: Request) -> Response:
    """Note the yes; doing so again changes nothing."""
    deps = deps_of(request)
    now = deps.now()
    link_id = deps.links.read(Purpose.RENEW, request.path_params["link"], now)
    with deps.writing() as session:
        one = subscriptions.by_link(session, link_id)
        spoken = _spoken(one)
        runs = lifecycle.renew(session, one, now)
        words = LazyMessage("You get news about %(therapy)s: %(schedule)s.", **_words(one, spoken))
    if not runs:
        return notice(request, *_NOT_SUBSCRIBED, spoken)
    return notice(request, LazyMessage("Thank you: everything goes on as it was."), words, spoken)


def address_form(request: Request) -> Response:
    """Show which address shall take the other's place, and the button."""
    deps = deps_of(request)
    _, link_id = _side(deps.links.read(Purpose.ADDRESS, request.path_params["link"], deps.now()))
    with deps.reading() as session:
        change = address_changes.by_link(session, link_id, deps.now())
        spoken = language_of(change.subscriber.language)
        values = {
            "title": spoken.gettext("Please confirm the change of address"),
            "text": spoken.gettext("From then on we write to the new address."),
            "button": spoken.gettext("Agree to the change"),
        }
        return page(request, "question", values, spoken)


def address(request: Request) -> Response:
    """Note one address's yes; with the other's the change is made."""
    deps = deps_of(request)
    now = deps.now()
    side, link_id = _side(deps.links.read(Purpose.ADDRESS, request.path_params["link"], now))
    with deps.writing() as session:
        change = address_changes.by_link(session, link_id, now)
        spoken = language_of(change.subscriber.language)
        moved = address_changes.agree(session, change, side, now)
    if moved:
        return notice(
            request,
            LazyMessage("Your address is changed."),
            LazyMessage("We write to the new one from now on."),
            spoken,
        )
    return notice(
        request,
        LazyMessage("Thank you."),
        LazyMessage("The other address has to agree, too."),
        spoken,
    )


def _side(text: str) -> tuple[Side, str]:
    side, _, link_id = text.partition(":")
    if side not in list(Side):
        raise LinkError(
            LazyMessage("This link is not complete."),
            LazyMessage("Copy it whole from the mail, or use the button."),
        )
    return Side(side), link_id


def _spoken(one: Subscription) -> Language:
    return language_of(one.subscriber.language)


def _words(one: Subscription, spoken: Language) -> dict[str, Any]:
    when = schedule_of(one).describe(spoken)
    return {"therapy": one.profile.name, "schedule": when}
