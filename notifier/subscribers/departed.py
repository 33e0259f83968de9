"""Departures of subscribers: read from the database, and repeated in a restored one.

Owns what a line of the journal of departures (`store/departures.py`) means for the people of a
database that is older than it: who left has left, who was erased is erased, an address that was
suppressed is. Nobody is given mails by it: who came back after the backup is only counted.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, select, type_coerce
from sqlalchemy.orm import Session

from notifier.enums import ConsentEvent, SubscriptionStatus, SuppressionCause
from notifier.store import departures
from notifier.store.departures import Departure, Kind, Line
from notifier.store.models import Consent, Subscriber, Subscription, Suppression
from notifier.subscribers import (
    due_subscriptions,
    lifecycle,
    privacy,
    subscriptions,
    suppressions,
)

_METHOD, _ATTESTED_BY = "journal", "journal of departures"
# The causes that concern a person at each of their addresses, not a mailbox.
_OF_PEOPLE = frozenset(SuppressionCause) - {SuppressionCause.BOUNCED}


@dataclass(frozen=True)
class Repeated:
    """The departures that were repeated in a restored database.

    Attributes:
        left: subscriptions that ended.
        erased: people and requests that were erased.
        suppressed: addresses that were suppressed.
        moved: the ids of people who changed their address after the backup, to one that it does
            not know. They are paused.
        returned: subscriptions that ended before the backup and were running again after it. They
            stay ended.
    """

    left: int = 0
    erased: int = 0
    suppressed: int = 0
    moved: Sequence[int] = ()
    returned: int = 0


def since(session: Session, at: datetime) -> list[Line]:
    """Return the departures since a time, as the database knows them.

    Args:
        session: a reading session, which carries `suppression_key`.
        at: the time.
    """
    name = departures.installation_name(session)
    suppressed = select(Suppression).where(Suppression.at >= at)
    lines = [_suppression_line(each, name) for each in session.scalars(suppressed)]
    ended = (
        select(Subscriber.address_hash, Subscription.profile_id, Consent.at)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .join(Consent, Consent.subscription_id == Subscription.id)
        .where(
            Subscription.status == SubscriptionStatus.ENDED,
            Consent.event == ConsentEvent.WITHDRAWN,
            Consent.at >= at,
        )
    )
    for address, profile_id, left_at in session.execute(ended):
        subscription = departures.subscription_name(session, address, profile_id)
        lines.append(Line(left_at, Departure(Kind.LEFT, address, name, subscription)))
    return lines


def _suppression_line(suppression: Suppression, name: str) -> Line:
    erased = suppression.cause is SuppressionCause.ERASED
    kind = Kind.ERASED if erased else Kind.SUPPRESSED
    cause = str(suppression.cause)
    return Line(suppression.at, Departure(kind, suppression.address_hash, name, cause=cause))


def repeat(session: Session, lines: Iterable[Line], now: datetime) -> Repeated:
    """Repeat departures in a database that does not know them; a second time changes nothing.

    Of one subscription or address the last line counts, except that an erasure is final.

    Args:
        session: a writing session, which carries `suppression_key`.
        lines: since the database's own time, oldest first.
        now: the time of the restore.
    """
    last: dict[tuple[str, str], Line] = {}
    erased: dict[str, Line] = {}
    earlier: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        departure = line.departure
        if departure.kind is Kind.ERASED:
            erased[departure.address] = line
        elif departure.kind is Kind.MOVED:
            earlier[departure.to].add(departure.address)
        elif departure.kind is not Kind.BEGUN:
            last[departure.address, departure.subscription] = line
    counts: Counter[str] = Counter()
    for line in erased.values():
        for address in _addresses(line.departure.address, earlier):
            cause = _cause(line.departure) or SuppressionCause.ERASED
            counts["erased"] += privacy.erase_address(session, address, cause, _METHOD, line.at)
    for line in last.values():
        for address in _addresses(line.departure.address, earlier):
            counts.update(_repeat(session, line, address))
    moved = _pause_moved(session, {each for old in earlier.values() for each in old}, now)
    session.flush()
    return Repeated(
        counts["left"], counts["erased"], counts["suppressed"], moved, counts["returned"]
    )


def _addresses(address: str, earlier: dict[str, set[str]]) -> list[str]:
    """Return an address and those that its owner had before, as the journal says."""
    known = [address]
    for each in known:
        known += sorted(earlier.get(each, set()).difference(known))
    return known


def _cause(departure: Departure) -> SuppressionCause | None:
    """Return the cause of a line; None for one of a newer version."""
    try:
        return SuppressionCause(departure.cause)
    except ValueError:
        return None


def _repeat(session: Session, line: Line, address: str) -> Counter[str]:
    """Repeat a line for an address that its person has in this database."""
    departure = line.departure
    if departure.subscription:
        return _repeat_leaving(session, line, address)
    if departure.kind is not Kind.SUPPRESSED:
        return Counter()
    cause = _cause(departure) or SuppressionCause.ASKED
    if address != departure.address and cause not in _OF_PEOPLE:
        return Counter()
    return Counter(suppressed=suppressions.add(session, address, cause, "", line.at))


def _repeat_leaving(session: Session, line: Line, address: str) -> Counter[str]:
    departure = line.departure
    query = (
        select(
            Subscription.id,
            Subscription.profile_id,
            type_coerce(Subscription.status, String).label("status"),
        )
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Subscriber.address_hash == address)
    )
    counts: Counter[str] = Counter()
    for row in session.execute(query).all():
        named = departures.subscription_name(session, departure.address, row.profile_id)
        if named != departure.subscription:
            continue
        if departure.kind is Kind.LEFT:
            counts["left"] += subscriptions.end_by_id(
                session, row.id, _METHOD, _ATTESTED_BY, line.at
            )
        else:
            counts["returned"] += row.status == SubscriptionStatus.ENDED
    return counts


def _pause_moved(session: Session, addresses: set[str], now: datetime) -> list[int]:
    """Pause the people who changed these addresses for others: their mails would go to strangers.

    Returns:
        Their ids.
    """
    ids = []
    for address in sorted(addresses):
        theirs = (
            select(Subscription.id)
            .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
            .where(Subscriber.address_hash == address)
        )
        rows = due_subscriptions.stored_rows(session, session.scalars(theirs).all())
        # Nothing is sent for a row that cannot be read.
        running = [each for _, each in rows if each and lifecycle.pause(each, None, now)]
        if running:
            ids.append(running[0].subscriber_id)
    return ids
