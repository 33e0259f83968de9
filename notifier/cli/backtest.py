"""`notifier backtest`."""

from datetime import timedelta
from typing import Annotated

import typer

from notifier.cli import shared


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backtest")(backtest)


def backtest(
    profile: shared.Profile = None,
    since: Annotated[
        str, typer.Option(metavar="DATE", help="From this day on; else the last 90 days.")
    ] = "",
    every: Annotated[
        str, typer.Option(metavar="CADENCE", help="immediate, daily, weekly or monthly.")
    ] = "weekly",
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Show which digests would have gone out, had the profile been what it is now; nothing is stored or sent."""
    from notifier.admin.backtest import backtest as play
    from notifier.enums import Cadence

    cadence = shared.choice(Cadence, every, "--every")
    with shared.open_deps(now) as deps:
        start = shared.moment(since, "--since") or deps.now() - timedelta(days=90)
        found = play(deps, profile, since=start, cadence=cadence)
    if json:
        shared.print_json(
            {
                "digests": [
                    {
                        "composed_at": shared.as_time(one.composed_at),
                        "items": [vars(item) for item in one.items],
                    }
                    for one in found.digests
                ],
                "held": found.near_misses,
            }
        )
        return
    for one in found.digests:
        shared.say(f"{shared.as_time(one.composed_at)}")
        for item in one.items:
            shared.say(f"    {item.tier:<8} {item.kind:<12} {item.title}")
    items = sum(len(one.items) for one in found.digests)
    shared.say(
        f"{len(found.digests)} digests with {items} items since {start.date()}; {found.near_misses} near misses held back."
    )
