"""The pages behind the links of a mail: confirm, unsubscribe, preferences.

A GET (a person's, a link scanner's, a preview's) only shows; the POST acts, as often as it is asked, without cookie,
login or redirect (RFC 8058).
"""

from typing import Any
from zoneinfo import available_timezones

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from notifier.errors import NotFoundError, SettingsError
from notifier.language import LANGUAGES, Language, language
from notifier.links import Purpose
from notifier.said import Said
from notifier.store.models import Subscription
from notifier.store.statuses import Cadence, Edition, SubscriptionStatus
from notifier.subscribers import consent, schedule, subscriptions
from notifier.subscribers.subscriptions import Choice
from notifier.web.page import deps_of, notice, page

_NOT_SUBSCRIBED = Said("You are not subscribed."), Said("Nothing more is sent to you.")


def confirm_form(request: Request) -> Response:
    """Show what will be confirmed, and the button."""
    deps = deps_of(request)
    link_id = deps.links.read(Purpose.CONFIRM, request.path_params["link"], deps.now())
    with deps.reading() as session:
        one = subscriptions.by_link(session, link_id)
        if one.status is not SubscriptionStatus.PENDING:
            return _confirmed(request, one)
        spoken = _spoken(one)
        return page(request, "confirm", {**_words(one, spoken), "wording": consent.wording(spoken)}, spoken)


def confirm(request: Request) -> Response:
    """Confirm the subscription; doing so again changes nothing."""
    deps = deps_of(request)
    now = deps.now()
    link_id = deps.links.read(Purpose.CONFIRM, request.path_params["link"], now)
    with deps.writing() as session:
        one = subscriptions.by_link(session, link_id)
        subscriptions.confirm(session, one, "link", "subscriber", now)
        return _confirmed(request, one)


def _confirmed(request: Request, one: Subscription) -> Response:
    spoken = _spoken(one)
    if one.status is SubscriptionStatus.CONFIRMED:
        words = Said("You will get news about %(therapy)s: %(schedule)s.", **_words(one, spoken))
        return notice(request, Said("Your subscription is confirmed."), words, spoken)
    return notice(
        request,
        Said("This subscription has ended."),
        Said("To get news again, subscribe once more."),
        spoken,
        status=410,
    )


def unsubscribe_form(request: Request) -> Response:
    """Show what will end, and the button."""
    deps = deps_of(request)
    link_id = deps.links.read(Purpose.UNSUBSCRIBE, request.path_params["link"], deps.now())
    with deps.reading() as session:
        one = subscriptions.by_link(session, link_id)
        spoken = _spoken(one)
        if one.status is SubscriptionStatus.ENDED:
            return notice(request, *_NOT_SUBSCRIBED, spoken)
        return page(request, "unsubscribe", _words(one, spoken), spoken)


def unsubscribe(request: Request) -> Response:
    """End the subscription at once; asked again, or after erasure, the answer is the same."""
    deps = deps_of(request)
    now = deps.now()
    link_id = deps.links.read(Purpose.UNSUBSCRIBE, request.path_params["link"], now)
    with deps.writing() as session:
        try:
            one = subscriptions.by_link(session, link_id)
        except NotFoundError:
            return notice(request, *_NOT_SUBSCRIBED)
        subscriptions.end(session, one, "link", "subscriber", now)
        spoken = _spoken(one)
    words = Said("Nothing more is sent to you, not even what was already written.")
    return notice(request, Said("You are unsubscribed."), words, spoken)


def preferences_form(request: Request) -> Response:
    """Show when and in which words somebody is written to."""
    deps = deps_of(request)
    link_id = deps.links.read(Purpose.PREFERENCES, request.path_params["link"], deps.now())
    with deps.reading() as session:
        one = subscriptions.by_link(session, link_id)
        if one.status is SubscriptionStatus.ENDED:
            return notice(request, *_NOT_SUBSCRIBED, _spoken(one))
        return _preferences(request, one)


async def preferences(request: Request) -> Response:
    """Take the new choice; a wrong one changes nothing and is told beside the form."""
    form = {name: str(value) for name, value in (await request.form(max_files=0)).items()}
    return await run_in_threadpool(_choose, request, form)


def _choose(request: Request, form: dict[str, str]) -> Response:
    deps = deps_of(request)
    now = deps.now()
    link_id = deps.links.read(Purpose.PREFERENCES, request.path_params["link"], now)
    with deps.writing() as session:
        one = subscriptions.by_link(session, link_id)
        if one.status is SubscriptionStatus.ENDED:
            return notice(request, *_NOT_SUBSCRIBED, _spoken(one))
        try:
            choice = _choice(form)
        except (SettingsError, ValueError):
            return _preferences(request, one, problem=True)
        subscriptions.choose(one, choice, now)
        return _preferences(request, one, saved=True)


def _choice(form: dict[str, str]) -> Choice:
    """The choice that a form holds.

    Raises:
        SettingsError: a day, an hour or a zone that is none.
        ValueError: a word that no list of the form holds.
    """
    cadence = Cadence(form.get("every", ""))
    if form.get("language") not in LANGUAGES:
        raise ValueError(form.get("language"))
    on = {Cadence.WEEKLY: form.get("weekday"), Cadence.MONTHLY: form.get("day")}.get(cadence)
    return Choice(
        cadence,
        schedule.parse_at(form.get("at", "")),
        schedule.parse_on(on, cadence),
        schedule.parse_zone(form.get("time_zone", "")),
        Edition(form.get("edition", "")),
        form["language"],
    )


def _preferences(request: Request, one: Subscription, *, saved: bool = False, problem: bool = False) -> Response:
    spoken = _spoken(one)
    values = {
        **_words(one, spoken),
        "saved": saved,
        "problem": problem,
        "cadence": str(one.cadence),
        "at": one.at,
        "weekday": one.on if one.cadence is Cadence.WEEKLY and one.on is not None else 0,
        "day": one.on if one.cadence is Cadence.MONTHLY and one.on is not None else 1,
        "weekdays": [(name, spoken.weekday(number)) for number, name in enumerate(schedule.WEEKDAYS)],
        "time_zone": one.subscriber.time_zone,
        "time_zones": sorted(available_timezones()),
        "edition": str(one.edition),
        "languages": LANGUAGES,
    }
    return page(request, "preferences", values, spoken, 422 if problem else 200)


def _spoken(one: Subscription) -> Language:
    return language(one.subscriber.language)


def _words(one: Subscription, spoken: Language) -> dict[str, Any]:
    when = schedule.in_words(one.cadence, one.at, one.on, one.subscriber.time_zone, spoken)
    return {"therapy": one.profile.name, "schedule": when}
