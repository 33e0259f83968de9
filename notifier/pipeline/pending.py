"""Pending: what waits for a person's decision, which sources are in trouble, and how it went.

Owns what the first of the operator pages shows. Each number is read from indexes of few rows, and a
list has a limit: it stays fast, however large the installation is. Nothing is changed, and nobody
is named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from notifier.deliver.outbox import stop, uncertain
from notifier.enums import Cadence, DeliveryStatus, DigestStatus, Health, HeldBecause
from notifier.match import held
from notifier.store import backup_state, heartbeat
from notifier.store.backup_state import Restored
from notifier.store.models import (
    Delivery,
    Digest,
    Profile,
    Source,
    has_status,
    is_lost,
    is_unfinished,
)
from notifier.subscribers import held_suppressions
from notifier.watch.health import FAILURES_THAT_COUNT, health
from notifier.watch.source_lists import may_be_unwell


@dataclass(frozen=True)
class WaitingDigests:
    """The drafts that nobody approved yet, or the held digests, of a profile and a cadence.

    Attributes:
        number: how many there are: one for each edition, language and group of readers.
        first_id: the lowest id among them.
        subject: of that one.
        language: of its subject, a code.
        profile: the name of the profile.
        cadence: of the readers.
        due_at: the time at which the first readers are due; None where that is not known.
        is_draft: whether nobody was sent them yet.
    """

    number: int
    first_id: int
    subject: str
    language: str
    profile: str
    cadence: Cadence
    due_at: datetime | None
    is_draft: bool


@dataclass(frozen=True)
class Trouble:
    """A source in trouble.

    Attributes:
        id: its id.
        name: its name.
        health: failing, silent or gone.
        since: the last time at which it was well; None if it never was.
        error: what was wrong at the last poll; empty if it answered.
    """

    id: int
    name: str
    health: Health
    since: datetime | None
    error: str


@dataclass(frozen=True)
class Outcome:
    """The outcome of a digest.

    Attributes:
        id: its id.
        subject: its subject.
        language: of the subject, a code.
        profile: the name of its profile.
        composed_at: when it was composed.
        accepted: how many mails the mail server took.
        refused: how many were refused, or put off for too long.
        ended: how many were not sent because the reader left, or got a newer digest instead.
        waiting: how many are still to be sent.
        uncertain: of how many nobody knows whether they were taken.
    """

    id: int
    subject: str
    language: str
    profile: str
    composed_at: datetime
    accepted: int
    refused: int
    ended: int
    waiting: int
    uncertain: int

    @property
    def planned(self) -> int:
        """All mails of the digest."""
        return self.accepted + self.refused + self.ended + self.waiting + self.uncertain


@dataclass(frozen=True)
class Pending:
    """Everything that waits for a person.

    Attributes:
        restored: the restore after which nothing is sent; None if there is none.
        stopped_at: since when a person stopped the sending; None if nobody did.
        silent_since: when notifier last ran, if that is so long ago that it must be dead.
        digests: drafts and held digests, those that are due first at the top.
        number_of_digests: how many there are, also those that are not listed.
        held: how many matches wait, by the reason.
        suppressions: how many addresses may not exist any more, and wait.
        uncertain: of how many mails nobody knows whether they were taken.
    """

    restored: Restored | None
    stopped_at: datetime | None
    silent_since: datetime | None
    digests: Sequence[WaitingDigests]
    number_of_digests: int
    held: Mapping[HeldBecause, int]
    suppressions: int
    uncertain: int


def read(session: Session, now: datetime, limit: int, *, holds_uncertain: bool) -> Pending:
    """Read what waits.

    Args:
        session: a reading session.
        now: the moment.
        limit: the most lines about digests.
        holds_uncertain: no uncertain mail is sent again by itself (`smtp.when_uncertain`).
    """
    return Pending(
        backup_state.restored(session),
        stop.stopped_at(session),
        heartbeat.stopped_since(session, now),
        _digests(session, limit),
        session.scalar(select(func.count(Digest.id)).where(_digest_waits())) or 0,
        held.counts_by_reason(session),
        held_suppressions.count(session),
        uncertain.count(session, hold=holds_uncertain),
    )


def _digest_waits() -> ColumnElement[bool]:
    return or_(has_status(DigestStatus.DRAFT), has_status(DigestStatus.HELD))


def _digests(session: Session, limit: int) -> list[WaitingDigests]:
    due_at = func.min(Digest.due_at, type_=Digest.due_at.type)
    groups = (
        select(func.count(Digest.id), func.min(Digest.id).label("first_id"), due_at.label("due_at"))
        .where(_digest_waits())
        .group_by(Digest.profile_id, Digest.cadence, Digest.status)
        .subquery()
    )
    number, first_id, first_due_at = groups.c
    rows = session.execute(
        select(number, first_id, Digest.subject, Digest.language, Profile.name, Digest.cadence,
               first_due_at, Digest.status == DigestStatus.DRAFT)
        .join(Digest, Digest.id == first_id)
        .join(Profile, Profile.id == Digest.profile_id)
        .order_by(func.coalesce(first_due_at, Digest.composed_at), first_id)
        .limit(limit)
    )  # fmt: skip
    return [WaitingDigests(*row) for row in rows]


def troubles(session: Session, now: datetime, limit: int) -> tuple[list[Trouble], int]:
    """Return sources that need attention, those with the longest trouble first, and their number.

    One that a person paused is not among them.

    Args:
        session: a reading session.
        now: the moment.
        limit: the most that are listed.
    """
    is_in_trouble = and_(
        Source.removed_at.is_(None),
        Source.paused_at.is_(None),
        may_be_unwell(now),
        or_(
            Source.failures >= FAILURES_THAT_COUNT,
            Source.gone_at.is_not(None),
            and_(Source.failures == 0, Source.expected_by < now),
        ),
    )
    first = func.coalesce(Source.last_success_at, Source.created_at), Source.id
    rows = session.scalars(select(Source).where(is_in_trouble).order_by(*first).limit(limit))
    number = session.scalar(select(func.count(Source.id)).where(is_in_trouble)) or 0
    return [_trouble(source, now) for source in rows], number


def _trouble(source: Source, now: datetime) -> Trouble:
    state = health(source, now)
    since = source.changed_at if state is Health.SILENT else source.last_success_at
    error = source.last_error if state is Health.FAILING else None
    return Trouble(source.id, source.name, state, since, error or "")


def last_outcomes(session: Session, limit: int) -> list[Outcome]:
    """Return what became of the newest digests that were, or are, being sent."""
    has_mails = select(Delivery.id).where(Delivery.digest_id == Digest.id).limit(1)
    was_sent = Digest.status.in_((DigestStatus.SENT, DigestStatus.APPROVED, DigestStatus.FAILED))
    rows = session.execute(
        select(Digest.id, Digest.subject, Digest.language, Profile.name, Digest.composed_at)
        .join(Profile, Profile.id == Digest.profile_id)
        .where(was_sent, has_mails.exists())
        .order_by(Digest.id.desc())
        .limit(limit)
    ).all()
    return [_outcome(session, row) for row in rows]


def _outcome(session: Session, row: Any) -> Outcome:
    """Count the mails of a digest; only those that were not accepted are read one by one."""
    of_digest = Delivery.digest_id == row.id
    total = session.scalar(select(func.count()).where(of_digest)) or 0
    by_status = select(Delivery.status, func.count()).group_by(Delivery.status)
    open_ = by_status.where(is_unfinished(), of_digest)
    # As an expression: otherwise SQLite would read all mails of the digest.
    same = Delivery.digest_id + 0 == row.id
    since = Delivery.next_attempt_at >= row.composed_at
    # By the index of the status and the time, a status after the other.
    lost = by_status.where(is_lost(), Delivery.status.in_(DeliveryStatus.LOST), since, same)
    counts = {each[0]: each[1] for each in (*session.execute(open_), *session.execute(lost))}
    return Outcome(
        row.id,
        row.subject,
        row.language,
        row.name,
        row.composed_at,
        accepted=total - sum(counts.values()),
        refused=counts.get(DeliveryStatus.FAILED, 0),
        ended=counts.get(DeliveryStatus.SUPPRESSED, 0),
        waiting=sum(counts.get(status, 0) for status in DeliveryStatus.WAITING),
        uncertain=counts.get(DeliveryStatus.UNCERTAIN, 0),
    )
