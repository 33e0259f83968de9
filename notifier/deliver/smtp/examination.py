"""Examination of a mail server: what it says before any mail, for `notifier doctor`.

Owns two conversations, and no mail is sent in either: the greeting of our own mail server, and the
question to another one whether it takes mail for an address.
"""

from dataclasses import dataclass, field
from datetime import datetime

from notifier.deliver.redaction import safe
from notifier.deliver.smtp.connection import (
    ServerDownError,
    Step,
    certificate_expires,
    close_politely,
    connect,
)
from notifier.settings import Smtp

# Seconds for an answer of another mail server, and for a greeting: some servers keep strangers
# waiting for some seconds. Chosen by hand; not measured.
_PATIENCE, _GREETING = 20, 30


@dataclass(frozen=True)
class ServerState:
    """The answers of our own mail server.

    Attributes:
        failed_at: the step at which the connection ended; None if it can be used.
        problem: the reason, with the setting to check.
        features: its extensions (RFC 5321, 4.1.1.1) with their parameters, in lower case.
        expires: the time until which its certificate is valid; None without encryption.
        own_name: the name by which we greeted it.
    """

    failed_at: Step | None = None
    problem: str = ""
    features: dict[str, str] = field(default_factory=dict)
    expires: datetime | None = None
    own_name: str = ""


def examine(smtp: Smtp) -> ServerState:
    """Connect, encrypt and log in as for sending, read what the server offers, and leave."""
    try:
        client = connect(smtp, _GREETING)
    except ServerDownError as error:
        return ServerState(error.step, str(error))
    features = {name.lower(): str(text) for name, text in client.esmtp_features.items()}
    state = ServerState(
        features=features,
        expires=certificate_expires(client),
        own_name=client.local_hostname,
    )
    close_politely(client)
    return state


@dataclass(frozen=True)
class Acceptance:
    """The answer of a mail server to a recipient.

    Attributes:
        code: the reply code; 0 if there was no answer.
        answer: its words, or the reason why there are none; without addresses.
        is_about_us: whether it was refused before the address was named.
    """

    code: int
    answer: str
    is_about_us: bool = False

    @property
    def is_taken(self) -> bool:
        """True if it takes mail for the address."""
        return 200 <= self.code < 300

    @property
    def is_refused(self) -> bool:
        """True if it refuses the address for good."""
        return 500 <= self.code < 600


def ask_for(recipients: list[str], smtp: Smtp) -> list[Acceptance]:
    """Ask a mail server whether it takes reports for addresses, and send nothing.

    The sender is the null one, as that of a report is (RFC 5321, 4.5.5).

    Args:
        recipients: ASCII addresses.
        smtp: host and port of the server; no log-in.

    Returns:
        An answer for each address.
    """
    patient = smtp.model_copy(update={"timeout_seconds": min(smtp.timeout_seconds, _PATIENCE)})
    try:
        client = connect(patient, _GREETING)
    except ServerDownError as error:
        return [Acceptance(0, str(error)) for _ in recipients]
    acceptances: list[Acceptance] = []
    try:
        code, answer = client.docmd("MAIL", "FROM:<>")
        for recipient in recipients:
            if 200 <= code < 300:
                reply, text = client.docmd("RCPT", f"TO:<{recipient}>")
                acceptances.append(Acceptance(reply, safe(text.decode("utf-8", "replace"))))
            else:
                refusal = safe(answer.decode("utf-8", "replace"))
                acceptances.append(Acceptance(code, refusal, is_about_us=True))
        client.docmd("RSET")
    except OSError as error:  # the library's errors are among them
        missing = len(recipients) - len(acceptances)
        acceptances += [Acceptance(0, safe(str(error)))] * missing
    finally:
        close_politely(client)
    return acceptances
