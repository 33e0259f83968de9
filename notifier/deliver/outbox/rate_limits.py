"""Pace: how fast mails may go out, kept in the database so that several workers keep one limit together.

Owns the next free moment of each limited domain, and of the mail server as a whole (the empty key).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.store.models import RateLimit

_SERVER = ""


class Limits:
    """The limits of single domains, as far as this worker's claim uses them."""

    def __init__(self, session: Session, rates: Mapping[str, float], now: datetime) -> None:
        self._session, self._now = session, now
        self._rates = {domain.lower(): rate for domain, rate in rates.items()}
        self._rows: dict[str, RateLimit] = {}
        self._put_off: dict[str, int] = {}

    def slot(self, email: str) -> datetime:
        """When a mail to this address may go: now, or at a later moment that is spread over the domain's others."""
        if not self._rates:
            return self._now
        domain = email.rpartition("@")[2].lower()
        rate = self._rates.get(domain)
        if rate is None:
            return self._now
        row = self._rows.get(domain) or _row(self._session, domain, self._now)
        self._rows[domain] = row
        if row.next_at <= self._now + timedelta(seconds=1):
            row.next_at = max(row.next_at, self._now) + timedelta(seconds=1 / rate)
            return self._now
        behind = self._put_off[domain] = self._put_off.get(domain, 0) + 1
        return row.next_at + timedelta(seconds=behind / rate)

    def keep(self) -> None:
        """Store what was used."""
        self._session.flush()


def reserve(session: Session, rate: float, number: int, now: datetime) -> timedelta:
    """Take the next places of the mail server's own limit; returns how long until the first of them.

    Args:
        session: a writing session.
        rate: mails a second.
        number: how many are going to be sent.
        now: when.
    """
    row = _row(session, _SERVER, now)
    start = max(row.next_at, now)
    row.next_at = start + timedelta(seconds=number / rate)
    session.flush()
    return start - now


def _row(session: Session, key: str, now: datetime) -> RateLimit:
    found = session.scalar(select(RateLimit).where(RateLimit.key == key).with_for_update())
    if found is None:
        found = RateLimit(key=key, next_at=now)
        session.add(found)
        session.flush()
    return found
