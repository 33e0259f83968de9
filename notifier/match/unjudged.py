"""Unjudged: the revisions that must be judged for all profiles, and the record of those that were.

Owns the column `revision.judge_requests` and the table of examinations. A new revision waits from
the start; one waits again when there is more text to read, or when a profile was imported while it
was judged. What waits is found by an index of its own: looking costs the same however much is
stored. How a revision is judged is no matter of this file.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, literal_column, select, update
from sqlalchemy.orm import Session

from notifier.store.db import in_chunks
from notifier.store.models import Examination, Revision


def waits() -> ColumnElement[bool]:
    """Select the revisions that wait to be judged.

    The number is no parameter of the statement: only so it is the condition of the index.
    """
    return Revision.judge_requests > literal_column("0")


def next_ids(session: Session, limit: int) -> Sequence[int]:
    """Return the ids of the revisions that wait, the oldest first, at most so many."""
    query = select(Revision.id).where(waits()).order_by(Revision.id).limit(limit)
    return session.scalars(query).all()


def waiting_ids(session: Session) -> frozenset[int]:
    """Return the ids of all revisions that wait."""
    return frozenset(session.scalars(select(Revision.id).where(waits())))


def newest_id(session: Session) -> int:
    """Return the id of the newest revision; 0 if there is none."""
    return session.scalar(select(func.max(Revision.id))) or 0


def requeue(session: Session, revision_id: int) -> None:
    """Have a revision judged again, because there is more text to read.

    It becomes news to profiles that it did not match before. If it is being judged by another
    process, that judgement is not stored.
    """
    _ask_again(session, Revision.id == revision_id)


def requeue_judged_since(session: Session, newest: int, waiting: Collection[int]) -> None:
    """Have revisions judged again: they were judged without a profile that is imported now.

    Args:
        session: a writing session; no other process stores judgements until it ends.
        newest: the newest revision when past entries were judged for the profile.
        waiting: the ids of older ones that were not judged then.
    """
    judged = Revision.judge_requests == 0
    _ask_again(session, Revision.id > newest, judged)
    for chunk in in_chunks(sorted(waiting)):
        _ask_again(session, Revision.id.in_(chunk), judged)


def _ask_again(session: Session, *conditions: ColumnElement[bool]) -> None:
    statement = update(Revision).where(*conditions)
    session.execute(statement.values(judge_requests=Revision.judge_requests + 1))


def note_judged(session: Session, revisions: Sequence[Revision], now: datetime) -> set[int]:
    """Store that revisions were judged.

    Args:
        session: a writing session.
        revisions: as they were read before they were judged.
        now: the time of the judgement.

    Returns:
        The ids of those whose judgement counts: no other process judged them meanwhile, and nobody
        asked again.
    """
    read: dict[int, list[int]] = defaultdict(list)
    for revision in revisions:
        read[revision.judge_requests].append(revision.id)
    noted: set[int] = set()
    for requests, revision_ids in read.items():
        for chunk in in_chunks(revision_ids):
            unchanged = Revision.id.in_(chunk), Revision.judge_requests == requests
            statement = update(Revision).where(*unchanged).values(judge_requests=0)
            noted.update(
                session.scalars(
                    statement.returning(Revision.id),
                    execution_options={"synchronize_session": False},
                )
            )
    for chunk in in_chunks(sorted(noted)):
        session.execute(delete(Examination).where(Examination.revision_id.in_(chunk)))
        rows = [{"revision_id": revision_id, "examined_at": now} for revision_id in chunk]
        session.execute(insert(Examination), rows)
    return noted


def old_examinations(session: Session, horizon: datetime, limit: int) -> Sequence[int]:
    """Return the revisions that were judged before a time and whose record is kept still.

    The record says when a revision was judged, and nothing more: without it none is judged again.

    Args:
        session: any session.
        horizon: that time.
        limit: the most that are returned.
    """
    query = select(Examination.revision_id).where(Examination.examined_at < horizon).limit(limit)
    return session.scalars(query).all()


def forget_examinations(session: Session, revision_ids: Sequence[int], horizon: datetime) -> None:
    """Delete the records of these revisions, if they were not judged again since."""
    for chunk in in_chunks(revision_ids):
        old = Examination.revision_id.in_(chunk), Examination.examined_at < horizon
        session.execute(delete(Examination).where(*old))
