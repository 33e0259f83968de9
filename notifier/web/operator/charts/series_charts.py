"""Charts: numbers as bars, stacked bars or lines, drawn as SVG without a script.

Each is a figure with a title, a description for those who do not see it, a legend in which no
colour stands alone, and all its numbers as a table. What is drawn where is in `chart_parts.py`;
spans of time are in `timelines.py`.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from notifier.web.operator.charts import chart_parts
from notifier.web.operator.charts.chart_parts import Caption, Number, number_text

# Colours and patterns that the style knows.
TONES = 6
# The tones for what went well and what did not, as words of the callers.
GOOD, TROUBLE = 2, 6
# More bars or points are put together. Chosen by hand: bars of two pixels on a phone.
_MOST_BARS, _MOST_POINTS = 100, 300
# Points of a line that are drawn as dots.
_MOST_DOTS = 40
# In pixels: of the drawing, and of its inner part.
_HEIGHT, _TOP, _BOTTOM = 196, 10, 164
_LABELS_AT = 186
# How the parts of a bar are hatched, from below.
_HATCHES = (
    "",
    "M-2 2l4-4M0 8l8-8M6 10l4-4",
    "M0 2h8M0 6h8",
    "M-2 6l4 4M0 0l8 8M6-2l4 4",
    "M2 0v8M6 0v8",
    "M0 0l8 8M8 0l-8 8",
)


class Series(NamedTuple):
    """Numbers of one kind.

    Attributes:
        name: for the legend.
        numbers: one for each label; None where it is not known.
        tone: 1 to 6, the colour and the pattern; 0 for the next one.
    """

    name: str
    numbers: Sequence[Number]
    tone: int = 0


def bars(
    caption: Caption, labels: Sequence[str], numbers: Sequence[Number], *, tone: int = 1
) -> Markup:
    """Draw a bar for each number.

    Args:
        caption: name, title and words.
        labels: one for each number, from left to right.
        numbers: 0 or more; None where it is not known.
        tone: 1 to 6.

    Raises:
        ValueError: a number is negative, infinite or NaN, or there are not as many as labels.
    """
    return stacked_bars(caption, labels, [Series(caption.unit, numbers, tone)])


def stacked_bars(caption: Caption, labels: Sequence[str], series: Sequence[Series]) -> Markup:
    """Draw a bar for each label, with a part for each series; the first one stands below.

    Arguments and errors are those of `bars`; there are at most six series.
    """
    series = _toned(caption.name, labels, series)
    if not _any_number(series):
        return _nothing(caption)
    shown, kept, size = _thinned(labels, series, _MOST_BARS, _sum)
    scale = chart_parts.scale(max(sum(filter(None, column)) for column in _columns(kept)))
    step = 100 / len(shown)
    width = step * min(0.76, 0.25 + 0.05 * len(shown))  # a few bars are no broad blocks
    elements = _patterns(caption.name, kept)
    elements += [
        _bar(caption.name, label, kept, index, ((index + 0.5) * step, width, scale[-1]))
        for index, label in enumerate(shown)
    ]
    thinned = f" Each bar is the sum of {size} values." if size > 1 else ""
    legend = _legend(kept, lambda place, each: _swatch(caption.name, place, each))
    return _figure(caption, labels, series, _Drawn(shown, scale, elements, thinned, legend))


def lines(caption: Caption, labels: Sequence[str], series: Sequence[Series]) -> Markup:
    """Draw a line for each series; it has a gap where a number is not known.

    Arguments and errors are those of `bars`; there are at most six series.
    """
    series = _toned(caption.name, labels, series)
    if not _any_number(series):
        return _nothing(caption)
    shown, kept, size = _thinned(labels, series, _MOST_POINTS, _last)
    most = max(
        (number for each in kept for number in each.numbers if number is not None), default=0
    )
    scale = chart_parts.scale(most)
    elements = [_line(each, scale[-1]) for each in kept]
    elements += [_dots(each, shown, scale[-1]) for each in kept]
    thinned = f" Of {size} values, the last is drawn." if size > 1 else ""
    legend = _legend(kept, _stroke_sample)
    return _figure(caption, labels, series, _Drawn(shown, scale, elements, thinned, legend))


class _Drawn(NamedTuple):
    """The parts of a drawing; `thinned` is a sentence about what was put together."""

    labels: Sequence[str]
    scale: Sequence[float]
    elements: Sequence[Markup]
    thinned: str
    legend: Markup


def _figure(
    caption: Caption, labels: Sequence[str], series: Sequence[Series], drawn: _Drawn
) -> Markup:
    texts = [chart_parts.scale_text(number) for number in drawn.scale]
    elements = [
        *chart_parts.across(drawn.scale, _TOP, _BOTTOM),
        *drawn.elements,
        *chart_parts.below(drawn.labels, _LABELS_AT),
    ]
    svg = chart_parts.drawing(
        caption,
        _described(labels, series, caption.unit) + drawn.thinned,
        chart_parts.gutter(texts),
        _HEIGHT,
        elements,
    )
    return chart_parts.figure(
        caption,
        f"{caption.note}{drawn.thinned}".strip(),
        [drawn.legend, svg] if len(series) > 1 else [svg],
        _table(labels, series, caption.first),
    )


def _nothing(caption: Caption) -> Markup:
    text = chart_parts.nothing(caption.empty)
    return chart_parts.figure(caption, caption.note, [text], None)


def _toned(name: str, labels: Sequence[str], series: Sequence[Series]) -> list[Series]:
    """Return the series with their tones, after they were checked."""
    chart_parts.require(name, [(each.name, each.numbers) for each in series], len(labels))
    if len(series) > TONES:
        raise ValueError(f"{name}: {len(series)} series, and at most {TONES} can be told apart")
    taken = {each.tone for each in series}
    free = iter([tone for tone in range(1, TONES + 1) if tone not in taken])
    return [each if each.tone else each._replace(tone=next(free)) for each in series]


def _any_number(series: Sequence[Series]) -> bool:
    return any(number is not None for each in series for number in each.numbers)


def _columns(series: Sequence[Series]) -> list[tuple[Number, ...]]:
    return list(zip(*(each.numbers for each in series), strict=True))


def _thinned(
    labels: Sequence[str],
    series: Sequence[Series],
    most: int,
    together: Callable[[Sequence[Number]], Number],
) -> tuple[list[str], list[Series], int]:
    """Return at most so many labels and numbers, and how many became one."""
    size = math.ceil(len(labels) / most)
    if size <= 1:
        return list(labels), list(series), 1
    starts = range(0, len(labels), size)
    kept = [
        each._replace(numbers=[together(each.numbers[at : at + size]) for at in starts])
        for each in series
    ]
    return [labels[at] for at in starts], kept, size


def _sum(numbers: Sequence[Number]) -> Number:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _last(numbers: Sequence[Number]) -> Number:
    return numbers[-1]


def _bar(
    name: str, label: str, series: Sequence[Series], index: int, bar: tuple[float, float, float]
) -> Markup:
    """Return the parts of a bar, with what it says under the pointer.

    Args:
        name: of the chart.
        label: of the bar.
        series: the numbers of all bars.
        index: which bar.
        bar: the middle of the bar and its width, in percent, and the number at the upper end.
    """
    middle, width, top = bar
    parts, below = [], 0.0
    for place, each in enumerate(series):
        number = each.numbers[index]
        if not number:
            continue
        height = (_BOTTOM - _TOP) * number / top
        y = _BOTTOM - (_BOTTOM - _TOP) * below / top - height
        parts.append(
            Markup('<rect class="tone-{}" x="{}%" width="{}%" y="{}" height="{}"{}/>').format(
                each.tone,
                round(middle - width / 2, 3),
                round(width, 3),
                round(y, 2),
                round(max(height, 1.5), 2),
                _filled(name, place),
            )
        )
        below += number
    numbers = ", ".join(f"{number_text(each.numbers[index])} {each.name}" for each in series)
    return Markup("<g><title>{}: {}</title>{}</g>").format(
        chart_parts.one_line(label), numbers, Markup("").join(parts)
    )


def _filled(name: str, place: int) -> Markup:
    """Return the attribute that fills a part of a bar with its pattern; the lowest has none."""
    return Markup(' fill="url(#{}-{})"').format(name, place) if place else Markup("")


def _patterns(name: str, series: Sequence[Series]) -> list[Markup]:
    """Return the patterns by which the parts of a bar differ without colour, too."""
    return [
        Markup(
            '<pattern id="{0}-{1}" width="8" height="8" patternUnits="userSpaceOnUse">'
            '<rect class="tone-{2}" width="8" height="8"/><path class="hatch" d="{3}"/></pattern>'
        ).format(name, place, each.tone, _HATCHES[place])
        for place, each in enumerate(series)
        if place
    ]


def _legend(series: Sequence[Series], sample: Callable[[int, Series], Markup]) -> Markup:
    """Return the names of the series, each beside a sample of how it is drawn."""
    items = [
        Markup('<li><svg width="22" height="14" aria-hidden="true">{}</svg> {}</li>').format(
            sample(place, each), chart_parts.one_line(each.name)
        )
        for place, each in enumerate(series)
    ]
    return Markup('<ul class="legend">{}</ul>').format(Markup("").join(items))


def _swatch(name: str, place: int, series: Series) -> Markup:
    return Markup('<rect class="tone-{}" width="22" height="14"{}/>').format(
        series.tone, _filled(name, place)
    )


def _stroke_sample(_place: int, series: Series) -> Markup:
    return Markup('<path class="stroke-{}" d="M0 7h22"/>').format(series.tone)


def _line(series: Series, top: float) -> Markup:
    """Return a line; it is stretched to the width of the chart, and its strokes are not."""
    count, paths, is_open = len(series.numbers), [], False
    for index, number in enumerate(series.numbers):
        if number is None:
            is_open = False
            continue
        x = 1000 * (index + 0.5) / count
        command = "L" if is_open else "M"
        paths.append(f"{command}{round(x, 2)} {_height_of(number, top)}")
        is_open = True
    return Markup(
        '<svg class="stretched" width="100%" height="{0}" viewBox="0 0 1000 {0}" '
        'preserveAspectRatio="none"><path class="stroke-{1}" d="{2}"/></svg>'
    ).format(_HEIGHT, series.tone, "".join(paths))


def _dots(series: Series, labels: Sequence[str], top: float) -> Markup:
    """Return the points of a line: all of a short one, else those that stand alone."""
    numbers, parts = series.numbers, []
    for index, number in enumerate(numbers):
        neighbours = [*numbers[max(0, index - 1) : index], *numbers[index + 1 : index + 2]]
        is_alone = all(neighbour is None for neighbour in neighbours)
        if number is None or (len(numbers) > _MOST_DOTS and not is_alone):
            continue
        parts.append(
            Markup(
                '<circle class="tone-{}" cx="{}%" cy="{}" r="3.5"><title>{}: {} {}</title></circle>'
            ).format(
                series.tone,
                round(100 * (index + 0.5) / len(numbers), 3),
                _height_of(number, top),
                chart_parts.one_line(labels[index]),
                number_text(number),
                series.name,
            )
        )
    return Markup("").join(parts)


def _height_of(number: float, top: float) -> float:
    return round(_BOTTOM - (_BOTTOM - _TOP) * number / top, 2)


def _described(labels: Sequence[str], series: Sequence[Series], unit: str) -> str:
    """Return what there is to see, for those who hear it."""
    first, last = chart_parts.one_line(labels[0]), chart_parts.one_line(labels[-1])
    sentences = [f"{first}." if len(labels) == 1 else f"{len(labels):,} values, {first} to {last}."]
    for each in series:
        known = [
            (number, label)
            for number, label in zip(each.numbers, labels, strict=True)
            if number is not None
        ]
        if not known:
            sentences.append(f"{each.name}: not known.")
            continue
        (least, _), (most, label) = min(known), max(known, key=lambda pair: pair[0])
        words = "" if each.name == unit and len(series) == 1 else f"{each.name}: "
        sentences.append(
            f"{words}{number_text(least)} to {number_text(most)}, most at "
            f"{chart_parts.one_line(label)}; the last is {number_text(known[-1][0])}."
        )
    return " ".join(sentences)


def _table(labels: Sequence[str], series: Sequence[Series], first: str) -> Markup:
    heads = [first, *(each.name[:1].upper() + each.name[1:] for each in series)]
    skipped = max(0, len(labels) - chart_parts.MOST_ROWS)
    rows = [
        [label, *map(number_text, column)]
        for label, column in zip(labels[skipped:], _columns(series)[skipped:], strict=True)
    ]
    before = (
        Markup('<p class="aside">The last {:,} of {:,} values.</p>').format(len(rows), len(labels))
        if skipped
        else Markup("")
    )
    return before + chart_parts.table(heads, rows)
