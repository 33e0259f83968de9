"""The results on disk: one small JSON document for each measurement and size.

    bench/results/NAME.json         of a quick run, which the check against the baseline reads
    bench/results/NAME.full.json    of a full run, which the pages prefer

Each holds the figures, the command, the machine and its load, and when it was measured. It knows
nothing of pages and plots.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.figures import Figure, rounded

FOLDER = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Result:
    """What a run of one measurement gave.

    Attributes:
        name: The measurement's name in the catalogue.
        size: `quick` or `full`.
        commands: What was run, as a person would type it.
        measured: The date, as in 2026-11-26.
        seconds: How long it took.
        load: The machine's load average before and after; more than the cores means that other
            programs took part of the time.
        machine: Processor, system, versions.
        peers: The versions of the programs compared with, or why one is missing.
        figures: What was measured.
    """

    name: str
    size: str
    commands: list[str]
    measured: str
    seconds: float
    load: list[float]
    machine: dict[str, str | float]
    peers: dict[str, str]
    figures: list[Figure] = field(default_factory=list)


def path(name: str, size: str, folder: Path = FOLDER) -> Path:
    """Return the file of a result."""
    return folder / (f"{name}.json" if size == "quick" else f"{name}.{size}.json")


def write(result: Result, folder: Path = FOLDER) -> None:
    """Store a result in place of the one before."""
    document = rounded(asdict(result))
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    path(result.name, result.size, folder).write_text(text, encoding="utf-8")


def read(name: str, size: str, folder: Path = FOLDER) -> Result | None:
    """Return a stored result, or None where it was never measured."""
    file = path(name, size, folder)
    if not file.exists():
        return None
    document = json.loads(file.read_text(encoding="utf-8"))
    figures = [Figure(**figure) for figure in document.pop("figures")]
    return Result(**document, figures=figures)


def best(name: str, folder: Path = FOLDER) -> list[Result]:
    """Return what is stored of a measurement, the full run first."""
    found = (read(name, size, folder) for size in ("full", "quick"))
    return [result for result in found if result]


def figures(name: str, folder: Path = FOLDER) -> list[Figure]:
    """Return the figures of a measurement; where both runs have one, that of the full run."""
    by_name: dict[str, Figure] = {}
    for result in best(name, folder):
        for figure in result.figures:
            by_name.setdefault(figure.name, figure)
    return list(by_name.values())
