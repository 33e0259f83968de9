"""The daily mail to the operator about matches that wait for a person.

Owns the words of the mail, and when it is due: each held match is reported once, and one mail in
24 hours reports all that are new. What is held is decided in `match/` and `watch/`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from notifier.deps import Deps
from notifier.match import held
from notifier.pipeline.notices import enqueue_for_operator
from notifier.store.models import NearMiss
from notifier.text.cleaning import shorten

_BETWEEN_MAILS = timedelta(days=1)
# Matches that one mail describes, and the characters of each text. Chosen by hand; not measured.
_MOST_DESCRIBED, _LONGEST_TEXT = 50, 200


def notify_operator(deps: Deps) -> None:
    """Mail the operator what newly waits, at most once in 24 hours.

    Without an address of the operator nothing is stored as reported; one that is set later is told
    then.
    """
    if deps.settings.operator.address is None:
        return
    now = deps.now()
    with deps.reading() as session:
        if not _is_due(held.last_reported_at(session), now) or not held.unreported(session):
            return
    with deps.writing() as session:
        waiting = held.unreported(session)
        if waiting and _is_due(held.last_reported_at(session), now):
            subject, text = notice(waiting)
            enqueue_for_operator(deps, session, subject, text, now)
            held.note_reported(session, [near_miss.id for near_miss in waiting], now)


def _is_due(last: datetime | None, now: datetime) -> bool:
    """Return whether a mail may go out; a last one in the future was dated by a wrong clock."""
    return last is None or not now - _BETWEEN_MAILS < last <= now


def notice(waiting: Sequence[NearMiss]) -> tuple[str, str]:
    """Return the subject, which names no therapy, and the text of the mail.

    Args:
        waiting: at least one held match, with entry, source and profile.
    """
    number = len(waiting)
    subject = f"notifier: {number} {'match waits' if number == 1 else 'matches wait'} for you"
    opening = "These are held back until somebody decides. Nothing of them was mailed to readers."
    paragraphs = [_about(near_miss) for near_miss in waiting[:_MOST_DESCRIBED]]
    if number > _MOST_DESCRIBED:
        paragraphs.append(f"And {number - _MOST_DESCRIBED} more.")
    closing = "All that waits:\n    notifier matches list --held"
    return subject, "\n\n".join([opening, *paragraphs, closing])


def _about(near_miss: NearMiss) -> str:
    reasons = shorten("; ".join(near_miss.reasons), _LONGEST_TEXT)
    return "\n".join(
        [
            f"“{shorten(near_miss.revision.title, _LONGEST_TEXT) or 'Without a title'}”",
            f"{shorten(near_miss.entry.source.name, _LONGEST_TEXT)}, {near_miss.entry.url}",
            f"For {near_miss.profile.slug}, as {near_miss.kind}: {reasons}.",
            f"Held because {held.SENTENCES[near_miss.because]}.",
            f"To send it:\n    notifier matches release {near_miss.id}",
            f"To drop it:\n    notifier matches drop {near_miss.id} --held --because TEXT",
        ]
    )
