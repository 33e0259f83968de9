"""`notifier deliveries`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import filters, shared
from notifier.cli.tables import Column, Kind

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

app = shared.group("deliveries", "Mails to be sent and sent, with the server's answers.")

_COLUMNS = (
    Column("id"),
    Column("digest", drop=1),
    Column("reader", field="subscriber"),
    Column("kind"),
    Column("status"),
    Column("tries", drop=4, field="attempts"),
    Column("due (UTC)", Kind.TIME, 3, "due_at"),
    Column("sent (UTC)", Kind.TIME, 2, "sent_at"),
    Column("error", Kind.TEXT, 1),
)


@app.command("list")
def list_(
    status: Annotated[
        str | None,
        typer.Option(
            metavar="STATUS", help="pending, sending, sent, failed, uncertain or suppressed."
        ),
    ] = None,
    profile: shared.Profile = None,
    since: filters.Since = "",
    limit: shared.Limit = None,
    wide: filters.Wide = False,
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Show deliveries, newest first.

    --since counts from when they were planned. Recipients are shown by their id, not by their
    address; `subscribers list --json` shows both.
    """
    from notifier.deliver.outbox import listing
    from notifier.deliver.outbox import stop as outbox_stop
    from notifier.enums import DeliveryStatus

    wanted = shared.optional_member(DeliveryStatus, status, "--status")
    with shared.open_deps(now) as deps, deps.reading() as session:
        others = filters.profile_id(session, profile), filters.since(since, deps.now())
        stopped_at = outbox_stop.stopped_at(session)
        listed = listing.listed(session, wanted, shared.row_limit(limit, json=json), *others)
        rows = (_to_json(row) for row in listed)
        if json:
            shared.print_json_rows(rows)
        else:
            shown = list(rows)
            empty = "There are no deliveries like that."
            empty = empty if wanted or any(others) else "There are no deliveries."
            shared.print_rows(shown, _COLUMNS, empty, json=False, wide=wide)
            shared.say_if_cut(len(shown), listing.count(session, wanted, *others))
    if stopped_at is not None:
        shared.warn(shared.stopped_note(stopped_at))


@app.command("stop")
def stop(now: shared.Now = "") -> None:
    """Stop all sending at once, in the middle of a digest.

    Another process that sends stops, too. Mails that the mail server has already stay sent. What
    was not sent waits until `resume`.
    """
    from notifier.admin import sending

    with shared.open_deps(now) as deps:
        sending.stop(deps)
    shared.say(
        "Sending is stopped: no further mail starts. What waits: notifier deliveries list "
        "--status pending\nTo go on: notifier deliveries resume"
    )


@app.command("resume")
def resume() -> None:
    """Let mails go out again after `stop`."""
    from notifier.admin import sending

    with shared.open_deps() as deps:
        sending.resume(deps)
    shared.say("Mails go out again with the next `notifier run`.")


Ids = Annotated[
    list[int] | None, typer.Argument(metavar="ID", help="As `deliveries list` shows them.")
]


@app.command("retry")
def retry(
    ids: Ids = None,
    now: shared.Now = "",
) -> None:
    """Make mails due again that did not reach anybody.

    Without an ID: all that were given up or refused, are uncertain, or are put off. The next run
    sends them with the Message-ID they had, so that a mail server can recognise a mail that it has
    already.
    """
    from notifier.pipeline import unsent

    with shared.open_deps(now) as deps:
        count = unsent.retry(deps, ids or ())
    shared.say(f"{_deliveries(count)} due again.")


@app.command("drop")
def drop(
    ids: Annotated[
        list[int], typer.Argument(metavar="ID", help="As `deliveries list` shows them.")
    ],
    now: shared.Now = "",
) -> None:
    """End mails that are not to be sent any more.

    They may wait, be uncertain, or have been given up.
    """
    from notifier.pipeline import unsent

    with shared.open_deps(now) as deps:
        count = unsent.drop(deps, ids)
    shared.say(f"{_deliveries(count)} dropped.")


def _to_json(row: "RowMapping") -> dict[str, Any]:
    return {
        key: shared.as_time(value) if key.endswith("_at") else value for key, value in row.items()
    }


def _deliveries(count: int) -> str:
    return f"{count} {'delivery is' if count == 1 else 'deliveries are'}"
