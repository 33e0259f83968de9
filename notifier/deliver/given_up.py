"""Given up: mails that did not reach their reader, or may not have, and are not tried any more.

Owns when a digest counts as one that nobody got, and which single mails the operator is told of. A
mail to an address that does not exist is none of them: nobody waits for it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, exists, select
from sqlalchemy.orm import Session, aliased

from notifier.enums import DeliveryKind, DeliveryStatus, DigestStatus, SubscriptionStatus
from notifier.store.db import in_chunks
from notifier.store.models import (
    Delivery,
    Digest,
    HeldSuppression,
    Subscriber,
    Subscription,
    Suppression,
    has_status,
    is_lost,
    is_unfinished,
)

# How long ago a mail may have been given up for the operator to be told of it. Chosen by hand; not
# measured.
_LATELY = timedelta(days=30)
# Where all readers of a digest have addresses that do not exist, other digests of this time show
# that mails go out. Chosen by hand; not measured.
_SHOWN_BY_OTHERS = timedelta(days=1)
# The last attempt was planned at most so long before it was made (`outbox/settle.py`).
_PLANNED_BEFORE = timedelta(hours=4)
# The ids that a sentence names.
_MOST_NAMED = 10


@dataclass(frozen=True)
class Unreached:
    """A digest that nobody got.

    Attributes:
        digest_id: the digest.
        deliveries: the ids of its deliveries that failed.
    """

    digest_id: int
    deliveries: tuple[int, ...]


def unreached(session: Session) -> list[Unreached]:
    """Return the last digests that reached nobody, oldest first.

    Past ones are not counted: of a profile of which a newer digest was accepted, or whose mails a
    person retried or dropped.
    """
    newer = aliased(Digest)
    of_newer = Delivery.digest_id == newer.id, Delivery.status == DeliveryStatus.SENT
    accepted = select(newer.id).where(
        newer.profile_id == Digest.profile_id,
        newer.composed_at > Digest.composed_at,
        exists().where(*of_newer),
    )
    failed = (
        select(Digest)
        .where(has_status(DigestStatus.FAILED), ~accepted.exists())
        .order_by(Digest.id)
    )
    digests = []
    for digest in session.scalars(failed):
        ids = session.scalars(
            select(Delivery.id)
            .where(Delivery.digest_id == digest.id, Delivery.status == DeliveryStatus.FAILED)
            .order_by(Delivery.id)
        ).all()
        if ids and _somebody_waits(session, digest):
            digests.append(Unreached(digest.id, tuple(ids)))
    return digests


def _somebody_waits(session: Session, digest: Digest) -> bool:
    """Return whether a digest failed for more than addresses that do not exist.

    Where nothing else went out at that time, even those say that something is wrong.
    """
    readers = select(Delivery.id).join(Subscription).join(Subscriber)
    waiting = readers.where(
        Delivery.digest_id == digest.id, Delivery.status == DeliveryStatus.FAILED, _is_mailed()
    )
    others = select(Delivery.id).where(
        Delivery.kind == DeliveryKind.DIGEST,
        Delivery.sent_at > digest.composed_at - _SHOWN_BY_OTHERS,
    )
    return any(
        (
            session.scalar(waiting.limit(1)) is not None,
            session.scalar(others.limit(1)) is None,
        )
    )


def _is_mailed() -> ColumnElement[bool]:
    """Return the SQL condition that an address is neither suppressed nor about to be."""
    return and_(
        ~exists().where(Suppression.address_hash == Subscriber.address_hash),
        ~exists().where(
            HeldSuppression.address_hash == Subscriber.address_hash,
            HeldSuppression.held_at.is_not(None),
        ),
    )


def mails(session: Session, since: datetime) -> Sequence[int]:
    """Return the ids of the digest mails that were given up since a time."""
    return session.scalars(_lost_since(since).order_by(Delivery.id)).all()


def _lost_since(since: datetime) -> Select[int]:
    """Select the ids of the digest mails that were given up since a time, and that are missed."""
    return (
        select(Delivery.id)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(
            Delivery.kind == DeliveryKind.DIGEST,
            is_lost(),  # for its index
            Delivery.status == DeliveryStatus.FAILED,
            Delivery.next_attempt_at > since - _PLANNED_BEFORE,
            Subscription.status.in_(SubscriptionStatus.RUNNING),
            _is_mailed(),
        )
    )


def lately(session: Session, now: datetime, among: Collection[int]) -> list[int]:
    """Return the ids of the digest mails that were given up in the last month.

    Args:
        session: any session.
        now: when.
        among: the ids of the deliveries that are considered.
    """
    lost: list[int] = []
    for chunk in in_chunks(sorted(among)):
        statement = _lost_since(now - _LATELY).where(Delivery.id.in_(chunk))
        lost += session.scalars(statement.order_by(Delivery.id))
    return lost


def in_doubt(session: Session, uncertain_times: int) -> Sequence[int]:
    """Return the ids of the mails of which nobody knows whether they arrived, for a person.

    Args:
        session: a session.
        uncertain_times: how often the answer to a mail was lost until it is not tried again.
    """
    doubtful = (
        is_unfinished(),
        Delivery.status == DeliveryStatus.UNCERTAIN,
        Delivery.uncertain_times >= uncertain_times,
        Delivery.kind != DeliveryKind.NOTICE,
    )
    # Sorted here: for a sorted answer SQLite would read all deliveries in that order.
    return sorted(session.scalars(select(Delivery.id).where(*doubtful)))


def retry_command(delivery_ids: Sequence[int]) -> str:
    """Return the command that sends these mails again; where they are many, all that failed."""
    named = delivery_ids if len(delivery_ids) <= _MOST_NAMED else ()
    return " ".join(["notifier deliveries retry", *(str(each) for each in named)])
