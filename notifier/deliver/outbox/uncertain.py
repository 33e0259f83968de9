"""Uncertain deliveries that wait for a person: counted by digest, sent again or ended in sets.

Owns which uncertain deliveries a person decides about: the answer of the mail server was lost
twice, or `smtp.when_uncertain` is `hold`. The others are sent once more by themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from notifier.deliver.outbox.claim import MOST_UNCERTAIN
from notifier.deliver.outbox.unsent import due_anew, end_dropped
from notifier.enums import DeliveryKind, DeliveryStatus
from notifier.store.models import Delivery, is_unfinished


@dataclass(frozen=True)
class Group:
    """The uncertain deliveries of a digest, or those of a kind that belong to no digest.

    Attributes:
        kind: of the messages.
        digest_id: the digest; None for a kind without one.
        number: how many there are.
        last_id: the highest id among them.
        due_at: the time at which the first of them had to go out.
    """

    kind: DeliveryKind
    digest_id: int | None
    number: int
    last_id: int
    due_at: datetime


def count(session: Session, *, hold: bool) -> int:
    """Return how many wait for a person; `hold` says that none is sent again by itself."""
    return session.scalar(select(func.count()).where(*_waits(hold=hold))) or 0


def groups(session: Session, *, hold: bool, limit: int) -> Sequence[Group]:
    """Return what waits, the oldest first.

    Args:
        session: a session.
        hold: none is sent again by itself.
        limit: the most groups.
    """
    due_at = func.min(Delivery.due_at, type_=Delivery.due_at.type)
    query = (
        select(Delivery.kind, Delivery.digest_id, func.count(), func.max(Delivery.id), due_at)
        .where(*_waits(hold=hold))
        .group_by(Delivery.kind, Delivery.digest_id)
        .order_by(due_at, Delivery.digest_id)
        .limit(limit)
    )
    return [Group(*row) for row in session.execute(query)]


def find(
    session: Session, kind: DeliveryKind, digest_id: int | None, *, hold: bool
) -> Group | None:
    """Return a group as it is now; None if nothing of it waits."""
    due_at = func.min(Delivery.due_at, type_=Delivery.due_at.type)
    query = select(func.count(), func.max(Delivery.id), due_at)
    row = session.execute(query.where(*_waits(hold=hold), *_of(kind, digest_id))).one()
    return Group(kind, digest_id, *row) if row[0] else None


def send_again(session: Session, group: Group, now: datetime, *, hold: bool) -> None:
    """Make a group due as if nothing had been tried; each mail keeps its Message-ID."""
    again = update(Delivery).where(*_waits(hold=hold), *_of(group.kind, group.digest_id))
    session.execute(again.values(**due_anew(now)).execution_options(synchronize_session=False))


def leave(session: Session, group: Group, *, hold: bool) -> None:
    """End a group: these mails are not sent again."""
    ids = select(Delivery.id).where(*_waits(hold=hold), *_of(group.kind, group.digest_id))
    end_dropped(session, session.scalars(ids).all())


def _waits(*, hold: bool) -> tuple[ColumnElement[bool], ...]:
    uncertain = is_unfinished(), Delivery.status == DeliveryStatus.UNCERTAIN
    return uncertain if hold else (*uncertain, Delivery.uncertain_times >= MOST_UNCERTAIN)


def _of(kind: DeliveryKind, digest_id: int | None) -> tuple[ColumnElement[bool], ...]:
    of_digest = (
        Delivery.digest_id.is_(None) if digest_id is None else Delivery.digest_id == digest_id
    )
    return Delivery.kind == kind, of_digest
