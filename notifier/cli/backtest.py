"""`notifier backtest`."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import filters, shared

if TYPE_CHECKING:
    from datetime import date

    from notifier.admin.backtest import Backtest

_DEFAULT_PERIOD = timedelta(days=90)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backtest")(backtest)


def backtest(
    profile: shared.Profile = None,
    since: Annotated[
        str,
        typer.Option(metavar="30d|DATE", help="A period (30d) or the first day. Default: 90d."),
    ] = "",
    every: shared.Cadence = "weekly",
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Show the digests that today's profile would have sent.

    Nothing is stored or sent.
    """
    from notifier.admin import backtest as admin
    from notifier.enums import Cadence

    cadence = shared.member(Cadence, every, "--every")
    with shared.open_deps(now) as deps:
        start = filters.since(since, deps.now()) or deps.now() - _DEFAULT_PERIOD
        result = admin.backtest(deps, profile, since=start, cadence=cadence)
    if json:
        shared.print_json(_to_json(result))
    else:
        _print_digests(result, start.date())


def _to_json(result: "Backtest") -> dict[str, object]:
    digests = [
        {
            "composed_at": shared.as_time(digest.composed_at),
            "item_count": digest.item_count,
            "items": [vars(item) for item in digest.items],
        }
        for digest in result.digests
    ]
    return {"digests": digests, "held": result.held}


def _print_digests(result: "Backtest", since: "date") -> None:
    for digest in result.digests:
        shared.say(
            f"{shared.as_time(digest.composed_at)}: {shared.count(digest.item_count, 'item')}"
        )
        for item in digest.items:
            shared.say(f"    {item.tier:<8} {item.kind:<12} {item.title}")
    items = sum(digest.item_count for digest in result.digests)
    shared.say(
        f"{shared.count(len(result.digests), 'digest')} with {shared.count(items, 'item')} "
        f"since {since}; {shared.count(result.held, 'match', 'es')} held back."
    )
