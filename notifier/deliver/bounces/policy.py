"""Bounce policy: the consequence of one failed mail for the person it was written to.

Pure. One decision for both ways in which an address says no: the mail server's answer while a mail
is sent, and the report that comes back later. It reads verdicts and codes, never sentences.
"""

import re
from datetime import datetime, timedelta
from typing import NamedTuple

from notifier.enums import BounceKind, SuppressionCause

# The first soft bounce holds a person's mails back for 2 hours, each further one for twice as long,
# up to 64 hours. Chosen by hand; not measured.
_FIRST_HOLD, _MOST_DOUBLINGS = timedelta(hours=2), 5
# One soft bounce is forgotten after each 7 days without another. Chosen by hand; not measured.
_FORGOTTEN_AFTER = timedelta(days=7)
# The address is suppressed at this number of soft bounces. Chosen by hand; not measured.
_SUPPRESSED_AT = 8
# The state of the recipient's mailbox (RFC 3463, 3.3): disabled, full, message too long for it.
_MAILBOX_STATUS = re.compile(r"(?a)5\.2\.[1-9]")


class Evidence(NamedTuple):
    """The data of one failure that belongs to one recipient.

    Attributes:
        kind: the verdict on the failure.
        status: the enhanced status code (RFC 3463), for example ``5.1.1``; empty if there is none.
        reply_code: the SMTP reply code (RFC 5321), for example ``550``; empty if there is none.
        reported: True for a report that came back, False for an answer to RCPT TO.
    """

    kind: BounceKind
    status: str = ""
    reply_code: str = ""
    reported: bool = False

    @property
    def code(self) -> str:
        """The more precise of the two codes; empty if there is none."""
        return self.status or self.reply_code


class Hold(NamedTuple):
    """A pause of all mails to one person.

    Attributes:
        soft_bounces: the number of soft bounces of the person that now count.
        until: the end of the pause.
    """

    soft_bounces: int
    until: datetime


class Consequence(NamedTuple):
    """The changes that a failure causes for a person; by default none.

    Attributes:
        hold: the pause of their mails; None if there is none.
        suppression: the cause under which the address is suppressed; None if it is not.
    """

    hold: Hold | None = None
    suppression: SuppressionCause | None = None


def decide(
    evidence: Evidence, soft_bounces: int, last_soft_bounce: datetime | None, now: datetime
) -> Consequence:
    """Return the consequence of a failure.

    A soft answer to RCPT TO counts against the person only where it is about their mailbox: any
    other (a blocked sender, a policy) is about us, and holds the digest instead. A soft report
    always counts, because its mail was accepted before.

    Args:
        evidence: the failure.
        soft_bounces: the number of earlier soft bounces that is stored for the person.
        last_soft_bounce: the time of the latest of them.
        now: the time of the failure.
    """
    if evidence.kind is BounceKind.HARD:
        return Consequence(suppression=SuppressionCause.BOUNCED)
    if evidence.kind is BounceKind.COMPLAINT:
        return Consequence(suppression=SuppressionCause.COMPLAINED)
    if evidence.kind is not BounceKind.SOFT:
        return Consequence()
    if not evidence.reported and not _MAILBOX_STATUS.fullmatch(evidence.status):
        return Consequence()
    hold = _next_hold(soft_bounces, last_soft_bounce, now)
    suppressed = hold.soft_bounces >= _SUPPRESSED_AT
    return Consequence(hold, SuppressionCause.BOUNCED if suppressed else None)


def _next_hold(soft_bounces: int, last_soft_bounce: datetime | None, now: datetime) -> Hold:
    if last_soft_bounce is not None:
        soft_bounces = max(0, soft_bounces - (now - last_soft_bounce) // _FORGOTTEN_AFTER)
    doublings = min(soft_bounces, _MOST_DOUBLINGS)
    return Hold(soft_bounces + 1, now + _FIRST_HOLD * 2**doublings)
