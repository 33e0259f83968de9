"""Notices: what the operator is told by mail.

Owns the words once they are said; the outbox brings them, like every other message, once.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from notifier.deliver import outbox
from notifier.store.models import Notice


def owe(session: Session, to: str, subject: str, text: str, domain: str, now: datetime) -> None:
    """Owe the operator a mail.

    Args:
        session: a writing session; the caller commits it together with the state that the mail is about.
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
