"""Rate limits: the speed of sending, stored in the database so that several workers share it.

Owns the next free time of each limited domain, and of the mail server as a whole (the empty key).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.store.db import insert_missing
from notifier.store.models import RateLimit

_SERVER = ""


class Limits:
    """The limits of single domains, as far as one claim uses them.

    Args:
        session: a writing session.
        rates: mails per second, by domain.
        now: the time of the claim.
    """

    def __init__(self, session: Session, rates: Mapping[str, float], now: datetime) -> None:
        self._session, self._now = session, now
        self._rates = {domain.lower(): rate for domain, rate in rates.items()}
        self._rows: dict[str, RateLimit] = {}
        self._put_off: dict[str, int] = {}

    def allowed_at(self, email: str) -> datetime:
        """Return the time at which a mail to an address may be sent, and reserve it if it is now.

        Later times are spread, so that the mails to a domain do not become due at once.
        """
        if not self._rates:
            return self._now
        domain = email.rpartition("@")[2].lower()
        rate = self._rates.get(domain)
        if rate is None:
            return self._now
        if not self._rows:
            # All in one order: two claims that lock them as they meet them could wait for each
            # other.
            for limited in sorted(self._rates):
                self._rows[limited] = _locked_row(self._session, limited, self._now)
        row = self._rows[domain]
        if row.next_at <= self._now + timedelta(seconds=1):
            row.next_at = max(row.next_at, self._now) + timedelta(seconds=1 / rate)
            return self._now
        put_off = self._put_off.get(domain, 0)
        self._put_off[domain] = put_off + 1
        return row.next_at + timedelta(seconds=put_off / rate)

    def store(self) -> None:
        """Store the reserved times."""
        self._session.flush()


def reserve(session: Session, rate: float, number: int, now: datetime) -> timedelta:
    """Reserve the next times of the mail server's own limit.

    Args:
        session: a writing session.
        rate: mails per second.
        number: the number of mails that are going to be sent.
        now: the time of the reservation.

    Returns:
        The time until the first of them may be sent.
    """
    row = _locked_row(session, _SERVER, now)
    start = max(row.next_at, now)
    row.next_at = start + timedelta(seconds=number / rate)
    session.flush()
    return start - now


def _locked_row(session: Session, key: str, now: datetime) -> RateLimit:
    """Return the row of a limit, locked until the transaction ends; created if it is missing."""
    locked = select(RateLimit).where(RateLimit.key == key).with_for_update()
    limit = session.scalar(locked)
    if limit is None:
        insert_missing(session, RateLimit, {"key": key, "next_at": now})
        limit = session.scalars(locked).one()
    return limit
