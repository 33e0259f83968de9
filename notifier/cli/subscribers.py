"""`notifier subscribers`."""

import getpass
import io
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import shared
from notifier.text import times

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from sqlalchemy.orm import Session

    from notifier.store.models import Subscriber, Subscription
    from notifier.subscribers.import_export import Report

app = shared.group("subscribers", "People: who gets what, when, and by which consent.")

# About a million people; the whole list is one transaction.
_LARGEST_LIST = 100_000_000

Email = Annotated[str, typer.Argument(metavar="EMAIL")]


@app.command("list")
def list_(limit: shared.Limit = None, json: shared.Json = False) -> None:
    """Show people with their subscriptions, the newest last."""
    from notifier.subscribers import overview

    with shared.open_deps() as deps, deps.reading() as session:
        found, total = overview.listed(session, shared.most(limit, json=json))
        rows = [_row(session, one) for one in found]
    if json:
        shared.print_json(rows)
        return
    table = [
        (
            row["email"],
            row["status"],
            one["profile"],
            one["cadence"],
            one["status"],
            one["next_due_at"],
        )
        for row in rows
        for one in row["subscriptions"]
    ]
    shared.print_table(
        ("email", "standing", "profile", "cadence", "subscription", "next due"),
        table,
        "Nobody yet.",
    )
    shared.say_if_cut(len(rows), total)


@app.command("show")
def show(email: Email, json: shared.Json = False) -> None:
    """Show one person: subscriptions and the consent ledger."""
    from notifier.errors import NotFoundError
    from notifier.subscribers import consent, subscriptions

    with shared.open_deps() as deps, deps.reading() as session:
        found = subscriptions.find_subscriber(session, email)
        if found is None:
            raise NotFoundError(
                f"Nobody is stored under {email}.", "See: notifier subscribers list"
            )
        document = _row(session, found)
        document["consent"] = [
            {
                "event": one.event,
                "method": one.method,
                "attested_by": one.attested_by,
                "at": shared.as_time(one.at),
            }
            for one in consent.of(session, [each.id for each in found.subscriptions])
        ]
    if json:
        shared.print_json(document)
        return
    shared.say(f"{document['email']}: {document['status']}, {document['time_zone']}")
    for one in document["subscriptions"]:
        shared.say(
            f"  {one['profile']}: {one['schedule']}, {one['status']}, next due {one['next_due_at'] or '-'}"
        )
        if one["trouble"]:
            shared.warn(
                f"  Cannot be served: {one['trouble']} Name the choice anew: notifier subscribe EMAIL"
            )
    for one in document["consent"]:
        shared.say(
            f"  {one['at']}  consent {one['event']} by {one['method']}, attested by {one['attested_by']}"
        )


@app.command("pause")
def pause(
    email: Email,
    until: Annotated[
        str, typer.Option(metavar="DATE", help="The day it goes on; left out: until `resume`.")
    ] = "",
    profile: shared.Profile = None,
    now: shared.Now = "",
) -> None:
    """Hold somebody's digests back; what matches meanwhile comes in the first one after it."""
    from notifier.errors import InputError
    from notifier.subscribers import lifecycle

    with shared.open_deps(now) as deps, deps.writing() as session:
        end = shared.moment(until, "--until")
        if end is not None:
            try:
                times.day_ahead(end.date().isoformat(), deps.now().date())
            except ValueError as error:
                raise InputError(
                    f"--until {until} is out of range.",
                    "Name a day between today and five years ahead.",
                ) from error
        paused = [
            one
            for one in _running(session, email, profile)
            if lifecycle.pause(one, end, deps.now())
        ]
    shared.say(f"Paused {_counted(len(paused))} of {email}{f' until {until}' if until else ''}.")


@app.command("resume")
def resume(email: Email, profile: shared.Profile = None, now: shared.Now = "") -> None:
    """End a pause; the next digest holds what was held back."""
    from notifier.subscribers import lifecycle

    with shared.open_deps(now) as deps, deps.writing() as session:
        woken = [
            one for one in _running(session, email, profile) if lifecycle.resume(one, deps.now())
        ]
    if not woken:
        shared.warn(f"No subscription of {email} is paused: nothing was changed.")
        raise typer.Exit(1)
    shared.say(f"{_counted(len(woken))} of {email} {'goes' if len(woken) == 1 else 'go'} on.")


@app.command("erase")
def erase(email: Email, now: shared.Now = "") -> None:
    """Delete everything about a person (GDPR Art. 17); a hash stays, so that nobody writes to the address again."""
    from notifier.enums import SuppressionCause
    from notifier.errors import NotFoundError
    from notifier.store import db
    from notifier.subscribers import privacy, subscriptions

    with shared.open_deps(now) as deps:
        with deps.writing() as session:
            key = subscriptions.hash_of(session, email)
            erased = privacy.erase_address(
                session, key, SuppressionCause.ERASED, "erased", deps.now()
            )
        db.scrub(deps.engine)
    if not erased:
        raise NotFoundError(f"Nobody is stored under {email}.", "See: notifier subscribers list")
    shared.say(
        f"{email} is erased. Backups made before today may still hold it; see docs/privacy.md."
    )


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV, or JSON Lines if it ends in .jsonl.")
    ],
    confirmed: Annotated[
        bool,
        typer.Option(
            "--confirmed", help="You attest that all these people agreed; no mail asks them."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of each line; store nothing.")
    ] = False,
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Take many people from a list. Nobody who left, bounced or complained is revived."""
    from notifier.deliver import outbox
    from notifier.enums import DeliveryKind
    from notifier.match import profiles
    from notifier.subscribers import import_export, list_files

    with (
        shared.open_deps(now) as deps,
        shared.progress(shown=not json) as bar,
        _text_of(file) as text,
        deps.writing() as session,
    ):
        terms = import_export.ImportOptions(
            profiles={one.slug: one for one in profiles.listed(session)},
            time_zone=deps.settings.schedule.time_zone,
            attested_by=f"operator {getpass.getuser()}" if confirmed else None,
            dry=dry_run,
        )
        total = sum(1 for _ in text)
        text.seek(0)
        shown = (lambda done: bar(done, total, "")) if bar else (lambda _: None)
        lines = list_files.read(text, json_lines=_is_json_lines(file))
        report = import_export.import_rows(session, lines, terms, deps.now(), shown)
        outbox.enqueue_own(
            session, DeliveryKind.CONFIRMATION, report.unasked, deps.mail_domain, deps.now()
        )
    _tell(report, dry=dry_run, json=json, asked=not confirmed)
    if report.count()[import_export.RowResult.INVALID]:
        raise typer.Exit(1)


def _tell(report: "Report", *, dry: bool, json: bool, asked: bool) -> None:
    from notifier.subscribers.import_export import RowResult

    counts = report.count()
    if json:
        lines = [{"line": line, "result": fate, "reason": why} for line, fate, why in report.lines]
        counted = {str(fate): counts[fate] for fate in RowResult}
        shared.print_json({"dry_run": dry, "rows": len(report.lines), **counted, "lines": lines})
        return
    for line, fate, why in report.lines:
        if fate is not RowResult.ADDED:
            shared.say(f"line {line}: {fate}: {why}")
    told = (
        ", ".join(f"{counts[fate]} {fate}" for fate in RowResult if counts[fate]) or "nothing in it"
    )
    shared.say(
        f"{len(report.lines)} lines: {told}.{' Nothing was stored: this was a dry run.' if dry else ''}"
    )
    if asked and report.unasked:
        shared.say(
            "Each of those added is asked by mail; the next `notifier run` sends the questions."
        )


@app.command("export")
def export(
    email: Annotated[str | None, typer.Argument(metavar="[EMAIL]")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Else standard output.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="Of the whole list: csv or jsonl.")] = "csv",
) -> None:
    """With EMAIL: everything held of that person, as JSON (GDPR Art. 20). Without: the list of all, for an import."""
    import json

    from notifier.errors import InputError, NotFoundError
    from notifier.subscribers import import_export, list_files, privacy, subscriptions

    if form not in ("csv", "jsonl"):
        raise InputError(f"--format {form!r} is not known.", "Choose one of: csv, jsonl.")
    with shared.open_deps() as deps, deps.reading() as session:
        if email is None:
            notation = shared.JSON_NOTATION if form == "jsonl" else ""
            _write(
                out,
                list_files.write(import_export.export_rows(session), json_lines=form == "jsonl"),
                notation,
            )
            return
        found = subscriptions.find_subscriber(session, email)
        if found is None:
            raise NotFoundError(
                f"Nobody is stored under {email}.", "See: notifier subscribers list"
            )
        document = json.dumps(privacy.export(session, found), ensure_ascii=False, indent=2)
        _write(out, [f"{document}\n"], shared.JSON_NOTATION)


def _write(out: Path | None, pieces: "Iterable[str]", notation: str) -> None:
    from notifier.store.files import write_private

    if out is None:
        for piece in pieces:
            shared.print_data(piece, notation)
        return
    # Whose addresses these are is nobody else's business: only the owner of the file may read it.
    write_private(out, (piece.encode("utf-8") for piece in pieces))


def _is_json_lines(file: Path) -> bool:
    return file.suffix.lower() in (".jsonl", ".ndjson")


@contextmanager
def _text_of(file: Path) -> "Iterator[TextIO]":
    from notifier.errors import InputError
    from notifier.store.files import open_input

    try:
        with io.TextIOWrapper(
            open_input(file, _LARGEST_LIST), encoding="utf-8-sig", newline=""
        ) as text:
            yield text
    except UnicodeDecodeError as error:
        raise InputError(
            f"{file} is no UTF-8 text.", "Save it as UTF-8 (in Excel: CSV UTF-8)."
        ) from error


def _running(session: "Session", email: str, profile: str | None) -> "list[Subscription]":
    from notifier.errors import NotFoundError
    from notifier.match import profiles
    from notifier.subscribers import subscriptions

    wanted = profiles.find(session, profile) if profile else None
    running = subscriptions.running_subscriptions(session, email, wanted)
    if not running:
        raise NotFoundError(
            f"{email} has no running subscription{f' to {profile}' if profile else ''}.",
            "See them with: notifier subscribers list",
        )
    return running


def _counted(number: int) -> str:
    return f"{number} subscription{'' if number == 1 else 's'}"


@app.command("suppress")
def suppress(
    email: Email,
    reason: Annotated[
        str, typer.Option(help="Why, in your words; addresses are left out.")
    ] = "asked by its owner",
) -> None:
    """Never mail this address again, whatever it is subscribed to."""
    from notifier.enums import SuppressionCause
    from notifier.subscribers import subscriptions, suppressions

    with shared.open_deps() as deps, deps.writing() as session:
        key = subscriptions.hash_of(session, email)
        new = suppressions.add(session, key, SuppressionCause.ASKED, reason, deps.now())
    shared.say(f"{email} is suppressed." if new else f"{email} was suppressed already.")


@app.command("unsuppress")
def unsuppress(email: Email) -> None:
    """Let this address be mailed again; its subscriptions are as they were."""
    from notifier.subscribers import subscriptions, suppressions

    with shared.open_deps() as deps, deps.writing() as session:
        lifted = suppressions.lift(session, subscriptions.hash_of(session, email))
    if not lifted:
        shared.warn(f"{email} is not suppressed: nothing was changed.")
        raise typer.Exit(1)
    shared.say(f"{email} may be mailed again.")


def _row(session: "Session", one: "Subscriber") -> dict[str, Any]:
    from notifier.subscribers import overview

    return {
        "id": one.id,
        "email": one.email,
        "status": overview.status_of(session, one),
        "language": one.language,
        "time_zone": one.time_zone,
        "subscriptions": [
            {
                "profile": each.profile.slug,
                "cadence": each.cadence,
                "schedule": _schedule(each),
                "edition": each.edition,
                "status": each.status,
                "next_due_at": shared.as_time(each.next_due_at),
                "trouble": each.trouble,
            }
            for each in one.subscriptions
        ],
    }


def _schedule(subscription: "Subscription") -> str:
    from notifier.subscribers.choices import schedule_of

    try:
        return schedule_of(subscription).describe()
    except (LookupError, TypeError, ValueError):
        return "cannot be read"
