"""Time and memory of the import and the export of a large list.

    python bench/lists.py

100,000 people, each with a choice of their own. Goal: under 30 s and under 200 MB, whole process.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 100_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with (place / "list.csv").open("w") as file:
            file.write("email,every,at,on,time_zone,edition,language\n")
            for n in range(ROWS):
                hour, day = f"{n % 24:02}:{n % 60:02}", ("monday", "friday", "sunday")[n % 3]
                zone = ("Europe/Berlin", "America/New_York", "Asia/Tokyo")[n % 3]
                language = ("de", "en", "fr", "es")[n % 4]
                address = f"person{n}@example{n % 100}.org"
                file.write(f"{address},weekly,{hour},{day},{zone},patient,{language}\n")
        notifier = [sys.executable, "-m", "notifier"]
        subprocess.run([*notifier, "init"], cwd=place, check=True, capture_output=True)
        for arguments in (
            ["import", "list.csv", "--confirmed", "--dry-run"],
            ["import", "list.csv", "--confirmed"],
        ):
            started = time.perf_counter()
            done = subprocess.run(
                [*notifier, "subscribers", *arguments],
                cwd=place,
                check=True,
                capture_output=True,
                text=True,
            )
            seconds = time.perf_counter() - started
            print(f"{' '.join(arguments)}: {seconds:.1f} s; {done.stdout.splitlines()[-1]}")
        started = time.perf_counter()
        subprocess.run(
            [*notifier, "subscribers", "export", "--out", "out.csv"], cwd=place, check=True
        )
        seconds = time.perf_counter() - started
        print(f"export: {seconds:.1f} s, {(place / 'out.csv').stat().st_size / 1e6:.1f} MB")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"memory of the largest process: {peak:.0f} MB")


if __name__ == "__main__":
    main()
