"""Articles: the whole texts of entries that a feed shows as teasers.

Owns the text that was fetched from an entry's own page, for the matcher. It is never compared with
another text, and no reader is shown it: a page that reads otherwise tomorrow is not a correction.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from notifier.store.models import Article, Entry
from notifier.watch.http.types import Purpose, Request

# All values were chosen by hand; not measured.

# Pages that are requested after one document, of the newest entries.
MOST_AT_ONCE = 20
# New entries of a document whose texts are read to find the teasers among them, the newest.
_MOST_CANDIDATES = 200
# Characters of a teaser, and of the text that is stored.
_LONGEST_TEASER, _LONGEST_TEXT = 600, 50_000
# Ends of texts that are cut off.
_CUT_OFF = ("…", "[…]", "...", "[...]", "[&hellip;]", "Read more", "Continue reading")


def wanted(session: Session, entry_ids: Collection[int]) -> list[Request]:
    """Return the requests for the pages of new entries that are teasers, the newest twenty.

    Args:
        session: the session in which they were stored.
        entry_ids: the new entries of one document.
    """
    newest_ids = sorted(entry_ids)[-_MOST_CANDIDATES:]
    statement = (
        select(Entry)
        .where(Entry.id.in_(newest_ids), Entry.url != "")
        .order_by(Entry.id.desc())
        .options(selectinload(Entry.revisions))
    )
    states = [(entry, entry.revisions[-1]) for entry in session.scalars(statement)]
    teasers = [entry for entry, state in states if is_teaser(state.summary, state.body)]
    return [
        Request(entry.source_id, entry.url, purpose=Purpose.ARTICLE, entry_id=entry.id)
        for entry in teasers[:MOST_AT_ONCE]
    ]


def is_teaser(summary: str, body: str) -> bool:
    """Return whether a feed shows only the beginning of a text."""
    text = (body or summary).rstrip()
    return text.endswith(_CUT_OFF) or (not body and len(text) < _LONGEST_TEASER)


def store(session: Session, entry_id: int, text: str, now: datetime) -> None:
    """Store the text of an entry's page, unless there is one or the entry was removed."""
    if session.get(Article, entry_id) is None and session.get(Entry, entry_id) is not None:
        session.add(Article(entry_id=entry_id, text=text[:_LONGEST_TEXT], fetched_at=now))
