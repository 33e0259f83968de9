"""News that waits for a decision: each is released or dismissed, alone or several at once.

Each is decided in a transaction of its own, so one that fails stops no other. What a person was
shown is compared with what is there when they decide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.responses import Response

from notifier.admin import match_log, news_review, review
from notifier.digest import reach
from notifier.digest.changes import ChangeView
from notifier.enums import HeldBecause, NewsKind
from notifier.errors import NotFoundError, NotifierError
from notifier.match import held, shown_state
from notifier.match.shown_state import ChangedMeanwhileError
from notifier.operators import actions
from notifier.store.models import NearMiss
from notifier.watch import entry_states
from notifier.watch.entry_states import NewestState
from notifier.web import forms
from notifier.web.operator import rendering, words
from notifier.web.operator.news import news_changes, news_tabs, news_words
from notifier.web.operator.visit import Visit, number_of

# On a page, and characters of a text that are shown with it. Chosen by hand; a form has 60 fields.
_ROWS = 20
_LONGEST_TEXT = 1500
LONGEST_REASON = 500
_DONE = {"release": "released", "dismiss": "dismissed"}
_TEMPLATE = "news_held"


class Row(NamedTuple):
    """A held match as the page shows it.

    Attributes:
        near_miss: with entry, source and profile.
        state: what it is now (`shown_state.of_held`).
        newest: the newest state of its entry.
        changes: what would be told; none of new reports.
        followers: how many readers follow the therapy.
    """

    near_miss: NearMiss
    state: str
    newest: NewestState
    changes: Sequence[ChangeView]
    followers: int


class Outcome(NamedTuple):
    """The result of one decision.

    Attributes:
        text: a sentence.
        action_id: in the operators' log; 0 if nothing was done.
    """

    text: str
    action_id: int = 0


@dataclass(frozen=True)
class Wanted:
    """Which held matches are shown.

    Attributes:
        because: only those that are held for this reason; None for all.
        entry_id: only those of this entry; 0 for all.
        before: only those with a smaller id; 0 for the newest.
        baseline: those that a source already listed when it was added; else only the others.
    """

    because: HeldBecause | None = None
    entry_id: int = 0
    before: int = 0
    baseline: bool = False

    @property
    def query(self) -> str:
        """The query of the address that shows them, without its question mark."""
        fields = {
            "because": str(self.because or ""),
            "entry": self.entry_id or "",
            "before": self.before or "",
            "first": "yes" if self.baseline else "",
        }
        return "&".join(f"{name}={value}" for name, value in fields.items() if value)


def show(visit: Visit) -> Response:
    """Show what waits, the newest first."""
    return _page(visit, _wanted(visit.query))


def decide(visit: Visit, form: FormData) -> Response:
    """Release or dismiss what was chosen, each on its own."""
    wanted, what = _wanted(form), forms.text(form, "do")
    reason, at = forms.text(form, "reason"), forms.text(form, "at")
    ticked = [
        (number, state)
        for item in dict.fromkeys(form.getlist("item"))
        if isinstance(item, str)
        for identifier, _, state in [item.partition(":")]
        if (number := number_of(identifier))
    ][:_ROWS]
    typed = {"reason": reason, "at": at, "chosen": {number for number, _ in ticked}}
    if problem := _problem(what, reason, len(ticked)):
        return _page(visit, wanted, typed | {"problem": problem}, status=422)
    outcomes = [_decided(visit, what, number, state, reason) for number, state in ticked]
    if not all(outcome.action_id for outcome in outcomes):
        return _page(visit, wanted, typed | {"outcomes": outcomes}, status=409)
    place = f"news/held?{wanted.query}".rstrip("?")
    if len(outcomes) == 1:
        return rendering.done(visit, place, outcomes[0].action_id)
    numbers = ",".join(str(outcome.action_id) for outcome in outcomes)
    joint = "&" if "?" in place else "?"
    return rendering.redirect(visit.request, f"{place}{joint}did={numbers}")


def _wanted(fields: Mapping[str, Any]) -> Wanted:
    values = {name: str(fields.get(name, "")) for name in ("because", "entry", "before", "first")}
    because = values["because"]
    return Wanted(
        HeldBecause(because) if because in set(HeldBecause) else None,
        number_of(values["entry"]),
        number_of(values["before"]),
        values["first"] == "yes",
    )


def _problem(what: str, reason: str, number: int) -> str:
    """Return what is wrong with a form, as a sentence; empty if nothing is."""
    if what not in _DONE:
        return "Choose whether to release or to dismiss."
    if not number:
        return "Nothing is chosen: tick the box beside at least one."
    if len(reason) > LONGEST_REASON:
        return f"The reason has more than {LONGEST_REASON} characters: make it shorter."
    if what == "dismiss" and not reason:
        return "Say why, in a few words: it stands in the log, and others read it later."
    return ""


def _decided(visit: Visit, what: str, number: int, state: str, reason: str) -> Outcome:
    """Do what was decided about one, and return a sentence about it."""
    deps, actor = visit.deps, visit.actor
    try:
        if what == "release":
            released = news_review.release(
                deps, number, because=reason, seen=state or "-", actor=actor
            )
            return Outcome(f"Released “{released.title}”.", released.action_id)
        dropped = review.drop_held_match(deps, number, reason, seen=state or "-", actor=actor)
        return Outcome(f"Dismissed “{dropped.title}”.", dropped.action_id)
    except NotFoundError:
        return Outcome(_fate(visit, number))
    except ChangedMeanwhileError:
        return Outcome(_changed(visit, number))
    except NotifierError as error:
        return Outcome(f"{_title(visit, number)}: {error.problem}")


def _fate(visit: Visit, number: int) -> str:
    """Return what became of a held match that waits no more."""
    with visit.deps.reading() as session:
        near_miss = session.get(NearMiss, number)
        if near_miss is None:
            return (
                "One that you chose is not there any more: its publisher withdrew the article, or"
                " shows it again. There is nothing to decide."
            )
        title = f"“{near_miss.entry.title}”"
        clock, log = visit.clock, actions.newest(session, about=match_log.about(near_miss))
        if log:
            who = "you" if log[0].name == visit.name else log[0].name
            return f"{title}: {who} {log[0].kind} it on {clock.short(log[0].at)} already."
        if near_miss.released_at:
            return f"{title} was released on {clock.short(near_miss.released_at)} already."
        if near_miss.dropped_because:
            return f"{title} was dismissed already: {near_miss.dropped_because}"
        return f"{title} matched by itself meanwhile, in a newer version: no decision is needed."


def _changed(visit: Visit, number: int) -> str:
    return (
        f"{_title(visit, number)} changed since you opened the page: the publisher has a new"
        " version. Look at it below, and decide again."
    )


def _title(visit: Visit, number: int) -> str:
    with visit.deps.reading() as session:
        near_miss = session.get(NearMiss, number)
        return f"“{near_miss.entry.title}”" if near_miss is not None else "One that you chose"


def _page(
    visit: Visit, wanted: Wanted, typed: Mapping[str, Any] | None = None, *, status: int = 200
) -> Response:
    with visit.deps.reading() as session:
        waiting = held.page(
            session,
            wanted.because,
            wanted.entry_id,
            wanted.before,
            _ROWS + 1,
            baseline=wanted.baseline,
        )
        values = {
            "rows": _rows(session, waiting[:_ROWS]),
            "older": waiting[_ROWS - 1].id if len(waiting) > _ROWS else 0,
            "baseline": held.count_some_waiting(session, baseline=True),
            "tabs": news_tabs.tabs(session, "held"),
            "did": _did(session, visit),
        }
    values |= {
        "wanted": wanted,
        "words": news_words,
        "count": words.count,
        "readers": words.readers,
        "up_to": words.up_to,
        "longest": LONGEST_REASON,
        "reason": "",
        "at": "",
        "chosen": set(),
        "problem": "",
        "outcomes": [],
        **(typed or {}),
    }
    return rendering.show(visit, _TEMPLATE, values, section="news", status=status)


def _rows(session: Session, waiting: Sequence[NearMiss]) -> list[Row]:
    newest = entry_states.newest(session, {each.entry_id for each in waiting}, _LONGEST_TEXT)
    followers = reach.followers(session, {each.profile_id for each in waiting})
    return [
        Row(
            near_miss,
            shown_state.of_held(near_miss, newest[near_miss.entry_id].revision_id),
            newest[near_miss.entry_id],
            ()
            if near_miss.kind is NewsKind.NEW
            else news_changes.described(near_miss.revision, near_miss.entry.source.kind),
            followers.get(near_miss.profile_id, 0),
        )
        for near_miss in waiting
    ]


def _did(session: Session, visit: Visit) -> list[str]:
    """Return what the operator just did to several, as their entries in the log say it."""
    numbers = visit.query.get("did", "").split(",")[:_ROWS]
    texts = (actions.text_of(session, number_of(each), visit.name) for each in numbers if each)
    return [text for text in texts if text]
