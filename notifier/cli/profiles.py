"""`notifier profiles`."""

import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import filters, progress_bar, shared
from notifier.cli.tables import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from notifier.admin.profile_import import ImportResult
    from notifier.deps import Deps
    from notifier.errors import InputError
    from notifier.match.past_entries import Estimate
    from notifier.match.profile_file import ProfileFile
    from notifier.match.profiles import Summary
    from notifier.store.models import Profile, ProfileRevision

_PAST = ("include", "file")
Past = Annotated[
    str,
    typer.Option(
        metavar="include|file",
        help="What happens to older entries that match now: include them in the next digests, "
        "or file them, which mails them to nobody.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before subscriptions end.")]
_COLUMNS = (
    Column("slug"),
    Column("name", Kind.TEXT),
    Column("terms", drop=1),
    Column("stage", Kind.TEXT),
    Column("as of", Kind.DAY, 2, "stage_as_of"),
)

app = shared.group("profiles", "The stored therapy profiles.")


@app.command("list")
def list_(
    limit: shared.Limit = None, wide: filters.Wide = False, json: shared.Json = False
) -> None:
    """Show the stored profiles."""
    from notifier.match import profiles

    with shared.open_deps() as deps, deps.reading() as session:
        stored = profiles.summaries(session, shared.row_limit(limit, json=json))
        rows, total = [_to_json(profile) for profile in stored], profiles.number_stored(session)
    empty = "No profile is stored. Try: notifier init"
    shared.print_rows(rows, _COLUMNS, empty, json=json, wide=wide)
    shared.say_if_cut(len(rows), total)


@app.command("show")
def show(slug: shared.Slug, json: shared.Json = False) -> None:
    """Show one profile: its facts, its trials and its terms."""
    from notifier.match import profiles

    with shared.open_deps() as deps, deps.reading() as session:
        profile = profiles.find(session, slug)
        if json:
            shared.print_json(profile.document)
        else:
            _print_profile(profile)


@app.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE.toml", help="Files, or slugs of bundled profiles."),
    ],
    past: Past = "file",
    now: shared.Now = "",
) -> None:
    """Store profiles from files: all of them or none.

    Their sources are watched from then on, and what was seen before is matched again.
    """
    from notifier.match import profiles

    include = shared.known_word(past, _PAST, "--past") == "include"
    read = profiles.read_files(files)
    with shared.open_deps(now) as deps:
        stored = _import_all(deps, read, deps.now(), include_past=include)
    _say_stored(stored, include=include)


def _say_stored(stored: "Sequence[ImportResult]", *, include: bool) -> None:
    fate = "for the next digests" if include else "filed (mailed to nobody)"
    for result in stored:
        shared.say(
            f"Stored {result.slug}: {shared.count(result.new_sources, 'new source')} to watch, "
            f"{shared.count(result.older_matches, 'older match', 'es')} {fate}."
        )


@app.command("history")
def history(slug: shared.Slug, json: shared.Json = False) -> None:
    """Show when a profile was imported, and what changed each time."""
    from notifier.match import profiles

    with shared.open_deps() as deps, deps.reading() as session:
        rows = _history_to_json(profiles.history(session, profiles.find(session, slug)))
    if json:
        shared.print_json(rows)
        return
    for row in rows:
        shared.say(f"{row['imported_at']}  import {row['number']}")
        for line in row["changes"]:
            shared.say(f"    {line}")


@app.command("export")
def export(slug: shared.Slug) -> None:
    """Print a profile as a file that `import` reads."""
    from notifier.match import profiles

    with shared.open_deps() as deps, deps.reading() as session:
        shared.print_data(profiles.export(profiles.find(session, slug)), shared.TOML_NOTATION)


@app.command("remove")
def remove(slug: shared.Slug, yes: Yes = False, now: shared.Now = "") -> None:
    """End a profile: nothing is matched for it any more.

    Its subscriptions end, and each reader who confirmed is told by the next run. Sources that were
    watched for it alone are not polled any more. What was sent stays in the archive of its readers;
    importing the profile again brings it back, without its readers.
    """
    from notifier.admin import profile_removal
    from notifier.match import removed_profiles
    from notifier.subscribers import profile_endings

    with shared.open_deps(now) as deps:
        with deps.reading() as session:
            profile = removed_profiles.find_any(session, slug)
            readers = profile_endings.count_running(session, profile.id)
        if readers and not yes and sys.stdin.isatty():
            number = shared.count(readers, "subscription")
            typer.confirm(f"{number} to {slug} will end. Go on?", abort=True)
        removal = profile_removal.remove(deps, slug, shared.operator())
    shared.say(
        f"Removed {slug}: {shared.count(removal.ended, 'subscription')} ended"
        f"{', and the next `notifier run` tells their readers' if removal.ended else ''}. "
        f"{shared.count(removal.sources, 'source')} less to watch."
    )


@app.command("edit")
def edit(slug: shared.Slug, past: Past = "file", now: shared.Now = "") -> None:
    """Change a profile in the editor that $VISUAL or $EDITOR names.

    The text is that of `profiles export`, and it is stored as `profiles import` stores a file. A
    text that cannot be stored is kept, with the place and the fix.
    """
    from notifier.cli import editor
    from notifier.match import profiles

    include = shared.known_word(past, _PAST, "--past") == "include"
    with shared.open_deps(now) as deps:
        with deps.reading() as session:
            before = profiles.export(profiles.find(session, slug))
        with editor.edited(before, f"{slug}.toml") as (after, path):
            if after == before:
                shared.say(f"No change of {slug}.")
                return
            file = profiles.parse(after, str(path))
            if file.slug != slug:
                raise _another_slug(slug, file.slug)
            (stored,) = _import_all(deps, [file], deps.now(), include_past=include)
    _say_stored([stored], include=include)


def _another_slug(slug: str, other: str) -> "InputError":
    from notifier.errors import InputError

    return InputError(
        f"The slug was changed from {slug} to {other}, which would be another profile.",
        "Change it back; for another profile: notifier profiles import FILE.toml",
    )


def _to_json(profile: "Summary") -> dict[str, Any]:
    return {
        "slug": profile.slug,
        "name": profile.name,
        "stage": profile.stage,
        "stage_as_of": str(profile.stage_as_of) if profile.stage_as_of else None,
        "terms": profile.terms,
        "imported_at": shared.as_time(profile.imported_at),
    }


def _history_to_json(revisions: "Sequence[ProfileRevision]") -> list[dict[str, Any]]:
    from notifier.match import profile_changes

    changes = [
        profile_changes.lines(older.document, newer.document)
        for older, newer in pairwise(revisions)
    ]
    return [
        {
            "number": revision.number,
            "imported_at": shared.as_time(revision.imported_at),
            "changes": lines,
        }
        for revision, lines in zip(revisions, [["first import"], *changes], strict=True)
    ]


def _print_profile(profile: "Profile") -> None:
    from notifier.match import profiles

    shared.say(
        f"{profile.name}\n{profile.summary}\n{profile.stage} (as of {profile.stage_as_of})\n"
    )
    for name, value in profiles.facts(profile).items():
        shared.say(f"  {name}: {'; '.join(value) if isinstance(value, list) else value}")
    for trial in profile.document.get("trials", []):
        parts = (trial.get("acronym"), f"phase {trial.get('phase', '?')}", trial.get("about"))
        shared.say(f"  Trial {trial['id']}: {', '.join(filter(None, parts))}")
    shared.say("")
    for term in profile.terms:
        shared.say(f"  {term.kind:<11} {', '.join([term.text, *term.also])}")


def _import_all(
    deps: "Deps", files: "list[ProfileFile]", now: "datetime", *, include_past: bool
) -> "list[ImportResult]":
    """Judge what was seen before by each file, then store all files in one transaction.

    Judging takes long, and a broad profile asks for a confirmation, so both come before the
    transaction.
    """
    from notifier.admin.profile_import import import_all, judge_past_of_all

    with progress_bar.progress(shown=True) as progress, deps.reading() as session:
        past = judge_past_of_all(session, files, now, include_past=include_past, progress=progress)
    for file, estimate in zip(files, past.estimates, strict=True):
        _print_estimate(file.slug, estimate)
    with progress_bar.progress(shown=True) as progress, deps.writing() as session:
        return import_all(session, files, past, now, progress)


def _print_estimate(slug: str, estimate: "Estimate") -> None:
    """Print how many entries a profile would have matched; ask before a broad one is stored.

    Raises:
        Abort: a person at a terminal does not want to store a broad profile.
    """
    if not estimate.is_meaningful:
        return
    counts = ", ".join(
        f"{number} {tier}" for tier, number in estimate.matched.items() if tier != "none"
    )
    shared.say(
        f"{slug} matches, of {estimate.entries} entries of the last {estimate.days} days: {counts}."
    )
    if not estimate.is_broad:
        return
    shared.warn(f"{slug} is broad: {estimate.share:.0%} of all entries would be mailed.")
    if sys.stdin.isatty():
        typer.confirm("Store it all the same?", abort=True)
