"""The page of an article: its states, what it matched, who was told, and what happens next."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy.orm import Session
from starlette.responses import Response

from notifier.admin import match_log
from notifier.digest import reach
from notifier.digest.changes import ChangeView
from notifier.digest.reach import InDigest
from notifier.enums import NewsKind
from notifier.match import held, joining, news_list, recent_reports, shown_state
from notifier.operators import actions
from notifier.store.models import Entry, Match, OperatorAction, Revision
from notifier.watch import entry_states
from notifier.watch.entry_states import NewestState
from notifier.web.operator import rendering, words
from notifier.web.operator.news import news_changes, news_tabs, news_words
from notifier.web.operator.visit import Visit, number_of

# States on a page, matches that are shown, digests and decisions with each, and characters of the
# text. Chosen by hand; not measured.
_STATES, _MATCHES, _DIGESTS, _DECISIONS = 20, 30, 10, 5
_LONGEST_TEXT = 200_000
LONGEST_REASON = 500


class OtherReport(NamedTuple):
    """A report that a match can be joined with.

    Attributes:
        match: with entry and source.
        state: what it is now (`shown_state.of_matches`).
        reports: how many reports its story has, itself included: all of them would be joined.
    """

    match: Match
    state: str
    reports: int


class MatchRow(NamedTuple):
    """A match as the page shows it.

    Attributes:
        match: with its profile.
        state: what it is now (`shown_state.of_matches`).
        next: what happens next with it, as sentences.
        digests: those that show it, the newest first.
        readers: how many mails with it were sent.
        story: the other reports of its story.
        others: reports that it can be joined with.
        decisions: what operators decided about it, the newest first.
    """

    match: Match
    state: str
    next: str
    digests: Sequence[InDigest]
    readers: int
    story: Sequence[Match]
    others: Sequence[OtherReport]
    decisions: Sequence[OperatorAction]


class StateRow(NamedTuple):
    """A state of the article as the page shows it.

    Attributes:
        revision: the state, without its text.
        changes: what differs from the one before.
        readers: how many were told of it.
    """

    revision: Revision
    changes: Sequence[ChangeView]
    readers: int


def show(visit: Visit) -> Response:
    """Show an article."""
    return of_entry(visit, visit.number("entry"))


def of_entry(
    visit: Visit, entry_id: int, typed: Mapping[str, Any] | None = None, *, status: int = 200
) -> Response:
    """Show an article, with what an operator typed into a form that was refused.

    Args:
        visit: the request.
        entry_id: of the article.
        typed: `problem` (a sentence), `at` (the id of the match whose form it was), `reason`.
        status: the HTTP status.

    Raises:
        NotFoundError: there is no such article.
    """
    before = number_of(visit.query.get("before", ""))
    with visit.deps.reading() as session:
        entry = entry_states.find(session, entry_id)
        newest = entry_states.newest(session, [entry_id], _LONGEST_TEXT)[entry_id]
        digests = reach.digests_with(session, entry_id)
        states = entry_states.page(session, entry_id, before, _STATES + 1)
        matches = news_list.matches_of(session, [entry_id]).get(entry_id, [])
        values = {
            "entry": entry,
            "newest": newest,
            "matches": [
                _match_row(session, visit, match, newest, digests) for match in matches[:_MATCHES]
            ],
            "more_matches": max(len(matches) - _MATCHES, 0),
            "held": held.page(session, None, entry_id, 0, _MATCHES),
            "states": _state_rows(session, entry, states[:_STATES], digests),
            "older": states[_STATES - 1].number if len(states) > _STATES else 0,
            "number_of_states": newest.number,
            "tabs": news_tabs.tabs(session, ""),
        }
    values |= {
        "words": news_words,
        "count": words.count,
        "readers": words.readers,
        "people": words.people,
        "longest": LONGEST_REASON,
        "problem": "",
        "at": 0,
        "reason": "",
        **(typed or {}),
    }
    return rendering.show(visit, "news_entry", values, section="news", status=status)


def _match_row(
    session: Session, visit: Visit, match: Match, newest: NewestState, digests: Sequence[InDigest]
) -> MatchRow:
    with_it = [each for each in digests if each.match_id == match.id]
    is_new = match.kind is NewsKind.NEW
    return MatchRow(
        match,
        shown_state.of_matches(session, [match])[match.id],
        _next(session, visit, match, newest, with_it),
        with_it[:_DIGESTS],
        sum(each.readers for each in with_it),
        joining.others_of(session, match) if is_new else (),
        _others(session, match) if is_new else (),
        actions.newest(session, about=match_log.about(match), limit=_DECISIONS),
    )


def _others(session: Session, match: Match) -> list[OtherReport]:
    others = recent_reports.joinable(session, match)
    states = shown_state.of_matches(session, others)
    reports = shown_state.reports_of(session, others)
    return [OtherReport(each, states[each.id], len(reports[each.id])) for each in others]


def _next(
    session: Session,
    visit: Visit,
    match: Match,
    newest: NewestState,
    with_it: Sequence[InDigest],
) -> str:
    """Return what happens next with a match, as one or two sentences."""
    if match.dropped_because:
        return f"It goes to nobody any more: it was dropped. The reason: {match.dropped_because}"
    if match.filed:
        return "It goes to nobody: it was there already when its source or its therapy was added."
    if newest.is_withdrawn and match.kind is not NewsKind.WITHDRAWN:
        return "It goes to nobody any more: the publisher withdrew it."
    waiting = reach.waiting(session, match, visit.now)
    drafts = sum(each.is_open for each in with_it)
    in_drafts = ""
    if drafts:
        in_drafts = f" It is in {words.count(drafts, 'draft')} or approved digest already."
    if not waiting.readers:
        return f"Nobody waits for it: whoever gets it was served.{in_drafts}"
    readers = words.up_to(waiting.readers)
    clock = visit.clock
    first = (
        f"the first digest is due on {clock.short(max(waiting.first_due_at, visit.now))}"
        f" ({clock.zone})"
        if waiting.first_due_at
        else "as soon as digests are composed"
    )
    return f"It goes to {readers} with their next digest: {first}.{in_drafts}"


def _state_rows(
    session: Session, entry: Entry, states: Sequence[Revision], digests: Sequence[InDigest]
) -> list[StateRow]:
    readers = reach.readers_told(session, entry.id, digests)
    return [
        StateRow(
            revision,
            news_changes.described(revision, entry.source.kind),
            readers.get(revision.id, 0),
        )
        for revision in states
    ]
