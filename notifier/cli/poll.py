"""`notifier poll`."""

from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import progress_bar, shared
from notifier.cli.tables import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.deps import Deps
    from notifier.pipeline.poll import Progress
    from notifier.pipeline.poll_result import PollResult

_COLUMNS = (
    "id",
    "status",
    "seen",
    "new",
    "changed",
    Column("address", Kind.TEXT),
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("poll")(poll)


def poll(
    sources: shared.Sources = None,
    force: Annotated[
        bool, typer.Option("--force", help="Poll sources that are not due, too.")
    ] = False,
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Poll the sources that are due, and match what is new.

    Nothing is mailed. In a pipe, only failures are printed.
    """
    from notifier.enums import PollStatus
    from notifier.pipeline.run import to_json

    with shared.open_deps(now) as deps, progress_bar.progress(not json) as progress:
        results, problems = poll_and_match(deps, sources or (), force=force, progress=progress)
    for problem in problems:
        shared.warn(problem)
    if json:
        shared.print_json(to_json(results))
    else:
        _print_results(results)
    failed = any(result.status is PollStatus.FAILED for result in results)
    raise typer.Exit(1 if failed or problems else 0)


def poll_and_match(
    deps: "Deps",
    references: "Sequence[str]" = (),
    *,
    force: bool = False,
    progress: "Progress | None" = None,
) -> "tuple[list[PollResult], list[str]]":
    """Poll the sources that are due, and match what is new.

    Args:
        deps: the installation.
        references: ids or addresses of sources; empty for all.
        force: poll sources that are not due, too.
        progress: shows how far it is.

    Returns:
        A result for each source, and a sentence for each unexpected error.
    """
    from notifier.pipeline import clock, match
    from notifier.pipeline import poll as poll_step
    from notifier.pipeline.problems import Problems

    problems = Problems()
    with problems.contained("The step clock"):
        clock.run(deps)
    results = poll_step.run(deps, references, force=force, progress=progress)
    match.run(deps, problems)
    return results, problems.lines


def _print_results(results: "Sequence[PollResult]") -> None:
    """Print a table on a terminal; failures on standard error, in a pipe, too."""
    from notifier.enums import PollStatus

    if shared.is_terminal():
        rows = [
            (result.id, result.status, result.entries, result.new, result.changed, result.url)
            for result in results
        ]
        shared.print_table(_COLUMNS, rows, shared.NO_SOURCES)
    for result in results:
        if result.status is PollStatus.FAILED:
            shared.warn(
                f"Source {result.id} {result.url}: {result.error}. "
                f"To examine it: notifier sources check {result.id}"
            )
    if not shared.is_terminal():
        return
    if results and all(result.status is PollStatus.NOT_DUE for result in results):
        shared.say("No source is due yet. To poll all the same: notifier poll --force")
