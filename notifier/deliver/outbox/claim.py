"""Claims: the deliveries that one worker holds for the length of a lease.

Owns the taking. Whether somebody still wants what is owed to them is asked once more here, for the
last time before it is sent.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session, joinedload

from notifier.deliver.outbox import rate_limits
from notifier.deliver.outbox.enqueue import PATIENCE
from notifier.enums import (
    Cadence,
    DeliveryKind,
    DeliveryStatus,
    DigestStatus,
    SubscriptionStatus,
    SuppressionCause,
)
from notifier.store.models import (
    AddressChange,
    Delivery,
    Digest,
    Subscriber,
    Subscription,
    Suppression,
)

LEASE = timedelta(seconds=30)

# How long what is held or paused is not looked at again: a list may be long. Who lets it go says so
# (`resume`).
_HELD_LOOK = timedelta(hours=6)


class Claimed(NamedTuple):
    """A delivery that this worker holds for the length of a lease.

    A digest comes as the few values its mail needs; of any other mail, of which there are few,
    whoever builds it reads the row.
    """

    id: int
    message_id: str
    due_at: datetime
    digest_id: int | None = None
    to: str = ""
    link_id: str = ""
    cadence: Cadence = Cadence.WEEKLY
    at: str = ""
    on: int | None = None
    time_zone: str = "UTC"


# What of a row makes a claimed digest; what follows in the row says whether it may be sent.
_CLAIMED = (
    Delivery.id,
    Delivery.message_id,
    Delivery.due_at,
    Delivery.digest_id,
    Subscriber.email,
    Subscription.link_id,
    Subscription.cadence,
    Subscription.at,
    Subscription.on,
    Subscriber.time_zone,
)
_STANDING = (Digest.status, Subscription.status, Suppression.address_hash, Subscriber.held_until)

_LEASED = (
    update(Delivery)
    .where(Delivery.id.in_(bindparam("ids", expanding=True)))
    .values(
        status=DeliveryStatus.SENDING,
        leased_until=bindparam("until"),
        attempts=Delivery.attempts + 1,
    )
)


@dataclass(frozen=True)
class ClaimOptions:
    """By what deliveries are claimed.

    Attributes:
        limit: how many at the most.
        hold_uncertain: leave those to a person of which nobody knows whether they went out.
        domain_rates: mails a second for single domains.
    """

    limit: int
    hold_uncertain: bool = False
    domain_rates: Mapping[str, float] = field(default_factory=dict)


def claim_due(session: Session, now: datetime, terms: ClaimOptions) -> list[Claimed]:
    """Take the next deliveries for this worker, for the length of a lease.

    A lease that ran out (its worker died) is taken over. What nobody wants any more is settled as
    `suppressed` here; what has to wait (a digest that is held, a pause, a mailbox that was full, a
    domain's limit) is put off. So nothing may be taken although more waits: see `waits`.
    """
    dead = Delivery.status == DeliveryStatus.SENDING, Delivery.leased_until < now
    session.execute(
        update(Delivery).where(*dead).values(status=DeliveryStatus.PENDING, leased_until=None)
    )
    rows = _waiting(session, DeliveryStatus.PENDING, now, terms.limit)
    if len(rows) < terms.limit and not terms.hold_uncertain:
        rows += _waiting(session, DeliveryStatus.UNCERTAIN, now, terms.limit - len(rows))
    # What somebody waits for at this moment (a confirmation, a link) goes before what comes on a
    # schedule.
    taken = _others(session, [row.id for row in rows if row.digest_id is None])
    taken += _digests(session, [row for row in rows if row.digest_id is not None], terms, now)
    if taken:
        session.connection().execute(
            _LEASED, {"ids": [one.id for one in taken], "until": now + LEASE}
        )
    return taken


def has_more(session: Session, now: datetime, terms: ClaimOptions) -> bool:
    """Whether there is more to claim."""
    statuses = [DeliveryStatus.PENDING] + [DeliveryStatus.UNCERTAIN] * (not terms.hold_uncertain)
    return any(_waiting(session, status, now, 1) for status in statuses)


def _waiting(session: Session, status: DeliveryStatus, now: datetime, limit: int) -> list[Any]:
    """The next ones of a status, in the order of their index."""
    chosen = (
        select(*_CLAIMED, *_STANDING)
        .outerjoin(Digest, Digest.id == Delivery.digest_id)
        .outerjoin(Subscription, Subscription.id == Delivery.subscription_id)
        .outerjoin(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .outerjoin(Suppression, Suppression.address_hash == Subscriber.address_hash)
        .where(Delivery.status == status, Delivery.next_attempt_at <= now)
        .order_by(Delivery.next_attempt_at, Delivery.id)
        .limit(limit)
        .with_for_update(of=Delivery, skip_locked=True)
    )
    return list(session.connection().execute(chosen))


def _digests(
    session: Session, rows: Sequence[Any], terms: ClaimOptions, now: datetime
) -> list[Claimed]:
    later: dict[datetime, list[int]] = {}
    refused: dict[str, list[int]] = {}
    taken = []
    limits = rate_limits.Limits(session, terms.domain_rates, now)
    for row in rows:
        digest, status, suppressed, held_until = row[len(_CLAIMED) :]
        if digest is not DigestStatus.APPROVED:
            later.setdefault(now + _HELD_LOOK, []).append(row.id)
        elif suppressed is not None:
            refused.setdefault("the address is suppressed", []).append(row.id)
        elif status is SubscriptionStatus.PAUSED:
            later.setdefault(now + _HELD_LOOK, []).append(row.id)
        elif status is not SubscriptionStatus.CONFIRMED:
            refused.setdefault(f"the subscription is {status}", []).append(row.id)
        elif held_until is not None and held_until > now:
            later.setdefault(held_until, []).append(row.id)
        elif (slot := limits.slot(row.email)) > now:
            later.setdefault(slot, []).append(row.id)
        else:
            taken.append(Claimed(*row[: len(_CLAIMED)]))
    for reason, ids in refused.items():
        gone = {"status": DeliveryStatus.SUPPRESSED, "error": reason, "leased_until": None}
        _change(session, ids, gone)
    for moment, ids in later.items():
        put_off = {
            "status": DeliveryStatus.PENDING,
            "next_attempt_at": moment,
            "given_up_at": moment + PATIENCE,
        }
        _change(session, ids, put_off)
    limits.keep()
    return taken


def _others(session: Session, ids: Sequence[int]) -> list[Claimed]:
    if not ids:
        return []
    chosen = (
        select(Delivery).where(Delivery.id.in_(ids)).order_by(Delivery.next_attempt_at, Delivery.id)
    )
    found = session.scalars(
        chosen.options(
            joinedload(Delivery.notice),
            joinedload(Delivery.change).joinedload(AddressChange.subscriber),
            joinedload(Delivery.subscription).joinedload(Subscription.subscriber),
            joinedload(Delivery.subscription).joinedload(Subscription.profile),
        ).execution_options(populate_existing=True)
    ).all()
    suppressed = _suppressed(session, found)
    taken = []
    for delivery in found:
        if refusal := _unwanted(delivery, suppressed):
            delivery.status, delivery.error, delivery.leased_until = (
                DeliveryStatus.SUPPRESSED,
                refusal,
                None,
            )
        else:
            taken.append(Claimed(delivery.id, delivery.message_id, delivery.due_at))
    session.flush()
    return taken


def _change(session: Session, ids: Sequence[int], values: Mapping[str, Any]) -> None:
    changed = update(Delivery).where(Delivery.id.in_(ids)).values(**values)
    session.execute(changed.execution_options(synchronize_session=False))


def _suppressed(session: Session, deliveries: Sequence[Delivery]) -> dict[str, Suppression]:
    hashes = {key for one in deliveries if (key := _address_hash(one))}
    chosen = select(Suppression).where(Suppression.address_hash.in_(hashes))
    return {
        each.address_hash: each
        for each in session.scalars(chosen.execution_options(populate_existing=True))
    }


def _address_hash(delivery: Delivery) -> str:
    if delivery.change is not None:
        new = delivery.kind is DeliveryKind.CHANGE_NEW
        return delivery.change.address_hash if new else delivery.change.subscriber.address_hash
    return (
        delivery.subscription.subscriber.address_hash if delivery.subscription is not None else ""
    )


def _unwanted(delivery: Delivery, suppressed: Mapping[str, Suppression]) -> str:
    suppression = suppressed.get(_address_hash(delivery))
    if suppression is not None and not _asks_owner(delivery, suppression):
        return "the address is suppressed"
    if (
        delivery.kind is DeliveryKind.CHANGE_NEW
        and delivery.change is not None
        and not delivery.change.email
    ):
        return "the address was erased"
    subscription = delivery.subscription
    if subscription is None:
        return ""
    if delivery.kind is DeliveryKind.CONFIRMATION:
        wanted = subscription.status is SubscriptionStatus.PENDING or subscription.wish is not None
    else:
        wanted = subscription.status in SubscriptionStatus.RUNNING
    return "" if wanted else f"the subscription is {subscription.status}"


def _asks_owner(delivery: Delivery, suppression: Suppression) -> bool:
    """Whether this is the mail that asks the owner of a suppressed address if they want to be written to again.

    Who left or was erased is always asked. For others the suppression says when a mail was owed to
    ask them: only that very mail goes out, and only while nothing newer was learnt of the address.
    """
    if delivery.kind not in (DeliveryKind.CONFIRMATION, DeliveryKind.CHANGE_NEW):
        return False
    if suppression.cause in (SuppressionCause.ERASED, SuppressionCause.LEFT):
        return True
    by_owner = suppression.cause in (SuppressionCause.BOUNCED, SuppressionCause.COMPLAINED)
    return (
        by_owner
        and suppression.asked_at == delivery.created_at
        and suppression.at <= delivery.created_at
    )


def renew(session: Session, delivery_ids: Collection[int], now: datetime) -> None:
    """Keep the lease on deliveries that are still being sent."""
    still = Delivery.id.in_(delivery_ids), Delivery.status == DeliveryStatus.SENDING
    session.execute(update(Delivery).where(*still).values(leased_until=now + LEASE))
