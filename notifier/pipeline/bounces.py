"""Returns: mails that came back to us are read, and have their consequences.

Joins what a report says with what becomes of a person: suppressed, held back for a while, or
unsubscribed. Each mail is contained: one that cannot be read is noted as such, and the next is
read. A report that is read again changes nothing.
"""

import logging
import signal
import threading
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notifier.deliver import operator_mail
from notifier.deliver.bounces import parser, policy
from notifier.deliver.bounces.mailbox import Handling, Mail
from notifier.deliver.bounces.policy import Verdict
from notifier.deps import Deps
from notifier.enums import BounceKind, SuppressionCause
from notifier.errors import NotifierError
from notifier.store.models import BounceReport, Installation, Notice
from notifier.subscribers import subscriptions, suppressions

log = logging.getLogger("notifier")

# How long one mail may be read, in seconds of the processor: the limits of its parts allow for less
# than one.
LONGEST_READING = 5.0
# The operator is told of reports without proof so often at the most.
_NOTICE_EVERY = timedelta(days=1)
_NOTICE_SUBJECT = "notifier: reports that prove nothing"
_MOST_FRAMES = 10

# What is left in a mailbox as it is: it may be somebody's own mail.
_LEFT_ALONE = frozenset((BounceKind.NONE, BounceKind.AUTOREPLY))


class _TooSlowError(BaseException):
    """A mail took too long; no handler for errors in a reader may keep it."""


@dataclass
class Summary:
    """What was read: how many mails of each kind, and what came of them."""

    kinds: Counter[str] = field(default_factory=Counter)
    suppressed: int = 0
    held: int = 0
    unsubscribed: int = 0
    known: int = 0


def read(deps: Deps, mails: Iterable[bytes]) -> Summary:
    """Read mails that came back, each parsed outside of a transaction and taken in one of its own.

    Args:
        deps: the installation.
        mails: those of a mailbox (`Mail`) are told what shall become of them there.
    """
    summary = Summary()
    for octets in mails:
        kind = _read(deps, octets, summary)
        if isinstance(octets, Mail):
            octets.fate = _fate(kind)
    _tell_operator(deps)
    return summary


def _fate(kind: BounceKind) -> Handling:
    if kind is BounceKind.UNREADABLE:
        return Handling.MOVED
    return Handling.LEFT if kind in _LEFT_ALONE else Handling.SEEN


def _read(deps: Deps, octets: bytes, summary: Summary) -> BounceKind:
    """Read one mail, whatever it holds; returns what it is."""
    name = policy.name_of(octets)
    with deps.reading() as session:
        kind = policy.known(session, name)
    if kind is not None:
        summary.known += 1
        return kind
    try:
        with _time_limit():
            report = parser.read(octets)
        with deps.writing() as session:
            verdict = policy.record(
                session, name, report, deps.links.parse_bounce_token, deps.mail_domain, deps.now()
            )
            acts = _follow(deps, session, verdict) if verdict else Counter()
    except NotifierError:  # the database is away: the mail is read again when it is back
        raise
    except (Exception, _TooSlowError) as error:  # noqa: BLE001 - one mail never stops the others
        return _unreadable(deps, name, error, summary)
    if verdict is None:
        summary.known += 1
        return BounceKind.NONE
    summary.kinds[verdict.kind] += 1
    summary.suppressed += acts["suppressed"]
    summary.held += acts["held"]
    summary.unsubscribed += acts["unsubscribed"]
    return verdict.kind


def _unreadable(deps: Deps, name: str, error: BaseException, summary: Summary) -> BounceKind:
    """Note a mail as one that cannot be read; the log says where it failed, and nothing of what it holds."""
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
    places = " < ".join(f"{frame.name} line {frame.lineno}" for frame in reversed(frames))
    log.warning("A mail that came back could not be read: %s in %s.", type(error).__name__, places)
    with deps.writing() as session:
        policy.note(session, name, BounceKind.UNREADABLE, deps.now())
    summary.kinds[BounceKind.UNREADABLE] += 1
    return BounceKind.UNREADABLE


@contextmanager
def _time_limit() -> Iterator[None]:
    """End what takes too much of the processor's time, where this thread can be interrupted: the main one, on Unix."""
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return

    def end(_number: int, _frame: object) -> None:
        raise _TooSlowError

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST_READING)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before or signal.SIG_DFL)


def _follow(deps: Deps, session: Session, verdict: Verdict) -> Counter[str]:
    """Let a proven report have its consequences; returns how many people it suppressed, held back, unsubscribed."""
    now, acts = deps.now(), Counter[str]()
    if verdict.kind is BounceKind.UNSUBSCRIBE and verdict.subscription is not None:
        acts["unsubscribed"] += subscriptions.end(
            session, verdict.subscription, "mail", "subscriber", now
        )
    if verdict.subscriber is None:
        return acts
    key = verdict.subscriber.address_hash
    if verdict.kind is BounceKind.HARD or verdict.given_up:
        acts["suppressed"] += suppressions.add(
            session, key, SuppressionCause.BOUNCED, verdict.code, now
        )
    elif verdict.kind is BounceKind.COMPLAINT:
        acts["suppressed"] += suppressions.add(session, key, SuppressionCause.COMPLAINED, "", now)
        for subscription in verdict.subscriber.subscriptions:
            acts["unsubscribed"] += subscriptions.end(
                session, subscription, "complaint", "mail provider", now
            )
    elif verdict.kind is BounceKind.SOFT:
        acts["held"] += 1
    return acts


def _tell_operator(deps: Deps) -> None:
    """Tell the operator of reports without proof, once a day at the most, and nothing of what they say."""
    operator, now = deps.settings.operator.address, deps.now()
    if operator is None:
        return
    with deps.reading() as session:
        if not _untold(session, now):
            return
    with deps.writing() as session:
        session.execute(select(Installation.id).with_for_update())  # two readers tell it once
        if number := _untold(session, now):
            operator_mail.enqueue(
                session, operator, _NOTICE_SUBJECT, _notice(deps, number), deps.mail_domain, now
            )


def _untold(session: Session, now: datetime) -> int:
    """How many reports without proof came since the operator was last told; 0 where that is less than a day ago."""
    noticed_at = session.scalar(
        select(func.max(Notice.created_at)).where(Notice.subject == _NOTICE_SUBJECT)
    )
    if noticed_at is not None and now - noticed_at < _NOTICE_EVERY:
        return 0
    unproven = select(func.count(BounceReport.hash)).where(BounceReport.kind == BounceKind.UNPROVEN)
    return (
        session.scalar(
            unproven if noticed_at is None else unproven.where(BounceReport.read_at > noticed_at)
        )
        or 0
    )


def _notice(deps: Deps, number: int) -> str:
    local, _, domain = deps.bounce_address.rpartition("@")
    return (
        f"Mails came back that name no mail of ours: {number} since you were last told. They changed nothing.\n"
        "Anybody can write such a report. It counts only where it was sent to an address with our signed word, or names"
        " the Message-ID of a mail that we sent in the last 35 days.\n\n"
        "A few of them are usual: spam is sent under other people's names, and its reports come back to those.\n"
        f"Many may mean that the word gets lost. Check that mail to {local}+test@{domain} arrives in the mailbox that"
        " `notifier bounces read` reads, and that its headers still hold the whole address"
        " (Postfix: recipient_delimiter = +)."
    )
