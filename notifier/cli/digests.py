"""`notifier digests`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import filters, shared, texts
from notifier.cli.tables import Column, Kind

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from notifier.deliver.outbox.warm_up import Wait
    from notifier.store.models import Digest

app = shared.group("digests", "The digests that were composed.")

DigestId = Annotated[int, typer.Argument(metavar="ID", help="As `digests list` shows it.")]

# Bytes of a file that are read for a note.
_LARGEST_NOTE = 100_000

_COLUMNS = (
    Column("id"),
    Column("profile", Kind.TEXT),
    Column("cadence", drop=1),
    Column("status", Kind.TEXT),
    Column("composed (UTC)", Kind.TIME),
    Column("items"),
    Column("recipients"),
)


@app.command("list")
def list_(
    profile: shared.Profile = None,
    since: filters.Since = "",
    limit: shared.Limit = None,
    wide: filters.Wide = False,
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Show digests with their items, newest first.

    --since counts from when they were composed.
    """
    from notifier.deliver.outbox import warm_up
    from notifier.digest import listing

    with shared.open_deps(now) as deps, deps.reading() as session:
        wanted = filters.profile_id(session, profile), filters.since(since, deps.now())
        listed = listing.listed(session, shared.row_limit(limit, json=json), *wanted)
        waiting = warm_up.waiting(session, deps.now())
        rows = (
            _to_json(session, digest) | _warm_up_of(waiting.get(digest.id)) for digest in listed
        )
        if json:
            shared.print_json_rows(rows)
            return
        cells, total = [_cells(row) for row in rows], listing.count(session, *wanted)
    empty = "There is no digest like that." if any(wanted) else "No digest has been composed yet."
    shared.print_table(_COLUMNS, cells, empty, wide=wide)
    shared.say_if_cut(len(cells), total)


def _warm_up_of(wait: "Wait | None") -> dict[str, object]:
    return {
        "waiting_for_warm_up": wait.number if wait else 0,
        "warm_up_until": wait.until.isoformat() if wait else None,
    }


@app.command("show")
def show(digest_id: DigestId, json: shared.Json = False) -> None:
    """Show one digest: its subject, its items and its text."""
    from notifier.digest import digests

    with shared.open_deps() as deps, deps.reading() as session:
        digest = digests.find(session, digest_id)
        if json:
            shared.print_json(_to_json(session, digest))
        else:
            shared.say(f"{digest.subject}\n{digest.headline}\n{digest.body_text}")


@app.command("approve")
def approve(digest_id: DigestId, now: shared.Now = "") -> None:
    """Release a held digest.

    The next run sends it to everybody who has not got it yet.
    """
    from notifier.deliver import outbox
    from notifier.digest import digests

    with shared.open_deps(now) as deps, deps.writing() as session:
        digest = digests.find(session, digest_id)
        approved = digests.approve(digest, deps.now())
        if approved:
            outbox.resume(session, digest, deps.now())
    if not approved:
        shared.fail(f"Digest {digest_id} is not held: nothing was changed.")
    shared.say(f"Digest {digest_id} is approved; the next `notifier run` sends it.")


@app.command("hold")
def hold(digest_id: DigestId) -> None:
    """Stop sending a digest until it is approved."""
    from notifier.digest import digests

    with shared.open_deps() as deps, deps.writing() as session:
        held = digests.hold(digests.find(session, digest_id))
    if not held:
        shared.fail(f"Digest {digest_id} is not being sent: nothing was changed.")
    shared.say(f"Digest {digest_id} is held. To release it: notifier digests approve {digest_id}")


@app.command("note")
def note(
    digest_id: DigestId,
    text: Annotated[str, typer.Option(metavar="TEXT", help="The text of the note.")] = "",
    file: Annotated[
        str, typer.Option(metavar="FILE|-", help="A file with the text, or - for standard input.")
    ] = "",
    now: shared.Now = "",
) -> None:
    """Send a note to exactly those who got a digest.

    It tells them of an error in it, for instance. An empty line begins a new paragraph. The frame
    is in the language of each reader. Given again, the same note goes only to those who got the
    digest since.
    """
    from notifier.admin.digest_note import send_note
    from notifier.errors import InputError

    if bool(text) == bool(file):
        raise InputError("A note needs one text.", "Give it either with --text or with --file.")
    words = text or texts.text_at(file, _LARGEST_NOTE)
    with shared.open_deps(now) as deps:
        number = send_note(deps, digest_id, words)
    if not number:
        shared.fail("Nobody who got this digest lacks this note: nothing was changed.")
    mails = "1 mail is" if number == 1 else f"{number} mails are"
    shared.say(f"{mails} enqueued; the next `notifier run` sends the note.")


def _to_json(session: "Session", digest: "Digest") -> dict[str, Any]:
    from notifier.digest import digests

    return {
        "id": digest.id,
        "profile": digest.profile.slug,
        "cadence": digest.cadence,
        "status": digest.status,
        "subject": digest.subject,
        "composed_at": shared.as_time(digest.composed_at),
        "recipients": digests.recipients(session, digest),
        "items": [
            {
                "kind": item.kind,
                "tier": item.match.tier,
                "title": item.revision.title,
                "url": item.match.entry.url,
                "reasons": item.match.reasons,
            }
            for item in digest.items
        ],
    }


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    return (
        row["id"],
        row["profile"],
        row["cadence"],
        _status_text(row),
        row["composed_at"],
        len(row["items"]),
        row["recipients"],
    )


def _status_text(row: dict[str, Any]) -> str:
    number = row["waiting_for_warm_up"]
    if not number:
        return str(row["status"])
    waits = f"{number:,} wait{'s' if number == 1 else ''}"
    return f"{row['status']}; {waits} for warm-up until {row['warm_up_until']}"
