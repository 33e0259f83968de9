"""Preferences: who holds the link of a mail chooses what comes when, pauses, moves, takes their data or leaves.

One address, one page, several forms; each says in its field `do` what it does. A form that is wrong
changes nothing.
"""

import json
import logging
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from notifier.deps import Deps
from notifier.digest import archive
from notifier.digest.selection import OPTIONAL
from notifier.enums import SignupRequestKind, SubscriptionStatus, SuppressionCause
from notifier.errors import AddressError, InputError, StoreError
from notifier.i18n.catalog import Language, language_of
from notifier.i18n.messages import LazyMessage
from notifier.links import ExpiredLinkError, Purpose
from notifier.match import profiles
from notifier.store import db
from notifier.store.models import Subscription
from notifier.subscribers import (
    address_changes,
    consent,
    lifecycle,
    privacy,
    signup_requests,
    subscriptions,
)
from notifier.subscribers.choices import choice_of, schedule_of
from notifier.subscribers.signup_requests import TooManyError
from notifier.subscribers.subscriptions import ON_PREFERENCES, SuppressedError
from notifier.text import times
from notifier.web import forms, mail_requests
from notifier.web.responses import Unrendered, deps_of, notice, page, spoken_by

log = logging.getLogger("notifier")

_NOT_SUBSCRIBED = (
    LazyMessage("You are not subscribed."),
    LazyMessage("Nothing more is sent to you."),
)
_BOTH_ARE_ASKED = LazyMessage(
    "A mail goes to both addresses. When both have agreed, the new one takes the old one's place."
)
_NOTHING_CHANGED = LazyMessage("Nothing was changed: one of these cannot be.")


def form(request: Request) -> Response:
    """Show what is chosen, and everything that can be done about it."""
    deps = deps_of(request)
    try:
        link_id = deps.links.read(Purpose.PREFERENCES, request.path_params["link"], deps.now())
    except ExpiredLinkError:
        return _expired(request)
    with deps.reading() as session:
        one = subscriptions.by_link(session, link_id)
        if one.status not in SubscriptionStatus.RUNNING:
            return notice(request, *_NOT_SUBSCRIBED, _spoken(one))
        answer = _page(request, session, one)
    return answer()


async def act(request: Request) -> Response:
    """Do what the form says; a wrong one changes nothing and is told on the page."""
    sent = await forms.form_of(request)
    return await run_in_threadpool(_act, request, sent)


def _act(request: Request, sent: FormData) -> Response:
    deps = deps_of(request)
    doing = forms.text(sent, "do", "save")
    try:
        link_id = deps.links.read(Purpose.PREFERENCES, request.path_params["link"], deps.now())
    except ExpiredLinkError as error:
        return _send_fresh(request, error.link_id) if doing == "fresh" else _expired(request)
    if doing == "address":
        return _move(request, link_id, sent)
    try:
        # To hand out somebody's data takes no writer's turn.
        with deps.reading() if doing == "export" else deps.writing() as session:
            one = subscriptions.by_link(session, link_id)
            if one.status in SubscriptionStatus.RUNNING:
                answer = _DEEDS.get(doing, _save)(request, session, one, sent)
            else:
                answer = partial(notice, request, *_NOT_SUBSCRIBED, _spoken(one))
    except (InputError, ValueError):
        # Only here is the transaction rolled back: inside it, what was changed before the error
        # would be committed.
        with deps.reading() as session:
            answer = _page(
                request, session, subscriptions.by_link(session, link_id), problem=_NOTHING_CHANGED
            )
    return answer()


def _expired(request: Request) -> Response:
    return page(request, "expired", {}, status=410)


def _send_fresh(request: Request, link_id: str) -> Response:
    """Send a fresh link to the address that an old link's digests go to; the page says nothing of that address."""
    deps, spoken = deps_of(request), spoken_by(request)
    try:
        with deps.writing() as session:
            subscriber = subscriptions.by_link(session, link_id).subscriber
            asker = signup_requests.asker_of(session, subscriber)
            place = mail_requests.visitor(request)
            enquiry_id = signup_requests.ask(
                session, SignupRequestKind.LINK, subscriber.email, None, place, deps.now(), asker
            )
    except TooManyError as error:
        return mail_requests.too_many(request, error, spoken)
    answer = mail_requests.look_into_mailbox(request, spoken)
    answer.background = mail_requests.answering(deps, enquiry_id)
    return answer


def _save(request: Request, session: Session, one: Subscription, sent: FormData) -> Unrendered:
    hidden, urgent = None, None
    if forms.text(sent, "sections"):
        shown = set(sent.getlist("show"))
        hidden = tuple(str(section) for section in OPTIONAL if str(section) not in shown)
        urgent = forms.text(sent, "urgent") == "yes"
    values = {name: forms.text(sent, name) for name in forms.FIELDS}
    subscriptions.choose(
        one, forms.choice_of(values, hidden=hidden, urgent=urgent), deps_of(request).now()
    )
    return _page(request, session, one, done=LazyMessage("Saved."))


def _pause(request: Request, session: Session, one: Subscription, sent: FormData) -> Unrendered:
    now = deps_of(request).now()
    zone = ZoneInfo(one.subscriber.time_zone)
    day = times.day_ahead(forms.text(sent, "until"), now.astimezone(zone).date())
    until = datetime.combine(day, time(), zone).astimezone(UTC)
    lifecycle.pause(one, until, now)
    return _page(request, session, one, done=LazyMessage("Your subscription is paused."))


def _resume(request: Request, session: Session, one: Subscription, _sent: FormData) -> Unrendered:
    lifecycle.resume(one, deps_of(request).now())
    return _page(request, session, one, done=LazyMessage("Your digests come again."))


def _leave(request: Request, session: Session, one: Subscription, _sent: FormData) -> Unrendered:
    now = deps_of(request).now()
    subscriptions.end(session, one, subscriptions.OWN_LINK, "subscriber", now)
    leave_url = deps_of(request).links.token(Purpose.UNSUBSCRIBE, one.link_id, now)
    values = {"therapy": one.profile.name, "undo": True, "leave_url": leave_url}
    return partial(page, request, "unsubscribed", values, _spoken(one))


def _follow(request: Request, session: Session, one: Subscription, sent: FormData) -> Unrendered:
    """Subscribe to another therapy, too: the link has shown whose address it is, the box gives the consent."""
    now = deps_of(request).now()
    offered = {slug for slug, _ in _others(session, one)}
    slug = forms.text(sent, "profile")
    if slug not in offered or forms.text(sent, "consent") != "yes":
        raise ValueError(slug)
    profile = profiles.find(session, slug)
    try:
        new = subscriptions.subscribe(
            session, one.subscriber.email, profile, choice_of(one), now, own=True
        )
    except SuppressedError:
        return _page(
            request,
            session,
            one,
            problem=LazyMessage("No mail is sent to this address: please write to us."),
        )
    subscriptions.confirm(session, new, ON_PREFERENCES, "subscriber", now)
    session.refresh(one.subscriber, ["subscriptions"])
    return _page(
        request,
        session,
        one,
        done=LazyMessage("You follow %(therapy)s, too.", therapy=new.profile.name),
    )


def _move(request: Request, link_id: str, sent: FormData) -> Response:
    """Note a new address; page, export and time are the same whoever it belongs to: it is looked at afterwards."""
    deps, spoken = deps_of(request), spoken_by(request)
    enquiry_id = None
    try:
        with deps.writing() as session:
            one = subscriptions.by_link(session, link_id)
            spoken = _spoken(one)
            if one.status in SubscriptionStatus.RUNNING:
                enquiry_id = _ask_for_move(request, session, one, forms.text(sent, "email")[:400])
        words = {"done": _BOTH_ARE_ASKED}
    except TooManyError as error:
        return mail_requests.too_many(request, error, spoken)
    except AddressError:
        words = {"problem": _NOTHING_CHANGED}
    with deps.reading() as session:
        one = subscriptions.by_link(session, link_id)
        if one.status not in SubscriptionStatus.RUNNING:
            return notice(request, *_NOT_SUBSCRIBED, _spoken(one))
        unrendered = _page(request, session, one, **words)
    answer = unrendered()
    if enquiry_id is not None:
        answer.background = mail_requests.answering(deps, enquiry_id)
    return answer


def _ask_for_move(request: Request, session: Session, one: Subscription, email: str) -> int:
    now = deps_of(request).now()
    change = address_changes.ask(session, one.subscriber, email, now)
    asker, wish = signup_requests.asker_of(session, one.subscriber), {"change": change.link_id}
    return signup_requests.ask(
        session,
        SignupRequestKind.ADDRESS,
        change.email,
        wish,
        mail_requests.visitor(request),
        now,
        asker,
    )


def _export(_request: Request, session: Session, one: Subscription, _sent: FormData) -> Unrendered:
    return partial(_download, privacy.export(session, one.subscriber))


def _download(document: dict[str, Any]) -> Response:
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"'}
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return Response(text, headers=headers, media_type="application/json")


def _erase(request: Request, session: Session, one: Subscription, sent: FormData) -> Unrendered:
    spoken = _spoken(one)
    if forms.text(sent, "sure") != "yes":
        return partial(page, request, "erase", {}, spoken)
    privacy.erase(
        session, one.subscriber, SuppressionCause.ERASED, "erased", deps_of(request).now()
    )
    return partial(_erased, request, spoken)


def _erased(request: Request, spoken: Language) -> Response:
    answer = notice(
        request,
        LazyMessage("Everything about you is deleted."),
        LazyMessage(
            "Only a fingerprint of your address stays, so that nobody writes to it again unless you ask for it."
        ),
        spoken,
    )
    answer.background = BackgroundTask(_scrub, deps_of(request))
    return answer


def _scrub(deps: Deps) -> None:
    try:
        db.scrub(deps.engine)
    except StoreError as error:
        log.warning("%s %s", error.problem, error.fix)


_DEEDS = {
    "save": _save,
    "pause": _pause,
    "resume": _resume,
    "leave": _leave,
    "follow": _follow,
    "export": _export,
    "erase": _erase,
}


def _page(
    request: Request, session: Session, one: Subscription, *, done: str = "", problem: str = ""
) -> Unrendered:
    spoken = _spoken(one)
    now = deps_of(request).now()
    zone = ZoneInfo(one.subscriber.time_zone)
    paused = one.status is SubscriptionStatus.PAUSED
    values: dict[str, Any] = {
        **forms.options(spoken),
        "values": forms.fields_of(choice_of(one)),
        "therapy": one.profile.name,
        "schedule": schedule_of(one).describe(spoken),
        "done": spoken.translate(done),
        "problem": spoken.translate(problem),
        "shown": [str(section) for section in OPTIONAL if str(section) not in one.hidden],
        "urgent": one.urgent,
        "paused": paused,
        "paused_until": one.paused_until.astimezone(zone).date() if one.paused_until else None,
        "tomorrow": (now.astimezone(zone) + timedelta(days=1)).date().isoformat(),
        "next_due": spoken.moment(one.next_due_at.astimezone(zone)) if one.next_due_at else "",
        "siblings": _siblings(request, one),
        "others": _others(session, one),
        "wording": consent.wording(spoken),
    }
    return partial(page, request, "preferences", values, spoken, 422 if problem else 200)


def _siblings(request: Request, one: Subscription) -> list[tuple[str, str]]:
    """What else this person follows, each with the path of its own preferences."""
    deps = deps_of(request)
    return [
        (each.profile.name, deps.links.token(Purpose.PREFERENCES, each.link_id, deps.now()))
        for each in one.subscriber.subscriptions
        if each.id != one.id and each.status in SubscriptionStatus.RUNNING
    ]


def _others(session: Session, one: Subscription) -> list[tuple[str, str]]:
    """What this person could follow besides."""
    followed = {
        each.profile_id
        for each in one.subscriber.subscriptions
        if each.status in SubscriptionStatus.RUNNING
    }
    return [
        (each.slug, each.name)
        for each in archive.public_profiles(session)
        if each.id not in followed
    ]


def _spoken(one: Subscription) -> Language:
    return language_of(one.subscriber.language)
