"""Pages behind the links of mails, except the preferences.

Here people confirm, unsubscribe, renew, agree to a new address, or have their address suppressed.
A GET (by a person, a link scanner or a preview) only shows; the POST acts, however often it is
sent, without cookie, login or redirect (RFC 8058).
"""

import logging
from datetime import timedelta
from functools import partial

from sqlalchemy.orm import Session
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from notifier.deliver import outbox
from notifier.enums import DeliveryKind, SignupRequestKind, SubscriptionStatus
from notifier.errors import LinkError
from notifier.i18n.catalog import language_of
from notifier.i18n.messages import LazyMessage
from notifier.links import Purpose
from notifier.store.models import UNREADABLE, Subscription
from notifier.subscribers import (
    address_changes,
    consent,
    damaged_rows,
    lifecycle,
    signup_requests,
    subscriptions,
    suppressions,
)
from notifier.subscribers.address_changes import Side
from notifier.subscribers.choices import choice_to_confirm
from notifier.subscribers.subscriptions import UnknownLinkError
from notifier.web import forms, mail_requests, own_data
from notifier.web.link_visits import NOT_SUBSCRIBED, LinkVisit, by_link, link_id_of, visit_of
from notifier.web.responses import (
    DeferredResponse,
    browser_language,
    deps_of,
    render_message,
    render_page,
)

log = logging.getLogger("notifier")

# The length of the pause that the page after unsubscribing offers. Chosen by hand; not measured.
_PAUSE = timedelta(days=30)

# A person's rights that the page after unsubscribing offers, by the value of the field `do`.
_RIGHTS = {"export": own_data.download, "erase": own_data.erase}

_SUBSCRIBE_ONCE_MORE = LazyMessage("To get news again, subscribe once more.")


@by_link(Purpose.CONFIRM, ended_too=True)
def show_confirmation(visit: LinkVisit) -> DeferredResponse:
    """Show what the subscriber confirms, and the button."""
    subscription = visit.subscription
    if not subscriptions.waits_for_confirmation(subscription):
        return _confirmed(visit)
    choice = choice_to_confirm(subscription)
    language = language_of(choice.language)
    values = {
        "therapy": subscription.profile.name,
        "schedule": choice.schedule.describe(language),
        "wording": consent.wording(language),
    }
    return visit.page("confirm", values, language)


@by_link(Purpose.CONFIRM, write=True, ended_too=True)
def confirm(visit: LinkVisit) -> DeferredResponse:
    """Confirm the subscription; a second time changes nothing."""
    session, subscription, now = visit.session, visit.subscription, visit.now
    began = subscriptions.confirm(session, subscription, subscriptions.OWN_LINK, "subscriber", now)
    if began and signup_requests.count_mail(
        session, SignupRequestKind.SUBSCRIBE, subscription.subscriber.email, now
    ):
        outbox.enqueue_own(
            session, DeliveryKind.WELCOME, [subscription.id], visit.deps.mail_domain, now
        )
    return _confirmed(visit)


def _confirmed(visit: LinkVisit) -> DeferredResponse:
    """Return the page after a confirmation: it runs, its address is suppressed, or it has ended."""
    if subscriptions.waits_for_confirmation(visit.subscription):
        return visit.message(
            LazyMessage("No mail is sent to this address: please write to us."), status=410
        )
    if visit.subscription.status is SubscriptionStatus.CONFIRMED:
        text = LazyMessage(
            "You will get news about %(therapy)s: %(schedule)s.", **visit.therapy_and_schedule
        )
        return visit.message(LazyMessage("Your subscription is confirmed."), text)
    return visit.message(
        LazyMessage("This subscription has ended."), _SUBSCRIBE_ONCE_MORE, status=410
    )


def show_unsubscribe(request: Request) -> Response:
    """Show what ends, and the button."""
    link_id = link_id_of(request, Purpose.UNSUBSCRIBE)
    try:
        with deps_of(request).reading() as session:
            if address_changes.by_retired_link(session, link_id) is not None:
                page = _retired_link_page(request)
            else:
                page = _unsubscribe_page(visit_of(request, session, link_id))
    except UNREADABLE as error:
        _log_unreadable(error)
        page = _question(request, LazyMessage("It takes effect at once, and you need not say why."))
    return page()


def _log_unreadable(error: BaseException) -> None:
    log.error("a subscription cannot be read: %s", type(error).__name__)


def _unsubscribe_page(visit: LinkVisit) -> DeferredResponse:
    if visit.subscription.status is SubscriptionStatus.ENDED:
        return _unsubscribed(visit)
    return visit.page("unsubscribe", visit.therapy_and_schedule)


async def unsubscribe(request: Request) -> Response:
    """End the subscription at once; the answer is the same a second time, and after erasure.

    A mail program sends ``List-Unsubscribe=One-Click`` (RFC 8058, 3.1), in whatever form; the
    button of the page or a POST without a body means the same. The page after it offers to undo
    this, to pause instead, to download or to delete what is stored (`do=undo`, `pause`, `export`,
    `erase`). Any other body changes nothing.
    """
    body = await forms.body_of(request)
    if not body.strip() or b"one-click" in body.lower():
        return await run_in_threadpool(_unsubscribe, request, "leave", FormData())
    try:
        form = await forms.form_in(request, body)
    except HTTPException:
        form = FormData()
    action = forms.text(form, "do")
    if action not in ("leave", "undo", "pause", *_RIGHTS):
        return await run_in_threadpool(show_unsubscribe, request)
    return await run_in_threadpool(_unsubscribe, request, action, form)


def _unsubscribe(request: Request, action: str, form: FormData) -> Response:
    link_id, deps = link_id_of(request, Purpose.UNSUBSCRIBE), deps_of(request)
    try:
        # A download only reads, and does not make anybody wait who writes.
        with deps.reading() if action == "export" else deps.writing() as session:
            retired = address_changes.by_retired_link(session, link_id)
            if retired is not None:
                page = _end_by_retired_link(request, session, retired, action)
            else:
                page = _end_or_undo(visit_of(request, session, link_id), action, form)
    except UnknownLinkError:
        return render_message(request, *NOT_SUBSCRIBED)
    except UNREADABLE as error:
        _log_unreadable(error)
        page = _end_unreadable(request, link_id, action)
    return page()


def _end_unreadable(request: Request, link_id: str, action: str) -> DeferredResponse:
    """End a subscription of which a column cannot be read: whoever wants to leave can."""
    if action != "leave":
        return partial(show_unsubscribe, request)
    deps = deps_of(request)
    with deps.writing() as session:
        subscription_id = damaged_rows.id_by_link(session, link_id)
        if subscription_id is not None:
            method = subscriptions.OWN_LINK
            damaged_rows.end(session, subscription_id, method, "subscriber", deps.now())
    return partial(render_message, request, own_data.UNSUBSCRIBED, NOT_SUBSCRIBED[1])


def _end_or_undo(visit: LinkVisit, action: str, form: FormData) -> DeferredResponse:
    if action in _RIGHTS:
        may = own_data.opens_data(visit)
        return _RIGHTS[action](visit, form) if may else _unsubscribe_page(visit)
    if action != "leave":
        return _undo(visit, pause=action == "pause")
    subscriptions.end(
        visit.session, visit.subscription, subscriptions.OWN_LINK, "subscriber", visit.now
    )
    return _unsubscribed(visit)


def _retired_link_page(request: Request) -> DeferredResponse:
    """Return the page of a link from before a change of address: it can only unsubscribe.

    It is in the visitor's language and shows nothing of the subscriber, because somebody else may
    read the old mailbox.
    """
    return _question(
        request,
        LazyMessage(
            "This link is from before a change of address. It ends the subscription, and no more."
        ),
    )


def _question(request: Request, text: LazyMessage) -> DeferredResponse:
    """Return the page that asks whether a subscription shall end, and shows nothing of it."""
    language = browser_language(request)
    values = {
        "title": language.gettext("Unsubscribe"),
        "text": language.translate(text),
        "button": language.gettext("Unsubscribe me"),
    }
    return partial(render_page, request, "question", values, language)


def _end_by_retired_link(
    request: Request, session: Session, subscription: Subscription, action: str
) -> DeferredResponse:
    if action != "leave":
        return _retired_link_page(request)
    now = deps_of(request).now()
    subscriptions.end(session, subscription, subscriptions.OWN_LINK, "subscriber", now)
    return partial(render_message, request, own_data.UNSUBSCRIBED, NOT_SUBSCRIBED[1])


def _undo(visit: LinkVisit, *, pause: bool) -> DeferredResponse:
    """Let an ended subscription run again, or pause it; one that runs is only paused."""
    subscription, now = visit.subscription, visit.now
    ended = subscription.status is SubscriptionStatus.ENDED
    if ended and not _taken_back(visit):
        return visit.message(
            LazyMessage("It is too late to take this back."), _SUBSCRIBE_ONCE_MORE, status=410
        )
    if pause and visit.runs:
        until = now + _PAUSE
        lifecycle.pause(subscription, until, now)
        text = LazyMessage(
            "No digest comes until %(day)s; then one has everything that you missed.",
            day=until.date(),
        )
        return visit.message(LazyMessage("Your subscription is paused."), text)
    text = LazyMessage(
        "You get news about %(therapy)s: %(schedule)s.", **visit.therapy_and_schedule
    )
    return visit.message(LazyMessage("You are subscribed again."), text)


def _taken_back(visit: LinkVisit) -> bool:
    """Let an ended subscription run again, and mails go to an address that was suppressed by it."""
    return (
        own_data.may_undo(visit)
        and suppressions.lift_by_owner(visit.session, visit.subscription.subscriber.address_hash)
        and lifecycle.undo(visit.session, visit.subscription, visit.now)
    )


def _unsubscribed(visit: LinkVisit) -> DeferredResponse:
    """Return the page after unsubscribing, with the buttons that undo it while that is possible."""
    return own_data.left_page(visit, own_data.UNSUBSCRIBED, by_preferences=False)


def show_suppression(request: Request) -> Response:
    """Ask whether to suppress an address for ever; the page is the same for every address."""
    link_id_of(request, Purpose.NEVER)
    language = browser_language(request)
    values = {
        "title": language.gettext("Never write to this address again?"),
        "text": language.gettext(
            "From then on we send no mail to it, whoever asks for one. Only we can undo that."
        ),
        "button": language.gettext("Never write to it again"),
    }
    return render_page(request, "question", values, language)


def suppress(request: Request) -> Response:
    """Suppress the address that a confirmation mail went to; the page is always the same."""
    deps = deps_of(request)
    address_hash = link_id_of(request, Purpose.NEVER)
    with deps.writing() as session:
        subscriptions.never_again(session, address_hash, deps.now())
    contact = deps.settings.contact
    values = {"contact": contact, "contact_url": mail_requests.contact_url(contact)}
    return render_page(request, "suppressed", values)


@by_link(Purpose.RENEW)
def show_renewal(visit: LinkVisit) -> DeferredResponse:
    """Show the subscription that the subscriber may keep, and the button."""
    language = visit.language
    values = {
        "title": language.gettext("Do you still want your digest?"),
        "text": language.gettext(
            "You get news about %(therapy)s: %(schedule)s.", **visit.therapy_and_schedule
        ),
        "button": language.gettext("Yes, I still want it"),
    }
    return visit.page("question", values)


@by_link(Purpose.RENEW, write=True)
def renew(visit: LinkVisit) -> DeferredResponse:
    """Store that the subscriber still wants the digest; a second time changes nothing."""
    lifecycle.renew(visit.session, visit.subscription, visit.now)
    text = LazyMessage(
        "You get news about %(therapy)s: %(schedule)s.", **visit.therapy_and_schedule
    )
    return visit.message(LazyMessage("Thank you: everything goes on as it was."), text)


def show_address_change(request: Request) -> Response:
    """Ask one of the two addresses whether the new one shall replace the old one."""
    deps = deps_of(request)
    _, link_id = _parse_address_link(request)
    with deps.reading() as session:
        change = address_changes.by_link(session, link_id, deps.now())
        language = language_of(change.subscriber.language)
    values = {
        "title": language.gettext("Please confirm the change of address"),
        "text": language.gettext("From then on we write to the new address."),
        "button": language.gettext("Agree to the change"),
    }
    return render_page(request, "question", values, language)


def agree_to_address_change(request: Request) -> Response:
    """Store that one address agrees; when both have agreed, the address is changed."""
    deps = deps_of(request)
    now = deps.now()
    side, link_id = _parse_address_link(request)
    with deps.writing() as session:
        change = address_changes.by_link(session, link_id, now)
        language = language_of(change.subscriber.language)
        changed = address_changes.agree(session, change, side, now)
        for successor in changed.successors if changed is not None else ():
            outbox.hand_over(session, *successor)
    if changed is not None:
        heading = LazyMessage("Your address is changed.")
        text = LazyMessage("We write to the new one from now on.")
    else:
        heading = LazyMessage("Thank you.")
        text = LazyMessage("The other address has to agree, too.")
    page = render_message(request, heading, text, language)
    if changed is not None and changed.left:
        # When the person is erased, nobody knows this address any more.
        page.background = BackgroundTask(own_data.scrub, deps, [changed.left])
    return page


def _parse_address_link(request: Request) -> tuple[Side, str]:
    """Return whose link it is, and the id of the change: the link holds ``new:ID`` or ``old:ID``.

    Raises:
        LinkError: the link is forged, cut short, or names no side.
    """
    side, _, link_id = link_id_of(request, Purpose.ADDRESS).partition(":")
    if side not in list(Side):
        raise LinkError(
            "The link to a change of address names neither the old nor the new address.",
            "Copy it whole from the mail, or use the button.",
        )
    return Side(side), link_id
