"""The help of groups of commands: each command with its whole first sentence."""

from click import Context, HelpFormatter
from typer.core import TyperGroup

# Both work at every command; a group passes them on to its commands.
HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}


class WholeSentences(TyperGroup):
    """A group whose help cuts no sentence, however narrow the terminal is."""

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the commands; long sentences go on in the next line."""
        rows = []
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                first = (command.help or "").partition("\n\n")[0]
                rows.append((name, " ".join(first.split())))
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
