"""`notifier preview`."""

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import shared

if TYPE_CHECKING:
    from notifier.admin.preview import PreviewOptions
    from notifier.deps import Deps

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("preview")(preview)


def preview(
    profile: shared.Profile = None,
    every: Annotated[
        str, typer.Option(metavar="CADENCE", help="immediate, daily, weekly or monthly.")
    ] = "weekly",
    edition: Annotated[
        str, typer.Option(metavar="EDITION", help="patient or clinician.")
    ] = "patient",
    language: shared.Language = "en",
    since: Annotated[
        str,
        typer.Option(
            metavar="30d",
            help="All that matched since then, the first poll included: 12h, 30d, 4w.",
        ),
    ] = "",
    to: Annotated[
        str | None, typer.Option(metavar="EMAIL", help="What this subscriber would get now.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write digest.html, .txt and .eml there.")
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    send_to: Annotated[
        str | None,
        typer.Option(
            metavar="EMAIL", help="Mail it to this address, as a trial; its links are nobody's."
        ),
    ] = None,
    serve: Annotated[
        bool,
        typer.Option(
            "--serve",
            help="Show it side by side (desktop, phone, dark, text), on this machine only.",
        ),
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where --serve listens.")] = 8001,
    now: shared.Now = "",
) -> None:
    """Render a digest by the very path that sends it; nothing is stored, and nothing sent but with --send-to."""
    from notifier.admin.preview import PreviewOptions
    from notifier.admin.preview import preview as render
    from notifier.enums import Cadence, Edition

    cadence, worded = (
        shared.choice(Cadence, every, "--every"),
        shared.choice(Edition, edition, "--edition"),
    )
    wish = PreviewOptions(profile, cadence, worded, shared.spoken(language), _stretch(since), to)
    with shared.open_deps(now) as deps:
        if serve:
            _serve(deps, wish, port)
            return
        if send_to is not None:
            _send(deps, wish, send_to)
            return
        shown = render(deps, wish)
    if shown is None:
        _say_nothing(wish)
        return
    if out is None and not open_:
        shared.say(f"Subject: {shown.subject}\n\n{shown.text}")
        return
    folder = out or Path("preview")
    files = {
        "digest.html": shown.html.encode(),
        "digest.txt": shown.text.encode(),
        "digest.eml": shown.message,
    }
    _write(folder, files)
    shared.say(
        f"{shown.subject} ({shown.profile}): {folder / 'digest.html'}, digest.txt, digest.eml"
    )
    if open_:
        typer.launch(str((folder / "digest.html").resolve()))


def _say_nothing(wish: "PreviewOptions") -> None:
    hint = (
        "Look at the sources first: notifier poll"
        if wish.since
        else "To see what was found before: --since 30d"
    )
    shared.say(f"There is nothing to send. {hint}")


def _send(deps: "Deps", wish: "PreviewOptions", recipient: str) -> None:
    from notifier.admin.preview import send
    from notifier.deliver.outbox import SendResult

    outcome = send(deps, wish, recipient)
    if outcome is None:
        _say_nothing(wish)
    elif outcome.answer is SendResult.ACCEPTED:
        shared.say(
            f"The mail server took it for {recipient}. Its links are nobody's; nothing was stored."
        )
    else:
        shared.warn(f"It was not sent: {outcome.text or outcome.answer}")
        raise typer.Exit(1)


def _serve(deps: "Deps", wish: "PreviewOptions", port: int) -> None:
    from notifier.web import preview_server

    shared.say(f"Side by side: http://127.0.0.1:{port}/ (this machine only; Ctrl-C ends it)")
    preview_server.serve(deps, wish, port)


def _stretch(text: str) -> timedelta | None:
    from notifier.errors import InputError

    if not text:
        return None
    found = re.fullmatch(r"([0-9]{1,5})([hdw])", text)
    if not found:
        raise InputError(f"--since {text!r} is no stretch of time.", "Write 12h, 30d or 4w.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """Write the mail's parts: with --to they hold links by which anyone can change that person's subscription."""
    from notifier.errors import InputError
    from notifier.store.files import write_private

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written: {error.strerror}.", "Choose another --out."
        ) from error
    for name, content in files.items():
        write_private(folder / name, content)
