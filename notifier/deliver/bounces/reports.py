"""Reports that came back: each is read once, and acts only with proof.

Owns the proof: a report acts only where it identifies one delivery that was sent within the last
35 days, by the signed token in the envelope address that it was sent to, or by the delivery's
Message-ID. The address that a report names proves nothing, because anybody can write a report. A
mail is identified by the hash of its bytes, so that reading it again changes nothing.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from notifier.enums import BounceKind, DeliveryKind, DeliveryStatus
from notifier.store import db
from notifier.store.models import BounceReport, Delivery, RetiredLink, Subscriber, Subscription

if TYPE_CHECKING:
    from notifier.deliver.bounces.parser import Failure, Report

# Mail servers give up after 4 to 5 days (RFC 5321, 4.5.4.1); a complaint may take weeks. The
# number was chosen by hand; not measured.
PROOF_FOR = timedelta(days=35)

# The verdicts that change something for a person, and therefore need proof.
_NEEDS_PROOF = frozenset(
    (BounceKind.HARD, BounceKind.SOFT, BounceKind.COMPLAINT, BounceKind.DELAYED)
)
# The order in which the mildest of several failures is chosen: each of our mails has one recipient,
# so further recipients in a report are behind an alias.
_MILDEST_FIRST = (
    BounceKind.NONE,
    BounceKind.AUTOREPLY,
    BounceKind.DELAYED,
    BounceKind.SOFT,
    BounceKind.HARD,
)


@dataclass(frozen=True)
class Verdict:
    """The kind of a mail that came back, and the person that it is proven to be about.

    Attributes:
        kind: the verdict on the whole mail.
        failure: the failure that is proven; None if nothing follows from the mail.
        delivery: the delivery that the failure belongs to.
        subscriber: the recipient of that delivery.
        subscription: the subscription that the mail asks to end.
    """

    kind: BounceKind
    failure: "Failure | None" = None
    delivery: Delivery | None = None
    subscriber: Subscriber | None = None
    subscription: Subscription | None = None


def hash_of(octets: bytes) -> str:
    """Return the key by which a mail is recognised: SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256(octets).hexdigest()


def known_kind(session: Session, mail_hash: str) -> BounceKind | None:
    """Return the stored verdict on a mail; None for a mail that was not read before."""
    return session.scalar(select(BounceReport.kind).where(BounceReport.hash == mail_hash))


def store_kind(session: Session, mail_hash: str, kind: BounceKind, now: datetime) -> bool:
    """Store that a mail was read; return False if another process did so first."""
    values = {"hash": mail_hash, "kind": kind, "read_at": now}
    return db.insert_missing(session, BounceReport, values)


def record(
    session: Session,
    mail_hash: str,
    report: "Report",
    name_of_token: Callable[[str], str | None],
    domain: str,
    now: datetime,
) -> Verdict | None:
    """Store that a mail was read, and return the verdict on it.

    Args:
        session: a writing session.
        mail_hash: the key of the mail, from `hash_of`.
        report: the parsed mail.
        name_of_token: returns the left side of the Message-ID that a signed token of an envelope
            address stands for; None for a token with a wrong signature.
        domain: the right side of our Message-IDs.
        now: the time at which the mail is read.

    Returns:
        The verdict; None if the mail was read before. The caller applies the consequences.
    """
    if not store_kind(session, mail_hash, BounceKind.NONE, now):
        return None
    verdict = _verdict(session, report, name_of_token, domain, now)
    stored = update(BounceReport).where(BounceReport.hash == mail_hash)
    session.execute(stored.values(kind=verdict.kind))
    return verdict


def _verdict(
    session: Session,
    report: "Report",
    name_of_token: Callable[[str], str | None],
    domain: str,
    now: datetime,
) -> Verdict:
    if report.unsubscribe_tokens:
        subscription = _subscription_to_end(session, report.unsubscribe_tokens[0])
        return Verdict(BounceKind.UNSUBSCRIBE, subscription=subscription)
    if not any(failure.kind in _NEEDS_PROOF for failure in report.failures):
        return Verdict(report.failures[0].kind)
    delivery = _proven_delivery(session, report, name_of_token, domain)
    if delivery is None or not _can_be_reported(delivery, now):
        return Verdict(BounceKind.UNPROVEN)
    if delivery.subscription is None:
        return Verdict(_mildest(report.failures).kind)
    subscriber = delivery.subscription.subscriber
    failure = _failure_for(report.failures, subscriber.email)
    if failure.kind not in _NEEDS_PROOF or _went_to_old_address(delivery, subscriber):
        return Verdict(failure.kind)
    return Verdict(failure.kind, failure, delivery, subscriber)


def _subscription_to_end(session: Session, token: str) -> Subscription | None:
    """Find the subscription of an unsubscribe token, or of one from before a change of address.

    The token is 128 random bits. It is looked up in an index and nothing is answered, so that
    nobody can measure how near a guess came.
    """
    subscription = session.scalar(select(Subscription).where(Subscription.link_id == token))
    if subscription is None:
        retired = select(RetiredLink.subscription_id).where(RetiredLink.link_id == token)
        subscription_id = session.scalar(retired)
        if subscription_id is not None:
            subscription = session.get(Subscription, subscription_id)
    return subscription


def _mildest(failures: "Iterable[Failure]") -> "Failure":
    return min(failures, key=lambda failure: _severity(failure.kind))


def _severity(kind: BounceKind) -> int:
    return _MILDEST_FIRST.index(kind) if kind in _MILDEST_FIRST else len(_MILDEST_FIRST)


def _failure_for(failures: "Iterable[Failure]", email: str) -> "Failure":
    """Return the failure of an address; the mildest of all where a report names only others."""
    failures = tuple(failures)
    matching = [failure for failure in failures if failure.recipient == email.lower()]
    return _mildest(matching or failures)


def _proven_delivery(
    session: Session, report: "Report", name_of_token: Callable[[str], str | None], domain: str
) -> Delivery | None:
    """Return the one delivery that a report identifies; None for no delivery or several."""
    envelope = {name for token in report.envelope_tokens if (name := name_of_token(token))}
    if envelope:
        return _delivery_named(session, envelope.pop(), domain) if len(envelope) == 1 else None
    names = {name for token in report.tokens if (name := name_of_token(token))}
    deliveries = {
        delivery for name in names if (delivery := _delivery_named(session, name, domain))
    }
    if report.message_ids:
        same_id = select(Delivery).where(Delivery.message_id.in_(report.message_ids))
        deliveries |= {*session.scalars(same_id)}
    return deliveries.pop() if len(deliveries) == 1 else None


def _delivery_named(session: Session, name: str, domain: str) -> Delivery | None:
    """Find a delivery by the left side of its Message-ID; the domain may have changed since."""
    delivery = session.scalar(select(Delivery).where(Delivery.message_id == f"<{name}@{domain}>"))
    return delivery or session.scalar(
        select(Delivery).where(Delivery.message_id.startswith(f"<{name}@"))
    )


def _can_be_reported(delivery: Delivery, now: datetime) -> bool:
    """Return whether a delivery was sent, or may have been, within the time for proof."""
    if delivery.sent_at is None and delivery.status not in (
        DeliveryStatus.UNCERTAIN,
        DeliveryStatus.SENDING,
    ):
        return False
    return now - (delivery.sent_at or delivery.next_attempt_at) <= PROOF_FOR


def _went_to_old_address(delivery: Delivery, subscriber: Subscriber) -> bool:
    """Return whether a delivery went to an address that its owner had before, or may have.

    The address that it was last sent to decides. Where that is not stored, the time at which it was
    enqueued decides, not the time at which it was last sent: a mail that came back is sent again,
    and its first report may come late.
    """
    if delivery.address_hash:
        return delivery.address_hash != subscriber.address_hash
    return subscriber.moved_at is not None and delivery.created_at <= subscriber.moved_at


def is_newest_digest(session: Session, delivery: Delivery) -> bool:
    """Return whether a delivery is a digest that no later digest of its subscription replaces."""
    if delivery.kind is not DeliveryKind.DIGEST:
        return False
    later = select(Delivery.id).where(
        Delivery.subscription_id == delivery.subscription_id,
        Delivery.kind == DeliveryKind.DIGEST,
        Delivery.id > delivery.id,
        Delivery.status.not_in((DeliveryStatus.FAILED, DeliveryStatus.SUPPRESSED)),
    )
    return session.scalar(later) is None
