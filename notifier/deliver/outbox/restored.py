"""Deliveries after a restore: what the replaced database had sent, and what a person skips.

Owns how their status becomes what happened between the backup and the restore. Who knows what was
sent is not known here.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from notifier.deliver.outbox.unsent import end_dropped
from notifier.enums import DeliveryStatus
from notifier.store.models import Delivery, is_unfinished


def open_message_ids(session: Session) -> Sequence[str]:
    """Return the Message-IDs of all mails that are not settled."""
    return session.scalars(select(Delivery.message_id).where(is_unfinished())).all()


def note_sent(session: Session, sent_at: Mapping[str, datetime | None], now: datetime) -> int:
    """Store that mails were sent already; return how many were still open.

    Args:
        session: a writing session.
        sent_at: by Message-ID the time at which the mail server accepted it.
        now: the time for those whose time is not known.
    """
    number = 0
    for message_id, at in sent_at.items():
        sent = (
            update(Delivery)
            .where(Delivery.message_id == message_id, is_unfinished())
            .values(
                status=DeliveryStatus.SENT, sent_at=at or now, leased_until=None, waits_because=""
            )
            .returning(Delivery.id)
            .execution_options(synchronize_session=False)
        )
        number += session.execute(sent).first() is not None
    return number


def open_of(session: Session, digest_ids: Collection[int]) -> Sequence[int]:
    """Return the ids of the mails of these digests that are not settled, locked."""
    statement = select(Delivery.id).where(Delivery.digest_id.in_(digest_ids), is_unfinished())
    return session.scalars(statement.order_by(Delivery.id).with_for_update(of=Delivery)).all()


def skip(session: Session, delivery_ids: Collection[int]) -> None:
    """End mails that a person says their readers have already."""
    end_dropped(session, delivery_ids)
