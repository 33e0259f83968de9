"""What a measurement hands over: figures with a goal, and how runs are taken in turn.

Each file of this folder that measures prints one JSON document, a list of figures:

    [{"name": "P6 on SQLite, 100,000 subscribers", "goal": "ours <= 5", "unit": "s", "ours": 0.61,
      "base": 0.12, "against": "bare INSERT … SELECT", "ratio": 5.1, "runs": [[0.6, 0.12], …],
      "note": "…", "at": {"subscribers": 100000, "database": "sqlite"}}]

`ours` and `base` are medians in `unit`; `ratio` is the median of ours / base over the rounds, since
what else a machine does falls on both runs of a round. Without something to compare with, `base`,
`against` and `ratio` are null; so is `ours` where a run was not possible, and `note` tells why.
`goal` is "ratio >= 0.9", "ours <= 5", or empty where a figure stands for a curve only. `at` places
the figure on curves. This file knows nothing of what is measured, of pages or of plots.
"""

import json
import operator
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path

COMPARISONS = {"<=": operator.le, ">=": operator.ge}
LIBRARIES = ("sqlalchemy", "psycopg", "aiohttp", "feedparser", "cryptography", "procrastinate")


@dataclass(frozen=True)
class Figure:
    """One measured figure; see the text at the head of this file."""

    name: str
    goal: str = ""
    unit: str = ""
    ours: float | None = None
    base: float | None = None
    against: str = ""
    ratio: float | None = None
    runs: list[list[float]] = field(default_factory=list)
    note: str = ""
    at: dict[str, str | float] = field(default_factory=dict)

    @property
    def reached(self) -> bool | None:
        """Return if the goal is reached; None without a goal or without a measurement."""
        value = self.judged
        if not self.goal or value is None:
            return None
        _, sign, bound = self.goal.split()
        return bool(COMPARISONS[sign](value, float(bound)))

    @property
    def judged(self) -> float | None:
        """Return the value that the goal is about: `ratio` or `ours`."""
        return self.ratio if self.goal.startswith("ratio") else self.ours


def alternate(cases: Mapping[str, Callable[[], float]], rounds: int = 5) -> dict[str, list[float]]:
    """Call each case once in every round, and return what each of them measured."""
    measured: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            measured[name].append(case())
    return measured


def compared(
    name: str, ours: list[float], base: list[float], *, against: str, goal: str = "", **more
) -> Figure:
    """Return the figure of runs that were taken in turn: medians, and the median ratio."""
    pairs = list(zip(ours, base, strict=True))
    return Figure(
        name,
        goal=goal,
        ours=statistics.median(ours),
        base=statistics.median(base),
        against=against,
        ratio=statistics.median(mine / other for mine, other in pairs),
        runs=[list(pair) for pair in pairs],
        **more,
    )


def alone(name: str, ours: list[float], *, goal: str = "", **more) -> Figure:
    """Return the figure of runs beside which nothing else was measured."""
    return Figure(
        name, goal=goal, ours=statistics.median(ours), runs=[[run] for run in ours], **more
    )


def missing(name: str, why: str, *, goal: str = "", **more) -> Figure:
    """Return a figure that could not be measured here; it counts as neither reached nor missed."""
    return Figure(name, goal=goal, note=why, **more)


def show(figures: Iterable[Figure]) -> None:
    """Print the figures as one JSON document, rounded to four digits."""
    documents = [rounded(asdict(figure)) for figure in figures]
    print(json.dumps(documents, indent=1, ensure_ascii=False))


def read(document: str) -> list[Figure]:
    """Return the figures of a document that `show` printed."""
    return [Figure(**figure) for figure in json.loads(document)]


def rounded(value: object) -> object:
    """Return a document with four significant digits in each number."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return value


@contextmanager
def cpu_seconds() -> Iterator[Callable[[], float]]:
    """Give a function that returns the processor time so far, of this process and ended children.

    It counts what other programs on a busy machine do not spoil.
    """

    def spent() -> float:
        both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        usages = [resource.getrusage(who) for who in both]
        return sum(usage.ru_utime + usage.ru_stime for usage in usages)

    began = spent()
    yield lambda: spent() - began


def seconds(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def peak_mb() -> float:
    """Return the peak memory of this process in MB; `getrusage` would count its parent too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def children_peak_mb() -> float:
    """Return the peak memory of the largest process that this one started and that has ended."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def machine() -> dict[str, str | float]:
    """Return what a reader needs to know of the machine and the versions."""
    cores = os.cpu_count() or 1
    facts: dict[str, str | float] = {
        "cores": cores,
        "processor": _processor(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "commit": _commit(),
        "load": round(os.getloadavg()[0], 1),
        "loop_ms": _loop_ms(),
    }
    for library in LIBRARIES:
        try:
            facts[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            facts[library] = "not installed"
    return facts


def _loop_ms() -> float:
    """Return the milliseconds that five million additions take: how fast the machine is by now.

    A virtual machine may be half as fast an hour later. The best of three counts, so that a short
    disturbance is not taken for a slow machine.
    """

    def loop() -> float:
        began, total = time.perf_counter(), 0
        for number in range(5_000_000):
            total += number
        return time.perf_counter() - began

    return round(min(loop() for _ in range(3)) * 1000)


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.machine()
    for line in text.splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "no repository"


if __name__ == "__main__":
    sys.exit("This file measures nothing itself: see bench/README.md.")
