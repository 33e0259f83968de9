"""Today: what an operator has to decide, what is due, and what is in trouble, on one screen."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup
from sqlalchemy.orm import Session
from starlette.responses import Response
from starlette.routing import Route

from notifier.enums import Health, HeldBecause, Tier
from notifier.pipeline import pending, statistics, weekly_counts
from notifier.pipeline.pending import Pending, Trouble, WaitingDigests
from notifier.pipeline.statistics import Week
from notifier.subscribers import upcoming
from notifier.subscribers.numbers import FEWEST_SHOWN
from notifier.web.operator import kept, rendering
from notifier.web.operator.access import page
from notifier.web.operator.charts import series_charts
from notifier.web.operator.charts.chart_parts import Caption
from notifier.web.operator.charts.series_charts import Series
from notifier.web.operator.visit import Visit
from notifier.web.operator.words import CADENCES, Clock, count, people

_DAYS = 7
# What is listed of each kind; the rest is counted. Chosen by hand: one screen of 1280 x 800.
_DIGESTS, _SOURCES, _OUTCOMES, _LINES = 4, 4, 3, 6

_ORDER = {cadence: place for place, cadence in enumerate((*CADENCES, None))}
# What each reason why a match is held means, for one and for several.
_HELD = {
    HeldBecause.DOUBTFUL: ("nearly matches", "nearly match"),
    HeldBecause.OLD_NEWS: ("is old news", "are old news"),
    HeldBecause.WITHDRAWAL: ("may be withdrawn", "may be withdrawn"),
    HeldBecause.MASS_EDIT: ("was changed with many others", "were changed with many others"),
}
_TIERS = {
    Tier.ABOUT: "About the therapy",
    Tier.MENTION: "It is mentioned",
    Tier.RELATED: "Related",
}
_HEALTH = {
    Health.GONE: "Gone for good",
    Health.FAILING: "Failing",
    Health.SILENT: "Unusually quiet",
}


class Decision(NamedTuple):
    """A line about what waits for a decision.

    Attributes:
        text: what waits.
        aside: more about it; empty for nothing.
        place: the address of the page that decides, behind ``/operator/``; empty for none.
        do: what the link to it says.
        lang: the language of the text; empty for English.
    """

    text: str
    aside: str
    place: str = ""
    do: str = ""
    lang: str = ""


def routes() -> list[Route]:
    """Return the address of the page."""
    return [Route("/operator/", page(show), methods=["GET"])]


def show(visit: Visit) -> Response:
    """Show what waits, what is due, and what is in trouble."""
    clock = visit.clock
    holds = visit.deps.settings.smtp.when_uncertain == "hold"
    with visit.deps.reading() as session:
        waiting = pending.read(session, visit.now, _DIGESTS, holds_uncertain=holds)
        troubles, number_of_troubles = pending.troubles(session, visit.now, _SOURCES)
        outcomes = pending.last_outcomes(session, _OUTCOMES)
        next_due = upcoming.next_due(session, visit.now)
        weeks = statistics.last_weeks(session, visit.now, weekly_counts.count_matches)
        due, counted_at = kept.counted(visit, "upcoming", lambda: _upcoming(session, clock))
    values = {
        "clock": clock,
        "decisions": [*_stops(waiting, clock), *_decisions(visit, waiting, clock)],
        "more_digests": waiting.number_of_digests - sum(each.number for each in waiting.digests),
        "due": due,
        "due_lines": sorted(due.lines, key=lambda line: (line.name, _ORDER[line.cadence])),
        "day_names": clock.names(_DAYS),
        "counted_at": counted_at if counted_at != visit.now else None,
        "next_due": next_due,
        "cadences": CADENCES,
        "troubles": [(source, _in_words(source, clock)) for source in troubles],
        "more_troubles": number_of_troubles - len(troubles),
        "outcomes": outcomes,
        "chart": _chart(weeks),
        "people": people,
        "fewest": FEWEST_SHOWN,
    }
    return rendering.show(visit, "today", values, section="")


def _upcoming(session: Session, clock: Clock) -> upcoming.Upcoming:
    return upcoming.read(session, clock.ends(_DAYS), _LINES)


def _chart(weeks: Sequence[Week]) -> Markup:
    caption = Caption(
        "matches",
        "Matches in the last twelve weeks",
        "matches",
        note="Each profile that a report concerns counts. The last week is not over.",
        empty="Nothing matched yet. The first match appears here in its week.",
    )
    return series_charts.stacked_bars(
        caption,
        [f"{week.begin.day} {week.begin:%b}" for week in weeks],
        [
            Series(words, [week.numbers.get(f"matches_{tier}") for week in weeks])
            for tier, words in _TIERS.items()
        ],
    )


def _stops(waiting: Pending, clock: Clock) -> list[Decision]:
    """Return what stops all mail."""
    if waiting.restored is not None:
        return [
            Decision(
                f"A backup was restored {clock.moment(waiting.restored.at)}: no digest goes out "
                "until it is decided what readers have already.",
                "That is done on the server, by the person who runs it: ask them to run "
                "“notifier db resume”.",
            )
        ]
    if waiting.silent_since is not None:
        return [
            Decision(
                f"Nothing has run since {clock.moment(waiting.silent_since)}: no source is read "
                "and no mail goes out.",
                "Nothing is lost. Tell the person who runs the server.",
            )
        ]
    if waiting.stopped_at is not None:
        text = f"All sending was stopped {clock.moment(waiting.stopped_at)}."
        return [Decision(text, "Nothing is lost: what is due waits.", "mail", "Let mails go out")]
    return []


def _decisions(visit: Visit, waiting: Pending, clock: Clock) -> list[Decision]:
    """Return the other lines about what waits for a decision."""
    lines = [_digest_line(visit, digests, clock) for digests in waiting.digests]
    held = sum(waiting.held.values())
    if held:
        parts = [
            f"{waiting.held[because]:,} {words[waiting.held[because] != 1]}"
            for because, words in _HELD.items()
            if waiting.held.get(because)
        ]
        text = f"{count(held, 'item')} of news {'is' if held == 1 else 'are'} held back"
        lines.append(Decision(text, ", ".join(parts), "news/held", "Decide"))
    if waiting.suppressions:
        text = f"Mails to {count(waiting.suppressions, 'address', 'addresses')} came back at once"
        if visit.is_owner:
            aside = "Not mailed until you decide."
            lines.append(Decision(text, aside, "mail#addresses", "Decide"))
        else:
            lines.append(Decision(text, "Not mailed until an owner decides."))
    if waiting.uncertain:
        text = f"{count(waiting.uncertain, 'mail')} may or may not have arrived"
        aside = "The connection broke before the mail server answered."
        lines.append(Decision(text, aside, "mail#uncertain", "Decide"))
    return lines


def _digest_line(visit: Visit, digests: WaitingDigests, clock: Clock) -> Decision:
    whose = f"{digests.profile}, {CADENCES[digests.cadence]}"
    if not digests.is_draft:
        aside = "held back: nobody else is sent it until it is approved"
    elif digests.due_at is None:
        aside = "for readers who want news at once"
    elif digests.due_at <= visit.now:
        aside = f"due since {clock.moment(digests.due_at)}"
    else:
        aside = f"due {clock.moment(digests.due_at)}"
    if digests.number > 1:
        kind = "drafts" if digests.is_draft else "digests"
        text = f"{digests.number:,} {kind}: {whose}"
        aside += "; in all editions and languages"
        return Decision(text, aside, "digests", "Review")
    lang = "" if digests.language == "en" else digests.language
    aside = f"{'Draft, ' if digests.is_draft else ''}{whose}; {aside}"
    return Decision(digests.subject, aside, f"digests/{digests.first_id}", "Review", lang)


def _in_words(source: Trouble, clock: Clock) -> str:
    """Return what is wrong with a source, and since when."""
    if source.since is None:
        return f"{_HEALTH[source.health]}; it never worked"
    if source.health is Health.SILENT:
        return f"{_HEALTH[source.health]}: nothing new since {clock.day(source.since)}"
    return f"{_HEALTH[source.health]}; it last worked {clock.moment(source.since)}"
