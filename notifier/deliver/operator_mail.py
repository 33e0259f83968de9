"""Mails to the operator: their text, and how long it is kept.

The text may speak about people, so it is deleted after a while. The outbox delivers it once, like
every other message.
"""

from datetime import datetime, timedelta

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from notifier.deliver import outbox
from notifier.enums import DeliveryStatus
from notifier.store.models import Delivery, Notice

# How long a notice is kept after it was sent or given up. Chosen by hand; see docs/privacy.md.
KEPT_FOR = timedelta(days=30)


def enqueue(
    session: Session,
    to: str,
    subject: str,
    text: str,
    domain: str,
    now: datetime,
    draft_id: int | None = None,
) -> None:
    """Enqueue a mail to the operator.

    Args:
        session: a writing session; the caller commits it together with the state that the mail is
            about.
        to: the operator's address.
        subject: one line.
        text: paragraphs with empty lines between them.
        domain: the right side of its Message-ID.
        now: the time of writing.
        draft_id: the draft that is shown below the text; None for none.
    """
    notice = Notice(to=to, subject=subject, text=text, created_at=now, digest_id=draft_id)
    session.add(notice)
    session.flush()
    outbox.enqueue_notice(session, notice, domain, now)


def old(now: datetime) -> Select[int]:
    """Select old notices; one that is still to be sent is not among them.

    A delivery that failed has no time of its own: the last attempt that was planned counts instead.
    """
    settled_at = func.coalesce(Delivery.sent_at, Delivery.next_attempt_at)
    kept = select(Delivery.notice_id).where(
        Delivery.notice_id.is_not(None),
        Delivery.status.in_(DeliveryStatus.WAITING) | (settled_at > now - KEPT_FOR),
    )
    return select(Notice.id).where(Notice.created_at <= now - KEPT_FOR, Notice.id.not_in(kept))


def forget(session: Session, now: datetime) -> None:
    """Delete old notices with their deliveries."""
    session.execute(delete(Notice).where(Notice.id.in_(old(now))))
