"""`notifier clock`."""

from typing import Annotated

import typer

from notifier.cli import shared


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("clock")(clock)


def clock(
    accept: Annotated[
        bool, typer.Option("--accept", help="The clock is right now; forget the newest time.")
    ] = False,
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Compare the clock with the newest time ever seen.

    Exits with 1 if the clock lies more than ten minutes behind it.
    """
    from notifier.errors import InputError
    from notifier.store import clock as stored_clock

    if accept and now:
        raise InputError("--accept takes the time of the real clock.", "Leave out --now.")
    with shared.open_deps(now) as deps:
        if accept:
            with deps.writing() as session:
                stored_clock.accept(session, deps.now())
        with deps.reading() as session:
            newest = stored_clock.newest_time(session)
            finding = stored_clock.finding(session, deps.now())
        shown = shared.as_time(deps.now())
    if json:
        shared.print_json(
            {"now": shown, "newest": shared.as_time(newest), "ok": not finding, "finding": finding}
        )
    else:
        shared.say(finding or f"The clock shows {shown}. No later time was ever seen.")
    raise typer.Exit(1 if finding else 0)
