"""Containment: an error in one step, for one profile or one person, stops no other.

Owns how an error that nobody expected is written down: a line for the report of the run, and its
trace in the log. No e-mail address stands in either, for who subscribes is health data.
"""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from notifier.errors import NotifierError
from notifier.text.cleaning import redacted

log = logging.getLogger("notifier")


class Problems:
    """What went wrong in one run, a sentence each."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @contextmanager
    def contained(self, what: str) -> Iterator[None]:
        """Run a piece of work whose failure must not stop the others.

        Args:
            what: the work as the subject of a sentence: ``The step compose``. It names no person.
        """
        try:
            yield
        except Exception as error:  # noqa: BLE001 - this is what contains it
            self.note(what, error)

    def note(self, what: str, error: Exception) -> None:
        """Write down an error that was caught: one that says what to do in words, any other with its trace."""
        if isinstance(error, NotifierError):
            line = redacted(f"{what} failed: {error.problem} {error.fix}".rstrip())
            log.warning("%s", line)
        else:
            line = f"{what} failed: {describe_unexpected(error)}"
            log_trace(line, error)
        self.lines.append(line)


def describe_unexpected(error: Exception) -> str:
    """An error that nobody expected, in words for a report; its text is left out, for it may name a person."""
    return f"an unexpected error ({type(error).__name__}), whose trace is in the log."


def log_trace(what: str, error: Exception) -> None:
    """Log an error that was caught, with its trace, without e-mail addresses."""
    log.error("%s\n%s", what, redacted("".join(traceback.format_exception(error))).rstrip())
