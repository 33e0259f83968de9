"""Doubts: states of pages and trial records that wait for a second look.

Owns which observed states are not believed yet, and since when. What is doubted is decided by
`plausibility.py`. A doubted state changes nothing of its entry: nothing is told, nothing forgotten.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from notifier.enums import SourceKind
from notifier.store.db import in_chunks
from notifier.store.models import Doubt, Entry, Source
from notifier.watch import plausibility, sources
from notifier.watch.compare.damage import is_damaged
from notifier.watch.compare.edits import Plan
from notifier.watch.parsers.observation import ASIDE, ParsedDocument

# Characters of the text of a first state that may be doubted. Chosen by hand; not measured.
_LITTLE_TEXT = 250
# The end of a reason that says what happens next.
_NEXT = (
    "this is believed if it is still so after"
    f" {plausibility.SECOND_LOOK // timedelta(hours=1)} hours"
)


@dataclass
class Judgement:
    """The states of one document that are not stored.

    Attributes:
        refusal: why the whole document is not stored: a clause; empty if it is.
        is_first: whether it is refused because it is the first one and there is a sign against it.
        doubted: the states that wait for a second look, by the ids of their entries.
        damaged: the entries whose states have broken characters where the known ones have none.
    """

    refusal: str = ""
    is_first: bool = False
    doubted: dict[int, plausibility.Doubt] = field(default_factory=dict)
    damaged: set[int] = field(default_factory=set)

    @property
    def reason(self) -> str:
        """The reason of the first doubt, for the operator: a clause; empty if nothing is doubted.

        It says what happens next.
        """
        first = next((doubt.reason for doubt in self.doubted.values()), "")
        return f"{first}; {_NEXT}" if first else ""

    @property
    def entry_ids(self) -> frozenset[int]:
        """The entries that were observed in a state that is not stored."""
        return frozenset(self.doubted) | self.damaged


def judge(
    session: Session, source: Source, document: ParsedDocument, plan: Plan, now: datetime
) -> Judgement:
    """Judge the changed states of a document, and take those that are not believed out of the plan.

    Args:
        session: any session.
        source: the source of the document.
        document: the document.
        plan: the plan of its observations; it is changed.
        now: when it was observed.
    """
    if source.kind is SourceKind.PAGE and source.baselined_at is None and _is_doubtful(document):
        waits = source.doubted_at is None or now - source.doubted_at < plausibility.SECOND_LOOK
        return Judgement(f"{document.doubt}; {_NEXT}" if waits else "", is_first=waits)
    judgement = Judgement()
    waiting: dict[int, tuple[datetime, str]] | None = None
    for known, observation in plan.pairs:
        entry_id = known.newest.entry_id
        if is_damaged(observation) and not is_damaged(known.newest):
            judgement.damaged.add(entry_id)
            continue
        before = plausibility.State(
            known.newest.title, _compared(known.newest.content), source.ended
        )
        today = plausibility.State(
            observation.title, _compared(observation.content), document.whole, document.doubt
        )
        doubt = plausibility.doubt(before, today)
        if doubt is None:
            continue
        if doubt.is_other:
            judgement.refusal = doubt.reason
            return judgement
        waiting = _waiting(session, source) if waiting is None else waiting
        since, its_hash = waiting.get(entry_id, (now, ""))
        if its_hash != doubt.hash or now - since < plausibility.SECOND_LOOK:
            judgement.doubted[entry_id] = doubt
    plan.leave_out(judgement.entry_ids)
    return judgement


def _is_doubtful(document: ParsedDocument) -> bool:
    """Return whether the first state of a page is doubted: with a sign against it, and little text.

    A page that has its text may say that readers can log in, or that it uses cookies.
    """
    length = sum(len(observation.body) for observation in document.observations)
    return bool(document.doubt) and (length < _LITTLE_TEXT or not document.whole)


def _compared(content: Mapping[str, object]) -> dict[str, object]:
    return {name: part for name, part in content.items() if name != ASIDE}


def _waiting(session: Session, source: Source) -> dict[int, tuple[datetime, str]]:
    statement = select(Doubt.entry_id, Doubt.since, Doubt.hash).where(Doubt.source_id == source.id)
    return {entry_id: (since, its_hash) for entry_id, since, its_hash in session.execute(statement)}


def store(
    session: Session,
    source: Source,
    doubted: Mapping[int, plausibility.Doubt],
    believed: Collection[int],
    now: datetime,
) -> None:
    """Store which entries of a document are doubted, and that the others are not any more.

    Args:
        session: a writing session; the caller commits.
        source: the source of the document.
        doubted: the doubts, by the ids of the entries.
        believed: the ids of the other entries that were observed.
        now: when they were observed.
    """
    statement = select(Doubt).where(Doubt.source_id == source.id)
    waiting = {doubt.entry_id: doubt for doubt in session.scalars(statement)}
    for entry_id in waiting.keys() & set(believed):
        session.delete(waiting[entry_id])
    for entry_id, doubt in doubted.items():
        known = waiting.get(entry_id)
        if known is None:
            session.add(Doubt(entry_id=entry_id, source_id=source.id, since=now, hash=doubt.hash))
        elif known.hash != doubt.hash:
            known.since, known.hash = now, doubt.hash


def forget(session: Session, source_ids: Sequence[int]) -> None:
    """Forget the doubts of sources that show what is known; the caller commits."""
    doubted = set(session.scalars(select(Doubt.source_id).distinct()))
    for chunk in in_chunks([source_id for source_id in source_ids if source_id in doubted]):
        session.execute(delete(Doubt).where(Doubt.source_id.in_(chunk)))


def of_list(session: Session, source: Source, listed: int, new: int, now: datetime) -> str:
    """Return why a feed's list is not believed: a clause; empty if it is.

    Args:
        session: a writing session; the caller commits.
        source: the feed, whose document was just stored.
        listed: the number of entries in it.
        new: the number of those that were not known.
        now: when it was observed.
    """
    its_own = select(func.count(Entry.id)).where(Entry.source_id == source.id)
    usual = (session.scalar(its_own.where(Entry.left_at.is_(None))) or 0) - new
    if not plausibility.lists_too_few(listed, usual) or sources.is_doubted_for_long(source, now):
        return ""
    return f"the feed lists {listed} of its {usual} items; {_NEXT}"
