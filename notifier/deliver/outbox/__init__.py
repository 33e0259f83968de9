"""The outbox: every message owed, claimed by one worker at a time, settled only by the server's answer.

Owns the statuses of a delivery, in three steps with a file each: enqueue, claim, settle.
"""

from notifier.deliver.outbox.claim import LEASE, Claimed, Terms, claim_due, renew, waits
from notifier.deliver.outbox.enqueue import (
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
from notifier.deliver.outbox.settle import Answer, Outcome, settle_accepted, settle_attempts

__all__ = [
    "LEASE",
    "Answer",
    "Claimed",
    "Outcome",
    "Terms",
    "again",
    "claim_due",
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
    "settle_accepted",
    "settle_attempts",
    "wait_for",
    "waits",
]
