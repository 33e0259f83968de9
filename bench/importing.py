"""Measure the import of many therapy profiles by the command line.

    python bench/importing.py [--profiles 100 1000 5000]

Each profile has five terms and watches no source of its own; a store without entries takes them.
Goal: 5,000 profiles in at most 60 s, from the start of the command to its end.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import figures
from bench.figures import Figure, alone, children_peak_mb

GOAL_AT = 5_000
PROFILE = """slug = "made-up-{0}"
name = "Madeupimab {0}"
summary = "An antibody that does not exist, number {0}."
stage = "Investigational: phase 2"
stage_as_of = 2026-01-02

[[terms]]
kind = "name"
text = "madeupimab {0}"
also = ["madeupimabum {0}"]

[[terms]]
kind = "code"
text = "MUP-{0}"

[[terms]]
kind = "target"
text = "receptor {1}"

[[terms]]
kind = "class"
text = "made-up antibody"

[[terms]]
kind = "indication"
text = "multiple sclerosis"
"""


def measure(count: int) -> list[Figure]:
    """Import so many profiles into a new installation."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number in range(count):
            file = Path(folder) / f"p{number}.toml"
            file.write_text(PROFILE.format(number, number % 50), encoding="utf-8")
            files.append(file.name)

        def command(*words: str) -> None:
            line = [sys.executable, "-m", "notifier", *words]
            subprocess.run(line, cwd=folder, check=True, capture_output=True)

        command("init", "--no-poll")
        took = figures.seconds(lambda: command("profiles", "import", *files))
    at = {"profiles": count}
    goal = "ours <= 60" if count == GOAL_AT else ""
    peak = alone(f"Memory of importing {count:,} profiles", [children_peak_mb()], unit="MB", at=at)
    return [alone(f"P5 import of {count:,} profiles", [took], unit="s", goal=goal, at=at), peak]


def main() -> None:
    """Measure each number of profiles, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profiles", type=int, nargs="+", default=[100, 1_000, 5_000])
    counts = sorted(parser.parse_args().profiles)
    figures.show(figure for count in counts for figure in measure(count))


if __name__ == "__main__":
    main()
