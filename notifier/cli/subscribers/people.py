"""The commands that show and change one person, or list all.

`notifier subscribers list`, `show`, `pause`, `resume`, `suppress`, `unsuppress` and `erase`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import bounces, filters, shared
from notifier.cli.tables import Column, Kind
from notifier.text import times

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date, datetime

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from notifier.deps import Deps
    from notifier.errors import NotFoundError
    from notifier.store.models import Consent, Subscriber, Subscription
    from notifier.subscribers.overview import Page

_COLUMNS = (
    Column("email"),
    Column("status"),
    Column("profile", Kind.TEXT),
    Column("cadence", drop=1),
    Column("subscription", drop=2),
    Column("next due (UTC)", Kind.TIME),
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("list")(list_)
    app.command("show")(show)
    app.command("pause")(pause)
    app.command("resume")(resume)
    app.command("suppress")(suppress)
    app.command("unsuppress")(unsuppress)
    app.command("erase")(erase)


def list_(
    profile: shared.Profile = None,
    since: filters.Since = "",
    limit: shared.Limit = None,
    wide: filters.Wide = False,
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Show people with their subscriptions, newest last.

    --since counts from their sign-up.
    """
    from notifier.subscribers import overview

    with shared.open_deps(now) as deps, deps.reading() as session:
        wanted = filters.profile_id(session, profile), filters.since(since, deps.now())
        pages = overview.pages(session, shared.row_limit(limit, json=json), *wanted)
        rows = (row for page in pages for row in _page_to_json(page))
        if json:
            shared.print_json_rows(rows)
            return
        shown, total = list(rows), overview.count(session, *wanted)
    cells = [_cells(row, subscription) for row in shown for subscription in row["subscriptions"]]
    empty = "Nobody is like that." if any(wanted) else "Nobody is subscribed yet."
    shared.print_table(_COLUMNS, cells, empty, wide=wide)
    shared.say_if_cut(len(shown), total)


def show(email: shared.Email, json: shared.Json = False) -> None:
    """Show one person with their subscriptions and consent ledger."""
    from notifier.subscribers import consent, overview, subscriptions

    with shared.open_deps() as deps, deps.reading() as session:
        page = overview.page_of(session, subscriptions.hash_of(session, email))
        rows = _page_to_json(page)
        if not rows:
            raise _not_stored(email)
        document = rows[0]
        ids = [each.id for person in page.people for each in person.subscriptions]
        ids += [row.subscription_id for row in page.damaged]
        document["consent"] = [_consent_to_json(event) for event in consent.of(session, ids)]
    if json:
        shared.print_json(document)
    else:
        _print_person(document)


def pause(
    email: shared.Email,
    until: Annotated[
        str, typer.Option(metavar="DATE", help="The day it ends. Default: until `resume`.")
    ] = "",
    profile: shared.Profile = None,
    now: shared.Now = "",
) -> None:
    """Pause a person's digests.

    What matches meanwhile is in the first digest after the pause.
    """
    from notifier.subscribers import lifecycle

    with shared.open_deps(now) as deps, deps.writing() as session:
        end = _parse_pause_end(until, deps.now())
        paused = sum(
            lifecycle.pause(subscription, end, deps.now())
            for subscription in _running(session, email, profile)
        )
    scope = f" until {until}" if until else ""
    shared.say(f"Paused {shared.count(paused, 'subscription')} of {email}{scope}.")


def resume(email: shared.Email, profile: shared.Profile = None, now: shared.Now = "") -> None:
    """End a pause; the next digest has what was held back."""
    from notifier.deliver import outbox
    from notifier.subscribers import lifecycle

    with shared.open_deps(now) as deps, deps.writing() as session:
        resumed = [
            subscription.id
            for subscription in _running(session, email, profile)
            if lifecycle.resume(subscription, deps.now())
        ]
        outbox.resume_subscriptions(session, resumed, deps.now())
    if not resumed:
        shared.fail(f"No subscription of {email} is paused: nothing was changed.")
    shared.say(f"Resumed {shared.count(len(resumed), 'subscription')} of {email}.")


def suppress(
    email: shared.Email,
    reason: Annotated[
        str,
        typer.Option(metavar="TEXT", help="The reason; e-mail addresses in it are not stored."),
    ] = "asked by its owner",
) -> None:
    """Never mail an address again, whatever it is subscribed to."""
    from notifier.enums import SuppressionCause
    from notifier.subscribers import subscriptions, suppressions

    with shared.open_deps() as deps, deps.writing() as session:
        key = subscriptions.hash_of(session, email)
        new = suppressions.add(session, key, SuppressionCause.ASKED, reason, deps.now())
    shared.say(f"{email} is suppressed." if new else f"{email} was suppressed already.")


def unsuppress(email: shared.Email) -> None:
    """Allow mail to a suppressed address again.

    Its subscriptions stay as they are.
    """
    from notifier.subscribers import subscriptions, suppressions

    with shared.open_deps() as deps, deps.writing() as session:
        lifted = suppressions.lift(session, subscriptions.hash_of(session, email))
    if not lifted:
        shared.fail(f"{email} is not suppressed: nothing was changed.")
    shared.say(f"{email} may be mailed again.")


def erase(
    email: shared.Email,
    maildir: Annotated[
        Path | None,
        typer.Option(
            "--maildir",
            metavar="DIR",
            help="Delete the mails about this person that came back and are kept there, too.",
        ),
    ] = None,
    imap: Annotated[
        str,
        typer.Option(
            "--imap",
            metavar="URL",
            help="The same for a mailbox; the password is in $NOTIFIER_IMAP_PASSWORD.",
        ),
    ] = "",
    now: shared.Now = "",
) -> None:
    """Delete everything about a person.

    This is the right to erasure (GDPR, Article 17). A hash of the address is kept, so that it is
    never mailed again. Mails that came back and were moved away because they cannot be read are
    deleted by the next `notifier bounces read` of that mailbox, or at once with --maildir or
    --imap.
    """
    with shared.open_deps(now) as deps:
        erased = _erase(deps, email)
        deleted = bounces.delete_about_erased(deps, maildir, imap, with_seen=True)
    if not erased:
        raise _not_stored(email)
    if deleted:
        shared.say(f"Deleted {shared.count(deleted, 'mail')} that came back.")
    shared.say(
        f"{email} is erased. Backups made before today may still contain the address; "
        "see docs/privacy.md."
    )


def _erase(deps: "Deps", email: str) -> bool:
    """Erase an address from the database and its files; return whether it was stored."""
    from notifier.email_addresses import normalize
    from notifier.enums import SuppressionCause
    from notifier.store import db
    from notifier.subscribers import privacy, subscriptions

    with deps.writing() as session:
        key = subscriptions.hash_of(session, email)
        traces = [normalize(email), *privacy.addresses_of(session, key)]
        erased = privacy.erase_address(session, key, SuppressionCause.ERASED, "erased", deps.now())
    db.scrub(deps.engine, traces)
    return erased


def find(session: "Session", email: str) -> "Subscriber":
    """Find the person with an address.

    Raises:
        AddressError: it is not an e-mail address.
        NotFoundError: nobody has it.
    """
    from notifier.subscribers import subscriptions

    person = subscriptions.find_subscriber(session, email)
    if person is None:
        raise _not_stored(email)
    return person


def _not_stored(email: str) -> "NotFoundError":
    from notifier.errors import NotFoundError

    return NotFoundError(f"Nobody is stored under {email}.", "See: notifier subscribers list")


def _running(session: "Session", email: str, profile: str | None) -> "list[Subscription]":
    """Return the running subscriptions of a person, to one profile or to all.

    Raises:
        NotFoundError: there is no such profile, or no running subscription.
    """
    from notifier.errors import NotFoundError
    from notifier.match import profiles
    from notifier.subscribers import subscriptions

    stored = profiles.find(session, profile) if profile else None
    running = subscriptions.running_subscriptions(session, email, stored)
    if not running:
        raise NotFoundError(
            f"{email} has no running subscription{f' to {profile}' if profile else ''}.",
            "See: notifier subscribers list",
        )
    return running


def _parse_pause_end(until: str, now: "datetime") -> "date | None":
    """Parse the value of `--until`, a day or a moment; None if it is empty.

    Raises:
        InputError: it is not a day between today and five years ahead.
    """
    from notifier.errors import InputError

    end = shared.moment(until, "--until")
    if end is not None:
        try:
            times.day_ahead(end.date().isoformat(), now.date())
        except ValueError as error:
            raise InputError(
                f"--until {until} is out of range.",
                "Give a day between today and five years ahead.",
            ) from error
    return end.date() if end is not None and ":" not in until else end


def _print_person(person: dict[str, Any]) -> None:
    shared.say(f"{person['email']}: {person['status']}, {person['time_zone']}")
    for subscription in person["subscriptions"]:
        shared.say(
            f"  {subscription['profile']}: {subscription['schedule']}, {subscription['status']}, "
            f"next due {subscription['next_due_at'] or '-'}"
        )
        if subscription["trouble"]:
            shared.warn(
                f"  No digest can be sent: {subscription['trouble']} "
                "To choose a new schedule: notifier subscribe EMAIL"
            )
    for event in person["consent"]:
        shared.say(
            f"  {event['at']}  consent {event['event']} by {event['method']}, "
            f"attested by {event['attested_by']}"
        )


def _page_to_json(page: "Page") -> list[dict[str, Any]]:
    rows = [_to_json(person, page.suppressed) for person in page.people]
    return sorted([*rows, *_damaged_to_json(page.damaged)], key=lambda row: int(row["id"]))


def _to_json(person: "Subscriber", suppressed: "Collection[str]") -> dict[str, Any]:
    from notifier.subscribers import due_times, overview

    return {
        "id": person.id,
        "email": person.email,
        "status": overview.status_of(person, suppressed),
        "language": person.language,
        "time_zone": person.time_zone,
        "subscriptions": [
            {
                "profile": subscription.profile.slug,
                "cadence": subscription.cadence,
                "schedule": _schedule(subscription),
                "edition": subscription.edition,
                "status": subscription.status,
                "next_due_at": shared.as_time(due_times.next_of(subscription)),
                "trouble": subscription.trouble,
            }
            for subscription in person.subscriptions
        ],
    }


def _damaged_to_json(rows: "Sequence[Row[Any]]") -> list[dict[str, Any]]:
    """Return people of whom something cannot be read, as it is stored."""
    people: dict[int, dict[str, Any]] = {}
    for row in rows:
        person = people.setdefault(
            row.person_id,
            {
                "id": row.person_id,
                "email": row.email,
                "status": row.status,
                "language": row.language,
                "time_zone": row.time_zone,
                "subscriptions": [],
            },
        )
        person["subscriptions"].append(
            {
                "profile": row.slug,
                "cadence": row.cadence,
                "schedule": "cannot be read",
                "edition": row.edition,
                "status": row.status,
                "next_due_at": None,
                "trouble": row.trouble or "A column of the stored subscription cannot be read.",
            }
        )
    return list(people.values())


def _cells(person: dict[str, Any], subscription: dict[str, Any]) -> tuple[object, ...]:
    return (
        person["email"],
        person["status"],
        subscription["profile"],
        subscription["cadence"],
        subscription["status"],
        subscription["next_due_at"],
    )


def _schedule(subscription: "Subscription") -> str:
    from notifier.subscribers.choices import schedule_of

    try:
        return schedule_of(subscription).describe()
    except (LookupError, TypeError, ValueError):
        return "cannot be read"


def _consent_to_json(event: "Consent") -> dict[str, Any]:
    return {
        "event": event.event,
        "method": event.method,
        "attested_by": event.attested_by,
        "at": shared.as_time(event.at),
    }
