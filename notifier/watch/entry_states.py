"""The states of entries as a page shows them: the newest text, and all states in parts.

It reads, and loads no text that is not shown: an entry may have hundreds of long ones.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer, joinedload

from notifier.enums import NewsKind
from notifier.errors import NotFoundError
from notifier.store.models import Article, Entry, Revision


@dataclass(frozen=True)
class NewestState:
    """The newest state of an entry.

    Attributes:
        revision_id: its id.
        number: of the state, from 1.
        kind: a withdrawal, for example.
        held: whether it waits for a person.
        title: the headline; may be empty.
        text: the beginning of the text; of a teaser, that of the article's own page.
        is_cut: whether the text is longer.
        observed_at: when it was first observed.
    """

    revision_id: int
    number: int
    kind: NewsKind
    held: bool
    title: str
    text: str
    is_cut: bool
    observed_at: datetime

    @property
    def is_withdrawn(self) -> bool:
        """True if the publisher withdrew the entry, as far as that is certain."""
        return self.kind is NewsKind.WITHDRAWN and not self.held


def find(session: Session, entry_id: int) -> Entry:
    """Return the entry with this id, with its source.

    Raises:
        NotFoundError: there is none.
    """
    entry = session.get(Entry, entry_id, options=[joinedload(Entry.source)])
    if entry is None:
        raise NotFoundError("There is no such article.", "See them with: notifier entries list")
    return entry


def newest(session: Session, entry_ids: Collection[int], longest: int) -> Mapping[int, NewestState]:
    """Return the newest states of entries, by entry id.

    Args:
        session: a reading session.
        entry_ids: a page of them.
        longest: the most characters of a text.
    """
    newest_ids = (
        select(func.max(Revision.id))
        .where(Revision.entry_id.in_(entry_ids))
        .group_by(Revision.entry_id)
    )
    rows = session.execute(
        select(
            Revision.entry_id,
            Revision.id,
            Revision.number,
            Revision.kind,
            Revision.held_because,
            Revision.title,
            Revision.summary,
            func.substr(Revision.body, 1, longest + 1).label("body"),
            func.substr(Article.text, 1, longest + 1).label("article"),
            Revision.observed_at,
        )
        .outerjoin(Article, Article.entry_id == Revision.entry_id)
        .where(Revision.id.in_(newest_ids))
    )
    return {row.entry_id: _newest_state(row, longest) for row in rows}


def _newest_state(row: Any, longest: int) -> NewestState:
    text = max(row.body, row.article or "", row.summary, key=len)
    return NewestState(
        row.id,
        row.number,
        row.kind,
        bool(row.held_because),
        row.title,
        text[:longest],
        len(text) > longest,
        row.observed_at,
    )


def page(session: Session, entry_id: int, before: int, limit: int) -> Sequence[Revision]:
    """Return states of an entry without their texts, the newest first.

    Args:
        session: a reading session.
        entry_id: of the entry.
        before: only those with a smaller number; 0 for all.
        limit: the most that are returned.
    """
    wanted = [Revision.entry_id == entry_id, *([Revision.number < before] if before else [])]
    states = select(Revision).where(*wanted).order_by(Revision.number.desc()).limit(limit)
    texts = defer(Revision.body), defer(Revision.summary), defer(Revision.content)
    return session.scalars(states.options(*texts)).all()


def number_stored(session: Session, entry_id: int) -> int:
    """Return how many states of an entry are stored."""
    stored = select(func.count(Revision.id)).where(Revision.entry_id == entry_id)
    return session.scalar(stored) or 0
