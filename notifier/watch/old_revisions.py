"""Old revisions: the texts of states that nothing needs any more are removed.

Owns which states keep their text: the first of an entry, the newest of each origin (later ones are
compared with it), the latest that was in a digest, and one that waits for a person. Of the others
the title, the summary and what changed stay.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, literal_column, not_, or_, select, update
from sqlalchemy.orm import Session, aliased

from notifier.store.models import DigestItem, Match, NearMiss, Revision


def with_text(
    session: Session, horizon: datetime, after: tuple[datetime, int] | None, limit: int
) -> Sequence[tuple[datetime, int]]:
    """Return the next states that were observed before a time and have their text still.

    Args:
        session: any session.
        horizon: that time.
        after: the last one that was returned before; None at the beginning.
        limit: the most that are returned.

    Returns:
        The time of observation and the id of each, the oldest first.
    """
    # The condition of the index, as it stands there: no parameters.
    full: ColumnElement[bool] = literal_column("number > 1 AND NOT emptied")
    query = select(Revision.observed_at, Revision.id).where(full, Revision.observed_at < horizon)
    if after is not None:
        later = Revision.observed_at > after[0]
        same = (Revision.observed_at == after[0]) & (Revision.id > after[1])
        query = query.where(Revision.observed_at >= after[0], or_(later, same))
    query = query.order_by(Revision.observed_at, Revision.id).limit(limit)
    return [(row[0], row[1]) for row in session.execute(query)]


def empty(session: Session, revision_ids: Sequence[int]) -> None:
    """Remove the texts of those of these states that need not keep them."""
    unneeded = select(Revision.id).where(Revision.id.in_(revision_ids), *map(not_, _needed()))
    session.execute(
        update(Revision)
        .where(Revision.id.in_(session.scalars(unneeded).all()))
        .values(body="", content={}, emptied=True)
        .execution_options(synchronize_session=False)
    )


def _needed() -> Sequence[ColumnElement[bool]]:
    other = aliased(Revision)
    newest = select(func.max(other.id)).where(
        other.entry_id == Revision.entry_id, other.origin == Revision.origin
    )
    newest_sent = (
        select(func.max(DigestItem.revision_id))
        .join(Match, Match.id == DigestItem.match_id)
        .where(Match.entry_id == Revision.entry_id)
    )
    waits = exists().where(
        NearMiss.revision_id == Revision.id,
        NearMiss.released_at.is_(None),
        NearMiss.dropped_because == "",
    )
    return (
        Revision.number == 1,
        Revision.id == newest.scalar_subquery(),
        # Compared with 0 where nothing of the entry was in a digest.
        Revision.id == func.coalesce(newest_sent.scalar_subquery(), 0),
        waits,
    )
