"""The log: warnings and errors of this program and of its libraries, on standard error.

Owns the format of its lines: with time and level for a person at a terminal, else a JSON document a
line, for journals and collectors. Messages name things by their ids. They and their traces contain
text from outside (headers, titles, paths), so each line is made printable: nothing in it can
control a terminal, and no message can look like two. Words with an ``@`` are left out, because the
error of a database may quote a row.
"""

import json
import logging
import re
import sys
import threading
from datetime import UTC, datetime

from notifier.text.cleaning import one_printable_line, printable, redacted

# How messages name things: "source 3: …", "Delivery 12 cannot be built".
_ID = re.compile(
    r"(?i)\b(source|entry|revision|match|profile|digest|delivery|subscription|subscriber) "
    r"([0-9]{1,18})\b"
)


class PrintableFormatter(logging.Formatter):
    """A formatter of lines for a person, without e-mail addresses: time, level, message, trace."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """Return time, level and message as one line; its line ends become visible marks."""
        head = f"{_time(record):%Y-%m-%d %H:%M:%S}Z {record.levelname.lower()}: "
        return head + one_printable_line(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """Return the message, and its trace if there is one."""
        return printable(redacted(super().format(record)))


class JsonFormatter(logging.Formatter):
    """A formatter of lines for programs: a JSON document each, without e-mail addresses.

    Its keys are ``time`` (ISO 8601, UTC), ``level``, ``logger``, ``message``, and where there are
    some ``ids`` (``{"source": 3}``), ``numbers`` (of a run) and ``trace``.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the document in ASCII: what would control a terminal is escaped."""
        message = redacted(record.getMessage())
        document: dict[str, object] = {
            "time": _time(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
        }
        if ids := {name.lower(): int(number) for name, number in _ID.findall(message)}:
            document["ids"] = ids
        if numbers := getattr(record, "numbers", None):
            document["numbers"] = numbers
        if record.exc_info:
            document["trace"] = redacted(self.formatException(record.exc_info))
        return json.dumps(document, ensure_ascii=True)


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def set_up() -> None:
    """Set up the log of this process, for all libraries too; call it once."""
    handler = logging.StreamHandler()
    at_terminal = handler.stream.isatty()
    handler.setLevel(logging.INFO)
    handler.setFormatter(PrintableFormatter() if at_terminal else JsonFormatter())
    logging.getLogger().addHandler(handler)
    logging.captureWarnings(capture=True)
    threading.excepthook = _log_failed_thread
    sys.excepthook = _log_failure


def tell_what_is_done() -> None:
    """Log what this program does, too, and not only what fails: for a service with a journal."""
    logging.getLogger("notifier").setLevel(logging.INFO)


def _log_failed_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None and failed.exc_type is not SystemExit:
        logging.getLogger("notifier").error(
            "A thread ended with an error.", exc_info=failed.exc_value
        )


def _log_failure(_kind: type[BaseException], error: BaseException, _trace: object) -> None:
    logging.getLogger("notifier").critical("The program ended with an error.", exc_info=error)
