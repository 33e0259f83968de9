"""`notifier subscribers edit`: what a person chose is changed, and nothing else.

The options are those of `notifier subscribe`, which also subscribes.
"""

from typing import TYPE_CHECKING

import typer

from notifier.cli import shared
from notifier.cli import subscribe as options

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from notifier.store.models import Subscription


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("edit")(edit)


def edit(
    email: shared.Email,
    profile: shared.Profile = None,
    every: options.Every = None,
    at: options.At = None,
    on: options.On = None,
    time_zone: options.TimeZone = None,
    edition: options.Edition = None,
    language: options.Language = None,
    now: shared.Now = "",
) -> None:
    """Change what a person chose; what is not named stays.

    Without --profile it applies to all subscriptions of the person. Nobody is subscribed by it,
    and no mail is sent.
    """
    from notifier.errors import InputError
    from notifier.subscribers import subscriptions
    from notifier.subscribers.named_options import NamedOptions, choice_with

    named = options.named(every, at, on, time_zone, edition, language)
    if named == NamedOptions():
        raise InputError(
            "Nothing was named that should change.",
            "Give --every, --at, --on, --time-zone, --edition or --language.",
        )
    lines = []
    with shared.open_deps(now) as deps, deps.writing() as session:
        zone = deps.settings.schedule.time_zone
        for subscription in _not_ended(session, email, profile):
            choice = choice_with(session, email, subscription.profile, named, zone)
            subscriptions.set_choice(subscription, choice, deps.now())
            lines.append(options.describe(subscription).partition("\nThe next")[0])
    for line in lines:
        shared.say(line)


def _not_ended(session: "Session", email: str, slug: str | None) -> "list[Subscription]":
    """Return the subscriptions of a person that have not ended, to one profile or to all.

    Raises:
        NotFoundError: there is no such profile, or no such subscription.
    """
    from notifier.enums import SubscriptionStatus
    from notifier.errors import NotFoundError
    from notifier.match import profiles
    from notifier.subscribers import subscriptions

    profile = profiles.find(session, slug) if slug else None
    person = subscriptions.find_subscriber(session, email)
    stored = [
        subscription
        for subscription in (person.subscriptions if person else ())
        if subscription.status is not SubscriptionStatus.ENDED
        and profile in (None, subscription.profile)
    ]
    if not stored:
        raise NotFoundError(
            f"{email} has no subscription{f' to {slug}' if slug else ''} that could be changed.",
            f"To begin one: notifier subscribe {email}",
        )
    return stored
