"""Privacy: export of everything stored about one person (GDPR Art. 15, 20), and erasure (Art. 17).

Reads all tables that name a person. A keyed hash of the address stays after erasure, so that it is
not mailed again until its owner asks for it.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from notifier.enums import SignupRequestKind, SuppressionCause
from notifier.store import departures
from notifier.store.models import (
    AddressChange,
    Consent,
    Delivery,
    Entry,
    SignupRequest,
    Subscriber,
    Subscription,
    Told,
)
from notifier.subscribers import (
    address_changes,
    consent,
    deletion,
    due_times,
    signup_requests,
    suppressions,
)

# The causes of a suppression that an erasure leaves.
_ERASED = (SuppressionCause.ERASED, SuppressionCause.LEFT)


def export(session: Session, subscriber: Subscriber) -> dict[str, Any]:
    """Return everything stored about a person as a JSON object; times are ISO 8601 with offset.

    Of a change of address it holds the time of the request, not the new address: until both
    addresses have agreed, that may be somebody else's (GDPR Art. 15(4)).
    """
    ids = [subscription.id for subscription in subscriber.subscriptions]
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
        "subscriptions": [_subscription(each) for each in subscriber.subscriptions],
        "consent": [_consent(entry, texts) for entry in ledger],
        "address_changes": [{"asked_at": _at(change.asked_at)} for change in changes],
        "enquiries": [
            _request(request) for request in signup_requests.about(session, subscriber.address_hash)
        ],
        "deliveries": [_delivery(delivery) for delivery in deliveries],
        "earlier_news": _earlier_news(session, ids),
    }


def _earlier_news(session: Session, subscription_ids: Collection[int]) -> list[dict[str, Any]]:
    """Return the news of deliveries that are not kept any more."""
    query = (
        select(Told.subscription_id, Entry.url, Entry.title)
        .join(Entry, Entry.id == Told.entry_id)
        .where(Told.subscription_id.in_(subscription_ids))
        .order_by(Told.subscription_id, Told.entry_id)
    )
    return [
        {"subscription": subscription_id, "url": url, "title": title}
        for subscription_id, url, title in session.execute(query)
    ]


def _request(request: SignupRequest) -> dict[str, Any]:
    wish = request.wish if request.kind is SignupRequestKind.SUBSCRIBE else None
    return {"kind": request.kind, "wish": wish, "at": _at(request.at)}


def _subscription(subscription: Subscription) -> dict[str, Any]:
    return {
        "profile": subscription.profile.slug,
        "therapy": subscription.profile.name,
        "status": subscription.status,
        "cadence": subscription.cadence,
        "at": subscription.at,
        "on": subscription.on,
        "edition": subscription.edition,
        "hidden_sections": subscription.hidden,
        "urgent": subscription.urgent,
        "place_in_the_news": subscription.position,
        "created_at": _at(subscription.created_at),
        "asked_at": _at(subscription.asked_at),
        "confirmed_at": _at(subscription.confirmed_at),
        "ended_at": _at(subscription.ended_at),
        "paused_until": _at(subscription.paused_until),
        "renewed_at": _at(subscription.renewed_at),
        "renewal_asked_at": _at(subscription.renewal_asked_at),
        "last_written_to_at": _at(subscription.last_mailed_at),
        "next_due_at": _at(due_times.next_of(subscription)),
        "wish": subscription.wish,
        "trouble": subscription.trouble,
    }


def _consent(entry: Consent, texts: dict[str, str]) -> dict[str, Any]:
    return {
        "subscription": entry.subscription_id,
        "event": entry.event,
        "method": entry.method,
        "attested_by": entry.attested_by,
        "wording_version": entry.wording_version,
        "wording_hash": entry.wording_hash,
        "wording": texts.get(entry.wording_hash),
        "at": _at(entry.at),
    }


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "kind": delivery.kind,
        "digest": delivery.digest_id,
        "subject": delivery.digest.subject if delivery.digest else None,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "message_id": delivery.message_id,
        "due_at": _at(delivery.due_at),
        "sent_at": _at(delivery.sent_at),
        "server_said": delivery.error,
    }


def _at(value: datetime | None) -> str | None:
    return value.isoformat(timespec="seconds") if value else None


def addresses_of(session: Session, address_hash: str) -> list[str]:
    """Return the addresses that are stored for a person: their own, and one that they asked for.

    Erasure looks for them in the files of the database afterwards.
    """
    # By columns: whoever wants to be erased can be, whatever else of the row is damaged.
    statement = select(Subscriber.id, Subscriber.email)
    person = session.execute(statement.where(Subscriber.address_hash == address_hash)).first()
    if person is None:
        return []
    asked = select(AddressChange.email).where(AddressChange.subscriber_id == person.id)
    return [person.email, *session.scalars(asked)]


def erase(
    session: Session, subscriber: Subscriber, cause: SuppressionCause, reason: str, now: datetime
) -> None:
    """Delete a person with everything that refers to them, and suppress the address by its hash.

    The files still hold deleted bytes until `store.db.scrub` is called with the `addresses_of` the
    person, which are read before.
    """
    erase_address(session, subscriber.address_hash, cause, reason, now)


def erase_address(
    session: Session, address_hash: str, cause: SuppressionCause, reason: str, now: datetime
) -> bool:
    """Erase everything stored under an address, whether or not it belongs to a subscriber.

    Args:
        session: a writing session; all its objects are detached afterwards.
        address_hash: of the address.
        cause: of the suppression that stays.
        reason: of that suppression.
        now: when.

    Returns:
        Whether there was anything: a person, a sign-up request, a change to this address that
        somebody asked for, or a suppression with another cause than an erasure.
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
        deletion.delete_subscribers(session, [person])
    departures.note(session, departures.Kind.ERASED, address_hash, cause=str(cause))
    suppressions.add(session, address_hash, cause, reason, now)
    session.flush()
    session.expunge_all()
    return True
