"""Problems: an error in one step, for one profile or one person, stops no other.

Owns how an unexpected error is reported: a line in the report of the run, and the trace in the log.
E-mail addresses are removed from both, because subscriptions are health data.
"""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from notifier.errors import NotifierError
from notifier.text.cleaning import redacted

log = logging.getLogger("notifier")


class Problems:
    """The failures of one run, a sentence each, in `lines`."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @contextmanager
    def contained(self, what: str) -> Iterator[None]:
        """Run a piece of work whose failure must not stop the others.

        Args:
            what: the work, as the subject of a sentence: "The step compose". It names no person.
        """
        try:
            yield
        except Exception as error:  # noqa: BLE001 - this is what contains it
            self.note(what, error)

    def note(self, what: str, error: Exception) -> None:
        """Report and log an error that was caught; log the trace of an unexpected one.

        Args:
            what: the work that failed, as in `contained`.
            error: the error.
        """
        if isinstance(error, NotifierError):
            line = redacted(f"{what} failed: {error.problem} {error.fix}".rstrip())
            log.warning("%s", line)
        else:
            line = f"{what} failed: {describe_unexpected(error)}"
            log_trace(line, error)
        self.lines.append(line)


def describe_unexpected(error: Exception) -> str:
    """Describe an unexpected error by its type only, because its text may name a person."""
    return f"an unexpected error ({type(error).__name__}), whose trace is in the log."


def log_trace(what: str, error: Exception) -> None:
    """Log an error that was caught, with its trace and without e-mail addresses."""
    log.error("%s\n%s", what, redacted("".join(traceback.format_exception(error))).rstrip())
