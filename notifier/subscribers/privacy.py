"""Privacy: everything that is stored of one person, handed out (GDPR Art. 15, 20) or erased (Art. 17).

Reads across the tables that name a person; what is left after erasure is a keyed hash, so that the
address is not mailed again until its owner asks for it themselves.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from notifier.enums import SignupRequestKind, SuppressionCause
from notifier.store.models import (
    AddressChange,
    Consent,
    Delivery,
    SignupRequest,
    Subscriber,
    Subscription,
)
from notifier.subscribers import (
    address_changes,
    consent,
    signup_requests,
    subscriptions,
    suppressions,
)

# By what an address is suppressed of which nothing else is left.
_ERASED = (SuppressionCause.ERASED, SuppressionCause.LEFT)


def export(session: Session, subscriber: Subscriber) -> dict[str, Any]:
    """Everything we hold of a person, as a JSON document; times are ISO 8601 with offset.

    Of a change of address it says when it was asked for, not the new address: until both have
    agreed that may be somebody else's (GDPR Art. 15(4)), and whether it is known here is told to
    nobody.
    """
    ids = [one.id for one in subscriber.subscriptions]
    suppressed = suppressions.of(session, subscriber.address_hash)
    ledger = consent.of(session, ids)
    texts = consent.wordings(session, ledger)
    changes = session.scalars(
        select(AddressChange).where(AddressChange.subscriber_id == subscriber.id)
    )
    deliveries = session.scalars(
        select(Delivery)
        .where(Delivery.subscription_id.in_(ids))
        .order_by(Delivery.id)
        .options(joinedload(Delivery.digest))
    )
    return {
        "email": subscriber.email,
        "language": subscriber.language,
        "time_zone": subscriber.time_zone,
        "created_at": _at(subscriber.created_at),
        "address_changed_at": _at(subscriber.moved_at),
        "suppressed": None
        if suppressed is None
        else {"cause": suppressed.cause, "reason": suppressed.reason, "at": _at(suppressed.at)},
        "subscriptions": [_subscription(one) for one in subscriber.subscriptions],
        "consent": [_consent(one, texts) for one in ledger],
        "address_changes": [{"asked_at": _at(change.asked_at)} for change in changes],
        "enquiries": [
            _enquiry(enquiry) for enquiry in signup_requests.about(session, subscriber.address_hash)
        ],
        "deliveries": [_delivery(one) for one in deliveries],
    }


def _enquiry(enquiry: SignupRequest) -> dict[str, Any]:
    wish = enquiry.wish if enquiry.kind is SignupRequestKind.SUBSCRIBE else None
    return {"kind": enquiry.kind, "wish": wish, "at": _at(enquiry.at)}


def _subscription(one: Subscription) -> dict[str, Any]:
    return {
        "profile": one.profile.slug,
        "therapy": one.profile.name,
        "status": one.status,
        "cadence": one.cadence,
        "at": one.at,
        "on": one.on,
        "edition": one.edition,
        "hidden_sections": one.hidden,
        "urgent": one.urgent,
        "place_in_the_news": one.position,
        "created_at": _at(one.created_at),
        "asked_at": _at(one.asked_at),
        "confirmed_at": _at(one.confirmed_at),
        "ended_at": _at(one.ended_at),
        "paused_until": _at(one.paused_until),
        "renewed_at": _at(one.renewed_at),
        "renewal_asked_at": _at(one.renewal_asked_at),
        "last_written_to_at": _at(one.last_mailed_at),
        "next_due_at": _at(one.next_due_at),
        "wish": one.wish,
        "trouble": one.trouble,
    }


def _consent(one: Consent, texts: dict[str, str]) -> dict[str, Any]:
    return {
        "subscription": one.subscription_id,
        "event": one.event,
        "method": one.method,
        "attested_by": one.attested_by,
        "wording_version": one.wording_version,
        "wording_hash": one.wording_hash,
        "wording": texts.get(one.wording_hash),
        "at": _at(one.at),
    }


def _delivery(one: Delivery) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "digest": one.digest_id,
        "subject": one.digest.subject if one.digest else None,
        "status": one.status,
        "attempts": one.attempts,
        "message_id": one.message_id,
        "due_at": _at(one.due_at),
        "sent_at": _at(one.sent_at),
        "server_said": one.error,
    }


def _at(value: datetime | None) -> str | None:
    return value.isoformat(timespec="seconds") if value else None


def erase(
    session: Session, subscriber: Subscriber, cause: SuppressionCause, reason: str, now: datetime
) -> None:
    """Delete a person with everything that hangs on them; only the keyed hash of the address stays, suppressed.

    The write-ahead log still holds the deleted bytes until it is emptied (`store.db.scrub`).
    """
    erase_address(session, subscriber.address_hash, cause, reason, now)


def erase_address(
    session: Session, address_hash: str, cause: SuppressionCause, reason: str, now: datetime
) -> bool:
    """Erase whatever is stored under an address, whether or not it is a subscriber's.

    Args:
        session: a writing session.
        address_hash: of the address.
        cause: of the suppression that stays.
        reason: of it, in a word.
        now: when.

    Returns:
        Whether there was anything: a person, an enquiry that waits, somebody's wish to move to it,
        or a suppression that is not from an erasure.
    """
    suppression = suppressions.of(session, address_hash)
    suppressed = suppression is not None and suppression.cause not in _ERASED
    named = signup_requests.erase(session, address_hash, now) + address_changes.erase(
        session, address_hash
    )
    person = session.scalar(select(Subscriber.id).where(Subscriber.address_hash == address_hash))
    if not (suppressed or named or person):
        return False
    if person is not None:
        subscriptions.remove(session, [person])
    suppressions.add(session, address_hash, cause, reason, now)
    session.flush()
    session.expunge_all()
    return True
