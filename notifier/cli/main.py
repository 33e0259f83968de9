"""The command line as a whole: its commands joined, its errors told, its exit codes."""

import io
import os
import traceback
from collections.abc import Sequence

import typer

from notifier.cli import (
    backtest,
    bounces,
    deliveries,
    demo,
    digests,
    dkim,
    entries,
    evaluate,
    explain,
    init,
    matches,
    poll,
    preview,
    profiles,
    serve,
    shared,
    sources,
    subscribe,
    subscribers,
)
from notifier.cli import (
    run as running,
)
from notifier.errors import InputError, NotifierError, SettingsError

app = typer.Typer(
    name="notifier",
    help="Follow the news about a therapy, and mail each subscriber a digest: once, on time, with reasons.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for _command in (
    init,
    demo,
    running,
    poll,
    preview,
    explain,
    evaluate,
    backtest,
    subscribe,
    serve,
    dkim,
):
    _command.register(app)
for _noun in (sources, entries, profiles, matches, subscribers, digests, deliveries, bounces):
    app.add_typer(_noun.app)


@app.callback()
def _root(
    config: str = typer.Option(
        "",
        metavar="PATH",
        help="The settings file; else $NOTIFIER_CONFIG, else notifier.toml here.",
    ),
    version: bool = typer.Option(False, "--version", help="Print the version and leave."),
) -> None:
    """Take what stands before the command; `run` has taken `--config` already, wherever it stood."""
    if version:
        from notifier import __version__

        shared.say(f"notifier {__version__}")
        raise typer.Exit
    if config:
        os.environ["NOTIFIER_CONFIG"] = config


def run(args: Sequence[str]) -> int:
    """Run one command.

    Args:
        args: what stands after the program's name; `--config PATH` may stand anywhere in it.

    Returns:
        The exit code: 0 done, 1 a step failed, 2 usage or settings.
    """
    shared.write_every_character()
    try:
        code = app(_config_first(list(args)), standalone_mode=False)
    except NotifierError as error:
        _tell(error)
        return exit_code_of(error)
    except typer.Abort:
        return 1
    except Exception as error:  # noqa: BLE001 - whatever it is, its words are made printable
        return _refused_usage(error) or _unexpected(error)
    return code if isinstance(code, int) else 0


def exit_code_of(error: NotifierError) -> int:
    """Give the exit code for an error: 2 for usage and settings, where nothing was done, else 1."""
    return 2 if isinstance(error, (InputError, SettingsError)) else 1


def _refused_usage(error: Exception) -> int:
    """Print a usage error of the option parser, which knows its own words; 0 if the error is something else."""
    show = getattr(error, "show", None)
    if show is None or not isinstance(getattr(error, "exit_code", None), int):
        return 0
    words = io.StringIO()
    show(file=words)  # the words repeat what was typed
    shared.warn(words.getvalue().rstrip("\n"))
    return 2


def _unexpected(error: Exception) -> int:
    """Print the trace of an error that nobody foresaw, for a report; its words may be a stranger's."""
    shared.warn("".join(traceback.format_exception(error)).rstrip("\n"))
    return 1


def _config_first(args: list[str]) -> list[str]:
    for index, word in enumerate(args):
        if word == "--config" and index + 1 < len(args):
            return ["--config", args[index + 1], *args[:index], *args[index + 2 :]]
        if word.startswith("--config="):
            return [word, *args[:index], *args[index + 1 :]]
    return args


def _tell(error: NotifierError) -> None:
    shared.warn(f"Error: {error.problem}")
    if error.fix:
        shared.warn(f"  {error.fix}")
