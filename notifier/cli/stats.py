"""`notifier stats`."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import typer

from notifier.cli import filters, plots, shared, tables
from notifier.cli.tables import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from notifier.pipeline.statistics import Statistics, Week

# The series, each with its name in words; and those that are no sums.
_SERIES = {
    "subscribers": "subscribers",
    "confirmed": "confirmed",
    "left": "left",
    "sent": "delivered",
    "bounced": "bounced",
    "matches_about": "about",
    "matches_mention": "mention",
    "matches_related": "related",
}
_STANDING = ("subscribers",)
# The columns of the table that give way on a narrow terminal, the last first.
_OPTIONAL = ("about", "mention", "related")
_COLUMNS = (
    Column("week", Kind.DAY, field="begin"),
    *(
        Column(name, drop=_OPTIONAL.index(name) + 1 if name in _OPTIONAL else 0, field=key)
        for key, name in _SERIES.items()
    ),
)
# Columns of a terminal that are not for the plot: the name before it, the numbers behind it.
_BESIDE_PLOT = 44
_MOST_COLUMNS = 52


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("stats")(stats)


def stats(
    since: filters.Since = "",
    wide: filters.Wide = False,
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Show counts of today, and of each week with small plots.

    Of the last 12 weeks, or of those since --since: subscribers, confirmed, left, delivered,
    bounced (refused, given up or come back), and matches by tier. Weeks begin on Monday, in UTC.
    """
    from notifier.pipeline import statistics

    with shared.open_deps(now) as deps:
        numbers = statistics.read(deps, filters.since(since, deps.now()))
    if json:
        shared.print_json(_to_json(numbers))
        return
    for line in _counts(numbers):
        shared.say(line)
    if not numbers.weeks:
        shared.say("\nNothing has happened yet that could be counted by weeks.")
        return
    for line in _plots(numbers.weeks):
        shared.say(line)
    shared.say("")
    rows = [_cells(week) for week in numbers.weeks]
    shared.print_table(_COLUMNS, rows, "", wide=wide)
    shared.say("The last week is not over; the two or three before it may still change a little.")


def _counts(numbers: "Statistics") -> "Iterator[str]":
    yield _in_words("sources", numbers.sources)
    yield f"{'entries':<14}{numbers.entries:,}"
    yield _in_words("matches", numbers.matches)
    people = {key: value for key, value in numbers.subscribers.items() if key != "people"}
    yield _in_words("subscriptions", people)
    yield _in_words("deliveries", numbers.deliveries)


def _in_words(name: str, counts: "Mapping[str, int]") -> str:
    """Return a line of counts, without those of which there are none."""
    parts = [f"{count:,} {key.replace('_', ' ')}" for key, count in counts.items() if count]
    return f"{name:<14}{', '.join(parts) or 'none'}"


def _plots(weeks: "Sequence[Week]") -> "Iterator[str]":
    """Yield the plots of all series, the weeks gathered as far as the terminal is narrow."""
    room = min(max((tables.width() or 80) - _BESIDE_PLOT, 12), _MOST_COLUMNS)
    size = -(-len(weeks) // room)
    levels = plots.BLOCKS if shared.can_be_written(plots.BLOCKS) else plots.ASCII
    column = "a column for each week" if size == 1 else f"a column for {size} weeks"
    last = weeks[-1].begin + timedelta(days=6)
    yield f"\nFrom {weeks[0].begin} to {last}, {column}:"
    for key, name in _SERIES.items():
        values = [week.numbers[key] for week in weeks]
        standing = key in _STANDING
        plot = plots.row(plots.gathered(values, size, last=standing), levels)
        known = [value for value in values if value is not None]
        total = "" if standing else f"  {sum(known):>9,} in all"
        yield f"  {name:<12}{plot}  {values[-1] or 0:>7,} now{total}"


def _cells(week: "Week") -> list[object]:
    return [week.begin.isoformat(), *(week.numbers[key] for key in _SERIES)]


def _to_json(numbers: "Statistics") -> dict[str, Any]:
    return {
        "at": shared.as_time(numbers.now),
        "sources": dict(numbers.sources),
        "entries": numbers.entries,
        "matches": dict(numbers.matches),
        "subscribers": dict(numbers.subscribers),
        "deliveries": dict(numbers.deliveries),
        "weeks": [
            {
                "week": week.begin.isoformat(),
                "final": week.is_final,
                **{
                    ("delivered" if key == "sent" else key): value
                    for key, value in week.numbers.items()
                },
            }
            for week in numbers.weeks
        ],
    }
