"""Moving: a new address for a person, when both the old and the new one have said yes.

Owns the change until it is made. Whether the new address is known here is told to nobody.
"""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from notifier.addresses import normal_address
from notifier.errors import NotFoundError
from notifier.said import Said
from notifier.store.models import AddressChange, Subscriber
from notifier.subscribers import subscriptions, suppressions

MOVE_FOR = timedelta(hours=48)


class Side(StrEnum):
    """Which of the two addresses says yes."""

    OLD = "old"
    NEW = "new"


def ask(session: Session, subscriber: Subscriber, email: str, now: datetime) -> AddressChange | None:
    """Note a new address that somebody wants; an earlier wish is replaced.

    Returns:
        The change to be agreed to; None where it cannot be: the address is somebody's, or is never mailed.

    Raises:
        AddressError: it is no address.
    """
    key = subscriptions.hash_of(session, email)
    session.execute(delete(AddressChange).where(AddressChange.subscriber_id == subscriber.id))
    if subscriptions.find_subscriber(session, email) is not None or suppressions.of(session, key) is not None:
        return None
    change = AddressChange(
        subscriber=subscriber,
        email=normal_address(email),
        address_hash=key,
        link_id=secrets.token_urlsafe(16),
        asked_at=now,
    )
    session.add(change)
    session.flush()
    return change


def by_link(session: Session, link_id: str, now: datetime) -> AddressChange:
    """The change that a signed link means.

    Raises:
        NotFoundError: it was made, replaced, or is too old.
    """
    chosen = select(AddressChange).where(AddressChange.link_id == link_id).with_for_update(of=AddressChange)
    found = session.scalar(chosen.options(joinedload(AddressChange.subscriber)))
    if found is None or now - found.asked_at > MOVE_FOR:
        raise NotFoundError(
            Said("There is no change of address to agree to any more."), Said("Ask for it again in your preferences.")
        )
    return found


def agree(session: Session, change: AddressChange, side: Side, now: datetime) -> bool:
    """Note one side's yes; with both the address is changed. Returns whether it is."""
    if side is Side.OLD:
        change.by_old_at = change.by_old_at or now
    else:
        change.by_new_at = change.by_new_at or now
    if change.by_old_at is None or change.by_new_at is None:
        return False
    if subscriptions.find_subscriber(session, change.email) is None:
        change.subscriber.email, change.subscriber.address_hash = change.email, change.address_hash
        session.flush()
    session.execute(delete(AddressChange).where(AddressChange.id == change.id))
    return True


def forget(session: Session, now: datetime) -> None:
    """Delete the changes that were not agreed to in time."""
    session.execute(delete(AddressChange).where(AddressChange.asked_at <= now - MOVE_FOR))
