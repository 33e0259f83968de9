"""`notifier work`."""

from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import logs, shared
from notifier.errors import SettingsError

if TYPE_CHECKING:
    from notifier.deps import Deps


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("work")(work)


def work(
    concurrency: Annotated[
        int,
        typer.Option(
            min=1,
            max=64,
            metavar="N",
            help="Jobs at a time: with two or more, one of them sends mails all the time. For a "
            "second processor core start a second worker.",
        ),
    ] = 2,
    only: Annotated[
        str,
        typer.Option(
            metavar="KINDS", help="Of poll, compose and deliver, with commas. Default: all."
        ),
    ] = "",
) -> None:
    """Work beside others on one PostgreSQL database.

    There may be as many workers as wanted, on as many machines. Each polls, matches, composes and
    delivers what is due. SIGTERM and SIGINT let what is under way
    be finished, and start nothing else.
    """
    from notifier import scheduler, worker
    from notifier.cli.run import check

    kinds = [
        shared.known_word(kind.strip(), worker.KINDS, "--only")
        for kind in (only.split(",") if only else worker.KINDS)
    ]
    with scheduler.stopping() as stop, shared.open_deps() as deps:
        _require_postgresql(deps)
        if not shared.is_terminal():
            logs.tell_what_is_done()
        check(deps, once=False)
        worker.Worker(deps, stop, concurrency, kinds).run()


def _require_postgresql(deps: "Deps") -> None:
    """Refuse SQLite, which has one writer at a time.

    Raises:
        SettingsError: with what to do.
    """
    if deps.engine.dialect.name != "postgresql":
        raise SettingsError(
            "notifier work needs PostgreSQL, and database_url names SQLite.",
            "On SQLite one process does it all: notifier run. For several workers set database_url"
            " to a PostgreSQL database, for example postgresql://name:password@host/notifier.",
        )
