"""Enquiries: what somebody asked for through a public form, kept until it is answered by mail.

Owns the limit of a network. Storing one costs the same whoever is named in it, so the page that takes it can
neither say nor show by its time whether an address is known.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from notifier.errors import NotifierError
from notifier.said import Said
from notifier.store import keys
from notifier.store.models import Enquiry
from notifier.store.statuses import EnquiryKind

LIMIT_PERIOD = timedelta(hours=1)
PER_NETWORK = 30


class TooManyError(NotifierError):
    """More enquiries from one network than people make."""


def ask(
    session: Session, kind: EnquiryKind, email: str, wish: Mapping[str, Any] | None, visitor: str, now: datetime
) -> int:
    """Store an enquiry; returns its id.

    Args:
        session: a writing session.
        kind: what is asked for.
        email: the address that was given, whoever it belongs to.
        wish: the choice of a sign-up as JSON has it.
        visitor: the address the enquiry came from; its network is what counts.
        now: when.

    Raises:
        TooManyError: the network's limit is reached.
    """
    network = _network(session, visitor)
    lately = select(func.count(Enquiry.id)).where(Enquiry.network == network, Enquiry.at > now - LIMIT_PERIOD)
    if (session.scalar(lately) or 0) >= PER_NETWORK:
        raise TooManyError(Said("Too many requests came from your network."), Said("Please try again in an hour."))
    enquiry = Enquiry(kind=kind, network=network, email=email, wish=dict(wish) if wish else None, at=now)
    session.add(enquiry)
    session.flush()
    return enquiry.id


def _network(session: Session, visitor: str) -> str:
    """The network of an address (IPv4: /24, IPv6: /48) under a keyed hash, which says nothing to who reads it."""
    try:
        address = ip_address(visitor)
        shown = str(ip_network(f"{visitor}/{24 if isinstance(address, IPv4Address) else 48}", strict=False))
    except ValueError:
        shown = visitor
    return keys.secret_name(session, "network", shown)


def waiting(session: Session) -> Sequence[int]:
    """The ids of the enquiries that were not answered yet, oldest first."""
    return session.scalars(select(Enquiry.id).where(Enquiry.answered_at.is_(None)).order_by(Enquiry.id)).all()


def taken(session: Session, enquiry_id: int) -> Enquiry | None:
    """One that waits, locked for who answers it; None where somebody else did."""
    chosen = select(Enquiry).where(Enquiry.id == enquiry_id, Enquiry.answered_at.is_(None))
    return session.scalar(chosen.with_for_update(skip_locked=True))


def answered(enquiry: Enquiry, now: datetime) -> None:
    """Forget whom it named and what they wanted."""
    enquiry.answered_at, enquiry.email, enquiry.wish = now, None, None


def erase(session: Session, email: str) -> None:
    """Delete what an address asked for, answered or not."""
    session.execute(delete(Enquiry).where(Enquiry.email == email))


def forget(session: Session, now: datetime) -> None:
    """Delete what no limit needs any more."""
    old = Enquiry.answered_at.is_not(None), Enquiry.at <= now - LIMIT_PERIOD
    session.execute(delete(Enquiry).where(*old))
