"""Charts are well-formed, whatever they are given, and say in words and numbers what they show."""

import math
import re
from collections import Counter
from datetime import date
from xml.etree import ElementTree as ET

import pytest

from notifier.web.operator.charts import series_charts
from notifier.web.operator.charts.series_charts import Caption, Series
from notifier.web.operator.charts.timelines import Mark, Row, Span, timeline

CAPTION = Caption("per-week", "Matches per week", "matches", note="Weeks begin on Monday.")
WEEKS = [f"{day} Mar" for day in range(1, 17)]

NUMBERS = {
    "no data": ([], []),
    "one number": (["2 Mar"], [3]),
    "zeros": (WEEKS, [0] * 16),
    "a million": (WEEKS, [1_000_000, *range(15)]),
    "halves": (WEEKS, [0.5] * 16),
    "gaps": (WEEKS, [None, 1, None, None, 2, 3, *[None] * 10]),
    "nothing known": (WEEKS, [None] * 16),
    "400 bars": ([f"day {day}" for day in range(400)], [7] * 400),
    "long labels": (["a very long label " * 20, "x" * 300], [1, 2]),
    "from right to left": (["אונקולוגיה 12", "مرحبا"], [1, 2]),
    "markup": (['<script>alert("1")</script>', "&amp;<b>"], [1, 2]),
}


def kinds(labels, numbers):
    series = [Series("read <b>", numbers), Series("failed", numbers, series_charts.TROUBLE)]
    return {
        "bars": series_charts.bars(CAPTION, labels, numbers),
        "stacked bars": series_charts.stacked_bars(CAPTION, labels, series),
        "lines": series_charts.lines(CAPTION, labels, series),
    }


def parsed(figure) -> ET.Element:
    return ET.fromstring(str(figure))


def elements(figure, name: str) -> list[ET.Element]:
    return list(parsed(figure).iter(name))


@pytest.mark.parametrize("kind", ["bars", "stacked bars", "lines"])
@pytest.mark.parametrize("numbers", NUMBERS)
def test_every_chart_is_well_formed_and_has_no_style_of_its_own(kind: str, numbers: str):
    figure = kinds(*NUMBERS[numbers])[kind]
    assert elements(figure, "strong")[0].text == "Matches per week"
    assert "style=" not in figure
    assert "<script>" not in figure
    assert "<b>" not in figure
    ids = re.findall(r' id="([^"]+)"', figure)
    assert not [name for name, count in Counter(ids).items() if count > 1]


@pytest.mark.parametrize("kind", ["bars", "stacked bars", "lines"])
@pytest.mark.parametrize("wrong", [math.nan, math.inf, -1])
def test_what_is_no_count_is_refused(kind: str, wrong: float):
    with pytest.raises(ValueError, match="cannot be shown"):
        kinds(["2 Mar", "9 Mar"], [1, wrong])


def test_other_numbers_than_labels_are_refused():
    with pytest.raises(ValueError, match="1 numbers for 2 labels"):
        series_charts.bars(CAPTION, ["a", "b"], [1])


def test_a_chart_has_a_name_a_description_and_a_table():
    figure = series_charts.bars(CAPTION, ["2 Mar", "9 Mar", "16 Mar"], [3, None, 1200])
    image = next(svg for svg in elements(figure, "svg") if svg.get("role") == "img")
    title, description = image.get("aria-labelledby", "").split()
    assert f'<title id="{title}">Matches per week</title>' in figure
    assert (
        f'<desc id="{description}">3 values, 2 Mar to 16 Mar. 3 to 1,200, most at 16 Mar;'
        " the last is 1,200.</desc>" in figure
    )
    cells = [cell.text for cell in elements(figure, "td")]
    assert cells == ["3", "–", "1,200"]
    assert [cell.text for cell in elements(figure, "th")][:2] == ["Week", "Matches"]


def test_without_numbers_a_sentence_stands_there():
    caption = CAPTION._replace(empty="The first week appears after the first poll.")
    figure = series_charts.bars(caption, [], [])
    assert "The first week appears after the first poll." in figure
    assert "<svg" not in figure


def test_bars_of_one_week_stand_on_each_other_and_fill_the_scale():
    series = [Series("read", [30]), Series("failed", [10])]
    figure = series_charts.stacked_bars(CAPTION, ["2 Mar"], series)
    drawn = [bar for bar in elements(figure, "rect") if (bar.get("x") or "").endswith("%")]
    (low, low_height), (high, high_height) = [
        (float(bar.get("y", "")), float(bar.get("height", ""))) for bar in drawn
    ]
    assert high + high_height == pytest.approx(low)
    assert low_height == pytest.approx(3 * high_height)


def test_no_part_of_a_bar_differs_by_colour_alone():
    series = [Series(f"kind {number}", [1]) for number in range(6)]
    figure = series_charts.stacked_bars(CAPTION, ["2 Mar"], series)
    assert len({path.get("d") for path in elements(figure, "path")}) == 5
    with pytest.raises(ValueError, match="at most 6"):
        series_charts.stacked_bars(CAPTION, ["2 Mar"], [*series, Series("more", [1])])


def test_many_bars_are_put_together_and_the_table_has_all():
    figure = series_charts.bars(CAPTION, [f"day {day}" for day in range(400)], [7] * 400)
    assert len(elements(figure, "rect")) == 100
    assert "Each bar is the sum of 4 values." in figure
    assert len(elements(figure, "td")) == 400


def test_a_table_of_very_many_numbers_has_the_last_ones():
    figure = series_charts.bars(CAPTION, [str(day) for day in range(5000)], [7] * 5000)
    assert len(elements(figure, "td")) == 1000
    assert "The last 1,000 of 5,000 values." in figure


def test_a_line_has_a_gap_where_nothing_is_known():
    figure = series_charts.lines(CAPTION, ["a", "b", "c", "d"], [Series("x", [1, 2, None, 4])])
    line = next(path.get("d", "") for path in elements(figure, "path") if "L" in path.get("d", ""))
    assert line.count("M") == 2


@pytest.mark.parametrize(
    ("most", "numbers"),
    [(0, ["0", "1"]), (3, ["0", "1", "2", "3"]), (1e6, ["0", "500,000", "1 million"])],
)
def test_the_lines_across_have_round_numbers(most: float, numbers: list[str]):
    figure = series_charts.bars(CAPTION, ["a"], [most])
    assert [text.text for text in elements(figure, "text")][: len(numbers)] == numbers


def test_a_timeline_says_what_is_planned_and_what_happened():
    spans = [
        Span(date(2024, 1, 1), date(2025, 6, 30), "main measurements"),
        Span(date(2025, 7, 1), date(2028, 2, 1), "last visits", 3, is_planned=True),
    ]
    rows = [Row("FREXALT", spans, [Mark(date(2025, 1, 3), "Status: active")])]
    figure = timeline(CAPTION, rows, date(2026, 3, 2), mark="change of status")
    cells = [cell.text for cell in elements(figure, "td")]
    assert cells == [
        *("main measurements", "1 Jan 2024", "30 Jun 2025"),
        *("Status: active", "3 Jan 2025", None),
        *("last visits, planned", "1 Jul 2025", "1 Feb 2028"),
    ]
    known, planned = [bar for bar in elements(figure, "rect") if bar.get("x")]
    assert known.get("fill") is None
    assert planned.get("fill") == "url(#per-week-3)"


def test_the_places_of_a_timeline_are_in_the_order_of_the_days():
    days = [date(2024, 1, 1), date(2025, 1, 1), date(2026, 1, 1)]
    rows = [Row(str(day), (), [Mark(day, "x")]) for day in days]
    figure = timeline(CAPTION, rows, days[0])
    places = [float(mark.get("x", "%")[:-1]) for mark in elements(figure, "svg") if mark.get("x")]
    assert places == sorted(places)
    assert 0 <= places[0] < places[1] < places[2] <= 100
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=0.2)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [Row("nothing is known")],
        [Row("<b>one day</b>", [Span(date(2026, 1, 1), date(2026, 1, 1), "x")])],
        [Row("all days", [Span(date.min, date.max, "<script>")])],
        [Row("אונקולוגיה 12" * 20, (), [Mark(date(2026, 1, 1), "x")])],
    ],
    ids=["no rows", "an empty row", "a day", "all days there are", "a long label"],
)
def test_every_timeline_is_well_formed(rows):
    figure = timeline(CAPTION, rows, date(2026, 3, 2))
    assert elements(figure, "strong")[0].text == "Matches per week"
    assert len(elements(figure, "line")) < 20
    assert "<script>" not in figure
    assert "<b>" not in figure


def test_a_span_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="lies before"):
        timeline(
            CAPTION,
            [Row("x", [Span(date(2026, 1, 2), date(2026, 1, 1), "x")])],
            date(2026, 3, 2),
        )
