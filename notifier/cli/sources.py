"""`notifier sources`."""

from pathlib import Path
from typing import Annotated

import typer

from notifier.cli import shared

app = shared.group("sources", "What is watched, and how it fares.")

Wanted = Annotated[
    list[str] | None, typer.Argument(metavar="[ID-or-URL]...", help="Ids or addresses; else all.")
]
_NONE = "No source is watched. Add one with: notifier sources add URL"


@app.command("list")
def list_(json: shared.Json = False, now: shared.Now = "") -> None:
    """Show every source with its health, its last error and its next poll."""
    from notifier.watch import sources
    from notifier.watch.health import health

    with shared.open_deps(now) as deps, deps.reading() as session:
        rows = [
            {
                "id": one.id,
                "name": one.name,
                "url": one.url,
                "kind": one.kind,
                "authority": one.authority,
                "profiles": [profile.slug for profile in one.profiles],
                "health": health(one, deps.now()),
                "last_error": one.last_error,
                "last_success_at": shared.as_time(one.last_success_at),
                "changed_at": shared.as_time(one.changed_at),
                "next_poll_at": shared.as_time(one.next_poll_at),
                "failures": one.failures,
                "left_out": one.left_out,
            }
            for one in sources.listed(session)
        ]
    if json:
        shared.print_json(rows)
        return
    shown = (
        "id",
        "kind",
        "health",
        "name",
        "url",
        "last_success_at",
        "next_poll_at",
        "left_out",
        "last_error",
    )
    shared.print_table(shown, [[row[key] for key in shown] for row in rows], _NONE)


@app.command("add")
def add(
    url: Annotated[
        str, typer.Argument(help="A feed, a site with a feed, a therapy page or a registry record.")
    ],
    kind: Annotated[
        str | None, typer.Option(help="feed, page or registry; else told by the address.")
    ] = None,
    name: Annotated[
        str, typer.Option(help="What readers see; else what the source calls itself.")
    ] = "",
    profile: shared.Profile = None,
    authority: Annotated[
        str | None,
        typer.Option(help="registry, regulator, peer-reviewed, sponsor, news or opinion."),
    ] = None,
    now: shared.Now = "",
) -> None:
    """Watch an address, or the feed behind it; its first poll mails nothing. Without --profile it feeds them all."""
    from notifier.admin.source_check import find_source
    from notifier.enums import Authority, SourceKind
    from notifier.match import profiles
    from notifier.watch import sources

    chosen, tier = (
        shared.choice(SourceKind, kind, "--kind"),
        shared.choice(Authority, authority, "--authority"),
    )
    with shared.open_deps(now) as deps:
        with deps.reading() as session:
            if profile:
                profiles.find(session, profile)
        found = find_source(deps, url, chosen)
        with deps.writing() as session:
            source, new = sources.add(
                session,
                found.url,
                deps.now(),
                kind=found.kind,
                name=name,
                authority=tier,
                profile=profiles.find(session, profile) if profile else None,
            )
            if found.how:
                shared.say(found.how)
            shared.say(
                f"{'Watching' if new else 'Already watched:'} {source.url} ({source.kind}, id {source.id})"
            )
            if found.problem:
                shared.warn(
                    f"It could not be read now: {found.problem}. It is tried again at every poll."
                )


@app.command("remove")
def remove(
    source: Annotated[str, typer.Argument(metavar="ID-or-URL")], now: shared.Now = ""
) -> None:
    """Stop watching a source; what it published stays on record."""
    from notifier.watch import sources

    with shared.open_deps(now) as deps, deps.writing() as session:
        shared.say(f"Removed {sources.remove(session, source, deps.now())}")


@app.command("check")
def check(wanted: Wanted = None, json: shared.Json = False, now: shared.Now = "") -> None:
    """Try sources now, and say what they answer and what to do about it; nothing is stored."""
    from notifier.admin.source_check import check as look
    from notifier.watch import sources

    with shared.open_deps(now) as deps:
        with deps.reading() as session:
            chosen = [sources.find(session, one) for one in wanted or ()] or sources.listed(session)
            named = {one.url: (one.id, one.name) for one in chosen}
        looks = look(deps, [(one.url, one.kind) for one in chosen])
    if json:
        rows = [
            {
                "id": named[one.url][0],
                "url": one.url,
                "kind": one.kind,
                "ok": one.ok,
                "entries": one.entries,
            }
            | {"error": one.error or None, "findings": list(one.lines)}
            for one in looks
        ]
        shared.print_json(rows)
    elif not looks:
        shared.say(_NONE)
    else:
        for one in looks:
            source_id, name = named[one.url]
            shared.say(f"{'ok  ' if one.ok else 'FAIL'} {source_id} {name}: {one.url} ({one.kind})")
            for line in one.lines:
                shared.say(f"       {line}")
    raise typer.Exit(0 if all(one.ok for one in looks) else 1)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.opml", help="As feed readers export it.")],
    profile: shared.Profile = None,
    now: shared.Now = "",
) -> None:
    """Watch every feed of an OPML file; what is watched already stays as it is."""
    from notifier.enums import Authority, SourceKind
    from notifier.match import profiles
    from notifier.watch import opml, sources

    outlines = opml.read(shared.file_bytes(file), str(file))
    with shared.open_deps(now) as deps, deps.writing() as session:
        fed = profiles.find(session, profile) if profile else None
        new = 0
        for one in outlines:
            kind = SourceKind(one.kind) if one.kind in list(SourceKind) else None
            tier = Authority(one.authority) if one.authority in list(Authority) else None
            added = sources.add(
                session, one.url, deps.now(), kind=kind, name=one.name, authority=tier, profile=fed
            )
            new += added[1]
    shared.say(
        f"{len(outlines)} feeds in {file}: {new} are watched from now on, {len(outlines) - new} were already."
    )


@app.command("export")
def export() -> None:
    """Print all sources as OPML, which feed readers and `import` take."""
    from notifier.watch import opml, sources

    with shared.open_deps() as deps, deps.reading() as session:
        shared.print_data(opml.write(sources.listed(session)).decode("utf-8"), shared.XML_NOTATION)
