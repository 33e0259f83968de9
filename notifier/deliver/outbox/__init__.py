"""The outbox: every message to be sent, claimed by one worker, settled by the server's answer.

Owns the statuses of a delivery, in three steps with a file each: enqueue, claim, settle. What was
not sent, or is sent again, is in `unsent`.
"""

from notifier.deliver.outbox.claim import (
    LEASE,
    Claimed,
    ClaimOptions,
    claim_due,
    first_waiting_lane,
    has_more,
    next_due_at,
    renew,
)
from notifier.deliver.outbox.enqueue import (
    enqueue_asked,
    enqueue_change,
    enqueue_digest,
    enqueue_note,
    enqueue_notice,
    enqueue_own,
    listed,
    new_message_id,
    requeue,
    resume,
    try_again_at,
)
from notifier.deliver.outbox.pruning import Window, lock_old, remove, window
from notifier.deliver.outbox.reported import note_reported, unreported_failures
from notifier.deliver.outbox.settle import Outcome, SendResult, settle_accepted, settle_attempts
from notifier.deliver.outbox.unsent import (
    Waiting,
    drop,
    drop_expired,
    end_merged,
    owe_again,
    retry,
    still_waiting,
    waiting_digests,
)

__all__ = [
    "LEASE",
    "ClaimOptions",
    "Claimed",
    "Outcome",
    "SendResult",
    "Waiting",
    "Window",
    "claim_due",
    "drop",
    "drop_expired",
    "end_merged",
    "enqueue_asked",
    "enqueue_change",
    "enqueue_digest",
    "enqueue_note",
    "enqueue_notice",
    "enqueue_own",
    "first_waiting_lane",
    "has_more",
    "listed",
    "lock_old",
    "new_message_id",
    "next_due_at",
    "note_reported",
    "owe_again",
    "remove",
    "renew",
    "requeue",
    "resume",
    "retry",
    "settle_accepted",
    "settle_attempts",
    "still_waiting",
    "try_again_at",
    "unreported_failures",
    "waiting_digests",
    "window",
]
