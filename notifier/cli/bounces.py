"""`notifier bounces`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import filters, shared
from notifier.cli.tables import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from notifier.deps import Deps
    from notifier.pipeline.bounces import Summary

app = shared.group("bounces", "Mails that came back: bounces, complaints, unsubscriptions.")

_HELD_COLUMNS = (
    Column("id"),
    Column("email"),
    Column("provider", Kind.TEXT, 1),
    Column("code"),
    Column("since (UTC)", Kind.TIME, field="at"),
)
_STANDARD_INPUT = [Path("-")]
_NONE_WAITS = "No suppression waits: nothing was changed."


@app.command("read")
def read(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="Mails; - is standard input.")
    ] = None,
    maildir: Annotated[
        Path | None, typer.Option("--maildir", metavar="DIR", help="Read its unseen mails.")
    ] = None,
    imap: Annotated[
        str,
        typer.Option(
            "--imap",
            metavar="URL",
            help="Read its unseen mails; the password is in $NOTIFIER_IMAP_PASSWORD.",
        ),
    ] = "",
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Read mails that came back, and act on them.

    Understood are delivery reports (RFC 3464), complaints (RFC 5965) and mails that ask to be
    unsubscribed. A mail that was read before changes nothing.
    """
    from notifier.pipeline import bounces

    mails = _open_mails(files or [], maildir, imap)
    with shared.open_deps(now) as deps:
        summary = bounces.read(deps, mails)
        delete_about_erased(deps, maildir, imap, with_seen=False)
    if json:
        shared.print_json(_to_json(summary))
    else:
        _print_summary(summary)


def delete_about_erased(deps: "Deps", maildir: Path | None, imap: str, *, with_seen: bool) -> int:
    """Delete the mails about erased people that were kept in a mailbox; return how many.

    Args:
        deps: the installation.
        maildir: a Maildir; None for none.
        imap: the address of a mailbox; empty for none.
        with_seen: also among the mails of the Maildir that were read and marked as seen.
    """
    from notifier.deliver.bounces import mailbox
    from notifier.pipeline import kept_mails
    from notifier.settings import secret_files

    number = 0
    if maildir is not None:
        kept = mailbox.kept_in_maildir(maildir, with_seen=with_seen)
        number += kept_mails.delete_about_erased(deps, kept)
    if imap:
        kept = mailbox.kept_by_imap(imap, secret_files.value("IMAP_PASSWORD"))
        number += kept_mails.delete_about_erased(deps, kept)
    return number


Ids = Annotated[
    list[int] | None, typer.Argument(metavar="ID", help="As `bounces held` shows them.")
]
All = Annotated[bool, typer.Option("--all", help="All that wait.")]


@app.command("held")
def held(wide: filters.Wide = False, json: shared.Json = False) -> None:
    """Show suppressions that wait for you: too many at once."""
    from notifier.pipeline import brake

    with shared.open_deps() as deps:
        waiting = brake.listed(deps)
    rows = [
        {
            "id": each.id,
            "email": each.email,
            "provider": each.provider,
            "code": each.code,
            "at": shared.as_time(each.at),
        }
        for each in waiting
    ]
    shared.print_rows(rows, _HELD_COLUMNS, "No suppression waits.", json=json, wide=wide)


@app.command("accept")
def accept(ids: Ids = None, everything: All = False, now: shared.Now = "") -> None:
    """Suppress the addresses of held suppressions: they are gone.

    Their mails end; the readers can sign up anew.
    """
    from notifier.pipeline import brake

    with shared.open_deps(now) as deps:
        number = brake.accept(deps, _chosen(ids, everything=everything))
    shared.say(f"Suppressed {number}." if number else _NONE_WAITS)


@app.command("dismiss")
def dismiss(ids: Ids = None, everything: All = False, now: shared.Now = "") -> None:
    """Mail the addresses again: the provider was wrong.

    The next run sends what bounced, and what waited meanwhile.
    """
    from notifier.pipeline import brake

    with shared.open_deps(now) as deps:
        number = brake.dismiss(deps, _chosen(ids, everything=everything))
    dismissed = f"Dismissed {number}: the next run sends what they missed."
    shared.say(dismissed if number else _NONE_WAITS)


def _chosen(ids: list[int] | None, *, everything: bool) -> list[int]:
    """Return the numbers that were named; empty for all.

    Raises:
        InputError: neither numbers nor --all were given, or both.
    """
    from notifier.errors import InputError

    if bool(ids) == everything:
        raise InputError(
            "It is not clear which suppressions are meant.",
            "Give their numbers from `notifier bounces held`, or --all.",
        )
    return ids or []


def _open_mails(files: list[Path], maildir: Path | None, imap: str) -> "Iterable[bytes]":
    """Return the mails of the one place that was named.

    Raises:
        InputError: none or several were named.
    """
    from notifier.deliver.bounces import mailbox
    from notifier.errors import InputError
    from notifier.settings import secret_files

    if bool(files) + bool(maildir) + bool(imap) != 1:
        raise InputError(
            "It is not clear which mails to read.",
            "Give either files, or --maildir DIR, or --imap URL.",
        )
    if maildir:
        return mailbox.from_maildir(maildir)
    if imap:
        return mailbox.from_imap(imap, secret_files.value("IMAP_PASSWORD"))
    if files == _STANDARD_INPUT:
        return [mailbox.from_stream(sys.stdin.buffer)]
    return mailbox.from_files(files)


def _to_json(summary: "Summary") -> dict[str, object]:
    from notifier.enums import BounceKind

    return {
        "kinds": {str(kind): number for kind, number in summary.kinds.items()},
        "unproven": summary.kinds[BounceKind.UNPROVEN],
        "unproven_complaints": summary.kinds[BounceKind.UNPROVEN_COMPLAINT],
        "unreadable": summary.kinds[BounceKind.UNREADABLE],
        "known_already": summary.known,
        "suppressed": summary.suppressed,
        "held": summary.held,
        "unsubscribed": summary.unsubscribed,
    }


def _print_summary(summary: "Summary") -> None:
    from notifier.deliver.bounces import mailbox
    from notifier.enums import BounceKind

    kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(summary.kinds.items()))
    shared.say(f"Read: {kinds or 'no new mail'}; {summary.known} known already.")
    shared.say(
        f"Suppressed {summary.suppressed}, held back for a while {summary.held}, "
        f"unsubscribed {summary.unsubscribed}."
    )
    if summary.kinds[BounceKind.UNPROVEN]:
        shared.say(
            "An unproven report names no mail that we sent in the last 35 days. It changes nothing."
        )
    if summary.kinds[BounceKind.UNPROVEN_COMPLAINT]:
        shared.say(
            "An unproven complaint, or wish to leave, does not say whose it is. It is left unread: "
            "look at it, and end the mails of whom you recognise with `notifier unsubscribe`."
        )
    if summary.kinds[BounceKind.UNREADABLE]:
        shared.say(f"Unreadable mails of a mailbox are moved to its folder {mailbox.UNREADABLE}.")
