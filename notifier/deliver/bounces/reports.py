"""Bounces: what a mail that came back means for the one it was written to.

Owns the proof: a report acts only where it names one delivery of ours that went out lately, by the
signed word in the address that it was sent to, or by the delivery's Message-ID. Whom a report names
decides nothing: anybody can write one. Owns the waiting as well: what passes is waited for, twice
as long each time, and then the digest goes out again, unless a newer one did. A report is known by
its hash: read again it changes nothing.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from notifier.deliver import outbox
from notifier.deliver.bounces import parser
from notifier.deliver.bounces.parser import Failure, Report
from notifier.deliver.redaction import safe
from notifier.enums import BounceKind, DeliveryKind, DeliveryStatus
from notifier.store import db
from notifier.store.models import BounceReport, Delivery, RetiredLink, Subscriber, Subscription

# The first soft bounce holds a person's mails back for two hours, the next for four, up to 64.
_FIRST_HOLD, _MOST_DOUBLINGS = timedelta(hours=2), 5
# After so long without one, one is forgotten.
_DECAY = timedelta(days=7)
# So many, each before the one before was forgotten, and the address is given up.
_GIVEN_UP_AFTER = 8
# No server tries so long: what comes later is about no mail of ours.
PROOF_FOR = timedelta(days=35)

# What changes somebody's standing, and therefore needs proof.
_ACTING = frozenset((BounceKind.HARD, BounceKind.SOFT, BounceKind.COMPLAINT, BounceKind.DELAYED))
# What a report says of several recipients, from the mildest: our mails have one, so the others are
# behind an alias.
_MILDEST_FIRST = (
    BounceKind.NONE,
    BounceKind.AUTOREPLY,
    BounceKind.DELAYED,
    BounceKind.SOFT,
    BounceKind.HARD,
)


@dataclass(frozen=True)
class Verdict:
    """What came of a mail: its kind, and the person it is about, where that is proven; `code` says why (``5.1.1``)."""

    kind: BounceKind
    subscriber: Subscriber | None = None
    subscription: Subscription | None = None
    given_up: bool = False
    code: str = ""


def name_of(octets: bytes) -> str:
    """By what a mail is known when it is read again: SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256(octets).hexdigest()


def known(session: Session, name: str) -> BounceKind | None:
    """What a mail was found to be when it was read before; None for a new one."""
    return session.scalar(select(BounceReport.kind).where(BounceReport.hash == name))


def note(session: Session, name: str, kind: BounceKind, now: datetime) -> bool:
    """Note that a mail was read, and as what; returns False where another process did so first."""
    return db.insert_missing(session, BounceReport, {"hash": name, "kind": kind, "read_at": now})


def record(
    session: Session,
    name: str,
    report: Report,
    named_by: Callable[[str], str | None],
    domain: str,
    now: datetime,
) -> Verdict | None:
    """Take a mail that came back, once.

    Args:
        session: a writing session.
        name: by what the mail is known.
        report: what it says.
        named_by: gives the beginning of the Message-ID that a signed word in an envelope address
            means, None for a word that is not ours.
        domain: the right side of our Message-IDs.
        now: when.

    Returns:
        What it means; None for one that was read before. The caller suppresses and ends.
    """
    if not note(session, name, BounceKind.NONE, now):
        return None
    verdict = _verdict(session, report, named_by, domain, now)
    session.execute(update(BounceReport).where(BounceReport.hash == name).values(kind=verdict.kind))
    return verdict


def _verdict(
    session: Session,
    report: Report,
    named_by: Callable[[str], str | None],
    domain: str,
    now: datetime,
) -> Verdict:
    if report.unsubscribe_tokens:
        subscription = _leaving(session, report.unsubscribe_tokens[0])
        return Verdict(
            BounceKind.UNSUBSCRIBE, subscription.subscriber if subscription else None, subscription
        )
    if not any(failure.kind in _ACTING for failure in report.failures):
        return Verdict(report.failures[0].kind)
    delivery = _delivery(session, report, named_by, domain)
    if delivery is None or not _went_out(delivery, now):
        return Verdict(BounceKind.UNPROVEN)
    if delivery.subscription is None:
        return Verdict(_mildest(report.failures).kind)
    person = delivery.subscription.subscriber
    failure = _about(report.failures, person.email)
    if failure.kind not in _ACTING or _was_elsewhere(delivery, person):
        return Verdict(failure.kind)
    return _consequence(session, failure, delivery, person, now)


def _leaving(session: Session, word: str) -> Subscription | None:
    """The subscription that a mail asks to end: by its link, or by one from before a change of address.

    The word is 128 random bits. It is looked up in an index and nothing is answered, so that nobody
    can measure how near a guess came.
    """
    subscription = session.scalar(select(Subscription).where(Subscription.link_id == word))
    if subscription is None:
        retired = select(RetiredLink.subscription_id).where(RetiredLink.link_id == word)
        subscription = session.scalar(select(Subscription).where(Subscription.id.in_(retired)))
    return subscription


def _mildest(failures: Iterable[Failure]) -> Failure:
    return min(failures, key=lambda failure: _severity(failure.kind))


def _severity(kind: BounceKind) -> int:
    return _MILDEST_FIRST.index(kind) if kind in _MILDEST_FIRST else len(_MILDEST_FIRST)


def _about(failures: Iterable[Failure], email: str) -> Failure:
    """What a report says of an address; where it names only others (an address behind theirs), the mildest of that."""
    failures = tuple(failures)
    own = [failure for failure in failures if failure.recipient == email.lower()]
    return _mildest(own or failures)


def _delivery(
    session: Session, report: Report, named_by: Callable[[str], str | None], domain: str
) -> Delivery | None:
    """The one delivery that a report proves to be about; None where it names none, or several."""
    envelope = {name for token in report.envelope_tokens if (name := named_by(token))}
    if envelope:
        return _by_name(session, envelope.pop(), domain) if len(envelope) == 1 else None
    names = {name for token in report.tokens if (name := named_by(token))}
    deliveries = {delivery for name in names if (delivery := _by_name(session, name, domain))}
    if report.message_ids:
        deliveries |= {
            *session.scalars(select(Delivery).where(Delivery.message_id.in_(report.message_ids)))
        }
    return deliveries.pop() if len(deliveries) == 1 else None


def _by_name(session: Session, name: str, domain: str) -> Delivery | None:
    """The delivery whose Message-ID begins like this; our domain may have been another when it was made."""
    delivery = session.scalar(select(Delivery).where(Delivery.message_id == f"<{name}@{domain}>"))
    return delivery or session.scalar(
        select(Delivery).where(Delivery.message_id.startswith(f"<{name}@"))
    )


def _went_out(delivery: Delivery, now: datetime) -> bool:
    """Whether a report about a delivery is possible: it was sent, or may have been, and not long ago."""
    if delivery.sent_at is None and delivery.status not in (
        DeliveryStatus.UNCERTAIN,
        DeliveryStatus.SENDING,
    ):
        return False
    return now - (delivery.sent_at or delivery.next_attempt_at) <= PROOF_FOR


def _was_elsewhere(delivery: Delivery, person: Subscriber) -> bool:
    """Whether a delivery may have gone to the address that its owner had before: then it says nothing of the new one.

    When it was owed decides, not when it was sent last: one that came back is sent again, and its
    first report may come late.
    """
    return person.moved_at is not None and delivery.created_at <= person.moved_at


def _consequence(
    session: Session, failure: Failure, delivery: Delivery, person: Subscriber, now: datetime
) -> Verdict:
    code = parser.code_of(failure.status, failure.said)
    if failure.kind is not BounceKind.SOFT:
        return Verdict(failure.kind, person, code=code)
    given_up = hold(person, now)
    if delivery.kind is DeliveryKind.DIGEST and not given_up and _newest(session, delivery):
        assert person.held_until is not None
        reason = safe(f"{failure.status} {failure.said}".strip(), person.email)
        outbox.requeue(delivery, person.held_until, f"came back: {reason}")
    return Verdict(failure.kind, person, given_up=given_up, code=code)


def hold(person: Subscriber, now: datetime) -> bool:
    """Hold a person's mails back, twice as long as the last time; returns whether the address is to be given up."""
    if person.bounced_at is not None:
        person.soft_bounces = max(0, person.soft_bounces - (now - person.bounced_at) // _DECAY)
    person.held_until = now + _FIRST_HOLD * 2 ** min(person.soft_bounces, _MOST_DOUBLINGS)
    person.soft_bounces += 1
    person.bounced_at = now
    return person.soft_bounces >= _GIVEN_UP_AFTER


def _newest(session: Session, delivery: Delivery) -> bool:
    """Whether no later digest went to the same subscription."""
    later = select(Delivery.id).where(
        Delivery.subscription_id == delivery.subscription_id,
        Delivery.kind == DeliveryKind.DIGEST,
        Delivery.id > delivery.id,
        Delivery.status.not_in((DeliveryStatus.FAILED, DeliveryStatus.SUPPRESSED)),
    )
    return session.scalar(later) is None
