"""How long the command line takes to answer, as ratios to a bare Typer program in the same run.

    python bench/startup.py [--rounds 15]

Goals: `--version` at most 60 ms; `--help` at most 1.5 times a bare Typer program's, and a noun's
`--help` likewise against a bare program's inner help (Typer itself loads pydantic as soon as an
option is read).
"""

import argparse
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import figures
from bench.figures import alternate, compared

BARE = """
import typer
app = typer.Typer(rich_markup_mode=None, add_completion=False)
inner = typer.Typer(rich_markup_mode=None)
app.add_typer(inner, name="inner")
@app.callback()
def root(config: str = ""): "A program."
@app.command()
def one(name: str = "x"): "One command."
@inner.command()
def two(): "Another."
app()
"""

PROGRAMS = {
    "bare Python": [sys.executable, "-c", "pass"],
    "bare Typer --help": [sys.executable, "-c", BARE, "--help"],
    "bare Typer inner --help": [sys.executable, "-c", BARE, "inner", "--help"],
    "notifier --version": [sys.executable, "-m", "notifier", "--version"],
    "notifier --help": [sys.executable, "-m", "notifier", "--help"],
    "notifier sources --help": [sys.executable, "-m", "notifier", "sources", "--help"],
}
# What each program of ours is compared with, and its goal.
COMPARED = {
    "notifier --version": ("bare Python", "ours <= 60"),
    "notifier --help": ("bare Typer --help", "ratio <= 1.5"),
    "notifier sources --help": ("bare Typer inner --help", "ratio <= 1.5"),
}


def milliseconds(command: list[str]) -> float:
    """Return how long one run takes."""

    def run() -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    return figures.seconds(run) * 1000


def main() -> None:
    """Time all programs in turn, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    cases = {
        name: lambda command=command: milliseconds(command) for name, command in PROGRAMS.items()
    }
    times = alternate(cases, parser.parse_args().rounds)
    figures.show(
        compared(f"P9 {name}", times[name], times[bare], against=bare, goal=goal, unit="ms")
        for name, (bare, goal) in COMPARED.items()
    )


if __name__ == "__main__":
    main()
