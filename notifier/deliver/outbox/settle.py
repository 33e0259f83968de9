"""Settling: the result of each attempt is stored with its delivery.

Owns how a delivery ends, or when it is tried again. Only the answer of a mail server, or the state
of the connection to it, settles a delivery; and only under the name of the claim for which it was
sent, so that an answer that comes late is never taken for that of a newer attempt.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Integer, String, bindparam, select, update
from sqlalchemy.orm import Session

from notifier.deliver.bounces.policy import Evidence
from notifier.deliver.outbox import patience
from notifier.deliver.outbox.lease import Attempt
from notifier.deliver.outbox.patience import PATIENCE
from notifier.enums import DeliveryStatus, WaitReason
from notifier.store.db import Prepared, Run
from notifier.store.models import Delivery
from notifier.text.cleaning import redacted

# The time to the second attempt. It doubles with each further attempt, up to the longest. Chosen by
# hand; not measured.
_FIRST_WAIT = timedelta(minutes=5)
_LONGEST_WAIT = timedelta(hours=4)


class SendResult(StrEnum):
    """The result of an attempt to send one message."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DEFERRED = "deferred"
    UNKNOWN = "unknown"
    NOT_TRIED = "not tried"


class Outcome(NamedTuple):
    """The result of one delivery's attempt.

    Attributes:
        attempt: the delivery, and the claim under which it was sent.
        answer: the result.
        text: the words of the server or the error of the connection, without addresses.
        recipient: the address, where the server refused it for good; else empty.
        evidence: the data of that refusal; else None.
        waits_because: the reason why a delivery that was put off does not lose patience: the server
            refuses us, or is busy; else None.
    """

    attempt: Attempt
    answer: SendResult
    text: str = ""
    recipient: str = ""
    evidence: Evidence | None = None
    waits_because: WaitReason | None = None


def settle_accepted(run: Run, delivery_ids: Sequence[int], claim: str, now: datetime) -> None:
    """Store in one statement that the server accepted these deliveries of a claim.

    Args:
        run: runs the statement in a transaction of its own.
        delivery_ids: the deliveries.
        claim: the name of the claim under which they were sent.
        now: the time of the answers.
    """
    values: dict[str, object] = {"now": now, "name": claim}
    values |= {f"id{number}": delivery_id for number, delivery_id in enumerate(delivery_ids)}
    run(_mark_sent(len(delivery_ids)), values)


@lru_cache(maxsize=64)
def _mark_sent(number: int) -> Prepared:
    """Return the statement for this number of deliveries.

    A list that the library expands for each call would cost more than the update itself.
    """
    ids = [bindparam(f"id{index}", type_=Integer) for index in range(number)]
    deliveries = update(Delivery).where(
        Delivery.id.in_(ids), Delivery.claim == bindparam("name", type_=String)
    )
    return Prepared(
        deliveries.values(
            status=DeliveryStatus.SENT, sent_at=bindparam("now"), error=None, leased_until=None
        )
    )


def settle_attempts(session: Session, outcomes: Sequence[Outcome], now: datetime) -> list[Outcome]:
    """Store the results of attempts that were not accepted.

    Args:
        session: a writing session.
        outcomes: the results.
        now: the time of the answers.

    Returns:
        The results that were stored. Not stored is one whose delivery is gone, because its
        recipient was erased meanwhile, or was claimed again after the lease ran out.
    """
    ids = [outcome.attempt.delivery_id for outcome in outcomes]
    # Locked before the claims are compared: else another worker's claim that is stored between
    # the two would be overwritten. In one order, so that no two workers wait for each other.
    attempted = (
        select(Delivery)
        .where(Delivery.id.in_(ids), Delivery.status.in_(DeliveryStatus.WAITING))
        .order_by(Delivery.id)
        .with_for_update(of=Delivery)
        .execution_options(populate_existing=True)
    )
    deliveries = {
        Attempt(delivery.id, delivery.claim): delivery for delivery in session.scalars(attempted)
    }
    stored = [outcome for outcome in outcomes if outcome.attempt in deliveries]
    for outcome in stored:
        _settle(deliveries[outcome.attempt], outcome, now)
    session.flush()
    return stored


def _settle(delivery: Delivery, outcome: Outcome, now: datetime) -> None:
    delivery.leased_until = None
    text = redacted(outcome.text)  # servers repeat addresses in their answers
    delivery.error = text or None
    if outcome.answer is not SendResult.NOT_TRIED or outcome.waits_because is not None:
        delivery.waits_because = outcome.waits_because or ""
    if outcome.answer is SendResult.REFUSED:
        delivery.status = DeliveryStatus.FAILED
    elif outcome.answer is SendResult.NOT_TRIED:
        # The fault is the server's, not the recipient's: the delivery is due again at once.
        delivery.status = DeliveryStatus.PENDING
        delivery.attempts -= 1
    elif outcome.answer is SendResult.UNKNOWN:
        # It may have arrived, however long ago it was enqueued: it never counts as given up.
        delivery.status = DeliveryStatus.UNCERTAIN
        delivery.uncertain_times += 1
        delivery.next_attempt_at = now + _wait(delivery)
    elif patience.is_over(delivery, now):
        delivery.status = DeliveryStatus.FAILED
        delivery.error = f"given up after {PATIENCE.days} days: {text}"
    else:
        delivery.status = DeliveryStatus.PENDING
        delivery.next_attempt_at = now + _wait(delivery)


def _wait(delivery: Delivery) -> timedelta:
    """Return the time until the next attempt.

    It doubles each time, and is spread by a tenth in both directions, so that many deliveries do
    not come back at once. The spread depends on the Message-ID alone, so that a repeated run does
    the same.
    """
    wait: timedelta = min(_FIRST_WAIT * 2 ** min(delivery.attempts - 1, 10), _LONGEST_WAIT)
    spread = int(hashlib.sha256(delivery.message_id.encode()).hexdigest()[:4], 16) / 0xFFFF
    return timedelta(seconds=wait.total_seconds() * (0.9 + 0.2 * spread))
