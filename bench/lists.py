"""Measure time and memory of the import and the export of a large list.

    python bench/lists.py [--people 100000]

Each person has a choice of their own. Goals at 100,000 people: under 30 s and under 200 MB, the
whole process.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import figures
from bench.figures import Figure, alone, children_peak_mb

LARGE = 100_000


def write_list(file: Path, people: int) -> None:
    """Write a list in which schedules, zones and languages differ."""
    with file.open("w", encoding="utf-8") as rows:
        rows.write("email,every,at,on,time_zone,edition,language\n")
        for n in range(people):
            hour, day = f"{n % 24:02}:{n % 60:02}", ("monday", "friday", "sunday")[n % 3]
            zone = ("Europe/Berlin", "America/New_York", "Asia/Tokyo")[n % 3]
            language = ("de", "en", "fr", "es")[n % 4]
            address = f"person{n}@example{n % 100}.org"
            rows.write(f"{address},weekly,{hour},{day},{zone},patient,{language}\n")


def measure(people: int, command: Callable[..., None]) -> list[Figure]:
    """Import a list for a trial and in earnest, and export it."""
    works = {
        "import --dry-run": ("import", "list.csv", "--confirmed", "--dry-run"),
        "import": ("import", "list.csv", "--confirmed"),
        "export": ("export", "--out", "out.csv"),
    }
    goals = {"import": "ours <= 30"} if people == LARGE else {}
    found = [
        alone(
            f"{name} of {people:,} people",
            [figures.seconds(lambda words=words: command("subscribers", *words))],
            goal=goals.get(name, ""),
            unit="s",
            at={"people": people, "command": name},
        )
        for name, words in works.items()
    ]
    memory = alone(
        f"Memory of the largest of these, {people:,} people",
        [children_peak_mb()],
        goal="ours <= 200",
        unit="MB",
        at={"people": people},
    )
    return [*found, memory]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=LARGE)
    people = parser.parse_args().people
    with tempfile.TemporaryDirectory() as folder:
        write_list(Path(folder) / "list.csv", people)

        def command(*arguments: str) -> None:
            words = [sys.executable, "-m", "notifier", *arguments]
            subprocess.run(words, cwd=folder, check=True, capture_output=True)

        command("init", "--no-poll")
        figures.show(measure(people, command))


if __name__ == "__main__":
    main()
