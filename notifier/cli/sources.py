"""`notifier sources`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import filters, shared, tables
from notifier.cli.tables import Column

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from notifier.admin.source_check import FoundSource, SourceCheck
    from notifier.deps import Deps
    from notifier.store.models import Profile, Source
    from notifier.watch.opml import Outline

app = shared.group("sources", "The addresses that are watched, and their health.")

# Addresses that a sentence names. Chosen by hand; not measured.
_MOST_NAMED = 3

Reference = Annotated[str, typer.Argument(metavar="SOURCE", help="The source's id or address.")]
Url = Annotated[
    str,
    typer.Argument(
        metavar="URL", help="A feed, a site with a feed, a therapy page or a registry record."
    ),
]
Kind = Annotated[
    str | None,
    typer.Option(
        metavar="KIND", help="feed, page or registry. Default: recognised from the address."
    ),
]
Name = Annotated[
    str,
    typer.Option(metavar="NAME", help="The name readers see. Default: the source's own title."),
]
Authority = Annotated[
    str | None,
    typer.Option(
        metavar="AUTHORITY",
        help="registry, regulator, peer-reviewed, sponsor, news or opinion.",
    ),
]

NewName = Annotated[str | None, typer.Option(metavar="NAME", help="The name that readers see.")]
NewUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="The new address of the same source.")
]
NewProfiles = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SLUG",
        help="The profile that it is for, instead of the present ones; may be given more than "
        'once. "" means every profile.',
    ),
]
Anyway = Annotated[bool, typer.Option("--anyway", help="Watch it, even if it cannot be read now.")]

_COLUMNS = (
    Column("id"),
    Column("kind", drop=3),
    Column("health"),
    Column("name", tables.Kind.TEXT),
    Column("host", tables.Kind.HOST, field="url"),
    Column("read (UTC)", tables.Kind.TIME, 2, "last_success_at"),
    Column("next poll (UTC)", tables.Kind.TIME, 5, "next_poll_at"),
    Column("left out", drop=4, field="left_out"),
    Column("paused (UTC)", tables.Kind.TIME, 6, "paused_at"),
    Column("error", tables.Kind.TEXT, 1, "last_error"),
)


@app.command("list")
def list_(
    profile: shared.Profile = None,
    limit: shared.Limit = None,
    wide: filters.Wide = False,
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Show every source with its health, last error and next poll.

    With --profile: those that are watched for this profile, or for all.
    """
    from notifier.match import held, profiles
    from notifier.watch import source_lists, sources

    with shared.open_deps(now) as deps, deps.reading() as session:
        waiting = held.counts_by_source(session)
        stored = profiles.find(session, profile) if profile else None
        watched = source_lists.of_profile(session, stored) if stored else sources.listed(session)
        rows = [
            {**_to_json(source, deps.now()), "held": waiting.get(source.id, 0)}
            for source in (watched[-limit:] if limit else watched)
        ]
    shared.print_rows(rows, _COLUMNS, shared.NO_SOURCES, json=json, wide=wide)
    shared.say_if_cut(len(rows), len(watched))
    if waiting and not json:
        number = shared.count(sum(waiting.values()), "held match", "es")
        shared.say(f"\n{number} for you to decide on: notifier matches list --held")


@app.command("add")
def add(
    url: Url,
    kind: Kind = None,
    name: Name = "",
    profile: shared.Profile = None,
    authority: Authority = None,
    anyway: Anyway = False,
    now: shared.Now = "",
) -> None:
    """Watch an address, or the feed that it links to.

    What it published before its first poll is mailed to nobody. Without --profile the source is
    matched against every profile. An address that cannot be read now is not watched, unless
    --anyway is given.
    """
    from notifier.admin.source_check import find_source
    from notifier.enums import Authority, SourceKind
    from notifier.match import profiles
    from notifier.watch import sources

    wanted_kind = shared.optional_member(SourceKind, kind, "--kind")
    wanted_authority = shared.optional_member(Authority, authority, "--authority")
    with shared.open_deps(now) as deps:
        with deps.reading() as session:
            if profile:
                profiles.find(session, profile)  # refused before the address is requested
        address = find_source(deps, url, wanted_kind)
        if address.problem and not anyway:
            _refuse_unreadable(deps, address)
        with deps.writing() as session:
            source, is_new = sources.add(
                session,
                address.url,
                deps.now(),
                kind=address.kind,
                name=name,
                authority=wanted_authority,
                profile=profiles.find(session, profile) if profile else None,
            )
            text = f"{source.url} ({source.kind}, id {source.id})"
    if address.how:
        shared.say(address.how)
    shared.say(f"{'Watching' if is_new else 'Already watched:'} {text}")
    if address.problem:
        shared.warn(f"It cannot be read now: {address.problem}. Every poll tries again.")


@app.command("edit")
def edit(
    source: Reference,
    name: NewName = None,
    url: NewUrl = None,
    authority: Authority = None,
    profile: NewProfiles = None,
    now: shared.Now = "",
) -> None:
    """Change a source: its name, address, tier or profile.

    What is not named stays, and so do its entries. A new address is read with the next poll as the
    same source: what it published and nobody was sent is news.
    """
    from notifier.admin.source_check import refuse_private
    from notifier.enums import Authority
    from notifier.errors import InputError
    from notifier.match import profiles
    from notifier.watch import edited_sources, sources

    wanted_authority = shared.optional_member(Authority, authority, "--authority")
    if url is None and name is None and authority is None and profile is None:
        raise InputError(
            "Nothing was named that should change.",
            "Give --name, --url, --authority or --profile.",
        )
    with shared.open_deps(now) as deps, deps.writing() as session:
        if url is not None:
            refuse_private(deps, url)
        slugs = None if profile is None else [slug for slug in profile if slug]
        stored = sources.find(session, source)
        changed = edited_sources.edit(
            session,
            stored,
            deps.now(),
            url=url,
            name=name,
            authority=wanted_authority,
            profiles=None if slugs is None else [profiles.find(session, slug) for slug in slugs],
        )
        text = f"source {stored.id}, {stored.name}: {stored.url}"
    shared.say(f"Changed {', '.join(changed)} of {text}" if changed else f"No change of {text}")


def _refuse_unreadable(deps: "Deps", address: "FoundSource") -> None:
    """Refuse an address that cannot be read now, unless it is watched already.

    Raises:
        NotifierError: with the reason.
    """
    from notifier.errors import NotFoundError, NotifierError
    from notifier.watch import sources

    with deps.reading() as session:
        try:
            sources.find(session, address.url)
        except NotFoundError:
            raise NotifierError(
                f"{address.url} cannot be read now: {address.problem}. It is not watched.",
                "Check the spelling; to watch it all the same, add --anyway.",
            ) from None


@app.command("remove")
def remove(source: Reference, now: shared.Now = "") -> None:
    """Stop watching a source; what it published is kept."""
    from notifier.watch import sources

    with shared.open_deps(now) as deps, deps.writing() as session:
        removed = sources.remove(session, source, deps.now())
    shared.say(f"Removed {removed}")


@app.command("pause")
def pause(source: Reference, now: shared.Now = "") -> None:
    """Let a source rest: it is not polled, and alarms nobody."""
    from notifier.watch import edited_sources, sources

    with shared.open_deps(now) as deps, deps.writing() as session:
        stored = sources.find(session, source)
        is_new = edited_sources.pause(stored, deps.now())
        text = f"source {stored.id}, {stored.name}: {stored.url}"
    shared.say(f"Paused {text}" if is_new else f"Paused already: {text}")


@app.command("resume")
def resume(source: Reference, now: shared.Now = "") -> None:
    """Poll a paused source again, with the next poll."""
    from notifier.watch import edited_sources, sources

    with shared.open_deps(now) as deps, deps.writing() as session:
        stored = sources.find(session, source)
        is_new = edited_sources.go_on(stored, deps.now())
        text = f"source {stored.id}, {stored.name}: {stored.url}"
    shared.say(f"Polling again {text}" if is_new else f"Not paused: {text}")


@app.command("check")
def check(sources: shared.Sources = None, json: shared.Json = False, now: shared.Now = "") -> None:
    """Request sources now, and say what to do about problems.

    Nothing is stored. The exit code is 1 if a source cannot be read.
    """
    from notifier.admin import source_check
    from notifier.watch import sources as watched

    with shared.open_deps(now) as deps:
        with deps.reading() as session:
            stored = [watched.find(session, reference) for reference in sources or ()]
            stored = stored or [*watched.listed(session)]
            labels = {source.url: (source.id, source.name) for source in stored}
            addresses = [(source.url, source.kind) for source in stored]
        results = source_check.check(deps, addresses)
    if json:
        shared.print_json([_check_to_json(result, labels[result.url][0]) for result in results])
    else:
        _print_checks(results, labels)
    raise typer.Exit(0 if all(result.ok for result in results) else 1)


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.opml", help="A list that a feed reader exported.")
    ],
    profile: shared.Profile = None,
    now: shared.Now = "",
) -> None:
    """Watch every feed of an OPML file.

    Sources that are watched already are not changed. Without --profile the sources are matched
    against every profile. Addresses of private networks are left out (exit code 1), unless the
    setting watch.allow_private_addresses allows them.
    """
    from notifier.admin.source_check import private_among
    from notifier.match import profiles
    from notifier.watch import opml

    outlines = opml.read(shared.file_bytes(file), str(file))
    with shared.open_deps(now) as deps:
        private = private_among(deps, [outline.url for outline in outlines])
        outlines = [outline for outline in outlines if outline.url not in private]
        with deps.writing() as session:
            stored = profiles.find(session, profile) if profile else None
            new = sum(_add_outline(session, outline, stored, deps.now()) for outline in outlines)
    shared.say(
        f"{shared.count(len(outlines), 'feed')} in {file}: {new} are watched from now on, "
        f"{len(outlines) - new} were watched already."
    )
    if private:
        _fail_for_private(private)


@app.command("export")
def export() -> None:
    """Print all sources as OPML, for feed readers and `import`."""
    from notifier.watch import opml, sources

    with shared.open_deps() as deps, deps.reading() as session:
        shared.print_data(opml.write(sources.listed(session)).decode("utf-8"), shared.XML_NOTATION)


def _fail_for_private(urls: "Sequence[str]") -> None:
    named = ", ".join(urls[:_MOST_NAMED])
    more = f" and {len(urls) - _MOST_NAMED} more" if len(urls) > _MOST_NAMED else ""
    shared.fail(
        f"Error: {named}{more}: not watched, because only public addresses are.\n"
        "  For an intranet set watch.allow_private_addresses to true."
    )


def _add_outline(
    session: "Session", outline: "Outline", profile: "Profile | None", now: "datetime"
) -> bool:
    """Watch the feed of an OPML outline; return whether it was not watched before.

    Kind and authority count if notifier knows the word: other programs use their own.
    """
    from notifier.enums import Authority, SourceKind
    from notifier.watch import sources

    kind = SourceKind(outline.kind) if outline.kind in [*SourceKind] else None
    authority = Authority(outline.authority) if outline.authority in [*Authority] else None
    _, is_new = sources.add(
        session,
        outline.url,
        now,
        kind=kind,
        name=outline.name,
        authority=authority,
        profile=profile,
    )
    return is_new


def _to_json(source: "Source", now: "datetime") -> dict[str, Any]:
    from notifier.watch.health import health

    return {
        "id": source.id,
        "name": source.name,
        "url": source.url,
        "kind": source.kind,
        "authority": source.authority,
        "profiles": [profile.slug for profile in source.profiles],
        "health": health(source, now),
        "last_error": source.last_error,
        "last_success_at": shared.as_time(source.last_success_at),
        "changed_at": shared.as_time(source.changed_at),
        "next_poll_at": shared.as_time(source.next_poll_at),
        "failures": source.failures,
        "left_out": source.left_out,
        "paused": source.paused_at is not None,
        "paused_at": shared.as_time(source.paused_at),
    }


def _check_to_json(result: "SourceCheck", source_id: int) -> dict[str, Any]:
    return {
        "id": source_id,
        "url": result.url,
        "kind": result.kind,
        "ok": result.ok,
        "entries": result.entries,
        "error": result.error or None,
        "findings": list(result.lines),
    }


def _print_checks(results: "Sequence[SourceCheck]", labels: dict[str, tuple[int, str]]) -> None:
    """Print the result of each check; `labels` are id and name of a source by its address."""
    if not results:
        shared.say(shared.NO_SOURCES)
    for result in results:
        source_id, name = labels[result.url]
        verdict = "ok  " if result.ok else "FAIL"
        shared.say(f"{verdict} {source_id} {name}: {result.url} ({result.kind})")
        for line in result.lines:
            shared.say(f"       {line}")
