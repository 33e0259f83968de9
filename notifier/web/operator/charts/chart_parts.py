"""Parts of charts: the figure, its scale, its labels, and its numbers as a table.

Widths are percentages of the chart and heights are pixels: so texts keep their size, however wide
the page is. No part has a style of its own; colours are classes of `templates/operator/style.css`.
"""

import math
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from markupsafe import Markup

from notifier.text.cleaning import clean, right_to_left, shorten

# Rows of the table below a chart; more are put together. Chosen by hand; not measured.
MOST_ROWS = 1000
# The widths of a chart's inner part on a phone of 320 pixels and in one of two columns of a wide
# page, and of a character of a label, in pixels. Measured in Chromium with the style of the pages.
_ON_PHONE, _ON_WIDE_PAGE, _CHARACTER = 200, 350, 7.5
# In characters.
_LONGEST_LABEL = 12
# The most lines across a chart, without the lowest.
_MOST_STEPS = 4
_ID = re.compile(r"[a-z][a-z0-9-]*")
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"

# A number of a chart; None where it is not known.
Number = float | None


class Caption(NamedTuple):
    """The words around a chart.

    Attributes:
        name: an id, unique on the page, as ``matches-per-week``.
        title: what is shown.
        unit: what is counted, in the plural: ``matches``.
        first: what a label is, the head of the first column of the table.
        note: a sentence below the title; empty for none.
        empty: what is said instead where there are no numbers.
    """

    name: str
    title: str
    unit: str
    first: str = "Week"
    note: str = ""
    empty: str = "There is nothing to show yet."


def require(name: str, series: Iterable[tuple[str, Sequence[Number]]], length: int) -> None:
    """Refuse what no chart can show.

    Raises:
        ValueError: the name is no id, a series has too few or too many numbers, or a number is
            negative, infinite or NaN.
    """
    if not _ID.fullmatch(name):
        raise ValueError(f"{name!r} is no id")
    for title, numbers in series:
        if len(numbers) != length:
            raise ValueError(f"{title}: {len(numbers)} numbers for {length} labels")
        for number in numbers:
            if number is not None and not (math.isfinite(number) and number >= 0):
                raise ValueError(f"{title}: {number} cannot be shown")


def figure(caption: Caption, note: str, parts: Iterable[Markup], numbers: Markup | None) -> Markup:
    """Return a chart with its caption.

    Args:
        caption: name, title and words.
        note: what is said below the title; empty for nothing.
        parts: legend and drawing.
        numbers: the table; None if there is nothing to show.
    """
    title = one_line(caption.title)
    aside = Markup(' <span class="aside">{}</span>').format(note) if note else Markup("")
    details = (
        Markup(
            '<details><summary>The numbers as a table</summary><div class="scroll" tabindex="0" '
            'role="region" aria-label="Table: {}">{}</div></details>'
        ).format(title, numbers)
        if numbers is not None
        else Markup("")
    )
    return Markup(
        '<figure class="chart" id="{}"><figcaption><strong>{}</strong>{}</figcaption>{}{}</figure>'
    ).format(caption.name, title, aside, Markup("").join(parts), details)


def drawing(
    caption: Caption, description: str, css_class: str, height: int, parts: Iterable[Markup]
) -> Markup:
    """Return the SVG of a chart, as one image with a title and a description.

    Args:
        caption: name, title and words.
        description: what there is to see, in a sentence or two.
        css_class: of the space to the left.
        height: in pixels.
        parts: the elements in it.
    """
    return Markup(
        '<svg role="img" aria-labelledby="{0}-title {0}-desc" class="{1}" width="100%" '
        'height="{2}"><title id="{0}-title">{3}</title><desc id="{0}-desc">{4}</desc>{5}</svg>'
    ).format(
        caption.name,
        css_class,
        height,
        one_line(caption.title),
        description,
        Markup("").join(parts),
    )


def nothing(text: str) -> Markup:
    """Return what stands in the place of a drawing without numbers."""
    return Markup('<p class="aside">{}</p>').format(text)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: bool = True) -> Markup:
    """Return a table whose first column names the rows.

    Args:
        heads: of the columns.
        rows: texts, as many in each as there are heads.
        numbers: whether the columns after the first hold numbers.
    """
    css_class = Markup(' class="number"') if numbers else Markup("")
    head = [Markup('<th scope="col">{}</th>').format(heads[0])]
    head += [Markup('<th scope="col"{}>{}</th>').format(css_class, text) for text in heads[1:]]
    body = []
    for first, *others in rows:
        cells = [Markup("<td{}>{}</td>").format(css_class, text) for text in others]
        row = Markup('<tr><th scope="row">{}</th>{}</tr>')
        body.append(row.format(one_line(first), Markup("").join(cells)))
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(
        Markup("").join(head), Markup("").join(body)
    )


def one_line(text: str) -> str:
    """Return a text as one printable line, kept apart from what stands beside it.

    An isolate (Unicode UAX #9) keeps the numbers beside a text from right to left in their order.
    """
    text = clean(text)
    return f"\u2068{text}\u2069" if right_to_left(text) else text


def short_label(text: str, longest: int = _LONGEST_LABEL) -> str:
    """Return a label of at most so many characters."""
    return one_line(shorten(clean(text), longest))


def number_text(number: Number) -> str:
    """Return a number as people read it: ``1,234``, ``2.5``; a dash for one that is not known."""
    if number is None:
        return "–"
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.1f}"


def day_text(day: date) -> str:
    """Return a day as ``2 Mar 2026``, whatever the language of the system is."""
    return f"{day.day} {_MONTHS[3 * day.month - 3 : 3 * day.month]} {day.year}"


def month_text(day: date) -> str:
    """Return the month of a day as ``Mar 2026``."""
    return day_text(day).partition(" ")[2]


def short_day(day: date | datetime) -> str:
    """Return the label of a day without its year, as ``2 Mar``."""
    return day_text(day).rpartition(" ")[0]


def scale(most: float) -> list[float]:
    """Return the numbers at the lines of a scale, from 0 to one that is not below the greatest.

    They are whole numbers with steps of 1, 2 or 5 times a power of ten.
    """
    size = 1
    while True:
        for step in (size, 2 * size, 5 * size):
            steps = max(1, math.ceil(most / step))
            if steps <= _MOST_STEPS:
                return [float(step * count) for count in range(steps + 1)]
        size *= 10


def scale_text(number: float) -> str:
    """Return the number at a line of a scale: ``250,000``, ``20 million``, ``4 billion``."""
    for size, word in ((1e9, "billion"), (1e6, "million")):
        if number >= 10 * size or (number >= size and number % size == 0):
            return f"{number / size:,.0f} {word}"
    return f"{number:,.0f}"


def gutter(texts: Sequence[str]) -> str:
    """Return the class of the space to the left of a chart in which these numbers stand."""
    longest = max(map(len, texts))
    return "narrow-gutter" if longest <= 3 else "gutter" if longest <= 6 else "wide-gutter"


def across(lines: Sequence[float], top: float, bottom: float) -> list[Markup]:
    """Return the lines of a scale with their numbers."""
    parts = []
    for number in lines:
        y = bottom - (bottom - top) * number / lines[-1]
        css_class = "line" if number else "axis"
        parts.append(
            Markup(
                '<line class="{}" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
                '<text class="scale" x="-8" y="{}">{}</text>'
            ).format(css_class, round(y + 4, 1), scale_text(number), y=round(y, 1))
        )
    return parts


def below(labels: Sequence[str], y: float) -> list[Markup]:
    """Return the labels below a chart: as many as fit, and fewer on a phone.

    Args:
        labels: of all bars or points.
        y: the baseline of the texts.
    """
    texts = [short_label(label) for label in labels]
    width = max(map(len, texts)) * _CHARACTER + 14
    step = _step(len(texts), int(_ON_WIDE_PAGE / width))
    on_phone = step * _step(math.ceil(len(texts) / step), int(_ON_PHONE / width))
    parts = []
    for index in range(0, len(texts), step):
        css_class = "label-below" if index % on_phone == 0 else "label-below wide-page"
        x = 100 * (index + 0.5) / len(texts)
        parts.append(text_at(x, y, texts[index], css_class))
    return parts


def text_at(x: float, y: float, text: str, css_class: str) -> Markup:
    """Return a text at a place, in the direction that keeps it inside the chart.

    Args:
        x: in percent.
        y: the baseline, in pixels.
        text: of at most about twelve characters.
        css_class: of the text.
    """
    anchor = " at-start" if x < 7 else " at-end" if x > 93 else ""
    place = 0 if x < 7 else 100 if x > 93 else round(x, 3)
    return Markup('<text class="{}{}" x="{}%" y="{}">{}</text>').format(
        css_class, anchor, place, y, text
    )


def _step(count: int, most: int) -> int:
    """Return which of so many are shown, every first, second or third, so that so many fit."""
    return max(1, math.ceil(count / max(1, most)))
