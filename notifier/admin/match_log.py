"""The entries of the operators' log about matches: their words, and what they are about."""

from sqlalchemy.orm import Session

from notifier.operators import actions
from notifier.operators.actions import Actor
from notifier.store.models import Match, NearMiss
from notifier.text.cleaning import shorten

# In characters; an entry of the log has 500. Chosen by hand; not measured.
LONGEST_TITLE = 160


def about(match: Match | NearMiss) -> str:
    """Return the name of a match in the operators' log."""
    return f"{'held match' if isinstance(match, NearMiss) else 'match'} {match.id}"


def record(
    session: Session,
    actor: Actor | None,
    kind: str,
    verb: str,
    match: Match | NearMiss,
    reason: str,
    also: str = "",
) -> int:
    """Write an entry, and return its id; 0, and no entry, if nobody is named.

    Args:
        session: the writing session of the decision.
        actor: who decided.
        kind: as in `actions.record`.
        verb: the beginning of the sentence: "Dropped".
        match: what it was decided about.
        reason: why; may be empty.
        also: the end of the sentence; empty for none.
    """
    if actor is None:
        return 0
    title = shorten(match.entry.title, LONGEST_TITLE) or "an article without a title"
    text = f"{verb} “{title}” ({match.profile.name}){also}"
    return actions.record(session, actor, kind, text, about=about(match), reason=reason)
