"""The commands that read and write lists of people: `notifier subscribers import` and `export`."""

from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import progress_bar, shared
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
# How many lines of each result are printed, so that a long list does not hide the sum below them.
_LINES_SHOWN = 20

DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Show what would happen to each line, and store nothing."),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="OURS=THEIRS",
        help="The name that one of our columns has in the file, for example email=Contact."
        " May be repeated.",
    ),
]
SendConfirmations = Annotated[
    bool,
    typer.Option(
        "--send-confirmations",
        help="Ask those whom the list calls not confirmed by mail, too. Without it they are stored,"
        " get no mail, and are deleted after 48 hours.",
    ),
]
WithoutErased = Annotated[
    bool,
    typer.Option(
        "--without-erased",
        help="Leave out people who were erased or suppressed elsewhere and are known by another"
        " suppression_key's hashes only: they could be mailed again if a list names them.",
    ),
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
    column: Columns = None,
    send_confirmations: SendConfirmations = False,
    without_erased: WithoutErased = False,
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Subscribe many people from a list.

    The list is our own export, a spreadsheet, or the file of another system. Nobody who left,
    bounced or complained is subscribed again, and nobody is taken for confirmed whom the list does
    not call so. Without --confirmed each person is asked for consent by mail. The exit code is 1
    if a line cannot be used.
    """
    from notifier.subscribers import list_files
    from notifier.subscribers.import_export import RowResult

    renamed = _parse_columns(column or [])
    unused: list[str] = []
    with shared.open_deps(now) as deps, _open_text(file) as text:
        total = list_files.count(text)
        lines = list_files.read(
            text,
            json_lines=_is_json_lines(file),
            renamed=renamed,
            file_says=list_files.said_by_name(file.name),
            ignored=unused,
        )
        options = {
            "attested_by": shared.operator() if confirmed else None,
            "dry": dry_run,
            "asks_pending": send_confirmations,
            "without_erased": without_erased,
        }
        report = _import_list(deps, lines, total, options, show_progress=not json)
    if json:
        shared.print_json({**_report_to_json(report, dry_run=dry_run), "ignored": unused})
    else:
        _print_report(report, unused, dry_run=dry_run)
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
    lines: "Iterable[tuple[int, dict[str, str]]]",
    total: int,
    options: dict[str, Any],
    *,
    show_progress: bool,
) -> "Report":
    """Subscribe the people of a list, and enqueue a mail to each who is asked for consent."""
    from notifier.deliver import outbox
    from notifier.enums import DeliveryKind
    from notifier.match import profiles
    from notifier.subscribers import import_export

    now = deps.now()
    transaction = deps.reading() if options["dry"] else deps.writing()
    with progress_bar.progress(show_progress) as progress, transaction as session:
        stored = {profile.slug: profile for profile in profiles.listed(session)}
        report = import_export.import_rows(
            session,
            lines,
            import_export.ImportOptions(stored, deps.settings.schedule.time_zone, **options),
            now,
            (lambda done: progress(done, total, "")) if progress else (lambda _: None),
        )
        if not options["dry"]:
            outbox.enqueue_own(
                session, DeliveryKind.CONFIRMATION, report.unasked, deps.mail_domain, now
            )
    return report


def _parse_columns(texts: list[str]) -> dict[str, str]:
    """Return what `--column OURS=THEIRS` says.

    Raises:
        InputError: a value has another form.
    """
    from notifier.errors import InputError

    renamed = {}
    for text in texts:
        ours, sign, theirs = text.partition("=")
        if not (ours.strip() and sign and theirs.strip()):
            raise InputError(
                f"--column {text[:80]} is not of the form OURS=THEIRS.",
                "Example: --column email=Contact",
            )
        renamed[ours.strip().lower()] = theirs.strip()
    return renamed


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


def _print_report(report: "Report", unused: list[str], *, dry_run: bool) -> None:
    from notifier.subscribers.import_export import RowResult

    shown: Counter[RowResult] = Counter()
    for line, result, reason in report.lines:
        shown[result] += 1
        if result is not RowResult.ADDED and shown[result] <= _LINES_SHOWN:
            shared.say(f"line {line}: {result}: {reason}")
    counts = report.count()
    for result in RowResult:
        if result is not RowResult.ADDED and counts[result] > _LINES_SHOWN:
            more = shared.count(counts[result] - _LINES_SHOWN, f"more {result} line")
            shared.say(f"{more}; --json shows all.")
    if unused:
        names = ", ".join(name[:40] for name in unused[:_LINES_SHOWN])
        shared.say(f"Ignored {shared.count(len(unused), 'column')} of the file: {names}.")
    results = [f"{counts[result]} {result}" for result in RowResult if counts[result]]
    text = (
        f"{shared.count(len(report.lines), 'line')}: {', '.join(results) or 'the list is empty'}."
    )
    shared.say(f"{text} Nothing was stored: this was a dry run." if dry_run else text)
    if not dry_run:
        _print_what_follows(report)


def _print_what_follows(report: "Report") -> None:
    from notifier.subscribers.import_export import RowResult

    if report.forgotten:
        shared.warn(
            f"{report.forgotten} suppressed addresses are not known here: these people could be"
            " mailed again if a list names them."
        )
    if report.unasked:
        people = shared.count(len(report.unasked), "person", "s").replace("persons", "people")
        shared.say(f"The next `notifier run` asks {people} for consent by mail.")
    elif report.count()[RowResult.PENDING]:
        shared.say(
            "Those who are pending get no mail, and are deleted after 48 hours. To ask them for"
            " consent by mail, import the list again with --send-confirmations."
        )


def _export_list(session: "Session", out: Path | None, *, json_lines: bool) -> None:
    from notifier.subscribers import list_export, list_files

    rows = list_export.export_rows(session)
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
    """Open a list that the caller named, in whatever encoding it is.

    Raises:
        InputError: it cannot be read, is too large, or is no text.
    """
    from notifier.store.files import open_input
    from notifier.subscribers import list_text

    with open_input(file, _LARGEST_LIST) as octets, list_text.opened(octets) as text:
        yield text
