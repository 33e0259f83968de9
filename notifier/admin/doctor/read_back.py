"""The test mail on its way: handed to the mail server, and found again in a mailbox by IMAP.

The mailbox is opened for reading only: nothing in it is marked as seen.
"""

import re
import time
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from typing import TYPE_CHECKING

from notifier.admin.doctor import sample_mail
from notifier.admin.doctor.return_path import tagged
from notifier.deliver.bounces import mailbox
from notifier.deliver.bounces.imap_words import quoted_folder
from notifier.deliver.outbox import WITHOUT_ROW, Outcome, new_message_id
from notifier.deliver.smtp.protocol import OutgoingMessage
from notifier.deps import Deps
from notifier.email_addresses import normalize, to_ascii_domain
from notifier.errors import NotifierError
from notifier.messages.digest_mail import build_message
from notifier.text.cleaning import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

# Seconds between two looks into the mailbox, and the bytes of a mail that are read. Both chosen by
# hand.
_BETWEEN, _LARGEST = 3.0, 1_000_000
_LONGEST_HEADER = 5_000
_VERDICT = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*([a-z]{1,20})")


@dataclass
class RoundTrip:
    """One test mail.

    Attributes:
        deps: the installation.
        now: its date.
        recipient: the address that gets it.
    """

    deps: Deps
    now: datetime
    recipient: str

    @cached_property
    def message_id(self) -> str:
        """Its Message-ID, with angle brackets."""
        return new_message_id(self.deps.mail_domain)

    @cached_property
    def outcome(self) -> Outcome:
        """The answer of our mail server; the mail is sent when it is first asked for.

        Raises:
            AddressError: the recipient is not an e-mail address.
            SettingsError: the sender's address is not set.
        """
        self.deps.require_sender()
        address = normalize(self.recipient)
        spec = sample_mail.spec(self.deps, address, self.message_id, self.now)
        octets = build_message(self.deps, spec, self.now)
        sender = self.deps.settings.sender
        envelope = tagged(self.deps, self.message_id) if sender.bounce_tags else ""
        outgoing = OutgoingMessage(
            WITHOUT_ROW,
            envelope or self.deps.bounce_address,
            to_ascii_domain(address),
            lambda: octets,
        )
        outcomes: list[Outcome] = []
        problem = self.deps.transport.send([outgoing], outcomes.extend)
        self.deps.transport.close()
        return outcomes[0]._replace(text=problem or outcomes[0].text)

    def find(self, url: str, password: str, patience: float) -> "ReceivedMail | None":
        """Look for the mail in a mailbox until it is there, or patience ends.

        Args:
            url: ``imaps://user@host/INBOX``.
            password: of the user.
            patience: in seconds.

        Returns:
            None if it did not come in time.

        Raises:
            NotifierError: the mailbox cannot be read.
        """
        began = time.monotonic()
        while True:
            for octets in mailbox.visit_by_imap(url, password, self._search):
                return ReceivedMail(bytes(octets), time.monotonic() - began)
            rest = patience - (time.monotonic() - began)
            if rest <= 0:
                return None
            time.sleep(min(_BETWEEN, rest))

    def _search(self, server: mailbox.Server, folder: str) -> "Iterator[mailbox.Mail]":
        status, _ = server.select(quoted_folder(folder), readonly=True)
        if status != "OK":
            raise NotifierError(
                f"The mailbox has no folder {clean(folder)}.", "Give its name at the end of --imap."
            )
        _, response = server.uid("SEARCH", "HEADER", "Message-ID", f'"{self.message_id}"')
        for number in (response[0] or b"").split()[:1]:
            _, parts = server.uid("FETCH", number.decode("ascii"), f"(BODY.PEEK[]<0.{_LARGEST}>)")
            for part in parts:
                if isinstance(part, tuple):
                    yield mailbox.Mail(part[1])
                    return


@dataclass(frozen=True)
class ReceivedMail:
    """The mail as it arrived.

    Attributes:
        octets: the whole mail.
        seconds: how long it was looked for.
    """

    octets: bytes
    seconds: float

    @cached_property
    def verdicts(self) -> dict[str, str]:
        """The verdicts of the receiving server (RFC 8601), by mechanism: ``{"spf": "pass"}``.

        Only the first header counts: others may have come with the mail.
        """
        mail = message_from_bytes(self.octets, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        headers = mail.get_all("Authentication-Results", [])
        text = clean(str(headers[0]))[:_LONGEST_HEADER].lower() if headers else ""
        verdicts: dict[str, str] = {}
        for mechanism, result in _VERDICT.findall(text):
            # Several signatures: one that passes is enough.
            if verdicts.get(mechanism) != "pass":
                verdicts[mechanism] = result
        return verdicts
