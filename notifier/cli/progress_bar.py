"""The progress bar of long commands, on standard error."""

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from notifier.text.cleaning import one_printable_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Characters of a progress bar's description.
_DESCRIPTION_WIDTH = 60


@contextmanager
def progress(shown: bool) -> "Iterator[Callable[[int, int, str], None] | None]":
    """Show a progress bar on standard error if that is a terminal.

    Args:
        shown: whether to show one at all.

    Yields:
        A function that takes how many are done, how many there are, and a description of the last;
        None if no bar is shown.
    """
    if not shown or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, last: bar.update(
            task,
            completed=done,
            total=total,
            description=one_printable_line(last[:_DESCRIPTION_WIDTH]),
        )
