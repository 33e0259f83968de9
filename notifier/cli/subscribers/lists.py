"""The commands that read and write lists of people: `notifier subscribers import` and `export`."""

import io
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import shared
from notifier.cli.subscribers import people

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from sqlalchemy.orm import Session

    from notifier.deps import Deps
    from notifier.subscribers.import_export import Report

# Bytes; about a million people. The whole list is one transaction.
_LARGEST_LIST = 100_000_000
_FORMATS = ("csv", "jsonl")

DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Show what would happen to each line, and store nothing."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import")(import_)
    app.command("export")(export)


def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV, or JSON Lines if it ends in .jsonl.")
    ],
    confirmed: shared.Confirmed = False,
    dry_run: DryRun = False,
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Subscribe many people from a list.

    Nobody who left, bounced or complained is subscribed again. Without --confirmed each person is
    asked for consent by mail. The exit code is 1 if a line cannot be used.
    """
    from notifier.subscribers.import_export import RowResult

    with shared.open_deps(now) as deps, _open_text(file) as text:
        report = _import_list(
            deps,
            text,
            json_lines=_is_json_lines(file),
            attested_by=shared.operator() if confirmed else None,
            dry_run=dry_run,
            show_progress=not json,
        )
    if json:
        shared.print_json(_report_to_json(report, dry_run=dry_run))
    else:
        _print_report(report, dry_run=dry_run, asked=not confirmed)
    if report.count()[RowResult.INVALID]:
        raise typer.Exit(1)


def export(
    email: Annotated[
        str | None,
        typer.Argument(metavar="EMAIL", help="One person's address. Default: the whole list."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The file to write. Default: standard output."),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", metavar="csv|jsonl", help="The format of the whole list.")
    ] = "csv",
) -> None:
    """Export one person's data, or the list of all people.

    With EMAIL: everything stored about that person, as JSON (GDPR, Article 20). Without: the list,
    in a format that `import` reads.
    """
    shared.known_word(form, _FORMATS, "--format")
    with shared.open_deps() as deps, deps.reading() as session:
        if email is None:
            _export_list(session, out, json_lines=form == "jsonl")
        else:
            _export_person(session, email, out)


def _import_list(
    deps: "Deps",
    text: "TextIO",
    *,
    json_lines: bool,
    attested_by: str | None,
    dry_run: bool,
    show_progress: bool,
) -> "Report":
    """Subscribe the people of a list, and enqueue a mail to each who is asked for consent."""
    from notifier.deliver import outbox
    from notifier.enums import DeliveryKind
    from notifier.match import profiles
    from notifier.subscribers import import_export, list_files

    now = deps.now()
    total = sum(1 for _ in text)
    text.seek(0)
    with shared.progress(show_progress) as progress, deps.writing() as session:
        options = import_export.ImportOptions(
            profiles={profile.slug: profile for profile in profiles.listed(session)},
            time_zone=deps.settings.schedule.time_zone,
            attested_by=attested_by,
            dry=dry_run,
        )
        report = import_export.import_rows(
            session,
            list_files.read(text, json_lines=json_lines),
            options,
            now,
            (lambda done: progress(done, total, "")) if progress else (lambda _: None),
        )
        outbox.enqueue_own(
            session, DeliveryKind.CONFIRMATION, report.unasked, deps.mail_domain, now
        )
    return report


def _report_to_json(report: "Report", *, dry_run: bool) -> dict[str, Any]:
    from notifier.subscribers.import_export import RowResult

    counts = report.count()
    return {
        "dry_run": dry_run,
        "rows": len(report.lines),
        **{str(result): counts[result] for result in RowResult},
        "lines": [
            {"line": line, "result": result, "reason": reason}
            for line, result, reason in report.lines
        ],
    }


def _print_report(report: "Report", *, dry_run: bool, asked: bool) -> None:
    from notifier.subscribers.import_export import RowResult

    for line, result, reason in report.lines:
        if result is not RowResult.ADDED:
            shared.say(f"line {line}: {result}: {reason}")
    counts = report.count()
    results = [f"{counts[result]} {result}" for result in RowResult if counts[result]]
    text = (
        f"{shared.count(len(report.lines), 'line')}: {', '.join(results) or 'the list is empty'}."
    )
    shared.say(f"{text} Nothing was stored: this was a dry run." if dry_run else text)
    if asked and report.unasked:
        shared.say("The next `notifier run` asks each person who was added for consent by mail.")


def _export_list(session: "Session", out: Path | None, *, json_lines: bool) -> None:
    from notifier.subscribers import import_export, list_files

    rows = import_export.export_rows(session)
    notation = shared.JSON_NOTATION if json_lines else ""
    _write(out, list_files.write(rows, json_lines=json_lines), notation)


def _export_person(session: "Session", email: str, out: Path | None) -> None:
    import json

    from notifier.subscribers import privacy

    document = privacy.export(session, people.find(session, email))
    text = json.dumps(document, ensure_ascii=False, indent=2)
    _write(out, [f"{text}\n"], shared.JSON_NOTATION)


def _write(out: Path | None, parts: "Iterable[str]", notation: str) -> None:
    """Print a file, or write it so that only its owner can read it: it contains addresses."""
    from notifier.store.files import write_private

    if out is None:
        for part in parts:
            shared.print_data(part, notation)
    else:
        write_private(out, (part.encode("utf-8") for part in parts))


def _is_json_lines(file: Path) -> bool:
    return file.suffix.lower() in (".jsonl", ".ndjson")


@contextmanager
def _open_text(file: Path) -> "Iterator[TextIO]":
    """Open a list that the caller named, as UTF-8 with or without a byte order mark.

    Raises:
        InputError: it cannot be read, is too large, or is not UTF-8.
    """
    from notifier.errors import InputError
    from notifier.store.files import open_input

    try:
        with io.TextIOWrapper(
            open_input(file, _LARGEST_LIST), encoding="utf-8-sig", newline=""
        ) as text:
            yield text
    except UnicodeDecodeError as error:
        raise InputError(
            f"{file} is not UTF-8 text.", "Save it as UTF-8 (in Excel: CSV UTF-8)."
        ) from error
