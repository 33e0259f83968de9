"""The parsed items of large feeds, kept so that a later poll parses only those that are new.

Owns the table. What it holds is made and read by `parser_process/` alone; which item is known is
decided by `parsers/known_items.py`. It may be deleted at any time.
"""

from sqlalchemy.orm import Session

from notifier.store.models import ParsedItems, Source
from notifier.watch.http.types import Response

# Bytes of a document whose items are kept; a smaller one is parsed fast. Chosen by hand; not
# measured.
LEAST_BYTES = 200_000


def known_for(session: Session, response: Response) -> bytes | None:
    """Return the items of the last document of a response's source.

    Returns:
        Empty if none were kept so far; None if none are to be kept.
    """
    if len(response.body) < LEAST_BYTES:
        return None
    kept = session.get(ParsedItems, response.request.source_id)
    return kept.items if kept is not None else b""


def store(session: Session, source: Source, items: bytes) -> None:
    """Store the items of a source's last document.

    Args:
        session: a writing session; the caller commits.
        source: the source.
        items: `ParsedDocument.known_items`; empty if they are as they were.
    """
    if not items:
        return
    kept = session.get(ParsedItems, source.id)
    if kept is None:
        session.add(ParsedItems(source_id=source.id, items=items))
    else:
        kept.items = items
