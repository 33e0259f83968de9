"""Write `docs/benchmarks.md`, `docs/scaling.md` and their plots from the stored results.

    python bench/page.py             # writes the pages, and the plots where matplotlib is installed
    python bench/page.py --check     # exits with 1 if a page is not what the results say

The texts are in `bench/pages/`; every measured number in them comes from `bench/results/`. What was
not measured is shown as such.
"""

import argparse
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bench import catalogue, results
from bench.catalogue import Bench, Curve
from bench.figures import Figure

DOCS = Path(__file__).parents[1] / "docs"
IMAGES = "images/bench"
PAGES = ("benchmarks.md", "scaling.md")
NOT_MEASURED = "not measured"


def number(value: float | None, unit: str = "") -> str:
    """Return a number for a reader: three digits, thousands with commas."""
    if value is None:
        return NOT_MEASURED
    digits = f"{value:,.0f}" if abs(value) >= 100 else f"{float(f'{value:.3g}'):,g}"
    return f"{digits} {unit}".strip()


def goal_text(figure: Figure) -> str:
    """Return a goal as a reader expects it: "≥ 0.9 ×" or "≤ 5 s"."""
    if not figure.goal:
        return ""
    what, sign, bound = figure.goal.split()
    unit = "×" if what == "ratio" else figure.unit
    return f"{'≥' if sign == '>=' else '≤'} {float(bound):,g} {unit}".strip()


def verdict(figure: Figure) -> str:
    """Return if the goal is reached, in a word."""
    if not figure.goal:
        return ""
    return {True: "reached", False: "**missed**", None: NOT_MEASURED}[figure.reached]


def ratio_text(figure: Figure) -> str:
    """Return the ratio and what it is to, or nothing."""
    if figure.ratio is None:
        return ""
    return f"{number(figure.ratio)} × {figure.against}"


def spread(figure: Figure) -> str:
    """Return the smallest and the largest run, which shows how much they differ."""
    runs = [run[0] / run[1] if len(run) > 1 else run[0] for run in figure.runs]
    if len(runs) < 2:
        return ""
    return f"{number(min(runs))} to {number(max(runs))}"


def slug(bench: Bench, curve: Curve) -> str:
    """Return the file name of a curve's plot."""
    title = re.sub("[^a-z0-9]+", "-", curve.title.lower()).strip("-")
    return f"{IMAGES}/{bench.name}-{title}.svg"


def plotted(bench: Bench) -> Iterator[tuple[Curve, str]]:
    """Yield the curves of a measurement that have two points or more, and their files."""
    for curve in bench.curves:
        points = [
            figure
            for figure in results.figures(bench.name)
            if figure.unit == curve.unit and curve.along in figure.at and figure.ours is not None
        ]
        if len({figure.at[curve.along] for figure in points}) > 1:
            yield curve, slug(bench, curve)


def largest(bench: str, unit: str, along: str, **at: str | float) -> Figure | None:
    """Return the figure farthest along one quantity, at a place of the others; None without any."""
    found = [
        figure
        for figure in series(bench, unit, along)
        if all(figure.at.get(key) == at[key] for key in at)
    ]
    return found[-1] if found else None


def each(bench: str, unit: str, along: str, **at: str | float) -> float | None:
    """Return what one more costs: the farthest figure divided by its place; None without any."""
    figure = largest(bench, unit, along, **at)
    return figure and over(figure.ours, float(figure.at[along]))


def curves_of(*names: str) -> list[tuple[Curve, str]]:
    """Return the plots of some measurements."""
    benches = [bench for bench in catalogue.BENCHES if bench.name in names]
    return [pair for bench in benches for pair in plotted(bench)]


def with_goal() -> list[Figure]:
    """Return the figures that have a goal, in the order of the catalogue."""
    return [
        figure
        for bench in catalogue.BENCHES
        for figure in results.figures(bench.name)
        if figure.goal
    ]


def look_up(bench: str, unit: str, **at: str | float) -> float | None:
    """Return the figure of a measurement at one place of its curves; None if it is not there."""
    for figure in results.figures(bench):
        if figure.unit == unit and all(figure.at.get(key) == at[key] for key in at):
            return figure.ours
    return None


def times(value: float | None, factor: float | None) -> float | None:
    """Return a product, or None where one of both was not measured."""
    return None if value is None or factor is None else value * factor


def over(value: float | None, divisor: float | None) -> float | None:
    """Return a quotient, or None where one of both was not measured."""
    return None if value is None or not divisor else value / divisor


def series(bench: str, unit: str, along: str) -> list[Figure]:
    """Return the figures along one quantity, in its order."""
    found = [
        figure for figure in results.figures(bench) if figure.unit == unit and along in figure.at
    ]
    return sorted(found, key=lambda figure: float(figure.at[along]))


def render(name: str) -> str:
    """Return the text of a page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("pages")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, of our own texts
    )
    words = {
        "number": number,
        "goal_text": goal_text,
        "verdict": verdict,
        "ratio_text": ratio_text,
        "spread": spread,
        "plotted": plotted,
        "look_up": look_up,
        "series": series,
        "times": times,
        "over": over,
        "curves_of": curves_of,
        "largest": largest,
        "each": each,
        "results": results,
        "benches": catalogue.BENCHES,
        "with_goal": with_goal(),
        "images": IMAGES,
    }
    return environment.get_template(f"{name}.j2").render(words)


def draw() -> None:
    """Draw all plots that the pages show."""
    from bench import plots

    for old in (DOCS / IMAGES).glob("*.svg"):
        old.unlink()
    plots.goals(with_goal(), DOCS / IMAGES / "goals.svg")
    for bench in catalogue.BENCHES:
        for curve, name in plotted(bench):
            plots.curve(results.figures(bench.name), curve, DOCS / name)


def write() -> None:
    """Write pages and plots."""
    for name in PAGES:
        (DOCS / name).write_text(render(name), encoding="utf-8")
    if importlib.util.find_spec("matplotlib") is None:
        print("The plots are as before: matplotlib is not installed.", file=sys.stderr)
        return
    draw()


def outdated() -> list[str]:
    """Return the names of the pages that are not what the results say."""
    return [name for name in PAGES if (DOCS / name).read_text(encoding="utf-8") != render(name)]


def main() -> None:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    if not parser.parse_args().check:
        write()
    elif names := outdated():
        sys.exit(f"Not what the results say: {', '.join(names)}. Run: python bench/page.py")


if __name__ == "__main__":
    main()
