"""`notifier demo`."""

import shlex
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import shared
from notifier.text.cleaning import one_printable_line

if TYPE_CHECKING:
    from notifier.demo.story import Story

# What the extra `demo` holds: the mail server that takes the demo's mails.
MAIL_SERVER = "aiosmtpd>=1.4.6"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the demo's installation and mails go.")
    ] = Path("notifier-demo"),
    serve: Annotated[
        bool, typer.Option("--serve", help="Afterwards serve the pages that the mails link to.")
    ] = False,
) -> None:
    """Play the whole journey on this machine: a made-up news site, three subscribers, a week, their mails."""
    _require_mail_server()
    from notifier.demo import story as play

    story = play.run(out)
    _tell(story)
    if serve:
        _serve(story)


def _require_mail_server() -> None:
    """Refuse before anything is touched: a production installation has no mail server of its own."""
    from notifier.errors import InputError

    if find_spec("aiosmtpd") is None:
        raise InputError(
            "The demo needs a mail server on this machine, and it is not installed.",
            f"It is the extra notifier[demo]. Install it: {sys.executable} -m pip install '{MAIL_SERVER}'",
        )


def _tell(story: "Story") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    console.print(
        "\n[bold]A week with notifier[/bold] (every article, page and trial in it is made up)\n"
    )
    week = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading, justify in (
        ("Time (UTC)", "left"),
        ("What happens", "left"),
        ("New", "right"),
        ("Mails", "right"),
    ):
        week.add_column(heading, justify=justify, no_wrap=heading != "What happens")  # type: ignore[arg-type]
    for step in story.steps:
        fresh = sum(one.new + one.changed for one in step.report.polled)
        accepted = step.report.sent.accepted
        week.add_row(
            f"[cyan]{step.moment:%a %d %b %H:%M}[/cyan]",
            step.told,
            str(fresh or "-"),
            f"[green]{accepted}[/green]" if accepted else "-",
        )
    console.print(week)
    console.print(
        f"\nThe site answered {story.answers.get(200, 0)} times with a document and "
        f"{story.answers.get(304, 0)} times with [i]not modified[/i]. "
        f"Mails in {escape(one_printable_line(str(story.folder / 'mails')))}:\n"
    )
    mails = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("File", "To", "Subject"):
        mails.add_column(heading)
    for to, subject, file in story.mails:
        mails.add_row(file.name, to, subject)
    console.print(mails)
    config = story.folder / "notifier.toml"
    console.print(
        "\nOpen one in a browser (.eml and .txt lie beside it), then go on in the same installation:"
    )
    for command in (
        "preview --since 30d --open",
        "matches list",
        "digests list",
        "deliveries list",
    ):
        shared.say(f"  {_program()} --config {shlex.quote(str(config))} {command}")


def _program() -> str:
    """How this command line is called from here."""
    if shutil.which("notifier"):
        return "notifier"
    place = Path(sys.argv[0])
    return str(place.relative_to(Path.cwd())) if place.is_relative_to(Path.cwd()) else str(place)


def _serve(story: "Story") -> None:
    from notifier.demo import story as play
    from notifier.deps import from_settings
    from notifier.settings import load
    from notifier.web.app import serve

    deps = from_settings(load(story.folder / "notifier.toml", {}), story.steps[-1].moment)
    web = deps.settings.web
    shared.say(
        f"\nServing on http://{web.host}:{web.port}. In the mails, read {play.PUBLIC_URL} as that. Ctrl-C stops."
    )
    serve(deps, web.host, web.port)
