"""Timelines: spans of days with marks, a row for each thing, drawn as by `series_charts.py`."""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from markupsafe import Markup

from notifier.web.operator.charts import chart_parts
from notifier.web.operator.charts.chart_parts import Caption, day_text

# In pixels: above the first row; of a row, its label and its bar in it; below the last row.
_TOP, _ROW, _LABEL, _BAR, _BAR_HEIGHT, _BELOW = 22, 46, 14, 20, 14, 26
# Characters of a row's label. Measured at 320 and 1200 pixels.
_LONGEST_ON_PHONE, _LONGEST = 38, 90
# The most labels of the scale, and the most years or months of those on a phone.
_MOST_LABELS, _MOST_YEARS_ON_PHONE, _MOST_MONTHS_ON_PHONE = 10, 4, 3
_HATCH = "M-2 2l4-4M0 8l8-8M6 10l4-4"
# The days of the steps of a scale: days, weeks, months, years. Longer ones are many years.
_MONTHS_OF_STEPS = (1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 12000)


class Span(NamedTuple):
    """A time from one day to another.

    Attributes:
        begin: its first day.
        end: its last day.
        name: what happens in it, as the legend says.
        tone: 1 to 6, the colour.
        is_planned: whether it is expected and not known; it is hatched.
    """

    begin: date
    end: date
    name: str
    tone: int = 1
    is_planned: bool = False


class Mark(NamedTuple):
    """A day on which something happened.

    Attributes:
        day: the day.
        name: what happened.
    """

    day: date
    name: str


class Row(NamedTuple):
    """A row of a timeline.

    Attributes:
        label: what it is about.
        spans: in any order.
        marks: in any order.
    """

    label: str
    spans: Sequence[Span] = ()
    marks: Sequence[Mark] = ()


def timeline(caption: Caption, rows: Sequence[Row], today: date, *, mark: str = "change") -> Markup:
    """Draw spans and marks, a row for each thing.

    Args:
        caption: name, title and words; `unit` is what the rows are, in the plural.
        rows: from above.
        today: is shown as a line.
        mark: the name of the marks in the legend.

    Raises:
        ValueError: a span ends before it begins.
    """
    chart_parts.require(caption.name, (), 0)
    for span in (span for row in rows for span in row.spans):
        if span.end < span.begin:
            raise ValueError(f"{span.name}: {span.end} lies before {span.begin}")
    days = [day for row in rows for day in _days_of(row)]
    if not days:
        text = chart_parts.nothing(caption.empty)
        return chart_parts.figure(caption, caption.note, [text], None)
    axis = _Axis.over([*days, today])
    height = _TOP + _ROW * len(rows) + _BELOW
    elements = [*_patterns(caption.name, rows), *axis.drawn(height, today)]
    elements += [_row(caption.name, row, index, axis) for index, row in enumerate(rows)]
    svg = chart_parts.drawing(caption, _described(rows), "spans", height, elements)
    legend = _legend(caption.name, rows, mark)
    return chart_parts.figure(caption, caption.note, [legend, svg], _table(rows, caption.first))


class _Axis(NamedTuple):
    """The days from the left to the right of a timeline, and those that are labelled."""

    begin: date
    end: date
    ticks: Sequence[tuple[date, str]]

    @classmethod
    def over(cls, days: Sequence[date]) -> "_Axis":
        first, last = min(days), max(days)
        months = _months(last) - _months(first) + 1
        step = next(
            (step for step in _MONTHS_OF_STEPS if months / step <= _MOST_LABELS),
            _MONTHS_OF_STEPS[-1],
        )
        start = _months(first) // step * step
        stop = _months(last) // step * step + step
        months_of_ticks = range(start, min(stop, 12 * date.max.year - 1) + 1, step)
        ticks = [
            (date(month // 12, month % 12 + 1, 1), _tick_label(month, step))
            for month in months_of_ticks
            if month >= 12
        ]
        return cls(min(first, ticks[0][0]), max(last, ticks[-1][0]), ticks)

    def place(self, day: date) -> float:
        """Return the place of a day, in percent."""
        return round(100 * (day - self.begin).days / max(1, (self.end - self.begin).days), 3)

    def drawn(self, height: int, today: date) -> list[Markup]:
        """Return lines and labels of the scale, and the line of today."""
        is_year = all(label.isdigit() for _, label in self.ticks)
        most = _MOST_YEARS_ON_PHONE if is_year else _MOST_MONTHS_ON_PHONE
        on_phone = math.ceil(len(self.ticks) / most)
        parts = []
        for index, (day, label) in enumerate(self.ticks):
            x = self.place(day)
            parts.append(
                Markup('<line class="line" x1="{0}%" x2="{0}%" y1="{1}" y2="{2}"/>').format(
                    x, _TOP, height - _BELOW + 4
                )
            )
            css_class = "label-below" if index % on_phone == 0 else "label-below wide-page"
            parts.append(chart_parts.text_at(x, height - 6, label, css_class))
        x = self.place(today)
        line = Markup('<line class="today" x1="{0}%" x2="{0}%" y1="{1}" y2="{2}"/>')
        parts.append(line.format(x, _TOP - 6, height - _BELOW + 4))
        parts.append(chart_parts.text_at(x, 12, "today", "label-below"))
        return parts


def _months(day: date) -> int:
    return 12 * day.year + day.month - 1


def _tick_label(month: int, step: int) -> str:
    year = month // 12
    return str(year) if step >= 12 else chart_parts.month_text(date(year, month % 12 + 1, 1))


def _days_of(row: Row) -> list[date]:
    days = [mark.day for mark in row.marks]
    return days + [day for span in row.spans for day in (span.begin, span.end)]


def _row(name: str, row: Row, index: int, axis: _Axis) -> Markup:
    top = _TOP + _ROW * index
    parts = [*_label(row.label, top + _LABEL)]
    for span in row.spans:
        x = axis.place(span.begin)
        width = max(0.4, axis.place(span.end + timedelta(days=span.end < date.max)) - x)
        parts.append(
            Markup(
                '<rect class="tone-{}" x="{}%" width="{}%" y="{}" height="{}"{}>'
                "<title>{}: {}</title></rect>"
            ).format(
                span.tone,
                x,
                round(width, 3),
                top + _BAR,
                _BAR_HEIGHT,
                _filled(name, span),
                _name_of(span),
                _span_text(span),
            )
        )
    parts += [
        Markup(
            '<svg x="{}%" y="{}"><path class="mark" d="M0-8l7 8-7 8-7-8z"/>'
            "<title>{}: {}</title></svg>"
        ).format(axis.place(mark.day), top + _BAR + _BAR_HEIGHT // 2, day_text(mark.day), mark.name)
        for mark in row.marks
    ]
    return Markup("<g>{}</g>").format(Markup("").join(parts))


def _label(text: str, y: int) -> list[Markup]:
    """Return a label; a long one twice, for narrow and for wide pages."""
    short = chart_parts.short_label(text, _LONGEST_ON_PHONE)
    long = chart_parts.short_label(text, _LONGEST)
    if short == long:
        return [Markup('<text x="0" y="{}">{}</text>').format(y, short)]
    return [
        Markup('<text class="{}" x="0" y="{}">{}</text>').format(css_class, y, label)
        for css_class, label in (("phone", short), ("wide-page", long))
    ]


def _filled(name: str, span: Span) -> Markup:
    """Return the attribute that hatches a planned span; one that is known has none."""
    is_hatched = span.is_planned
    return Markup(' fill="url(#{}-{})"').format(name, span.tone) if is_hatched else Markup("")


def _patterns(name: str, rows: Sequence[Row]) -> list[Markup]:
    planned = {span.tone for row in rows for span in row.spans if span.is_planned}
    return [
        Markup(
            '<pattern id="{0}-{1}" width="8" height="8" patternUnits="userSpaceOnUse">'
            '<rect class="pale" width="8" height="8"/>'
            '<path class="stroke-{1} planned" d="{2}"/></pattern>'
        ).format(name, tone, _HATCH)
        for tone in sorted(planned)
    ]


def _legend(name: str, rows: Sequence[Row], mark: str) -> Markup:
    items = [
        Markup(
            '<li><svg width="22" height="14" aria-hidden="true">'
            '<rect class="tone-{}" width="22" height="14"{}/></svg> {}</li>'
        ).format(span.tone, _filled(name, span), _name_of(span))
        for span in {_name_of(span): span for row in rows for span in row.spans}.values()
    ]
    if any(row.marks for row in rows):
        items.append(
            Markup(
                '<li><svg width="16" height="16" aria-hidden="true">'
                '<path class="mark" d="M8 0l7 8-7 8-7-8z"/></svg> {}</li>'
            ).format(mark)
        )
    return Markup('<ul class="legend">{}</ul>').format(Markup("").join(items))


def _described(rows: Sequence[Row]) -> str:
    """Return what there is to see, for those who hear it: the first rows in words."""
    sentences = []
    for row in rows[:5]:
        spans = "; ".join(f"{_name_of(span)} {_span_text(span)}" for span in row.spans)
        count = len(row.marks)
        marks = f"{count} {'change' if count == 1 else 'changes'}" if count else ""
        words = "; ".join(filter(None, (spans, marks))) or "nothing is known"
        sentences.append(f"{chart_parts.one_line(row.label)}: {words}.")
    if len(rows) > len(sentences):
        sentences.append(f"{len(rows) - len(sentences)} more rows are in the table.")
    return " ".join(sentences)


def _name_of(span: Span) -> str:
    return f"{span.name}, planned" if span.is_planned else span.name


def _span_text(span: Span) -> str:
    return f"{day_text(span.begin)} to {day_text(span.end)}"


def _table(rows: Sequence[Row], first: str) -> Markup:
    body = []
    for row in rows:
        dated = [(span.begin, _name_of(span), day_text(span.end)) for span in row.spans]
        dated += [(mark.day, mark.name, "") for mark in row.marks]
        body += [[row.label, name, day_text(day), end] for day, name, end in sorted(dated)]
    heads = [first, "What", "From, or on", "To"]
    return chart_parts.table(heads, body[: chart_parts.MOST_ROWS], numbers=False)
