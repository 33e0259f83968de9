"""`notifier deliveries`."""

from typing import Annotated

import typer

from notifier.cli import shared

app = shared.group("deliveries", "Every message owed, and what the mail server said.")


@app.command("list")
def list_(
    status: Annotated[
        str | None, typer.Option(help="pending, sending, sent, failed, uncertain or suppressed.")
    ] = None,
    limit: shared.Limit = None,
    json: shared.Json = False,
) -> None:
    """Show deliveries, newest first; people stand in them by number (see `subscribers list --json`)."""
    from notifier.deliver import outbox
    from notifier.enums import DeliveryStatus

    with shared.open_deps() as deps, deps.reading() as session:
        found, total = outbox.listed(
            session,
            shared.choice(DeliveryStatus, status, "--status"),
            shared.most(limit, json=json),
        )
    rows = [
        {key: shared.as_time(value) if key.endswith("_at") else value for key, value in row.items()}
        for row in found
    ]
    if json:
        shared.print_json(rows)
        return
    shown = (
        "id",
        "digest",
        "subscriber",
        "kind",
        "status",
        "attempts",
        "due_at",
        "sent_at",
        "error",
    )
    shared.print_table(
        shown, [[row[key] for key in shown] for row in rows], "No message was owed yet."
    )
    shared.say_if_cut(len(rows), total)


@app.command("retry")
def retry(now: shared.Now = "") -> None:
    """Make failed and uncertain deliveries due again, with the Message-ID they had; the next run sends them."""
    from notifier.pipeline import deliver

    with shared.open_deps(now) as deps:
        count = deliver.retry_failed(deps)
    shared.say(f"{count} {'delivery is' if count == 1 else 'deliveries are'} due again.")
