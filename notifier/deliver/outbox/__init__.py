"""The outbox: every message owed, claimed by one worker at a time, settled only by the server's answer.

Owns the statuses of a delivery, in three steps with a file each: owing, claims, answers.
"""

from notifier.deliver.outbox.answers import Answer, Outcome, settle, settle_accepted
from notifier.deliver.outbox.claims import LEASE, Claimed, Terms, claim, renew, waits
from notifier.deliver.outbox.owing import (
    again,
    enqueue_asked,
    enqueue_change,
    enqueue_digest,
    enqueue_notice,
    enqueue_own,
    listed,
    new_message_id,
    resume,
    retry,
    wait_for,
)

__all__ = [
    "LEASE",
    "Answer",
    "Claimed",
    "Outcome",
    "Terms",
    "again",
    "claim",
    "enqueue_asked",
    "enqueue_change",
    "enqueue_digest",
    "enqueue_notice",
    "enqueue_own",
    "listed",
    "new_message_id",
    "renew",
    "resume",
    "retry",
    "settle",
    "settle_accepted",
    "wait_for",
    "waits",
]
