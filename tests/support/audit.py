"""What a piece of code opens, dials and starts, told by the interpreter's own audit events (PEP 578).

Opened by C libraries without Python's doing is not seen here: libxml2 and SQLite open files by
themselves.
"""

import sys
import sysconfig
import tempfile
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from notifier.render import template_folder
from tests.support.paths import PACKAGE, ROOT

# What any Python program reads: its own modules, the zones, the system's names and random numbers.
_OF_PYTHON = (
    *dict.fromkeys(sysconfig.get_paths().values()),
    sys.prefix,
    sys.base_prefix,
    *zoneinfo.TZPATH,
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/ssl",
    "/dev/null",
    "/dev/urandom",
    "/proc/",
    "/sys/fs/cgroup",
)
_OWN = (str(PACKAGE), str(template_folder()), str(ROOT / "tests"))
# What the tests' own tools look at: sources that a trace names, and what hypothesis remembers,
# beside its drafts.
_OF_THE_TESTS = ("<", str(ROOT / ".hypothesis"), str(Path(tempfile.gettempdir()) / "tmp"))


@dataclass
class Seen:
    """The paths that were opened, and the addresses that were dialled, in their order."""

    opened: list[str] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)

    def strangers(self, *allowed: Path) -> list[str]:
        """What was opened that is neither Python's, nor ours, nor under one of these paths."""
        fine = (*_OF_PYTHON, *_OWN, *_OF_THE_TESTS, *map(str, allowed))
        return [path for path in self.opened if not path.startswith(fine)]

    def far_away(self) -> list[str]:
        """What was dialled that is not this machine."""
        return [host for host in self.dialled if host not in ("127.0.0.1", "::1", "localhost", "")]


_watchers: list[Seen] = []
_installed = False


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if not _watchers or event not in ("open", "socket.connect", "socket.getaddrinfo"):
        return
    for seen in _watchers:
        if event == "open" and isinstance(arguments[0], str | bytes):
            path = arguments[0]
            seen.opened.append(path.decode("utf-8", "replace") if isinstance(path, bytes) else path)
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            seen.dialled.append(str(arguments[1][0]))
        elif event == "socket.getaddrinfo":
            seen.dialled.append(str(arguments[0]))


@contextmanager
def watching() -> Iterator[Seen]:
    """Note what is opened and dialled meanwhile, by any thread of this process."""
    global _installed  # noqa: PLW0603 - a hook can be added, and never taken away
    if not _installed:
        sys.addaudithook(_note)
        _installed = True
    seen = Seen()
    _watchers.append(seen)
    try:
        yield seen
    finally:
        _watchers.remove(seen)
