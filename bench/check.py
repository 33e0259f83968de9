"""Compare the stored results of the quick runs with `bench/baseline.json`: `make bench-check`.

    python bench/check.py            # names each ratio that fell by a quarter; exit code 1 if any
    python bench/check.py --accept   # makes the stored ratios the baseline

Only ratios are compared, because rates differ from machine to machine. The ratio of a figure whose
goal is an upper bound, or whose unit is one of time or memory, is better when it is small. What the
baseline does not name is new, and what was not measured is said and is no fall.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import catalogue, results
from bench.figures import Figure

BASELINE = Path(__file__).with_name("baseline.json")
# Chosen by hand from repeated runs on a busy machine with two cores: their ratios differed by up to
# a fifth.
WORST = 0.75
SMALL_IS_GOOD = ("s", "ms", "µs", "MB", "µs/mail")


def measured(folder: Path = results.FOLDER) -> dict[str, Figure]:
    """Return the figures of the quick runs that can be compared, by name."""
    figures = {}
    for bench in catalogue.BENCHES:
        result = results.read(bench.name, "quick", folder)
        for figure in result.figures if result else ():
            if figure.ratio is not None:
                figures[figure.name] = figure
    return figures


def falls(now: dict[str, Figure], before: dict[str, float]) -> list[str]:
    """Return a sentence for each ratio that is worse by a quarter than in the baseline."""
    sentences = []
    for name, ratio in before.items():
        figure = now.get(name)
        if figure is None or figure.ratio is None:
            continue
        small_is_good = "<=" in figure.goal or figure.unit in SMALL_IS_GOOD
        change = ratio / figure.ratio if small_is_good else figure.ratio / ratio
        if change < WORST:
            sentences.append(
                f"{name}: {figure.ratio:.2f} x {figure.against}, {ratio:.2f} in the baseline"
            )
    return sentences


def main() -> None:
    """Check, or accept what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accept", action="store_true", help="make these the baseline")
    arguments = parser.parse_args()
    now = measured()
    if arguments.accept:
        ratios = {name: now[name].ratio for name in sorted(now)}
        BASELINE.write_text(json.dumps(ratios, indent=1, ensure_ascii=False) + "\n", "utf-8")
        return
    before = json.loads(BASELINE.read_text(encoding="utf-8"))
    for name in sorted(before.keys() - now.keys()):
        print(f"not measured: {name}")
    if sentences := falls(now, before):
        sys.exit("Fell by a quarter or more:\n" + "\n".join(sentences))
    print(f"{len(before.keys() & now.keys())} ratios are as before or better.")


if __name__ == "__main__":
    main()
