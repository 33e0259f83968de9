"""Rows of items: what is stored of a digest's items."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import insert
from sqlalchemy.orm import Session

from notifier.digest.selection import Candidate
from notifier.enums import NewsKind
from notifier.store.models import DigestItem, Revision


class ItemRow(NamedTuple):
    """An item as it is stored; the attributes are those of `DigestItem`."""

    match_id: int
    revision_id: int
    kind: NewsKind
    earlier: list[int] | None


def rows(items: Sequence[Candidate], revisions: Mapping[int, Revision]) -> tuple[ItemRow, ...]:
    """Return the rows of items that show these revisions, by match id."""
    return tuple(
        ItemRow(item.match_id, revisions[item.match_id].id, item.kind, list(item.earlier) or None)
        for item in items
    )


def store(session: Session, digest_id: int, items: Sequence[ItemRow]) -> None:
    """Store the items of a digest, which has none, in their order."""
    # One statement: other writers wait for the end of this transaction.
    values = [
        {"digest_id": digest_id, "rank": rank, **item._asdict()}
        for rank, item in enumerate(items, 1)
    ]
    if values:
        session.execute(insert(DigestItem), values)
