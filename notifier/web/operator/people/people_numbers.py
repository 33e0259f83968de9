"""People in numbers, for owners: how many read, how, and how that changes. No names."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup
from sqlalchemy.orm import Session
from starlette.responses import Response
from starlette.routing import Route

from notifier.enums import Cadence, Edition, SubscriptionStatus
from notifier.i18n.catalog import ENGLISH_NAMES
from notifier.pipeline import statistics
from notifier.pipeline.statistics import Week
from notifier.store.models import Suppression
from notifier.subscribers import held_suppressions, numbers
from notifier.subscribers.numbers import Numbers
from notifier.web.operator import kept, rendering, words
from notifier.web.operator.access import page
from notifier.web.operator.charts import series_charts
from notifier.web.operator.charts.chart_parts import Caption
from notifier.web.operator.charts.series_charts import GOOD, TROUBLE, Series
from notifier.web.operator.visit import Visit
from notifier.web.operator.words import CADENCES

_PROFILES = 20
_EDITIONS = {Edition.PATIENT: "for patients", Edition.CLINICIAN: "for clinicians"}


class Counted(NamedTuple):
    """Everything that the page counts.

    Attributes:
        numbers: of the subscriptions.
        suppressed: how many addresses are not mailed.
        waiting: how many addresses wait for a decision.
        weeks: the last twelve, the earliest first.
    """

    numbers: Numbers
    suppressed: int
    waiting: int
    weeks: Sequence[Week]


def routes() -> list[Route]:
    """Return the address of the page."""
    return [Route("/operator/people", page(show, for_owners=True), methods=["GET"])]


def show(visit: Visit) -> Response:
    """Show people in numbers."""
    return rendering.show(visit, "people", values_of(visit), section="people")


def values_of(visit: Visit) -> dict[str, object]:
    """Return the variables of the page."""
    with visit.deps.reading() as session:
        counted, at = kept.counted(visit, "people", lambda: _count(session, visit))
    people = counted.numbers
    return {
        "counted_at": at if at != visit.now else None,
        "people": people.people,
        "statuses": {str(each): people.statuses.get(each, 0) for each in SubscriptionStatus},
        "suppressed": counted.suppressed,
        "waiting": counted.waiting,
        "lists": (
            ("How often", "Cadence", _rows(people.cadences, CADENCES)),
            ("Edition", "Edition", _rows(people.editions, _EDITIONS)),
            ("Language", "Language", _rows(people.languages, ENGLISH_NAMES)),
        ),
        "cadences": [CADENCES[each] for each in Cadence],
        "crossed": [
            (
                ENGLISH_NAMES.get(code, code),
                [_cell(people.crossed.get((code, each), 0)) for each in Cadence],
            )
            for code in _largest_first(people.languages)
        ],
        "profiles": [(name, slug, _cell(number)) for name, slug, number in people.profiles],
        "more_profiles": people.more_profiles,
        "charts": _charts(counted.weeks),
        "fewer": words.FEWER,
        "email": "",
        "problem": "",
    }


def _count(session: Session, visit: Visit) -> Counted:
    return Counted(
        numbers.read(session, _PROFILES),
        session.query(Suppression.address_hash).count(),
        held_suppressions.count(session),
        statistics.last_weeks(session, visit.now),
    )


def _rows(counts: Mapping[str, int | None], names: Mapping[Any, str]) -> list[tuple[str, str]]:
    """Return names and numbers, the largest first."""
    return [(names.get(name, name), _cell(counts[name])) for name in _largest_first(counts)]


def _largest_first(counts: Mapping[str, int | None]) -> list[str]:
    """Return names by their numbers; those that are not shown last, by name."""
    return sorted(counts, key=lambda name: (-(counts[name] or 0), name))


def _cell(number: int | None) -> str:
    """Return a number in words; None is one that is not shown."""
    return "–" if number is None else f"{number:,}"


def _charts(weeks: Sequence[Week]) -> list[Markup]:
    labels = [f"{week.begin.day} {week.begin:%b}" for week in weeks]

    def series(name: str, key: str, tone: int = 0) -> Series:
        return Series(name, [week.numbers.get(key) for week in weeks], tone)

    return [
        series_charts.lines(
            Caption("readers", "Readers over time", "subscriptions", note=_WEEK, empty=_EMPTY),
            labels,
            [series("Subscriptions", "subscribers")],
        ),
        series_charts.lines(
            Caption("joined", "Who came, and who left", "people, mails", note=_WEEK, empty=_EMPTY),
            labels,
            [
                series("Confirmed", "confirmed", GOOD),
                series("Left", "left"),
                series("Mails that came back", "bounced", TROUBLE),
            ],
        ),
        series_charts.stacked_bars(
            Caption("outcomes", "What became of the mails", "mails", note=_MAILS, empty=_EMPTY),
            labels,
            [
                series("Accepted", "sent", GOOD),
                series("Refused", "failed", TROUBLE),
                series("Not needed any more", "suppressed"),
                series("Unknown", "uncertain"),
            ],
        ),
    ]


_WEEK = "By week, which is named by its Monday; the last one is not over."
_MAILS = "Not needed: the reader left, or got a newer digest instead. Unknown: no answer was read."
_EMPTY = "Nothing was counted yet. The first week appears here when somebody subscribes."
