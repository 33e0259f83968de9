"""`notifier profiles`."""

import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import shared

if TYPE_CHECKING:
    from notifier.match.past_entries import Estimate

app = shared.group("profiles", "The stored therapy profiles.")


@app.command("list")
def list_(json: shared.Json = False) -> None:
    """Show the stored profiles."""
    from notifier.match import profiles

    with shared.open_deps() as deps, deps.reading() as session:
        rows = [
            {
                "slug": one.slug,
                "name": one.name,
                "stage": one.stage,
                "stage_as_of": str(one.stage_as_of) if one.stage_as_of else None,
                "terms": len(one.terms),
                "imported_at": shared.as_time(one.imported_at),
            }
            for one in profiles.listed(session)
        ]
    if json:
        shared.print_json(rows)
        return
    shown = ("slug", "name", "terms", "stage", "stage_as_of")
    shared.print_table(
        shown,
        [[row[key] for key in shown] for row in rows],
        "No profile is stored. Try: notifier init",
    )


@app.command("show")
def show(slug: Annotated[str, typer.Argument()], json: shared.Json = False) -> None:
    """Show one profile: its facts, its trials and what is looked for."""
    from notifier.match import profiles

    with shared.open_deps() as deps, deps.reading() as session:
        profile = profiles.find(session, slug)
        if json:
            shared.print_json(profile.document)
            return
        shared.say(
            f"{profile.name}\n{profile.summary}\n{profile.stage} (as of {profile.stage_as_of})\n"
        )
        for name, value in profiles.facts(profile).items():
            shared.say(f"  {name}: {'; '.join(value) if isinstance(value, list) else value}")
        for trial in profile.document.get("trials", []):
            words = ", ".join(
                filter(
                    None,
                    (trial.get("acronym"), f"phase {trial.get('phase', '?')}", trial.get("about")),
                )
            )
            shared.say(f"  Trial {trial['id']}: {words}")
        shared.say("")
        for term in profile.terms:
            shared.say(f"  {term.kind:<11} {', '.join([term.text, *term.also])}")


@app.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE.toml...", help="Files, or slugs of bundled profiles."),
    ],
    past: Annotated[
        str, typer.Option(help="include or file: what becomes of older entries that match now.")
    ] = "file",
    now: shared.Now = "",
) -> None:
    """Store profiles from files, all or none, watch their sources, and match what was seen before."""
    from notifier.admin.profile_import import estimate_matches, import_profile, judge_past
    from notifier.errors import InputError
    from notifier.match import profiles

    if past not in ("include", "file"):
        raise InputError(f"--past {past!r} is not known.", "Choose include or file.")
    read = profiles.read_files(files)
    include = past == "include"
    with shared.open_deps(now) as deps:
        moment = deps.now()
        before = []
        # What takes long, and what asks somebody, comes before the transaction that stores all of
        # them or none.
        for file in read:
            with deps.reading() as session:
                _say_how_much(file.slug, estimate_matches(session, file, moment))
                before.append(judge_past(session, file, moment, include_past=include))
        with deps.writing() as session:
            stored = [
                import_profile(session, file, moment, include_past=include, past=seen)
                for file, seen in zip(read, before, strict=True)
            ]
    fate = "for the next digests" if include else "filed (mailed to nobody)"
    for done in stored:
        shared.say(
            f"Stored {done.slug}: {_count(done.new_sources, 'new source')} to watch, "
            f"{_count(done.older_matches, 'older match', 'es')} {fate}."
        )


def _count(number: int, word: str, ending: str = "s") -> str:
    return f"{number} {word}{'' if number == 1 else ending}"


def _say_how_much(slug: str, found: "Estimate") -> None:
    """Say what a profile would have matched; a broad one is asked about, where somebody is there to answer."""
    if not found.is_meaningful:
        return
    counts = ", ".join(f"{count} {tier}" for tier, count in found.matched.items() if tier != "none")
    shared.say(
        f"{slug} matches, of {found.entries} entries of the last {found.days} days: {counts}."
    )
    if not found.is_broad:
        return
    shared.warn(f"{slug} is broad: {found.share:.0%} of all entries would be mailed.")
    if sys.stdin.isatty():
        typer.confirm("Store it all the same?", abort=True)


@app.command("history")
def history(slug: Annotated[str, typer.Argument()], json: shared.Json = False) -> None:
    """Show when a profile was imported, and what changed each time."""
    from notifier.match import profiles

    with shared.open_deps() as deps, deps.reading() as session:
        found = profiles.history(session, profiles.find(session, slug))
    steps = [
        ["first import"],
        *(profiles.changes(a.document, b.document) for a, b in pairwise(found)),
    ]
    if json:
        shared.print_json(
            [
                {
                    "number": one.number,
                    "imported_at": shared.as_time(one.imported_at),
                    "changes": lines,
                }
                for one, lines in zip(found, steps, strict=True)
            ]
        )
        return
    for one, lines in zip(found, steps, strict=True):
        shared.say(f"{shared.as_time(one.imported_at)}  import {one.number}")
        for line in lines:
            shared.say(f"    {line}")


@app.command("export")
def export(slug: Annotated[str, typer.Argument()]) -> None:
    """Print a profile as the file that `import` reads."""
    from notifier.match import profiles

    with shared.open_deps() as deps, deps.reading() as session:
        shared.print_data(profiles.export(profiles.find(session, slug)), shared.TOML_NOTATION)
