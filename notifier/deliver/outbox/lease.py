"""Leases: the worker that claimed a delivery holds it for a time, under the name of the claim.

Owns what an attempt is known by, and how its lease is renewed. Who may take a delivery is decided
in `claim`.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from notifier.enums import DeliveryStatus
from notifier.store.models import Delivery, is_unfinished

# The heartbeat of `pipeline/deliver.py` renews a lease every 10 seconds. Chosen by hand; not
# measured.
LEASE = timedelta(seconds=30)


class Attempt(NamedTuple):
    """One attempt to send a delivery, under which its outcome is stored.

    The id alone is not enough: the same worker may claim a delivery again while an answer to its
    first attempt is still under way.

    Attributes:
        delivery_id: the id of the delivery.
        claim: the name of the claim.
    """

    delivery_id: int
    claim: str


# Of a mail that is not in the outbox, as a test mail.
WITHOUT_ROW = Attempt(0, "")


def is_held(session: Session, attempt: Attempt) -> bool:
    """Return whether a delivery still has this claim; not where its recipient was erased."""
    held = Delivery.id == attempt.delivery_id, Delivery.claim == attempt.claim
    return session.scalar(select(Delivery.id).where(*held)) is not None


def renew(session: Session, claims: Collection[str], now: datetime) -> None:
    """Renew the leases of what is still being sent of these claims."""
    sending = is_unfinished(), Delivery.status == DeliveryStatus.SENDING
    session.execute(
        update(Delivery)
        .where(*sending, Delivery.claim.in_(claims))
        .values(leased_until=now + LEASE)
    )
