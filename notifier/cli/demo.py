"""`notifier demo`."""

import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import invocation, shared
from notifier.text.cleaning import one_printable_line

if TYPE_CHECKING:
    from rich.table import Table

    from notifier.demo.story import Story

# The content of the extra `demo`: a mail server for tests.
MAIL_SERVER = "aiosmtpd>=1.4.6"
_HOST = "127.0.0.1"
# The first at the end of the story: the week is long past, and no digest of it is due any more.
_COMMANDS_TO_TRY = (
    "preview --since 30d --open --now {end}",
    "matches list",
    "digests list",
    "deliveries list",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder for the demo's settings and mails.")
    ] = Path("notifier-demo"),
    serve: Annotated[
        bool,
        typer.Option("--serve", help="Serve the pages afterwards; the links in the mails work."),
    ] = False,
    port: Annotated[
        int, typer.Option(min=1, max=65535, metavar="PORT", help="The port of --serve.")
    ] = 8000,
) -> None:
    """Play a week of news on this machine.

    A news site on loopback publishes, changes and corrects made-up articles, and three subscribers
    get their mails, which are written to files.
    """
    _require_mail_server()
    from notifier.demo import story as demo_story

    if serve:
        _serve(out, port)
        return
    _print_story(demo_story.run(out))


def _require_mail_server() -> None:
    """Check, before anything is written, that the extra `demo` is installed.

    Raises:
        InputError: it is not.
    """
    from notifier.errors import InputError

    if find_spec("aiosmtpd") is None:
        raise InputError(
            "The demo needs a mail server for tests (the extra notifier[demo]), which is not "
            "installed.",
            f"Install it: {sys.executable} -m pip install '{MAIL_SERVER}'",
        )


def _print_story(story: "Story") -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    console.print(
        "\n[bold]A week with notifier[/bold] (every article, page and trial in it is made up)\n"
    )
    console.print(_week(story))
    console.print(
        f"\nThe site answered {story.answers.get(200, 0)} times with a document and "
        f"{story.answers.get(304, 0)} times with [i]not modified[/i]. "
        f"Mails in {escape(one_printable_line(str(story.folder / 'mails')))}:\n"
    )
    console.print(_mails(story))
    console.print(
        "\nOpen one in a browser (.eml and .txt are beside it). "
        "Then try other commands on the same installation:"
    )
    for command in commands_to_try(story):
        shared.say(f"  {command}")


def commands_to_try(story: "Story") -> list[str]:
    """Return commands on the installation that the demo made, for a shell."""
    config = shlex.quote(str(story.folder / "notifier.toml"))
    end = f"{story.steps[-1].moment:%Y-%m-%dT%H:%M}"
    start = f"{invocation.program()} --config {config}"
    return [f"{start} {command.format(end=end)}" for command in _COMMANDS_TO_TRY]


def _week(story: "Story") -> "Table":
    """Return the table of the steps: when, what happens, new revisions, accepted mails."""
    from rich.table import Table

    week = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    week.add_column("Time (UTC)", no_wrap=True)
    week.add_column("What happens")
    week.add_column("New", justify="right", no_wrap=True)
    week.add_column("Mails", justify="right", no_wrap=True)
    for step in story.steps:
        revisions = sum(result.new + result.changed for result in step.report.polled)
        accepted = step.report.sent.accepted
        week.add_row(
            f"[cyan]{step.moment:%a %d %b %H:%M}[/cyan]",
            step.text,
            str(revisions or "-"),
            f"[green]{accepted}[/green]" if accepted else "-",
        )
    return week


def _mails(story: "Story") -> "Table":
    from rich.table import Table

    mails = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("File", "To", "Subject"):
        mails.add_column(heading)
    for to, subject, file in story.mails:
        mails.add_row(file.name, to, subject)
    return mails


def _serve(out: Path, port: int) -> None:
    """Play the week with links that lead to this machine, and serve their pages."""
    from notifier.demo import story as demo_story
    from notifier.deps import from_settings
    from notifier.settings import load
    from notifier.web import listening
    from notifier.web.app import serve

    listening.require_free(_HOST, port)
    address = f"http://{_HOST}:{port}"
    story = demo_story.run(out, address)
    _print_story(story)
    deps = from_settings(load(story.folder / "notifier.toml", {}), story.steps[-1].moment)
    shared.say(f"\nServing on {address}, where the links in the mails lead. Ctrl-C stops it.")
    serve(deps, _HOST, port)
