"""The parsed items of large feeds, kept so that a later poll parses only those that are new.

Owns the table. What it holds is made and read by the parser process alone
(`parsers/known_items.py`); it may be deleted at any time.
"""

from sqlalchemy.orm import Session

from notifier.store.models import ParsedItems, Source

# Bytes of a document whose items are kept; a smaller one is parsed fast. Chosen by hand; not
# measured.
LEAST_BYTES = 200_000


def of_source(session: Session, source_id: int) -> bytes:
    """Return the items of a source's last document; empty if they are not kept."""
    kept = session.get(ParsedItems, source_id)
    return kept.items if kept is not None else b""


def store(session: Session, source: Source, items: bytes) -> None:
    """Store the items of a source's last document.

    Args:
        session: a writing session; the caller commits.
        source: the source.
        items: as the parser process gave them; empty if they are as they were.
    """
    if items:
        session.merge(ParsedItems(source_id=source.id, items=items))
