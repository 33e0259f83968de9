"""The help of groups of commands: each command with its whole first sentence."""

from typing import Any

from typer.core import TyperGroup

# Both work at every command; a group passes them on to its commands.
HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}


class WholeSentences(TyperGroup):
    """A group whose help cuts no sentence, however narrow the terminal is."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands; long sentences go on in the next line."""
        # Typer brings its own copy of Click, whose types have no public name.
        rows = []
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                first = (command.help or "").partition("\n\n")[0]
                rows.append((name, " ".join(first.split())))
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
