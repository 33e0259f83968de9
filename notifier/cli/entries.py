"""`notifier entries`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import shared

if TYPE_CHECKING:
    from notifier.store.models import Entry

app = shared.group("entries", "What the sources published.")


@app.command("list")
def list_(json: shared.Json = False) -> None:
    """Show every entry that was seen, newest first."""
    from notifier.watch import entries

    with shared.open_deps() as deps, deps.reading() as session:
        rows = [_row(entry, count) for entry, count in entries.listed(session)]
    if json:
        shared.print_json(rows)
        return
    shown = ("id", "source", "published_at", "revisions", "title", "url")
    shared.print_table(
        shown,
        [[row[key] for key in shown] for row in rows],
        "Nothing was seen yet. Try: notifier poll",
    )


@app.command("show")
def show(entry_id: Annotated[int, typer.Argument(metavar="ID")], json: shared.Json = False) -> None:
    """Show one entry with every revision of it and what changed in each."""
    from notifier.watch import entries

    with shared.open_deps() as deps, deps.reading() as session:
        entry = entries.find(session, entry_id)
        document = {
            **_row(entry, len(entry.revisions)),
            "history": [_revision(one) for one in entry.revisions],
        }
    if json:
        shared.print_json(document)
        return
    shared.say(f"{document['title']}\n{document['url']}\n")
    for one in document["history"]:
        weight = "" if one["material"] else ", cosmetic"
        as_of = f", data as of {one['as_of']}" if one["as_of"] else ""
        shared.say(f"{one['observed_at']}  revision {one['number']}: {one['kind']}{weight}{as_of}")
        for change in one["changes"]:
            note = f"  ({change['note']})" if change.get("note") else ""
            shared.say(f"    {change['what']}: {change['before']!r} -> {change['after']!r}{note}")


def _row(entry: "Entry", revisions: int) -> dict[str, Any]:
    return {
        "id": entry.id,
        "source": entry.source_id,
        "key": entry.key,
        "url": entry.url,
        "title": entry.title,
        "published_at": shared.as_time(entry.published_at),
        "first_seen_at": shared.as_time(entry.first_seen_at),
        "revisions": revisions,
    }


def _revision(one: Any) -> dict[str, Any]:
    return {
        "number": one.number,
        "kind": one.kind,
        "material": one.material,
        "observed_at": shared.as_time(one.observed_at),
        "as_of": shared.as_time(one.as_of),
        "title": one.title,
        "summary": one.summary,
        "changes": one.changes,
    }
