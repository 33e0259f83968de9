"""`notifier backtest`."""

from datetime import timedelta
from typing import Annotated

import typer

from notifier.cli import door


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backtest")(backtest)


def backtest(
    profile: door.Profile = None,
    since: Annotated[str, typer.Option(metavar="DATE", help="From this day on; else the last 90 days.")] = "",
    every: Annotated[str, typer.Option(metavar="CADENCE", help="immediate, daily, weekly or monthly.")] = "weekly",
    json: door.Json = False,
    now: door.Now = "",
) -> None:
    """Show which digests would have gone out, had the profile been what it is now; nothing is stored or sent."""
    from notifier.admin.backtest import backtest as play
    from notifier.enums import Cadence

    cadence = door.choice(Cadence, every, "--every")
    with door.opened(now) as deps:
        start = door.moment(since, "--since") or deps.now() - timedelta(days=90)
        found = play(deps, profile, since=start, cadence=cadence)
    if json:
        door.print_json(
            {
                "digests": [
                    {"composed_at": door.as_time(one.composed_at), "items": [vars(item) for item in one.items]}
                    for one in found.digests
                ],
                "held": found.held,
            }
        )
        return
    for one in found.digests:
        door.say(f"{door.as_time(one.composed_at)}")
        for item in one.items:
            door.say(f"    {item.tier:<8} {item.kind:<12} {item.title}")
    items = sum(len(one.items) for one in found.digests)
    door.say(
        f"{len(found.digests)} digests with {items} items since {start.date()}; {found.held} near misses held back."
    )
