"""`notifier subscribers`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import door

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from notifier.store.models import Subscriber

app = door.group("subscribers", "People: who gets what, when, and by which consent.")

Email = Annotated[str, typer.Argument(metavar="EMAIL")]


@app.command("list")
def list_(json: door.Json = False) -> None:
    """Show everybody with their subscriptions."""
    from notifier.subscribers import subscriptions

    with door.opened() as deps, deps.reading() as session:
        rows = [_row(session, one) for one in subscriptions.listed(session)]
    if json:
        door.print_json(rows)
        return
    table = [
        (row["email"], row["status"], one["profile"], one["cadence"], one["status"], one["next_due_at"])
        for row in rows
        for one in row["subscriptions"]
    ]
    door.print_table(("email", "standing", "profile", "cadence", "subscription", "next due"), table, "Nobody yet.")


@app.command("show")
def show(email: Email, json: door.Json = False) -> None:
    """Show one person: subscriptions and the consent ledger."""
    from notifier.errors import NotFoundError
    from notifier.subscribers import consent, subscriptions

    with door.opened() as deps, deps.reading() as session:
        found = subscriptions.find_subscriber(session, email)
        if found is None:
            raise NotFoundError(f"Nobody is stored under {email}.", "See: notifier subscribers list")
        document = _row(session, found)
        document["consent"] = [
            {"event": one.event, "method": one.method, "attested_by": one.attested_by, "at": door.as_time(one.at)}
            for one in consent.of(session, [each.id for each in found.subscriptions])
        ]
    if json:
        door.print_json(document)
        return
    door.say(f"{document['email']}: {document['status']}, {document['time_zone']}")
    for one in document["subscriptions"]:
        door.say(f"  {one['profile']}: {one['schedule']}, {one['status']}, next due {one['next_due_at'] or '-'}")
    for one in document["consent"]:
        door.say(f"  {one['at']}  consent {one['event']} by {one['method']}, attested by {one['attested_by']}")


@app.command("suppress")
def suppress(
    email: Email, reason: Annotated[str, typer.Option(help="Why; shown when somebody asks.")] = "asked by its owner"
) -> None:
    """Never mail this address again, whatever it is subscribed to."""
    from notifier.store.statuses import SuppressionCause
    from notifier.subscribers import subscriptions, suppressions

    with door.opened() as deps, deps.writing() as session:
        key = subscriptions.hash_of(session, email)
        new = suppressions.add(session, key, SuppressionCause.ASKED, reason, deps.now())
    door.say(f"{email} is suppressed." if new else f"{email} was suppressed already.")


@app.command("unsuppress")
def unsuppress(email: Email) -> None:
    """Let this address be mailed again; its subscriptions are as they were."""
    from notifier.subscribers import subscriptions, suppressions

    with door.opened() as deps, deps.writing() as session:
        lifted = suppressions.lift(session, subscriptions.hash_of(session, email))
    if not lifted:
        door.warn(f"{email} is not suppressed: nothing was changed.")
        raise typer.Exit(1)
    door.say(f"{email} may be mailed again.")


def _row(session: "Session", one: "Subscriber") -> dict[str, Any]:
    from notifier.subscribers import subscriptions
    from notifier.subscribers.schedule import in_words

    return {
        "id": one.id,
        "email": one.email,
        "status": subscriptions.status_of(session, one),
        "language": one.language,
        "time_zone": one.time_zone,
        "subscriptions": [
            {
                "profile": each.profile.slug,
                "cadence": each.cadence,
                "schedule": in_words(each.cadence, each.at, each.on, one.time_zone),
                "edition": each.edition,
                "status": each.status,
                "next_due_at": door.as_time(each.next_due_at),
            }
            for each in one.subscriptions
        ],
    }
