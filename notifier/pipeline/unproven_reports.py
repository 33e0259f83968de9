"""Mails to the operator about reports and complaints that could not be attributed to anybody.

Each kind is mailed at most once a day, with its number and without any text of the reports: they
are written by strangers.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notifier.deps import Deps
from notifier.enums import BounceKind
from notifier.pipeline.notices import enqueue_for_operator
from notifier.store.models import BounceReport, Installation, Notice

_EVERY = timedelta(days=1)


class _Kind(NamedTuple):
    """A kind of mail that the operator is told about: its subject, and its text for a number."""

    kind: BounceKind
    subject: str
    text: Callable[[Deps, int], str]


def notify(deps: Deps) -> None:
    """Mail the operator about what came back since the last such mail, if anything did."""
    if deps.settings.operator.address is None:
        return
    now = deps.now()
    for kind in _KINDS:
        with deps.reading() as session:
            if not _count(session, kind, now):
                continue
        with deps.writing() as session:
            # The lock lets one of two readers send the mail; the other one then counts 0.
            session.execute(select(Installation.id).with_for_update())
            if number := _count(session, kind, now):
                enqueue_for_operator(deps, session, kind.subject, kind.text(deps, number), now)


def _count(session: Session, kind: _Kind, now: datetime) -> int:
    """Count the mails of a kind since the operator was last mailed about them.

    Returns:
        The number; 0 if the operator was mailed about them less than a day ago.
    """
    noticed_at = session.scalar(
        select(func.max(Notice.created_at)).where(Notice.subject == kind.subject)
    )
    if noticed_at is not None and now - noticed_at < _EVERY:
        return 0
    number = select(func.count(BounceReport.hash)).where(BounceReport.kind == kind.kind)
    if noticed_at is not None:
        number = number.where(BounceReport.read_at > noticed_at)
    return session.scalar(number) or 0


def _reports_text(deps: Deps, number: int) -> str:
    local, _, domain = deps.bounce_address.rpartition("@")
    return (
        "Reports came back that identify none of our mails: "
        f"{number} since the last such mail to you. They changed nothing.\n"
        "Anybody can write such a report. It counts only if it was sent to an address with our "
        "signed token, or names the Message-ID of a mail that we sent in the last 35 days.\n\n"
        "A few of them are usual: spam is sent under other people's names, and its reports come "
        "back to those.\n"
        "Many may mean that the token gets lost. Check that mail to "
        f"{local}+test@{domain} arrives in the mailbox that `notifier bounces read` reads, and "
        "that its headers still hold the whole address (Postfix: recipient_delimiter = +)."
    )


def _complaints_text(_deps: Deps, number: int) -> str:
    return (
        "Complaints, or wishes to leave, came back that do not say whose they are: "
        f"{number} since the last such mail to you. Nobody's mails ended because of them.\n"
        "A reader called a mail of ours spam, or asked not to get any more. Usually the provider "
        "removes the address, and sometimes all that would identify the mail, too.\n\n"
        "Look at them: they are left unread in the mailbox that `notifier bounces read` reads. If "
        "you recognise the reader, end their mails:\n    notifier unsubscribe ADDRESS\n"
        "If there are many, ask whether your list holds people who did not subscribe themselves."
    )


_KINDS = (
    _Kind(BounceKind.UNPROVEN, "notifier: reports that prove nothing", _reports_text),
    _Kind(BounceKind.UNPROVEN_COMPLAINT, "notifier: complaints that name nobody", _complaints_text),
)
