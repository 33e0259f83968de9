"""Decisions about a match: kept out of digests, put back, joined with other reports, separated.

Each form carries the state that was shown, that of a join also the state of the other report. If
one is another by now, the page of the article says who decided what meanwhile, and keeps what was
written.
"""

from collections.abc import Callable

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import Response

from notifier.admin import match_log, news_review, review
from notifier.errors import NotifierError, StoreError
from notifier.match.shown_state import ChangedMeanwhileError
from notifier.operators import actions
from notifier.store.models import Match
from notifier.web import forms
from notifier.web.operator import rendering
from notifier.web.operator.news import news_entry
from notifier.web.operator.visit import Visit, number_of

_OTHER_CHANGED = (
    "The other report changed since you opened the page: it is joined with others now or was"
    " separated, somebody decided about it, or the publisher has a new version. Nothing was done."
)
# Done for the id of a match, the reason and the state that was shown; returns the log's entry.
_Decision = Callable[[int, str, str], int]


def drop(visit: Visit, form: FormData) -> Response:
    """Keep a match out of all further digests."""

    def decide(match_id: int, reason: str, seen: str) -> int:
        dropped = review.drop_match(visit.deps, match_id, reason, seen=seen, actor=visit.actor)
        return dropped.action_id

    return _decide(visit, form, decide, needs_reason=True)


def restore(visit: Visit, form: FormData) -> Response:
    """Take back that a match was dropped."""

    def decide(match_id: int, reason: str, seen: str) -> int:
        restored = review.restore_match(
            visit.deps, match_id, because=reason, seen=seen, actor=visit.actor
        )
        return restored.action_id

    return _decide(visit, form, decide)


def join(visit: Visit, form: FormData) -> Response:
    """Make one story of a match and another one."""
    number, _, other_seen = forms.text(form, "other").partition(":")
    other_id = number_of(number)

    def decide(match_id: int, reason: str, seen: str) -> int:
        if not other_id:
            raise NotifierError("Choose the report that it is joined with.")
        moved = news_review.join(
            visit.deps,
            match_id,
            other_id,
            because=reason,
            seen=seen,
            other_seen=other_seen or "-",
            actor=visit.actor,
        )
        return moved.action_id

    return _decide(visit, form, decide)


def separate(visit: Visit, form: FormData) -> Response:
    """Take a match out of its story."""

    def decide(match_id: int, reason: str, seen: str) -> int:
        moved = news_review.separate(
            visit.deps, match_id, because=reason, seen=seen, actor=visit.actor
        )
        return moved.action_id

    return _decide(visit, form, decide)


def _decide(
    visit: Visit, form: FormData, decide: _Decision, *, needs_reason: bool = False
) -> Response:
    """Do what was decided, and lead to the page that it was decided on."""
    match_id = visit.number("match")
    with visit.deps.reading() as session:
        match = session.get(Match, match_id)
        if match is None:
            raise HTTPException(404)
        entry_id = match.entry_id
    reason = forms.text(form, "reason")
    typed = {"at": match_id, "reason": reason}
    if problem := _problem(reason, needs_reason=needs_reason):
        return news_entry.of_entry(visit, entry_id, typed | {"problem": problem}, status=422)
    try:
        action_id = decide(match_id, reason, forms.text(form, "state") or "-")
    except StoreError:
        raise
    except ChangedMeanwhileError as error:
        problem = _meanwhile(visit, match_id) if error.match_id == match_id else _OTHER_CHANGED
    except NotifierError as error:
        problem = error.problem
    else:
        is_of_changes = forms.text(form, "back") == "changes"
        place = "news/changes" if is_of_changes else f"news/entries/{entry_id}"
        return rendering.done(visit, place, action_id)
    return news_entry.of_entry(visit, entry_id, typed | {"problem": problem}, status=409)


def _problem(reason: str, *, needs_reason: bool) -> str:
    """Return what is wrong with a reason, as a sentence; empty if nothing is."""
    if len(reason) > news_entry.LONGEST_REASON:
        longest = news_entry.LONGEST_REASON
        return f"The reason has more than {longest} characters: make it shorter."
    if needs_reason and not reason:
        return "Say why, in a few words: it stands in the log, and others read it later."
    return ""


def _meanwhile(visit: Visit, match_id: int) -> str:
    """Return what happened since a page was opened, as far as the log knows."""
    with visit.deps.reading() as session:
        log = actions.newest(
            session, about=match_log.about(session.get_one(Match, match_id)), limit=1
        )
        if not log:
            return (
                "It changed since you opened the page: somebody decided about it, or the publisher"
                " has a new version. Nothing was done. This is what it is now."
            )
        clock, who = visit.clock, "you" if log[0].name == visit.name else log[0].name
        return (
            "It changed since you opened the page, and nothing was done. The last decision is by"
            f" {who}, on {clock.short(log[0].at)} ({clock.zone}): {log[0].text}."
        )
