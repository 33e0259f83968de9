"""The log: warnings and errors of this program and of its libraries, on standard error.

Owns the format of its lines. Messages and traces contain text from outside (headers, titles,
paths), so each line is made printable: nothing in it can control a terminal, and no message can
look like two. Words with an ``@`` are left out, because the error of a database may quote a row.
"""

import logging
import sys
import threading

from notifier.text.cleaning import one_printable_line, printable, redacted


class PrintableFormatter(logging.Formatter):
    """A formatter of printable lines without e-mail addresses: the message, then its trace."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """Return the message as one line; its line ends become visible marks."""
        return one_printable_line(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """Return the message, and its trace if there is one."""
        return printable(redacted(super().format(record)))


def set_up() -> None:
    """Set up the log of this process, for all libraries too; call it once."""
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    handler.setFormatter(PrintableFormatter())
    logging.getLogger().addHandler(handler)
    logging.captureWarnings(capture=True)
    threading.excepthook = _log_failed_thread
    sys.excepthook = _log_failure


def _log_failed_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None and failed.exc_type is not SystemExit:
        logging.getLogger("notifier").error(
            "A thread ended with an error.", exc_info=failed.exc_value
        )


def _log_failure(_kind: type[BaseException], error: BaseException, _trace: object) -> None:
    logging.getLogger("notifier").critical("The program ended with an error.", exc_info=error)
