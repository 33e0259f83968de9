"""Articles: the whole text of what a feed shows only the beginning of.

Owns the text that was fetched from an article's own page, for the matcher to read. It is never
compared with a teaser, and no reader is told of it: a page that looks otherwise tomorrow is no
correction.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from notifier.store.models import Article, Entry
from notifier.watch.http.types import Purpose, Request

MOST_AT_ONCE = 20

_MOST_LOOKED_AT = 200
_LONGEST_TEASER = 600
_LONGEST_TEXT = 50_000
_CUT_OFF = ("…", "[…]", "...", "[...]", "[&hellip;]", "Read more", "Continue reading")


def wanted(session: Session, entry_ids: Collection[int]) -> list[Request]:
    """The pages to fetch for entries that were just stored and are teasers: the newest twenty of them."""
    # Of a long list the newest are looked at, because each look reads the entry's text.
    newest_ids = sorted(entry_ids)[-_MOST_LOOKED_AT:]
    chosen = (
        select(Entry).where(Entry.id.in_(newest_ids), Entry.url != "").order_by(Entry.id.desc())
    )
    newest = [
        (entry, entry.revisions[-1])
        for entry in session.scalars(chosen.options(selectinload(Entry.revisions)))
    ]
    teasers = [entry for entry, revision in newest if is_teaser(revision.summary, revision.body)]
    return [
        Request(entry.source_id, entry.url, purpose=Purpose.ARTICLE, entry_id=entry.id)
        for entry in teasers[:MOST_AT_ONCE]
    ]


def is_teaser(summary: str, body: str) -> bool:
    """Whether a feed shows no more than the beginning of a text."""
    text = (body or summary).rstrip()
    return text.endswith(_CUT_OFF) or (not body and len(text) < _LONGEST_TEASER)


def keep(session: Session, entry_id: int, text: str, now: datetime) -> None:
    """Keep the text of an article's page."""
    if session.get(Article, entry_id) is None and session.get(Entry, entry_id) is not None:
        session.add(Article(entry_id=entry_id, text=text[:_LONGEST_TEXT], fetched_at=now))
