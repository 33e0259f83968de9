"""How long the command line takes to answer, as ratios to a bare Typer program in the same run.

    python bench/startup.py

Goals: `--version` at most 60 ms; `--help` at most 1.5 times a bare Typer program's, and a noun's
`--help` likewise against a bare program's inner help (Typer itself loads pydantic as soon as an
option is read).
"""

import statistics
import subprocess
import sys
import time

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
INNER = {"bare Typer inner --help", "notifier sources --help"}


def seconds(command: list[str]) -> float:
    """How long one run takes."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Time all programs in turn, so that what else the machine does falls on all of them."""
    times = {name: [] for name in PROGRAMS}
    for _ in range(15):
        for name, command in PROGRAMS.items():
            times[name].append(seconds(command))
    medians = {name: statistics.median(found) for name, found in times.items()}
    print(f"{'program':<26}{'median ms':>10}{'x bare Typer':>14}")
    for name, median in medians.items():
        bare = medians["bare Typer inner --help" if name in INNER else "bare Typer --help"]
        print(f"{name:<26}{median * 1000:>10.0f}{median / bare:>14.2f}")


if __name__ == "__main__":
    main()
