"""Recent reports that a person may join with another: of the same therapy, at the same time."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from notifier.enums import NewsKind
from notifier.match.recent_news import STORY_LASTS
from notifier.store.models import Entry, Match

# Reports that are offered, those that are nearest in time. Chosen by hand; not measured.
_MOST_OFFERED = 40


def joinable(session: Session, match: Match) -> Sequence[Match]:
    """Return reports that a match can be joined with, the newest first, with entry and source.

    They are of the two weeks before it and after it, and not in its story already.
    """
    is_other = or_(Match.story.is_(None), Match.story != match.story)
    query = (
        select(Match)
        .where(
            Match.profile_id == match.profile_id,
            Match.created_at.between(
                match.created_at - STORY_LASTS, match.created_at + STORY_LASTS
            ),
            Match.kind == NewsKind.NEW,
            Match.entry_id != match.entry_id,
            *([] if match.story is None else [is_other]),
        )
        .order_by(Match.created_at.desc(), Match.id.desc())
        .limit(_MOST_OFFERED)
        .options(joinedload(Match.entry).joinedload(Entry.source))
    )
    return session.scalars(query).all()
