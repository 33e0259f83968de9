"""`notifier subscribe` and `notifier unsubscribe`."""

from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import shared

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from notifier.store.models import Subscription
    from notifier.subscribers.named_options import NamedOptions

Every = Annotated[
    str | None,
    typer.Option(
        "--every", metavar="CADENCE", help="immediate, daily, weekly (the default) or monthly."
    ),
]
At = Annotated[
    str | None,
    typer.Option(
        metavar="HH:MM", help="The time of day, in the person's time zone. Default: 08:00."
    ),
]
On = Annotated[
    str | None,
    typer.Option(
        metavar="DAY",
        help="A weekday for weekly digests; 1 to 31 for monthly ones (31: the last day).",
    ),
]
TimeZone = Annotated[
    str | None,
    typer.Option(
        metavar="ZONE", help="Such as Europe/Berlin. Default: the setting schedule.time_zone."
    ),
]


Edition = Annotated[
    str | None,
    typer.Option("--edition", metavar="EDITION", help="patient (the default) or clinician."),
]
Language = Annotated[
    str | None,
    typer.Option("--language", metavar="CODE", help="en (the default), de, fr or es."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("subscribe")(subscribe)
    app.command("unsubscribe")(unsubscribe)


def subscribe(
    email: shared.Email,
    profile: shared.Profile = None,
    every: Every = None,
    at: At = None,
    on: On = None,
    time_zone: TimeZone = None,
    edition: Edition = None,
    language: Language = None,
    confirmed: shared.Confirmed = False,
    now: shared.Now = "",
) -> None:
    """Subscribe a person to the digests of a profile.

    Without --confirmed a mail asks for consent, and until the person confirms nothing else is sent.
    For somebody who has a subscription, it changes the options that are named and nothing else.
    """
    from notifier.match import profiles
    from notifier.subscribers import subscriptions
    from notifier.subscribers.named_options import choice_with

    wanted = named(every, at, on, time_zone, edition, language)
    with shared.open_deps(now) as deps, deps.writing() as session:
        stored = profiles.find(session, profile)
        choice = choice_with(session, email, stored, wanted, deps.settings.schedule.time_zone)
        subscription = subscriptions.subscribe(session, email, stored, choice, deps.now())
        if confirmed:
            subscriptions.confirm(
                session, subscription, "command line", shared.operator(), deps.now()
            )
        else:
            _ask_if_pending(session, subscription, deps.mail_domain, deps.now())
        text = describe(subscription)
    shared.say(text)


def named(
    every: str | None,
    at: str | None,
    on: str | None,
    time_zone: str | None,
    edition: str | None,
    language: str | None,
) -> "NamedOptions":
    """Return the options that were given, checked as far as words go.

    Raises:
        InputError: a word is not known.
    """
    from notifier.enums import Cadence
    from notifier.enums import Edition as Wording
    from notifier.subscribers.named_options import NamedOptions

    return NamedOptions(
        shared.optional_member(Cadence, every, "--every"),
        at,
        on,
        time_zone,
        shared.optional_member(Wording, edition, "--edition"),
        None if language is None else shared.language_code(language),
    )


def _ask_if_pending(
    session: "Session", subscription: "Subscription", mail_domain: str, now: "datetime"
) -> None:
    """Enqueue the mail that asks for consent, unless the person has confirmed before.

    Raises:
        NotifierError: the mailbox got as many such mails within the hour as it may get.
    """
    from notifier.deliver import outbox
    from notifier.enums import DeliveryKind, SignupRequestKind, SubscriptionStatus
    from notifier.errors import NotifierError
    from notifier.subscribers import signup_requests

    if subscription.status is not SubscriptionStatus.PENDING:
        return
    email = subscription.subscriber.email
    if not signup_requests.count_mail(session, SignupRequestKind.SUBSCRIBE, email, now):
        raise NotifierError(
            f"{email} was sent {signup_requests.PER_MAILBOX} such mails within the hour, "
            "which is the limit. Nothing was changed.",
            "Ask the person to look into the spam folder, or try again in an hour.",
        )
    outbox.enqueue_asked(session, DeliveryKind.CONFIRMATION, subscription, mail_domain, now)


def describe(subscription: "Subscription") -> str:
    """Say what is subscribed, and which mail comes next."""
    from notifier.enums import SubscriptionStatus
    from notifier.subscribers.choices import schedule_of

    text = (
        f"{subscription.subscriber.email}: {subscription.profile.slug}, "
        f"{schedule_of(subscription).describe()}, {subscription.status}\n"
    )
    if subscription.status is SubscriptionStatus.PENDING:
        return f"{text}The next `notifier run` sends a mail that asks for confirmation."
    return f"{text}Next digest: {shared.as_time(subscription.next_due_at) or 'with the next news'}"


def unsubscribe(email: shared.Email, profile: shared.Profile = None, now: shared.Now = "") -> None:
    """End a person's subscriptions, or only one of them.

    Without --profile all subscriptions of the person end.
    """
    from notifier.match import profiles
    from notifier.subscribers import subscriptions

    with shared.open_deps(now) as deps, deps.writing() as session:
        stored = profiles.find(session, profile) if profile else None
        ended = subscriptions.unsubscribe(session, email, stored, shared.operator(), deps.now())
    if not ended:
        scope = f" to {profile}" if profile else ""
        shared.fail(f"{email} has no running subscription{scope}: nothing was ended.")
    shared.say(f"Ended {shared.count(ended, 'subscription')} of {email}.")
