"""The outbox: every message to be sent, claimed by one worker, settled by the server's answer.

Owns the statuses of a delivery, in three steps with a file each: enqueue, claim, settle. What was
not sent, or is sent again, is in `unsent`.
"""

from notifier.deliver.outbox.claim import (
    MOST_UNCERTAIN,
    Claimed,
    ClaimOptions,
    claim_due,
    has_more,
)
from notifier.deliver.outbox.enqueue import (
    enqueue_asked,
    enqueue_change,
    enqueue_note,
    enqueue_notice,
    enqueue_own,
    new_message_id,
    requeue,
    resume,
    resume_subscriptions,
    try_again_at,
)
from notifier.deliver.outbox.lease import LEASE, WITHOUT_ROW, Attempt, is_held, renew
from notifier.deliver.outbox.planned import (
    SOON,
    end_merged,
    enqueue_members,
    is_waiting_in,
    lock_waiting,
    message_id_start,
    put_off,
    waiting_digests,
    waiting_rows,
)
from notifier.deliver.outbox.pruning import Window, lock_old, remove, window
from notifier.deliver.outbox.reported import note_reported, unreported_failures
from notifier.deliver.outbox.settle import Outcome, SendResult, settle_accepted, settle_attempts
from notifier.deliver.outbox.unsent import (
    drop,
    drop_expired,
    expired_questions,
    hand_over,
    is_any_owed_again,
    note_suppressing,
    owe_again,
    retry,
)
from notifier.deliver.outbox.waiting import first_waiting_lane, next_due_at

__all__ = [
    "LEASE",
    "MOST_UNCERTAIN",
    "SOON",
    "WITHOUT_ROW",
    "Attempt",
    "ClaimOptions",
    "Claimed",
    "Outcome",
    "SendResult",
    "Window",
    "claim_due",
    "drop",
    "drop_expired",
    "end_merged",
    "enqueue_asked",
    "enqueue_change",
    "enqueue_members",
    "enqueue_note",
    "enqueue_notice",
    "enqueue_own",
    "expired_questions",
    "first_waiting_lane",
    "hand_over",
    "has_more",
    "is_any_owed_again",
    "is_held",
    "is_waiting_in",
    "lock_old",
    "lock_waiting",
    "message_id_start",
    "new_message_id",
    "next_due_at",
    "note_reported",
    "note_suppressing",
    "owe_again",
    "put_off",
    "remove",
    "renew",
    "requeue",
    "resume",
    "resume_subscriptions",
    "retry",
    "settle_accepted",
    "settle_attempts",
    "try_again_at",
    "unreported_failures",
    "waiting_digests",
    "waiting_rows",
    "window",
]
