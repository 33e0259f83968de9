"""The plots of the measurements, as SVG files that are the same for the same results.

matplotlib draws (the dependency group `bench`). It knows figures and the curves of the catalogue,
and nothing of how anything was measured. Colours are those of Okabe and Ito, which people with
colour-blindness tell apart; each line also has a mark of its own.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from bench.catalogue import Curve
from bench.figures import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKS = "osD^vPX"
STYLE = {
    "svg.hashsalt": "notifier",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
}
INCHES = 6.4


def goals(figures: Iterable[Figure], file: Path) -> bool:
    """Draw how far each goal is reached or missed; return if there was something to draw.

    1 is the goal, to the right of it is better; a bar that would be longer than 4 ends there.
    """
    rows = [(figure.name, _share_of_goal(figure)) for figure in figures]
    drawn = [(name, share) for name, share in rows if share is not None]
    if not drawn:
        return False
    with mpl.rc_context(STYLE):
        _, axes = plt.subplots(figsize=(INCHES, 0.8 + 0.24 * len(drawn)))
        colours = [COLOURS[0] if share >= 1 else COLOURS[1] for _, share in drawn]
        places = range(len(drawn))
        axes.barh(places, [min(share, 4) for _, share in drawn], color=colours, height=0.6)
        axes.set_yticks(places, [name for name, _ in drawn])
        axes.invert_yaxis()
        axes.axvline(1, color="black", linewidth=1)
        axes.set_xlim(0, 4)
        axes.set_xlabel("how far beyond its goal: 1 is the goal, further right is better")
        _save(file)
    return True


def _share_of_goal(figure: Figure) -> float | None:
    value = figure.judged
    if not figure.goal or value is None:
        return None
    _, sign, text = figure.goal.split()
    bound = float(text)
    if sign == ">=":
        return value / bound
    if value <= 0:
        return 4.0
    return bound / value


def curve(figures: Iterable[Figure], shape: Curve, file: Path) -> bool:
    """Draw lines along one quantity, both axes logarithmic; return if there was anything to draw.

    Figures that agree in all other entries of `at` are one line, which is drawn from two points on.
    """
    lines = {name: points for name, points in _lines(figures, shape).items() if len(points) > 1}
    if not lines:
        return False
    with mpl.rc_context(STYLE):
        _, axes = plt.subplots(figsize=(INCHES, 3.4))
        for number, (name, points) in enumerate(sorted(lines.items())):
            along, values = zip(*sorted(points), strict=True)
            look = {"color": COLOURS[number % 7], "marker": MARKS[number % 7], "linewidth": 1.4}
            axes.plot(along, values, label=name, markersize=4, **look)
        _finish(axes, shape)
        _save(file)
    return True


def _lines(figures: Iterable[Figure], shape: Curve) -> dict[str, list[tuple[float, float]]]:
    lines = defaultdict(list)
    for figure in figures:
        if figure.unit != shape.unit or shape.along not in figure.at or figure.ours is None:
            continue
        others = {key: value for key, value in figure.at.items() if key != shape.along}
        name = ", ".join(
            value if isinstance(value, str) else f"{value:,g} {key}"
            for key, value in others.items()
        )
        lines[name].append((float(figure.at[shape.along]), figure.ours))
    return lines


def _finish(axes: Axes, shape: Curve) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    numbers = FuncFormatter(lambda value, _place: f"{value:,g}")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(numbers)
        axis.set_minor_formatter(lambda *_: "")
    axes.set_xlabel(shape.along)
    axes.set_ylabel(shape.unit)
    axes.set_title(shape.title, fontsize=10)
    if len(axes.lines) > 1 or not str(axes.lines[0].get_label()).startswith("_"):
        axes.legend(frameon=False, fontsize=8)


def _save(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    plt.tight_layout()
    plt.savefig(file, metadata={"Date": None, "Creator": None})
    plt.close()
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(line.rstrip() for line in lines) + "\n", encoding="utf-8")
