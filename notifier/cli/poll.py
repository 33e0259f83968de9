"""`notifier poll`."""

from typing import Annotated

import typer

from notifier.cli import shared


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("poll")(poll)


def poll(
    wanted: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Ids or addresses; else all.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Ask even those whose time has not come.")
    ] = False,
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Poll the sources that are due and match what is new; nothing is mailed. In a pipe only failures are told."""
    from notifier.pipeline import match
    from notifier.pipeline import poll as poll_step
    from notifier.pipeline.problems import Problems
    from notifier.pipeline.run import to_json

    problems = Problems()
    with shared.open_deps(now) as deps, shared.progress(not json) as progress:
        results = poll_step.run(deps, wanted or (), force=force, progress=progress)
        match.run(deps, problems)
    for problem in problems.lines:
        shared.warn(problem)
    failed = [one for one in results if one.status == "failed"]
    if json:
        shared.print_json(to_json(results))
    elif shared.is_terminal():
        rows = [
            (one.id, one.status, one.entries, one.new, one.changed, one.url, one.error)
            for one in results
        ]
        headings = ("id", "status", "seen", "new", "changed", "address", "error")
        shared.print_table(
            headings, rows, "No source is watched. Add one with: notifier sources add URL"
        )
        if results and all(one.status == "not_due" for one in results):
            shared.say("Nothing is due yet. To ask anyway: notifier poll --force")
    else:
        for one in failed:
            shared.warn(
                f"Source {one.id} {one.url}: {one.error}. To look closer: notifier sources check {one.id}"
            )
    raise typer.Exit(1 if failed or problems.lines else 0)
