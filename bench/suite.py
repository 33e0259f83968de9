"""Run the measurements, one after the other, and store their results: `make bench`.

    python bench/suite.py [--only plan,deliver] [--full] [--no-page]

Each measurement is a process of its own that prints figures. One that fails keeps the result it had
before, is named at the end, and makes the exit code 1; the others go on. Afterwards the pages and
plots are written anew.
"""

import argparse
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import catalogue, figures, peers, results
from bench.catalogue import Bench
from bench.figures import Figure

ROOT = Path(__file__).parents[1]
FULL_TIMES = 10


class FailedError(Exception):
    """A measurement gave no figures; the text says why."""


def measure(bench: Bench, *, full: bool) -> list[Figure]:
    """Run the commands of a measurement and return all their figures.

    Raises:
        FailedError: A command failed, took too long, or printed no figures.
    """
    minutes = bench.timeout_minutes * (FULL_TIMES if full else 1)
    measured = []
    for script in bench.full if full else bench.scripts:
        print(f"  {script}", file=sys.stderr, flush=True)
        measured += figures.read(_output(script, minutes))
    return measured


def _output(script: str, minutes: float) -> str:
    name, *arguments = shlex.split(script)
    command = [sys.executable, str(ROOT / "bench" / name), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    # Without bytecode each of the many processes would compile the package again.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            timeout=minutes * 60,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FailedError(f"{script}: not finished after {minutes:.0f} minutes") from error
    if done.returncode:
        raise FailedError(f"{script}: ended with {done.returncode}; its error is above")
    return done.stdout


def run(bench: Bench, *, full: bool) -> None:
    """Measure, and store the result.

    Raises:
        FailedError: There is no result.
    """
    machine, before, began = figures.machine(), os.getloadavg()[0], time.perf_counter()
    measured = measure(bench, full=full)
    result = results.Result(
        name=bench.name,
        size="full" if full else "quick",
        commands=[f"python bench/{script}" for script in (bench.full if full else bench.scripts)],
        measured=time.strftime("%Y-%m-%d"),
        seconds=time.perf_counter() - began,
        load=[before, os.getloadavg()[0]],
        machine=machine,
        peers=peers.all_versions(),
        figures=measured,
    )
    results.write(result)
    print_table(measured)


def print_table(measured: list[Figure]) -> None:
    """Print the figures for a person."""
    verdicts = {True: "reached", False: "MISSED", None: ""}
    for figure in measured:
        ours = "missing" if figure.ours is None else f"{figure.ours:,.4g} {figure.unit}"
        ratio = "" if figure.ratio is None else f"{figure.ratio:.3g} x {figure.against}"
        goal = f"{verdicts[figure.reached]} ({figure.goal})" if figure.goal else ""
        print(f"    {figure.name:<58}{ours:>18}  {ratio:<34}{goal}".rstrip())


def write_pages() -> None:
    """Write the pages and plots, where what draws them is installed."""
    from bench import page

    page.write()


def main() -> None:
    """Run what is asked for; exit with 1 if a measurement failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="names, separated by commas")
    parser.add_argument("--full", action="store_true", help="all sizes: takes hours")
    parser.add_argument("--no-page", action="store_true", help="leave docs/ as it is")
    arguments = parser.parse_args()
    failed = []
    for bench in catalogue.named([name for name in arguments.only.split(",") if name]):
        print(f"{bench.name}: {bench.title}", file=sys.stderr, flush=True)
        try:
            run(bench, full=arguments.full)
        except FailedError as error:
            failed.append(str(error))
    if not arguments.no_page:
        write_pages()
    if failed:
        sys.exit("No new result:\n" + "\n".join(failed))


if __name__ == "__main__":
    main()
