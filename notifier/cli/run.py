"""`notifier run`."""

from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import shared

if TYPE_CHECKING:
    from notifier.pipeline.run import Report


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(
    once: Annotated[
        bool, typer.Option("--once", help="Do what is due now, then leave (for cron).")
    ] = False,
    now: shared.Now = "",
) -> None:
    """Poll what is due, match, compose what is due, deliver; goes on until stopped, unless --once."""
    from notifier import scheduler
    from notifier.admin import template_check
    from notifier.pipeline.run import failing_canaries, run_once

    with shared.open_deps(now) as deps:
        deps.require_sender()
        if deps.settings.templates.directory is not None:
            template_check.check_templates(deps)
        # Cron mails what a run says: every five minutes the same would teach its reader to delete
        # it.
        if not deps.settings.public_url.startswith("https://") and (
            shared.is_terminal() or not once
        ):
            shared.warn(
                f"Note: public_url is {deps.settings.public_url}; links in mails lead there."
            )
        for failed in failing_canaries(deps):
            shared.warn(f"Canary of {failed}. Import the profile again, or mend its terms.")
        if once:
            report = run_once(deps)
            tell(report)
            raise typer.Exit(1 if report.failed else 0)
        scheduler.run(deps, tell)


def tell(report: "Report") -> None:
    """What a run did, in a line, and what failed with what to do, on standard error."""
    looked = [one for one in report.polled if one.status != "not_due"]
    new = sum(one.new for one in looked)
    changed = sum(one.changed for one in looked)
    shared.say(
        f"Polled {len(looked)} of {len(report.polled)} sources: {new} new, {changed} changed. "
        f"Digests composed: {report.composed}. Mails accepted: {report.sent.accepted}."
    )
    for one in looked:
        if one.error:
            shared.warn(
                f"Source {one.id} {one.url}: {one.error}. It is asked again; see: notifier sources list"
            )
    for problem in report.problems:
        shared.warn(f"{problem} Nothing was lost; the next run tries again.")
    if report.sent.problem:
        shared.warn(f"{report.sent.problem} Nothing was lost: the next run sends what waits.")
    elif report.sent.not_accepted:
        shared.warn(
            f"{report.sent.not_accepted} mails were not accepted; see: notifier deliveries list"
        )
