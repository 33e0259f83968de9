"""Reports that came back: each is read once, and acts only with proof.

Owns the proof: a report acts only where it identifies one delivery that was sent within the last
35 days, by the signed token in the envelope address that it was sent to, or by the delivery's
Message-ID; a complaint also by our own link to leave, because providers black out the rest. It acts
only on the address that the delivery went to. The address that a report names proves nothing,
because anybody can write a report. A mail is identified by the hash of its bytes, so that reading
it again changes nothing.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, load_only

from notifier.email_addresses import to_ascii_domain
from notifier.enums import BounceKind, DeliveryKind, DeliveryStatus
from notifier.errors import LinkError
from notifier.links import Purpose
from notifier.store import db
from notifier.store.models import BounceReport, Delivery, RetiredLink, Subscriber, Subscription

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from notifier.deliver.bounces.failures import Failure
    from notifier.deliver.bounces.parser import Report
    from notifier.links import Links

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
        subscriber: the recipient of that delivery, as `reader_of` returns it.
        subscription_id: the subscription that the mail asks to end.
    """

    kind: BounceKind
    failure: "Failure | None" = None
    delivery: Delivery | None = None
    subscriber: Subscriber | None = None
    subscription_id: int | None = None


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
    links: "Links",
    domain: str,
    now: datetime,
) -> Verdict | None:
    """Store that a mail was read, and return the verdict on it.

    Args:
        session: a writing session.
        mail_hash: the key of the mail, from `hash_of`.
        report: the parsed mail.
        links: the links of the installation, which verify signed tokens.
        domain: the right side of our Message-IDs.
        now: the time at which the mail is read.

    Returns:
        The verdict; None if the mail was read before. The caller applies the consequences.
    """
    if not store_kind(session, mail_hash, BounceKind.NONE, now):
        return None
    verdict = _verdict(session, report, links, domain, now)
    stored = update(BounceReport).where(BounceReport.hash == mail_hash)
    session.execute(stored.values(kind=verdict.kind))
    return verdict


def _verdict(
    session: Session, report: "Report", links: "Links", domain: str, now: datetime
) -> Verdict:
    if report.unsubscribe_tokens:
        return _wish_to_leave(_subscription_to_end(session, report.unsubscribe_tokens))
    if report.leaves_in_words:
        return _wish_to_leave(_subscription_answered(session, report, links, domain, now))
    if not any(failure.kind in _NEEDS_PROOF for failure in report.failures):
        return Verdict(report.failures[0].kind)
    complained = any(failure.kind is BounceKind.COMPLAINT for failure in report.failures)
    delivery = _proven_delivery(session, report, links, domain)
    if delivery is None and complained:
        delivery = _delivery_to_leave(session, report, links, now)
    if delivery is None or not _can_be_reported(delivery, now):
        return Verdict(BounceKind.UNPROVEN_COMPLAINT if complained else BounceKind.UNPROVEN)
    return _proven_verdict(session, delivery, report.failures)


def _wish_to_leave(subscription_id: int | None) -> Verdict:
    if subscription_id is None:
        return Verdict(BounceKind.UNPROVEN_COMPLAINT)
    return Verdict(BounceKind.UNSUBSCRIBE, subscription_id=subscription_id)


def reader_of(session: Session, delivery: Delivery) -> Subscriber | None:
    """Return the person whose subscription a delivery is for; None for any other mail.

    Only the columns that say who it is are read: one that cannot be read, of the subscription or of
    the person, must keep nobody from leaving. The others are read when they are asked for.
    """
    whose = (
        select(Subscriber)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .where(Subscription.id == delivery.subscription_id)
    )
    return session.scalar(whose.options(load_only(Subscriber.email, Subscriber.address_hash)))


def _proven_verdict(session: Session, delivery: Delivery, failures: "Sequence[Failure]") -> Verdict:
    """Return the verdict on a report that is proven to be about a delivery."""
    subscriber = reader_of(session, delivery)
    if subscriber is None:
        return Verdict(_mildest(failures).kind)
    failure = _failure_for(failures, subscriber.email)
    if failure.still_tried:  # to send it again would be a second copy
        return Verdict(BounceKind.DELAYED)
    if failure.kind not in _NEEDS_PROOF or _went_to_old_address(delivery, subscriber):
        return Verdict(failure.kind)
    return Verdict(failure.kind, failure, delivery, subscriber)


def _subscription_to_end(session: Session, tokens: Sequence[str]) -> int | None:
    """Find the subscription of an unsubscribe token, or of one from before a change of address.

    The token is 128 random bits. It is looked up in an index and nothing is answered, so that
    nobody can measure how near a guess came. One in capital or small letters alone, which a program
    made so, still has more than 100 random bits.
    """
    for token in tokens:
        named = _subscription_of(
            session, Subscription.link_id == token, RetiredLink.link_id == token
        )
        if named is not None:
            return named
    changed = next((token for token in tokens if token in (token.lower(), token.upper())), None)
    if changed is None:
        return None
    lower = changed.lower()
    return _subscription_of(
        session, func.lower(Subscription.link_id) == lower, func.lower(RetiredLink.link_id) == lower
    )


def _subscription_answered(
    session: Session, report: "Report", links: "Links", domain: str, now: datetime
) -> int | None:
    """Find the subscription whose mail its own reader answers, as the mail's identifier proves."""
    delivery = _proven_delivery(session, report, links, domain)
    if delivery is None or not _can_be_reported(delivery, now):
        return None
    reader = reader_of(session, delivery)
    is_reader = reader is not None and report.leaves_in_words in _names_of(reader.email)
    return delivery.subscription_id if is_reader else None


def _subscription_of(
    session: Session, linked: "ColumnElement[bool]", retired: "ColumnElement[bool]"
) -> int | None:
    """Return the one subscription whose link, or one of whose retired links, is meant."""
    numbers = {
        *session.scalars(select(Subscription.id).where(linked).limit(2)),
        *session.scalars(select(RetiredLink.subscription_id).where(retired).limit(2)),
    }
    return numbers.pop() if len(numbers) == 1 else None


def _mildest(failures: "Iterable[Failure]") -> "Failure":
    return min(failures, key=lambda failure: _severity(failure.kind))


def _severity(kind: BounceKind) -> int:
    return _MILDEST_FIRST.index(kind) if kind in _MILDEST_FIRST else len(_MILDEST_FIRST)


def _failure_for(failures: "Iterable[Failure]", email: str) -> "Failure":
    """Return the failure of an address; the mildest of all where a report names only others."""
    failures = tuple(failures)
    matching = [failure for failure in failures if failure.recipient in _names_of(email)]
    return _mildest(matching or failures)


def _names_of(email: str) -> tuple[str, str]:
    """Return an address in lower case, with its domain in its own letters and in A-labels."""
    return email.lower(), to_ascii_domain(email).lower()


def _proven_delivery(
    session: Session, report: "Report", links: "Links", domain: str
) -> Delivery | None:
    """Return the one delivery that a report identifies; None for no delivery or several."""
    name_of_token = links.parse_bounce_token
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


def _delivery_to_leave(
    session: Session, report: "Report", links: "Links", now: datetime
) -> Delivery | None:
    """Return the newest mail to the one person whose link to leave stands in a complaint.

    A link from before a change of address proves nothing about the new one.
    """
    link_ids = set(report.leave_mails)
    for token in report.leave_links:
        try:
            link_ids.add(links.read(Purpose.UNSUBSCRIBE, token, now))
        except LinkError:
            continue
    same_link = select(Subscription.id).where(Subscription.link_id.in_(link_ids))
    subscription_ids = session.scalars(same_link).all()
    if len(subscription_ids) != 1:
        return None
    newest = (
        select(Delivery)
        .where(Delivery.subscription_id == subscription_ids[0], Delivery.sent_at.is_not(None))
        .order_by(Delivery.sent_at.desc(), Delivery.id.desc())
        .limit(1)
    )
    return session.scalar(newest)


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
    """Return whether a delivery may have gone to the address that its owner had before.

    The time at which it was enqueued decides, too, not the time at which it was last sent: a mail
    that came back is sent again, perhaps to the new address, and its first report may come late.
    """
    if delivery.address_hash not in ("", subscriber.address_hash):
        return True
    try:
        moved_at = subscriber.moved_at
    except (ValueError, LookupError, TypeError):  # it cannot be read: the address alone decides
        return not delivery.address_hash
    return moved_at is not None and delivery.created_at <= moved_at


def was_in_flight(
    session: Session, delivery: Delivery, subscriber: Subscriber, counted_at: datetime
) -> bool:
    """Return whether a mail was sent before a time, and its person was sent others after it.

    Args:
        session: a session.
        delivery: the mail that came back.
        subscriber: its person.
        counted_at: the time of the last soft bounce of the person that was counted.
    """
    if delivery.sent_at is None or delivery.sent_at > counted_at:
        return False
    later = (
        select(Delivery.id)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .where(
            Subscription.subscriber_id == subscriber.id,
            Delivery.sent_at > delivery.sent_at,
        )
    )
    return session.scalar(later.limit(1)) is not None


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
