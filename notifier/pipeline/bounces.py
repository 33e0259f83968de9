"""The consequences of bounces: of refusals while sending, and of reports that came back later.

Both ways end in the same decision (`deliver/bounces/policy.py`): the address is suppressed, the
person's mails are held back for a while, or nothing follows. A complaint also ends the person's
subscriptions, and a digest that too many servers refuse is held, before our reputation suffers.
Many addresses that are said not to exist are another matter: see `brake.py`.
Each mail that came back is contained: one that cannot be read is noted as such, and the next one
is read. A mail that is read again changes nothing.
"""

import logging
import signal
import threading
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from notifier.deliver import alerts, outbox
from notifier.deliver.bounces import policy, reports
from notifier.deliver.bounces.mailbox import Handling, Mail
from notifier.deliver.bounces.policy import Consequence, Evidence
from notifier.deliver.bounces.reports import Verdict
from notifier.deliver.outbox import Outcome, SendResult
from notifier.deliver.redaction import safe
from notifier.deps import Deps
from notifier.digest import digests
from notifier.email_addresses import to_ascii_domain
from notifier.enums import BounceKind, SuppressionCause
from notifier.errors import NotifierError
from notifier.pipeline import brake, unproven_reports
from notifier.pipeline.notices import enqueue_for_operator
from notifier.store.models import Delivery, Subscriber
from notifier.subscribers import (
    bounce_state,
    damaged_rows,
    held_suppressions,
    subscriptions,
    suppressions,
)

log = logging.getLogger("notifier")

# Processor time for reading one mail, in seconds. The limits of its parts allow for less than one
# second. Chosen by hand; not measured.
LONGEST_READING = 5.0
_OUR_FAULT_SUBJECT = "notifier: mail servers refuse us"
_MOST_FRAMES = 10
# The refusals of a digest are counted again after each tenth more, because counting reads many
# rows of a long list. Chosen by hand; not measured.
_COUNT_AGAIN_AT = 1.1
# Characters of a server's answer that are quoted to the operator.
_LONGEST_QUOTE = 200

# The kinds that are left in a mailbox as they are: they may be somebody's own mail, or a person has
# to read them.
_LEFT_ALONE = frozenset((BounceKind.NONE, BounceKind.AUTOREPLY, BounceKind.UNPROVEN_COMPLAINT))


class _TooSlowError(BaseException):
    """A mail took too long to read.

    It is not an `Exception`, so that no error handler inside a parser can catch it.
    """


@dataclass
class Summary:
    """The number of mails of each kind, and of the changes that followed from them."""

    kinds: Counter[str] = field(default_factory=Counter)
    suppressed: int = 0
    held: int = 0
    unsubscribed: int = 0
    known: int = 0


def apply_consequence(
    session: Session, delivery: Delivery, subscriber: Subscriber, evidence: Evidence, now: datetime
) -> tuple[Consequence, bool]:
    """Store the consequence of a failure of a delivery for the person that it is about.

    Nothing more follows while the suppression of the address waits for a person.

    Returns:
        The consequence, and True if it suppressed an address that was not suppressed before.
    """
    if held_suppressions.is_held(session, subscriber.address_hash):
        return Consequence(), False
    number, last, held_until = bounce_state.counted(subscriber)
    counted_at = now
    if (
        evidence.reported
        and last
        and number
        and reports.was_in_flight(session, delivery, subscriber, last)
    ):
        evidence, counted_at = evidence._replace(in_flight=True), last
    consequence = policy.decide(evidence, number, last, now, held_until=held_until)
    if consequence.hold is not None:
        hold = consequence.hold
        bounce_state.store_hold(subscriber, hold.soft_bounces, hold.until, counted_at)
    cause, newly_suppressed = consequence.suppression, False
    if cause is not None:
        reason = evidence.code if cause is SuppressionCause.BOUNCED else ""
        newly_suppressed = suppressions.add(session, subscriber.address_hash, cause, reason, now)
    if newly_suppressed and cause is SuppressionCause.BOUNCED:
        held_suppressions.note(session, subscriber, evidence.code, delivery.id, now)
    return consequence, newly_suppressed


class Refusals:
    """The refusals of one run, and their consequences."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._refused: Counter[int] = Counter()
        self._refused_at_last_count: Counter[int] = Counter()

    def apply(self, session: Session, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Store the consequences of refusals, in the transaction that stores the refusals."""
        refused: Counter[int] = Counter()
        if any(outcome.waits_because for outcome in outcomes):
            _notify_of_our_fault(self._deps, session, now)
        for outcome in outcomes:
            if outcome.answer is not SendResult.REFUSED:
                continue
            delivery = session.get(Delivery, outcome.attempt.delivery_id)
            if delivery is None or delivery.claim != outcome.attempt.claim:  # erased meanwhile
                continue
            evidence = outcome.evidence
            about_address = evidence is not None and evidence.kind is BounceKind.HARD
            if delivery.digest_id is not None and not about_address:
                refused[delivery.digest_id] += 1
            _apply_refusal(session, delivery, outcome, now)
        self._refused += refused
        for digest_id in refused:
            counted = self._refused_at_last_count[digest_id]
            if self._refused[digest_id] > counted * _COUNT_AGAIN_AT:
                self._refused_at_last_count[digest_id] = self._refused[digest_id]
                _hold_if_refused(self._deps, session, digest_id, now)


def _notify_of_our_fault(deps: Deps, session: Session, now: datetime) -> None:
    """Mail the operator, once until it is over, that servers refuse us.

    The mail is enqueued at once, so that it may still go out in this run.
    """
    trouble = alerts.refused_for_us(session)
    if trouble is not None and alerts.begin(session, trouble, now):
        text = f"{trouble.detail}\n\n{trouble.fix}"
        enqueue_for_operator(deps, session, _OUR_FAULT_SUBJECT, text, now)


def _apply_refusal(session: Session, delivery: Delivery, outcome: Outcome, now: datetime) -> None:
    """Store the consequence of a refusal for the subscriber, if the address is still theirs."""
    if outcome.evidence is None:
        return
    subscriber = reports.reader_of(session, delivery)
    if subscriber is None:
        return
    if outcome.recipient != to_ascii_domain(subscriber.email):
        return
    consequence, _ = apply_consequence(session, delivery, subscriber, outcome.evidence, now)
    if consequence.suppression is not None:
        outbox.note_suppressing(delivery)
    if consequence.hold is not None and consequence.suppression is None:
        outbox.try_again_at(delivery, consequence.hold.until)


def _hold_if_refused(deps: Deps, session: Session, digest_id: int, now: datetime) -> None:
    """Hold a digest that too many servers refuse, and mail the operator about it."""
    refusals = digests.hold_if_refused(session, digest_id)
    if refusals is None:
        return
    refused, tried, last_answer = refusals
    text = (
        f"Digest {digest_id} is held: of {tried} recipients tried, the mail server refused "
        f"{refused}.\n"
        f"Its last answer: {safe(last_answer, limit=_LONGEST_QUOTE)}\n\n"
        "Fix what it complains about (often: no DKIM or SPF record, an old address list, a blocked "
        "sender).\n"
        f"Then let the rest go out:\n    notifier digests approve {digest_id}\n"
        "To see the refused ones:\n    notifier deliveries list --status failed"
    )
    enqueue_for_operator(deps, session, f"notifier: digest {digest_id} is held", text, now)


def read(deps: Deps, mails: Iterable[bytes]) -> Summary:
    """Read mails that came back: each is parsed outside a transaction and stored in its own.

    Args:
        deps: the installation.
        mails: the bytes of each mail. A mail of a mailbox (`Mail`) is given its handling there.
    """
    summary = Summary()
    for octets in mails:
        kind = _read_mail(deps, octets, summary)
        if isinstance(octets, Mail):
            octets.handling = _handling(kind)
    brake.apply(deps)
    unproven_reports.notify(deps)
    return summary


def _handling(kind: BounceKind) -> Handling:
    if kind is BounceKind.UNREADABLE:
        return Handling.MOVED
    return Handling.LEFT if kind in _LEFT_ALONE else Handling.SEEN


def _read_mail(deps: Deps, octets: bytes, summary: Summary) -> BounceKind:
    """Read one mail, whatever it holds, and return its kind."""
    from notifier.deliver.bounces import parser  # slow to import, and sending does not need it

    mail_hash = reports.hash_of(octets)
    with deps.reading() as session:
        kind = reports.known_kind(session, mail_hash)
    if kind is not None:
        summary.known += 1
        return kind
    try:
        with _time_limit():
            report = parser.read(octets)
        with deps.writing() as session:
            now = deps.now()
            verdict = reports.record(session, mail_hash, report, deps.links, deps.mail_domain, now)
            changes = apply_verdict(session, verdict, now) if verdict else Counter()
    except NotifierError:  # the database is away: the mail is read again when it is back
        raise
    except (Exception, _TooSlowError) as error:  # noqa: BLE001 - one mail never stops the others
        return _note_unreadable(deps, mail_hash, error, summary)
    if verdict is None:
        summary.known += 1
        return BounceKind.NONE
    summary.kinds[verdict.kind] += 1
    summary.suppressed += changes["suppressed"]
    summary.held += changes["held"]
    summary.unsubscribed += changes["unsubscribed"]
    return verdict.kind


def _note_unreadable(
    deps: Deps, mail_hash: str, error: BaseException, summary: Summary
) -> BounceKind:
    """Store that a mail cannot be read; the log says where it failed, and nothing of its text."""
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
    places = " < ".join(f"{frame.name} line {frame.lineno}" for frame in reversed(frames))
    log.warning("A mail that came back could not be read: %s in %s.", type(error).__name__, places)
    with deps.writing() as session:
        reports.store_kind(session, mail_hash, BounceKind.UNREADABLE, deps.now())
    summary.kinds[BounceKind.UNREADABLE] += 1
    return BounceKind.UNREADABLE


@contextmanager
def _time_limit() -> Iterator[None]:
    """End a block that uses too much processor time.

    It works only where the thread can be interrupted: in the main thread, on Unix.
    """
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


def apply_verdict(session: Session, verdict: Verdict, now: datetime) -> Counter[str]:
    """Store the consequences of a mail that came back.

    Returns:
        The number of people "suppressed" and "held", and of subscriptions "unsubscribed".
    """
    changes = Counter[str]()
    if verdict.subscription_id is not None:
        changes["unsubscribed"] += subscriptions.end_by_id(
            session, verdict.subscription_id, "mail", "subscriber", now
        )
    if verdict.failure is None or verdict.subscriber is None or verdict.delivery is None:
        return changes
    evidence = verdict.failure.evidence
    consequence, newly_suppressed = apply_consequence(
        session, verdict.delivery, verdict.subscriber, evidence, now
    )
    changes["suppressed"] += newly_suppressed
    if consequence.suppression is SuppressionCause.COMPLAINED:
        for subscription_id in damaged_rows.ids_of(session, verdict.subscriber.id):
            changes["unsubscribed"] += subscriptions.end_by_id(
                session, subscription_id, "complaint", "mail provider", now
            )
    elif consequence.suppression is None and consequence.hold is not None:
        changes["held"] += 1
        _send_again(session, verdict, consequence.hold.until)
    elif evidence.is_about_us:
        _send_again(session, verdict, policy.try_again_at(verdict.delivery.due_at, now))
    return changes


def _send_again(session: Session, verdict: Verdict, when: datetime) -> None:
    """Enqueue a digest that came back once more, unless a later one replaces it."""
    failure, delivery, subscriber = verdict.failure, verdict.delivery, verdict.subscriber
    assert failure is not None
    assert delivery is not None
    assert subscriber is not None
    if reports.is_newest_digest(session, delivery):
        reason = safe(f"{failure.status} {failure.text}".strip(), subscriber.email)
        waits_because = policy.wait_reason(failure.evidence.subject)
        if outbox.requeue(delivery, when, f"came back: {reason}", waits_because):
            digests.reopen(session, [delivery.digest_id])
