"""Test connection to a mail server: connect, encrypt, log in, and leave; nothing is sent.

Owns the choice of `smtp.security` where nobody made it. Which settings are asked for is the
command's; how a connection is opened is `deliver/smtp/connection.py`'s.
"""

import queue
import threading

from notifier.deliver.smtp.connection import ServerDownError, close_politely, connect
from notifier.settings import Smtp

# Seconds for each answer, and for all of it: a server may greet late (RFC 5321, 4.5.3.2.1), but one
# that is silent is mostly the wrong port, and a person waits. Chosen by hand; not measured.
_PATIENCE, _LONGEST_TEST = 10.0, 20.0
_TLS_PORT = 465  # RFC 8314, 3.3


def problem_of(smtp: Smtp) -> str:
    """Return why the mail server cannot be used, with the setting to check; empty if it can."""
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(_try(smtp)), daemon=True).start()
    try:
        return answers.get(timeout=_LONGEST_TEST)
    except queue.Empty:
        return (
            f"The mail server {smtp.host}:{smtp.port} says nothing for {_LONGEST_TEST:g} seconds. "
            "Check smtp.port: 587 or 25 for STARTTLS, 465 for TLS from the first byte on."
        )


def _try(smtp: Smtp) -> str:
    try:
        client = connect(smtp.model_copy(update={"timeout_seconds": _PATIENCE}))
    except ServerDownError as error:
        return str(error)
    close_politely(client)
    return ""


def with_usable_security(smtp: Smtp) -> tuple[Smtp, str]:
    """Return the settings with the best security that the server offers, and what is wrong.

    Without encryption only a server on this machine is used: a distant one that offers none now may
    be somebody else's.

    Args:
        smtp: the settings; their `security` is not used.

    Returns:
        The settings, and the problem that is left; empty if the server can be used.
    """
    security = "tls" if smtp.port == _TLS_PORT else "starttls"
    encrypted = smtp.model_copy(update={"security": security})
    problem = problem_of(encrypted)
    if problem and smtp.is_on_this_machine:
        plain = smtp.model_copy(update={"security": "none"})
        if not problem_of(plain):
            return plain, ""
    return encrypted, problem
