"""`notifier settings`."""

from typing import TYPE_CHECKING

import typer

from notifier.cli import shared

if TYPE_CHECKING:
    from notifier.settings import Listed

# Columns before the origin of a value. Chosen by hand; not measured.
_VALUE_WIDTH = 44


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("settings")(settings)


def settings(json: shared.Json = False) -> None:
    """Show every setting: its value, its origin and its default.

    Secrets are not shown, only whether they are set. The database is not opened.
    """
    from notifier.settings import listed

    rows = listed()
    if json:
        shared.print_json(
            [
                {
                    "key": row.key,
                    "value": row.value,
                    "default": row.default,
                    "origin": row.origin,
                    "variable": row.variable,
                }
                for row in rows
            ]
        )
        return
    path = shared.config_path()
    shared.say(f"# {path.absolute()}{'' if path.exists() else ' (there is no such file)'}")
    section = ""
    for row in rows:
        if (its := row.key.rpartition(".")[0]) != section:
            section = its
            shared.say("")
        shared.say(_line(row, path.name))


def _line(row: "Listed", file: str) -> str:
    """Return a line such as ``smtp.port = 587   # notifier.toml; default: 25``."""
    origin = {"file": file, "environment": row.variable, "default": "default"}[row.origin]
    if row.origin != "default" and row.default is not None and row.default != row.value:
        origin = f"{origin}; default: {_words(row.default)}"
    return f"{f'{row.key} = {_words(row.value)}':<{_VALUE_WIDTH}}  # {origin}"


def _words(value: object) -> str:
    """Return a value as the settings file has it."""
    from notifier.cli.starter import toml_line

    if value in (None, [], {}):
        return "-"
    if isinstance(value, dict):
        return str(value)
    return toml_line("x", value).removeprefix("x = ").replace("\n", " ")
