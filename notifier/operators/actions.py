"""The operators' log: who did what, and when.

An entry is written in the transaction of what it tells, so that it is never there without it. It
names no subscriber.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from notifier.store.models import OperatorAction
from notifier.text.cleaning import clean, redacted

# In characters; what is longer is cut.
_LONGEST_TEXT, _LONGEST_REASON = 500, 1000


class Actor(NamedTuple):
    """The operator who does something, and the time.

    Attributes:
        name: of the operator.
        now: when.
    """

    name: str
    now: datetime


def record(
    session: Session, actor: Actor, kind: str, text: str, *, about: str = "", reason: str = ""
) -> int:
    """Write an entry, and return its id.

    Args:
        session: the writing session of what was done.
        actor: who did it.
        kind: in a word: ``approved``, ``released``, ``logged_in``.
        text: one English sentence without the name: "Approved digest 12: Weekly digest".
        about: the thing, as ``digest 12``; empty for none.
        reason: what the operator gave as the reason; addresses in it are not stored.
    """
    action = OperatorAction(
        name=actor.name,
        at=actor.now,
        kind=kind,
        about=about,
        text=clean(text)[:_LONGEST_TEXT],
        reason=redacted(clean(reason))[:_LONGEST_REASON],
    )
    session.add(action)
    session.flush()
    return action.id


def text_of(session: Session, action_id: int, name: str) -> str:
    """Return the text of an operator's own entry; empty for another one's, and for none."""
    action = session.get(OperatorAction, action_id)
    return action.text if action is not None and action.name == name else ""


def newest(
    session: Session, *, about: str = "", name: str = "", before_id: int = 0, limit: int = 100
) -> Sequence[OperatorAction]:
    """Return entries, the newest first.

    Args:
        session: one that reads.
        about: only those about this thing; empty for all.
        name: only those of this operator; empty for all.
        before_id: only those before this one; 0 for all.
        limit: at most so many.
    """
    wanted: list[ColumnElement[bool]] = []
    if about:
        wanted.append(OperatorAction.about == about)
    if name:
        wanted.append(OperatorAction.name == name)
    if before_id:
        wanted.append(OperatorAction.id < before_id)
    statement = select(OperatorAction).where(*wanted)
    return session.scalars(statement.order_by(OperatorAction.id.desc()).limit(limit)).all()


def by_time(
    session: Session, about: str, times: Collection[datetime]
) -> dict[datetime, OperatorAction]:
    """Return the entries about a thing that were written at these times, by time."""
    wanted = OperatorAction.about == about, OperatorAction.at.in_(times)
    statement = select(OperatorAction).where(*wanted).order_by(OperatorAction.id)
    return {action.at: action for action in session.scalars(statement)}


def number_stored(session: Session) -> int:
    """Return how many entries there are."""
    return session.scalar(select(func.count(OperatorAction.id))) or 0


def number_since(session: Session, kind: str, since: datetime, name: str = "") -> int:
    """Return how many entries of a kind an operator made after a time; without a name, anybody."""
    recent = [OperatorAction.at > since, OperatorAction.kind == kind]
    if name:
        recent.append(OperatorAction.name == name)
    return session.scalar(select(func.count(OperatorAction.id)).where(*recent)) or 0
