"""`notifier sources`."""

from typing import Annotated

import typer

from notifier.cli import door

app = door.group("sources", "What is watched, and how it fares.")


@app.command("list")
def list_(json: door.Json = False) -> None:
    """Show every source with its health, its last error and its next poll."""
    from notifier.watch import sources

    with door.opened() as deps, deps.reading() as session:
        rows = [
            {
                "id": one.id,
                "name": one.name,
                "url": one.url,
                "kind": one.kind,
                "authority": one.authority,
                "profiles": [profile.slug for profile in one.profiles],
                "health": sources.health(one),
                "last_error": one.last_error,
                "last_success_at": door.as_time(one.last_success_at),
                "next_poll_at": door.as_time(one.next_poll_at),
                "failures": one.failures,
            }
            for one in sources.listed(session)
        ]
    if json:
        door.print_json(rows)
        return
    shown = ("id", "kind", "health", "name", "url", "last_success_at", "next_poll_at", "last_error")
    door.print_table(
        shown, [[row[key] for key in shown] for row in rows], "No source is watched. Add one: notifier sources add URL"
    )


@app.command("add")
def add(
    url: Annotated[str, typer.Argument(help="The address of a feed, a therapy page or a registry record.")],
    kind: Annotated[str | None, typer.Option(help="feed, page or registry; else told by the address.")] = None,
    name: Annotated[str, typer.Option(help="What readers see; else what the source calls itself.")] = "",
    profile: door.Profile = None,
    authority: Annotated[
        str | None, typer.Option(help="registry, regulator, peer-reviewed, sponsor, news or opinion.")
    ] = None,
    now: door.Now = "",
) -> None:
    """Watch an address. Without --profile it feeds every profile; its first poll is a baseline and mails nothing."""
    from notifier.match import profiles
    from notifier.store.statuses import Authority, SourceKind
    from notifier.watch import sources

    with door.opened(now) as deps, deps.writing() as session:
        source, new = sources.add(
            session,
            url,
            deps.now(),
            kind=door.choice(SourceKind, kind, "--kind"),
            name=name,
            authority=door.choice(Authority, authority, "--authority"),
            profile=profiles.find(session, profile) if profile else None,
        )
        door.say(f"{'Watching' if new else 'Already watched:'} {source.url} ({source.kind}, id {source.id})")


@app.command("remove")
def remove(source: Annotated[str, typer.Argument(metavar="ID-or-URL")], now: door.Now = "") -> None:
    """Stop watching a source; what it published stays on record."""
    from notifier.watch import sources

    with door.opened(now) as deps, deps.writing() as session:
        door.say(f"Removed {sources.remove(session, source, deps.now())}")
