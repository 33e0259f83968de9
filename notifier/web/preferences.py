"""Preferences: the page on which a subscriber changes, pauses, moves, exports or ends everything.

One address and one page with several forms; each says in its field `do` which action it means. A
form with an error changes nothing. The link of a mail opens the page, without login.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from notifier.deliver import outbox
from notifier.digest import archive
from notifier.digest.selection import OPTIONAL
from notifier.email_addresses import hint_of
from notifier.enums import SignupRequestKind, SubscriptionStatus
from notifier.errors import AddressError, InputError
from notifier.i18n.messages import LazyMessage
from notifier.links import ExpiredLinkError, Purpose
from notifier.match import profiles
from notifier.store.models import Subscription
from notifier.subscribers import (
    address_changes,
    consent,
    due_times,
    lifecycle,
    signup_requests,
    subscriptions,
)
from notifier.subscribers.choices import choice_of
from notifier.subscribers.due_subscriptions import is_list_of_names
from notifier.subscribers.signup_requests import TooManyError
from notifier.subscribers.subscriptions import ON_PREFERENCES, SuppressedError
from notifier.text import times
from notifier.web import forms, mail_requests, own_data
from notifier.web.link_visits import (
    NOT_SUBSCRIBED,
    LinkVisit,
    answer_visit,
    by_link,
    link_id_of,
    visit_of,
)
from notifier.web.responses import (
    DeferredResponse,
    browser_language,
    deps_of,
    render_page,
)

_BOTH_ARE_ASKED = LazyMessage(
    "A mail goes to both addresses. When both have agreed, the new one takes the old one's place."
)
_NOTHING_CHANGED = LazyMessage("Nothing was changed: one of the values is not valid.")
# The characters of a new address that are read. More than an address may have, so that one that is
# too long is refused and not cut.
_ADDRESS_CHARACTERS = 400


@by_link(Purpose.PREFERENCES, ended_too=True)
def show(visit: LinkVisit) -> DeferredResponse:
    """Show the current choice and every action; to those who left, what is kept of them."""
    return _preferences_page(visit) if visit.runs else _left_page(visit)


def _left_page(visit: LinkVisit) -> DeferredResponse:
    return own_data.left_page(visit, NOT_SUBSCRIBED[0], by_preferences=True)


async def act(request: Request) -> Response:
    """Do what the form says; one with an error changes nothing, and the page says so."""
    form = await forms.form_of(request)
    return await run_in_threadpool(_act, request, form)


def _act(request: Request, form: FormData) -> Response:
    name = forms.text(form, "do", "save")
    try:
        link_id = link_id_of(request, Purpose.PREFERENCES)
    except ExpiredLinkError as error:
        if name != "fresh":
            raise
        return _send_new_link(request, error.link_id)
    if name == "address":
        return _request_address_change(request, link_id, form)
    try:
        # An export only reads, and does not make anybody wait who writes.
        page = answer_visit(
            request,
            link_id,
            partial(_answer, name, form),
            write=name != "export",
            ended_too=True,
        )
    except (InputError, ValueError):
        # The transaction is rolled back: what the action changed before the error is not stored.
        page = answer_visit(request, link_id, _nothing_changed_page, ended_too=True)
    return page()


def _answer(name: str, form: FormData, visit: LinkVisit) -> DeferredResponse:
    if not visit.runs and name not in _RIGHTS:
        return _left_page(visit)
    return ACTIONS.get(name, _save)(visit, form)


def _nothing_changed_page(visit: LinkVisit) -> DeferredResponse:
    if not visit.runs:
        return _left_page(visit)
    return _preferences_page(visit, problem=_NOTHING_CHANGED)


def _send_new_link(request: Request, link_id: str) -> Response:
    """Send a new link to the subscriber of an expired one; the page does not show the address."""
    deps, language = deps_of(request), browser_language(request)
    try:
        with deps.writing() as session:
            visit = visit_of(request, session, link_id)
            email = visit.subscription.subscriber.email
            request_id = _store_mail_request(visit, SignupRequestKind.LINK, email, None)
    except TooManyError as error:
        return mail_requests.too_many(request, error, language)
    return mail_requests.mailbox_page(request, language, request_id)


def _store_mail_request(
    visit: LinkVisit, kind: SignupRequestKind, email: str, wish: dict[str, Any] | None
) -> int:
    """Store a subscriber's request for a mail, and return its id.

    Raises:
        TooManyError: the limit of the network or of the subscriber is reached.
    """
    asker = signup_requests.asker_of(visit.session, visit.subscription.subscriber)
    address = mail_requests.client_address(visit.request)
    return signup_requests.ask(visit.session, kind, email, wish, address, visit.now, asker)


def _save(visit: LinkVisit, form: FormData) -> DeferredResponse:
    hidden, urgent = None, None
    if forms.text(form, "sections"):
        shown = set(form.getlist("show"))
        hidden = tuple(str(section) for section in OPTIONAL if str(section) not in shown)
        urgent = forms.text(form, "urgent") == "yes"
    values = {name: forms.text(form, name) for name in forms.FIELDS}
    choice = forms.choice_of(values, hidden=hidden, urgent=urgent)
    subscriptions.set_choice(visit.subscription, choice, visit.now)
    return _preferences_page(visit, done=LazyMessage("Saved."))


def _pause(visit: LinkVisit, form: FormData) -> DeferredResponse:
    """Pause until midnight at the start of a day, in the subscriber's time zone."""
    zone = times.zone_or_utc(visit.subscription.subscriber.time_zone)
    until = times.day_ahead(forms.text(form, "until"), visit.now.astimezone(zone).date())
    lifecycle.pause(visit.subscription, until, visit.now)
    return _preferences_page(visit, done=LazyMessage("Your subscription is paused."))


def _resume(visit: LinkVisit, _form: FormData) -> DeferredResponse:
    lifecycle.resume(visit.subscription, visit.now)
    outbox.resume_subscriptions(visit.session, [visit.subscription.id], visit.now)
    return _preferences_page(visit, done=LazyMessage("You will get your digests again."))


def _leave(visit: LinkVisit, _form: FormData) -> DeferredResponse:
    subscription, now = visit.subscription, visit.now
    subscriptions.end(visit.session, subscription, subscriptions.OWN_LINK, "subscriber", now)
    return own_data.left_page(visit, own_data.UNSUBSCRIBED, by_preferences=True)


def _follow(visit: LinkVisit, form: FormData) -> DeferredResponse:
    """Subscribe to another therapy; the link shows whose address it is, the box is the consent."""
    session, subscriber = visit.session, visit.subscription.subscriber
    offered = {slug for slug, _ in _other_profiles(session, visit.subscription)}
    slug = forms.text(form, "profile")
    if slug not in offered or forms.text(form, "consent") != "yes":
        raise ValueError(slug)
    profile = profiles.find(session, slug)
    try:
        added = subscriptions.subscribe(
            session,
            subscriber.email,
            profile,
            choice_of(visit.subscription),
            visit.now,
            from_form=True,
        )
    except SuppressedError:
        problem = LazyMessage("No mail is sent to this address: please write to us.")
        return _preferences_page(visit, problem=problem)
    subscriptions.confirm(session, added, ON_PREFERENCES, "subscriber", visit.now)
    session.refresh(subscriber, ["subscriptions"])
    done = LazyMessage("You follow %(therapy)s, too.", therapy=profile.name)
    return _preferences_page(visit, done=done)


def _request_address_change(request: Request, link_id: str, form: FormData) -> Response:
    """Store a request for another address.

    The page and the time that it takes are the same for every address: whether the new one is known
    is looked up afterwards.
    """
    deps, language = deps_of(request), browser_language(request)
    request_id, done, problem = None, "", ""
    try:
        with deps.writing() as session:
            visit = visit_of(request, session, link_id)
            language = visit.language
            if visit.runs:
                email = forms.text(form, "email")[:_ADDRESS_CHARACTERS]
                request_id = _store_address_change(visit, email)
        done = _BOTH_ARE_ASKED
    except TooManyError as error:
        return mail_requests.too_many(request, error, language)
    except AddressError:
        problem = _NOTHING_CHANGED
    page = answer_visit(request, link_id, partial(_preferences_page, done=done, problem=problem))()
    if request_id is not None:
        page.background = mail_requests.answer_later(deps, request_id)
    return page


def _store_address_change(visit: LinkVisit, email: str) -> int:
    change = address_changes.ask(visit.session, visit.subscription.subscriber, email, visit.now)
    wish = {"change": change.link_id}
    return _store_mail_request(visit, SignupRequestKind.ADDRESS, change.email, wish)


def _write_again(visit: LinkVisit, _form: FormData) -> DeferredResponse:
    """Let mails go to an address again from which they came back; its owner says that it works."""
    if not own_data.write_again(visit):
        problem = LazyMessage("No mail is sent to this address: please write to us.")
        return _preferences_page(visit, problem=problem)
    return _preferences_page(visit, done=LazyMessage("You will get your digests again."))


# The actions by the value of the field `do`; any other value saves. A change of address has a
# function of its own, because it looks the new address up after the page was sent.
ACTIONS: dict[str, Callable[[LinkVisit, FormData], DeferredResponse]] = {
    "save": _save,
    "pause": _pause,
    "resume": _resume,
    "leave": _leave,
    "follow": _follow,
    "again": _write_again,
    "export": own_data.download,
    "erase": own_data.erase,
}
# The actions that do not need a running subscription: a person's rights last as long as their data.
_RIGHTS = ("export", "erase")


def _preferences_page(visit: LinkVisit, *, done: str = "", problem: str = "") -> DeferredResponse:
    """Return the page with the current choice.

    Args:
        visit: the visit.
        done: a message about an action that succeeded; empty for none.
        problem: a message about one that did not (status 422); empty for none.
    """
    subscription, language = visit.subscription, visit.language
    choice = visit.choice
    zone = times.zone_or_utc(subscription.subscriber.time_zone)
    paused_until, next_due = subscription.paused_until, due_times.next_of(subscription)
    hidden = subscription.hidden if is_list_of_names(subscription.hidden) else ()
    values: dict[str, Any] = {
        **forms.options(language, choice.schedule.time_zone),
        **visit.therapy_and_schedule,
        "values": forms.fields_of(choice),
        "done": language.translate(done),
        "problem": language.translate(problem),
        "shown": [str(section) for section in OPTIONAL if str(section) not in hidden],
        "urgent": subscription.urgent,
        "paused": subscription.status is SubscriptionStatus.PAUSED,
        "paused_until": paused_until.astimezone(zone).date() if paused_until else None,
        "tomorrow": (visit.now.astimezone(zone) + timedelta(days=1)).date().isoformat(),
        "profile": subscription.profile.slug,
        "address": hint_of(subscription.subscriber.email),
        "contact": visit.deps.settings.contact,
        "contact_url": mail_requests.contact_url(visit.deps.settings.contact),
        "next_due": language.moment(next_due.astimezone(zone)) if next_due else "",
        "siblings": _other_subscriptions(visit),
        "others": _other_profiles(visit.session, subscription),
        "wording": consent.wording(language),
        "kept": own_data.kept(visit),
        "suppressed": own_data.why_nothing_is_sent(visit),
    }
    status = 422 if problem else 200
    return partial(render_page, visit.request, "preferences", values, language, status)


def _other_subscriptions(visit: LinkVisit) -> list[tuple[str, str]]:
    """Return the other therapies that the subscriber follows, with the tokens of their links."""
    links = visit.deps.links
    return [
        (other.profile.name, links.token(Purpose.PREFERENCES, other.link_id, visit.now))
        for other in visit.subscription.subscriber.subscriptions
        if other.id != visit.subscription.id and other.status in SubscriptionStatus.RUNNING
    ]


def _other_profiles(session: Session, subscription: Subscription) -> list[tuple[str, str]]:
    """Return the slugs and names of the public profiles that the subscriber does not follow."""
    followed = {
        other.profile_id
        for other in subscription.subscriber.subscriptions
        if other.status in SubscriptionStatus.RUNNING
    }
    return [
        (profile.slug, profile.name)
        for profile in archive.public_profiles(session)
        if profile.id not in followed
    ]
