"""`notifier digests`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import filters, shared, texts
from notifier.cli.tables import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from notifier.deliver.outbox.warm_up import Wait
    from notifier.deps import Deps
    from notifier.digest.editing import Edit
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
    """Show one digest: its subject, its text and its items."""
    from notifier.digest import digests, drafts

    with shared.open_deps() as deps, deps.reading() as session:
        digest = digests.find(session, digest_id)
        row = _to_json(session, digest) | {"content": drafts.content_of(digest)}
        text = f"{digest.subject}\n{digest.headline}\n{digest.body_text}"
    if json:
        shared.print_json(row)
        return
    shared.say(text)
    for item in row["items"]:
        shared.say(f"Item {item['match']} ({item['kind']}, {item['tier']}): {item['title']}")
    _say_what_to_do(row)


def _say_what_to_do(row: dict[str, Any]) -> None:
    number, status = row["id"], row["status"]
    if row["ended_because"]:
        shared.say(f"\nThis draft is {status}: {row['ended_because']}.")
    if status not in ("draft", "held"):
        return
    kind = "draft" if status == "draft" else "digest"
    due = f" Its first readers are due at {row['due_at']}." if row["due_at"] else ""
    shared.say(
        f"\nThis {kind} waits for your approval; nobody is sent it before.{due}\n"
        f"To approve what is shown above:\n"
        f"    notifier digests approve {number} --content {row['content']}\n"
        f"To leave an item out:\n"
        f"    notifier digests edit {number} --drop ITEM --because TEXT\n"
        f"To write something above the items:\n"
        f"    notifier digests edit {number} --note TEXT"
    )


@app.command("approve")
def approve(
    digest_id: DigestId,
    content: Annotated[
        str,
        typer.Option(
            "--content", metavar="HEX", help="Approve only what you were shown, by its name."
        ),
    ] = "",
    now: shared.Now = "",
    json: shared.Json = False,
) -> None:
    """Approve a draft, or release a held digest.

    A draft is sent when it is due, at once if it was due before. A held digest is sent by the next
    run to everybody who has not got it yet; news that changed since, as it is now. With --content,
    as the mail about a draft gives it, a draft that was changed since is refused.
    """
    from notifier.admin import review

    with shared.open_deps(now) as deps:
        due_at = review.approve(deps, digest_id, content)
        if json:
            _print_one(deps, digest_id)
            return
        because = review.what_changed(deps, digest_id)
    sent = f"it is sent on {due_at:%Y-%m-%d at %H:%M} UTC" if due_at else ""
    sent = sent or "the next `notifier run` sends it"
    if because:
        sent = f"but {because}: {review.INSTEAD}"
    shared.say(f"Digest {digest_id} is approved; {sent}.")


@app.command("hold")
def hold(digest_id: DigestId, now: shared.Now = "", json: shared.Json = False) -> None:
    """Hold a digest or a draft until it is approved."""
    from notifier.admin import review

    with shared.open_deps(now) as deps:
        review.hold(deps, digest_id)
        if json:
            _print_one(deps, digest_id)
            return
    shared.say(f"Digest {digest_id} is held. To release it: notifier digests approve {digest_id}")


@app.command("edit")
def edit(
    digest_id: DigestId,
    note: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help='A text above the items; "" removes it.'),
    ] = None,
    note_file: Annotated[
        str, typer.Option(metavar="FILE|-", help="A file with it, or - for standard input.")
    ] = "",
    order: Annotated[
        str,
        typer.Option(metavar="ITEM,ITEM", help="The items that come first in their sections."),
    ] = "",
    drop: Annotated[
        list[int] | None,
        typer.Option(metavar="ITEM", help="Leave an item out, here and later; can be repeated."),
    ] = None,
    because: Annotated[str, typer.Option(metavar="TEXT", help="Why; for --drop.")] = "",
    now: shared.Now = "",
    json: shared.Json = False,
) -> None:
    """Change a draft or a held digest that nobody was sent yet.

    Items have the numbers that `digests show ID` gives. A digest has one language: the note is for
    its readers alone. What was approved before must be approved again.
    """
    from notifier.admin import review

    changes = _changes(note, note_file, order, drop or ())
    with shared.open_deps(now) as deps:
        content, status = review.edit(deps, digest_id, changes, because)
        if json:
            _print_one(deps, digest_id)
            return
    shared.say(
        f"Digest {digest_id} is changed; its status is {status}. To approve it as it is now:\n"
        f"    notifier digests approve {digest_id} --content {content}"
    )


def _changes(note: str | None, note_file: str, order: str, dropped: "Sequence[int]") -> "Edit":
    from notifier.digest.editing import Edit
    from notifier.errors import InputError

    if note is not None and note_file:
        raise InputError("A digest has one note.", "Give it either with --note or --note-file.")
    text = texts.text_at(note_file, _LARGEST_NOTE) if note_file else note
    changes = Edit(text, _numbers(order), tuple(dropped))
    if changes == Edit():
        raise InputError(
            "Nothing is to be changed.", "Give --note, --note-file, --order or --drop."
        )
    return changes


def _numbers(text: str) -> tuple[int, ...]:
    from notifier.errors import InputError

    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise InputError(f"--order {text!r} is no list of items.", "Write it like: 12,15")
    return tuple(map(int, parts))


@app.command("drop")
def drop(
    digest_id: DigestId,
    because: shared.Because,
    with_items: Annotated[
        bool, typer.Option("--with-items", help="Keep its items out of all later digests, too.")
    ] = False,
    now: shared.Now = "",
    json: shared.Json = False,
) -> None:
    """Send nothing this time to the readers of a draft.

    Its items go into their next digest, unless --with-items is given.
    """
    from notifier.admin import review

    with shared.open_deps(now) as deps:
        review.drop(deps, digest_id, because, with_items=with_items)
        if json:
            _print_one(deps, digest_id)
            return
    items = "go into no digest" if with_items else "go into the next digest"
    shared.say(f"Draft {digest_id} is dropped: nobody is sent it. Its items {items}.")


def _print_one(deps: "Deps", digest_id: int) -> None:
    from notifier.digest import digests, drafts

    with deps.reading() as session:
        digest = digests.find(session, digest_id)
        shared.print_json(_to_json(session, digest) | {"content": drafts.content_of(digest)})


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
    from notifier.digest import digests, listing

    return {
        "id": digest.id,
        "profile": digest.profile.slug,
        "cadence": digest.cadence,
        "edition": digest.edition,
        "language": digest.language,
        "status": digest.status,
        "subject": digest.subject,
        "composed_at": shared.as_time(digest.composed_at),
        "due_at": shared.as_time(digest.due_at),
        "approved_at": shared.as_time(digest.approved_at or digest.reviewed_at),
        "ended_because": digest.ended_because or None,
        "note": digest.editors_note or None,
        "recipients": digests.recipients(session, digest),
        "item_count": listing.item_count(digest),
        "items": [
            {
                "match": item.match_id,
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
        row["item_count"],
        row["recipients"],
    )


def _status_text(row: dict[str, Any]) -> str:
    number = row["waiting_for_warm_up"]
    if not number:
        return str(row["status"])
    waits = f"{number:,} wait{'s' if number == 1 else ''}"
    return f"{row['status']}; {waits} for warm-up until {row['warm_up_until']}"
