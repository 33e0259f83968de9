"""The command line as a whole: all commands, and how their errors become text and exit codes.

Exit codes: 0 the command did what was asked; 1 it failed, at least in part, or there was nothing to
change; 2 it was called wrongly, or a setting is wrong, and nothing was done.
"""

import io
import os
import traceback
from collections.abc import Sequence

import typer

from notifier.cli import (
    backtest,
    bounces,
    clock,
    db,
    deliveries,
    demo,
    digests,
    dkim,
    docs,
    doctor,
    entries,
    evaluate,
    explain,
    init,
    matches,
    operators,
    poll,
    preview,
    profiles,
    serve,
    settings,
    shared,
    sources,
    stats,
    subscribe,
    subscribers,
    why,
    work,
)
from notifier.cli import run as run_command
from notifier.cli.help_text import HELP_OPTIONS, WholeSentences
from notifier.errors import InputError, NotifierError, SettingsError

app = typer.Typer(
    name="notifier",
    help="Follow the news about a therapy, and mail each subscriber a digest: once, on time, "
    "with the reason for each item.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=HELP_OPTIONS,
    cls=WholeSentences,
)

for _command in (
    init,
    demo,
    run_command,
    work,
    poll,
    preview,
    explain,
    evaluate,
    backtest,
    why,
    stats,
    subscribe,
    serve,
    clock,
    dkim,
    settings,
    docs,
    doctor,
):
    _command.register(app)
_NOUNS = (
    sources,
    entries,
    profiles,
    matches,
    subscribers,
    digests,
    deliveries,
    bounces,
    operators,
    db,
)
for _noun in _NOUNS:
    app.add_typer(_noun.app, cls=WholeSentences)


@app.callback()
def _root(
    config: str = typer.Option(
        "",
        metavar="PATH",
        help="The settings file. Default: $NOTIFIER_CONFIG, or notifier.toml in this folder.",
    ),
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    """Read the options before the command; `run` moves `--config` there from anywhere."""
    if version:
        from notifier import __version__

        shared.say(f"notifier {__version__}")
        raise typer.Exit
    if config:
        os.environ["NOTIFIER_CONFIG"] = config


def run(args: Sequence[str]) -> int:
    """Run one command.

    Args:
        args: the arguments after the program's name; `--config PATH` may be anywhere among them.

    Returns:
        The exit code, see the head of this file.
    """
    shared.write_every_character()
    try:
        code = app(_config_first(list(args)), standalone_mode=False)
    except NotifierError as error:
        _print_error(error)
        return exit_code_of(error)
    except typer.Abort:
        return 1
    except Exception as error:  # noqa: BLE001 - any error may quote text from outside
        return _print_usage_error(error) or _print_unexpected_error(error)
    return code if isinstance(code, int) else 0


def exit_code_of(error: NotifierError) -> int:
    """Return the exit code for an error: 2 for wrong input and settings, else 1."""
    return 2 if isinstance(error, (InputError, SettingsError)) else 1


def _print_usage_error(error: Exception) -> int:
    """Print an error of the option parser, and return 2; return 0 if it is another error."""
    show = getattr(error, "show", None)
    if show is None or not isinstance(getattr(error, "exit_code", None), int):
        return 0
    text = io.StringIO()
    show(file=text)  # not to standard error directly: it quotes what was typed
    shared.warn(text.getvalue().rstrip("\n"))
    return 2


def _print_unexpected_error(error: Exception) -> int:
    """Print the trace of an unexpected error, for a bug report, and return 1."""
    shared.warn("".join(traceback.format_exception(error)).rstrip("\n"))
    return 1


def _config_first(args: list[str]) -> list[str]:
    for index, argument in enumerate(args):
        if argument == "--config" and index + 1 < len(args):
            return ["--config", args[index + 1], *args[:index], *args[index + 2 :]]
        if argument.startswith("--config="):
            return [argument, *args[:index], *args[index + 1 :]]
    return args


def _print_error(error: NotifierError) -> None:
    shared.warn(f"Error: {error.problem}")
    if error.fix:
        shared.warn(f"  {error.fix}")
