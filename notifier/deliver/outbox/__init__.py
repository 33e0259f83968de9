"""The outbox: every message to be sent, claimed by one worker, settled by the server's answer.

Owns the statuses of a delivery, in three steps with a file each: enqueue, claim, settle.
"""

from notifier.deliver.outbox.claim import LEASE, Claimed, ClaimOptions, claim_due, has_more, renew
from notifier.deliver.outbox.enqueue import (
    enqueue_asked,
    enqueue_change,
    enqueue_digest,
    enqueue_notice,
    enqueue_own,
    listed,
    new_message_id,
    requeue,
    resume,
    retry,
    try_again_at,
)
from notifier.deliver.outbox.settle import Outcome, SendResult, settle_accepted, settle_attempts

__all__ = [
    "LEASE",
    "ClaimOptions",
    "Claimed",
    "Outcome",
    "SendResult",
    "claim_due",
    "enqueue_asked",
    "enqueue_change",
    "enqueue_digest",
    "enqueue_notice",
    "enqueue_own",
    "has_more",
    "listed",
    "new_message_id",
    "renew",
    "requeue",
    "resume",
    "retry",
    "settle_accepted",
    "settle_attempts",
    "try_again_at",
]
