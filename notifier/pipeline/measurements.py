"""Measurements: the numbers for a monitoring system, which asks for them every few seconds.

Owns what is measured, and that it stays cheap: each number is read from indexes of few rows, or
from weeks that were counted before (`weekly_counts.py`), however many mails were sent. Only the
sources are counted one by one. No number says anything about a person or a therapy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notifier.enums import DeliveryStatus, DigestStatus, Lane
from notifier.match import held
from notifier.pipeline import statistics
from notifier.store import backup_state, heartbeat
from notifier.store.models import Delivery, Digest, Installation, has_status, is_unfinished
from notifier.subscribers import held_suppressions


@dataclass(frozen=True)
class Backlog:
    """The mails of a lane that are due and wait.

    Attributes:
        number: how many.
        oldest_seconds: for how long the first of them has been due; 0 if none is.
    """

    number: int
    oldest_seconds: float


@dataclass(frozen=True)
class Measurements:
    """The numbers at a moment.

    Attributes:
        deliveries: how many mails there are of each status; `sent` are those of all time.
        backlog: what is due and waits, by lane: `asked`, `urgent`, `others`.
        sources: how many watched sources there are of each health.
        digests: how many digests there are by status: those that were not sent.
        held_matches: how many matches wait for a person.
        held_suppressions: how many suppressions wait for a person.
        ran_at: when notifier last ran; None before the first run.
        is_silent: whether that is so long ago that it must be dead.
        is_stopped: whether a person stopped the sending.
        is_restored: whether a restore waits for a person's decision, so that nothing is sent.
        schema: the number of the newest migration of this version, which the database has.
    """

    deliveries: Mapping[str, int]
    backlog: Mapping[str, Backlog]
    sources: Mapping[str, int]
    digests: Mapping[str, int]
    held_matches: int
    held_suppressions: int
    ran_at: datetime | None
    is_silent: bool
    is_stopped: bool
    is_restored: bool
    schema: int


def read(session: Session, now: datetime, schema: str) -> Measurements:
    """Read the numbers.

    Args:
        session: a reading session.
        now: the moment.
        schema: the newest migration of this version: ``0014``.
    """
    row = session.execute(select(Installation.ran_at, Installation.stopped_at)).one()
    return Measurements(
        deliveries=statistics.deliveries_by_status(session),
        backlog=_backlog(session, now),
        sources=statistics.sources_by_health(session, now),
        digests=_digests(session),
        held_matches=held.count_waiting(session),
        held_suppressions=held_suppressions.count(session),
        ran_at=row.ran_at,
        is_silent=heartbeat.stopped_since(session, now) is not None,
        is_stopped=row.stopped_at is not None,
        is_restored=backup_state.restored(session) is not None,
        schema=int(schema) if schema.isdecimal() else 0,
    )


def _backlog(session: Session, now: datetime) -> dict[str, Backlog]:
    """Read what is due and waits, by lane; each lane is a range of one index."""
    due = select(func.count(), func.min(Delivery.next_attempt_at)).where(
        is_unfinished(),
        Delivery.status == DeliveryStatus.PENDING,
        Delivery.next_attempt_at <= now,
    )
    backlog = {}
    for lane in Lane:
        number, first = session.execute(due.where(Delivery.lane == lane)).one()
        waited = (now - first).total_seconds() if first is not None else 0.0
        backlog[lane.name.lower()] = Backlog(number, waited)
    return backlog


def _digests(session: Session) -> dict[str, int]:
    """Count the digests that were not sent, by status: these few have an index."""
    waiting = [status for status in DigestStatus if status is not DigestStatus.SENT]
    return {
        str(status): session.scalar(select(func.count(Digest.id)).where(has_status(status))) or 0
        for status in waiting
    }
