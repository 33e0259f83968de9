"""A text in the person's own editor: $VISUAL, else $EDITOR.

Owns the file in between: it is private, and it is kept where the work in it would be lost.
"""

import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from notifier.cli import shared
from notifier.errors import InputError


@contextmanager
def edited(text: str, name: str) -> Iterator[tuple[str, Path]]:
    """Let a person edit a text; yield the edited one and the file in which it is.

    The file is deleted afterwards. If the block fails and the text was changed, it is kept, and its
    place is told.

    Args:
        text: the text to begin with.
        name: the name of the file, by whose ending editors recognise the format.

    Raises:
        InputError: no editor is named, or it failed.
    """
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not command:
        raise InputError(
            "No editor is named by $VISUAL or $EDITOR.",
            "Set one, such as EDITOR=nano; or: notifier profiles export SLUG > FILE.toml, then "
            "edit the file, then: notifier profiles import FILE.toml",
        )
    folder = Path(tempfile.mkdtemp(prefix="notifier-"))
    path, after = folder / name, text
    path.write_text(text, encoding="utf-8")
    try:
        _run(command, path)
        after = path.read_text(encoding="utf-8")
        yield after, path
    except BaseException:
        if after != text:
            shared.warn(f"Your text is kept in {path}. Correct it, and import that file.")
            raise
        _delete(path)
        raise
    _delete(path)


def _run(command: str, path: Path) -> None:
    """Run the editor until it ends.

    Raises:
        InputError: it cannot be run, or says that it failed.
    """
    try:
        subprocess.run([*shlex.split(command), str(path)], check=True)  # noqa: S603 - their own
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise InputError(
            f"The editor {command!r} failed: {getattr(error, 'strerror', None) or error}.",
            "Set $EDITOR to one that can be run, such as nano. Nothing was changed.",
        ) from error


def _delete(path: Path) -> None:
    for left in path.parent.iterdir():
        left.unlink()
    path.parent.rmdir()
