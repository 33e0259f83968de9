"""Claiming: one worker takes deliveries for the length of a lease.

Owns who may take a delivery, and in which order. Each is checked here for the last time before it
is sent: the digest may have been held, the subscription ended, the address suppressed. A claim has
a random name: only who knows it may settle what was claimed, or renew the lease.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, case, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from notifier.deliver.outbox import rate_limits, stop, unreadable, warm_up
from notifier.deliver.outbox.enqueue import due_from
from notifier.deliver.outbox.lease import LEASE, Attempt
from notifier.deliver.outbox.wanted import (
    address_hash_of,
    address_of,
    reason_unwanted,
    suppressions_of,
)
from notifier.enums import (
    Cadence,
    DeliveryStatus,
    DigestStatus,
    EndReason,
    Lane,
    SubscriptionStatus,
    WaitReason,
)
from notifier.store.models import (
    AddressChange,
    Delivery,
    Digest,
    HeldSuppression,
    Subscriber,
    Subscription,
    Suppression,
    is_unfinished,
)

# Deliveries that are held or paused are not read again for this time, because a list may be long.
# Ending the hold or the pause makes them due at once (`enqueue.py`). Chosen by hand; not measured.
_HELD_FOR = timedelta(hours=6)
# The digests whose deliveries are sent: what waits of one that ended is owed all the same.
_SENDABLE = (DigestStatus.APPROVED, DigestStatus.SENT, DigestStatus.FAILED)

# A delivery whose answer was lost so often is sent again only by a person (`retry`).
MOST_UNCERTAIN = 2


class Claimed(NamedTuple):
    """A delivery that this worker holds for the length of a lease.

    A digest comes with the few values that its mail needs. Other mails are few: their builder reads
    the row.

    Attributes:
        id: the id of the delivery.
        message_id: its Message-ID, with angle brackets.
        due_at: the time at which it was due.
        digest_id: the digest; None for any other mail, whose further values are then unset.
        to: the recipient's address as it is stored.
        link_id: the subscription's id in signed links.
        cadence: the schedule of the subscription, with the next three.
        at: the local time, ``"HH:MM"``.
        on: the day: 0-6 (Monday is 0) for a weekly, 1-31 for a monthly digest; else None.
        time_zone: the IANA name, ``"Europe/Berlin"``.
        lane: its place in the order of sending.
        claim: the name of the claim, 32 hexadecimal digits.
        has_ended: True if its digest ended although this waits: the caller reopens it.
    """

    id: int
    message_id: str
    due_at: datetime
    digest_id: int | None = None
    to: str = ""
    link_id: str = ""
    cadence: Cadence = Cadence.WEEKLY
    at: str = ""
    on: int | None = None
    time_zone: str = "UTC"
    lane: int = Lane.OTHERS
    claim: str = ""
    has_ended: bool = False

    @property
    def attempt(self) -> Attempt:
        """The attempt that this claim allows."""
        return Attempt(self.id, self.claim)


# The columns of a claimed digest, in the order of `Claimed`.
_CLAIMED_COLUMNS = (
    Delivery.id,
    Delivery.message_id,
    Delivery.due_at,
    Delivery.digest_id,
    Subscriber.email,
    Subscription.link_id,
    Subscription.cadence,
    Subscription.at,
    Subscription.on,
    Subscriber.time_zone,
    Delivery.lane,
)
# The columns that decide whether it may be sent; they follow in each row.
_STATE_COLUMNS = (
    Digest.status,
    Subscription.status,
    Suppression.address_hash,
    Subscriber.held_until,
    HeldSuppression.id.label("held_suppression"),
    Delivery.claim.label("earlier_claim"),
)

# The address that a digest is sent to; for any other mail `_claim_others` has stored it.
_ADDRESS_HASH = (
    select(Subscriber.address_hash)
    .join(Subscription, Subscription.subscriber_id == Subscriber.id)
    .where(Subscription.id == Delivery.subscription_id)
    .scalar_subquery()
)

_LEASED = (
    update(Delivery)
    .where(Delivery.id.in_(bindparam("ids", expanding=True)))
    .values(
        status=DeliveryStatus.SENDING,
        leased_until=bindparam("until"),
        attempts=Delivery.attempts + 1,
        claim=bindparam("name"),
        waits_because=case(
            (Delivery.waits_because.in_((WaitReason.WARM_UP, WaitReason.UNREADABLE)), ""),
            else_=Delivery.waits_because,
        ),
        address_hash=case(
            (Delivery.digest_id.is_not(None), func.coalesce(_ADDRESS_HASH, "")),
            else_=Delivery.address_hash,
        ),
    )
)


# Built once: building a statement takes longer than most of them take to run.
_DUE = (
    select(*_CLAIMED_COLUMNS, *_STATE_COLUMNS)
    .outerjoin(Digest, Digest.id == Delivery.digest_id)
    .outerjoin(Subscription, Subscription.id == Delivery.subscription_id)
    .outerjoin(Subscriber, Subscriber.id == Subscription.subscriber_id)
    .outerjoin(Suppression, Suppression.address_hash == Subscriber.address_hash)
    .outerjoin(
        HeldSuppression,
        and_(
            HeldSuppression.address_hash == Subscriber.address_hash,
            HeldSuppression.held_at.is_not(None),
        ),
    )
    .where(
        is_unfinished(),  # for its index, as below
        Delivery.status == bindparam("status"),
        Delivery.lane == bindparam("lane"),
        Delivery.next_attempt_at <= bindparam("now"),
        # Nobody is mailed from a digest that is not released.
        or_(Digest.id.is_(None), Digest.status != DigestStatus.COMPOSING),
    )
    # And by nothing else: a list is due at one time, and PostgreSQL would sort all of it to take
    # the next hundred. At a million it took 3 seconds each time instead of 5 milliseconds.
    .order_by(Delivery.next_attempt_at)
    .limit(bindparam("limit"))
    .with_for_update(of=Delivery, skip_locked=True)
)
_UNCERTAIN_DUE = _DUE.where(Delivery.uncertain_times < MOST_UNCERTAIN)
_EXPIRED = (
    update(Delivery)
    .where(
        is_unfinished(),
        Delivery.status == DeliveryStatus.SENDING,
        Delivery.leased_until < bindparam("now"),
    )
    # It may have arrived, whatever it waited for before: no newer digest contains it.
    .values(
        status=DeliveryStatus.PENDING,
        leased_until=None,
        waits_because="",
        uncertain_times=case((Delivery.uncertain_times == 0, 1), else_=Delivery.uncertain_times),
    )
)


@dataclass(frozen=True)
class ClaimOptions:
    """The options of a claim.

    Attributes:
        limit: the most deliveries.
        hold_uncertain: True to leave deliveries to a person that may or may not have been sent.
        domain_rates: mails per second, by domain of the recipient.
        before: only the lanes before this one; None for all.
        warm_up: True if the volume of a new sender grows day by day.
    """

    limit: int
    hold_uncertain: bool = False
    domain_rates: Mapping[str, float] = field(default_factory=dict)
    before: int | None = None
    warm_up: bool = False


class _Limits:
    """The limits of a claim: the rates of single domains, and the volume of a new sender.

    Args:
        session: a writing session.
        options: of the claim.
        now: its time.
    """

    def __init__(self, session: Session, options: ClaimOptions, now: datetime) -> None:
        self._rates = rate_limits.Limits(session, options.domain_rates, now)
        self._places = warm_up.Places(session, now) if options.warm_up else None
        self.allowed_at = self._rates.allowed_at

    def has_place(self, delivery: Any, email: str, earlier_claim: str) -> bool:
        """Return whether a mail has a place of today; let it wait for the next day if not.

        Exempt are what somebody asked for, and what is urgent. A mail takes a place only once.
        """
        if self._places is None or delivery.lane < Lane.OTHERS or earlier_claim:
            return True
        if self._places.take(email):
            return True
        self._places.put_off(delivery.id, delivery.message_id, delivery.due_at)
        return False

    def store(self) -> None:
        """Store what was taken."""
        self._rates.store()
        if self._places is not None:
            self._places.store()


def claim_due(session: Session, now: datetime, options: ClaimOptions) -> list[Claimed]:
    """Claim the next deliveries for this worker, for the length of a lease.

    A delivery whose lease ran out (its worker died) is taken over. A delivery that nobody wants any
    more is settled as `suppressed`. A delivery that has to wait (a held digest, a pause, a full
    mailbox, a rate limit) is put off. So the list may be empty although more is due: see
    `has_more`. While a person has stopped the sending, nothing is claimed. The caller reopens the
    digests that ended (`digest/digests.py`).
    """
    session.flush()
    # The claim keeps its name: if its worker lives, an answer that comes late still counts.
    session.connection().execute(_EXPIRED, {"now": now})
    if stop.stopped_at(session) is not None:
        return []
    rows = _next_rows(session, now, options)
    name = uuid.uuid4().hex  # of the claim
    limits = _Limits(session, options, now)
    other_rows = [row for row in rows if row.digest_id is None]
    claimed = _claim_others(session, other_rows, limits, now, name)
    digest_rows = [row for row in rows if row.digest_id is not None]
    claimed += _claim_digests(session, digest_rows, limits, now, name)
    limits.store()
    if claimed:
        ids = [delivery.id for delivery in claimed]
        leased = {"ids": ids, "until": now + LEASE, "name": name}
        session.connection().execute(_LEASED, leased)
    return sorted(claimed, key=_lane_of)


def _lane_of(delivery: Claimed) -> int:
    return delivery.lane


def has_more(session: Session, now: datetime, options: ClaimOptions) -> bool:
    """Return whether further deliveries are due and may be sent."""
    if stop.stopped_at(session) is not None:
        return False
    return bool(_next_rows(session, now, replace(options, limit=1)))


def _next_rows(session: Session, now: datetime, options: ClaimOptions) -> list[Any]:
    """Lock and return the next due deliveries, lane by lane; in each the uncertain ones last."""
    statuses = [DeliveryStatus.PENDING] + [DeliveryStatus.UNCERTAIN] * (not options.hold_uncertain)
    rows: list[Any] = []
    for lane in Lane:
        if options.before is not None and lane >= options.before:
            break
        for status in statuses:
            if len(rows) < options.limit:
                rows += _due_rows(session, status, lane, now, options.limit - len(rows))
    return rows


def _due_rows(
    session: Session, status: DeliveryStatus, lane: Lane, now: datetime, limit: int
) -> list[Any]:
    """Lock and return the next due deliveries of a status and lane, in the order of their index.

    Each row has the columns `_CLAIMED_COLUMNS` and `_STATE_COLUMNS`.
    """
    due = _UNCERTAIN_DUE if status is DeliveryStatus.UNCERTAIN else _DUE
    values = {"status": status, "lane": lane, "now": now, "limit": limit}
    return unreadable.due_rows(session, due, values, now)


def _claim_digests(
    session: Session, rows: Sequence[Any], limits: _Limits, now: datetime, name: str
) -> list[Claimed]:
    put_off: dict[datetime, list[int]] = {}
    unwanted: dict[tuple[EndReason, str], list[int]] = {}
    claimed = []
    for row in rows:
        digest, status, suppressed, held_until, held, earlier_claim = row[len(_CLAIMED_COLUMNS) :]
        if digest not in _SENDABLE or held is not None:
            put_off.setdefault(now + _HELD_FOR, []).append(row.id)
        elif suppressed is not None:
            ended = EndReason.SUPPRESSED, "the address is suppressed"
            unwanted.setdefault(ended, []).append(row.id)
        elif status is SubscriptionStatus.PAUSED:
            put_off.setdefault(now + _HELD_FOR, []).append(row.id)
        elif status is not SubscriptionStatus.CONFIRMED:
            ended = EndReason.LEFT, f"the subscription is {status}"
            unwanted.setdefault(ended, []).append(row.id)
        elif held_until is not None and held_until > now:
            put_off.setdefault(held_until, []).append(row.id)
        elif (allowed_at := limits.allowed_at(row.email)) > now:
            put_off.setdefault(allowed_at, []).append(row.id)
        elif limits.has_place(row, row.email, earlier_claim):
            has_ended = digest is not DigestStatus.APPROVED
            claimed.append(Claimed._make((*row[: len(_CLAIMED_COLUMNS)], name, has_ended)))
    for (reason, text), ids in unwanted.items():
        suppress = {"status": DeliveryStatus.SUPPRESSED, "leased_until": None, "waits_because": ""}
        _update(session, ids, suppress | {"ended_because": reason, "error": text})
    for moment, ids in put_off.items():
        _update(session, ids, due_from(moment))
    return claimed


def _claim_others(
    session: Session, rows: Sequence[Any], limits: _Limits, now: datetime, name: str
) -> list[Claimed]:
    """Return the wanted ones of these deliveries without a digest; suppress the others.

    Those to an address whose suppression waits for a person are put off, and one whose domain has
    no place now until the next free one.
    """
    held = [row.id for row in rows if row.held_suppression is not None]
    if held:
        _update(session, held, due_from(now + _HELD_FOR))
    ids = [row.id for row in rows if row.held_suppression is None]
    if not ids:
        return []
    read = partial(_with_recipients, session)
    deliveries: list[Delivery] = unreadable.load(session, ids, read, now)
    suppressions = suppressions_of(session, deliveries)
    claimed = []
    for delivery in deliveries:
        if unwanted := reason_unwanted(delivery, suppressions):
            delivery.status, delivery.leased_until = DeliveryStatus.SUPPRESSED, None
            delivery.ended_because, delivery.error = unwanted
        elif (allowed_at := limits.allowed_at(address_of(delivery))) > now:
            delivery.next_attempt_at = allowed_at
        elif limits.has_place(delivery, address_of(delivery), delivery.claim):
            delivery.address_hash = address_hash_of(delivery)
            claimed.append(_claimed_other(delivery, name))
    session.flush()
    return claimed


def _with_recipients(session: Session, ids: Collection[int]) -> Sequence[Delivery]:
    due = (
        select(Delivery)
        .where(Delivery.id.in_(ids))
        .order_by(Delivery.lane, Delivery.next_attempt_at, Delivery.id)
    )
    whole = due.options(
        joinedload(Delivery.notice),
        joinedload(Delivery.change).joinedload(AddressChange.subscriber),
        joinedload(Delivery.subscription).joinedload(Subscription.subscriber),
        joinedload(Delivery.subscription).joinedload(Subscription.profile),
    )
    return session.scalars(whole.execution_options(populate_existing=True)).all()


def _claimed_other(delivery: Delivery, name: str) -> Claimed:
    lane = delivery.lane
    return Claimed(delivery.id, delivery.message_id, delivery.due_at, lane=lane, claim=name)


def _update(session: Session, ids: Sequence[int], values: Mapping[str, Any]) -> None:
    changed = update(Delivery).where(Delivery.id.in_(ids)).values(**values)
    session.execute(changed.execution_options(synchronize_session=False))
