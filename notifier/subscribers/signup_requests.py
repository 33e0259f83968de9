"""Enquiries: what somebody asked for through a form, kept until it is answered by mail.

Owns the limits of every mail that a visitor can cause: of a network, of who asked, and of the
mailbox that is written to. Storing an enquiry costs the same whoever is named in it, so the page
that takes it can neither say nor show by its time whether an address is known. What counts for a
limit stays for its hour, also when a person is erased or a change of address is repeated.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from notifier.email_addresses import mailbox_of, normalize
from notifier.enums import SignupRequestKind
from notifier.errors import NotifierError
from notifier.i18n.messages import LazyMessage
from notifier.store import db, keys
from notifier.store.models import SignupRequest, Subscriber

LIMIT_PERIOD = timedelta(hours=1)
PER_NETWORK = 30
PER_ASKER = 5
# How many mails an hour others can have sent to one mailbox.
PER_MAILBOX = 3

# The well-known prefix under which an IPv4 address stands in an IPv6 one (RFC 6052, 2.1).
_NAT64 = IPv6Network("64:ff9b::/96")


class TooManyError(NotifierError):
    """More enquiries from one network, or by one person, than people make."""


def ask(
    session: Session,
    kind: SignupRequestKind,
    email: str,
    wish: Mapping[str, Any] | None,
    visitor: str,
    now: datetime,
    asker: str = "",
) -> int:
    """Store an enquiry; returns its id.

    Args:
        session: a writing session.
        kind: what is asked for.
        email: the address that is to be written to, whoever it belongs to.
        wish: what is asked for in detail, as JSON has it.
        visitor: the address the enquiry came from; its network is what counts.
        now: when.
        asker: who asks, where that is known: see `asker_of`.

    Raises:
        TooManyError: the limit of the network or of who asks is reached.
    """
    network = keys.secret_name(session, "network", network_of(visitor))
    db.take_turns(session, *(name for name in (network, asker) if name))
    if _lately(session, SignupRequest.network, network, now) >= PER_NETWORK:
        raise TooManyError(
            LazyMessage("Too many requests came from your network."),
            LazyMessage("Please try again in an hour."),
        )
    if asker and _lately(session, SignupRequest.asker, asker, now) >= PER_ASKER:
        raise TooManyError(
            LazyMessage("You asked for too many mails."),
            LazyMessage("Please try again in an hour."),
        )
    enquiry = SignupRequest(
        kind=kind,
        network=network,
        target=_target(session, email),
        asker=asker,
        email=email,
        wish=dict(wish) if wish else None,
        at=now,
    )
    session.add(enquiry)
    session.flush()
    return enquiry.id


def asker_of(session: Session, subscriber: Subscriber) -> str:
    """The name under which a person's own enquiries are counted, whatever address they have meanwhile."""
    return keys.secret_name(
        session, "asker", f"{subscriber.id} {subscriber.created_at.isoformat()}"
    )


def may_be_mailed(session: Session, enquiry: SignupRequest) -> bool:
    """Whether the mailbox that an enquiry names gets a mail for it; one over the limit counts no further."""
    db.take_turns(session, enquiry.target)
    earlier = (
        SignupRequest.target == enquiry.target,
        SignupRequest.at > enquiry.at - LIMIT_PERIOD,
        SignupRequest.id < enquiry.id,
    )
    if (session.scalar(select(func.count(SignupRequest.id)).where(*earlier)) or 0) < PER_MAILBOX:
        return True
    enquiry.target = ""
    return False


def count_mail(session: Session, kind: SignupRequestKind, email: str, now: datetime) -> bool:
    """Count one more mail to a mailbox that no enquiry stands for; returns whether the limit allows it."""
    target = _target(session, email)
    db.take_turns(session, target)
    if _lately(session, SignupRequest.target, target, now) >= PER_MAILBOX:
        return False
    session.add(SignupRequest(kind=kind, network="", target=target, at=now, answered_at=now))
    session.flush()
    return True


def _lately(session: Session, column: InstrumentedAttribute[str], value: str, now: datetime) -> int:
    return (
        session.scalar(
            select(func.count(SignupRequest.id)).where(
                column == value, SignupRequest.at > now - LIMIT_PERIOD
            )
        )
        or 0
    )


def _target(session: Session, email: str) -> str:
    return keys.secret_name(session, "mailbox", mailbox_of(normalize(email)))


def network_of(visitor: str) -> str:
    """The network that an address belongs to: IPv4 /24, IPv6 /48; a text that is no address stands for itself.

    An IPv6 address that only carries an IPv4 one counts as that: mapped (RFC 4291, 2.5.5.2), 6to4
    (RFC 3056), Teredo (RFC 4380) and NAT64 (RFC 6052).
    """
    try:
        address = ip_address(visitor)
    except ValueError:
        return visitor
    if isinstance(address, IPv6Address):
        carried = _carried_by(address)
        if carried is None:
            return str(IPv6Network((int(address), 48), strict=False))
        address = carried
    return str(IPv4Network((int(address), 24), strict=False))


def _carried_by(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return (
        address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    )


def waiting(session: Session) -> Sequence[int]:
    """The ids of the enquiries that were not answered yet, oldest first."""
    return session.scalars(
        select(SignupRequest.id)
        .where(SignupRequest.answered_at.is_(None))
        .order_by(SignupRequest.id)
    ).all()


def taken(session: Session, enquiry_id: int) -> SignupRequest | None:
    """One that waits, locked for who answers it; None where somebody else did."""
    chosen = select(SignupRequest).where(
        SignupRequest.id == enquiry_id, SignupRequest.answered_at.is_(None)
    )
    return session.scalar(chosen.with_for_update(skip_locked=True))


def answered(enquiry: SignupRequest, now: datetime) -> None:
    """Forget whom it named and what they wanted."""
    enquiry.answered_at, enquiry.email, enquiry.wish = now, None, None


def about(session: Session, address_hash: str) -> list[SignupRequest]:
    """The enquiries that wait and name this address, however it is spelt in capitals."""
    hash_of = keys.hasher(session)
    named = session.scalars(
        select(SignupRequest).where(SignupRequest.email.is_not(None)).order_by(SignupRequest.id)
    )
    return [
        enquiry for enquiry in named if enquiry.email and hash_of(enquiry.email) == address_hash
    ]


def erase(session: Session, address_hash: str, now: datetime) -> int:
    """Forget what was asked for in an address's name, answered or not; returns how many enquiries that were."""
    named = about(session, address_hash)
    for enquiry in named:
        answered(enquiry, now)
    session.flush()
    return len(named)


def forget(session: Session, now: datetime) -> None:
    """Delete what no limit needs any more."""
    old = SignupRequest.answered_at.is_not(None), SignupRequest.at <= now - LIMIT_PERIOD
    session.execute(delete(SignupRequest).where(*old))
