"""`notifier subscribe` and `notifier unsubscribe`."""

import getpass
from typing import Annotated

import typer

from notifier.cli import shared

Email = Annotated[str, typer.Argument(metavar="EMAIL")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("subscribe")(subscribe)
    app.command("unsubscribe")(unsubscribe)


def subscribe(
    email: Email,
    profile: shared.Profile = None,
    every: Annotated[
        str, typer.Option(metavar="CADENCE", help="immediate, daily, weekly or monthly.")
    ] = "weekly",
    at: Annotated[str, typer.Option(metavar="HH:MM", help="Wall time in the time zone.")] = "08:00",
    on: Annotated[
        str | None,
        typer.Option(
            metavar="DAY", help="A weekday for weekly, 1 to 31 for monthly (31: the last)."
        ),
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Such as Europe/Berlin.")
    ] = None,
    edition: Annotated[
        str, typer.Option(metavar="EDITION", help="patient or clinician.")
    ] = "patient",
    language: shared.Language = "en",
    confirmed: Annotated[
        bool,
        typer.Option("--confirmed", help="You attest that this person agreed; no mail asks them."),
    ] = False,
    now: shared.Now = "",
) -> None:
    """Subscribe somebody. Without --confirmed they are asked by mail, and get nothing else until they agree."""
    from notifier.deliver import outbox
    from notifier.enums import Cadence, DeliveryKind, Edition, SignupRequestKind, SubscriptionStatus
    from notifier.errors import NotifierError
    from notifier.match import profiles
    from notifier.subscribers import signup_requests, subscriptions
    from notifier.subscribers.choices import Choice, schedule_of
    from notifier.subscribers.schedule import Schedule, parse_at, parse_on, parse_zone

    cadence, words_for = (
        shared.choice(Cadence, every, "--every"),
        shared.choice(Edition, edition, "--edition"),
    )
    spoken = shared.spoken(language)
    wall, day = parse_at(at), parse_on(on, cadence)
    with shared.open_deps(now) as deps, deps.writing() as session:
        zone = parse_zone(time_zone or deps.settings.schedule.time_zone)
        choice = Choice(Schedule(cadence, wall, day, zone), words_for, spoken)
        moment = deps.now()
        one = subscriptions.subscribe(
            session, email, profiles.find(session, profile), choice, moment
        )
        if confirmed:
            subscriptions.confirm(
                session, one, "command line", f"operator {getpass.getuser()}", moment
            )
        elif one.status is SubscriptionStatus.PENDING:
            if not signup_requests.count_mail(session, SignupRequestKind.SUBSCRIBE, email, moment):
                raise NotifierError(
                    f"{email} was sent {signup_requests.PER_MAILBOX} such mails within the hour:"
                    " no further one is owed.",
                    "Ask its owner to look among the unwanted mails, or try again later. Nothing was changed.",
                )
            outbox.enqueue_asked(session, DeliveryKind.CONFIRMATION, one, deps.mail_domain, moment)
        words = schedule_of(one).describe()
        shared.say(f"{one.subscriber.email}: {one.profile.slug}, {words}, {one.status}")
        if one.status is SubscriptionStatus.PENDING:
            shared.say("A confirmation mail waits in the outbox; the next `notifier run` sends it.")
        else:
            shared.say(f"Next digest: {shared.as_time(one.next_due_at) or 'with the next news'}")


def unsubscribe(email: Email, profile: shared.Profile = None, now: shared.Now = "") -> None:
    """End one subscription of somebody, or all of them; says how many it ended."""
    from notifier.match import profiles
    from notifier.subscribers import subscriptions

    with shared.open_deps(now) as deps, deps.writing() as session:
        chosen = profiles.find(session, profile) if profile else None
        attested = f"operator {getpass.getuser()}"
        ended = subscriptions.unsubscribe(session, email, chosen, attested, deps.now())
    if not ended:
        shared.warn(
            f"{email} has no running subscription{f' to {profile}' if profile else ''}: nothing was ended."
        )
        raise typer.Exit(1)
    shared.say(f"Ended {ended} subscription{'' if ended == 1 else 's'} of {email}.")
