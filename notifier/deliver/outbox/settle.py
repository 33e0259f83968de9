"""Answers: what came of an attempt, written down.

Owns how a delivery ends, or when it is tried again. Nothing but what a mail server (or a
connection) said settles one.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Connection, Integer, Update, bindparam, select, update
from sqlalchemy.orm import Session

from notifier.deliver.outbox.enqueue import PATIENCE
from notifier.enums import BounceKind, DeliveryStatus
from notifier.store.models import Delivery
from notifier.text.cleaning import redacted

_FIRST_WAIT = timedelta(minutes=5)
_LONGEST_WAIT = timedelta(hours=4)


class SendResult(StrEnum):
    """What came of an attempt."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DEFERRED = "deferred"
    UNKNOWN = "unknown"
    NOT_TRIED = "not tried"


class Outcome(NamedTuple):
    """The answer to one delivery's attempt.

    Attributes:
        delivery_id: which one.
        answer: how it ended.
        said: what the server (or the connection) said, without addresses.
        recipient: the address that refused, where the server refused the recipient for good (RCPT
            TO); else empty.
        verdict: what that says of the address.
        code: the reason as a code: ``5.1.1``, else ``550``.
    """

    delivery_id: int
    answer: SendResult
    said: str = ""
    recipient: str = ""
    verdict: BounceKind = BounceKind.NONE
    code: str = ""


def settle_accepted(connection: Connection, delivery_ids: Sequence[int], now: datetime) -> None:
    """Write down what the server took, in one statement."""
    connection.execute(
        _sent(len(delivery_ids)),
        {f"id{n}": one for n, one in enumerate(delivery_ids)} | {"now": now},
    )


@lru_cache(maxsize=64)
def _sent(number: int) -> Update:
    """The statement for so many deliveries: a list that the library would expand costs more than the update itself."""
    ids = [bindparam(f"id{n}", type_=Integer) for n in range(number)]
    sent = update(Delivery).where(Delivery.id.in_(ids))
    return sent.values(
        status=DeliveryStatus.SENT, sent_at=bindparam("now"), error=None, leased_until=None
    )


def settle_attempts(session: Session, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write down what the server answered to those that it did not take."""
    chosen = select(Delivery).where(Delivery.id.in_([one.delivery_id for one in outcomes]))
    deliveries = {delivery.id: delivery for delivery in session.scalars(chosen)}
    for outcome in outcomes:
        if (
            outcome.delivery_id in deliveries
        ):  # else its recipient was erased while it was being sent
            _settle(deliveries[outcome.delivery_id], outcome, now)
    session.flush()


def _settle(delivery: Delivery, outcome: Outcome, now: datetime) -> None:
    delivery.leased_until = None
    said = redacted(outcome.said)  # servers name people in their answers
    delivery.error = said or None
    if outcome.answer is SendResult.REFUSED:
        delivery.status = DeliveryStatus.FAILED
    elif outcome.answer is SendResult.NOT_TRIED:
        delivery.status = (
            DeliveryStatus.PENDING
        )  # the server's fault, not the recipient's: due again at once
        delivery.attempts -= 1
    elif now >= delivery.given_up_at:
        delivery.status = DeliveryStatus.FAILED
        delivery.error = f"given up after {PATIENCE.days} days: {said}"
    else:
        unknown = outcome.answer is SendResult.UNKNOWN
        delivery.status = DeliveryStatus.UNCERTAIN if unknown else DeliveryStatus.PENDING
        delivery.next_attempt_at = now + _wait(delivery)


def _wait(delivery: Delivery) -> timedelta:
    """How long until the next attempt: doubled each time, spread by a fifth so that a crowd does not come back as one.

    Every delivery has a spread of its own, the same at each attempt, so that a run that is repeated
    does the same.
    """
    wait: timedelta = min(_FIRST_WAIT * 2 ** min(delivery.attempts - 1, 10), _LONGEST_WAIT)
    spread = int(hashlib.sha256(delivery.message_id.encode()).hexdigest()[:4], 16) / 0xFFFF
    return timedelta(seconds=wait.total_seconds() * (0.9 + 0.2 * spread))
