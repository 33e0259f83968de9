"""Notices: what the operator is told by mail.

Owns the words once they are said, and how long they are kept, for they may speak about people; the
outbox brings them, like every other message, once.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from notifier.deliver import outbox
from notifier.enums import DeliveryStatus
from notifier.store.models import Delivery, Notice

# How long a notice is kept after it went out, or was given up.
KEPT_FOR = timedelta(days=30)


def enqueue(session: Session, to: str, subject: str, text: str, domain: str, now: datetime) -> None:
    """Owe the operator a mail.

    Args:
        session: a writing session; the caller commits it together with the state that the mail is
            about.
        to: the operator's address.
        subject: one line.
        text: paragraphs, parted by empty lines.
        domain: the right side of its Message-ID.
        now: when it is said.
    """
    notice = Notice(to=to, subject=subject, text=text, created_at=now)
    session.add(notice)
    session.flush()
    outbox.enqueue_notice(session, notice, domain, now)


def forget(session: Session, now: datetime) -> None:
    """Delete the notices whose time is over, with their deliveries; one that is still to go out stays.

    A delivery that failed has no time of its own: the last attempt that was planned stands for it.
    """
    settled_at = func.coalesce(Delivery.sent_at, Delivery.next_attempt_at)
    kept = select(Delivery.notice_id).where(
        Delivery.notice_id.is_not(None),
        Delivery.status.in_(DeliveryStatus.WAITING) | (settled_at > now - KEPT_FOR),
    )
    session.execute(
        delete(Notice).where(Notice.created_at <= now - KEPT_FOR, Notice.id.not_in(kept))
    )
