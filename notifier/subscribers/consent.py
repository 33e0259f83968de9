"""Consent: the dated ledger of what was agreed to, in which wording, and who attests it.

Owns the wording and its version. Rows are only added, never changed: they are the proof of consent
(GDPR Art. 7(1), 9(2)(a)).
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from notifier.enums import ConsentEvent
from notifier.i18n.catalog import Language, language_of
from notifier.i18n.messages import mark
from notifier.store import db, departures
from notifier.store.models import Consent, Subscription, Wording

# What the journal of departures calls an event.
_KINDS = {
    ConsentEvent.GIVEN: departures.Kind.RETURNED,
    ConsentEvent.WITHDRAWN: departures.Kind.LEFT,
}

WORDING_VERSION = "1"
WORDING = mark(
    "I want to receive a digest of news about this therapy by e-mail. I know that following a "
    "therapy says something about health, and I agree that my address and this choice are stored "
    "and used for this purpose only. I can leave at any time with the link in every mail."
)


def wording(language: Language) -> str:
    """Return the text that is agreed to, in a language."""
    return language.gettext(WORDING)


def record(
    session: Session,
    subscription: Subscription,
    event: ConsentEvent,
    method: str,
    attested_by: str,
    now: datetime,
) -> None:
    """Add an event to the ledger.

    Args:
        session: a writing session; the caller commits.
        subscription: to what it applies.
        event: given or withdrawn.
        method: how, in a word: ``link``, ``preferences``, ``command line``, ``import``, ``undo``,
            ``renewal``, ``silence``, ``never``, ``address change``, ``mail``, ``complaint``,
            ``journal``, ``operator page``.
        attested_by: ``subscriber`` if the person acted, else who vouches for it.
        now: when.
    """
    code = subscription.subscriber.language
    _keep_wording(session, code)
    session.add(Consent(**_row(subscription.id, code, event, method, attested_by, now)))
    note_departure(session, event, subscription.subscriber.address_hash, subscription.profile_id)


def note_departure(
    session: Session, event: ConsentEvent, address_hash: str, profile_id: int
) -> None:
    """Note in the journal of departures that a subscription ended, or runs again."""
    name = departures.subscription_name(session, address_hash, profile_id)
    departures.note(session, _KINDS[event], address_hash, subscription=name)


def record_many(
    session: Session,
    subscriptions: Sequence[tuple[int, str]],
    event: ConsentEvent,
    method: str,
    attested_by: str,
    now: datetime,
) -> None:
    """Add an event to the ledger for many people.

    Args:
        session: a writing session; the caller commits.
        subscriptions: their ids, each with the code of the person's language.
        event: see `record`.
        method: see `record`.
        attested_by: see `record`.
        now: when.
    """
    for code in sorted({code for _, code in subscriptions}):
        _keep_wording(session, code)
    rows = [
        _row(subscription_id, code, event, method, attested_by, now)
        for subscription_id, code in subscriptions
    ]
    if rows:
        session.execute(insert(Consent), rows)


def _row(
    subscription_id: int,
    code: str,
    event: ConsentEvent,
    method: str,
    attested_by: str,
    now: datetime,
) -> dict[str, Any]:
    return {
        "subscription_id": subscription_id,
        "event": event,
        "method": method,
        "attested_by": attested_by,
        "wording_version": WORDING_VERSION,
        "wording_hash": _hash(code),
        "at": now,
    }


def _keep_wording(session: Session, code: str) -> None:
    """Store the text itself: a hash alone cannot show what was agreed to."""
    key, text = _hash(code), wording(language_of(code))
    db.insert_missing(
        session, Wording, {"hash": key, "version": WORDING_VERSION, "language": code, "text": text}
    )


@cache
def _hash(code: str) -> str:
    """Return the SHA-256 hash of the wording in a language, in hexadecimal digits."""
    return hashlib.sha256(wording(language_of(code)).encode()).hexdigest()


def wordings(session: Session, ledger: Sequence[Consent]) -> dict[str, str]:
    """Return the texts that these entries of the ledger name, by their hash.

    Entries that are older than the table of texts have none.
    """
    hashes = {entry.wording_hash for entry in ledger}
    statement = select(Wording).where(Wording.hash.in_(hashes))
    return {stored.hash: stored.text for stored in session.scalars(statement)}


def of(session: Session, subscription_ids: Sequence[int]) -> list[Consent]:
    """Return the ledger of these subscriptions, oldest first."""
    statement = (
        select(Consent).where(Consent.subscription_id.in_(subscription_ids)).order_by(Consent.id)
    )
    return list(session.scalars(statement))
