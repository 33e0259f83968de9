"""`notifier db restore` and `notifier db resume`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import shared
from notifier.text.cleaning import one_printable_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.admin.restore import Restored
    from notifier.digest.decisions import Waiting
    from notifier.pipeline.resume import Prepared

# Items of a digest that are shown, and characters of a title.
_TITLES, _TITLE = 5, 70


def register(app: typer.Typer) -> None:
    """Add the commands to the group `db`."""
    app.command("restore")(restore)
    app.command("resume")(resume)


def restore(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A file that `notifier db backup` wrote.")
    ],
    journal: Annotated[
        list[Path] | None,
        typer.Option(
            "--journal", metavar="PATH", help="A further journal of departures, of another machine."
        ),
    ] = None,
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Put a backup in the place of the database.

    What it replaces is kept. Who left, was erased or suppressed after the backup stays so, by the
    journal of departures. Nothing is composed or sent until `notifier db resume`.
    """
    from notifier.admin import restore as restores
    from notifier.settings import load

    settings = load(None)
    result = restores.restore(settings, file, shared.moment(now), journal or ())
    journals = [settings.backup.journal_file, *(journal or ())]
    if json:
        shared.print_json(_to_json(result))
    else:
        _describe(file, result)
    if not result.is_complete:
        shared.warn(_incomplete(result, [each for each in journals if each]))


def _to_json(result: "Restored") -> dict[str, object]:
    return {
        "subscriptions": result.contents.subscriptions,
        "since": shared.as_time(result.since),
        "kept": result.kept,
        "left": result.repeated.left,
        "erased": result.repeated.erased,
        "suppressed": result.repeated.suppressed,
        "moved": [*result.repeated.moved],
        "returned": result.repeated.returned,
        "journal_begins_at": shared.as_time(result.journal_begins_at),
        "unreadable_lines": result.unreadable,
        "replaced_was_read": result.replaced_was_read,
        "complete": result.is_complete,
    }


def _describe(file: Path, result: "Restored") -> None:
    number = shared.count(result.contents.subscriptions, "subscription")
    shared.say(f"Restored {file}: {number}, as of {shared.as_time(result.since)}.")
    if result.kept:
        shared.say(f"What it replaced is kept: {result.kept}")
    repeated = result.repeated
    if repeated.left or repeated.erased or repeated.suppressed:
        shared.say(
            f"Since then {shared.count(repeated.left, 'subscription')} ended, {repeated.erased} "
            f"were erased and {repeated.suppressed} suppressed. They stay so."
        )
    elif result.is_complete:
        shared.say("Since then nobody left, was erased or was suppressed.")
    if repeated.moved:
        ids = ", ".join(str(each) for each in repeated.moved)
        shared.say(
            "These people changed their address since then, and the backup has the old one. They "
            f"are paused; see `notifier subscribers list`: {ids}"
        )
    if repeated.returned:
        shared.say(
            f"{shared.count(repeated.returned, 'subscription')} ran again since then and stay "
            "ended: their owners can sign up again."
        )
    shared.say("Nothing is composed or sent now. To go on: notifier db resume")


def _incomplete(result: "Restored", journals: list[Path]) -> str:
    names = ", ".join(str(each) for each in journals) or "none is set"
    begins_at = result.journal_begins_at
    if begins_at is None:
        problem = f"Warning: there is no journal of departures ({names})"
    elif begins_at > result.since:
        problem = f"Warning: the journal of departures begins at {shared.as_time(begins_at)} only"
    else:
        lines = shared.count(result.unreadable, "line")
        problem = f"Warning: {lines} of the journal of departures cannot be read ({names})"
    return (
        f"{problem}, and the replaced database was not read either. Who left since "
        f"{shared.as_time(result.since)} may not be known. If you have the journal elsewhere, "
        "restore again with --journal PATH."
    )


def resume(
    send: Annotated[
        bool, typer.Option("--send", help="What is listed goes out: readers may get it twice.")
    ] = False,
    skip: Annotated[
        bool, typer.Option("--skip", help="It does not go out: the readers have it already.")
    ] = False,
    digest: Annotated[
        list[int] | None,
        typer.Option("--digest", metavar="ID", help="Decide on this digest only, as listed."),
    ] = None,
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Go on after a restore: decide which digests are sent.

    Polls the sources and composes what is due. Where the replaced database can be read, nobody gets
    what it has sent. The rest is listed, and waits for --send or --skip. When everything is
    decided, mails go out with the next run.
    """
    from notifier.pipeline import resume as resuming

    if send and skip:
        raise typer.BadParameter("Give --send or --skip, not both.")
    if digest and not (send or skip):
        raise typer.BadParameter("Give --send or --skip with --digest.")
    with shared.open_deps(now) as deps:
        prepared = resuming.prepare(deps)
        if prepared is None:
            shared.fail("No restore waits for a decision: nothing was changed.")
        if send or skip:
            resuming.decide(deps, prepared.restore, send=send, only=digest)
        waiting = resuming.waiting(deps, prepared.restore)
        # What the replaced database sent of a source is known only when the source is polled.
        stays = bool(waiting) or (bool(prepared.failed) and not (send or skip))
        ended = None if stays else resuming.end(deps, prepared.restore)
    if json:
        shared.print_json(_state_json(prepared, waiting, resumed=ended is not None))
    else:
        _report(prepared, waiting, ended)
    for problem in prepared.problems:
        shared.warn(problem)
    if stays or prepared.problems:
        raise typer.Exit(1)


def _state_json(
    prepared: "Prepared", waiting: "Sequence[Waiting]", *, resumed: bool
) -> dict[str, object]:
    return {
        "replaced_was_read": prepared.evidence,
        "already_sent": prepared.already_sent,
        "failed_sources": [*prepared.failed],
        "resumed": resumed,
        "digests": [_waiting_json(each) for each in waiting],
    }


def _waiting_json(waiting: "Waiting") -> dict[str, object]:
    return {
        "id": waiting.digest_id,
        "profile": waiting.profile,
        "cadence": waiting.cadence,
        "due_at": shared.as_time(waiting.due_at),
        "recipients": waiting.recipients,
        "items": [*waiting.titles],
    }


def _report(prepared: "Prepared", waiting: "Sequence[Waiting]", ended: str | None) -> None:
    if prepared.evidence:
        shared.say("The replaced database was read: nobody gets again what it had sent.")
        if prepared.already_sent:
            number = shared.count(prepared.already_sent, "mail")
            shared.say(f"It had sent {number} that waited when the backup was made.")
    elif waiting:
        shared.say("The replaced database cannot be read: nobody knows what it had sent.")
    if ended is not None:
        shared.say("Everything is decided: mails go out with the next `notifier run`.")
        if ended:
            shared.say(ended)
        return
    if prepared.failed:
        shared.say("These sources failed; what they published may go out again when they work:")
        for url in prepared.failed:
            shared.say(f"    {one_printable_line(url)}")
        shared.say("Try again later, or go on without them: --send or --skip\n")
    if not waiting:
        return
    since = shared.as_time(prepared.restore.since)
    shared.say(f"Due since the backup ({since}), or now:\n")
    for each in waiting:
        titles = [one_printable_line(title)[:_TITLE] for title in each.titles[:_TITLES]]
        more = len(each.titles) - len(titles)
        shared.say(
            f"digest {each.digest_id}: {each.profile}, {each.cadence}, "
            f"due {each.due_at:%Y-%m-%d %H:%M} UTC, {shared.count(each.recipients, 'reader')}"
        )
        for title in titles:
            shared.say(f"    {title}")
        if more:
            shared.say(f"    and {more} more")
    shared.say(
        "\nThe readers have it already:   notifier db resume --skip"
        "\nRather twice than not at all:  notifier db resume --send"
        "\nOne after the other:           add --digest ID"
    )
