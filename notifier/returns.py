"""Returns: mails that came back to us are read, and have their consequences.

Joins what a report says with what becomes of a person: suppressed, held back for a while, or unsubscribed. A report
that is read again changes nothing.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from notifier.deliver import bounces
from notifier.deliver.bounces import Verdict
from notifier.deps import Deps
from notifier.errors import AddressError
from notifier.store.statuses import BounceKind, SuppressionCause
from notifier.subscribers import subscriptions, suppressions


@dataclass
class Summary:
    """What was read: how many mails of each kind, and what came of them."""

    kinds: Counter[str] = field(default_factory=Counter)
    suppressed: int = 0
    held: int = 0
    unsubscribed: int = 0
    known: int = 0


def read(deps: Deps, mails: Iterable[bytes]) -> Summary:
    """Read mails that came back, each in a transaction of its own."""
    summary = Summary()
    for octets in mails:
        with deps.writing() as session:
            verdicts = bounces.take(
                session, octets, deps.links.bounced, lambda address: _hash(session, address), deps.now()
            )
            summary.known += not verdicts
            for verdict in verdicts:
                summary.kinds[verdict.kind] += 1
                _follow(deps, session, verdict, summary)
    return summary


def _hash(session: Session, address: str) -> str:
    try:
        return subscriptions.hash_of(session, address)
    except AddressError as error:
        raise ValueError(address) from error


def _follow(deps: Deps, session: Session, verdict: Verdict, summary: Summary) -> None:
    now = deps.now()
    if verdict.kind is BounceKind.UNSUBSCRIBE and verdict.subscription is not None:
        summary.unsubscribed += subscriptions.end(session, verdict.subscription, "mail", "subscriber", now)
    if verdict.subscriber is None:
        return
    key = verdict.subscriber.address_hash
    if verdict.kind is BounceKind.HARD or verdict.given_up:
        reason = f"mails to it come back: {verdict.said}" if verdict.said else "mails to it come back"
        summary.suppressed += suppressions.add(session, key, SuppressionCause.BOUNCED, reason[:300], now)
    elif verdict.kind is BounceKind.COMPLAINT:
        said = "its owner called a mail unwanted"
        summary.suppressed += suppressions.add(session, key, SuppressionCause.COMPLAINED, said, now)
        for one in verdict.subscriber.subscriptions:
            summary.unsubscribed += subscriptions.end(session, one, "complaint", "mail provider", now)
    elif verdict.kind is BounceKind.SOFT:
        summary.held += 1
