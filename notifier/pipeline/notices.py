"""Mails to the operator, from every step of the journey."""

from datetime import datetime

from sqlalchemy.orm import Session

from notifier.deliver import operator_mail
from notifier.deps import Deps


def enqueue_for_operator(
    deps: Deps,
    session: Session,
    subject: str,
    text: str,
    now: datetime,
    draft_id: int | None = None,
) -> None:
    """Enqueue a mail to the operator; without `operator.address` in the settings, do nothing.

    Args:
        deps: the installation.
        session: a writing session; the mail is stored together with the state that it is about.
        subject: one line.
        text: paragraphs with empty lines between them. A line that begins with four spaces is a
            command: it is shown whole, so that it can be copied. What others wrote is one line.
        now: the time of writing.
        draft_id: the draft that the mail shows below the text; None for none.
    """
    address = deps.settings.operator.address
    if address is not None:
        operator_mail.enqueue(session, address, subject, text, deps.mail_domain, now, draft_id)
