"""Wanted or not: the last check of a mail that is no digest, and the address it goes to.

Owns why a confirmation, a link, a note or a question is not sent any more. Digests, which are many,
are checked by the columns that `claim.py` reads.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.enums import DeliveryKind, EndReason, SubscriptionStatus, SuppressionCause
from notifier.store.models import Delivery, Suppression


def suppressions_of(session: Session, deliveries: Sequence[Delivery]) -> dict[str, Suppression]:
    """Return the suppressions of the recipients, by address hash."""
    hashes = {key for delivery in deliveries if (key := address_hash_of(delivery))}
    suppressed = select(Suppression).where(Suppression.address_hash.in_(hashes))
    rows = session.scalars(suppressed.execution_options(populate_existing=True))
    return {suppression.address_hash: suppression for suppression in rows}


def address_of(delivery: Delivery) -> str:
    """Return the address of the recipient; empty for a notice to the operator."""
    if delivery.change is not None:
        new = delivery.kind is DeliveryKind.CHANGE_NEW
        return (delivery.change.email or "") if new else delivery.change.subscriber.email
    return delivery.subscription.subscriber.email if delivery.subscription is not None else ""


def address_hash_of(delivery: Delivery) -> str:
    """Return the address hash of the recipient; empty for a notice to the operator."""
    if delivery.change is not None:
        new = delivery.kind is DeliveryKind.CHANGE_NEW
        return delivery.change.address_hash if new else delivery.change.subscriber.address_hash
    return (
        delivery.subscription.subscriber.address_hash if delivery.subscription is not None else ""
    )


def reason_unwanted(
    delivery: Delivery, suppressions: Mapping[str, Suppression]
) -> tuple[EndReason, str] | None:
    """Return the reason why a mail must not be sent, in a word and in words; None if it may be."""
    suppression = suppressions.get(address_hash_of(delivery))
    if suppression is not None and not _asks_owner(delivery, suppression):
        return EndReason.SUPPRESSED, "the address is suppressed"
    if (
        delivery.kind is DeliveryKind.CHANGE_NEW
        and delivery.change is not None
        and not delivery.change.email
    ):
        return EndReason.LEFT, "the address was erased"
    subscription = delivery.subscription
    if subscription is None:
        return None
    if delivery.kind is DeliveryKind.CONFIRMATION:
        wanted = subscription.status is SubscriptionStatus.PENDING or subscription.wish is not None
    elif delivery.kind is DeliveryKind.CLOSED:
        wanted = subscription.status is SubscriptionStatus.ENDED
    else:
        wanted = subscription.status in SubscriptionStatus.RUNNING
    if wanted:
        return None
    return EndReason.LEFT, f"the subscription is {subscription.status}"


def _asks_owner(delivery: Delivery, suppression: Suppression) -> bool:
    """Return whether a mail asks the owner of a suppressed address if they want mails again.

    An owner who left or was erased is always asked. For others the suppression stores the time at
    which such a mail was enqueued: only that mail is sent, and only while nothing newer is known
    about the address.
    """
    if delivery.kind not in (DeliveryKind.CONFIRMATION, DeliveryKind.CHANGE_NEW):
        return False
    if suppression.cause in (SuppressionCause.ERASED, SuppressionCause.LEFT):
        return True
    liftable = suppression.cause in (SuppressionCause.BOUNCED, SuppressionCause.COMPLAINED)
    return (
        liftable
        and suppression.asked_at == delivery.created_at
        and suppression.at <= delivery.created_at
    )
