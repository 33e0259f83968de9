"""Sign-up requests: what somebody asked for through a form, kept until it is answered by mail.

Owns the limits of every mail that a visitor can cause: per network, per asking person, and per
mailbox that is written to. Storing a request costs the same whoever is named in it, so the page
that takes it shows neither by its text nor by its time whether an address is subscribed. What
counts for a limit is kept for an hour, also when a person is erased or a change is repeated.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from notifier.email_addresses import mailbox_of, normalize
from notifier.enums import SignupRequestKind
from notifier.errors import NotifierError
from notifier.store import db, keys
from notifier.store.models import SignupRequest, Subscriber

# The limits are numbers within this period. They were chosen by hand and not measured: thirty
# requests are enough for a clinic behind one address, and too few to flood anybody.
LIMIT_PERIOD = timedelta(hours=1)
PER_NETWORK = 30
PER_ASKER = 5
# Mails to one mailbox that anybody can cause through a form.
PER_MAILBOX = 3

# The well-known prefix of IPv6 addresses that contain an IPv4 address (RFC 6052, 2.1).
_NAT64 = IPv6Network("64:ff9b::/96")


class RequestLimit(StrEnum):
    """A limit of the requests within `LIMIT_PERIOD`."""

    NETWORK = "network"
    ASKER = "asker"


_PROBLEMS = {
    RequestLimit.NETWORK: "Too many requests came from your network.",
    RequestLimit.ASKER: "You asked for too many mails.",
}


class TooManyError(NotifierError):
    """A request beyond a limit.

    Attributes:
        limit: the limit that is reached.
        period: the time in which requests count for it.
    """

    def __init__(self, limit: RequestLimit) -> None:
        super().__init__(_PROBLEMS[limit], "Please try again in an hour.")
        self.limit, self.period = limit, LIMIT_PERIOD


def ask(
    session: Session,
    kind: SignupRequestKind,
    email: str,
    wish: Mapping[str, Any] | None,
    visitor: str,
    now: datetime,
    asker: str = "",
) -> int:
    """Store a request; return its id.

    Args:
        session: a writing session.
        kind: what is asked for.
        email: the address that is to be written to, whoever it belongs to.
        wish: what is asked for in detail, a JSON object.
        visitor: the IP address that the request came from; its network is counted.
        now: when.
        asker: the person who asks, as `asker_of` names them; empty if not known.

    Raises:
        AddressError: the text is not an e-mail address.
        TooManyError: the limit of the network or of the asking person is reached.
    """
    network = keys.secret_name(session, "network", network_of(visitor))
    db.take_turns(session, *(name for name in (network, asker) if name))
    if _count_recent(session, SignupRequest.network, network, now) >= PER_NETWORK:
        raise TooManyError(RequestLimit.NETWORK)
    if asker and _count_recent(session, SignupRequest.asker, asker, now) >= PER_ASKER:
        raise TooManyError(RequestLimit.ASKER)
    request = SignupRequest(
        kind=kind,
        network=network,
        target=_target(session, email),
        asker=asker,
        email=email,
        wish=dict(wish) if wish else None,
        at=now,
    )
    session.add(request)
    session.flush()
    return request.id


def asker_of(session: Session, subscriber: Subscriber) -> str:
    """Return the key by which a person's requests are counted, also after a change of address."""
    return keys.secret_name(
        session, "asker", f"{subscriber.id} {subscriber.created_at.isoformat()}"
    )


def may_be_mailed(session: Session, request: SignupRequest) -> bool:
    """Return whether the limit allows a mail for a request; one beyond the limit is not counted."""
    db.take_turns(session, request.target)
    earlier = (
        SignupRequest.target == request.target,
        SignupRequest.at > request.at - LIMIT_PERIOD,
        SignupRequest.id < request.id,
    )
    if (session.scalar(select(func.count(SignupRequest.id)).where(*earlier)) or 0) < PER_MAILBOX:
        return True
    request.target = ""
    return False


def count_mail(session: Session, kind: SignupRequestKind, email: str, now: datetime) -> bool:
    """Count a mail to a mailbox that no request asked for; return whether the limit allows it."""
    target = _target(session, email)
    db.take_turns(session, target)
    if _count_recent(session, SignupRequest.target, target, now) >= PER_MAILBOX:
        return False
    session.add(SignupRequest(kind=kind, network="", target=target, at=now, answered_at=now))
    session.flush()
    return True


def _count_recent(
    session: Session, column: InstrumentedAttribute[str], value: str, now: datetime
) -> int:
    """Return how many requests of the last `LIMIT_PERIOD` have this value in a column."""
    return (
        session.scalar(
            select(func.count(SignupRequest.id)).where(
                column == value, SignupRequest.at > now - LIMIT_PERIOD
            )
        )
        or 0
    )


def _target(session: Session, email: str) -> str:
    """Return the keyed hash under which mails to a mailbox are counted."""
    return keys.secret_name(session, "mailbox", mailbox_of(normalize(email)))


def network_of(visitor: str) -> str:
    """Return the network of an IP address, IPv4 /24 or IPv6 /48; any other text unchanged.

    An IPv6 address that contains an IPv4 address counts as that one: mapped (RFC 4291, 2.5.5.2),
    6to4 (RFC 3056), Teredo (RFC 4380) and NAT64 (RFC 6052).
    """
    try:
        address = ip_address(visitor)
    except ValueError:
        return visitor
    if isinstance(address, IPv6Address):
        contained = _ipv4_in(address)
        if contained is None:
            return str(IPv6Network((int(address), 48), strict=False))
        address = contained
    return str(IPv4Network((int(address), 24), strict=False))


def _ipv4_in(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address contains, if any."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return (
        address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    )


def waiting(session: Session) -> Sequence[int]:
    """Return the ids of the requests that were not answered yet, oldest first."""
    return session.scalars(
        select(SignupRequest.id)
        .where(SignupRequest.answered_at.is_(None))
        .order_by(SignupRequest.id)
    ).all()


def earlier(session: Session, request_id: int) -> Sequence[int]:
    """Return the ids of what was asked for the same mailbox before and not answered, oldest first.

    A later wish replaces an earlier one: so these are answered first.
    """
    target = select(SignupRequest.target).where(SignupRequest.id == request_id).scalar_subquery()
    return session.scalars(
        select(SignupRequest.id)
        .where(
            SignupRequest.target == target,
            SignupRequest.id < request_id,
            SignupRequest.answered_at.is_(None),
        )
        .order_by(SignupRequest.id)
    ).all()


def claim(session: Session, request_id: int) -> SignupRequest | None:
    """Lock and return a request; None if it was answered, also while this waited for the lock.

    Who asks waits for an answer that is under way, so that afterwards the request is answered.
    """
    statement = select(SignupRequest).where(
        SignupRequest.id == request_id, SignupRequest.answered_at.is_(None)
    )
    return session.scalar(statement.with_for_update())


def mark_answered(request: SignupRequest, now: datetime) -> None:
    """Note that a request was answered, and delete its address and its wish."""
    request.answered_at, request.email, request.wish = now, None, None


def about(session: Session, address_hash: str) -> list[SignupRequest]:
    """Return the requests not answered yet that name this address, in upper or lower case."""
    ids = _about(session, address_hash)
    return [session.get_one(SignupRequest, each) for each in ids]


def _about(session: Session, address_hash: str) -> list[int]:
    """Return the ids of these requests; of the others nothing is read that may be damaged."""
    hash_of = keys.hasher(session)
    named = session.execute(
        select(SignupRequest.id, SignupRequest.email)
        .where(SignupRequest.email.is_not(None))
        .order_by(SignupRequest.id)
    )
    return [row.id for row in named if row.email and hash_of(row.email) == address_hash]


def erase(session: Session, address_hash: str, now: datetime) -> int:
    """Delete an address from the requests that name it; return how many those were."""
    ids = _about(session, address_hash)
    give_up(session, ids, now)
    return len(ids)


def give_up(session: Session, ids: Sequence[int], now: datetime) -> None:
    """Do what `mark_answered` does for requests that perhaps cannot be read."""
    for chunk in db.in_chunks(ids):
        waiting = SignupRequest.id.in_(chunk), SignupRequest.answered_at.is_(None)
        values = {"answered_at": now, "email": None, "wish": None}
        session.execute(update(SignupRequest).where(*waiting).values(**values))


def expired(now: datetime) -> Select[int]:
    """Select the answered requests that no longer count for a limit."""
    return select(SignupRequest.id).where(
        SignupRequest.answered_at.is_not(None), SignupRequest.at <= now - LIMIT_PERIOD
    )


def delete_expired(session: Session, now: datetime) -> None:
    """Delete the answered requests that no longer count for a limit."""
    session.execute(delete(SignupRequest).where(SignupRequest.id.in_(expired(now))))
