"""The words by which this program was started, for commands that a person is to repeat."""

import os
import shlex
import shutil
import sys
from pathlib import Path


def program() -> str:
    """Return how to start this program again from the present folder, for a shell."""
    path = Path(sys.argv[0])
    if shutil.which("notifier") or path.name not in ("notifier", "__main__.py"):
        return "notifier"
    if path.name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m notifier"
    here = path.is_relative_to(Path.cwd())
    return shlex.quote(str(path.relative_to(Path.cwd()) if here else path))


def command(*arguments: str) -> str:
    """Return a command on the same installation, for a shell."""
    named = os.environ.get("NOTIFIER_CONFIG")
    config = ["--config", named] if named else []
    return " ".join([program(), *map(shlex.quote, [*config, *arguments])])
