"""`notifier digests`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import shared

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from notifier.store.models import Digest

app = shared.group("digests", "The editions that were composed.")


@app.command("list")
def list_(json: shared.Json = False) -> None:
    """Show every digest with what is in it, newest first."""
    from notifier.digest import digests

    with shared.open_deps() as deps, deps.reading() as session:
        rows = [_row(session, one) for one in digests.listed(session)]
    if json:
        shared.print_json(rows)
        return
    table = [
        (
            row["id"],
            row["profile"],
            row["cadence"],
            row["status"],
            row["composed_at"],
            len(row["items"]),
            row["recipients"],
        )
        for row in rows
    ]
    headings = ("id", "profile", "cadence", "status", "composed", "items", "recipients")
    shared.print_table(headings, table, "No digest was composed yet.")


@app.command("show")
def show(
    digest_id: Annotated[int, typer.Argument(metavar="ID")], json: shared.Json = False
) -> None:
    """Show one digest: its subject, its items and its text."""
    from notifier.digest import digests

    with shared.open_deps() as deps, deps.reading() as session:
        found = digests.find(session, digest_id)
        if json:
            shared.print_json(_row(session, found))
        else:
            shared.say(f"{found.subject}\n{found.headline}\n{found.body_text}")


def _row(session: "Session", one: "Digest") -> dict[str, Any]:
    from notifier.digest import digests

    return {
        "id": one.id,
        "profile": one.profile.slug,
        "cadence": one.cadence,
        "status": one.status,
        "subject": one.subject,
        "composed_at": shared.as_time(one.composed_at),
        "recipients": digests.recipients(session, one),
        "items": [
            {
                "kind": item.kind,
                "tier": item.match.tier,
                "title": item.revision.title,
                "url": item.match.entry.url,
                "reasons": item.match.reasons,
            }
            for item in one.items
        ],
    }


@app.command("approve")
def approve(digest: Annotated[int, typer.Argument(metavar="ID")], now: shared.Now = "") -> None:
    """Let a digest go out that was held; the next run sends what is left of it."""
    from notifier.deliver import outbox
    from notifier.digest import digests

    with shared.open_deps(now) as deps, deps.writing() as session:
        found = digests.find(session, digest)
        done = digests.approve(found, deps.now())
        if done:
            outbox.resume(session, found, deps.now())
    if not done:
        shared.warn(f"Digest {digest} is not held: nothing was changed.")
        raise typer.Exit(1)
    shared.say(f"Digest {digest} is approved; the next `notifier run` goes on with it.")


@app.command("hold")
def hold(digest: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """Let nothing more of a digest go out until it is approved."""
    from notifier.digest import digests

    with shared.open_deps() as deps, deps.writing() as session:
        done = digests.hold(digests.find(session, digest))
    if not done:
        shared.warn(f"Digest {digest} is not going out: nothing was changed.")
        raise typer.Exit(1)
    shared.say(f"Digest {digest} is held.")
