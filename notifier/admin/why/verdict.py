"""The verdict on an entry and a subscription: what became of it, why, and what happens next.

Owns the outcomes and their order. Pure: it judges `facts.Facts` and reads nothing else.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class Outcome(StrEnum):
    """The fate of an entry for a subscription, from the best answer to the least.

    `sent`: the mail server accepted it. `uncertain`: the connection ended before its answer.
    `waiting`: a mail with it is planned or under way. `due`: it goes into the next digest. `held`:
    it waits for a person. `failed`: it was refused or given up. `suppressed`: the address is not
    mailed. `ended`, `paused`, `pending`: the subscription is. `dropped`: a person dropped it.
    `not_owed`: it matched, and this subscription is not owed it. `filed`: it matched and is mailed
    to nobody. `not_judged`: it waits to be judged. `not_matched`: it does not concern the therapy.
    `not_fed`: its source is watched for other therapies.
    """

    SENT = "sent"
    UNCERTAIN = "uncertain"
    WAITING = "waiting"
    DUE = "due"
    HELD = "held"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    ENDED = "ended"
    PAUSED = "paused"
    PENDING = "pending"
    DROPPED = "dropped"
    NOT_OWED = "not_owed"
    FILED = "filed"
    NOT_JUDGED = "not_judged"
    NOT_MATCHED = "not_matched"
    NOT_FED = "not_fed"


@dataclass(frozen=True)
class Verdict:
    """The decision on what became of an entry for a subscription.

    Attributes:
        outcome: in a word.
        because: in one or more sentences, with the server's words where there are some.
        next: what happens next, or what a person can do.
        next_at: when that happens by itself; None if it does not, or if no time is planned.
    """

    outcome: Outcome
    because: str
    next: str
    next_at: datetime | None = None


def at(moment: datetime | None) -> str:
    """Return a time for a sentence: ``"2026-03-03 08:00 UTC"``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else "an unknown time"


def in_words(error: str | None) -> str:
    """Return the stored words about a mail, without a full stop at the end; they may be missing."""
    return error.rstrip(".") if error else "its words are not kept"
