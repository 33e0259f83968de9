"""`notifier entries`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import filters, shared
from notifier.cli.tables import Column, Kind

if TYPE_CHECKING:
    from notifier.store.models import Entry, Revision

app = shared.group("entries", "What the sources published.")

_COLUMNS = (
    Column("id"),
    Column("source"),
    Column("published", Kind.DAY, 1, "published_at"),
    Column("revisions", drop=2),
    Column("title", Kind.TEXT),
    Column("host", Kind.HOST, field="url"),
)
_NO_ENTRIES = "There are no entries yet. Try: notifier poll"


@app.command("list")
def list_(
    source: filters.Source = None,
    since: filters.Since = "",
    limit: shared.Limit = None,
    wide: filters.Wide = False,
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Show entries, newest first.

    --since counts from when they were first seen.
    """
    from notifier.watch import entries

    with shared.open_deps(now) as deps, deps.reading() as session:
        wanted = filters.source_id(session, source), filters.since(since, deps.now())
        listed = entries.listed(session, shared.row_limit(limit, json=json), *wanted)
        rows = (_to_json(entry, revisions) for entry, revisions in listed)
        if json:
            shared.print_json_rows(rows)
            return
        shown, total = list(rows), entries.count(session, *wanted)
    empty = "There are no entries like that." if any(wanted) else _NO_ENTRIES
    shared.print_rows(shown, _COLUMNS, empty, json=False, wide=wide)
    shared.say_if_cut(len(shown), total)


@app.command("show")
def show(
    entry_id: Annotated[int, typer.Argument(metavar="ID", help="As `entries list` shows it.")],
    json: shared.Json = False,
) -> None:
    """Show one entry with its revisions, and what changed in each."""
    from notifier.watch import entries

    with shared.open_deps() as deps, deps.reading() as session:
        entry = entries.find(session, entry_id)
        document = _to_json(entry, len(entry.revisions))
        document["history"] = [_revision_to_json(revision) for revision in entry.revisions]
    if json:
        shared.print_json(document)
        return
    shared.say(f"{document['title']}\n{document['url']}\n")
    for revision in document["history"]:
        _print_revision(revision)


def _print_revision(revision: dict[str, Any]) -> None:
    weight = "" if revision["material"] else ", cosmetic"
    as_of = f", data as of {revision['as_of']}" if revision["as_of"] else ""
    head = f"{revision['observed_at']}  revision {revision['number']}: {revision['kind']}"
    shared.say(f"{head}{weight}{as_of}")
    for change in revision["changes"]:
        note = f"  ({change['note']})" if change.get("note") else ""
        shared.say(f"    {change['what']}: {change['before']!r} -> {change['after']!r}{note}")


def _to_json(entry: "Entry", revisions: int) -> dict[str, Any]:
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


def _revision_to_json(revision: "Revision") -> dict[str, Any]:
    return {
        "number": revision.number,
        "kind": revision.kind,
        "material": revision.material,
        "observed_at": shared.as_time(revision.observed_at),
        "as_of": shared.as_time(revision.as_of),
        "title": revision.title,
        "summary": revision.summary,
        "changes": revision.changes,
    }
