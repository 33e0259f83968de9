"""The time zone of this machine, by its IANA name: what `notifier init` proposes.

Python names no zone: it knows only how far a clock is from UTC.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from notifier.text import times

_ETC = Path("/etc")


def name(environ: Mapping[str, str] = os.environ, etc: Path = _ETC) -> str:
    """Return the name, such as ``Europe/Berlin``; UTC where the machine names none.

    Args:
        environ: environment variables; `TZ` counts first, as for all programs.
        etc: the folder of the machine's configuration.
    """
    for candidate in _candidates(environ, etc):
        zone = times.successor(candidate.strip())
        if zone in times.zone_names():
            return zone
    return "UTC"


def _candidates(environ: Mapping[str, str], etc: Path) -> Iterator[str]:
    """Yield what may be the name: the variable, the target of the link, and Debian's file."""
    yield environ.get("TZ", "").removeprefix(":").rpartition("zoneinfo/")[2]
    try:
        yield str((etc / "localtime").readlink()).rpartition("zoneinfo/")[2]
    except OSError:
        yield ""
    try:
        yield (etc / "timezone").read_text(encoding="ascii")
    except (OSError, ValueError):
        yield ""
