"""Privacy: everything that is stored of one person, handed out (GDPR Art. 15, 20) or erased (Art. 17).

Reads across the tables that name a person; what is left after erasure is a salted hash, so that the address is not
mailed again until its owner asks for it themselves.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from notifier.store.models import AddressChange, Consent, Delivery, Enquiry, Subscriber, Subscription
from notifier.store.statuses import SuppressionCause
from notifier.subscribers import consent, enquiries, subscriptions, suppressions


def export(session: Session, subscriber: Subscriber) -> dict[str, Any]:
    """Everything we hold of a person, as a JSON document; times are ISO 8601 with offset."""
    ids = [one.id for one in subscriber.subscriptions]
    suppressed = suppressions.of(session, subscriber.address_hash)
    ledger = consent.of(session, ids)
    texts = consent.wordings(session, ledger)
    changes = session.scalars(select(AddressChange).where(AddressChange.subscriber_id == subscriber.id))
    asked = session.scalars(select(Enquiry).where(Enquiry.email == subscriber.email))
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
        "suppressed": None
        if suppressed is None
        else {"cause": suppressed.cause, "reason": suppressed.reason, "at": _at(suppressed.at)},
        "subscriptions": [_subscription(one) for one in subscriber.subscriptions],
        "consent": [_consent(one, texts) for one in ledger],
        "address_changes": [{"email": one.email, "asked_at": _at(one.asked_at)} for one in changes],
        "enquiries": [{"kind": one.kind, "wish": one.wish, "at": _at(one.at)} for one in asked],
        "deliveries": [_delivery(one) for one in deliveries],
    }


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
        "last_written_to_at": _at(one.heard_at),
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


def erase(session: Session, subscriber: Subscriber, cause: SuppressionCause, reason: str, now: datetime) -> None:
    """Delete a person with everything that hangs on them; only the hash of the address stays, suppressed.

    The write-ahead log still holds the deleted bytes until it is emptied (`store.db.scrub`).
    """
    key, email = subscriber.address_hash, subscriber.email
    enquiries.erase(session, email)
    subscriptions.remove(session, [subscriber.id])
    suppressions.add(session, key, cause, reason, now)
    session.expunge_all()
