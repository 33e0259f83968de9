"""Warm-up: what a new sender sends to each mail provider grows day by day.

Providers distrust a sender whom they never saw and who sends a lot at once. Owns the table
`warm_up`: since when the volume grows, and how many mails each provider was given today. What does
not fit into a day waits for the next one, with a reason of its own: it is no trouble, and is read
once a day. Which mails are exempt is decided by `claim.py`.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, delete, func, literal_column, select, update
from sqlalchemy.orm import Session

from notifier.deliver.outbox.patience import PATIENCE
from notifier.email_addresses import provider_of
from notifier.enums import DeliveryStatus, WaitReason
from notifier.store.db import domain_of_column, insert_missing
from notifier.store.models import Delivery, Subscriber, Subscription, WarmUp

# Mails to one provider on the first day, growing by a quarter a day: 1.9 million on the last of
# these days, and any number from then on. Chosen by hand; not measured.
FIRST_DAY, _GROWTH, DAYS = 200, 1.25, 42
# What waits is taken up within so many seconds of a day, the oldest first, and what was due on the
# same day in random order, so that a long digest does not keep a short one waiting.
_SPREAD = 400
# So many waiting mails are released in one transaction. Chosen by hand; not measured.
_RELEASED_AT_ONCE = 5000

# The key of the row that stores since when the volume grows.
_SINCE = ""
# No parameter of a statement: only so the index of these rows is used.
_IS_WAITING = Delivery.waits_because == literal_column(f"'{WaitReason.WARM_UP}'")

_PUT_OFF = (
    update(Delivery)
    .where(Delivery.id == bindparam("delivery"))
    .values(
        next_attempt_at=bindparam("moment"),
        given_up_at=bindparam("end"),
        waits_because=WaitReason.WARM_UP,
    )
)


class Wait(NamedTuple):
    """The mails of one digest that wait for warm-up.

    Attributes:
        number: how many.
        until: the day on which the last of them is expected to go out.
    """

    number: int
    until: date


def most_on(day: int) -> int | None:
    """Return the most mails to one provider on a day, counted from 0; None from the 42nd on."""
    return None if day >= DAYS else int(FIRST_DAY * _GROWTH**day)


class Places:
    """The places of today that one claim takes.

    Args:
        session: a writing session.
        now: the time of the claim.
    """

    def __init__(self, session: Session, now: datetime) -> None:
        self._session, self._today = session, now.astimezone(UTC).date()
        self._most: int | None = None
        self._rows: dict[str, WarmUp] | None = None
        self._waiting: list[dict[str, object]] = []

    def take(self, email: str) -> bool:
        """Take a place for a mail to an address; return False if none is left today."""
        if self._rows is None:
            # The lock lets one worker after the other count.
            self._most = most_on((self._today - _since(self._session, self._today)).days)
            self._rows = {}
        if self._most is None:
            return True
        provider = provider_of(email)
        row = self._rows.get(provider) or self._row(provider)
        if row.number >= self._most:
            return False
        row.number += 1
        return True

    def _row(self, provider: str) -> WarmUp:
        assert self._rows is not None
        row = self._session.get(WarmUp, provider, populate_existing=True)
        if row is None:
            row = WarmUp(key=provider, day=_start_of(self._today), number=0)
            self._session.add(row)
        if row.day != _start_of(self._today):
            row.day, row.number = _start_of(self._today), 0
        self._rows[provider] = row
        return row

    def put_off(self, delivery_id: int, message_id: str, due_at: datetime) -> None:
        """Let a delivery wait for the next day."""
        day = self._today + timedelta(days=1)
        age = min(max((day - due_at.date()).days, 0), _SPREAD - 1)
        random = int(message_id[1:9], 16) / 2**32 if _is_ours(message_id) else 0.0
        moment = _start_of(day) + timedelta(seconds=_SPREAD - 1 - age + random)
        values = {"delivery": delivery_id, "moment": moment, "end": moment + PATIENCE}
        self._waiting.append(values)

    def store(self) -> None:
        """Store the places that were taken, and what waits."""
        self._session.flush()
        if self._waiting:
            self._session.connection().execute(_PUT_OFF, self._waiting)
            self._waiting = []


def _is_ours(message_id: str) -> bool:
    return all(character in "0123456789abcdef" for character in message_id[1:9])


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _since(session: Session, today: date) -> date:
    """Lock and return the first day; it is today if none is stored."""
    insert_missing(session, WarmUp, {"key": _SINCE, "day": _start_of(today), "number": 0})
    locked = select(WarmUp.day).where(WarmUp.key == _SINCE).with_for_update()
    return min(session.scalars(locked).one().date(), today)


def is_running(session: Session) -> bool:
    """Return whether a first day is stored."""
    return session.get(WarmUp, _SINCE) is not None


def release(session: Session, now: datetime) -> bool:
    """Make waiting mails due, some thousand at a time, after warm-up was switched off.

    Returns:
        True if there may be more.
    """
    some = select(Delivery.id).where(_IS_WAITING, Delivery.status == DeliveryStatus.PENDING)
    released = update(Delivery).where(Delivery.id.in_(some.limit(_RELEASED_AT_ONCE)))
    values = {"next_attempt_at": now, "given_up_at": now + PATIENCE, "waits_because": ""}
    changed = session.connection().execute(released.values(**values))
    if changed.rowcount:
        return True
    session.execute(delete(WarmUp))
    return False


def waiting(session: Session, now: datetime) -> dict[int, Wait]:
    """Return what waits of each digest, by its id."""
    since = session.get(WarmUp, _SINCE)
    if since is None:
        return {}
    domain = domain_of_column(session, Subscriber.email)
    counts = (
        select(Delivery.digest_id, domain, func.count(Delivery.id))
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(
            _IS_WAITING,
            Delivery.status == DeliveryStatus.PENDING,
            Delivery.digest_id.is_not(None),
        )
        .group_by(Delivery.digest_id, domain)
    )
    rows = [(row[0] or 0, row[1], row[2]) for row in session.execute(counts)]
    return _waits(rows, since.day.date(), now.astimezone(UTC).date())


def _waits(rows: Sequence[tuple[int, str, int]], since: date, today: date) -> dict[int, Wait]:
    """Return what waits of each digest.

    Args:
        rows: digest, domain of the addresses and number of mails.
        since: the first day of warm-up.
        today: the day from which it is counted.
    """
    providers: Counter[str] = Counter()
    for _, domain, number in rows:
        providers[provider_of(f"x@{domain}")] += number
    days = {provider: _last_day(number, since, today) for provider, number in providers.items()}
    waits: dict[int, Wait] = {}
    for digest_id, domain, number in rows:
        before = waits.get(digest_id, Wait(0, today))
        until = max(before.until, days[provider_of(f"x@{domain}")])
        waits[digest_id] = Wait(before.number + number, until)
    return waits


def _last_day(number: int, since: date, today: date) -> date:
    """Return the day on which the last of so many mails to a provider is expected to go out."""
    day = today
    while number > 0:
        day += timedelta(days=1)
        most = most_on((day - since).days)
        if most is None:
            break
        number -= most
    return day
