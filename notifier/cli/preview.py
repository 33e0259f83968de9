"""`notifier preview`."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import filters, shared

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from notifier.admin.preview import Preview, PreviewOptions
    from notifier.deliver.outbox import Outcome
    from notifier.deps import Deps

_DEFAULT_FOLDER = Path("preview")

Since = Annotated[
    str,
    typer.Option(
        metavar="30d|DATE",
        help="Show everything that matched since then: 12h, 30d, 4w, or a date as 2026-03-01.",
    ),
]
To = Annotated[
    str | None,
    typer.Option(metavar="EMAIL", help="Show what this subscriber would get now."),
]
Out = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Write digest.html, digest.txt and digest.eml to a folder."),
]
Open = Annotated[bool, typer.Option("--open", help="Show it in the browser.")]
SendTo = Annotated[
    str | None,
    typer.Option(
        metavar="EMAIL",
        help="Send it to this address as a test: what is due, else the latest items.",
    ),
]
Serve = Annotated[
    bool,
    typer.Option(
        "--serve",
        help="Show it in a browser for desktop, phone, dark mode and text, on this machine only.",
    ),
]
Port = Annotated[int, typer.Option(min=1, max=65535, metavar="PORT", help="The port of --serve.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("preview")(preview)


def preview(
    profile: shared.Profile = None,
    every: shared.Cadence = "weekly",
    edition: shared.Edition = "patient",
    language: shared.Language = "en",
    since: Since = "",
    to: To = None,
    out: Out = None,
    open_: Open = False,
    send_to: SendTo = None,
    serve: Serve = False,
    port: Port = 8001,
    now: shared.Now = "",
) -> None:
    """Show the digest that would be sent now.

    It is made by the same code that sends digests. Nothing is stored, and nothing is sent except
    with --send-to: a real digest in an inbox of yours, with links that change nothing. When no
    digest is due it shows the latest items.
    """
    from notifier.admin.preview import PreviewOptions
    from notifier.admin.preview import preview as render
    from notifier.enums import Cadence, Edition

    if send_to is not None:
        _refuse_both({"--out": out is not None, "--open": open_, "--serve": serve})
    options = PreviewOptions(
        profile,
        shared.member(Cadence, every, "--every"),
        shared.member(Edition, edition, "--edition"),
        shared.language_code(language),
        or_latest=send_to is not None,
        to=to,
    )
    with shared.open_deps(now) as deps:
        options = replace(options, since=_period(since, deps.now()))
        if serve:
            _serve(deps, options, port)
        elif send_to is not None:
            _send(deps, options, send_to)
        else:
            _show(render(deps, options), options, out, launch=open_)


def _show(
    digest: "Preview | None", options: "PreviewOptions", out: Path | None, *, launch: bool
) -> None:
    if digest is None:
        _say_empty(options)
    elif out is None and not launch:
        shared.say(f"Subject: {digest.subject}\n\n{digest.text}")
    else:
        _write(digest, out or _DEFAULT_FOLDER, launch=launch)


def _refuse_both(others: "Mapping[str, bool]") -> None:
    """Refuse options that show a digest beside the one that sends it.

    Raises:
        InputError: one of them is given.
    """
    from notifier.errors import InputError

    for name, is_given in others.items():
        if is_given:
            raise InputError(
                f"--send-to and {name} cannot be used together.", f"Leave {name} out, or --send-to."
            )


def _say_empty(options: "PreviewOptions") -> None:
    hint = (
        "To poll the sources first: notifier poll"
        if options.since
        else "To include what matched earlier: --since 30d"
    )
    shared.say(f"There is nothing to send. {hint}")


def _send(deps: "Deps", options: "PreviewOptions", recipient: str) -> None:
    """Send the digest as a test, and print the server's answer.

    Raises:
        NotifierError: no item is stored yet, or the server did not take the mail.
    """
    from notifier.admin.preview import send
    from notifier.deliver.outbox import SendResult
    from notifier.errors import NotifierError

    sent = send(deps, options, recipient)
    if sent is None:
        raise NotifierError(
            "Nothing was sent: no item has matched the profile yet.",
            "Read the sources first: notifier poll --force",
        )
    if sent.outcome.answer is not SendResult.ACCEPTED:
        raise NotifierError(
            f"The mail was not sent: {sent.outcome.text or sent.outcome.answer}",
            _fix_for(sent.outcome),
        )
    if sent.digest.is_latest:
        shared.say("No digest is due now, so the test mail shows the latest items.")
    shared.say(
        f"The mail server accepted the mail for {recipient}, with the subject "
        f"“{sent.digest.subject}”. Its links belong to nobody, and nothing was stored."
    )


def _fix_for(outcome: "Outcome") -> str:
    """Return what to check; nothing where the words about the connection say it already."""
    from notifier.deliver.bounces.advice import advice_for_test
    from notifier.deliver.outbox import SendResult

    if outcome.text.startswith("The mail server "):
        return ""
    is_put_off = outcome.answer is SendResult.DEFERRED and outcome.waits_because is None
    return advice_for_test(outcome.text, is_put_off=is_put_off)


def _serve(deps: "Deps", options: "PreviewOptions", port: int) -> None:
    from notifier.web import listening, preview_server

    listening.require_free("127.0.0.1", port)
    shared.say(f"Serving on http://127.0.0.1:{port}/, for this machine only. Ctrl-C stops it.")
    preview_server.serve(deps, options, port)


def _period(since: str, now: "datetime") -> timedelta | None:
    """Return the period back to the moment that `--since` means; None if it is empty.

    Raises:
        InputError: it is neither a period nor a date, or lies ahead.
    """
    from notifier.errors import InputError

    moment = filters.since(since, now)
    if moment is None:
        return None
    if moment >= now:
        raise InputError(f"--since {since} lies ahead.", "Name an earlier day, or a period as 30d.")
    return now - moment


def _write(digest: "Preview", folder: Path, *, launch: bool) -> None:
    """Write a digest's parts to a folder, and open the page in a browser if `launch` is set.

    The files are for their owner only: with --to they contain links that change that person's
    subscription.

    Raises:
        InputError: the folder or a file cannot be written.
    """
    from notifier.errors import InputError
    from notifier.store.files import write_private

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written: {error.strerror}.", "Choose another --out."
        ) from error
    write_private(folder / "digest.html", digest.html.encode("utf-8"))
    write_private(folder / "digest.txt", digest.text.encode("utf-8"))
    write_private(folder / "digest.eml", digest.message)
    shared.say(
        f"{digest.subject} ({digest.profile}): {folder / 'digest.html'}, digest.txt, digest.eml"
    )
    if launch:
        typer.launch(str((folder / "digest.html").resolve()))
