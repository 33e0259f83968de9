"""`notifier profiles`."""

from pathlib import Path
from typing import Annotated

import typer

from notifier.cli import door

app = door.group("profiles", "The stored therapy profiles.")


@app.command("list")
def list_(json: door.Json = False) -> None:
    """Show the stored profiles."""
    from notifier.match import profiles

    with door.opened() as deps, deps.reading() as session:
        rows = [
            {
                "slug": one.slug,
                "name": one.name,
                "stage": one.stage,
                "stage_as_of": str(one.stage_as_of) if one.stage_as_of else None,
                "terms": len(one.terms),
                "imported_at": door.as_time(one.imported_at),
            }
            for one in profiles.listed(session)
        ]
    if json:
        door.print_json(rows)
        return
    shown = ("slug", "name", "terms", "stage", "stage_as_of")
    door.print_table(shown, [[row[key] for key in shown] for row in rows], "No profile is stored. Try: notifier init")


@app.command("show")
def show(slug: Annotated[str, typer.Argument()], json: door.Json = False) -> None:
    """Show one profile: its facts, its trials and what is looked for."""
    from notifier.match import profiles

    with door.opened() as deps, deps.reading() as session:
        profile = profiles.find(session, slug)
        if json:
            door.print_json(profile.document)
            return
        door.say(f"{profile.name}\n{profile.summary}\n{profile.stage} (as of {profile.stage_as_of})\n")
        for name, value in profiles.facts(profile).items():
            door.say(f"  {name}: {'; '.join(value) if isinstance(value, list) else value}")
        for trial in profile.document.get("trials", []):
            words = ", ".join(
                filter(None, (trial.get("acronym"), f"phase {trial.get('phase', '?')}", trial.get("about")))
            )
            door.say(f"  Trial {trial['id']}: {words}")
        door.say("")
        for term in profile.terms:
            door.say(f"  {term.kind:<11} {', '.join([term.text, *term.also])}")


@app.command("import")
def import_(files: Annotated[list[Path], typer.Argument(metavar="FILE.toml...")], now: door.Now = "") -> None:
    """Store profiles from files, all or none, watch their sources, and file older entries that match."""
    from notifier.adoption import adopt
    from notifier.match import profiles

    read = profiles.read_files(files)
    with door.opened(now) as deps, deps.writing() as session:
        for file in read:
            done = adopt(session, file, deps.now())
            door.say(
                f"Stored {done.slug}: {done.new_sources} new sources to watch, "
                f"{done.older_matches} older entries match and are filed (mailed to nobody)."
            )


@app.command("export")
def export(slug: Annotated[str, typer.Argument()]) -> None:
    """Print a profile as the file that `import` reads."""
    from notifier.match import profiles

    with door.opened() as deps, deps.reading() as session:
        typer.echo(profiles.export(profiles.find(session, slug)), nl=False)
