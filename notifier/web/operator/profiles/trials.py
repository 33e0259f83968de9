"""Timelines of trials: the dates of a profile's trials, and how those of one trial moved.

The dates are those of the registry's records, as each stored state had them.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from markupsafe import Markup
from sqlalchemy.orm import Session
from starlette.responses import Response

from notifier import trial_fields
from notifier.errors import NotFoundError
from notifier.match import profiles
from notifier.store.models import Profile
from notifier.text.cleaning import shorten
from notifier.watch import trial_history
from notifier.watch.parsers.clinicaltrials import trial_of
from notifier.watch.trial_history import TrialState
from notifier.web.operator import rendering
from notifier.web.operator.charts.chart_parts import Caption, day_text
from notifier.web.operator.charts.timelines import Mark, Row, Span, timeline
from notifier.web.operator.sources import source_fields
from notifier.web.operator.visit import Visit, number_of

# Trials of a page, states of a trial that are drawn, and changes that are listed. Chosen by hand:
# a chart of twenty rows is two screens of a phone.
_TRIALS, _STATES, _CHANGES = 20, 12, 100
# The parts of a trial's time, and the tone of each.
_MAIN, _REST = ("until the end of the main measurements", 1), ("until the end of the trial", 3)


def show_list(visit: Visit) -> Response:
    """Show the trials of a profile, a page at a time; without a profile, which there are."""
    query = visit.query
    slug, number = query.get("profile", ""), max(1, number_of(query.get("page", "")))
    with visit.deps.reading() as session:
        offer = source_fields.offer(session)
        if not slug and len(offer.profiles) == 1:
            slug = offer.profiles[0][0]
        profile = profiles.find(session, slug) if slug else None
        shown = _of_profile(session, visit, profile, number) if profile is not None else {}
        values = {
            "profile": {"slug": profile.slug, "name": profile.name} if profile else None,
            "offer": offer,
            "slug": slug,
            "chart": None,
            "trials": [],
            "total": 0,
            "page": number,
            "pages": 1,
            **shown,
        }
    return rendering.show(visit, "trials", values, section="sources")


def _of_profile(session: Session, visit: Visit, profile: Profile, number: int) -> Mapping[str, Any]:
    trials = _trials(profile)
    part = trials[(number - 1) * _TRIALS : number * _TRIALS]
    entries = trial_history.entries_of(session, [trial for trial, _ in part])
    states = trial_history.states_of(session, [entry.id for entry in entries.values()])
    by_trial = {trial: states[entry.id] for trial, entry in entries.items()}
    rows = [_row(label, by_trial[trial], visit.now) for trial, label in part if trial in by_trial]
    caption = Caption(
        "trials",
        f"Trials of {profile.name}",
        "trials",
        first="Trial",
        note="From the start, by the newest state of each record. Hatched: planned.",
        empty="None of these trials' records was read yet.",
    )
    return {
        "chart": timeline(caption, rows, visit.now.date(), mark="change of status or dates"),
        "trials": [_listed(trial, label, by_trial.get(trial)) for trial, label in part],
        "total": len(trials),
        "pages": max(1, -(-len(trials) // _TRIALS)),
    }


def _trials(profile: Profile) -> list[tuple[str, str]]:
    """Return number and label of each trial of a profile."""
    trials: dict[str, str] = {}
    for trial in profile.document.get("trials") or []:
        number = str(trial.get("id") or "")
        acronym = trial.get("acronym")
        trials[number] = f"{acronym} ({number})" if acronym else number
    return list(trials.items())


def _listed(trial: str, label: str, states: Sequence[TrialState] | None) -> dict[str, Any]:
    newest = states[-1] if states else None
    changes = len(trial_history.turns(states)) - 1 if states else 0
    return {
        "id": trial,
        "label": label,
        "status": newest.status if newest else "",
        "dates": [_plain(text) for text in newest.dates] if newest else ["", "", ""],
        "changes": changes,
        "is_known": newest is not None,
    }


def show(visit: Visit) -> Response:
    """Show how the dates and the status of a trial changed.

    Raises:
        NotFoundError: its record was never read.
    """
    trial = trial_of(f"/{visit.word('trial')}")
    with visit.deps.reading() as session:
        entry = trial_history.entries_of(session, [trial]).get(trial) if trial else None
        if entry is None:
            raise NotFoundError("No record of this trial was read.", "")
        states = trial_history.states_of(session, [entry.id])[entry.id]
        values = {
            "trial": trial,
            "title": entry.title,
            "url": entry.url,
            "source": {"id": entry.source.id, "name": entry.source.name},
            "is_watched": entry.source.removed_at is None,
            "newest": states[-1],
            "dates": [_plain(text) for text in states[-1].dates],
            "read": visit.clock.dated(entry.source.last_success_at),
        }
    values |= {"chart": _over_time(states, visit.now), "changes": _changes(states)}
    return rendering.show(visit, "trial", values, section="sources")


def _over_time(states: Sequence[TrialState], now: datetime) -> Markup:
    """Draw what the record said from each change of a date or the status on."""
    turns = trial_history.turns(states)
    shown = [*turns[:1], *turns[1:][-(_STATES - 1) :]]
    rows = []
    for state in shown:
        label = f"{day_text(state.observed_at)}: {state.status or 'status not known'}"
        spans = _spans(state, state.observed_at.date())
        rows.append(Row(label, spans, [Mark(state.observed_at.date(), "read from the registry")]))
    more = f" Of {len(turns)} states the first and the last {_STATES - 1} are drawn."
    caption = Caption(
        "states",
        "What the record said, and from when on",
        "states",
        first="Read on",
        note="One row for each change of a date or the status. Hatched: planned at that time."
        + (more if len(turns) > _STATES else ""),
    )
    return timeline(caption, rows, now.date(), mark="day on which this was read")


def _row(label: str, states: Sequence[TrialState], now: datetime) -> Row:
    newest = states[-1]
    status = f": {newest.status}" if newest.status else ""
    marks = [
        Mark(state.observed_at.date(), _turn_text(before, state))
        for before, state in pairwise(trial_history.turns(states))
    ]
    return Row(f"{label}{status}", _spans(newest, now.date()), marks)


def _turn_text(before: TrialState, state: TrialState) -> str:
    names = ("start", "end of the main measurements", "end of the trial")
    parts = [
        f"{name} {_plain(old) or 'not known'} → {_plain(new) or 'not known'}"
        for name, old, new in zip(names, before.dates, state.dates, strict=True)
        if old != new
    ]
    if before.status != state.status:
        parts.insert(0, f"{before.status or 'not known'} → {state.status or 'not known'}")
    return "; ".join(parts)


def _spans(state: TrialState, today: date) -> list[Span]:
    """Return the time of a trial in parts: what was, and what is planned."""
    if state.start is None:
        return []
    spans: list[Span] = []
    begin, is_planned = state.start.day, state.start.is_planned
    for end, (name, tone) in ((state.primary, _MAIN), (state.completion, _REST)):
        if end is None or end.day <= begin:
            continue
        middle = min(max(today, begin), end.day) if end.is_planned else end.day
        if is_planned:
            middle = begin
        if middle > begin:
            spans.append(Span(begin, middle, name, tone))
        if middle < end.day:
            spans.append(Span(middle, end.day, name, tone, is_planned=True))
        begin, is_planned = end.day, end.is_planned
    return spans


def _plain(text: str) -> str:
    """Return a date of a record as ``15 Jun 2027, planned`` or ``Jun 2027``."""
    day, _, planned = text.partition(" ")
    try:
        is_day = len(day) > len("2027-06")
        known = date.fromisoformat(day if is_day else f"{day}-01")
    except ValueError:
        return text
    words = day_text(known) if is_day else day_text(known).partition(" ")[2]
    return f"{words}, planned" if planned else words


def _changes(states: Sequence[TrialState]) -> list[dict[str, Any]]:
    """Return all changes, the newest first; a date in words."""
    listed = []
    for state in reversed(states[1:]):
        for change in state.changes:
            field = trial_fields.field_named(change["what"])
            is_date = field is not None and field.form is trial_fields.FieldForm.DATE
            before, after = str(change["before"]), str(change["after"])
            listed.append(
                {
                    "at": day_text(state.observed_at),
                    "what": field.plain_label or field.label if field else change["what"],
                    "before": _plain(before) if is_date else shorten(before, 300),
                    "after": _plain(after) if is_date else shorten(after, 300),
                    "note": str(change["note"]),
                }
            )
    return listed[:_CHANGES]
