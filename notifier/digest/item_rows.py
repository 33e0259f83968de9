"""Rows of items: what is stored of a digest's items, and which states of news they show."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from notifier.digest.selection import Candidate
from notifier.enums import NewsKind
from notifier.store.models import DigestItem, Match, Revision


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


def shown_as_news(session: Session, matches: Sequence[Match]) -> dict[int, Revision]:
    """Return the state that each match shows as news, by match id.

    It is the matched one as later edits that nobody need know of left it. A later state that waits
    to be judged or for a person, or that was dropped, is not shown yet, nor what came after it.
    """
    by_entry: dict[int, list[tuple[int, bool]]] = {}
    columns = (Revision.entry_id, Revision.id, Revision.material)
    waits = (Revision.held_because != "") | (Revision.judge_requests > 0)
    entry_ids = [match.entry_id for match in matches]
    states = select(*columns, waits).where(Revision.entry_id.in_(entry_ids)).order_by(Revision.id)
    for entry_id, revision_id, material, is_waiting in session.execute(states):
        by_entry.setdefault(entry_id, []).append((revision_id, not material and not is_waiting))
    shown = {match.id: _last_shown(match, by_entry[match.entry_id]) for match in matches}
    wanted = select(Revision).where(Revision.id.in_(shown.values()))
    by_id = {revision.id: revision for revision in session.scalars(wanted)}
    return {match_id: by_id[revision_id] for match_id, revision_id in shown.items()}


def _last_shown(match: Match, states: Sequence[tuple[int, bool]]) -> int:
    last = match.revision_id
    for revision_id, may_be_shown in states:
        if revision_id > match.revision_id:
            if not may_be_shown:
                break
            last = revision_id
    return last
