"""Consent: the dated record of what was agreed to, in which wording, and who attests it (GDPR Art. 7(1), 9(2)(a)).

Owns the wording and its version. Rows are only ever added.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.language import Language, language
from notifier.said import mark
from notifier.store.models import Consent, Subscription
from notifier.store.statuses import ConsentEvent

WORDING_VERSION = "1"
WORDING = mark(
    "I want to receive a digest of news about this therapy by e-mail. I know that following a therapy says something "
    "about health, and I agree that my address and this choice are stored and used for this purpose only. I can leave "
    "at any time with the link in every mail."
)


def wording(spoken: Language) -> str:
    """What is agreed to, in a language."""
    return spoken.phrase(WORDING)


def record(
    session: Session, subscription: Subscription, event: ConsentEvent, method: str, attested_by: str, now: datetime
) -> None:
    """Add what happened to the ledger.

    Args:
        session: a writing session; the caller commits.
        subscription: to what it applies.
        event: given or withdrawn.
        method: how, in a word: ``link``, ``one-click``, ``command line``.
        attested_by: ``subscriber`` where the person acted, else who vouches for it.
        now: when.
    """
    spoken = language(subscription.subscriber.language)
    session.add(
        Consent(
            subscription_id=subscription.id,
            event=event,
            method=method,
            attested_by=attested_by,
            wording_version=WORDING_VERSION,
            wording_hash=hashlib.sha256(wording(spoken).encode()).hexdigest(),
            at=now,
        )
    )


def of(session: Session, subscription_ids: Sequence[int]) -> list[Consent]:
    """The ledger of these subscriptions, oldest first."""
    chosen = select(Consent).where(Consent.subscription_id.in_(subscription_ids)).order_by(Consent.id)
    return list(session.scalars(chosen))
