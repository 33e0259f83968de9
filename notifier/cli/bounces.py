"""`notifier bounces`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import shared

if TYPE_CHECKING:
    from collections.abc import Iterable

app = shared.group(
    "bounces", "Mails that came back: who is gone, who complained, who wants to leave."
)


@app.callback()
def _noun() -> None:
    """Keep `read` a word of its own, though it is the only one yet."""


@app.command("read")
def read(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE…", help="Mails; - is standard input.")
    ] = None,
    maildir: Annotated[
        Path | None, typer.Option("--maildir", metavar="DIR", help="Its unseen mails.")
    ] = None,
    imap: Annotated[
        str,
        typer.Option(
            "--imap", metavar="URL", help="Its unseen mails; the password: $NOTIFIER_IMAP_PASSWORD."
        ),
    ] = "",
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Read reports (RFC 3464), complaints (RFC 5965) and wishes to leave; what was read before changes nothing."""
    from notifier.deliver.bounces import mailbox
    from notifier.enums import BounceKind
    from notifier.errors import InputError
    from notifier.pipeline import bounces

    if bool(files) + bool(maildir) + bool(imap) != 1:
        raise InputError("Name what to read.", "Give files, or --maildir DIR, or --imap URL.")
    mails: Iterable[bytes]
    if maildir:
        mails = mailbox.from_maildir(maildir)
    elif imap:
        mails = mailbox.from_imap(imap, os.environ.get("NOTIFIER_IMAP_PASSWORD", ""))
    elif files == [Path("-")]:
        mails = [mailbox.from_stream(sys.stdin.buffer)]
    else:
        mails = mailbox.from_files(files or [])
    with shared.open_deps(now) as deps:
        done = bounces.read(deps, mails)
    if json:
        kinds = {str(kind): number for kind, number in done.kinds.items()}
        acts = {"suppressed": done.suppressed, "held": done.held, "unsubscribed": done.unsubscribed}
        without = {
            "unproven": done.kinds[BounceKind.UNPROVEN],
            "unreadable": done.kinds[BounceKind.UNREADABLE],
        }
        shared.print_json({"kinds": kinds, **without, "known_already": done.known, **acts})
        return
    counts = (
        ", ".join(f"{number} {kind}" for kind, number in sorted(done.kinds.items()))
        or "nothing new"
    )
    shared.say(
        f"Read: {counts}; {done.known} known already. Suppressed {done.suppressed}, held back for a while {done.held}, "
        f"ended {done.unsubscribed}."
    )
    if done.kinds[BounceKind.UNPROVEN]:
        shared.say(
            "An unproven report names no mail that we sent in the last 35 days. It changes nothing."
        )
    if done.kinds[BounceKind.UNREADABLE]:
        shared.say(
            f"An unreadable mail is moved from a mailbox to its folder {mailbox.UNREADABLE}."
        )
