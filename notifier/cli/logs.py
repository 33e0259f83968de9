"""The log: warnings and errors of this program and of its libraries, on standard error.

Owns how a line of it looks. Messages and traces repeat what strangers sent (headers, titles,
paths), so each line is made printable: nothing in it acts on a terminal, and no message can pass
for two. Words with an ``@`` are left out: a database names in its errors the very row that it
refuses.
"""

import logging
import sys
import threading

from notifier.text.cleaning import one_printable_line, printable, redacted


class PrintableFormatter(logging.Formatter):
    """A message on one line, then its trace, without e-mail addresses or a character that acts on a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """The message, its line ends shown as marks."""
        return one_printable_line(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """The message and its trace, if there is one."""
        return printable(redacted(super().format(record)))


def set_up() -> None:
    """Let every logger of the process write here, those of libraries as well; once a process."""
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
            "A thread ended by an error.", exc_info=failed.exc_value
        )


def _log_failure(_kind: type[BaseException], error: BaseException, _trace: object) -> None:
    logging.getLogger("notifier").critical("The program ended by an error.", exc_info=error)
