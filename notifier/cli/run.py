"""`notifier run`."""

import logging
from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import logs, shared

if TYPE_CHECKING:
    from threading import Event

    from notifier.deps import Deps
    from notifier.pipeline.run import Report

log = logging.getLogger("notifier")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(
    once: Annotated[
        bool, typer.Option("--once", help="Do what is due now, then exit (for cron).")
    ] = False,
    now: shared.Now = "",
) -> None:
    """Run notifier: poll, match, compose and deliver.

    Runs until it is stopped, unless --once is given. SIGTERM and SIGINT let what is under way be
    finished, within a minute, and start nothing else.
    """
    from notifier import scheduler
    from notifier.pipeline.run import run_once

    with scheduler.stopping() as stop, shared.open_deps(now) as deps:
        check(deps, once=once)
        if not once:
            _run_on(deps, stop)
            return
        report = run_once(deps, stop.is_set)
        print_report(report)
        raise typer.Exit(1 if report.failed and not stop.is_set() else 0)


def _run_on(deps: "Deps", stop: "Event") -> None:
    """Run again and again; at a terminal print what was done, else log it."""
    from notifier import scheduler

    if not shared.is_terminal():
        logs.tell_what_is_done()
    scheduler.run(deps, print_report if shared.is_terminal() else log_report, stop=stop)


def check(deps: "Deps", *, once: bool) -> None:
    """Check the settings before anything is done, and warn of what is likely a mistake.

    Raises:
        SettingsError: the sender is not set, or a template of the operator's own is broken.
    """
    from notifier.admin import template_check
    from notifier.pipeline.run import failing_canaries

    tell = shared.warn if once or shared.is_terminal() else log.warning
    deps.require_sender()
    if deps.settings.templates.directory is not None:
        template_check.check_templates(deps)
    # Not from cron, which mails what a run prints: the same note every five minutes would teach its
    # readers to ignore such mails.
    if not deps.settings.public_url.startswith("https://") and (shared.is_terminal() or not once):
        tell(
            f"Note: public_url is {deps.settings.public_url}; links in mails lead there, "
            "so subscribers must be able to reach it."
        )
    failing = failing_canaries(deps)
    if tell is log.warning and failing:  # the log names no therapy
        log.warning("Canaries fail, %d in number: notifier doctor names them.", len(failing))
        return
    for canary in failing:
        tell(f"Canary of {canary}. Import the profile again, or correct its terms.")


def log_report(report: "Report") -> None:
    """Log what a run did, in numbers and ids: for a service, whose output goes to a journal."""
    polled = [result for result in report.polled if result.status != "not_due"]
    numbers = {
        "polled": len(polled),
        "new": sum(result.new for result in polled),
        "changed": sum(result.changed for result in polled),
        "matched": report.matched,
        "composed": report.composed,
        "accepted": report.sent.accepted,
        "not_accepted": report.sent.not_accepted,
    }
    words = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in numbers.items())
    log.info("run: %s", words, extra={"numbers": numbers})
    for result in polled:
        if result.error:
            log.warning("source %d: %s", result.id, result.error)
    for unreached in report.unreached:  # other problems are in the log already
        log.warning("%s", unreached)
    if report.sent.stopped_at is not None:
        log.warning("%s", shared.stopped_note(report.sent.stopped_at))
    if report.sent.problem:
        log.warning("%s", report.sent.problem)


def print_report(report: "Report") -> None:
    """Print what a run did in one line, and on standard error what failed and what to do."""
    from notifier.enums import PollStatus

    polled = [result for result in report.polled if result.status is not PollStatus.NOT_DUE]
    new = sum(result.new for result in polled)
    changed = sum(result.changed for result in polled)
    shared.say(
        f"Polled {len(polled)} of {len(report.polled)} sources: {new} new, {changed} changed. "
        f"Digests composed: {report.composed}. Mails accepted: {report.sent.accepted}."
    )
    for result in polled:
        if result.error:
            shared.warn(
                f"Source {result.id} {result.url}: {result.error}. "
                "It will be polled again; see: notifier sources list"
            )
    for problem in report.problems:
        shared.warn(f"{problem} Nothing was lost; the next run tries again.")
    for unreached in report.unreached:
        shared.warn(unreached)
    if report.sent.stopped_at is not None:
        shared.warn(shared.stopped_note(report.sent.stopped_at))
    if report.sent.problem:
        shared.warn(f"{report.sent.problem} Nothing was lost; the next run tries again.")
    elif report.sent.not_accepted:
        shared.warn(
            f"{report.sent.not_accepted} mails were not accepted; see: notifier deliveries list"
        )
